"""The wire scanner: spans that cover the bytes, or an error with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import DecodeError
from inspector.wire.scan import I32, I64, LEN, SGROUP, VARINT, Field, scan, scan_prefix

MIB = 1 << 20


def of(text: str) -> bytes:
    return bytes.fromhex(text)


def test_reads_every_wire_type():
    data = of("08ac02 11 0100000000000080 1a03616263 23 0801 24 2d0000803f")
    assert scan(data) == [
        Field(1, VARINT, 0, 1, 3, 300),
        Field(2, I64, 3, 4, 12, 0x8000_0000_0000_0001),
        Field(3, LEN, 12, 14, 17, 3),
        Field(4, SGROUP, 17, 18, 21, 2),
        Field(5, I32, 21, 22, 26, 0x3F80_0000),
    ]


def test_value_end_leaves_out_the_end_tag_of_a_group():
    group, text = scan(of("23 0801 24 0a0161"))
    assert (group.value_end, group.end) == (3, 4)
    assert (text.value_end, text.end) == (7, 7)


def test_scans_a_part_with_offsets_of_the_whole():
    assert scan(of("ffff 0801 ffff"), 2, 4) == [Field(1, VARINT, 2, 3, 4, 1)]


def test_empty_message_has_no_fields():
    assert scan(b"") == []


def test_keeps_values_written_longer_than_needed():
    assert scan(of("888000 818000")) == [Field(1, VARINT, 0, 3, 6, 1)]


def test_nested_groups_are_spanned_by_the_outer_one():
    assert scan(of("0b 13 0c0d".replace("0c0d", "1b1c") + "14 0c")) == [Field(1, SGROUP, 0, 1, 6, 4)]


def test_group_ends_found_once_serve_the_scans_within():
    data, ends = of("0b 13 1b 1c 14 0c"), {}
    scan(data, group_ends=ends)
    assert ends == {1: 5, 2: 4, 3: 3}
    assert scan(data, 1, 5, ends) == [Field(2, SGROUP, 1, 2, 5, 2)]


@pytest.mark.parametrize(
    ("data", "code", "offset"),
    [
        ("0801 10", "truncated", 3),
        ("0801 1080", "truncated", 3),
        ("0801 90", "truncated", 2),
        ("0a05616263", "truncated", 1),
        ("0affffffff07", "truncated", 1),
        ("0a8580808010", "truncated", 1),
        ("0aff" + "ff" * 8 + "01", "truncated", 1),
        ("09 00000000000000", "truncated", 1),
        ("0d 000000", "truncated", 1),
        ("0b 0801", "truncated", 3),
        ("0b 0d 00", "truncated", 2),
        ("08" + "ff" * 10 + "01", "wire", 1),
        ("08" + "ff" * 9 + "02", "wire", 1),
        ("0b 08" + "ff" * 9 + "02 0c", "wire", 2),
        ("00", "wire", 0),
        ("0801 0201", "wire", 2),
        ("808000", "wire", 0),
        ("8080808010 00", "wire", 0),
        ("888080808000 01", "wire", 0),
        ("0e", "wire", 0),
        ("0f", "wire", 0),
        ("0b 0e 0c", "wire", 1),
        ("0801 0c", "wire", 2),
        ("0b 14", "wire", 1),
        ("0b 13 0c 14", "wire", 2),
    ],
)
def test_damage_has_a_code_and_a_place(data, code, offset):
    with pytest.raises(DecodeError) as caught:
        scan(of(data))
    assert (caught.value.code, caught.value.offset) == (code, offset)


def test_offset_of_damage_is_that_of_the_whole_input():
    with pytest.raises(DecodeError) as caught:
        scan(of("ffff 0801 00"), 2)
    assert caught.value.offset == 4


def test_prefix_keeps_what_is_before_the_damage():
    fields, error = scan_prefix(of("0801 1002 00"))
    assert [field.number for field in fields] == [1, 2]
    assert error is not None
    assert error.offset == 4


def test_a_span_outside_the_data_is_misuse():
    with pytest.raises(ValueError, match="not within"):
        scan(b"\x08\x01", 0, 3)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x0b" * MIB, "depth"),
        (b"\x0b" * (MIB // 2) + b"\x0c" * (MIB // 2), "depth"),
        (b"\x80" * MIB, "wire"),
        (bytes(MIB), "wire"),
    ],
)
def test_bombs_end_in_an_error(data, code):
    with pytest.raises(DecodeError) as caught:
        scan(data)
    assert caught.value.code == code


@pytest.mark.parametrize("data", [b"\x0a\x00" * (MIB // 2), b"\x08\x01\x10\x02" * 250_000, b"\x0b\x0c" * (MIB // 8)])
def test_many_fields_are_all_returned(data):
    assert scan(data)[-1].end == len(data)


@given(st.binary(max_size=60))
def test_fields_cover_the_bytes_or_an_error_says_where_not(data):
    fields, error = scan_prefix(data)
    covered = [0, *(field.end for field in fields)]
    assert [field.tag_start for field in fields] == covered[:-1]
    assert all(field.tag_start < field.value_start <= field.value_end <= field.end for field in fields)
    if error is None:
        assert covered[-1] == len(data)
    else:
        assert covered[-1] <= error.offset <= len(data)
