"""IPv4 and IPv6: payloads of datagrams, through header chains and fragments."""

from __future__ import annotations

import ipaddress
import random
import time

import kernels
import packets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import IPV4, IPV6

from inspector import limits

ip = kernels.fixture("inspector.net.ip_cy")

PAYLOAD = bytes(range(200)) * 5


def feed(layer, packet, before=b"", after=b""):
    return layer.feed(packets.ethertype(packet), before + packet + after, len(before))


def payload(datagram):
    return None if datagram is None else datagram.data[datagram.start : datagram.end]


def read(ip, packet, **around):
    return feed(ip.IpLayer(), packet, **around)


def feed_all(layer, pieces):
    """What each packet completes."""
    return [payload(feed(layer, piece)) for piece in pieces]


def lost(layer):
    layer.close()
    return layer.lost_fragments


# --- headers -----------------------------------------------------------------------------------------------------


def test_ipv4(ip):
    datagram = read(ip, packets.ipv4(b"abc", "1.2.3.4", "5.6.7.8", packets.UDP), before=b"link")
    assert datagram.addresses == b"\x01\x02\x03\x04\x05\x06\x07\x08"
    assert datagram.protocol == packets.UDP
    assert payload(datagram) == b"abc"
    assert datagram.missing == 0


def test_ipv6(ip):
    datagram = read(ip, packets.ipv6(b"abc", "fd00::1", "fd00::2", packets.UDP), before=b"link")
    assert datagram.addresses == b"".join(ipaddress.ip_address(host).packed for host in ("fd00::1", "fd00::2"))
    assert datagram.protocol == packets.UDP
    assert payload(datagram) == b"abc"
    assert datagram.missing == 0


@pytest.mark.parametrize("size", [1, 4, 40])
def test_ipv4_options_are_passed_over(ip, size):
    assert payload(read(ip, packets.ipv4(b"abc", options=b"\x01" * size))) == b"abc"


@pytest.mark.parametrize("build", [packets.ipv4, packets.ipv6])
def test_padding_after_the_datagram_is_not_payload(ip, build):
    datagram = read(ip, build(b"abc"), before=bytes(14), after=bytes(20))
    assert payload(datagram) == b"abc"
    assert datagram.missing == 0


def test_a_length_of_zero_means_all_that_was_captured(ip):
    assert payload(read(ip, packets.ipv4(PAYLOAD, total_length=0))) == PAYLOAD
    assert payload(read(ip, packets.ipv6(PAYLOAD, payload_length=0))) == PAYLOAD


@pytest.mark.parametrize("build", [packets.ipv4, packets.ipv6])
def test_what_the_snap_length_cut_off_is_missing(ip, build):
    packet = build(PAYLOAD)
    header = len(packet) - len(PAYLOAD)
    for end in range(header, len(packet)):
        datagram = read(ip, packet[:end])
        assert payload(datagram) == PAYLOAD[: end - header]
        assert datagram.missing == len(packet) - end


@pytest.mark.parametrize("size", [0, 4])
def test_a_header_that_is_cut_off_gives_nothing(ip, size):
    for packet in (packets.ipv4(b"abc"), packets.ipv6(b"abc")):
        header = len(packet) - 3
        for end in range(1, header):
            assert read(ip, packet[:end], before=bytes(size)) is None


@pytest.mark.parametrize(
    "packet",
    [
        packets.ipv4(b"abc", total_length=19),
        b"\x44" + packets.ipv4(b"abc")[1:],
        b"\x40" + packets.ipv4(b"abc")[1:],
        b"\x4f" + packets.ipv4(b"abc")[1:],
    ],
    ids=["total-length", "16-byte-header", "no-header", "header-beyond-datagram"],
)
def test_a_damaged_ipv4_header_gives_nothing(ip, packet):
    assert ip.IpLayer().feed(IPV4, packet, 0) is None


def test_the_version_has_to_be_that_of_the_link_layer(ip):
    assert ip.IpLayer().feed(IPV4, packets.ipv6(b"abc"), 0) is None
    assert ip.IpLayer().feed(IPV6, packets.ipv4(bytes(40)), 0) is None


# --- IPv6 extension headers --------------------------------------------------------------------------------------

EXTENSIONS = {
    "hop-by-hop": [(packets.HOP_BY_HOP, packets.extension())],
    "routing": [(packets.ROUTING, packets.extension(units=2))],
    "destination": [(packets.DESTINATION, packets.extension(units=1))],
    "authentication": [(packets.AUTHENTICATION, packets.authentication())],
    "authentication, odd length": [(packets.AUTHENTICATION, packets.authentication(bytes(20)))],
    "mobility": [(135, packets.extension())],
    "atomic fragment": [(packets.FRAGMENT, packets.fragment(0, False))],
    "all": [
        (packets.HOP_BY_HOP, packets.extension()),
        (packets.DESTINATION, packets.extension(units=3)),
        (packets.ROUTING, packets.extension()),
        (packets.FRAGMENT, packets.fragment(0, False)),
        (packets.AUTHENTICATION, packets.authentication()),
        (packets.DESTINATION, packets.extension()),
    ],
    "as many as allowed": [(packets.DESTINATION, packets.extension())] * limits.MAX_IPV6_EXTENSIONS,
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_extension_headers_are_followed(ip, name):
    datagram = read(ip, packets.ipv6(PAYLOAD, extensions=EXTENSIONS[name]), before=b"link", after=bytes(9))
    assert datagram.protocol == packets.TCP
    assert payload(datagram) == PAYLOAD


@pytest.mark.parametrize("name", EXTENSIONS)
def test_a_chain_of_headers_cut_anywhere_never_gives_wrong_payload(ip, name):
    packet = packets.ipv6(PAYLOAD, extensions=EXTENSIONS[name])
    for end in range(1, len(packet)):
        datagram = read(ip, packet[:end])
        if datagram is not None and datagram.protocol == packets.TCP:
            assert payload(datagram) == PAYLOAD[: max(0, end - (len(packet) - len(PAYLOAD)))]
            assert datagram.end + datagram.missing == len(packet)


def test_more_extension_headers_than_the_limit_are_not_followed(ip):
    extensions = [(packets.DESTINATION, packets.extension())] * (limits.MAX_IPV6_EXTENSIONS + 1)
    assert read(ip, packets.ipv6(PAYLOAD, extensions=extensions)).protocol != packets.TCP


def test_an_extension_header_longer_than_the_packet_gives_nothing(ip):
    packet = packets.ipv6(PAYLOAD[:100], extensions=[(packets.ROUTING, b"\xff" + bytes(6))])
    assert read(ip, packet) is None


def test_no_next_header_is_no_tcp(ip):
    assert read(ip, packets.ipv6(PAYLOAD, protocol=packets.NO_NEXT)).protocol == packets.NO_NEXT


# --- fragments ---------------------------------------------------------------------------------------------------


@pytest.fixture(params=[packets.fragments4, packets.fragments6], ids=["ipv4", "ipv6"])
def fragments(request):
    return request.param


@pytest.mark.parametrize("size", [8, 16, 504, 992])
def test_fragments_are_put_together(ip, fragments, size):
    layer = ip.IpLayer()
    *others, last = feed_all(layer, fragments(PAYLOAD, size))
    assert set(others) == {None}
    assert last == PAYLOAD
    assert lost(layer) == 0


def test_a_datagram_from_fragments_is_like_one_that_came_whole(ip, fragments):
    layer = ip.IpLayer()
    datagram = [feed(layer, piece) for piece in fragments(PAYLOAD, 504, protocol=packets.UDP)][-1]
    assert datagram.protocol == packets.UDP
    assert datagram.missing == 0
    assert len(datagram.addresses) in (8, 32)


@pytest.mark.parametrize("seed", range(10))
def test_fragments_out_of_order_and_sent_twice_are_put_together_once(ip, fragments, seed):
    pieces = fragments(PAYLOAD, 104) * 2
    random.Random(seed).shuffle(pieces)
    layer = ip.IpLayer()
    assert [found for found in feed_all(layer, pieces) if found] == [PAYLOAD]
    assert lost(layer) == 0


def test_datagrams_in_fragments_may_be_interleaved(ip, fragments):
    layer = ip.IpLayer()
    datagrams = [bytes([at]) * 100 for at in range(5)]
    each = [fragments(data, 40, identification=at) for at, data in enumerate(datagrams)]
    mixed = [piece for pieces in zip(*each, strict=True) for piece in pieces]
    assert [found for found in feed_all(layer, mixed) if found] == datagrams


def test_the_identification_counts_for_one_pair_of_addresses_and_protocol(ip):
    layer = ip.IpLayer()
    for fields in ({}, {"source": "10.9.9.9"}, {"target": "10.9.9.9"}, {"protocol": packets.UDP}):
        assert feed_all(layer, packets.fragments4(PAYLOAD, 504, **fields)[:1]) == [None]
    assert feed_all(layer, packets.fragments4(PAYLOAD, 504)[1:]) == [PAYLOAD]
    assert lost(layer) == 3


def test_an_identification_may_be_used_again(ip, fragments):
    layer = ip.IpLayer()
    other = PAYLOAD[::-1]
    assert feed_all(layer, fragments(PAYLOAD, 504) + fragments(other, 504)) == [None, PAYLOAD, None, other]
    assert lost(layer) == 0


def test_of_bytes_that_overlap_the_first_copy_counts(ip):
    layer = ip.IpLayer()
    pieces = [
        packets.ipv4(b"B" * 16, offset=8, more=True),
        packets.ipv4(b"A" * 24, offset=0, more=True),
        packets.ipv4(b"C" * 24, offset=16, more=True),
        packets.ipv4(b"D" * 5, offset=40),
    ]
    assert feed_all(layer, pieces)[-1] == b"A" * 8 + b"B" * 16 + b"C" * 16 + b"D" * 5


def test_the_first_of_two_last_fragments_tells_the_length(ip):
    layer = ip.IpLayer()
    pieces = [
        packets.ipv4(b"B" * 3, offset=8),
        packets.ipv4(b"C" * 5, offset=16),
        packets.ipv4(b"A" * 8, offset=0, more=True),
    ]
    assert feed_all(layer, pieces) == [None, None, b"AAAAAAAABBB"]


def test_fragments_that_never_come_are_counted(ip, fragments):
    layer = ip.IpLayer()
    for at in range(3):
        assert set(feed_all(layer, fragments(PAYLOAD, 104, identification=at)[1:])) == {None}
    assert lost(layer) == 3


def test_fragments_that_the_snap_length_cut_are_counted_as_lost(ip, fragments):
    layer = ip.IpLayer()
    assert feed_all(layer, [piece[:-1] for piece in fragments(PAYLOAD, 504)]) == [None, None]
    assert lost(layer) == 1


def test_an_atomic_fragment_that_the_snap_length_cut_is_kept(ip):
    packet = packets.ipv6(PAYLOAD, extensions=EXTENSIONS["atomic fragment"])
    datagram = read(ip, packet[:-10])
    assert payload(datagram) == PAYLOAD[:-10]
    assert datagram.missing == 10


def test_extension_headers_within_a_fragmented_datagram_are_followed(ip):
    inner = bytes([packets.TCP]) + packets.extension(units=1) + PAYLOAD
    layer = ip.IpLayer()
    pieces = packets.fragments6(inner, 504, protocol=packets.DESTINATION)
    found = [feed(layer, piece) for piece in pieces][-1]
    assert found.protocol == packets.TCP
    assert payload(found) == PAYLOAD


def test_a_datagram_longer_than_any_can_be_is_not_put_together(ip):
    layer = ip.IpLayer()
    pieces = [packets.ipv4(bytes(65_000), more=True), packets.ipv4(bytes(1_000), offset=65_000)]
    assert feed_all(layer, pieces) == [None, None]


def test_the_number_of_datagrams_in_pieces_is_bounded(ip):
    layer = ip.IpLayer()
    count = limits.MAX_FRAGMENTED + 5
    pieces = [packets.fragments4(PAYLOAD, 504, identification=at) for at in range(count)]
    assert set(feed_all(layer, [first for first, _ in pieces])) == {None}
    assert layer.lost_fragments == 5
    assert feed_all(layer, [last for _, last in pieces[5:]]) == [PAYLOAD] * limits.MAX_FRAGMENTED
    assert lost(layer) == 5


@pytest.mark.parametrize("overlap", [8, 4_000], ids=["8-bytes", "overlapping"])
def test_a_datagram_in_the_smallest_fragments_takes_linear_time(ip, overlap):
    layer = ip.IpLayer()
    start = time.process_time()
    for datagram in range(3):
        feed(layer, packets.ipv4(bytes(8), identification=datagram, offset=65_504))
        for offset in range(8, 61_000, 8):
            feed(layer, packets.ipv4(bytes(overlap), identification=datagram, offset=offset, more=True))
    assert time.process_time() - start < 15  # sorting all pieces at every fragment would take minutes
    assert lost(layer) == 3


@given(st.binary(max_size=120), st.sampled_from((IPV4, IPV6)), st.integers(0, 20))
def test_any_bytes_give_payload_within_them_or_nothing(ip, data, ethertype, at):
    version = bytes([(0x45 if ethertype == IPV4 else 0x60)])
    for packet in (data, data[:at] + version + data[at + 1 :]):
        datagram = ip.IpLayer().feed(ethertype, packet, at)
        if datagram is not None:
            assert 0 <= datagram.start <= datagram.end <= len(datagram.data)
            assert datagram.missing >= 0


@given(st.binary(min_size=1, max_size=300), st.integers(1, 10), st.randoms(use_true_random=False))
def test_fragments_cut_anyhow_are_put_together(ip, data, units, chance):
    pieces = packets.fragments4(data, units * 8) + packets.fragments4(data, 24) + packets.fragments4(data, 8)
    chance.shuffle(pieces)
    assert data in feed_all(ip.IpLayer(), pieces)
