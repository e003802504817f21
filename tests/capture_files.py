"""Capture files taken apart and put together again, and what is in their packets; independent of `inspector.net`.

Only what the files in samples/ need: little-endian, Ethernet or Linux cooked frames, no IP fragments or options.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

SAMPLES = Path(__file__).parent.parent / "samples"
HEAD = 200
"""Bytes of which a compressed capture needs fewer to show what it is."""

CAPTURES = sorted(path.name for path in SAMPLES.iterdir() if path.suffixes and path.suffixes[0] in (".pcap", ".pcapng"))

_PCAPNG = b"\x0a\x0d\x0d\x0a"
_ENHANCED_PACKET = 6


class Record(NamedTuple):
    """A packet, or what stands between packets (or is cut off); `offset` is where it begins in the file."""

    offset: int
    data: bytes
    is_packet: bool

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


def read(name: str) -> bytes:
    """A sample, decompressed."""
    data = (SAMPLES / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


def split(file: bytes) -> list[Record]:
    """All records of a file."""
    return list(_blocks(file) if file.startswith(_PCAPNG) else _records(file))


def _blocks(file: bytes) -> Iterator[Record]:
    at = 0
    while at < len(file):
        kind, length = struct.unpack_from("<II", file, at) if len(file) - at >= 8 else (0, 8)
        yield Record(at, file[at : at + length], kind == _ENHANCED_PACKET and at + length <= len(file))
        at += length


def _records(file: bytes) -> Iterator[Record]:
    yield Record(0, file[:24], False)
    at = 24
    while at < len(file):
        length = struct.unpack_from("<I", file, at + 8)[0] if len(file) - at >= 16 else 0
        yield Record(at, file[at : at + 16 + length], at + 16 + length <= len(file))
        at += 16 + length


def join(records: Sequence[Record]) -> bytes:
    """A file of these records, in this order."""
    return b"".join(record.data for record in records)


def packets(file: bytes) -> list[int]:
    """Where in `split(file)` the packets are."""
    return [index for index, record in enumerate(split(file)) if record.is_packet]


def whole_packets(file: bytes, size: int) -> int:
    """How many packets the first `size` bytes hold whole."""
    return sum(record.is_packet and record.end <= size for record in split(file))


class Segment(NamedTuple):
    """A TCP segment: `flow` is (source address and port, target address and port)."""

    flow: tuple[bytes, bytes]
    seq: int
    syn: bool
    data: bytes


def segment(file: bytes, record: Record) -> Segment:
    """The TCP segment in a packet of `file`."""
    is_pcapng = file.startswith(_PCAPNG)
    at = 28 if is_pcapng else 16
    size = struct.unpack_from("<I", record.data, 20 if is_pcapng else 8)[0]
    frame = record.data[at : at + size]
    at = 14  # of Ethernet, which loopback has too
    if frame[at] >> 4 == 4:
        header, length = (frame[at] & 15) * 4, struct.unpack_from(">H", frame, at + 2)[0]
        addresses = frame[at + 12 : at + 16], frame[at + 16 : at + 20]
    else:
        header, length = 40, 40 + struct.unpack_from(">H", frame, at + 4)[0]
        addresses = frame[at + 8 : at + 24], frame[at + 24 : at + 40]
    packet = frame[at + header : at + length] if length > header else frame[at + header :]
    ports = packet[0:2], packet[2:4]
    return Segment(
        (addresses[0] + ports[0], addresses[1] + ports[1]),
        struct.unpack_from(">I", packet, 4)[0],
        bool(packet[13] & 2),
        packet[(packet[12] >> 4) * 4 :],
    )


class Frame(NamedTuple):
    """An HTTP/2 frame of one direction; `packets` are the numbers (from 1) of those that hold a part of it."""

    kind: int
    stream: int
    packets: frozenset[int]


HEADERS, SETTINGS, CONTINUATION = 1, 4, 9
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frames(file: bytes) -> dict[tuple[bytes, bytes], list[Frame]]:
    """The HTTP/2 frames of each flow of a capture that has it whole and in order, from its first byte."""
    flows: dict[tuple[bytes, bytes], list[tuple[int, bytes]]] = {}
    seen: set[tuple[tuple[bytes, bytes], int]] = set()
    number = 0
    for record in split(file):
        number += record.is_packet
        if record.is_packet:
            part = segment(file, record)
            if part.data and (part.flow, part.seq) not in seen:
                seen.add((part.flow, part.seq))
                flows.setdefault(part.flow, []).append((number, part.data))
    return {flow: list(_frames(parts)) for flow, parts in flows.items()}


def _frames(parts: list[tuple[int, bytes]]) -> Iterator[Frame]:
    stream = b"".join(data for _, data in parts)
    owner = [number for number, data in parts for _ in range(len(data))]
    at = len(_PREFACE) if stream.startswith(_PREFACE) else 0
    while at + 9 <= len(stream):
        end = at + 9 + int.from_bytes(stream[at : at + 3], "big")
        number = int.from_bytes(stream[at + 5 : at + 9], "big") & 0x7FFFFFFF
        yield Frame(stream[at + 3], number, frozenset(owner[at:end]))
        at = end
