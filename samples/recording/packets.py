"""Reads what dumpcap wrote, writes it again without anything that tells about the machine it ran on."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
ETHERNET = 1
TIME_RESOLUTION = 9
NANOSECONDS = 1_000_000_000
SNAPLEN = 262_144

FIN, SYN, RST = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Packet:
    """One captured packet; `time` in nanoseconds since 1970, `length` as it was on the wire."""

    time: int
    length: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """The TCP part of a packet. `start` is where its payload begins in the packet."""

    source: int
    target: int
    flags: int
    start: int
    payload: bytes


def read_pcapng(data: bytes) -> Iterator[Packet]:
    """The packets of a little-endian pcapng file with one interface; what is left of a last one is passed over."""
    offset, unit = 0, 1_000
    while offset + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, offset)
        if size < 12 or offset + size > len(data):
            return
        body = data[offset + 8 : offset + size - 4]
        if kind == INTERFACE:
            unit = _nanoseconds_per_tick(body[8:])
        elif kind == PACKET:
            high, low, kept, length = struct.unpack_from("<IIII", body, 4)
            yield Packet(((high << 32) | low) * unit, length, body[20 : 20 + kept])
        offset += size


def _nanoseconds_per_tick(options: bytes) -> int:
    offset = 0
    while offset + 4 <= len(options):
        code, size = struct.unpack_from("<HH", options, offset)
        if code == TIME_RESOLUTION:
            return int(NANOSECONDS // 10 ** options[offset + 4])
        offset += 4 + size + -size % 4
    return 1_000


def write_pcapng(path: Path, packets: Iterable[Packet]) -> None:
    """Writes a pcapng file whose only option is the time resolution: no host, no program, no comment."""
    options = struct.pack("<HHB3xHH", TIME_RESOLUTION, 1, 9, 0, 0)
    blocks = [
        _block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
        _block(INTERFACE, struct.pack("<HHI", ETHERNET, 0, SNAPLEN) + options),
    ]
    for packet in packets:
        head = struct.pack("<IIIII", 0, packet.time >> 32, packet.time & 0xFFFFFFFF, len(packet.data), packet.length)
        blocks.append(_block(PACKET, head + packet.data + bytes(-len(packet.data) % 4)))
    path.write_bytes(b"".join(blocks))


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def write_pcap(path: Path, packets: Iterable[Packet]) -> None:
    """Writes a classic pcap file, times in microseconds."""
    records = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, ETHERNET)]
    for packet in packets:
        seconds, rest = divmod(packet.time, NANOSECONDS)
        records.append(struct.pack("<IIII", seconds, rest // 1_000, len(packet.data), packet.length) + packet.data)
    path.write_bytes(b"".join(records))


def count_packets(path: Path) -> int:
    """How many whole packets a pcapng, pcap or pcap.gz file holds."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return sum(1 for _ in read_pcapng(data))
    count, offset = 0, 24
    while offset + 16 <= len(data):
        offset += 16 + int(struct.unpack_from("<I", data, offset + 8)[0])
        count += offset <= len(data)
    return count


def segment(packet: Packet) -> Segment | None:
    """The TCP segment in an Ethernet packet with IPv4 or IPv6; None for all else."""
    data = packet.data
    if data[12:14] == b"\x08\x00" and data[23] == 6:
        start, end = 14 + (data[14] & 15) * 4, 14 + int.from_bytes(data[16:18])
    elif data[12:14] == b"\x86\xdd" and data[20] == 6:
        start, end = 54, 54 + int.from_bytes(data[18:20])
    else:
        return None
    source, target = struct.unpack_from(">HH", data, start)
    body = start + (data[start + 12] >> 4) * 4
    return Segment(source, target, data[start + 13], body, data[body:end])


def all_closed(packets: Iterable[Packet]) -> bool:
    """True if every TCP connection that occurs was ended by both sides, or reset."""
    ends: dict[frozenset[int], set[int]] = {}
    for found in filter(None, map(segment, packets)):
        ended = ends.setdefault(frozenset((found.source, found.target)), set())
        if found.flags & FIN:
            ended.add(found.source)
        if found.flags & RST:
            ended.update((found.source, found.target))
    return all(len(ended) == 2 for ended in ends.values())


def ended_by(packets: Iterable[Packet], port: int, stream: int) -> str:
    """What ended an HTTP/2 stream: the server's `trailers` (or `trailers_only`), a `client_reset`, or `both`.

    Looks for the bytes of frame headers, which is good enough for small captures with one connection.
    """
    identifier = struct.pack(">I", stream)
    found = list(filter(None, map(segment, packets)))
    asked = b"".join(part.payload for part in found if part.target == port)
    told = b"".join(part.payload for part in found if part.source == port)
    reset, over = b"\0\0\4\3\0" + identifier in asked, b"\1\5" + identifier in told
    if reset or not over:
        return "both" if over else "client_reset" if reset else "end_of_capture"
    return "trailers" if b"\1\4" + identifier in told else "trailers_only"
