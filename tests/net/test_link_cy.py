"""Link layers: where the IP packet begins in each of them."""

from __future__ import annotations

import struct

import kernels
import packets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import IPV4, IPV6

from inspector import limits

link = kernels.fixture("inspector.net.link_cy")

PACKETS = {IPV4: packets.ipv4(packets.tcp(b"abc")), IPV6: packets.ipv6(packets.tcp(b"abc"))}


def check(link, link_type, frame, kind):
    found, at = link.network_layer(link_type, frame)
    assert found == kind
    assert frame[at:] == PACKETS[kind]


@pytest.fixture(params=PACKETS, ids=["ipv4", "ipv6"])
def kind(request):
    return request.param


def test_ethernet(link, kind):
    check(link, packets.ETHERNET, packets.ethernet(PACKETS[kind]), kind)


@pytest.mark.parametrize("wrap", [packets.ethernet, packets.sll, packets.sll2])
@pytest.mark.parametrize(
    "tags",
    [(0x8100,), (0x88A8, 0x8100), (0x9100, 0x8100), (0x9200,), (0x8100,) * limits.MAX_LINK_HEADERS],
    ids=lambda tags: "-".join(f"{tag:x}" for tag in tags),
)
def test_vlan_tags_are_passed_over(link, kind, wrap, tags):
    link_type = {packets.ethernet: packets.ETHERNET, packets.sll: packets.SLL, packets.sll2: packets.SLL2}[wrap]
    check(link, link_type, wrap(PACKETS[kind], tags=tags), kind)


def test_more_tags_than_the_limit_are_not_followed(link):
    frame = packets.ethernet(PACKETS[IPV4], tags=(0x8100,) * (limits.MAX_LINK_HEADERS + 1))
    assert link.network_layer(packets.ETHERNET, frame) == (0, 0)


def test_linux_cooked_captures(link, kind):
    check(link, packets.SLL, packets.sll(PACKETS[kind]), kind)
    check(link, packets.SLL2, packets.sll2(PACKETS[kind]), kind)


@pytest.mark.parametrize("labels", [1, 2, limits.MAX_LINK_HEADERS])
def test_mpls_labels_are_passed_over(link, kind, labels):
    check(link, packets.ETHERNET, packets.mpls(PACKETS[kind], labels), kind)
    check(link, packets.ETHERNET, packets.mpls(PACKETS[kind], labels, 0x8848), kind)


def test_an_ethernet_frame_behind_mpls_labels(link, kind):
    check(link, packets.ETHERNET, packets.mpls(bytes(4) + packets.ethernet(PACKETS[kind], tags=(0x8100,))), kind)


def test_pppoe(link, kind):
    check(link, packets.ETHERNET, packets.pppoe(PACKETS[kind]), kind)


@pytest.mark.parametrize("link_type", [149, 258])
def test_what_macos_captures_of_several_interfaces(link, kind, link_type):
    check(link, link_type, packets.pktap(packets.ethernet(PACKETS[kind])), kind)
    check(link, link_type, packets.pktap(packets.bsd_loopback(PACKETS[kind]), packets.NULL, 156), kind)
    check(link, link_type, packets.pktap(PACKETS[kind], 12), kind)


@pytest.mark.parametrize("family", [10, 24, 28, 30])
@pytest.mark.parametrize("order", ["<", ">"])
def test_bsd_loopback_in_either_byte_order_and_with_the_family_of_any_system(link, order, family):
    check(link, packets.NULL, packets.bsd_loopback(PACKETS[IPV4], order), IPV4)
    check(link, packets.NULL, packets.bsd_loopback(PACKETS[IPV6], order, family), IPV6)


def test_openbsd_loopback(link, kind):
    check(link, packets.LOOP, packets.bsd_loopback(PACKETS[kind], ">"), kind)


@pytest.mark.parametrize("link_type", [12, 14, 101])
def test_raw_ip_is_known_by_its_version(link, kind, link_type):
    check(link, link_type, PACKETS[kind], kind)


def test_raw_ip_of_one_version(link):
    check(link, 228, PACKETS[IPV4], IPV4)
    check(link, 229, PACKETS[IPV6], IPV6)


@pytest.mark.parametrize(
    ("link_type", "frame"),
    [
        (packets.ETHERNET, packets.ethernet(bytes(40), kind=0x0806)),
        (packets.ETHERNET, packets.ethernet(bytes(40), kind=0x0026)),
        (packets.ETHERNET, packets.ethernet(bytes(40), tags=(0x8100,), kind=0x0806)),
        (packets.NULL, struct.pack("<I", 7) + bytes(40)),
        (packets.LOOP, struct.pack(">I", 0) + bytes(40)),
        (packets.RAW, b"\x55" * 40),
        (packets.ETHERNET, packets.mpls(b"\x55" * 40)),
        (packets.ETHERNET, packets.mpls(PACKETS[IPV4], limits.MAX_LINK_HEADERS + 1)),
        (packets.ETHERNET, packets.ethernet(b"\x11\0\0\1\0\4\xc0\x21" + bytes(40), kind=0x8864)),
        (258, packets.pktap(packets.pktap(packets.ethernet(PACKETS[IPV4])), 258)),
        (258, b"\xff" * 40),
        (105, PACKETS[IPV4]),
        (65_535, PACKETS[IPV4]),
        (-1, PACKETS[IPV4]),
    ],
    ids=[
        "arp",
        "802.3",
        "arp-in-vlan",
        "osi",
        "unspecified",
        "version-5",
        "mpls-of-version-5",
        "too-many-labels",
        "ppp-lcp",
        "pktap-in-pktap",
        "pktap-too-long",
        "wifi",
        "unknown",
        "damaged",
    ],
)
def test_what_is_not_ip_says_so(link, link_type, frame):
    assert link.network_layer(link_type, frame) == (0, 0)


def test_says_which_link_types_it_reads(link):
    listed = {packets.ETHERNET, packets.NULL, packets.LOOP, packets.SLL, packets.SLL2, 12, 14, 101, 228, 229, 149, 258}
    assert listed == link.SUPPORTED


@pytest.mark.parametrize(
    ("link_type", "frame"),
    [
        (packets.ETHERNET, packets.ethernet(PACKETS[IPV4], tags=(0x88A8, 0x8100))),
        (packets.SLL, packets.sll(PACKETS[IPV6], tags=(0x8100,))),
        (packets.SLL2, packets.sll2(PACKETS[IPV4], tags=(0x8100,))),
        (packets.NULL, packets.bsd_loopback(PACKETS[IPV4])),
        (packets.RAW, PACKETS[IPV6]),
        (packets.ETHERNET, packets.mpls(PACKETS[IPV4])),
        (packets.ETHERNET, packets.mpls(bytes(4) + packets.ethernet(PACKETS[IPV6]))),
        (packets.ETHERNET, packets.pppoe(PACKETS[IPV4])),
        (258, packets.pktap(packets.ethernet(PACKETS[IPV4]))),
    ],
    ids=["ethernet", "sll", "sll2", "null", "raw", "mpls", "mpls-ethernet", "pppoe", "pktap"],
)
def test_a_frame_cut_anywhere_is_the_same_or_nothing(link, link_type, frame):
    whole = link.network_layer(link_type, frame)
    assert whole != (0, 0)
    for end in range(len(frame)):
        found = link.network_layer(link_type, frame[:end])
        assert found in (whole, (0, 0))
        assert found == whole or end <= whole[1]


@given(st.integers(0, 300), st.binary(max_size=60))
def test_any_bytes_give_a_place_within_them(link, link_type, frame):
    kind, at = link.network_layer(link_type, frame)
    assert kind in (0, IPV4, IPV6)
    assert 0 <= at <= len(frame)
