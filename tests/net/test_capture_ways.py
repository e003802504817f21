"""The common case of a capture, read in one go, against the layers one by one: both must say the same of any packets.

A VLAN tag in a frame means nothing to the layers, but the common case leaves such a packet to them.
"""

from __future__ import annotations

import functools

import capture_files
import http2_traffic as http2
import kernels
import packets
import pytest
from capture_files import CAPTURES
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.model.packet import Packet
from inspector.model.problem import Problem
from inspector.net import common_case_cy
from inspector.net.pcap_cy import PcapParser
from inspector.net.pcapng_cy import PcapngParser

capture = kernels.fixture("inspector.net.capture_cy")

SMALL = [name for name in CAPTURES if name not in ("large.pcapng", "midmessage.pcapng", "predict.pcap.gz")]
TAG = bytes.fromhex("8100 0064")


@functools.cache
def read(name):
    file = capture_files.read(name)
    parser = PcapngParser() if file.startswith(b"\x0a\x0d\x0d\x0a") else PcapParser()
    return [item for item in parser.feed(file) + parser.close() if isinstance(item, Packet)]


def tagged(packet):
    """The same packet with a VLAN tag in front of its EtherType."""
    data = packet.data[:12] + TAG + packet.data[12:]
    return packet._replace(data=data, original_length=packet.original_length + len(TAG))


def numbered(found):
    return [packet._replace(number=number) for number, packet in enumerate(found, start=1)]


def decoded(capture, found, with_messages=True):
    """What comes out of each packet, and at the end."""
    decoder = capture.CaptureDecoder(with_messages)
    events = [decoder.feed([packet]) for packet in found]
    return [*events, decoder.close()], decoder.summary.describe()


def assert_both_ways_agree(capture, found):
    assert decoded(capture, found) == decoded(capture, list(map(tagged, found)))


# --- the samples, whole and damaged ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
def test_the_common_case_takes_most_packets_and_no_tagged_one(name):
    reader = common_case_cy.SegmentReader()
    found = read(name)
    assert sum(reader.read(packet.link_type, packet.data) for packet in found) > len(found) // 2
    assert not any(reader.read(packet.link_type, tagged(packet).data) for packet in found)


@pytest.mark.parametrize("with_messages", [True, False])
@pytest.mark.parametrize("name", CAPTURES)
def test_both_ways_say_the_same_of_a_sample(capture, name, with_messages):
    found = read(name)
    as_it_is = decoded(capture, found, with_messages)
    assert as_it_is == decoded(capture, list(map(tagged, found)), with_messages)
    assert any(as_it_is[0])


@pytest.mark.parametrize("name", ["predict.pcapng", "errors.pcapng"])
def test_each_packet_may_go_either_way(capture, name):
    found = read(name)
    expected = decoded(capture, found)
    for which in range(2, 5):
        mixed = [tagged(packet) if packet.number % which else packet for packet in found]
        assert decoded(capture, mixed) == expected


changes = st.lists(
    st.tuples(
        st.sampled_from(("drop", "double", "move", "cut", "change", "payload")), st.integers(0, 10**6), st.integers(0)
    ),
    max_size=12,
)


def changed(found, kind, place, value):
    """The packets with one of them dropped, sent twice, moved, cut or changed in a byte."""
    at = place % len(found)
    packet = found[at]
    rest = found[:at] + found[at + 1 :]
    if kind == "drop":
        return rest or found
    if kind in ("double", "move"):
        to = max(0, at - 20 + value % 41)
        kept = rest if kind == "move" else found
        return [*kept[:to], packet, *kept[to:]]
    if kind == "cut":
        packet = packet._replace(data=packet.data[: 12 + value % (len(packet.data) - 11)])
    else:
        start = 66 if kind == "payload" and len(packet.data) > 66 else 14
        data = bytearray(packet.data)
        if len(data) > start:
            data[start + value % (len(data) - start)] = value // 7 % 256
        packet = packet._replace(data=bytes(data))
    return [*found[:at], packet, *found[at + 1 :]]


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(SMALL), changes=changes)
def test_both_ways_say_the_same_of_a_damaged_capture(capture, name, changes):
    found = read(name)
    for change in changes:
        found = changed(found, *change)
    assert_both_ways_agree(capture, numbered(found))


# --- any frames, in any packets ----------------------------------------------------------------------------------

KINDS = (http2.DATA, http2.HEADERS, http2.PRIORITY, http2.RST_STREAM, http2.SETTINGS, http2.PUSH_PROMISE, http2.PING,
         http2.GOAWAY, http2.WINDOW_UPDATE, http2.CONTINUATION, 16, 77)  # fmt: skip
FLAGS = (0, 0, 0, 1, 4, 5, 5, 8, 9, 0x20, 0x25, 0x2D, 0x40, 0xFF)


def literal(fields):
    """A header block that no table takes in."""
    parts = [
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode() for name, value in fields
    ]
    return b"".join(parts)


bodies = st.one_of(
    st.builds(http2.grpc_message, st.binary(max_size=40), st.sampled_from((0, 0, 0, 1, 2, 128))),
    st.builds(lambda many: b"".join(map(http2.grpc_message, many)), st.lists(st.binary(max_size=9), max_size=3)),
    st.binary(max_size=12),
)
blocks = st.one_of(
    st.sampled_from((http2.REQUEST, http2.RESPONSE, http2.TRAILERS, (("grpc-encoding", "gzip"),))).map(literal),
    st.sampled_from((b"\x82", b"\xc0", b"\x40\x01a\x01b", b"\xbe", b"\x00\x01\xff\x01\xfe", b"\x3f\xe1\x1f\x82")),
    st.binary(max_size=6),
)
streams = st.sampled_from((0, 1, 1, 1, 3, 3, 5, 2, 2**31 + 1))
any_frames = st.one_of(
    st.builds(http2.frame, st.just(http2.DATA), st.sampled_from((0, 0, 0, 1)), streams, bodies),
    st.builds(http2.frame, st.just(http2.HEADERS), st.sampled_from((4, 4, 5)), streams, blocks),
    st.builds(http2.frame, st.sampled_from((http2.PING, http2.WINDOW_UPDATE)), st.just(0), streams,
              st.sampled_from((bytes(4), bytes(8)))),
    st.builds(http2.frame, st.sampled_from((http2.HEADERS, http2.CONTINUATION)), st.sampled_from((0, 1, 4)), streams,
              blocks),
    st.builds(http2.frame, st.sampled_from(KINDS), st.sampled_from(FLAGS), streams, st.one_of(bodies, blocks)),
    st.builds(http2.reset, st.sampled_from((1, 3, 5))),
    st.builds(http2.goaway, st.sampled_from((0, 1, 5))),
    st.binary(max_size=10),
)  # fmt: skip
turns = st.lists(
    st.tuples(st.sampled_from((0, 1)), st.lists(any_frames, max_size=6), st.lists(st.integers(0, 120), max_size=3)),
    min_size=1,
    max_size=10,
)


def conversation(turns, begins):
    """Packets of one connection: of each turn its frames, cut into segments anywhere."""
    sent = [100, 500]
    written = []

    def send(direction, payload=b"", flags=packets.ACK):
        ports = ({"sport": 40000, "dport": 50051}, {"sport": 50051, "dport": 40000})[direction]
        ends = ((packets.CLIENT, packets.SERVER), (packets.SERVER, packets.CLIENT))[direction]
        segment = packets.tcp(payload, seq=sent[direction], ack=sent[1 - direction], flags=flags, **ports)
        written.append(packets.ethernet(packets.ipv4(segment, *ends)))
        sent[direction] += len(payload) + bool(flags & (packets.SYN | packets.FIN))

    if begins:
        send(0, flags=packets.SYN)
        send(1, flags=packets.SYN | packets.ACK)
        send(0, http2.PREFACE + http2.settings())
        send(1, http2.settings())
    for direction, frames, places in turns:
        for piece in http2.cut(b"".join(frames), places):
            send(direction, piece)
    send(0, flags=packets.FIN | packets.ACK)
    send(1, flags=packets.FIN | packets.ACK)
    return [Packet(at, at * 1000, packets.ETHERNET, data, len(data)) for at, data in enumerate(written, start=1)]


@settings(max_examples=400, deadline=None)
@given(turns=turns, begins=st.booleans())
def test_both_ways_say_the_same_of_any_frames(capture, turns, begins):
    assert_both_ways_agree(capture, conversation(turns, begins))


def test_a_call_of_such_packets_is_read(capture):
    request = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, literal(http2.REQUEST))
    found = conversation([(0, [request, http2.data(1, http2.grpc_message(b"hello"), end=True)], [])], begins=True)
    events = [event for each in decoded(capture, found)[0] for event in each]
    assert [message.data for message in http2.messages(events)] == [b"hello"]
    assert [call.method for call in http2.calls(events)] == ["/pkg.Svc/Do"]
    assert not any(isinstance(event, Problem) for event in events)
