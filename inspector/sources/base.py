"""What a kind of input is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from inspector.model.call import Call, Message
from inspector.model.problem import Problem

SourceEvent = Message | Call | Problem


class SourceParser(Protocol):
    """Bytes of an input, in order and in any pieces -> messages and calls as they become whole."""

    def feed(self, data: bytes) -> list[SourceEvent]: ...

    def close(self) -> list[SourceEvent]: ...

    def describe(self) -> str | None:
        """One line on what was passed over, or None where nothing was."""


class Source(NamedTuple):
    """A kind of input.

    `detect(head, whole)` tells whether an input that begins with `head` (and ends with it, if `whole`) is of this
    kind. `is_capture` where it holds calls; otherwise it holds bare messages.
    `calls_parser` makes calls, but need not make messages. `has_magic` where every input of this kind is detected, as
    it begins with a magic number.
    """

    name: str
    detect: Callable[[bytes, bool], bool]
    parser: Callable[[], SourceParser]
    suffixes: tuple[str, ...] = ()
    is_capture: bool = False
    calls_parser: Callable[[], SourceParser] | None = None
    has_magic: bool = False

    def open(self, *, with_messages: bool = True) -> SourceParser:
        """A parser for one input; without messages perhaps a quicker one."""
        return self.parser() if with_messages or self.calls_parser is None else self.calls_parser()


def bare_message(index: int, encoding: str, data: bytes | None, wire: bytes, problem: Problem | None) -> Message:
    """A message that stands by itself, of no call."""
    return Message(0, index, None, None, None, encoding, data, wire, problem, ())
