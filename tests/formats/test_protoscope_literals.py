"""Literals of protoscope: what they say, and that they say exactly what they were made from."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inspector.formats.base import Conversion
from inspector.formats.protoscope_literals import (
    bytes_literals,
    fixed_literal,
    hex_literals,
    is_text,
    string_literals,
    varint_literal,
)
from inspector.formats.protoscope_reader import long_varint, read
from inspector.wire.kinds import NUMBERS
from inspector.wire.scan import I32, I64, VARINT


def encode(*literals: str) -> bytes:
    (data,) = read("\n".join(literals).encode(), Conversion())
    return data


UNSAFE = {chr(code) for code in (*range(32), *range(127, 160), 0x61C, 0x200E, 0x200F, 0xFEFF)} | {
    chr(code) for code in (*range(0x2028, 0x202F), *range(0x2066, 0x206A))
}


@pytest.mark.parametrize(
    ("data", "literal"),
    [
        (b'say "hi" \\o/', r'"say \"hi\" \\o/"'),
        (b"a\nb\tc\x00", r'"a\nb\x09c\x00"'),
        ("日本 👩‍🚀".encode(), '"日本 👩‍🚀"'),
        ("a\u202eb".encode(), r'"a\xe2\x80\xaeb"'),
        (b"caf\xe9", r'"caf\xe9"'),
        (b"\xed\xa0\x80", r'"\xed\xa0\x80"'),
        (b"\xc3", r'"\xc3"'),
    ],
)
def test_strings_are_readable_and_safe(data, literal):
    assert list(string_literals(data)) == [literal]


def test_no_bytes_need_no_literal():
    assert list(string_literals(b"")) == list(hex_literals(b"")) == []


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_any_bytes_are_a_string(data):
    literals = list(string_literals(data))
    assert encode(*literals) == data
    assert not UNSAFE & set("".join(literals))


@given(st.binary(max_size=200))
def test_any_bytes_are_hex(data):
    literals = list(hex_literals(data))
    assert encode(*literals) == data
    assert all(len(literal) <= 66 for literal in literals)


def test_long_text_is_broken_at_its_line_ends_and_long_lines_anywhere():
    lines = list(string_literals(b"first\n" + b"x" * 1_500 + b"\nlast"))
    assert [len(line) for line in lines] == [9, 1_002, 504, 6]
    assert lines[0] == r'"first\n"'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", False),
        (b"text", True),
        (b"two\nlines\t", True),
        ("日本".encode(), True),
        ("日本".encode()[:-1], True),
        (b"\xff", False),
        (b"a\x00", False),
        (b"\x1b[0m", False),
        ("a\u202eb".encode(), False),
    ],
)
def test_bytes_are_shown_as_text_where_they_are_text(data, expected):
    assert is_text(data) is expected
    assert all(literal.startswith('"') is expected for literal in bytes_literals(data))


@pytest.mark.parametrize(
    ("value", "kind", "size", "literal"),
    [
        (5, "int32", 1, "5"),
        ((1 << 64) - 1, "int32", 10, "-1"),
        ((1 << 64) - 1, "enum", 10, "-1"),
        ((1 << 64) - 1, "uint64", 10, "18446744073709551615"),
        ((1 << 32) - 1, "int32", 5, "4294967295"),
        (5, "sint32", 1, "-3z"),
        ((1 << 64) - 1, "sint64", 10, "-9223372036854775808z"),
        (1, "bool", 1, "true"),
        (0, "bool", 1, "false"),
        (2, "bool", 1, "2"),
        (1, "bool", 3, "long-form:2 1"),
        (300, "string", 4, "long-form:2 300"),
    ],
)
def test_varints_by_kind(value, kind, size, literal):
    assert varint_literal(value, kind, size) == literal


VARINT_KINDS = [name for name, kind in NUMBERS.items() if kind.wire_type == VARINT]
FIXED_KINDS = [name for name, kind in NUMBERS.items() if kind.wire_type != VARINT]


@given(st.integers(0, (1 << 64) - 1) | st.integers(0, 3), st.integers(0, 12), st.sampled_from(VARINT_KINDS))
def test_varints_come_back_at_their_length(value, extra, kind):
    data = long_varint(value, extra)
    assert encode(varint_literal(value, kind, len(data))) == data


@pytest.mark.parametrize(
    ("value", "kind", "wire_type", "literal"),
    [
        (0x3F800000, "float", I32, "1.0i32"),
        (0x3DCCCCCD, "float", I32, "0.1i32"),
        (0x80000000, "float", I32, "-0.0i32"),
        (0x7F800000, "float", I32, "inf32"),
        (0x7FC00001, "float", I32, "0x7fc00001i32"),
        (1, "float", I32, "1.4013e-45i32"),
        (0xFFFFFFFF, "fixed32", I32, "4294967295i32"),
        (0xFFFFFFFF, "sfixed32", I32, "-1i32"),
        (0xFFFFFFFF, "double", I32, "4294967295i32"),
        (0x3FF8000000000000, "double", I64, "1.5"),
        (0x4480F0CF064DD592, "double", I64, "1.0e22"),
        (0xFFF0000000000000, "double", I64, "-inf64"),
        (0xFFF8000000000001, "double", I64, "0xfff8000000000001i64"),
        (7, "fixed64", I64, "7i64"),
        ((1 << 64) - 2, "sfixed64", I64, "-2i64"),
    ],
)
def test_fixed_numbers_by_kind(value, kind, wire_type, literal):
    assert fixed_literal(value, kind, wire_type) == literal


@given(st.integers(0, (1 << 32) - 1), st.sampled_from(FIXED_KINDS))
@example(0x4B7FFFFF, "float")
@example(0x7F7FFFFF, "float")
def test_any_four_bytes_come_back(value, kind):
    assert encode(fixed_literal(value, kind, I32)) == struct.pack("<I", value)


@given(st.binary(min_size=8, max_size=8) | st.floats().map(struct.Struct("<d").pack), st.sampled_from(FIXED_KINDS))
def test_any_eight_bytes_come_back(data, kind):
    assert encode(fixed_literal(int.from_bytes(data, "little"), kind, I64)) == data
