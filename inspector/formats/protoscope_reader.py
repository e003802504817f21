"""Protoscope text to bytes.

The language is that of https://github.com/protocolbuffers/protoscope (language.txt): tokens, most of which stand for
bytes by themselves. Only three wait for others: a tag without a type takes it from the token behind it, `long-form:N`
changes the varint that follows, and the length in front of braces is known where they close. Where the document leaves
a question open, the answer is that of its program.

Invariant: one pass over the text; what is nested is a stack of open braces, so that its depth costs nothing.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from math import inf
from typing import NamedTuple, NoReturn

from inspector.formats.base import Conversion
from inspector.formats.position import BOM, character_at, error_at, quoted
from inspector.formats.protoscope_literals import pack_double, pack_float
from inspector.limits import MAX_LONG_FORM, MAX_SINGLE_MESSAGE
from inspector.wire.encode import varint, zigzag
from inspector.wire.scan import EGROUP, I32, I64, LEN, SGROUP, VARINT

_TOKEN = re.compile(
    rb"""
    (?P<blank>[ \t\r\n]+|\#[^\n]*)
    |(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+")
    |(?P<hex>`[^`]*+`)
    |(?P<word>[^ \t\r\n{}\[\]`"\#!]+)
    |(?P<length>\{)
    |(?P<close>\})
    |(?P<group>!\{)
    |(?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_INTEGER = re.compile(rb"(-?)(?:0x([0-9a-fA-F]+)|([0-9]+))(z|i32|i64)?(?::(\w*))?")
_DECIMAL = re.compile(rb"(-?[0-9]+\.[0-9]+(?:[eE]-?[0-9]+)?)(i32|i64)?")
_HEX_FLOAT = re.compile(rb"(-?0x[0-9a-fA-F]+\.[0-9a-fA-F]+(?:[pP]-?[0-9]+)?)(i32|i64)?")
_LONG_FORM = re.compile(rb"long-form:([0-9]+)")
_ESCAPE = re.compile(rb"""\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|([n"\\])|)""")

_WIRE_TYPES = {
    **{name: number for number, name in enumerate((b"VARINT", b"I64", b"LEN", b"SGROUP", b"EGROUP", b"I32"))},
    **{b"%d" % number: number for number in range(8)},
    **{b"0x%d" % number: number for number in range(8)},
}

_NAMED_VALUES = {
    b"false": (VARINT, b"\0"),
    b"true": (VARINT, b"\1"),
    b"inf32": (I32, struct.pack("<f", inf)),
    b"-inf32": (I32, struct.pack("<f", -inf)),
    b"inf64": (I64, struct.pack("<d", inf)),
    b"-inf64": (I64, struct.pack("<d", -inf)),
}

_SIMPLE_ESCAPES = {b"n": b"\n", b'"': b'"', b"\\": b"\\"}

_MASK_64 = (1 << 64) - 1
_MOST_DIGITS = 20
"""Digits of 2^64-1."""


class _Open(NamedTuple):
    """An open brace at an offset of the text. Either a length goes to `slot` of the output, for what is emitted from
    `start` on, in long form; or it is a group, and `end_tag` ends it."""

    offset: int
    slot: int
    start: int
    long_form: int
    end_tag: int | None


class _LongForm(NamedTuple):
    offset: int
    extra: int


def read(text: bytes, _: Conversion) -> Iterator[bytes]:
    """The one message that the text is. Raises EncodeError."""
    yield _Reader(text).run()


class _Reader:
    """What was read so far, and which tokens wait for others."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._out: list[bytes] = []
        self._size = 0
        self._open: list[_Open] = []
        self._long_form: _LongForm | None = None
        self._untyped = -1
        """Where in the output a tag lacks its wire type, or -1."""
        self._untyped_number = 0

    def run(self) -> bytes:
        handlers = {
            "string": self._string,
            "hex": self._hex,
            "word": self._word,
            "length": self._open_length,
            "close": self._close,
            "group": self._open_group,
            "stray": self._stray,
        }
        start = len(BOM) if self._text.startswith(BOM) else 0
        for match in _TOKEN.finditer(self._text, start):
            kind = match.lastgroup or ""
            if kind != "blank":
                handlers[kind](match[0], match.start())
        self._forbid_long_form()
        if self._open:
            self._fail(self._open[-1].offset, "this brace is not closed", "add a }")
        return b"".join(self._out)

    def _fail(self, offset: int, message: str, hint: str | None = None) -> NoReturn:
        raise error_at(self._text, offset, message, hint)

    def _emit(self, data: bytes, wire_type: int = VARINT) -> None:
        """Bytes that stand for themselves; a tag in front without a type takes theirs."""
        self._settle(wire_type)
        self._out.append(data)
        self._size += len(data)

    def _settle(self, wire_type: int) -> None:
        if self._untyped >= 0:
            tag = self._out[self._untyped]
            self._out[self._untyped] = bytes((tag[0] | wire_type,)) + tag[1:]
            self._untyped = -1

    def _forbid_long_form(self) -> None:
        """To be called before what cannot be in long form."""
        if self._long_form is not None:
            self._fail(self._long_form.offset, "long-form is not in front of a varint, a { or the } of a group")

    def _take_long_form(self) -> int:
        """Bytes by which the varint that comes now is to be longer."""
        if self._long_form is None:
            return 0
        offset, extra = self._long_form
        if self._size > MAX_SINGLE_MESSAGE:
            self._fail(offset, f"the message is longer than {MAX_SINGLE_MESSAGE} bytes")
        self._long_form = None
        return extra

    # --- strings and bytes ---------------------------------------------------------------------------------------

    def _string(self, token: bytes, offset: int) -> None:
        self._forbid_long_form()
        content = token[1:-1]
        if b"\\" in content:
            content = _ESCAPE.sub(lambda match: self._unescape(match, offset + 1), content)
        self._emit(content)

    def _unescape(self, match: re.Match[bytes], start: int) -> bytes:
        hex_digits, octal, simple = match.groups()
        if hex_digits:
            return bytes.fromhex(hex_digits.decode())
        if simple:
            return _SIMPLE_ESCAPES[simple]
        if octal is None:
            hint = r"known are \\ \" \n, \xNN with two hex digits, and one to three octal digits"
            self._fail(start + match.start(), "unknown escape in a string", hint)
        if int(octal, 8) > 0xFF:
            self._fail(start + match.start(), f"the escape {quoted(match[0])} is over 255, which no byte holds")
        return bytes((int(octal, 8),))

    def _hex(self, token: bytes, offset: int) -> None:
        self._forbid_long_form()
        digits = token[1:-1]
        odd = re.search(rb"[^0-9a-fA-F]", digits)
        if odd:
            self._fail(offset + 1 + odd.start(), f"{quoted(odd[0])} is no hex digit")
        if len(digits) % 2:
            self._fail(offset, f"{len(digits)} hex digits are no whole bytes", "write two digits for each byte")
        self._emit(bytes.fromhex(digits.decode()))

    # --- braces --------------------------------------------------------------------------------------------------

    def _open_length(self, _: bytes, offset: int) -> None:
        self._settle(LEN)
        extra = self._take_long_form()
        self._open.append(_Open(offset, len(self._out), self._size, extra, None))
        self._out.append(b"")

    def _open_group(self, _: bytes, offset: int) -> None:
        self._forbid_long_form()
        if self._untyped < 0:
            self._fail(offset, "!{ is not behind a tag without a type", "a group begins as in 1: !{")
        self._settle(SGROUP)
        self._open.append(_Open(offset, 0, 0, 0, self._untyped_number << 3 | EGROUP))

    def _close(self, _: bytes, offset: int) -> None:
        if not self._open:
            self._fail(offset, "this } closes nothing", "remove it")
        self._settle(VARINT)
        opened = self._open.pop()
        if opened.end_tag is not None:
            self._emit(long_varint(opened.end_tag, self._take_long_form()))
            return
        self._forbid_long_form()
        prefix = long_varint(self._size - opened.start, opened.long_form)
        self._out[opened.slot] = prefix
        self._size += len(prefix)

    def _stray(self, character: bytes, offset: int) -> None:
        if character == b'"':
            self._fail(offset, "this string is not closed", 'add a "')
        if character == b"`":
            self._fail(offset, "this hex literal is not closed", "add a `")
        if character == b"!":
            self._fail(offset, "! without a { behind it", "a group begins as in 1: !{")
        self._fail(offset, f"{character_at(self._text, offset)} begins no token")

    # --- words ---------------------------------------------------------------------------------------------------

    def _word(self, word: bytes, offset: int) -> None:
        integer = _INTEGER.fullmatch(word)
        if integer:
            self._integer_or_tag(integer, offset)
            return
        long_form = _LONG_FORM.fullmatch(word)
        if long_form:
            self._begin_long_form(long_form[1], offset)
            return
        self._forbid_long_form()
        if word in _NAMED_VALUES:
            wire_type, data = _NAMED_VALUES[word]
        else:
            wire_type, data = self._float(word, offset)
        self._emit(data, wire_type)

    def _begin_long_form(self, digits: bytes, offset: int) -> None:
        self._forbid_long_form()
        extra = _natural(digits, 10)
        if extra is None or extra > MAX_LONG_FORM:
            self._fail(offset, f"long-form of more than {MAX_LONG_FORM} bytes")
        self._long_form = _LongForm(offset, extra)

    def _integer_or_tag(self, match: re.Match[bytes], offset: int) -> None:
        minus, hex_digits, digits, suffix, wire_type = match.groups()
        magnitude = _natural(hex_digits, 16) if hex_digits else _natural(digits, 10)
        if magnitude is None or magnitude > (1 << 63 if minus else _MASK_64):
            self._fail(offset, f"{quoted(match[0])} does not fit in 64 bits")
        value = -magnitude if minus else magnitude
        if wire_type is not None:
            self._tag(value, suffix, wire_type, offset)
        elif suffix == b"i32":
            self._fixed32(value, offset)
        elif suffix == b"i64":
            self._forbid_long_form()
            self._emit((value & _MASK_64).to_bytes(8, "little"), I64)
        else:
            self._emit(long_varint(_as_written(value, suffix), self._take_long_form()))

    def _fixed32(self, value: int, offset: int) -> None:
        self._forbid_long_form()
        if not -(1 << 31) <= value < 1 << 32:
            self._fail(offset, f"{value} does not fit in 32 bits")
        self._emit((value & 0xFFFF_FFFF).to_bytes(4, "little"), I32)

    def _tag(self, number: int, suffix: bytes | None, type_name: bytes, offset: int) -> None:
        if suffix and suffix != b"z":
            self._fail(offset, "the field number of a tag cannot be fixed-width", f"leave out {suffix.decode()}")
        number = _signed(number)
        if not -(1 << 61) <= number < 1 << 61:
            self._fail(offset, "a field number of more than 61 bits leaves no room for the wire type")
        wire_type = _WIRE_TYPES.get(type_name, 0)
        if type_name and type_name not in _WIRE_TYPES:
            known = "VARINT, I64, LEN, SGROUP, EGROUP, I32 and the numbers 0 to 7"
            self._fail(offset, f"{quoted(type_name)} is no wire type", f"known are {known}")
        self._emit(long_varint(_as_written(number << 3 | wire_type, suffix), self._take_long_form()))
        if not type_name:
            self._untyped = len(self._out) - 1
            self._untyped_number = number

    def _float(self, word: bytes, offset: int) -> tuple[int, bytes]:
        match = _DECIMAL.fullmatch(word) or _HEX_FLOAT.fullmatch(word)
        if match is None:
            hint = 'text goes in quotes, "abc", and bytes in backquotes, `00ff`'
            self._fail(offset, f"{quoted(word)} is no token of protoscope", hint)
        text = match[1].decode()
        try:
            return (I32, pack_float(text)) if match[2] == b"i32" else (I64, pack_double(text))
        except OverflowError:
            bits = 32 if match[2] == b"i32" else 64
            self._fail(offset, f"{quoted(word)} is too large for a float of {bits} bits", f"infinity is inf{bits}")


def long_varint(value: int, extra: int) -> bytes:
    """A varint, `extra` bytes longer than it need be."""
    data = varint(value)
    if not extra:
        return data
    return data[:-1] + bytes((data[-1] | 0x80,)) + b"\x80" * (extra - 1) + b"\0"


def _natural(digits: bytes, base: int) -> int | None:
    """The number that the digits are; None where they are too many. (int() takes quadratic time, or refuses.)"""
    significant = digits.lstrip(b"0")
    return int(significant or b"0", base) if len(significant) <= _MOST_DIGITS else None


def _signed(value: int) -> int:
    """The number that the lower 64 bits are in two's complement."""
    value &= _MASK_64
    return value - (1 << 64) if value >> 63 else value


def _as_written(value: int, suffix: bytes | None) -> int:
    return zigzag(_signed(value)) if suffix == b"z" else value
