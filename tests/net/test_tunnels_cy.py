"""Packets within packets: where the inner one begins, and that captures of them have the same calls."""

from __future__ import annotations

import capture_files
import kernels
import packets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import GRE, IPV4, IPV4_IN_IP, IPV6, IPV6_IN_IP, UDP

from inspector import limits
from inspector.model.call import Call, Message
from inspector.model.packet import Datagram
from inspector.net.pcapng_cy import PcapngParser

tunnels = kernels.fixture("inspector.net.tunnels_cy")
capture = kernels.fixture("inspector.net.capture_cy")

INNER = {IPV4: packets.ipv4(packets.tcp(b"abc")), IPV6: packets.ipv6(packets.tcp(b"abc"))}

ERSPAN_2, ERSPAN_3 = b"\x10\1\0\1".ljust(8, b"\0"), b"\x20\1\0\1".ljust(12, b"\0")
OPTIONS = b"\x01\x02\x80\x01\0\0\0\x07"

WRAPS = {
    "ip": lambda packet: (IPV4_IN_IP if packets.ethertype(packet) == IPV4 else IPV6_IN_IP, packet),
    "vxlan": lambda packet: (UDP, packets.vxlan(packets.ethernet(packet))),
    "vxlan of linux": lambda packet: (UDP, packets.vxlan(packets.ethernet(packet, tags=(0x8100,)), 8472)),
    "vxlan with group policy": lambda packet: (UDP, packets.vxlan(packets.ethernet(packet), flags=0x88)),
    "geneve": lambda packet: (UDP, packets.geneve(packets.ethernet(packet))),
    "geneve with options": lambda packet: (UDP, packets.geneve(packets.ethernet(packet), options=OPTIONS)),
    "geneve of ip": lambda packet: (UDP, packets.geneve(packet, packets.ethertype(packet))),
    "gre": lambda packet: (GRE, packets.gre(packet, packets.ethertype(packet))),
    "gre with all fields": lambda packet: (GRE, packets.gre(packet, packets.ethertype(packet), 0xB000)),
    "gre of ethernet": lambda packet: (GRE, packets.gre(packets.ethernet(packet), 0x6558, 0x2000)),
    "erspan 1": lambda packet: (GRE, packets.gre(packets.ethernet(packet), 0x88BE)),
    "erspan 2": lambda packet: (GRE, packets.gre(ERSPAN_2 + packets.ethernet(packet), 0x88BE, 0x1000)),
    "erspan 3": lambda packet: (GRE, packets.gre(ERSPAN_3 + packets.ethernet(packet), 0x22EB, 0x1000)),
    "erspan 3 with more": lambda packet: (
        GRE,
        packets.gre(ERSPAN_3[:-1] + b"\1" + bytes(8) + packets.ethernet(packet), 0x22EB, 0x1000),
    ),
}
"""Of each kind of tunnel, the protocol of the outer IP packet and its payload."""


def datagram(protocol, payload):
    """As `ip_cy` gives it, behind headers."""
    head = b"\xee" * 34
    return Datagram(bytes(8), protocol, head + payload, len(head), len(head) + len(payload), 0)


@pytest.fixture(params=INNER, ids=["ipv4", "ipv6"])
def kind(request):
    return request.param


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=list(WRAPS))
def test_the_inner_packet_is_found(tunnels, kind, wrap):
    outer = datagram(*wrap(INNER[kind]))
    found, at = tunnels.inner(outer)
    assert found == kind
    assert outer.data[at:] == INNER[kind]


@pytest.mark.parametrize(
    ("protocol", "payload"),
    [
        (UDP, packets.udp(INNER[IPV4], 53)),
        (UDP, packets.vxlan(packets.ethernet(INNER[IPV4]), flags=0)),
        (UDP, packets.vxlan(packets.ethernet(bytes(40), kind=0x0806))),
        (UDP, packets.geneve(packets.ethernet(INNER[IPV4]), version=1)),
        (UDP, packets.geneve(bytes(40), kind=0x0806)),
        (GRE, packets.gre(INNER[IPV4], IPV4, 0x4000)),
        (GRE, packets.gre(INNER[IPV4], 0x880B, 0x2001)),
        (GRE, packets.gre(bytes(40), 0x0806)),
        (1, INNER[IPV4]),
        (packets.TCP, packets.tcp(INNER[IPV4])),
    ],
    ids=["dns", "no-network", "arp-in-vxlan", "geneve-1", "arp-in-geneve", "routed", "pptp", "arp-in-gre",
         "icmp", "tcp"],
)  # fmt: skip
def test_what_is_no_tunnel_carries_nothing(tunnels, protocol, payload):
    assert tunnels.inner(datagram(protocol, payload)) == (0, 0)


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=list(WRAPS))
def test_a_tunnel_cut_anywhere_is_the_same_or_nothing(tunnels, wrap):
    outer = datagram(*wrap(INNER[IPV4]))
    whole = tunnels.inner(outer)
    for end in range(outer.start, len(outer.data)):
        cut = outer._replace(data=outer.data[:end], end=end, missing=outer.end - end)
        found = tunnels.inner(cut)
        assert found in (whole, (0, 0))
        assert found == whole or end <= whole[1]


@given(st.sampled_from([IPV4_IN_IP, UDP, IPV6_IN_IP, GRE]), st.binary(max_size=60), st.sampled_from([4789, 6081, 9]))
def test_any_bytes_give_a_place_within_them(tunnels, protocol, data, port):
    outer = datagram(protocol, packets.udp(data, port) if protocol == UDP else data)
    kind, at = tunnels.inner(outer)
    assert kind in (0, IPV4, IPV6)
    assert 0 <= at <= len(outer.data)


# --- captures ------------------------------------------------------------------------------------------------------


def packets_of(name):
    parser = PcapngParser()
    file = capture_files.read(name)
    return parser.feed(file) + parser.close()


def in_tunnel(packet, wrap):
    """A packet of an Ethernet capture in a tunnel between two other hosts."""
    protocol, payload = wrap(packet.data[14:])
    outer = packets.ipv4(payload, "192.0.2.1", "192.0.2.2", protocol)
    return packet._replace(data=packets.ethernet(outer), original_length=14 + len(outer))


def decoded(capture, found):
    """Calls and messages, without the numbers of packets."""
    decoder = capture.CaptureDecoder()
    events = decoder.feed(found) + decoder.close()
    calls = [(each.number, each.method, each.status, each.client) for each in events if isinstance(each, Call)]
    messages = [(each.call, each.direction, each.data) for each in events if isinstance(each, Message)]
    return calls, messages


@pytest.mark.parametrize("name", ["predict.pcapng", "concurrent.pcapng", "errors.pcapng"])
@pytest.mark.parametrize("wrap", WRAPS.values(), ids=list(WRAPS))
def test_a_capture_of_a_tunnel_has_the_same_calls(capture, name, wrap):
    plain = packets_of(name)
    calls, messages = decoded(capture, plain)
    assert calls
    assert messages
    assert decoded(capture, [in_tunnel(each, wrap) for each in plain]) == (calls, messages)


def test_what_is_seen_within_a_tunnel_and_outside_counts_once(capture):
    plain = packets_of("predict.pcapng")
    both = [each for packet in plain for each in (packet, in_tunnel(packet, WRAPS["vxlan"]))]
    assert decoded(capture, both) == decoded(capture, plain)


def test_tunnels_in_tunnels_are_opened_to_the_limit(capture):
    found = plain = packets_of("predict.pcapng")
    for _ in range(limits.MAX_TUNNELS):
        found = [in_tunnel(each, WRAPS["gre"]) for each in found]
    assert decoded(capture, found) == decoded(capture, plain)
    assert decoded(capture, [in_tunnel(each, WRAPS["gre"]) for each in found]) == ([], [])


def test_a_tunnel_in_fragments(capture):
    """Those of the outer packet, as of an overlay on a network with a smaller MTU."""
    plain = packets_of("predict.pcapng")
    found = []
    for number, each in enumerate(plain):
        payload = packets.vxlan(each.data)
        cuts = packets.fragments4(payload, 160, protocol=UDP, identification=number)
        found += [each._replace(data=packets.ethernet(piece)) for piece in cuts]
    assert len(found) > len(plain)
    assert decoded(capture, found) == decoded(capture, plain)
