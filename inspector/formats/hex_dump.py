"""Hex dumps with offsets: those of xxd, hexdump, od, gdb, tshark and their like.

    00000010: 3839 1206 2020 6361  89..  ca            xxd: groups of bytes, two spaces, text
    00000010  38 39 12 06 20 20 63 61  |89..  ca|      hexdump -C; od -t x1z has one space and >89..  ca<
    0000010 3938 0612 2020 6163                        hexdump, od -x: words in the byte order of the machine

The text beside the digits may hold digits too, so that it is the offsets by which a dump is told and read: each says
how many bytes were before it. They may be hex, decimal or octal, and begin anywhere. A line `*` stands for repetitions
of the line before it.

Invariant: a text is taken for a dump only where all its offsets agree with its bytes; then no byte is lost or made up.
"""

from __future__ import annotations

import re
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from inspector.formats.position import error_at
from inspector.limits import MAX_MESSAGE

_LINE = re.compile(rb"[ \t]*(?:0x)?([0-9a-fA-F]{4,16})(?:(:)(?=[ \t]|$)|(?=[ \t]|$))(.*)")
_TEXT_COLUMN = re.compile(rb"(?<![ \t])[ \t]++[|>]| {3,}")
_TEXT_START = re.compile(rb"[ \t][|>]")
_SPACED_WORDS = re.compile(rb"[0-9a-fA-F]+( {2,})[0-9a-fA-F]+(?:\1[0-9a-fA-F]+)+")
_GROUP = re.compile(rb"(?:0[xX])?([0-9a-fA-F]+)")
_REPEATED = b"*"
_BASES = (16, 10, 8)

_OD_DIGITS = 7
"""Digits of the offsets of od, in whichever base. (hexdump has so many too where it prints words, in hex.)"""

_TEXT_FRAME = 3
"""Characters that a text beside the digits may have more than there are bytes: delimiters, a gap in the middle."""


_MOST_GAPS = 4
"""Gaps of a line behind which its text is sought: there is one in the middle of the digits, and that in front of it."""


class _Line(NamedTuple):
    """A line of a dump: its offset as text, and the rest of it. `start` is where it begins in the input."""

    start: int
    offset: bytes
    has_colon: bool
    rest: bytes

    @property
    def is_repetition(self) -> bool:
        return not self.offset

    @property
    def word_size(self) -> int:
        """Bytes of a group of digits."""
        return len(self.rest.split(maxsplit=1)[0]) // 2 if self.rest else 0

    def is_marked(self) -> bool:
        """Whether the line shows by itself that it is one of a dump."""
        return self.has_colon or (self.rest.endswith((b"|", b"<")) and _TEXT_START.search(self.rest[:-1]) is not None)


def read_dump(text: bytes) -> bytes | None:
    """The bytes that a dump shows; None where the text is no dump. Raises EncodeError for one with bytes missing."""
    lines = _split(text)
    if lines is None or not _is_likely(lines):
        return None
    found: dict[int, bytes] = {}
    misfits = []
    for base in _BASES:
        try:
            found[base] = _Reading(lines, base).run()
        except _Misfit as misfit:
            misfits.append(misfit.args)
    if found:
        return _choose(text, lines, found)
    if not lines[0].is_marked():
        return None
    index, message = max(misfits, key=itemgetter(0))
    raise error_at(text, lines[index].start, message, "each offset is to be that of the line before, and its bytes")


def _choose(text: bytes, lines: list[_Line], found: dict[int, bytes]) -> bytes:
    """The one reading; where offsets fit in more bases, that of the program which prints them so."""
    octal = len(lines[0].offset) == _OD_DIGITS
    if len(set(found.values())) == 1 or not octal:
        return next(iter(found.values()))
    if 8 in found and lines[0].word_size == 1:
        return found[8]
    message = "the offsets of this dump can be read in more than one base, and then mean other bytes"
    raise error_at(text, lines[-1].start, message, "dump with -v, and with -A x where od is used")


class _Misfit(Exception):
    """Offsets and bytes do not agree. The arguments: the line where that shows, and what is wrong."""


def _split(text: bytes) -> list[_Line] | None:
    lines = []
    start = 0
    for raw in text.split(b"\n"):
        line = raw.rstrip()
        match = _LINE.fullmatch(line)
        if match:
            lines.append(_Line(start, match[1], bool(match[2]), match[3]))
        elif line == _REPEATED and lines:
            lines.append(_Line(start, b"", False, b""))
        elif line:
            return None
        start += len(raw) + 1
    return lines


def _is_likely(lines: list[_Line]) -> bool:
    """Whether the first groups of the lines can be offsets, before they are compared with what is behind them."""
    if not any(line.rest for line in lines):
        return False
    first = lines[0]
    if len(lines) > 1 or first.is_marked():
        return True
    # One line by itself: its first group is an offset where it cannot be bytes, or stands apart.
    return not first.offset.strip(b"0") and (len(first.offset) % 2 == 1 or first.rest.startswith(b"  "))


class _Reading:
    """The lines of a dump, read with offsets of one base."""

    def __init__(self, lines: list[_Line], base: int) -> None:
        self._lines = lines
        self._base = base
        self._origin = self._offset(0)
        self._data = bytearray()

    def run(self) -> bytes:
        """The bytes. Raises _Misfit."""
        last = b""
        for index, line in enumerate(self._lines):
            if line.is_repetition:
                self._data += self._repeated(last, index)
                continue
            self._check_offset(index)
            found = _line_bytes(line, self._size(index))
            if found is None:
                raise _Misfit(index, "behind this offset is something else than bytes in hex")
            last = found
            self._data += last
        return bytes(self._data)

    def _offset(self, index: int) -> int:
        try:
            return int(self._lines[index].offset, self._base)
        except ValueError:
            raise _Misfit(-1, f"line {index + 1} has an offset of another base") from None

    def _next_offset(self, index: int) -> int | None:
        following = index + 1
        is_offset = following < len(self._lines) and not self._lines[following].is_repetition
        return self._offset(following) if is_offset else None

    def _size(self, index: int) -> int | None:
        """How many bytes the offset of the next line gives a line."""
        after = self._next_offset(index)
        return None if after is None else after - self._offset(index)

    def _check_offset(self, index: int) -> None:
        line, data = self._lines[index], self._data
        surplus = self._origin + len(data) - self._offset(index)
        if not surplus:
            return
        # Words are printed whole: the offset at the end tells how many bytes of the last one there were.
        is_end_of_words = not line.rest and 0 < surplus < self._lines[index - 1].word_size
        if not is_end_of_words or any(data[-surplus:]):
            first = self._lines[0].offset.decode()
            raise _Misfit(index, f"offset {line.offset.decode()} behind {len(data)} bytes from {first} on")
        del data[-surplus:]

    def _repeated(self, last: bytes, index: int) -> bytes:
        """The lines that a `*` stands for, up to the next offset."""
        after = self._next_offset(index)
        if after is None:
            raise _Misfit(index, "a * without an offset behind it does not tell how many lines it stands for")
        missing = after - self._origin - len(self._data)
        if not last or missing <= 0 or missing % len(last):
            raise _Misfit(index, f"a * that stands for {missing} bytes: no whole lines of {len(last)}")
        if missing + len(self._data) > MAX_MESSAGE:
            raise _Misfit(index, f"a * that stands for {missing} bytes: more than {MAX_MESSAGE} are not made")
        return last * (missing // len(last))


def _line_bytes(line: _Line, size: int | None) -> bytes | None:
    """The bytes of a line. Where its digits end and its text begins is told by the layout, or else by its `size` or by
    the length of the text. None where there are no such bytes."""
    rest = line.rest.strip(b" \t")
    column = re.search(b"  " if line.has_colon else _TEXT_COLUMN, rest)
    if not line.has_colon and _SPACED_WORDS.fullmatch(rest):
        return _digits(rest, False)
    gaps = islice(re.finditer(rb"[ \t]{2,}", rest), _MOST_GAPS)
    for gap in (column, *gaps) if column else gaps:
        data = _digits(rest[: gap.start()], line.has_colon)
        if data is None or len(rest) - gap.end() > len(data) + _TEXT_FRAME:
            continue
        if size is None and (column or len(rest) - gap.end() == len(data)):
            return data
        if size is not None and 0 <= len(data) - size < line.word_size:
            return data
    found = _digits(rest, line.has_colon)
    if found is None and column:
        found = _digits(rest[: column.start()], line.has_colon)
        return None if found is not None and len(found) == size else found
    return found


def _digits(area: bytes, has_colon: bool) -> bytes | None:
    """The bytes of groups of digits; None where these are not whole bytes in hex."""
    data = bytearray()
    for group in area.split():
        match = _GROUP.fullmatch(group)
        if match is None or len(match[1]) % 2:
            return None
        word = bytes.fromhex(match[1].decode())
        data += word if has_colon else word[::-1]
    return bytes(data)
