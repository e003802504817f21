"""How entries of a binary log stand in a file, which proposal A16 leaves open: each behind its length.

grpc-go writes the length as four bytes, big-endian (internal/binarylog/sink.go); grpc-java as a varint
(`writeDelimitedTo`). The first entry tells which.

Invariant: damage costs what is damaged. Where no entry can be read, the next place is sought at which one stands
beyond doubt; a place is looked at a bounded number of times, so that any input takes linear time.
"""

from __future__ import annotations

import re

from inspector import limits
from inspector.model.problem import Problem
from inspector.net.buffer import Buffer
from inspector.sources.binlog_entry import CLIENT_HEADER, Entry, LoggedHeader, looks_like_entry, read_entry
from inspector.sources.delimited import MAX_PREFIX, read_length

FIXED, VARINT = "fixed", "varint"
"""The two ways to write a length."""

FIXED_SIZE = 4

_MAX_ENTRY = limits.MAX_MESSAGE + limits.MAX_HEADER_LIST
"""An entry holds one message at most; what claims to be longer is damage."""

_HEAD = 64
"""Bytes that show whether an entry begins: its first five fields take 50 at most."""

_BEGINNING = re.compile(rb"\x0a[\x02-\x16]\x08")
"""How entries begin: with the timestamp, and that with its seconds."""


def framing_of(head: bytes, *, whole: bool) -> str | None:
    """How lengths are written in a log that begins with `head` (and ends with it, if `whole`); None if it is none."""
    for framing in (FIXED, VARINT):
        length, start = _length(framing, head, 0)
        if start > 0 and 0 < length <= _MAX_ENTRY:
            end = min(start + length, len(head))
            is_there = start + length <= len(head)
            if looks_like_entry(head, start, end, whole=is_there) or (is_there and _opens_call(head, start, end)):
                return framing
    return None


def _opens_call(data: bytes, start: int, end: int) -> bool:
    """Whether `data[start:end]` is the header of a call: what writes logs may leave out times or numbers."""
    entry = read_entry(data, start, end, 0)
    if entry is None or entry.kind != CLIENT_HEADER or not isinstance(entry.payload, LoggedHeader):
        return False
    return (entry.payload.method or "").startswith("/")


def detect(head: bytes, whole: bool) -> bool:
    """The first entry tells itself: no other message has just its fields."""
    return framing_of(head, whole=whole) is not None


class EntryReader:
    """Bytes of a log -> entries, and problems where there are none."""

    def __init__(self) -> None:
        self._buffer = Buffer()
        self._framing: str | None = None
        self._base = 0  # of what the buffer holds
        self._lost_at = -1  # where the place was lost; -1: it is known
        self._has_all_fields = True  # the first entry, and so others too
        self._closing = False
        self._needed = 0  # bytes that it takes to go on

    def feed(self, data: bytes) -> list[Entry | Problem]:
        held = self._buffer.feed(data)
        return self._read(held) if held else []

    def close(self) -> list[Entry | Problem]:
        self._closing = True
        found = self._read(self._buffer.take())
        self._note_loss(self._base, found)
        return found

    def _read(self, held: bytes) -> list[Entry | Problem]:
        found: list[Entry | Problem] = []
        at, self._needed = 0, 0
        while at < len(held) and not self._needed:
            if self._lost_at >= 0:
                at = self._regain(held, at, found)
            elif self._framing is None:
                self._begin(held)
            else:
                at = self._step(self._framing, held, at, found)
        self._base += at
        self._buffer.keep(held[at:], self._needed)
        return found

    def _begin(self, held: bytes) -> None:
        """Finds out how lengths are written, once the first entry is there; where none is, the next one is sought."""
        self._framing = framing_of(held, whole=self._closing)
        if self._framing is not None:
            length, start = _length(self._framing, held, 0)
            end = min(start + length, len(held))
            self._has_all_fields = looks_like_entry(held, start, end, whole=start + length <= len(held))
            return
        self._needed = min(filter(None, (_needed(framing, held) for framing in (FIXED, VARINT))), default=0)
        if self._closing or not self._needed:
            self._lost_at, self._needed = 0, 0

    def _step(self, framing: str, held: bytes, at: int, found: list[Entry | Problem]) -> int:
        """Reads the entry at `at`; where to go on, or the same place where more bytes are needed."""
        length, start = _length(framing, held, at)
        end = start + length
        if start < 0 and len(held) - at < MAX_PREFIX:
            return self._wait(held, at, len(held) - at + 1, "its length", found)
        if start < 0 or not 0 < length <= _MAX_ENTRY:
            return self._lose(at)
        if end > len(held):
            is_entry = not self._has_all_fields or looks_like_entry(held, start, len(held), whole=False)
            if len(held) - start >= _HEAD and not is_entry:
                return self._lose(at)
            return self._wait(held, at, end - at, f"{len(held) - start} of the {length} bytes", found)
        entry = read_entry(held, start, end, self._base)
        if entry is None:
            return self._lose(at)
        found.append(entry)
        return end

    def _wait(self, held: bytes, at: int, needed: int, what: str, found: list[Entry | Problem]) -> int:
        """The entry at `at` is not all there. Behind a length that is damaged there may be others."""
        if not self._closing:
            self._needed = needed
            return at
        if self._find(held, at + 1) is not None:
            return self._lose(at)
        found.append(Problem("log_truncated", f"the log ends within an entry, after {what}", offset=self._base + at))
        return len(held)

    def _lose(self, at: int) -> int:
        """What stands here is no entry; where to look on."""
        self._lost_at = self._base + at
        return at + 1

    def _regain(self, held: bytes, at: int, found: list[Entry | Problem]) -> int:
        """Goes to the next entry that stands there beyond doubt."""
        place = self._find(held, at)
        if place is not None:
            at, self._framing = place
            self._note_loss(self._base + at, found)
            return at
        if self._closing:
            return len(held)
        at = max(at, len(held) - _HEAD)
        self._needed = len(held) - at + 1
        return at

    def _note_loss(self, until: int, found: list[Entry | Problem]) -> None:
        if 0 <= self._lost_at < until:
            text = f"{until - self._lost_at} bytes are no log entries"
            found.append(Problem("log_damaged", text, offset=self._lost_at))
        self._lost_at = -1

    def _find(self, held: bytes, at: int) -> tuple[int, str] | None:
        """Where the next entry stands, and how lengths are written there; None where none does, as far as is known."""
        for match in _BEGINNING.finditer(held, at):
            for framing in (FIXED, VARINT) if self._framing is None else (self._framing,):
                place = self._place_of(framing, held, at, match.start())
                if place >= 0:
                    return place, framing
        return None

    def _place_of(self, framing: str, held: bytes, at: int, start: int) -> int:
        """Where the length of an entry stands whose content may begin at `start`; -1 where none does."""
        for size in (FIXED_SIZE,) if framing == FIXED else range(1, MAX_PREFIX + 1):
            place = start - size
            if place < at:
                continue
            length, content = _length(framing, held, place)
            end = start + length
            if content != start or not 0 < length <= _MAX_ENTRY or (end > len(held) and self._closing):
                continue
            if looks_like_entry(held, start, min(end, len(held)), whole=end <= len(held)):
                return place
        return -1


def _length(framing: str, data: bytes, at: int) -> tuple[int, int]:
    """The length at `at`, and where it ends; (0, -1) where it is not whole or too long."""
    if framing == VARINT:
        return read_length(data, at)
    if len(data) - at < FIXED_SIZE:
        return 0, -1
    return int.from_bytes(data[at : at + FIXED_SIZE], "big"), at + FIXED_SIZE


def _needed(framing: str, head: bytes) -> int:
    """How many bytes it takes to tell whether the first header of a log begins with `head`; 0: it is none."""
    length, start = _length(framing, head, 0)
    if start < 0:
        return len(head) + 1 if len(head) < MAX_PREFIX else 0
    return start + length if 0 < length <= limits.MAX_HEADER_LIST and start + length > len(head) else 0
