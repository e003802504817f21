"""Capture files: the parsers of pcap and pcapng, and all layers behind them.

Whether a file is read at once or in pieces, the same has to come out, and the calls are the same without messages.
"""

from __future__ import annotations

from collections.abc import Iterator

import capture_files
import made_capture
import packets
from fuzz.target import Target

from inspector.model.call import Call
from inspector.sources.registry import PCAP, PCAPNG
from inspector.views.call_lines_cy import call_lines

SHORT = 20_000
"""Bytes of a sample that are taken as a seed: longer ones are slow, and have nothing new."""


def run(data: bytes) -> object:
    source = PCAP if PCAP.detect(data, True) else PCAPNG
    whole, summary = events(source, data, len(data) or 1)
    pieces, summary_of_pieces = events(source, data, 1 + len(data) * 5 // 17)
    assert pieces == whole
    assert summary_of_pieces == summary
    calls = [event for event in whole if isinstance(event, Call)]
    lean, _ = events(source, data, len(data) or 1, with_messages=False)
    assert [event for event in lean if isinstance(event, Call)] == calls
    return whole, summary, call_lines(calls, no_details)


def events(source, data, size, with_messages=True):
    parser = source.open(with_messages=with_messages)
    found = []
    for at in range(0, len(data), size):
        found += parser.feed(data[at : at + size])
    return found + parser.close(), parser.describe()


def no_details(details):
    return []


def seeds() -> Iterator[bytes]:
    yield made_capture.capture(sent=b"\x0a\x03abc", answered=b"\x08\x01")
    for name in capture_files.CAPTURES:
        file = capture_files.read(name)
        yield b"".join(record.data for record in capture_files.split(file) if record.end <= SHORT)
    one = packets.ethernet(packets.ipv4(packets.tcp(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", flags=packets.SYN)))
    for order in "<>":
        for variant in packets.PCAP_MAGICS:
            yield packets.Pcap(order, variant).file([one, one])
        ng = packets.Pcapng(order)
        interface = ng.interface(resolution=9, offset=5) + ng.interface(packets.RAW, snap_length=64)
        yield ng.section() + interface + ng.simple_packet(one) + ng.old_packet(one) + ng.packet(one) + ng.block(10, one)


TARGET = Target(
    "capture",
    run,
    seeds,
    (
        b"\x0a\x0d\x0d\x0a",
        b"\x4d\x3c\x2b\x1a",
        b"\xd4\xc3\xb2\xa1",
        b"\xa1\xb2\x3c\x4d",
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
    ),
    longest=SHORT,
)
