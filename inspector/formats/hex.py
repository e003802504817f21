"""Hex digits, plain or in one of the forms in which programs print bytes.

Read are pairs of digits with white space, colons, commas or dashes between them or not, `0x0801`, `\\x08\\x01`, arrays
of C and its kin (`{0x08, 0x01}`), and dumps with offsets (`hex_dump`).

Invariant: digits are read as bytes only where every character of the text is accounted for; else there is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inspector.errors import InputError
from inspector.formats.base import Conversion
from inspector.formats.hex_dump import read_dump
from inspector.formats.position import BOM, character_at, error_at, is_binary, quoted

LINE_BYTES = 16
"""Bytes of a line where the output is laid out for reading."""

_HEX = rb"[0-9a-fA-F]"
_WRAPPED = re.compile(rb"\s*+%b++(?:[^\S\n]*+\n\s*+%b++)*+\s*+" % (_HEX, _HEX))
_PIECE = re.compile(rb"[\s:,;\-]++|(0[xX]|\\x)?(%b++)" % _HEX)
_FOREIGN = re.compile(rb"[^0-9a-fA-F\s:,;\-xX\\]")
_ESCAPED_PIECE = re.compile(rb"""[\s"',;]++|\\(?:\r?\n|x(%b{2}))""" % _HEX)
_ESCAPED_START = re.compile(rb"""\s*[bB]?(?=["'])""")
_QUOTED = re.compile(rb"""\s*[xX]?(["'])([^"']*)\1[\s;,]*""")
_ARRAY = re.compile(rb"[{\[]\s*((?:\(byte\)\s*)?0[xX][^{}\[\]]*)[}\]]")
_ELEMENT = re.compile(rb"[\s,]++|/\*.*?\*/|//[^\n]*|\(byte\)|0[xX](%b{1,2})[uU]?(?![0-9a-zA-Z_])" % _HEX, re.DOTALL)


def read(text: bytes, _: Conversion) -> Iterator[bytes]:
    """The one message that the text is. Raises EncodeError, and InputError for what is no text."""
    if is_binary(text):
        raise InputError("the input is not hex", hint="expected are pairs of hex digits")
    yield _decode(text)


def _decode(text: bytes) -> bytes:
    text = text.removeprefix(BOM)
    dumped = read_dump(text)
    if dumped is not None:
        return dumped
    array = _ARRAY.search(text)
    if array:
        return _elements(text, *array.span(1), _ELEMENT, "write each element of the array as 0xHH")
    start = _ESCAPED_START.match(text)
    if text.count(b"\\x") > 1:
        hint = "write each byte as \\xHH; a string with text in it is no hex"
        return _elements(text, start.end() if start else 0, len(text), _ESCAPED_PIECE, hint)
    quotes = _QUOTED.fullmatch(text)
    return _plain(text, *quotes.span(2)) if quotes else _plain(text, 0, len(text))


def _plain(text: bytes, offset: int, end: int) -> bytes:
    if _WRAPPED.fullmatch(text, offset, end):
        return _pairs(text, offset, b"".join(text[offset:end].split()))
    data = bytearray()
    foreign = _FOREIGN.search(text, offset, end)
    while offset < end:
        match = None if foreign else _PIECE.match(text, offset, end)
        if match is None:
            offset = foreign.start() if foreign else offset
            raise error_at(text, offset, f"{character_at(text, offset)} is no hex digit", _EXPECTED)
        prefix, digits = match.groups()
        if digits:
            data += bytes((int(digits, 16),)) if prefix and len(digits) == 1 else _pairs(text, offset, digits)
        offset = match.end()
    return bytes(data)


_EXPECTED = "expected are pairs of the digits 0-9 and a-f, or the output of xxd, hexdump or od"


def _pairs(text: bytes, offset: int, digits: bytes) -> bytes:
    if len(digits) % 2:
        message = f"{quoted(digits)} is an odd number of hex digits ({len(digits)})"
        raise error_at(text, offset, message, "two digits make a byte")
    return bytes.fromhex(digits.decode())


def _elements(text: bytes, offset: int, end: int, element: re.Pattern[bytes], hint: str) -> bytes:
    data = bytearray()
    while offset < end:
        match = element.match(text, offset, end)
        if match is None:
            raise error_at(text, offset, f"{character_at(text, offset)} is not part of a byte in hex", hint)
        if match[1]:
            data.append(int(match[1], 16))
        offset = match.end()
    return bytes(data)


def write(data: bytes, conversion: Conversion) -> bytes:
    """One line of digits; with an indentation asked for, lines of 16 bytes with spaces between them."""
    if conversion.indent is None:
        return data.hex().encode() + b"\n"
    starts = range(0, len(data), LINE_BYTES)
    return b"".join(data[start : start + LINE_BYTES].hex(" ").encode() + b"\n" for start in starts)
