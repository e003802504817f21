"""Text that comes bit by bit, cut into pieces that hold one message each, as soon as each is there.

JSON documents follow one another; YAML ones stand between lines of `---`; texts in the other readable forms are
separated by U+001E, as grpcurl has it: before one, nothing is a message too, an empty one. Bytes and dumps of them are
one piece.

Invariant: what comes out does not depend on how the text was cut when it came in.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from enum import Enum

from inspector.errors import InputError
from inspector.limits import MAX_MESSAGE, MIB

MOST_TEXT = 4 * MAX_MESSAGE
"""Bytes of the text of one message: what JSON makes of a message is seldom four times as long."""


class MessageStream(ABC):
    """Cuts a stream of text. `feed` gives pieces, and so does `close`, none of which is empty then."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces that are whole now. Raises InputError for one that is too long."""
        self._rest += data
        found = self._take()
        if len(self._rest) > MOST_TEXT:
            raise InputError(f"a message is longer than {MOST_TEXT // MIB} MiB", hint="is there an end to it?")
        return found

    def close(self) -> list[bytes]:
        """What is left at the end, whole or not: whoever reads it says what is wrong with it."""
        rest = bytes(self._rest)
        self._rest.clear()
        return [rest] if rest.strip() else []

    @abstractmethod
    def _take(self) -> list[bytes]:
        """Takes what is whole from the beginning of the rest."""


class Whole(MessageStream):
    """One message, whatever comes."""

    def _take(self) -> list[bytes]:
        return []


class Separated(MessageStream):
    """Messages with something between them, which stays at the end of the first. `may_be_empty` where nothing before a
    separator is a message."""

    def __init__(self, separator: re.Pattern[bytes], longest: int, *, may_be_empty: bool = False) -> None:
        super().__init__()
        self._separator = separator
        self._overlap = longest - 1
        self._may_be_empty = may_be_empty
        self._at = 0

    def _take(self) -> list[bytes]:
        found = []
        start = 0
        while mark := self._separator.search(self._rest, self._at):
            self._at = mark.end()
            found.append(bytes(self._rest[start : self._at]).removesuffix(b"\x1e"))
            start = self._at
        del self._rest[:start]
        self._at = max(0, len(self._rest) - self._overlap)
        return [each for each in found if self._may_be_empty or not _is_empty(each)]

    def close(self) -> list[bytes]:
        return [each for each in super().close() if not _is_empty(each)]


def _is_empty(text: bytes) -> bool:
    return text.strip() in (b"", b"---")


class _State(Enum):
    """Where in JSON text the next byte stands. The value is the pattern of what ends that."""

    BETWEEN = re.compile(rb"[^ \t\r\n]")
    SCALAR = re.compile(rb'[\[\]{}" \t\r\n]')
    INSIDE = re.compile(rb'[\[\]{}"]')
    STRING = re.compile(rb'["\\]')
    ESCAPE = re.compile(rb"(?s).")


class JsonDocuments(MessageStream):
    """JSON documents, with or without space between them. Brackets are counted, not matched: a document that is not
    JSON is found out by whoever reads it."""

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._depth = 0
        self._state = _State.BETWEEN

    def _take(self) -> list[bytes]:
        found = []
        start = 0
        while mark := self._state.value.search(self._rest, self._at):
            if self._state is _State.SCALAR:
                self._at, self._state = mark.start(), _State.BETWEEN
            else:
                self._at, self._state = mark.end(), self._after(mark[0])
            if self._state is _State.BETWEEN:
                found.append(bytes(self._rest[start : self._at]).strip())
                start = self._at
        del self._rest[:start]
        self._at = len(self._rest)
        return found

    def _after(self, mark: bytes) -> _State:
        """The state behind a mark; BETWEEN behind the end of a document."""
        if self._state is _State.ESCAPE:
            return _State.STRING
        if mark == b"\\" and self._state is _State.STRING:
            return _State.ESCAPE
        if mark == b'"' and self._state is not _State.STRING:
            return _State.STRING
        if mark in (b"{", b"["):
            self._depth += 1
        elif mark in (b"}", b"]"):
            self._depth = max(0, self._depth - 1)
        elif self._state is _State.BETWEEN:
            return _State.SCALAR
        return _State.INSIDE if self._depth else _State.BETWEEN


_BEFORE_DASHES = re.compile(rb"\n(?=---[ \t\r\n])")
_RECORD_SEPARATOR = re.compile(rb"\x1e")


def message_stream(form: str) -> MessageStream:
    """What cuts text of that format."""
    if form == "json":
        return JsonDocuments()
    if form == "yaml":
        return Separated(_BEFORE_DASHES, longest=5)
    if form in ("text", "protoscope"):
        return Separated(_RECORD_SEPARATOR, longest=1, may_be_empty=True)
    return Whole()
