"""Messages one after the other, each behind its length as a varint (`writeDelimitedTo` of the protobuf libraries)."""

from __future__ import annotations

from inspector import limits
from inspector.errors import DecodeError
from inspector.model.problem import Problem
from inspector.net.buffer import Buffer
from inspector.sources.base import SourceEvent, bare_message

MAX_PREFIX = 5
"""Bytes of a length: five hold 35 bits, more than any limit allows."""


class DelimitedParser:
    """Bytes of delimited messages -> messages."""

    def __init__(self) -> None:
        self._buffer = Buffer()
        self._offset = 0
        self._count = 0
        self._broken = False

    def feed(self, data: bytes) -> list[SourceEvent]:
        held = b"" if self._broken else self._buffer.feed(data)
        events: list[SourceEvent] = []
        at = 0
        while at < len(held):
            length, start = read_length(held, at)
            if start < 0:
                if len(held) - at < MAX_PREFIX:
                    break
                return [*events, self._give_up("this is no length", at)]
            if length > limits.MAX_MESSAGE:
                return [*events, self._give_up(f"a message of {length} bytes is over {limits.MAX_MESSAGE}", at)]
            if start + length > len(held):
                self._keep(held, at, start + length - at)
                return events
            body = held[start : start + length]
            events.append(bare_message(self._count, "identity", body, body, None))
            self._count += 1
            at = start + length
        self._keep(held, at, 1)
        return events

    def close(self) -> list[SourceEvent]:
        rest = self._buffer.take()
        if not rest or self._broken:
            return []
        length, start = read_length(rest, 0)
        text = "the input ends within a length"
        if start > 0:
            text = f"the input ends after {len(rest) - start} of the {length} bytes of this message"
        problem = Problem("message_truncated", text, offset=self._offset)
        return [bare_message(self._count, "identity", None, rest[max(start, 0) :], problem)]

    def describe(self) -> str | None:
        return None

    def _keep(self, held: bytes, at: int, needed: int) -> None:
        self._offset += at
        self._buffer.keep(held[at:], max(needed, len(held) - at + 1))

    def _give_up(self, what: str, at: int) -> Problem:
        """A wrong length leaves nothing to find the next message by."""
        self._broken = True
        return Problem("delimited_length", f"{what}; what follows cannot be read", offset=self._offset + at)


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """The varint at `at` and where it ends; (0, -1) where it is not whole or too long."""
    value = 0
    for index in range(at, min(at + MAX_PREFIX, len(data))):
        value |= (data[index] & 0x7F) << 7 * (index - at)
        if data[index] < 0x80:
            return value, index + 1
    return 0, -1


def detect(head: bytes, whole: bool) -> bool:
    """Lengths and messages follow one another to the end, and each message is one."""
    from inspector.wire.scan import scan  # noqa: PLC0415  # not needed for captures, which are tried first

    at = 0
    while at < len(head):
        length, start = read_length(head, at)
        if start < 0 or length > limits.MAX_MESSAGE:
            return False
        at = start + length
        if at > len(head):
            return not whole
        try:
            scan(head[start:at])
        except DecodeError:
            return False
    return True
