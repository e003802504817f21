"""Next-generation capture files: sections, interfaces and blocks of all kinds, and what is left of damaged ones."""

from __future__ import annotations

import random
import struct

import kernels
import packets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import ETHERNET, RAW, Pcapng

from inspector import limits
from inspector.model.packet import Packet
from inspector.model.problem import Problem

pcapng = kernels.fixture("inspector.net.pcapng_cy")

ORDERS = ("<", ">")
SECOND = 1_000_000_000


def read(pcapng, *pieces):
    return packets.feed_all(pcapng.PcapngParser(), pieces)


def data(events):
    return [event.data for event in events if isinstance(event, Packet)]


def times(events):
    return [event.time for event in events if isinstance(event, Packet)]


def problems(events):
    return [(event.code, event.offset) for event in events if isinstance(event, Problem)]


def payloads(count, size=60):
    """Distinct packets in which nothing looks like a block."""
    return [bytes([0x80 | at & 0x7F]) * size for at in range(count)]


@pytest.mark.parametrize("order", ORDERS)
def test_reads_enhanced_packets(pcapng, order):
    file = Pcapng(order)
    events = read(
        pcapng,
        file.section() + file.interface(),
        file.packet(b"abc", ticks=1_700_000_000_123_456, original=90),
        file.packet(b"defg", ticks=1, options=file.option(2, b"\x01\0\0\0") + file.option(0, b"")),
    )
    assert events == [
        Packet(1, 1_700_000_000_123_456_000, ETHERNET, b"abc", 90),
        Packet(2, 1_000, ETHERNET, b"defg", 4),
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_reads_simple_packets_which_have_no_time(pcapng, order):
    file = Pcapng(order)
    head = file.section() + file.interface(RAW, snap_length=5)
    events = read(pcapng, head + file.simple_packet(b"abc") + file.simple_packet(b"defgh", original=70))
    assert events == [Packet(1, None, RAW, b"abc", 3), Packet(2, None, RAW, b"defgh", 70)]


@pytest.mark.parametrize("order", ORDERS)
def test_reads_packets_of_the_obsolete_kind(pcapng, order):
    file = Pcapng(order)
    head = file.section() + file.interface() + file.interface(RAW)
    events = read(pcapng, head + file.old_packet(b"abcde", ticks=2**33 + 7, interface=1))
    assert events == [Packet(1, (2**33 + 7) * 1_000, RAW, b"abcde", 5)]


@pytest.mark.parametrize("orders", [("<", ">"), (">", "<"), ("<", "<"), (">", ">", "<", ">")])
def test_sections_have_their_own_byte_order_and_interfaces(pcapng, orders):
    kinds = [ETHERNET, RAW, packets.SLL, packets.NULL]
    sections = [
        file.section() + file.interface(kind) + file.packet(bytes([at]))
        for at, (file, kind) in enumerate(zip(map(Pcapng, orders), kinds, strict=False))
    ]
    events = read(pcapng, *sections)
    assert [(event.number, event.link_type, event.data) for event in events] == [
        (at + 1, kinds[at], bytes([at])) for at in range(len(orders))
    ]


def test_a_new_section_forgets_the_interfaces_of_the_one_before(pcapng):
    file = Pcapng()
    events = read(pcapng, file.section() + file.interface() + file.section() + file.packet(b"abc"))
    assert data(events) == []
    assert [code for code, _ in problems(events)] == ["capture_damaged"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("resolution", "ticks", "time"),
    [
        (None, 1_500_000, 1_500_000_000),
        (6, 1_500_000, 1_500_000_000),
        (9, 1_500_000_000, 1_500_000_000),
        (0, 3, 3_000_000_000),
        (3, 1_500, 1_500_000_000),
        (12, 1_500_000_000_000, 1_500_000_000),
        (0x80, 3, 3_000_000_000),
        (0x80 | 10, 1_536, 1_500_000_000),
        (0x80 | 32, 3 << 31, 1_500_000_000),
        (0x80 | 127, 2**63, 0),
        (127, 2**63, 0),
    ],
)
def test_time_is_in_the_resolution_of_the_interface(pcapng, order, resolution, ticks, time):
    file = Pcapng(order)
    events = read(pcapng, file.section() + file.interface(resolution=resolution) + file.packet(b"x", ticks=ticks))
    assert times(events) == [time]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("resolution", [6, 9, 0x80 | 10])
def test_the_time_offset_of_the_interface_is_added(pcapng, order, resolution):
    file = Pcapng(order)
    interfaces = [file.interface(resolution=resolution, offset=offset) for offset in (1_000, -5)]
    packets_of_both = [file.packet(b"x", interface=number) for number in (0, 1)]
    assert times(read(pcapng, file.section(), *interfaces, *packets_of_both)) == [1_000 * SECOND, -5 * SECOND]


def test_each_packet_has_the_link_type_and_time_of_its_interface(pcapng):
    file = Pcapng()
    kinds = [(ETHERNET, 6), (RAW, 9), (packets.SLL2, 3)]
    head = file.section() + b"".join(file.interface(kind, resolution=resolution) for kind, resolution in kinds)
    order = [2, 0, 1, 1, 2, 0]
    events = read(pcapng, head + b"".join(file.packet(b"x", ticks=7, interface=number) for number in order))
    assert [event.link_type for event in events] == [kinds[number][0] for number in order]
    assert times(events) == [7 * 10 ** (9 - kinds[number][1]) for number in order]


@pytest.mark.parametrize("resolution", [6, 9])
@pytest.mark.parametrize(
    "high", [(1 << 20) - 1, 1 << 20, (1 << 21) - 1, (1 << 30) - 1, 1 << 30, (1 << 31) - 1, 1 << 31, 2**32 - 1]
)
def test_times_of_far_centuries_do_not_overflow(pcapng, high, resolution):
    file = Pcapng()
    ticks = high << 32 | 0xFFFFFFFF
    events = read(pcapng, file.section() + file.interface(resolution=resolution) + file.packet(b"x", ticks=ticks))
    assert times(events) == [ticks * 10 ** (9 - resolution)]


OTHER_BLOCKS = {
    "name resolution": (4, struct.pack("<HH4s8s", 1, 12, b"\x0a\0\0\x01", b"host\0\0\0\0") + bytes(4)),
    "statistics": (5, bytes(12)),
    "journal": (9, b"__REALTIME_TIMESTAMP=1\n\0"),
    "decryption secrets": (10, struct.pack("<II", 0x544C534B, 8) + b"CLIENT_R"),
    "damaged secrets": (10, b"\xff" * 40),
    "custom": (0x0BAD, b"\0\0\x7e\xd9custom--"),
    "custom, not to copy": (0x40000BAD, b"\0\0\x7e\xd9"),
    "unknown": (0x12345678, b"\x06\0\0\0" * 5),
    "local": (0x80000001, b""),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", OTHER_BLOCKS)
def test_other_blocks_are_passed_over(pcapng, order, kind):
    file = Pcapng(order)
    other = file.block(*OTHER_BLOCKS[kind])
    first, second = file.packet(b"abc"), file.packet(b"def")
    events = read(pcapng, file.section() + other + file.interface() + other + first + other + second + other)
    assert data(events) == [b"abc", b"def"]
    assert problems(events) == []


def test_packets_come_as_soon_as_their_block_is_whole(pcapng):
    parser = pcapng.PcapngParser()
    file = Pcapng()
    block = file.packet(b"abcd")
    assert parser.feed(file.section() + file.interface() + block[:-1]) == []
    assert data(parser.feed(block[-1:] + block[:5])) == [b"abcd"]


# --- damage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["packet", "simple_packet", "old_packet"])
def test_a_file_cut_at_any_byte_keeps_the_packets_before_the_cut(pcapng, order, kind):
    file = Pcapng(order)
    blocks = [file.section(), file.interface(), *(getattr(file, kind)(packet) for packet in payloads(3, 30))]
    whole = b"".join(blocks)
    borders = [sum(map(len, blocks[:count])) for count in range(len(blocks) + 1)]
    for end in range(len(whole)):
        events = read(pcapng, whole[:end])
        there = max(0, sum(border <= end for border in borders) - 3)
        assert data(events)[:there] == payloads(3, 30)[:there]
        assert [code for code, _ in problems(events)] == ([] if end in borders else ["capture_truncated"])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("kind", "header"), [("packet", 28), ("simple_packet", 12), ("old_packet", 28)])
def test_of_a_packet_that_is_cut_off_the_beginning_is_kept(pcapng, order, kind, header):
    file = Pcapng(order)
    head = file.section() + file.interface()
    events = read(pcapng, head + getattr(file, kind)(payloads(1)[0])[: header + 25])
    assert data(events) == [payloads(1)[0][:25]]
    assert problems(events) == [("capture_truncated", len(head))]


@pytest.mark.parametrize("length", [0, 4, 8, 11, 12, 16, 35, 36, 1_000, 2**26, 2**26 + 4, 2**31, 2**32 - 4, 2**32 - 1])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("both", [True, False], ids=["twice", "not-at-the-end"])
def test_a_damaged_length_costs_no_packet_but_its_own(pcapng, length, order, both):
    file = Pcapng(order)
    head = file.section() + file.interface() + file.packet(b"before")
    body = struct.pack(order + "IIIII", 0, 0, 0, 60, 60) + b"\xee" * 60
    damaged = file.block(6, body, length=length, trailer=length if both else len(body) + 12)
    events = read(pcapng, head + damaged + file.packet(b"after 1") + file.packet(b"after 2"))
    assert data(events)[0] == b"before"
    assert data(events)[-2:] == [b"after 1", b"after 2"]
    assert problems(events)[0] == ("capture_damaged", len(head))


def test_a_damaged_length_at_the_end_costs_no_packet_but_its_own(pcapng):
    file = Pcapng()
    head = file.section() + file.interface() + file.packet(b"before")
    events = read(pcapng, head + file.packet(b"ends short")[:-4] + bytes(4) + file.packet(b"after"))
    assert data(events) == [b"before", b"after"]
    assert problems(events) == [("capture_damaged", len(head))]


@pytest.mark.parametrize(
    "garbage",
    [
        bytes(1),
        bytes(4),
        bytes(1000),
        b"\xff" * 33,
        b"\x06\0\0\0" * 40,
        b"\x0a\x0d\x0d\x0a" * 9,
        b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1b" + bytes(9),
        b"\x0a\x0d\x0d\x0a\x1d\0\0\0\x1a\x2b\x3c\x4d",
        b"HTTP/1.1 200 OK\r\n\r\n",
        random.Random(1).randbytes(5_000),
    ],
    ids=lambda garbage: f"{len(garbage)}-{garbage[:9].hex()}",
)
def test_garbage_between_blocks_costs_none_of_them(pcapng, garbage):
    file = Pcapng()
    head = file.section() + file.interface() + file.packet(b"before")
    tail = file.section() + file.interface() + file.packet(b"after") + file.packet(b"more")
    events = read(pcapng, head + garbage + tail)
    assert data(events) == [b"before", b"after", b"more"]
    found = problems(events)
    assert found
    assert all(code == "capture_damaged" and len(head) <= at < len(head + garbage) for code, at in found)


@pytest.mark.parametrize("order", ORDERS)
def test_garbage_within_a_section_costs_no_packet(pcapng, order):
    file = Pcapng(order)
    head = file.section() + file.interface() + file.packet(b"before")
    events = read(pcapng, head + b"\xff" * 7 + file.packet(b"after"))
    assert data(events) == [b"before", b"after"]


def test_blocks_after_a_false_start_at_the_end_of_the_file_are_found(pcapng):
    """What looks like the header of a block beyond the end must not hide those after it."""
    file = Pcapng()
    head = file.section() + file.interface() + file.packet(b"before")
    events = read(pcapng, head + b"\xff" * 8 + struct.pack("<II", 6, 200_000) + file.packet(b"after"))
    assert data(events) == [b"before", b"after"]


def test_a_packet_longer_than_its_block_is_kept_as_far_as_it_goes(pcapng):
    file = Pcapng()
    head = file.section() + file.interface()
    for packet in (file.packet(b"abcd", captured=2**32 - 1), file.old_packet(b"abcd", captured=9)):
        events = read(pcapng, head + packet + file.packet(b"next"))
        assert data(events) == [b"abcd", b"next"]
        assert problems(events) == [("capture_damaged", len(head))]


@pytest.mark.parametrize("kind", [1, 2, 3, 6])
def test_a_block_too_short_for_its_type_is_reported(pcapng, kind):
    file = Pcapng()
    head = file.section() + file.interface()
    events = read(pcapng, head + file.block(kind, b"") + file.packet(b"next"))
    assert data(events) == [b"next"]
    assert problems(events) == [("capture_damaged", len(head))]


def test_a_damaged_interface_leaves_the_others_their_numbers(pcapng):
    file = Pcapng()
    interfaces = file.interface(ETHERNET) + file.block(1, b"\x01\0") + file.interface(RAW)
    events = read(pcapng, file.section() + interfaces + b"".join(file.packet(b"x", interface=at) for at in (0, 2)))
    assert [event.link_type for event in events if isinstance(event, Packet)] == [ETHERNET, RAW]


def test_a_packet_of_an_unknown_interface_is_reported_and_counted(pcapng):
    file = Pcapng()
    head = file.section() + file.interface()
    events = read(pcapng, head + file.packet(b"lost", interface=2**32 - 1) + file.packet(b"next"))
    assert events[0] == Problem(
        "capture_damaged", "a packet of interface 4294967295, which is not described", 1, len(head)
    )
    assert [event.number for event in events[1:]] == [2]


@pytest.mark.parametrize(
    "options",
    [
        b"\x09\0\xff\xff\x09",
        b"\x09\0\x00\0\x0e\0\x04\0\x01\x02\x03\x04",
        b"\x0e\0\x09\0" + bytes(12),
        b"\xff" * 12,
        b"\0\0\0\0\x09\0\x01\0\x03\0\0\0",
        b"\0\0\xff\xff",
    ],
    ids=bytes.hex,
)
def test_damaged_options_of_an_interface_are_passed_over(pcapng, options):
    file = Pcapng()
    events = read(pcapng, file.section() + file.interface(options=options) + file.packet(b"x", ticks=5))
    assert events == [Packet(1, 5_000, ETHERNET, b"x", 1)]


def test_the_number_of_interfaces_is_bounded(pcapng, monkeypatch):
    monkeypatch.setattr(limits, "MAX_INTERFACES", 3)
    file = Pcapng()
    events = read(pcapng, file.section() + file.interface() * 5 + file.packet(b"a", interface=2))
    assert data(events) == [b"a"]
    assert [event.message for event in events if isinstance(event, Problem)] == ["more than 3 interfaces"] * 2


# --- properties --------------------------------------------------------------------------------------------------


def damaged_file(seed):
    """Blocks of all kinds in one or two sections, some bytes overwritten, removed and inserted."""
    chance = random.Random(seed)
    whole = bytearray()
    for _ in range(chance.randrange(1, 3)):
        file = Pcapng(chance.choice(ORDERS))
        whole += file.section() + file.interface(resolution=chance.choice([None, 9, 0x8A])) + file.interface(RAW)
        for _ in range(6):
            content = chance.randbytes(chance.randrange(40))
            whole += chance.choice(
                [
                    file.packet(content, ticks=chance.getrandbits(64), interface=chance.randrange(3)),
                    file.packet(content),
                    file.simple_packet(content),
                    file.old_packet(content),
                    file.block(chance.randrange(12), content),
                ]
            )
    for _ in range(chance.randrange(4)):
        at = chance.randrange(16, len(whole))
        kind = chance.randrange(3)
        junk = chance.choice([chance.randbytes(20), bytes(20), b"\x06\0\0\0\x40\0\0\0" * 3])[: chance.randrange(1, 20)]
        whole[at : at + (0, len(junk), chance.randrange(30))[kind]] = (junk, junk, b"")[kind]
    return bytes(whole)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 10_000)))
def test_the_same_events_whole_and_in_pieces(pcapng, seed, places):
    whole = damaged_file(seed)
    assert read(pcapng, *packets.cut(whole, places)) == read(pcapng, whole)


@pytest.mark.parametrize("seed", range(40))
def test_the_same_events_byte_by_byte(pcapng, seed):
    whole = damaged_file(seed)
    assert read(pcapng, *(bytes([byte]) for byte in whole)) == read(pcapng, whole)


@given(st.binary(max_size=400), st.sampled_from(ORDERS))
def test_any_bytes_after_the_section_header_are_read_without_an_exception(pcapng, junk, order):
    head = Pcapng(order).section() + Pcapng(order).interface()
    events = read(pcapng, head + junk)
    assert sum(map(len, data(events))) <= len(junk)
    assert all(event.offset <= len(head + junk) for event in events if isinstance(event, Problem))


@given(st.integers(0, 2**32))
def test_both_variants_of_the_parser_agree(seed):
    name = "inspector.net.pcapng_cy"
    whole = damaged_file(seed)
    first, *others = [read(kernels.load(name, variant), whole) for variant in kernels.variants(name)]
    assert all(events == first for events in others)
    assert first or not data(first)
