"""HPACK (RFC 7541). The oracles: the examples of the RFC, the stories of hpack-test-case, and the `hpack` package."""

from __future__ import annotations

import json
from pathlib import Path

import hpack as oracle
import kernels
import pytest
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import DecodeError
from inspector.limits import MAX_HEADER_LIST, MAX_HPACK_TABLE

NAME = "inspector.net.hpack_cy"
hpack = kernels.fixture(NAME)


def damage(decoder, block):
    """What is wrong with a block: the code."""
    with pytest.raises(DecodeError) as caught:
        decoder.decode(bytes.fromhex(block) if isinstance(block, str) else block)
    return caught.value.code


def literal(name, value, kind=0x40):
    """A literal with a new name, indexed unless `kind` says otherwise; both shorter than 127 octets."""
    return bytes([kind, len(name)]) + name + bytes([len(value)]) + value


def number(value, mask, pattern):
    if value < mask:
        return bytes([pattern | value])
    octets = [pattern | mask]
    value -= mask
    while value > 127:
        octets.append(128 | value & 127)
        value >>= 7
    return bytes([*octets, value])


def resize(size):
    return number(size, 31, 0x20)


def indexed(position):
    """A reference to the dynamic table; position 0 is the newest entry."""
    return number(62 + position, 127, 0x80)


# --- the examples of RFC 7541, Appendix C ------------------------------------------------------------------------

REQUESTS = [
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")],
    [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
        ("cache-control", "no-cache"),
    ],
    [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ],
]
RESPONSES = [
    [
        (":status", "302"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    [
        (":status", "307"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    [
        (":status", "200"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
        ("location", "https://www.example.com"),
        ("content-encoding", "gzip"),
        ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ],
]
C3 = [
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
]
C4 = [
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
]
# The examples C.5 and C.6 take a table of 256 octets for agreed; here an update says so.
C5 = [
    "3fe101 4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
    "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
    "4803333037c1c0bf",
    "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a"
    "584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
]
C6 = [
    "3fe101 488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff"
    "6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    "4883640effc1c0bf",
    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f36"
    "72c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
]


@pytest.mark.parametrize(
    ("block", "field"),
    [
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", ("custom-key", "custom-header")),
        ("040c2f73616d706c652f70617468", (":path", "/sample/path")),
        ("100870617373776f726406736563726574", ("password", "secret")),
        ("82", (":method", "GET")),
    ],
    ids=["C.2.1", "C.2.2", "C.2.3", "C.2.4"],
)
def test_single_fields_of_the_rfc(hpack, block, field):
    assert hpack.HpackDecoder().decode(bytes.fromhex(block)) == [field]


@pytest.mark.parametrize(
    ("blocks", "lists"),
    [(C3, REQUESTS), (C4, REQUESTS), (C5, RESPONSES), (C6, RESPONSES)],
    ids=["C.3", "C.4", "C.5", "C.6"],
)
def test_sequences_of_the_rfc(hpack, blocks, lists):
    decoder = hpack.HpackDecoder()
    assert [decoder.decode(bytes.fromhex(block)) for block in blocks] == lists


def test_the_table_of_the_rfc_holds_three_entries_after_c_5_3(hpack):
    decoder = hpack.HpackDecoder()
    for block in C5:
        decoder.decode(bytes.fromhex(block))
    assert [name for name, _ in decoder.decode(indexed(0) + indexed(1) + indexed(2))] == [
        "set-cookie",
        "content-encoding",
        "date",
    ]
    assert damage(decoder, indexed(3)) == "hpack_index"


@pytest.mark.parametrize(("block", "value"), [("2a", 10), ("3f9a0a", 1337)], ids=["C.1.1", "C.1.2"])
def test_integers_of_the_rfc(hpack, block, value):
    decoder = hpack.HpackDecoder()
    decoder.limit_table(value)
    assert decoder.decode(bytes.fromhex(block)) == []
    decoder.limit_table(value - 1)
    assert damage(decoder, block) == "hpack_table_size"


# --- the stories of hpack-test-case ------------------------------------------------------------------------------

FOLDERS = [kernels.ROOT / "tests" / "vectors" / "hpack", kernels.ROOT.parent / "shared" / "vectors" / "hpack"]


def stories():
    paths = next((found for folder in FOLDERS if (found := sorted(folder.glob("*/story_*.json")))), [])
    absent = pytest.mark.skip(reason=f"no stories of hpack-test-case in {' or '.join(map(str, FOLDERS))}")
    return [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in paths] or [
        pytest.param(Path(), marks=absent)
    ]


@pytest.mark.parametrize("story", stories())
def test_stories(hpack, story):
    decoder = hpack.HpackDecoder()
    for case in json.loads(story.read_text())["cases"]:
        if case.get("header_table_size") is not None:
            decoder.limit_table(case["header_table_size"])
        expected = [item for header in case["headers"] for item in header.items()]
        assert decoder.decode(bytes.fromhex(case["wire"])) == expected, case["seqno"]
        assert decoder.unknown == 0


# --- properties, with the encoder of the `hpack` package as the oracle --------------------------------------------

NAMES = st.sampled_from([":path", ":status", "te", "x-a", "x-b", "x-é", "grpc-timeout"]) | st.text(max_size=6)
VALUES = st.sampled_from(["", "a", "trailers", "200", "é\x7f", "v" * 200, "w" * 1300, "x" * 4100]) | st.text(
    max_size=40
)
FIELDS = st.tuples(NAMES, VALUES, st.booleans())  # the third: sensitive, never to be indexed
SIZES = st.sampled_from([0, 33, 100, 300, 1365, 4096, 9000, 65536])
BLOCKS = st.lists(
    st.tuples(st.lists(SIZES, max_size=2), st.booleans(), st.lists(FIELDS, max_size=6)), min_size=1, max_size=8
)


def encoded(blocks):
    """Pairs of a block and its fields. The encoder changes its table size where the blocks say so."""
    encoder = oracle.Encoder()
    for sizes, huffman, fields in blocks:
        for size in sizes:
            if size != encoder.header_table_size:  # hpack 4.2 loses a change where the same size is set once more
                encoder.header_table_size = size
        yield encoder.encode(fields, huffman=huffman), [(octets(name), octets(value)) for name, value, _ in fields]


def octets(text):
    """What the encoder sends (UTF-8), with a character for each octet."""
    return text.encode().decode("latin-1")


def decoder_of(hpack, **options):
    decoder = hpack.HpackDecoder(**options)
    decoder.limit_table(65536)
    return decoder


def assert_never_wrong(decoder, block, truth):
    fields = decoder.decode(block)
    assert len(fields) == len(truth)
    for (name, value), (true_name, true_value) in zip(fields, truth, strict=True):
        assert name in (None, true_name)
        assert value == true_value or (name, value) == (None, None)
    assert decoder.unknown == sum(name is None for name, _ in fields)


@given(blocks=BLOCKS)
def test_decodes_what_was_encoded(hpack, blocks):
    decoder = decoder_of(hpack)
    for block, truth in encoded(blocks):
        assert decoder.decode(block) == truth
        assert (decoder.unknown, decoder.truncated) == (0, False)


@given(blocks=BLOCKS, start=st.integers(0, 7))
def test_a_late_start_leaves_gaps_but_is_never_wrong(hpack, blocks, start):
    decoder = decoder_of(hpack, from_start=False)
    for block, truth in list(encoded(blocks))[start:]:
        assert_never_wrong(decoder, block, truth)


@given(blocks=BLOCKS, lost=st.tuples(st.integers(0, 7), st.integers(0, 7)))
def test_lost_blocks_leave_gaps_but_are_never_wrong(hpack, blocks, lost):
    decoder = decoder_of(hpack)
    for position, (block, truth) in enumerate(encoded(blocks)):
        if position < min(lost):
            assert decoder.decode(block) == truth
        elif position < max(lost):
            decoder.forget()
        else:
            assert_never_wrong(decoder, block, truth)


@given(blocks=BLOCKS, later=BLOCKS, late=st.booleans())
def test_an_update_to_zero_ends_all_ignorance(hpack, blocks, later, late):
    decoder = decoder_of(hpack, from_start=not late)
    decoder.forget()
    count = len(blocks)
    for position, (block, truth) in enumerate(encoded([*blocks, ([0, 4096], True, []), *later])):
        if position >= count:
            assert decoder.decode(block) == truth


def outcome(decoder, block):
    try:
        result = (decoder.decode(block),)
    except DecodeError as error:
        result = (error.partial, error.offset, error.code, error.message)
    return *result, decoder.unknown, decoder.truncated


MUTATIONS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=3)


@st.composite
def damaged_blocks(draw):
    blocks = [bytearray(block) for block, _ in encoded(draw(BLOCKS))]
    for block in blocks:
        for place, octet in draw(MUTATIONS):
            block[place : place + 1] = [octet]
    return [bytes(block) for block in blocks]


@given(blocks=st.lists(st.binary(max_size=60), max_size=4) | damaged_blocks(), late=st.booleans())
def test_any_bytes_give_fields_or_a_decode_error(hpack, blocks, late):
    decoder = hpack.HpackDecoder(from_start=not late)
    for block in blocks:
        outcome(decoder, block)


@pytest.mark.skipif(len(kernels.variants(NAME)) < 2, reason="the kernel is not compiled")
@given(blocks=st.lists(st.binary(max_size=60), max_size=4) | damaged_blocks(), late=st.booleans())
def test_both_variants_agree(blocks, late):
    first, second = (
        kernels.load(NAME, variant).HpackDecoder(from_start=not late) for variant in kernels.variants(NAME)
    )
    for block in blocks:
        assert outcome(first, block) == outcome(second, block)


# --- a stream whose start is missing -----------------------------------------------------------------------------


def test_an_entry_from_before_the_capture_is_unknown(hpack):
    decoder = hpack.HpackDecoder(from_start=False)
    assert decoder.decode(b"\x83" + indexed(4)) == [(":method", "POST"), (None, None)]
    assert decoder.unknown == 1


def test_a_literal_keeps_its_value_where_its_name_is_unknown(hpack):
    decoder = hpack.HpackDecoder(from_start=False)
    assert decoder.decode(number(64, 63, 0x40) + b"\x01v" + indexed(0)) == [(None, "v"), (None, "v")]
    assert decoder.unknown == 2


def test_entries_added_since_are_known_and_push_the_unknown_ones_on(hpack):
    decoder = hpack.HpackDecoder(from_start=False)
    decoder.decode(literal(b"a", b"1") + literal(b"b", b"2"))
    assert decoder.decode(indexed(0) + indexed(1) + indexed(2)) == [("b", "2"), ("a", "1"), (None, None)]


def test_entries_that_fill_a_known_capacity_end_the_ignorance(hpack):
    decoder = hpack.HpackDecoder(from_start=False)
    decoder.decode(resize(99) + literal(b"a", b"1") + literal(b"b", b"2"))
    assert decoder.decode(indexed(1)) == [("a", "1")]
    assert damage(decoder, indexed(2)) == "hpack_index"


def test_a_capacity_with_room_for_an_older_entry_leaves_it_unknown(hpack):
    decoder = hpack.HpackDecoder(from_start=False)
    decoder.decode(resize(100) + literal(b"a", b"1"))
    assert decoder.decode(indexed(1)) == [(None, None)]


def test_an_entry_larger_than_a_known_capacity_empties_the_table(hpack):
    decoder = hpack.HpackDecoder(from_start=False)
    decoder.decode(resize(50) + literal(b"a", b"1") + literal(b"b", b"2" * 18))
    assert damage(decoder, indexed(0)) == "hpack_index"


def test_an_entry_that_the_encoder_may_not_have_kept_disturbs_no_position(hpack):
    """The capacity is not known: it may be 0 or 4096. Either way these are the entries referred to."""
    decoder = hpack.HpackDecoder(from_start=False)
    decoder.decode(literal(b"big", b"x" * 120) + literal(b"b", b"2"))
    assert decoder.decode(indexed(0)) == [("b", "2")]


def test_the_table_is_forgotten_after_damage(hpack):
    decoder = hpack.HpackDecoder()
    decoder.decode(literal(b"a", b"1"))
    assert damage(decoder, b"\x82\x80") == "hpack_index"
    assert decoder.decode(indexed(0)) == [(None, None)]


def test_damage_carries_the_fields_before_it_and_its_offset(hpack):
    with pytest.raises(hpack.HpackError) as caught:
        hpack.HpackDecoder().decode(b"\x82\x83\x80")
    assert caught.value.partial == [(":method", "GET"), (":method", "POST")]
    assert caught.value.offset == 3


# --- primitives --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding", ["", "80", "8080808080"])
def test_an_integer_may_be_padded_with_zeros(hpack, padding):
    assert hpack.HpackDecoder().decode(bytes.fromhex(f"0f{padding}000161")) == [("accept-charset", "a")]


@pytest.mark.parametrize(
    "integer",
    ["ff8080808080808000", "ffffffffffffffffffff7f", "ffffffffff7f", "ff" + "80" * 1000 + "00", "ff8080808008"],
    ids=["eight octets", "64 bits and more", "41 bits", "1000 octets", "2**31"],
)
def test_an_integer_that_is_too_long_is_damage(hpack, integer):
    decoder = hpack.HpackDecoder(from_start=False)
    assert damage(decoder, integer) == "hpack_integer"


def test_the_largest_integer_is_an_index_like_others(hpack):
    block = number(2**31 - 1, 127, 0x80)
    assert hpack.HpackDecoder(from_start=False).decode(block) == [(None, None)]
    assert damage(hpack.HpackDecoder(), block) == "hpack_index"


@pytest.mark.parametrize("block", ["ff", "ff80", "00", "0001", "000161", "000161027a", "00017f", "0f", "007fffffff07"])
def test_a_block_that_ends_too_early_is_damage(hpack, block):
    assert damage(hpack.HpackDecoder(), block) == "hpack_truncated"


def test_index_zero_is_damage_wherever_the_stream_began(hpack):
    assert damage(hpack.HpackDecoder(), "80") == "hpack_index"
    assert damage(hpack.HpackDecoder(from_start=False), "80") == "hpack_index"


@pytest.mark.parametrize(
    "string",
    ["82ffff", "81ff", "821fff", "8100", "84fffffffc", "85fffffffc1f", "81fe"],
    ids=["16 ones", "8 ones", "11 ones behind a", "zeros in padding", "end of string", "symbol and more", "long code"],
)
def test_wrong_padding_and_end_of_string_are_damage(hpack, string):
    assert damage(hpack.HpackDecoder(), "000161" + string) == "hpack_huffman"


@pytest.mark.parametrize("symbol", range(256))
def test_every_symbol_of_the_huffman_code(hpack, symbol):
    bits, length = REQUEST_CODES[symbol], REQUEST_CODES_LENGTH[symbol]
    octets = -(-length // 8)
    padding = octets * 8 - length
    code = (bits << padding | (1 << padding) - 1).to_bytes(octets, "big")
    expected = chr(symbol)
    assert hpack.HpackDecoder().decode(b"\0\x01a" + bytes([0x80 | octets]) + code) == [("a", expected)]


def test_a_field_has_a_character_for_each_octet(hpack):
    decoder = hpack.HpackDecoder()
    assert decoder.decode(literal(b"n", b"plain")) == [("n", "plain")]
    assert not decoder.has_octets
    assert decoder.decode(literal(b"n", "é".encode()) + literal(b"n", b"\xe9")) == [("n", "Ã©"), ("n", "é")]
    assert decoder.has_octets


def test_a_zero_byte_is_told(hpack):
    decoder = hpack.HpackDecoder()
    assert decoder.decode(literal(b"x-bin", b"\0\1")) == [("x-bin", "\0\1")]
    assert decoder.has_octets


# --- table size updates ------------------------------------------------------------------------------------------


def test_an_update_over_the_limit_is_damage(hpack):
    assert damage(hpack.HpackDecoder(), resize(4097)) == "hpack_table_size"
    decoder = hpack.HpackDecoder()
    decoder.limit_table(4097)
    assert decoder.decode(resize(4097)) == []


def test_without_the_start_of_the_stream_the_limit_is_not_known(hpack):
    assert hpack.HpackDecoder(from_start=False).decode(resize(65536)) == []


def test_an_update_behind_a_field_is_damage(hpack):
    assert damage(hpack.HpackDecoder(), b"\x82" + resize(0)) == "hpack_table_size"


def test_updates_apply_one_after_the_other(hpack):
    decoder = hpack.HpackDecoder()
    decoder.decode(literal(b"a", b"1"))
    decoder.decode(resize(0) + resize(4096))
    assert damage(decoder, indexed(0)) == "hpack_index"


def test_a_raised_limit_alone_does_not_change_the_table(hpack):
    decoder = hpack.HpackDecoder()
    decoder.limit_table(65536)
    decoder.decode(literal(b"a", b"x" * 100) * 40)
    assert damage(decoder, indexed(30)) == "hpack_index"


# --- bounds ------------------------------------------------------------------------------------------------------


def test_a_large_entry_referred_to_often_does_not_multiply(hpack):
    decoder = hpack.HpackDecoder()
    entry = b"\x40\x01a" + number(4000, 127, 0) + b"x" * 4000
    fields = decoder.decode(entry + indexed(0) * 16_000 + literal(b"b", b"2", kind=0x00))
    assert sum(len(name) + len(value) + 32 for name, value in fields) <= MAX_HEADER_LIST
    assert decoder.truncated


def test_fields_without_octets_count_too(hpack):
    decoder = hpack.HpackDecoder()
    fields = decoder.decode(literal(b"", b"") + indexed(0) * 1_000_000)
    assert len(fields) == MAX_HEADER_LIST // 32


def test_what_is_dropped_still_updates_the_table(hpack):
    decoder = hpack.HpackDecoder()
    decoder.decode(b"\x82" * 100_000 + literal(b"a", b"1"))
    assert decoder.truncated
    assert decoder.decode(indexed(0)) == [("a", "1")]
    assert not decoder.truncated


def test_an_update_behind_a_dropped_field_is_damage(hpack):
    value = number(MAX_HEADER_LIST, 127, 0) + b"x" * MAX_HEADER_LIST
    assert damage(hpack.HpackDecoder(), b"\0\x01a" + value + resize(0)) == "hpack_table_size"


@pytest.mark.parametrize("capacity", [None, 2 * MAX_HPACK_TABLE], ids=["unknown capacity", "large capacity"])
def test_what_our_own_bound_drops_becomes_unknown(hpack, capacity):
    decoder = hpack.HpackDecoder(from_start=capacity is not None)
    if capacity:
        decoder.limit_table(capacity)
        decoder.decode(resize(capacity))
    decoder.decode(literal(b"", b"") * 40_000)
    assert decoder.decode(indexed(MAX_HPACK_TABLE // 32 - 1)) == [("", "")]
    assert decoder.decode(indexed(MAX_HPACK_TABLE // 32)) == [(None, None)]


def test_a_megabyte_of_long_codes(hpack):
    octets = int(f"{REQUEST_CODES[1]:023b}" * 8, 2).to_bytes(23, "big") * 45_000
    decoder = hpack.HpackDecoder()
    assert decoder.decode(b"\0\x01a" + number(len(octets), 127, 0x80) + octets) == []
    assert decoder.truncated
