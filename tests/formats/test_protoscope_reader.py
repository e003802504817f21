"""Protoscope text to bytes: every construct of the language, and where it ends in an error."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import EncodeError
from inspector.formats.base import Conversion
from inspector.formats.protoscope_reader import read
from inspector.limits import MAX_LONG_FORM
from inspector.wire.encode import varint

MIB = 1 << 20


def encode(text: str | bytes) -> bytes:
    (data,) = read(text.encode() if isinstance(text, str) else text, Conversion())
    return data


def of(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", ""),
        ("\ufeff 7", "07"),
        ("# nothing but a comment", ""),
        ("7 # seven\n8#eight\r\n\t9", "07 08 09"),
        # strings
        ('"sun"', "73756e"),
        ('"sun" "set" "" ', "73756e736574"),
        ('"sun""set"', "73756e736574"),
        ('"two\nlines # no comment"', b"two\nlines # no comment".hex()),
        ('"日"', "e697a5"),
        (r'"\\ \" \n"', "5c 20 22 20 0a"),
        (r'"\x00\xfF\x411"', "00 ff 41 31"),
        (r'"\0\7\12\1018\377"', "00 07 0a 41 38 ff"),
        # hex
        ("``", ""),
        ("`c0ffee``C0FFEE`", "c0ffee c0ffee"),
        # integers
        ("0 1 127 128 300", "00 01 7f 8001 ac02"),
        ("000000000000000000000000000300 0x00000000000000000000012c", "ac02 ac02"),
        ("0x7f 0xAb -0x1", "7f ab01 ffffffffffffffffff01"),
        ("-1 -9223372036854775808", "ffffffffffffffffff01 80808080808080808001"),
        ("18446744073709551615", "ffffffffffffffffff01"),
        ("0z -1z 1z -64z", "00 01 02 7f"),
        ("9223372036854775807z -9223372036854775808z", "feffffffffffffffff01 ffffffffffffffffff01"),
        ("1i32 -1i32 4294967295i32 -2147483648i32 0xffi32", "01000000 ffffffff ffffffff 00000080 ff000000"),
        ("1i64 -1i64 18446744073709551615i64", "0100000000000000 ffffffffffffffff ffffffffffffffff"),
        ("true false", "01 00"),
        # floats
        ("1.0 -0.0", struct.pack("<dd", 1.0, -0.0).hex()),
        ("2.5e3 2.5E-3", struct.pack("<dd", 2500.0, 0.0025).hex()),
        ("1.0i64 1.5i32", struct.pack("<df", 1.0, 1.5).hex()),
        ("0x1.8p1 -0xA.8 0x1.8P-1i32", struct.pack("<ddf", 3.0, -10.5, 0.75).hex()),
        ("inf32 -inf32", struct.pack("<ff", float("inf"), float("-inf")).hex()),
        ("inf64 -inf64", struct.pack("<dd", float("inf"), float("-inf")).hex()),
        # long forms
        ("long-form:0 1", "01"),
        ("long-form:1 1", "8100"),
        ("long-form:3 300", "ac82808000"),
        ("long-form:1 -1z", "8100"),
        ("long-form:2 # two more\n 5", "858000"),
        # tags
        ("1:VARINT 1:I64 1:LEN 1:SGROUP 1:EGROUP 1:I32", "08 09 0a 0b 0c 0d"),
        ("2:0 2:1 2:2 2:3 2:4 2:5 2:6 2:7 2:0x7", "10 11 12 13 14 15 16 17 17"),
        ("0x10:2 0:0 16:0", "8201 00 8001"),
        ("-1:0", "f8ffffffffffffffff01"),
        ("1z:0 -1z:0", "10 0f"),
        ("-0x1f8fa8293ddc5586z:0", "a0cfea91c2addf8207"),
        ("long-form:1 1:0 long-form:1 1: 1.0i32", "8800 8d00 0000803f"),
        # wire types that the next token tells
        ("1: 5 2: -5z", "08 05 10 09"),
        ("1: 5i32 1: 5i64", "0d 05000000 09 0500000000000000"),
        ("1: 1.5i32 1: inf32", "0d 0000c03f 0d 0000807f"),
        ("1: 0.0 1: -inf64", "09 0000000000000000 09 000000000000f0ff"),
        ('1: {"a"} 1:{}', "0a 01 61 0a 00"),
        ("1: long-form:1 {2}", "0a 8100 02"),
        ("1: !{ 2: 3 }", "0b 10 03 0c"),
        ("1: true", "08 01"),
        ('1: "a" 1: `ff` 1:', "08 61 08 ff 08"),
        ("1: 2: 3 {1:} ", "08 10 03 01 08"),
        ("1: # comment\n {}", "0a 00"),
        # braces
        ("{}", "00"),
        ("{1 2 {3 {}} }", "05 01 02 02 03 00"),
        ("long-form:2 {1}", "818000 01"),
        ("3: !{ 4: !{} 5: {1: !{}} }", "1b 23 24 2a 02 0b 0c 1c"),
        ("3: !{ long-form:1 }", "1b 9c00"),
        ('20: !{long-form:2 1: 7 "x" long-form:1}', "a301 888000 07 78 a48100"),
        # what is not what it says
        ('2:LEN 5 "abcd"', "12 05 61626364"),
        ('5:I64 "ab"', "29 6162"),
    ],
)  # fmt: skip
def test_what_the_language_says(text, data):
    assert encode(text) == of(data)


def test_bytes_that_are_no_utf8_may_stand_in_strings_and_comments():
    assert encode(b'"\xff\xfe" # \xff') == b"\xff\xfe"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("1: {\n  2: 1x\n}", (2, 6), "'1x' is no token"),
        ("hello", (1, 1), "'hello' is no token"),
        ('"日本" nope', (1, 6), "'nope' is no token"),
        ("\ufeffnope", (1, 1), "'nope' is no token"),
        ("[1]", (1, 1), "'\\['"),
        ("日", (1, 1), "'日' is no token"),
        ("\x1b[2J", (1, 1), r"'\\x1b'"),
        ("\u202e", (1, 1), r"'\\u202e'"),
        ('1: {\n "open', (2, 2), "string is not closed"),
        ('"open\\"', (1, 1), "string is not closed"),
        ("`00", (1, 1), "hex literal is not closed"),
        ("`0g`", (1, 3), "'g' is no hex digit"),
        ("`00 01`", (1, 4), "' ' is no hex digit"),
        ("`000`", (1, 1), "3 hex digits"),
        ('"ab\\q"', (1, 4), "unknown escape"),
        ('"\\x1g"', (1, 2), "unknown escape"),
        ('"\\8"', (1, 2), "unknown escape"),
        ('"\\400"', (1, 2), "over 255"),
        ("1: {\n 2: {}\n", (1, 4), "brace is not closed"),
        ("1: !{\n", (1, 4), "brace is not closed"),
        ("}", (1, 1), "closes nothing"),
        ("1: !{} }", (1, 8), "closes nothing"),
        ("!{}", (1, 1), "not behind a tag"),
        ("1:SGROUP !{}", (1, 10), "not behind a tag"),
        ("1: 2 !{}", (1, 6), "not behind a tag"),
        ("1: ! {}", (1, 4), "! without"),
        ("18446744073709551616", (1, 1), "64 bits"),
        ("-9223372036854775809", (1, 1), "64 bits"),
        ("9" * 100_000, (1, 1), "64 bits"),
        ("4294967296i32", (1, 1), "32 bits"),
        ("-2147483649i32", (1, 1), "32 bits"),
        ("18446744073709551615i32", (1, 1), "32 bits"),
        ("1.0e999", (1, 1), "too large for a float of 64 bits"),
        ("1.0e999999999999999999999", (1, 1), "too large"),
        ("3.5e38i32", (1, 1), "too large for a float of 32 bits"),
        ("0x1.0p1024", (1, 1), "too large"),
        ("1.", (1, 1), "no token"),
        (".5", (1, 1), "no token"),
        ("1e5", (1, 1), "no token"),
        ("1.0e+5", (1, 1), "no token"),
        ("1:8", (1, 1), "'8' is no wire type"),
        ("1:LONG", (1, 1), "'LONG' is no wire type"),
        ("1:-5", (1, 1), "no token"),
        ("1i32:0", (1, 1), "fixed-width"),
        ("2305843009213693952:0", (1, 1), "no room for the wire type"),
        ("long-form:1", (1, 1), "long-form is not in front"),
        ("1: long-form:1 2i32", (1, 4), "long-form is not in front"),
        ("long-form:1 1.0", (1, 1), "long-form is not in front"),
        ('long-form:1 "a"', (1, 1), "long-form is not in front"),
        ("long-form:1 `00`", (1, 1), "long-form is not in front"),
        ("long-form:1 true", (1, 1), "long-form is not in front"),
        ("long-form:1 long-form:1 1", (1, 1), "long-form is not in front"),
        ("{long-form:1}", (1, 2), "long-form is not in front"),
        ("1: long-form:1 !{}", (1, 4), "long-form is not in front"),
        ("long-form:-1 1", (1, 1), "no token"),
        (f"long-form:{MAX_LONG_FORM + 1} 1", (1, 1), "long-form of more than"),
        ("long-form:" + "9" * 10_000 + " 1", (1, 1), "long-form of more than"),
    ],
)
def test_mistakes_have_a_place(text, place, words):
    with pytest.raises(EncodeError, match=words) as caught:
        encode(text)
    assert (caught.value.line, caught.value.column) == place
    assert len(str(caught.value)) < 300


def test_decimals_are_rounded_to_32_bits_once():
    # Just above the middle of 1.0 and the float behind it; the double nearest to it is that very middle.
    assert encode("1.0000000596046447753906250000001i32") == struct.pack("<I", 0x3F800001)
    assert encode("1.0000000596046447753906250i32") == struct.pack("<I", 0x3F800000)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_all_digits_of_a_float_give_it_back(number):
    digits, _, exponent = f"{number:.60e}".partition("e")
    assert encode(f"{digits}e{int(exponent)}i32") == struct.pack("<f", number)


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_zigzag_gives_every_integer_its_own_bytes(number):
    data = encode(f"{number}z")
    assert encode(str(2 * number if number >= 0 else -2 * number - 1)) == data


def nested_size(depth: int, tag: int) -> int:
    """Bytes of messages within messages, the tag of each so long."""
    size = 0
    for _ in range(depth):
        size += len(varint(size)) + tag
    return size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1: {" * 2_000 + "}" * 2_000, nested_size(2_000, 1)),
        ("{" * 100_000 + "}" * 100_000, nested_size(100_000, 0)),
        ("1: !{" * 200_000 + "}" * 200_000, 400_000),
        ("1 " * 500_000, 500_000),
        ('"' + "\\n" * 500_000 + '"', 500_000),
        (" " * MIB, 0),
        ("#" * MIB, 0),
    ],
)
def test_large_and_deep_text_is_read(text, size):
    assert len(encode(text)) == size


@pytest.mark.parametrize("text", ["{" * MIB, '"' + "\\" * MIB, "`" + "0" * MIB, "!" * MIB, "1:" * MIB, "-" * MIB])
def test_large_mistakes_are_told_briefly(text):
    with pytest.raises(EncodeError) as caught:
        encode(text)
    assert len(str(caught.value)) < 200


TOKENS = (
    *('"a\\n"', "`0aff`", "5", "-5", "0x1f", "7z", "-7z", "9i32", "-9i64", "1.5", "0x1.8p3i32", "true", "inf32"),
    *("1:", "2:LEN", "3:5", "long-form:2", "{", "}", "!{", "1: !{", "1: {", "# note\n", "\n", '"', "`", "!", "nope"),
)


@given(st.lists(st.sampled_from(TOKENS), max_size=20), st.sampled_from([" ", ""]))
def test_any_tokens_give_bytes_or_an_error_with_its_place(tokens, space):
    try:
        encode(space.join(tokens))
    except EncodeError as error:
        assert None not in (error.line, error.column)  # noqa: PT017  # no error is as good
