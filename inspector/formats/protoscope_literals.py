"""Values as protoscope text writes them.

Invariant: what a literal stands for is exactly the bytes or the number that it was made from, whatever they are; and
no control character, and nothing that reorders text, is in it.
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Iterator
from decimal import Decimal
from math import inf, isinf, isnan, nextafter

from inspector.wire.encode import unzigzag, varint
from inspector.wire.floats import shortest_float
from inspector.wire.kinds import NUMBERS
from inspector.wire.scan import I32, I64, VARINT

# Controls, separators of lines, marks of the bidirectional algorithm, bytes that are no UTF-8 (as surrogates), and the
# two characters that strings need for themselves.
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]')

_SHORT = {"\n": "\\n", '"': '\\"', "\\": "\\\\"}

LINE_BYTES = 32
"""Bytes of a hex literal on one line."""

LINE_CHARACTERS = 1_000
"""Characters of a string on one line; text is broken at its own line ends before that."""

_BELOW_TIE = (1 << 28) - 1
"""The bits of a double that are zero where it lies in the middle of two floats (and in few others)."""

_SUFFIXES = {VARINT: "", I32: "i32", I64: "i64"}

_BOOLS = {0: "false", 1: "true"}


def long_form(size: int, value: int) -> str:
    """What goes in front of a varint of `size` bytes: nothing where it is minimal."""
    if size == 1:
        return ""
    extra = size - len(varint(value))
    return f"long-form:{extra} " if extra else ""


def varint_literal(value: int, kind: str, size: int) -> str:
    """A varint of 64 bits, `size` bytes long, read as a kind of `wire.kinds`."""
    if kind == "bool" and value in _BOOLS and size == 1:
        return _BOOLS[value]
    prefix = long_form(size, value)
    if kind.startswith("sint"):
        return f"{prefix}{unzigzag(value)}z"
    unsigned = kind.startswith("uint") or value < 1 << 63
    return f"{prefix}{value if unsigned else value - (1 << 64)}"


def fixed_literal(value: int, kind: str, wire_type: int) -> str:
    """A value of 4 or 8 bytes (as an unsigned number), read as a kind of `wire.kinds`."""
    if kind == "float" and wire_type == I32:
        return _float(struct.unpack("<f", value.to_bytes(4, "little"))[0], value, I32)
    if kind == "double" and wire_type == I64:
        return _float(struct.unpack("<d", value.to_bytes(8, "little"))[0], value, I64)
    known = NUMBERS.get(kind)
    shown = known.read(value) if known is not None and known.wire_type == wire_type else value
    return f"{shown}{_SUFFIXES[wire_type]}"


def _float(number: float, bits: int, wire_type: int) -> str:
    suffix = _SUFFIXES[wire_type]
    if isinf(number):
        return f"{'-' if number < 0 else ''}inf{suffix[1:]}"
    if not isnan(number):
        if wire_type == I64:
            return _decimal(number)
        text = _decimal(shortest_float(number) if number else number)
        if pack_float(text) == bits.to_bytes(4, "little"):
            return text + suffix
    return f"{bits:#x}{suffix}"  # there are many NaNs


def _decimal(number: float) -> str:
    """A decimal with a point and an exponent without a plus sign: both are what the language asks for."""
    digits, exponent_sign, exponent = repr(number).partition("e")
    point = "" if "." in digits else ".0"
    return f"{digits}{point}{exponent_sign}{exponent.removeprefix('+')}"


def pack_double(text: str) -> bytes:
    """The 8 bytes of a decimal or hex float. Raises OverflowError."""
    number = float.fromhex(text) if "x" in text else float(text)
    if isinf(number):
        raise OverflowError
    return struct.pack("<d", number)


def pack_float(text: str) -> bytes:
    """The 4 bytes of a decimal or hex float, rounded once. Raises OverflowError."""
    data = pack_double(text)
    number: float = struct.unpack("<d", data)[0]
    if number and int.from_bytes(data, "little") & _BELOW_TIE == 0 and "x" not in text:
        # The double may lie just in the middle of two floats, and the decimal on either side of it.
        exact, rounded = Decimal(text), Decimal(number)
        if exact != rounded:
            number = nextafter(number, inf if exact > rounded else -inf)
    return struct.pack("<f", number)


def is_text(data: bytes) -> bool:
    """Whether bytes are better shown as text: printable throughout, the last character perhaps cut."""
    try:
        text, _ = codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        return False
    return bool(text) and re.sub("[\n\r\t\u200c\u200d]", "", text).isprintable()


def bytes_literals(data: bytes) -> Iterator[str]:
    """Literals that together stand for the bytes: strings where they are text."""
    return string_literals(data) if is_text(data) else hex_literals(data)


def string_literals(data: bytes) -> Iterator[str]:
    """Strings that together stand for the bytes: one, unless it is long."""
    text = data.decode("utf-8", "surrogateescape")
    pieces = text.splitlines(keepends=True) if len(text) > LINE_CHARACTERS // 10 else [text]
    for piece in pieces:
        for start in range(0, len(piece), LINE_CHARACTERS):
            yield f'"{_ESCAPED.sub(_escape, piece[start : start + LINE_CHARACTERS])}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    short = _SHORT.get(character)
    return short or "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def hex_literals(data: bytes) -> Iterator[str]:
    """Hex literals of bounded length that together stand for the bytes."""
    for start in range(0, len(data), LINE_BYTES):
        yield f"`{data[start : start + LINE_BYTES].hex()}`"
