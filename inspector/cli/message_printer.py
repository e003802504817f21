"""Messages decoded and printed, a batch at a time, here or in another process."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from inspector.cli import output
from inspector.cli.schema_use import Counts, SchemaUse
from inspector.model.call import Call, Message
from inspector.model.problem import Problem
from inspector.session import DecodedMessage, Session

if TYPE_CHECKING:
    from inspector.views.where import Where

CallOf = Callable[[int], Call | None]
"""The call of that number; None for messages without one."""

LARGEST_BATCH = 128 * 1024
"""Bytes of messages from which on a batch is full. As JSON they are a few times as many."""


Part = tuple[list[Message], list[tuple[Any, ...]]]
"""Messages, and as plain values the problems of the input that were met behind them."""


class Form(NamedTuple):
    """How messages are printed: for people, as records also where they stand by themselves, with their bytes."""

    pretty: bool
    envelope: bool
    raw: bool


class Printed(NamedTuple):
    """A batch as it is written, and what there is to say of it. (All plain values: see `parallel`.)"""

    text: bytes | bytearray | memoryview
    warnings: tuple[tuple[Any, ...], ...]  # of each the fields of a Problem, and the place
    counts: tuple[Any, ...]  # Counts
    matching: int
    last_error: str | None
    damaged: bool


class MessagePrinter:
    """Decodes and prints the messages of a session."""

    def __init__(self, session: Session, form: Form, condition: Where | None, call_of: CallOf | None = None) -> None:
        """`call_of` gives the call of a message, where the condition asks for it."""
        self._session = session
        self._form = form
        self._condition = condition
        self._call_of = call_of
        self._bare = not session.source.is_capture and not form.envelope

    def print(self, messages: Iterable[Any], problems: Iterable[tuple[Any, ...]] = ()) -> Printed:
        """Prints messages: records, or the plain values of their fields. `problems` of the input that were met behind
        them (values too) are told with what there is to say of them, in this order."""
        condition = self._condition
        use = SchemaUse(self._session)
        warnings: list[tuple[Any, ...]] = []
        wanted: list[DecodedMessage] = []
        for each in messages:
            decoded = self._session.decode(each if type(each) is Message else _message(each))
            use.note(decoded)
            if condition is None or self._fits(condition, decoded):
                wanted.append(decoded)
                if decoded.problem is not None or decoded.unknown_bytes:
                    warnings += self._warnings(decoded)
        warnings += [(problem, "") for problem in problems]
        last_error = None if condition is None else condition.last_error
        damaged = self._session.damaged
        return Printed(self._text(wanted), tuple(warnings), tuple(use.counts()), len(wanted), last_error, damaged)

    def _fits(self, condition: Where, decoded: DecodedMessage) -> bool:
        call = self._call_of(decoded.message.call) if self._call_of is not None else None
        return condition.takes(decoded, call, self._session.decode_details)

    def _text(self, found: list[DecodedMessage]) -> bytes | bytearray:
        form = self._form
        if not form.pretty or form.raw or form.envelope:
            from inspector.views.message_lines_cy import message_lines  # noqa: PLC0415  # not needed on a terminal

            return message_lines(found, bare=self._bare, raw=form.raw)
        from inspector.views import conversation  # noqa: PLC0415  # needed only there

        out = io.BytesIO()
        for decoded in found:
            output.write_lines(conversation.message_lines(decoded, bare=self._bare), out, colour=output.has_colour())
        return out.getvalue()

    def _warnings(self, decoded: DecodedMessage) -> Iterator[tuple[Any, ...]]:
        place = _place(decoded)
        if decoded.problem is not None:
            yield tuple(decoded.problem), place
        if self._bare and decoded.unknown_bytes and not self._session.options.keep_unknown:
            text = f"{decoded.unknown_bytes} bytes are of fields that {decoded.type_name} does not have"
            yield tuple(Problem("unknown_fields", f"{text} (--keep-unknown)")), place


def batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Messages in lists of some LARGEST_BATCH bytes."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        batch.append(message)
        size += _size(message)
        if size >= LARGEST_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def full(parts: Iterable[Part]) -> Iterator[Part]:
    """Small ones put together, up to some LARGEST_BATCH bytes, where no problem stands between them."""
    held: list[Message] = []
    size = 0
    for messages, problems in parts:
        held += messages
        size += sum(map(_size, messages))
        if problems or size >= LARGEST_BATCH:
            yield held, problems
            held, size = [], 0
    if held:
        yield held, []


def _size(message: Message) -> int:
    return len(message.wire) if message.data is None else len(message.data)


def plain(part: Part) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The same as plain values, without where the messages lie, which is not printed."""
    messages, problems = part
    return [
        (call, index, direction, method, time, encoding, data, None if wire is data else wire,
         None if problem is None else tuple(problem))
        for call, index, direction, method, time, encoding, data, wire, problem, _ in messages
    ], problems  # fmt: skip


def _message(values: tuple[Any, ...]) -> Message:
    call, index, direction, method, time, encoding, data, wire, problem = values
    return Message(
        call, index, direction, method, time, encoding, data, data if wire is None else wire,
        None if problem is None else Problem(*problem), (),
    )  # fmt: skip


def _place(decoded: DecodedMessage) -> str:
    message = decoded.message
    return f"call {message.call}, {message.direction} {message.index}" if message.call else f"message {message.index}"


def report(printed: Printed, warnings: output.Warnings, use: SchemaUse) -> None:
    """Takes up what there is to say of a batch."""
    use.add(Counts(*printed.counts))
    for problem, place in printed.warnings:
        warnings.add(Problem(*problem), place)
