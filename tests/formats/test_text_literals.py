"""Strings and numbers of text format, there and back, and against the C library's reading of numbers."""

from __future__ import annotations

import struct
from unicodedata import bidirectional, category

import pytest
from google.protobuf.internal.type_checkers import ToShortestFloat
from google.protobuf.text_encoding import CUnescape
from hypothesis import given
from hypothesis import strategies as st

from inspector.formats.text_literals import (
    double,
    quoted,
    quoted_bytes,
    read_bool,
    read_float,
    read_integer,
    read_string,
    single,
    skip_value,
)
from inspector.formats.text_tokens import END, TextProblem, Tokens

INF = float("inf")
INT32 = (-(1 << 31), (1 << 31) - 1)
BIDI_CONTROLS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
UINT64 = (0, (1 << 64) - 1)


def bits(number):
    return struct.pack("<d", number)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_comes_back_and_holds_nothing_that_moves_the_cursor(text):
    written = quoted(text)
    assert read_string(Tokens(written)) == text.encode()
    assert not any(category(each) in ("Cc", "Zl", "Zp") or bidirectional(each) in BIDI_CONTROLS for each in written)


@given(st.binary())
def test_bytes_come_back_and_are_ascii(raw):
    written = quoted_bytes(raw)
    assert written.isascii()
    assert written.isprintable()
    assert read_string(Tokens(written)) == raw == CUnescape(written[1:-1])


@given(st.binary())
def test_text_that_is_not_utf_8_comes_back(raw):
    assert read_string(Tokens(quoted(raw.decode("utf-8", "surrogateescape")))) == raw


def test_text_stays_readable():
    assert quoted("日本語 ñ 😀 \u3000 it's") == '"日本語 ñ 😀 \u3000 it\\\'s"'


@pytest.mark.parametrize("character", ["\x1b", "\x9b", "\u202e", "\u2028", "\x7f", "\0", "\u2066", "\ufeff"])
def test_what_could_deceive_is_escaped(character):
    assert quoted(character).isascii()


@given(st.floats(allow_nan=False))
def test_doubles_come_back(number):
    assert bits(read_float(Tokens(double(number)))) == bits(number)


@given(st.floats(width=32, allow_nan=False))
def test_floats_come_back_in_the_fewest_digits(number):
    written = single(number)
    assert struct.pack("<f", read_float(Tokens(written))) == struct.pack("<f", number)
    assert float(written) == ToShortestFloat(number)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.0, "1"), (-0.0, "-0"), (0.1, "0.1"), (1e100, "1e+100"), (INF, "inf"), (-INF, "-inf")],
)
def test_doubles_are_written_without_needless_digits(number, text):
    assert double(number) == text


def test_nan_is_written_and_read():
    assert double(float("nan")) == single(float("nan")) == "nan"
    assert read_float(Tokens("nan")) != read_float(Tokens("nan"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0", 0), ("-0", 0), ("2147483647", 2147483647), ("-2147483648", -2147483648), ("- 5", -5), ("-#c\n5", -5)),
        *(("0x7fFF", 0x7FFF), ("0XA", 10), ("-0x10", -16), ("017", 15), ("-010", -8), ("00", 0)),
    ],
)
def test_forms_of_integers(text, value):
    tokens = Tokens(text)
    assert read_integer(tokens, *INT32) == value
    assert tokens.kind == END


@pytest.mark.parametrize("text", ["2147483648", "-2147483649", "9" * 5000, "0x" + "f" * 5000, "0" + "7" * 5000])
def test_integers_out_of_range_are_refused(text):
    with pytest.raises(TextProblem, match="out of range: -2147483648 to 2147483647") as caught:
        read_integer(Tokens(text), *INT32)
    assert caught.value.offset == 0


@pytest.mark.parametrize(
    "text", ["1.0", "1e3", "1f", "08", "0x", "0xg", "1_000", "10bar", "x", '"1"', "--1", "+1", "-"]
)
def test_what_is_no_integer_is_refused(text):
    with pytest.raises(TextProblem):
        read_integer(Tokens(text), *INT32)


def test_unsigned_integers_take_no_sign():
    with pytest.raises(TextProblem, match="without a sign"):
        read_integer(Tokens("-0"), *UINT64)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1", 1.0), ("1.", 1.0), (".5", 0.5), ("-.5", -0.5), ("1e3", 1000.0), ("1E+3f", 1000.0), ("10F", 10.0)),
        *(("0.5f", 0.5), ("- 2.5", -2.5), ("1e999", INF), ("-1e999", -INF), ("9" * 400, INF), ("1e-999", 0.0)),
        *(("inf", INF), ("-Infinity", -INF), ("INFINITY", INF)),
    ],
)
def test_forms_of_floats(text, value):
    assert read_float(Tokens(text)) == value


@pytest.mark.parametrize(
    "text", ["0x1", "017", "1.5.2", "1e", "1e+", "1ff", "00.5", "0x1p3", "inff", "x", '"1"', "", "1_0"]
)
def test_what_is_no_float_is_refused(text):
    with pytest.raises(TextProblem):
        read_float(Tokens(text))


@pytest.mark.parametrize("text", ["true", "True", "t", "1", "0x1", "01"])
def test_forms_of_true(text):
    assert read_bool(Tokens(text)) is True
    assert read_bool(Tokens({"true": "false", "True": "False", "t": "f"}.get(text, text.replace("1", "0")))) is False


@pytest.mark.parametrize("text", ["TRUE", "2", "-1", "1.0", "yes", '"true"'])
def test_what_is_no_bool_is_refused(text):
    with pytest.raises(TextProblem):
        read_bool(Tokens(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\a\b\f\n\r\t\v\?\\\'\""', b"\a\b\f\n\r\t\v?\\'\""),
        (r'"\1\12\123\1234\5x"', b"\x01\nSS4\x05x"),
        (r'"\xF\xfF\xfFF\X41"', b"\x0f\xff\xffFA"),
        (r'"\u00e9\U0001F600\U0010ffff"', "é😀\U0010ffff".encode()),
        (r'"\xe6\x97\xa5"', "日".encode()),
        ("\"a\" 'b'\n#c\n\"\"'d'", b"abd"),
        ('"日"', "日".encode()),
        ('"\\日"', None),
        (r'"\ud83d\ude00"', None),
        (r'"\udc00"', None),
        (r'"\ud83d" "\ude00"', None),
        (r'"\u12"', None),
        (r'"\U00110000"', None),
        (r'"\U1234567"', None),
        (r'"\400"', None),
        (r'"\x"', None),
        (r'"\8"', None),
        (r'"\q"', None),
    ],
)
def test_escapes(text, value):
    if value is None:
        with pytest.raises(TextProblem):
            read_string(Tokens(text))
    else:
        assert read_string(Tokens(text)) == value


def test_a_wrong_escape_is_told_where_it_is():
    with pytest.raises(TextProblem, match=r"\\q is not an escape") as caught:
        read_string(Tokens('"é\\n" "日x\\q"'))
    assert caught.value.offset == 9


@pytest.mark.parametrize("text", ["1", "-1.5", "0x1", "inf", "-nan", "NAME", '"a" "b"'])
def test_values_can_be_passed_over(text):
    tokens = Tokens(f"{text} ;")
    skip_value(tokens)
    assert tokens.text == ";"


@pytest.mark.parametrize("text", ["-NAME", "08", "{", "[", "-", "", r'"\q"', "-'a'"])
def test_what_is_no_value_is_not_passed_over(text):
    with pytest.raises(TextProblem):
        skip_value(Tokens(text))
