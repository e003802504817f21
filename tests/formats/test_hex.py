"""Hex digits as people and programs write them. What programs print was taken from real runs of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import EncodeError, InputError
from inspector.formats.base import Conversion
from inspector.formats.registry import HEX

MIB = 1 << 20


def decode(text: str | bytes) -> bytes:
    (data,) = HEX.read(text.encode() if isinstance(text, str) else text, Conversion())
    return data


# --- out ---------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=50))
def test_plain_digits_are_one_line(data):
    text = HEX.write(data, Conversion())
    assert text == data.hex().encode() + b"\n"
    assert decode(text) == data


@given(st.binary(max_size=50))
def test_laid_out_digits_are_lines_of_sixteen_bytes(data):
    text = HEX.write(data, Conversion(indent=2))
    assert [len(bytes.fromhex(line)) for line in text.decode().splitlines()] == [
        len(data[start : start + 16]) for start in range(0, len(data), 16)
    ]
    assert decode(text) == data


# --- digits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "0805feff",
        "0805FEFF\n",
        "08 05 fe ff",
        "0805 feff",
        "0x0805feff",
        "0x8 0x5 0xFE 0xFF",
        "0x08, 0x05, 0xfe, 0xff,",
        "08:05:fe:ff",
        "08-05-FE-FF",
        "08,05;fe,ff;",
        r"\x08\x05\xfe\xff",
        r"\x0805feff",
        r'"\x08\x05" "\xfe\xff";',
        "b'\\x08\\x05\\xfe\\xff'",
        '"\\x08\\x05\\\n\\xfe\\xff"',
        '"0805feff"',
        "X'0805FEFF'",
        "\t08\r\n05\r\n\r\nfe ff  ",
        "080\n5fe\nff",
        "\ufeff0805feff",
        "{0x08, 0x05, 0xfe, 0xff}",
        "[0x08,0x5,0xfe,0xffU]",
        "[]byte{0x8, 0x5, 0xfe, 0xff}",
        "new byte[] {(byte)0x08, (byte)0x05, (byte)0xfe, (byte)0xff};",
        "uint8_t deadbeef[4] = {0x08, /* tag\n */ 0x05, // 5\n 0xfe, 0xff};\nsize_t len = 4;",
    ],
)
def test_pairs_of_digits_in_any_dress(text):
    assert decode(text) == b"\x08\x05\xfe\xff"


def test_no_digits_are_no_bytes():
    assert decode("") == decode(" \n") == b""


@pytest.mark.parametrize(
    "text",
    [
        "00000000",
        "0000 0002",
        "000000 0805",
        "0000000005 0805feff00",
        "00000000\n00000001",
        "00000000 0801\n00000010 0802",
        "0a10 6162\n6364 6566",
        "0000\n0000\n0002",
    ],
)
def test_digits_that_only_look_like_offsets_are_bytes(text):
    assert decode(text) == bytes.fromhex(text)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("0", (1, 1), "odd number"),
        ("08 0", (1, 4), "'0' is an odd number"),
        ("0805\n080", (1, 1), "odd number"),
        ("08\n 0g", (2, 3), "'g' is no hex digit"),
        ("08\n 0x", (2, 2), "odd number"),
        ("08\n 0805g", (2, 6), "'g' is no hex digit"),
        ("08 日", (1, 4), "'日' is no hex digit"),
        ("08 \x1b[0m", (1, 4), r"'\\x1b' is no hex digit"),
        (r'"\x08\x05abc"', (1, 10), "'a' is not part"),
        (r"\x08\x5", (1, 5), "is not part"),
        ("b'\\x08abc'", (1, 2), "is no hex digit"),
        ("[8, 5, 254]", (1, 1), r"'\[' is no hex digit"),
        ("{0x08, 0x0005}", (1, 8), "'0' is not part"),
        ("{0x08, 5}", (1, 8), "'5' is not part"),
        ("\ufeff08 x", (1, 4), "'x' is no hex digit"),
        ("f" * 99_999, (1, 1), "odd number"),
    ],
)
def test_what_is_no_hex_has_a_place(text, place, words):
    with pytest.raises(EncodeError, match=words) as caught:
        decode(text)
    assert (caught.value.line, caught.value.column) == place
    assert len(str(caught.value)) < 250


def test_bytes_themselves_are_not_hex():
    with pytest.raises(InputError, match="the input is not hex"):
        decode(b"\x08\x05")


@given(st.text("0123456789abxX\\ :,;{}[]'\"\n*|>-", max_size=30))
def test_any_text_gives_bytes_or_an_error_with_its_place(text):
    try:
        decode(text)
    except EncodeError as error:
        assert None not in (error.line, error.column)  # noqa: PT017  # no error is as good


# --- dumps -------------------------------------------------------------------------------------------------------

TRICKY = b"\n\x10abcdef0123456789\x12\x06  cafe\x1a\x03|>|\x08\x01"
"""Its text is hex digits in part, with two spaces before some, and delimiters."""

TRICKY_DUMPS = {
    "xxd": """\
00000000: 0a10 6162 6364 6566 3031 3233 3435 3637  ..abcdef01234567
00000010: 3839 1206 2020 6361 6665 1a03 7c3e 7c08  89..  cafe..|>|.
00000020: 01                                       .
""",
    "xxd -g1 -u": """\
00000000: 0A 10 61 62 63 64 65 66 30 31 32 33 34 35 36 37  ..abcdef01234567
00000010: 38 39 12 06 20 20 63 61 66 65 1A 03 7C 3E 7C 08  89..  cafe..|>|.
00000020: 01                                               .
""",
    "xxd -g0 -d -c 20": """\
00000000: 0a106162636465663031323334353637383912 06  ..abcdef0123456789..
""".replace(" 06", "06")
    + """\
00000020: 2020636166651a037c3e7c0801                  cafe..|>|..
""",
    "xxd -o 4096": """\
00001000: 0a10 6162 6364 6566 3031 3233 3435 3637  ..abcdef01234567
00001010: 3839 1206 2020 6361 6665 1a03 7c3e 7c08  89..  cafe..|>|.
00001020: 01                                       .
""",
    "xxd -p": "0a106162636465663031323334353637383912062020636166651a037c3e\n7c0801\n",
    "xxd -i cafe.bin": """\
unsigned char cafe_bin[] = {
  0x0a, 0x10, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x30, 0x31, 0x32, 0x33,
  0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x12, 0x06, 0x20, 0x20, 0x63, 0x61,
  0x66, 0x65, 0x1a, 0x03, 0x7c, 0x3e, 0x7c, 0x08, 0x01
};
unsigned int cafe_bin_len = 33;
""",
    "hexdump -C": """\
00000000  0a 10 61 62 63 64 65 66  30 31 32 33 34 35 36 37  |..abcdef01234567|
00000010  38 39 12 06 20 20 63 61  66 65 1a 03 7c 3e 7c 08  |89..  cafe..|>|.|
00000020  01                                                |.|
00000021
""",
    "hexdump -C, without the last line": """\
00000000  0a 10 61 62 63 64 65 66  30 31 32 33 34 35 36 37  |..abcdef01234567|
00000010  38 39 12 06 20 20 63 61  66 65 1a 03 7c 3e 7c 08  |89..  cafe..|>|.|
00000020  01                                                |.|
""",
    "hexdump": """\
0000000 100a 6261 6463 6665 3130 3332 3534 3736
0000010 3938 0612 2020 6163 6566 031a 3e7c 087c
0000020 0001
0000021
""",
    "hexdump -x": """\
0000000    100a    6261    6463    6665    3130    3332    3534    3736
0000010    3938    0612    2020    6163    6566    031a    3e7c    087c
0000020    0001
0000021
""",
    "od -A x -t x1z": """\
000000 0a 10 61 62 63 64 65 66 30 31 32 33 34 35 36 37  >..abcdef01234567<
000010 38 39 12 06 20 20 63 61 66 65 1a 03 7c 3e 7c 08  >89..  cafe..|>|.<
000020 01                                               >.<
000021
""",
    "od -t x1": """\
0000000 0a 10 61 62 63 64 65 66 30 31 32 33 34 35 36 37
0000020 38 39 12 06 20 20 63 61 66 65 1a 03 7c 3e 7c 08
0000040 01
0000041
""",
    "od -x": """\
0000000 100a 6261 6463 6665 3130 3332 3534 3736
0000020 3938 0612 2020 6163 6566 031a 3e7c 087c
0000040 0001
0000041
""",
    "od -A d -t x4": """\
0000000 6261100a 66656463 33323130 37363534
0000016 06123938 61632020 031a6566 087c3e7c
0000032 00000001
0000033
""",
    "od -A n -t x1": """\
 0a 10 61 62 63 64 65 66 30 31 32 33 34 35 36 37
 38 39 12 06 20 20 63 61 66 65 1a 03 7c 3e 7c 08
 01
""",
    "tshark -x": """\
0000  0a 10 61 62 63 64 65 66 30 31 32 33 34 35 36 37   ..abcdef01234567
0010  38 39 12 06 20 20 63 61 66 65 1a 03 7c 3e 7c 08   89..  cafe..|>|.
0020  01                                                .
""",
    "gdb x/8xb": """\
0x7fffffffe0a0:\t0x0a\t0x10\t0x61\t0x62\t0x63\t0x64\t0x65\t0x66
0x7fffffffe0a8:\t0x30\t0x31\t0x32\t0x33\t0x34\t0x35\t0x36\t0x37
0x7fffffffe0b0:\t0x38\t0x39\t0x12\t0x06\t0x20\t0x20\t0x63\t0x61
0x7fffffffe0b8:\t0x66\t0x65\t0x1a\t0x03\t0x7c\t0x3e\t0x7c\t0x08
0x7fffffffe0c0:\t0x01
""",
}


@pytest.mark.parametrize("program", TRICKY_DUMPS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_dumps_of_programs_are_read(program, line_end):
    assert decode(TRICKY_DUMPS[program].replace("\n", line_end)) == TRICKY


ZEROS = b"\x08\x01" + bytes(94) + b"\x10\x02"

ZEROS_DUMPS = {
    "xxd -a": """\
00000000: 0801 0000 0000 0000 0000 0000 0000 0000  ................
00000010: 0000 0000 0000 0000 0000 0000 0000 0000  ................
*
00000060: 1002                                     ..
""",
    "hexdump -C": """\
00000000  08 01 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
*
00000060  10 02                                             |..|
00000062
""",
    "od -A x -t x1z": """\
000000 08 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00  >................<
000010 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  >................<
*
000060 10 02                                            >..<
000062
""",
    "od -t x1": """\
0000000 08 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00
0000020 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
*
0000140 10 02
0000142
""",
}


@pytest.mark.parametrize("program", ZEROS_DUMPS)
def test_a_star_stands_for_the_line_before_it(program):
    assert decode(ZEROS_DUMPS[program]) == ZEROS


def test_offsets_in_one_base_that_fit_another_are_those_of_the_program_that_prints_them_so():
    assert decode("0000000 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n*\n0000040\n") == bytes(32)


def test_a_single_line_may_be_a_dump():
    assert decode("00000000: 0a03 6162 63                              ..abc") == b"\n\x03abc"
    assert decode("00000000  0a 03 61 62 63           |..abc|") == b"\n\x03abc"
    assert decode("000000 0a 03 61 62 63              >..abc<") == b"\n\x03abc"
    assert decode("0000000 0a 03 61 62 63") == b"\n\x03abc"
    assert decode("0000  0a 03 61 62 63                                    ..abc") == b"\n\x03abc"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("00000000: 0a03\n00000010: 6162 63  abc\n", (2, 1), "offset 00000010 behind 2 bytes"),
        ("00000000: 0a03  ..\n00000004: 61\n", (2, 1), "offset 00000004 behind 2 bytes"),
        ("00000000  0a 03  |..|\n*\n", (2, 1), "a \\* without an offset"),
        ("00000000  0a 03  |..|\n*\n*\n00000010\n", (2, 1), "a \\* without an offset"),
        ("00000000  0a 03  |..|\n*\n00000001\n", (2, 1), "no whole lines of 2"),
        ("00000000  0a 03  |..|\n*\n00000009\n", (2, 1), "no whole lines of 2"),
        ("00000000  0a 03  |..|\n*\nfffffff0\n", (2, 1), "more than"),
        ("00000000: 0a03\n00000002: zz\n", (2, 1), "something else than bytes"),
        ("00000000: 00001010 00000001 01100001  ..a\n00000003: 01100010  b\n", (2, 1), "behind 12 bytes"),
        ("0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n0000040\n", (3, 1), "more than one base"),
    ],
)
def test_dumps_with_something_missing_are_refused(text, place, words):
    with pytest.raises(EncodeError, match=words) as caught:
        decode(text)
    assert (caught.value.line, caught.value.column) == place


def xxd(data: bytes, width: int, group: int) -> str:
    """What `xxd -c width -g group` prints."""
    lines = []
    columns = 2 * width + (width + group - 1) // group
    for start in range(0, len(data), width):
        row = data[start : start + width]
        groups = " ".join(row[at : at + group].hex() for at in range(0, len(row), group))
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:08x}: {groups.ljust(columns)} {text}\n")
    return "".join(lines)


def hexdump(data: bytes) -> str:
    """What `hexdump -C` prints."""
    lines = []
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        halves = f"{row[:8].hex(' ').ljust(24)} {row[8:].hex(' ').ljust(24)}"
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:08x}  {halves} |{text}|\n")
    return "".join(lines) + f"{len(data):08x}\n"


ALIKE = st.one_of(st.binary(min_size=1, max_size=70), st.text("09af |>*:.", min_size=1, max_size=70).map(str.encode))


@given(ALIKE, st.integers(1, 20), st.integers(1, 4))
def test_whatever_the_bytes_xxd_is_read(data, width, group):
    assert decode(xxd(data, width, group)) == data


@given(ALIKE)
def test_whatever_the_bytes_hexdump_is_read(data):
    assert decode(hexdump(data)) == data


@pytest.mark.parametrize(
    "text",
    [
        "0 " * MIB,
        "0x" * MIB,
        "\\x" * MIB,
        "{0x" * MIB,
        "00000000: " * 100_000,
        "*\n" * MIB,
        "00000000\n" * 200_000,
        "00000000  " + "00  00   " * 100_000,
        "00000000  00\n" + "*\n00000000  00\n" * 100_000,
    ],
)
def test_large_text_that_is_hardly_hex_ends(text):
    try:
        assert set(decode(text)) == {0}
    except EncodeError as error:
        assert len(str(error)) < 250  # noqa: PT017  # an error is as good


@pytest.mark.parametrize("blank", [b"\n", b" \n", b"\r\n"])
def test_a_long_text_that_is_no_hex_is_refused_in_one_pass(blank):
    with pytest.raises(EncodeError):
        decode(b"0a" + blank * MIB + b"zz")


@pytest.mark.parametrize("text", [b"\t" * MIB + b"A\n00000001\n", b" |" * MIB + b"A"])
def test_a_line_of_a_dump_may_be_long(text):
    assert decode(b"00000000  41" + text) == b"A"
