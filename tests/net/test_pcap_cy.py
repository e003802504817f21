"""Classic capture files: what they say, in every variant, and what is left of damaged ones."""

from __future__ import annotations

import random

import kernels
import packets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import Pcap

from inspector import limits
from inspector.model.packet import Packet
from inspector.model.problem import Problem

pcap = kernels.fixture("inspector.net.pcap_cy")

ORDERS = ("<", ">")
VARIANTS = tuple(packets.PCAP_MAGICS)


def read(pcap, *pieces):
    return packets.feed_all(pcap.PcapParser(), pieces)


def data(events):
    return [event.data for event in events if isinstance(event, Packet)]


def problems(events):
    return [(event.code, event.offset) for event in events if isinstance(event, Problem)]


def payloads(count, size=60):
    """Distinct packets in which nothing looks like a record."""
    return [bytes([0x80 | at & 0x7F]) * size for at in range(count)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("variant", "nanoseconds"), [("micro", 1_000), ("nano", 1), ("1999", 1_000)])
def test_reads_every_variant_in_both_byte_orders(pcap, order, variant, nanoseconds):
    file = Pcap(order, variant)
    record = file.record(b"abc", seconds=0xFFFFFFFF, fraction=999_999, original=90)
    events = read(pcap, file.header() + record + file.record(b"defg", seconds=0xFFFFFFFF))
    time = 0xFFFFFFFF * 1_000_000_000
    assert events == [
        Packet(1, time + 999_999 * nanoseconds, packets.ETHERNET, b"abc", 90),
        Packet(2, time, packets.ETHERNET, b"defg", 4),
    ]


def test_knows_all_magic_numbers_that_it_claims(pcap):
    built = {Pcap(order, variant).header()[:4] for order in ORDERS for variant in VARIANTS}
    assert set(pcap.MAGICS) == built


def test_the_link_type_is_without_the_bits_above_it(pcap):
    file = Pcap(link_type=0xF400_0071)  # 4 bytes of frame check sequence follow each packet
    assert [event.link_type for event in read(pcap, file.header() + file.record(b"abc"))] == [packets.SLL]


def test_a_packet_of_the_greatest_length_is_read(pcap):
    file = Pcap()
    packet = bytes(limits.MAX_PACKET)
    assert data(read(pcap, file.header(), file.record(packet))) == [packet]


def test_a_file_without_packets_has_no_events(pcap):
    assert read(pcap, Pcap().header()) == []


def test_packets_come_as_soon_as_they_are_whole(pcap):
    parser = pcap.PcapParser()
    file = Pcap()
    record = file.record(b"abcd")
    assert parser.feed(file.header() + record[:-1]) == []
    assert data(parser.feed(record[-1:] + record[:5])) == [b"abcd"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_file_cut_at_any_byte_keeps_the_packets_before_the_cut(pcap, order, variant):
    file = Pcap(order, variant)
    whole = file.file(payloads(3, 30))
    record = len(file.record(bytes(30)))
    for end in range(len(whole)):
        events = read(pcap, whole[:end])
        there, over = divmod(end - 24, record) if end >= 24 else (0, 1)
        assert data(events)[:there] == payloads(3, 30)[:there]
        assert [code for code, _ in problems(events)] == (["capture_truncated"] if over else [])


def test_of_a_packet_that_is_cut_off_the_beginning_is_kept(pcap):
    whole = Pcap().file(payloads(2))
    events = read(pcap, whole[:-10])
    assert data(events) == [payloads(2)[0], payloads(2)[1][:-10]]
    assert events[1].original_length == 60
    assert events[2].packet == 2
    assert events[2].offset == 24 + 16 + 60


@pytest.mark.parametrize("length", [limits.MAX_PACKET + 1, 0xFFFFFFFF, limits.MAX_PACKET - 1, 1_000_000, 77, 13])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_damaged_length_costs_no_packet_but_its_own(pcap, length, variant):
    file = Pcap(variant=variant)
    before, after = payloads(2), payloads(9)[4:]
    head = file.header() + b"".join(map(file.record, before))
    damaged = file.record(b"\xee" * 60, captured=length)
    events = read(pcap, head + damaged + b"".join(map(file.record, after)))
    assert data(events)[:2] == before
    assert data(events)[-5:] == after
    code, offset = problems(events)[0]
    assert code == "capture_damaged"
    assert len(head) <= offset <= len(head + damaged)


@pytest.mark.parametrize(
    "garbage",
    [
        bytes(16),
        bytes(1),
        bytes(7),
        bytes(1000),
        b"\xff" * 33,
        b"GET / HTTP/1.1\r\n" * 3,
        random.Random(1).randbytes(5_000),
        b"\x01\0\0\0" * 20,
        bytes(300_000),
    ],
    ids=lambda garbage: f"{len(garbage)}-{garbage[:4].hex()}",
)
@pytest.mark.parametrize("order", ORDERS)
def test_garbage_between_packets_costs_none_of_them(pcap, garbage, order):
    file = Pcap(order)
    before, after = payloads(3), payloads(8)[3:]
    head = file.header() + b"".join(map(file.record, before))
    events = read(pcap, head + garbage + b"".join(map(file.record, after)))
    assert data(events)[:3] == before
    assert data(events)[-5:] == after
    found = problems(events)
    assert {code for code, _ in found} == {"capture_damaged"}
    assert all(len(head) <= offset <= len(head + garbage) for _, offset in found)


def test_the_last_packet_is_found_after_garbage(pcap):
    file = Pcap()
    first, last = payloads(2)
    events = read(pcap, file.header() + file.record(first) + b"\xff" * 50 + file.record(last))
    assert data(events) == [first, last]


def test_packets_after_a_false_start_at_the_end_of_the_file_are_found(pcap):
    """What looks like the header of a packet beyond the end must not hide those after it."""
    file = Pcap()
    false = file.record(b"", captured=200_000, original=200_000)
    events = read(pcap, file.file(payloads(1)) + b"\xff" * 40 + false + b"".join(map(file.record, payloads(3))))
    assert data(events) == payloads(1) + payloads(3)


def test_a_file_that_ends_in_garbage_keeps_its_packets(pcap):
    events = read(pcap, Pcap().file(payloads(3)) + b"\xff" * 500)
    assert data(events) == payloads(3)
    assert [code for code, _ in problems(events)] == ["capture_damaged", "capture_truncated"]


@pytest.mark.parametrize(
    "odd",
    [
        {"seconds": 5},
        {"seconds": 0xFFFFFFFF},
        {"fraction": 1_500_000},
        {"original": 59},
        {"original": 2**31},
    ],
    ids=str,
)
def test_an_odd_record_is_believed_where_good_ones_follow(pcap, odd):
    file = Pcap()
    first, second, third = payloads(3)
    events = read(pcap, file.header() + file.record(first) + file.record(second, **odd) + file.record(third))
    assert data(events) == [first, second, third]
    assert problems(events) == []


def test_a_clock_that_was_set_costs_no_packet(pcap):
    file = Pcap()
    times = [10, 11, 12, 1_700_000_000, 1_700_000_001]
    records = [file.record(packet, seconds=time) for packet, time in zip(payloads(5), times, strict=True)]
    events = read(pcap, file.header() + b"".join(records))
    assert [event.time // 1_000_000_000 for event in events] == times


def test_an_empty_packet_of_which_nothing_was_captured_is_a_packet(pcap):
    file = Pcap()
    empty = file.record(b"", original=60)
    events = read(pcap, file.header() + file.record(b"a") + empty + empty + file.record(b"b"))
    assert [(event.data, event.original_length) for event in events if isinstance(event, Packet)] == [
        (b"a", 1), (b"", 60), (b"", 60), (b"b", 1)
    ]  # fmt: skip


def damaged_file(order, variant, seed):
    """A file with a handful of packets, some bytes overwritten, removed and inserted."""
    chance = random.Random(seed)
    file = Pcap(order, variant)
    whole = bytearray(file.file([chance.randbytes(chance.randrange(1, 80)) for _ in range(8)]))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(24, len(whole))
        kind = chance.randrange(3)
        junk = chance.choice([chance.randbytes(20), bytes(20), b"\0\0\x01\0" * 5])[: chance.randrange(1, 20)]
        whole[at : at + (0, len(junk), chance.randrange(30))[kind]] = (junk, junk, b"")[kind]
    return bytes(whole)


@given(st.sampled_from(ORDERS), st.sampled_from(VARIANTS), st.integers(0, 10_000), st.lists(st.integers(0, 10_000)))
def test_the_same_events_whole_and_in_pieces(pcap, order, variant, seed, places):
    whole = damaged_file(order, variant, seed)
    assert read(pcap, *packets.cut(whole, places)) == read(pcap, whole)


@pytest.mark.parametrize("seed", range(40))
def test_the_same_events_byte_by_byte(pcap, seed):
    whole = damaged_file("<>"[seed % 2], VARIANTS[seed % 3], seed)
    assert read(pcap, *(bytes([byte]) for byte in whole)) == read(pcap, whole)


@given(st.sampled_from(ORDERS), st.sampled_from(VARIANTS), st.binary(max_size=400))
def test_any_bytes_after_the_header_are_read_without_an_exception(pcap, order, variant, junk):
    events = read(pcap, Pcap(order, variant).header() + junk)
    assert all(event.offset <= 24 + len(junk) for event in events if isinstance(event, Problem))
    assert sum(len(packet) for packet in data(events)) <= len(junk)


def test_both_variants_of_the_parser_agree():
    parsers = [kernels.load("inspector.net.pcap_cy", variant) for variant in kernels.variants("inspector.net.pcap_cy")]
    for seed in range(100):
        whole = damaged_file("<>"[seed % 2], VARIANTS[seed % 3], seed)
        first, *others = [read(parser, whole) for parser in parsers]
        assert first
        assert all(events == first for events in others)
