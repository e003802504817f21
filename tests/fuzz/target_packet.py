"""One packet after another through the layers below TCP.

The short way (`common_case_cy`) has to see what the long way (`link_cy`, `ip_cy`, `tunnels_cy`, `parse_segment`) sees.
"""

from __future__ import annotations

from collections.abc import Iterator

import packets
from fuzz.target import Script, Target, text

from inspector.model.packet import Packet, Segment
from inspector.net.common_case_cy import SegmentReader
from inspector.net.ip_cy import TCP, IpLayer
from inspector.net.link_cy import network_layer
from inspector.net.tcp_cy import TcpReassembler, parse_segment
from inspector.net.tunnels_cy import innermost

LINK_TYPES = (
    packets.ETHERNET,
    packets.RAW,
    packets.NULL,
    packets.LOOP,
    packets.SLL,
    packets.SLL2,
    228,
    229,
    12,
    147,
    258,
)


def run(data: bytes) -> object:
    script = Script(data)
    ip, tcp, reader = IpLayer(), TcpReassembler(), SegmentReader()
    found = []
    number = 0
    while not script.done:
        number += 1
        packet = Packet(number, number, LINK_TYPES[script.byte() % len(LINK_TYPES)], script.text(), 0)
        short, long = short_way(packet, reader), long_way(packet, ip)
        assert short is None or short == long, (short, long)
        if long is not None:
            found += tcp.feed(long)
    ip.close()
    return found + tcp.close(), ip.lost_fragments


def short_way(packet, reader):
    number, time, link_type, data, _ = packet
    if not reader.read(link_type, data):
        return None
    return Segment(number, time, reader.flow, reader.seq, reader.ack, reader.flags, data[reader.start : reader.end], 0)


def long_way(packet, ip):
    ethertype, at = network_layer(packet.link_type, packet.data)
    if not ethertype:
        return None
    datagram = innermost(ip, ip.feed(ethertype, packet.data, at))
    if datagram is None or datagram.protocol != TCP:
        return None
    return parse_segment(packet.number, packet.time, datagram)


def seeds() -> Iterator[bytes]:
    for link_type, wrap in enumerate(
        (
            packets.ethernet,
            bytes,
            packets.bsd_loopback,
            lambda packet: packets.bsd_loopback(packet, ">"),
            packets.sll,
            packets.sll2,
        )
    ):
        for ip in ips():
            yield b"".join(bytes((link_type,)) + text(wrap(packet)) for packet in ip)
    tagged = packets.ethernet(packets.ipv4(packets.tcp(b"x")), tags=(0x88A8, 0x8100))
    yield b"\0" + text(tagged)
    packet = packets.ipv4(packets.tcp(b"in a tunnel"))
    for payload, protocol in (
        (packets.vxlan(packets.ethernet(packet)), packets.UDP),
        (packets.geneve(packet, packets.IPV4, bytes(4)), packets.UDP),
        (packets.gre(bytes(8) + packets.ethernet(packet), 0x88BE, 0x1000), packets.GRE),
        (packet, packets.IPV4_IN_IP),
    ):
        yield b"\0" + text(packets.ethernet(packets.ipv4(payload, protocol=protocol)))
    yield b"\0" + text(packets.mpls(packet)) + b"\0" + text(packets.pppoe(packet))
    yield bytes((LINK_TYPES.index(258),)) + text(packets.pktap(packets.ethernet(packet)))


def ips():
    segment = packets.tcp(b"some bytes", seq=2**32 - 3, options=b"\x02\x04\x05\xb4")
    yield [packets.ipv4(packets.tcp(flags=packets.SYN, seq=9)), packets.ipv4(packets.tcp(b"ab", seq=10))]
    yield [packets.ipv4(segment, options=b"\x94\x04\0\0"), packets.ipv4(segment, total_length=0)]
    yield packets.fragments4(segment, 16)
    yield packets.fragments6(segment, 16)[::-1]
    yield [
        packets.ipv6(
            segment,
            extensions=[
                (packets.HOP_BY_HOP, packets.extension(units=1)),
                (packets.DESTINATION, packets.extension()),
                (packets.AUTHENTICATION, packets.authentication()),
            ],
        )
    ]


TARGET = Target("packet", run, seeds, (b"\x08\x00\x45", b"\x86\xdd\x60", b"\x81\x00", b"\xff\xff", b"\x20\x00"))
