"""Bytes that a program holds in the form of text: what generated code does with a serialized descriptor.

- string literals with escapes: Python, C++, Java, Go, Ruby, PHP, Rust (`"\\n\\017google/..."`, in pieces or whole);
- lists of numbers: Go and C (`0x0a, 0x1f, ...`);
- base64: TypeScript and C# sources, and in UTF-16 C# assemblies;
- the constant pool of a Java class (JVM specification, 4.4.7): a string of characters below 256, one for each byte.

Invariant: linear in the bytes searched; nothing here is evaluated, only unescaped.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

from inspector.schema.extract_finder import Buffer, narrowed

_CLASS_MAGIC, _FIRST_VERSION = b"\xca\xfe\xba\xbe", 45
"""A class file, and the least version that it may have. (In a Mach-O file the number of its parts is there.)"""

_START = re.compile(rb"""["'](?=\\(?:n|x0[aA]|012|u000[aA]))""")
"""Begins a literal whose first character is a line feed, the tag of a descriptor's name."""

_PIECES = {quote: re.compile(rb"%c((?:[^%c\\\n]|\\.)*+)(%c)?" % (quote, quote, quote), re.DOTALL) for quote in b"\"'"}
"""A literal by its quote; the second group is empty where it has no end."""

_JOINED = re.compile(rb"""[\s+,.\\]*+[bB]?(?=["'])""")
"""Stands between literals that are joined."""

_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|u00([0-9a-fA-F]{2})|(.))", re.DOTALL)
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}

_NUMBERS = re.compile(rb"0x(?:0[aA]|1[fF]),\s*+0x[0-9a-fA-F]{1,2},(?:\s*+0x[0-9a-fA-F]{1,2}\s*+,?)*+")
"""The first is the tag of the name, or the first byte of gzip."""

_BASE64 = re.compile(rb"""["'`]C[g-v][A-Za-z0-9+/_-]{14,}+=*+["'`](?:[\s+,]*+["'`][A-Za-z0-9+/_=-]++["'`])*+""")
_BASE64_UTF16 = re.compile(
    rb"C\0[g-v]\0(?:[A-Za-z0-9+/]\0){14,}+(?:=\0)*+"
    rb"(?:[\0\1](?:[\x01-\x7f]|[\x80-\xbf].)(?:[A-Za-z0-9+/]\0)++(?:=\0)*+)*+",
    re.DOTALL,
)
"""Base64 begins with `Cg` to `Cv` where the bytes begin with a line feed. Pieces of it lie behind each other in the
heap of strings of an assembly, each behind its length (ECMA-335, II.24.2.4)."""

_PIECE_UTF16 = re.compile(rb"(?:[A-Za-z0-9+/]\0)++(?:=\0)*+")


_STANDARD_BASE64 = bytes.maketrans(b"-_", b"+/")


class Literal(NamedTuple):
    """The bytes that stand for text at `offset`; `form` says how."""

    offset: int
    content: bytes
    form: str


def literals(data: Buffer) -> Iterator[Literal]:
    """What the literals of a source text may hold."""
    yield from _strings(data)
    for match in _NUMBERS.finditer(data):
        numbers = (int(each, 16) for each in re.findall(rb"0x([0-9a-fA-F]{1,2})", match[0]))
        yield Literal(match.start(), bytes(numbers), "numbers")
    for match in _BASE64.finditer(data):
        yield _from_base64(match.start(), re.sub(rb"[^A-Za-z0-9+/_-]+", b"", match[0]))


def _strings(data: Buffer) -> Iterator[Literal]:
    endless: dict[int, int] = {}  # by quote: up to where none has an end. (A quote in such a literal is escaped.)
    start = _START.search(data)
    while start is not None:
        at, pieces = start.start(), list[bytes]()
        joined: re.Match[bytes] | None = start
        while joined is not None:
            quote = data[at]
            piece = _PIECES[quote].match(data, at) if at >= endless.get(quote, 0) else None
            if piece is None or piece[2] is None:
                endless[quote] = piece.end() if piece else endless[quote]
                break
            pieces.append(_unescaped(piece[1]))
            joined = _JOINED.match(data, piece.end())
            at = joined.end() if joined else piece.end()
        if pieces:
            yield Literal(start.start(), b"".join(pieces), "literal")
        start = _START.search(data, max(at, start.end()))


def utf16_literals(data: Buffer) -> Iterator[Literal]:
    """What base64 in UTF-16 may hold."""
    for match in _BASE64_UTF16.finditer(data):
        pieces = b"".join(each[0] for each in _PIECE_UTF16.finditer(match[0]))
        yield _from_base64(match.start(), pieces.replace(b"\0", b"").replace(b"=", b""))


def is_class(data: Buffer) -> bool:
    """Whether it is a Java class."""
    return data[:4] == _CLASS_MAGIC and int.from_bytes(data[6:8], "big") >= _FIRST_VERSION


def class_constants(data: Buffer) -> Literal:
    """The strings of a Java class joined, as far as they can stand for bytes."""
    return Literal(0, b"".join(_class_strings(data)), "constant pool")


def _class_strings(data: Buffer) -> Iterator[bytes]:
    position, left = 10, int.from_bytes(data[8:10], "big") - 1
    while left > 0 and position < len(data):
        tag = data[position]
        if tag == 1:
            end = position + 3 + int.from_bytes(data[position + 1 : position + 3], "big")
            yield narrowed(data[position + 3 : end])
            position = end
        elif tag in _CONSTANT_SIZES:
            position += _CONSTANT_SIZES[tag]
        else:
            return
        left -= 2 if tag in (5, 6) else 1


_CONSTANT_SIZES = {
    3: 5,
    4: 5,
    5: 9,
    6: 9,
    7: 3,
    8: 3,
    9: 5,
    10: 5,
    11: 5,
    12: 5,
    15: 4,
    16: 3,
    17: 5,
    18: 5,
    19: 3,
    20: 3,
}
"""Bytes of a constant that is no string, by its tag (JVM specification, 4.4)."""


def _unescaped(literal: bytes) -> bytes:
    return _ESCAPE.sub(_escaped_bytes, literal)


def _escaped_bytes(match: re.Match[bytes]) -> bytes:
    hexadecimal, octal, unicode, other = match.groups()
    if other is not None:
        return _CONTROL.get(other, other)
    return bytes((int(octal, 8) & 0xFF if octal else int(hexadecimal or unicode, 16),))


def _from_base64(offset: int, text: bytes) -> Literal:
    text = text.translate(_STANDARD_BASE64)
    whole = len(text) - (len(text) % 4 == 1)
    return Literal(offset, binascii.a2b_base64(text[:whole] + b"=" * (-whole % 4)), "base64")
