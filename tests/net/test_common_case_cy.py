"""The common case must read just what the layers read."""

from __future__ import annotations

import kernels
import packets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.packet import Packet, Segment
from inspector.net.ip_cy import IpLayer
from inspector.net.link_cy import network_layer
from inspector.net.tcp_cy import parse_segment

common_case = kernels.fixture("inspector.net.common_case_cy")

IPV4 = packets.ethernet(packets.ipv4(packets.tcp(b"payload", seq=5, ack=9)))
IPV6 = packets.ethernet(packets.ipv6(packets.tcp(b"payload", seq=5, ack=9, options=bytes(12))))


def packet(data, link_type=packets.ETHERNET, original=None):
    return Packet(3, 1_700_000_000_000_000_001, link_type, data, original or len(data))


def by_layers(given_packet):
    ethertype, at = network_layer(given_packet.link_type, given_packet.data)
    datagram = IpLayer().feed(ethertype, given_packet.data, at) if ethertype else None
    if datagram is None or datagram.protocol != packets.TCP:
        return None
    return parse_segment(given_packet.number, given_packet.time, datagram)


def read(common_case, given_packet):
    """What the reader finds as a segment; None where it leaves the packet to the layers."""
    number, time, link_type, data, _ = given_packet
    reader = common_case.SegmentReader()
    if not reader.read(link_type, data):
        return None
    return Segment(number, time, reader.flow, reader.seq, reader.ack, reader.flags, data[reader.start : reader.end], 0)


@pytest.mark.parametrize("data", [IPV4, IPV6], ids=["ipv4", "ipv6"])
def test_the_common_case_is_read(common_case, data):
    segment = read(common_case, packet(data))
    assert (segment.data, segment.seq, segment.ack) == (b"payload", 5, 9)
    assert segment == by_layers(packet(data))


@pytest.mark.parametrize("data", [IPV4, IPV6], ids=["ipv4", "ipv6"])
def test_padding_behind_the_datagram_is_no_payload(common_case, data):
    assert read(common_case, packet(data + b"padding")).data == b"payload"


@pytest.mark.parametrize(
    "given_packet",
    [
        packet(IPV4, link_type=packets.RAW),
        packet(packets.ethernet(packets.ipv4(packets.tcp(b"x")), tags=(0x8100,))),
        packet(packets.ethernet(packets.ipv4(packets.tcp(b"x"), options=b"\1\1\1\1"))),
        packet(packets.ethernet(packets.ipv4(b"datagram of UDP, long enough", protocol=packets.UDP))),
        packet(IPV4[:-1], original=len(IPV4)),
        packet(IPV6[:-1], original=len(IPV6)),
        packet(IPV4[:53]),
        packet(b""),
    ],
)
def test_anything_else_is_left_to_the_layers(common_case, given_packet):
    assert read(common_case, given_packet) is None


@given(
    data=st.sampled_from((IPV4, IPV6)),
    changes=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=4),
    size=st.integers(0, 100),
)
def test_whatever_it_reads_the_layers_read_too(common_case, data, changes, size):
    changed = bytearray(data)
    for at, value in changes:
        if at < len(changed):
            changed[at] = value
    given_packet = packet(bytes(changed[:size]), original=len(data))
    segment = read(common_case, given_packet)
    assert segment is None or segment == by_layers(given_packet)
