"""Builds packets and capture files, for tests: just the headers, with no checksums (captures often have none)."""

from __future__ import annotations

import ipaddress
import itertools
import struct
from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ETHERNET, NULL, LOOP, RAW, SLL, SLL2 = 1, 0, 108, 101, 113, 276
IPV4, IPV6 = 0x0800, 0x86DD
TCP, UDP, IPV4_IN_IP, IPV6_IN_IP, GRE = 6, 17, 4, 41, 47
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, NO_NEXT, DESTINATION = 0, 43, 44, 51, 59, 60
CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
CLIENT6, SERVER6 = "fd00::1", "fd00::2"


# --- link layers ---------------------------------------------------------------------------------------------------


def ethertype(packet):
    return IPV6 if packet[0] >> 4 == 6 else IPV4


def ethernet(packet, tags=(), kind=None):
    """`tags` are the EtherTypes of VLAN tags, the outermost first."""
    chain = b"".join(struct.pack(">HH", tag, 100 + at) for at, tag in enumerate(tags))
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02" + chain + struct.pack(">H", kind or ethertype(packet)) + packet


def sll(packet, tags=()):
    """Linux cooked capture v1."""
    kinds = [*tags, ethertype(packet)]
    chain = b"".join(struct.pack(">HH", 7, kind) for kind in kinds[1:])
    return struct.pack(">HHH8sH", 0, 1, 6, b"\x02\0\0\0\0\x01\0\0", kinds[0]) + chain + packet


def sll2(packet, tags=()):
    """Linux cooked capture v2."""
    kinds = [*tags, ethertype(packet)]
    chain = b"".join(struct.pack(">HH", 7, kind) for kind in kinds[1:])
    return struct.pack(">HHIHBB8s", kinds[0], 0, 3, 1, 0, 6, b"\x02\0\0\0\0\x01\0\0") + chain + packet


def bsd_loopback(packet, order="<", family=None):
    """NULL in the byte order of the machine, LOOP in network order."""
    return struct.pack(order + "I", family or (30 if ethertype(packet) == IPV6 else 2)) + packet


def pktap(frame, link_type=ETHERNET, length=108):
    """What macOS puts before a frame of one of several interfaces."""
    return struct.pack("<III24s", length, 1, link_type, b"en0").ljust(length, b"\0") + frame


def mpls(packet, labels=2, kind=0x8847):
    """An Ethernet frame with a stack of labels before the packet."""
    stack = b"".join(struct.pack(">I", (1000 + at) << 12 | (at == labels - 1) << 8 | 64) for at in range(labels))
    return ethernet(stack + packet, kind=kind)


def pppoe(packet):
    """An Ethernet frame of a PPPoE session."""
    protocol = 0x0057 if ethertype(packet) == IPV6 else 0x0021
    return ethernet(struct.pack(">BBHHH", 0x11, 0, 1, len(packet) + 2, protocol) + packet, kind=0x8864)


# --- tunnels -------------------------------------------------------------------------------------------------------


def udp(payload, dport, sport=50000):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def vxlan(frame, dport=4789, flags=0x08):
    return udp(struct.pack(">B3xI", flags, 42 << 8) + frame, dport)


def geneve(payload, kind=0x6558, options=b"", version=0):
    head = struct.pack(">BBHI", version << 6 | len(options) // 4, 0, kind, 42 << 8)
    return udp(head + options + payload, 6081)


def gre(payload, kind, flags=0):
    """With a checksum, a key and a sequence number where the flags 0x8000, 0x2000 and 0x1000 say so."""
    extra = b"".join(bytes(4) for flag in (0x8000, 0x2000, 0x1000) if flags & flag)
    return struct.pack(">HH", flags, kind) + extra + payload


# --- IP ------------------------------------------------------------------------------------------------------------


def ipv4(
    payload,
    source=CLIENT,
    target=SERVER,
    protocol=TCP,
    options=b"",
    identification=1,
    offset=0,
    more=False,
    total_length=None,
):
    """`offset` is in bytes; `options` are padded to four bytes."""
    options += bytes(-len(options) % 4)
    size = 20 + len(options)
    total = size + len(payload) if total_length is None else total_length
    flags = offset >> 3 | (0x2000 if more else 0)
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    header = struct.pack(">BBHHHBBH", 0x40 | size // 4, 0, total, identification, flags, 64, protocol, 0)
    return header + addresses + options + payload


def ipv6(payload, source=CLIENT6, target=SERVER6, protocol=TCP, extensions=(), payload_length=None):
    """`extensions` are pairs of a header's type and what `extension` or its kin made; each names the next one."""
    kinds = [kind for kind, _ in extensions] + [protocol]
    chain = b"".join(bytes([following]) + body for (_, body), following in zip(extensions, kinds[1:], strict=True))
    body = chain + payload
    length = len(body) if payload_length is None else payload_length
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    return struct.pack(">IHBB", 0x6 << 28, length, kinds[0], 64) + addresses + body


def extension(content=b"", units=0):
    """Hop-by-hop, routing and destination options, without the byte that names the next header."""
    return bytes([units]) + content.ljust(6 + 8 * units, b"\0")


def authentication(check=bytes(12)):
    return bytes([(12 + len(check)) // 4 - 2]) + struct.pack(">HII", 0, 1, 1) + check


def fragment(offset, more, identification=1):
    return struct.pack(">BHI", 0, offset & ~7 | more, identification)


def fragments4(payload, size, **fields):
    """A datagram as IPv4 packets of at most `size` bytes of payload, in order."""
    return [
        ipv4(payload[at : at + size], offset=at, more=at + size < len(payload), **fields)
        for at in range(0, len(payload), size)
    ]


def fragments6(payload, size, identification=1, **fields):
    return [
        ipv6(
            payload[at : at + size],
            extensions=[(FRAGMENT, fragment(at, at + size < len(payload), identification))],
            **fields,
        )
        for at in range(0, len(payload), size)
    ]


def tcp(payload=b"", sport=40000, dport=50051, seq=0, ack=0, flags=ACK, options=b""):
    options += bytes(-len(options) % 4)
    words = 5 + len(options) // 4
    header = struct.pack(">HHIIBBHHH", sport, dport, seq % 2**32, ack % 2**32, words << 4, flags, 65535, 0, 0)
    return header + options + payload


# --- capture files -------------------------------------------------------------------------------------------------

PCAP_MAGICS = {"micro": 0xA1B2C3D4, "nano": 0xA1B23C4D, "1999": 0xA1B2CD34}


@dataclass(frozen=True)
class Pcap:
    """The parts of a classic capture file. `variant` is a key of PCAP_MAGICS."""

    order: str = "<"
    variant: str = "micro"
    link_type: int = ETHERNET
    snap_length: int = 262_144

    def header(self):
        return struct.pack(
            self.order + "IHHiIII", PCAP_MAGICS[self.variant], 2, 4, 0, 0, self.snap_length, self.link_type
        )

    def record(self, data, seconds=1_700_000_000, fraction=0, original=None, captured=None):
        lengths = len(data) if captured is None else captured, len(data) if original is None else original
        extra = struct.pack(self.order + "IHBB", 1, 0x800, 0, 0) if self.variant == "1999" else b""
        return struct.pack(self.order + "IIII", seconds, fraction, *lengths) + extra + data

    def file(self, packets):
        return self.header() + b"".join(
            self.record(data, seconds=1_700_000_000 + at) for at, data in enumerate(packets)
        )


@dataclass(frozen=True)
class Pcapng:
    """The blocks of a next-generation capture file."""

    order: str = "<"

    def block(self, kind, body, length=None, trailer=None):
        body += bytes(-len(body) % 4)
        length = 12 + len(body) if length is None else length
        trailer = length if trailer is None else trailer
        return struct.pack(self.order + "II", kind, length) + body + struct.pack(self.order + "I", trailer)

    def option(self, code, value):
        return struct.pack(self.order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    def section(self, options=b""):
        return self.block(0x0A0D0D0A, struct.pack(self.order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options)

    def interface(self, link_type=ETHERNET, snap_length=0, resolution=None, offset=None, options=b""):
        """`resolution` is the byte of if_tsresol, `offset` the seconds of if_tsoffset."""
        if resolution is not None:
            options += self.option(9, bytes([resolution]))
        if offset is not None:
            options += self.option(14, struct.pack(self.order + "q", offset))
        return self.block(1, struct.pack(self.order + "HHI", link_type, 0, snap_length) + options)

    def packet(self, data, ticks=0, interface=0, original=None, captured=None, options=b""):
        captured = len(data) if captured is None else captured
        original = len(data) if original is None else original
        head = struct.pack(self.order + "IIIII", interface, ticks >> 32, ticks & 2**32 - 1, captured, original)
        return self.block(6, head + data + bytes(-len(data) % 4) + options)

    def simple_packet(self, data, original=None):
        return self.block(3, struct.pack(self.order + "I", len(data) if original is None else original) + data)

    def old_packet(self, data, ticks=0, interface=0, captured=None):
        captured = len(data) if captured is None else captured
        head = struct.pack(
            self.order + "HHIIII", interface, 0xFFFF, ticks >> 32, ticks & 2**32 - 1, captured, len(data)
        )
        return self.block(2, head + data)

    def file(self, packets):
        blocks = [self.packet(data, ticks=1_700_000_000_000_000 + at) for at, data in enumerate(packets)]
        return self.section() + self.interface() + b"".join(blocks)


def feed_all(parser, pieces):
    """All events of a parser that is fed these pieces and closed."""
    events = []
    for piece in pieces:
        events += parser.feed(piece)
    return events + parser.close()


def cut(data, places):
    """`data` cut at `places`, which may be anything: they are taken modulo its length."""
    borders = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in itertools.pairwise(borders)]
