"""The two sides of a comparison: a message or a call of a document each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

from textual.app import App

from inspector.errors import InputError
from inspector.limits import MAX_COMPARED_CALL
from inspector.model.call import Message
from inspector.schema import Schema
from inspector.session import Session
from inspector.transcode.compare import Look
from inspector.transcode.decode import MessageDecoder
from inspector.tui.document import Document
from inspector.tui.selection import Selection
from inspector.views.comparison import CallOperand, Operand, Section, Tell, compare_calls, compare_messages

MOST_MESSAGES = 10_000
"""Messages of a call that are compared."""


class Side(NamedTuple):
    """What stands on one side. `name` is what to call it: `call 3, request 0`."""

    document: Document
    selected: Selection
    is_call: bool
    name: str

    def is_same(self, other: Side) -> bool:
        """Whether the other one is this one."""
        where = [(id(each.document), each.selected.call, each.is_call) for each in (self, other)]
        return where[0] == where[1] and (self.is_call or self.selected.message == other.selected.message)


def side_of(document: Document, selected: Selection, *, is_call: bool) -> Side:
    """A call, or the message that is selected in it."""
    number = selected.call
    parts = [f"call {number}"] if number else []
    if not is_call:
        message = document.message(number or 0, selected.message)
        parts.append("no message" if message is None else message_name(message))
    return Side(document, selected, is_call, ", ".join(parts))


def message_name(message: Message) -> str:
    """`request 0`, `response 2`, `message 5`."""
    return f"{message.direction or 'message'} {message.index}"


def names_of(left: Side, right: Side) -> tuple[str, str]:
    """What to call both: with the names of their files where these are not the same."""
    if left.document is right.document:
        return left.name, right.name
    return f"{left.document.name} {left.name}", f"{right.document.name} {right.name}"


_picked: WeakKeyDictionary[App[object], Side] = WeakKeyDictionary()


def picked(app: App[object]) -> Side | None:
    """The side that was picked first, in whichever document."""
    return _picked.get(app)


def pick(app: App[object], side: Side | None) -> None:
    """Picks a side, or none."""
    if side is None:
        _picked.pop(app, None)
    else:
        _picked[app] = side


def compared(left: Side, right: Side, look: Look, tell: Tell, *, show_secrets: bool) -> Iterator[Section]:
    """What a comparison finds, as it finds it; in a thread of its own. Raises InputError for what cannot be read."""
    if left.is_call and right.is_call:
        yield from compare_calls(_call(left, look), _call(right, look), look, tell, show_secrets=show_secrets)
    else:
        yield from compare_messages(_message(left), _message(right), look)


def _message(side: Side) -> Operand:
    number, place = side.selected.call or 0, side.selected.message
    message = side.document.message(number, place)
    if message is None:
        raise InputError(f"there is no message: {side.name}", hint=side.document.problem)
    return _operand(side.document, side.document.session.for_thread(), message, place)


def _call(side: Side, look: Look) -> CallOperand:
    document, number = side.document, side.selected.call or 0
    call = document.call(number)
    if call is None:
        raise InputError(f"call {number} has not ended", hint=document.problem or "wait for it, or choose another one")
    session = document.session.for_thread()
    decoder = MessageDecoder(session.schema or Schema.empty())
    found: dict[str | None, list[Operand]] = {"request": [], "response": []}
    held = left_out = 0
    for place in range(document.message_count(number)):
        look()
        message = document.message(number, place)
        if message is None or place >= MOST_MESSAGES or held > MAX_COMPARED_CALL:
            left_out = document.message_count(number) - place
            break
        operand = _operand(document, session, message, place, decoder)
        held += len(operand.data)
        found.setdefault(message.direction, []).append(operand)
    return CallOperand(call, tuple(found["request"]), tuple(found["response"]), session.decode_details, left_out)


def _operand(
    document: Document, session: Session, message: Message, place: int, decoder: MessageDecoder | None = None
) -> Operand:
    type_name = session.type_of(message)
    return Operand(
        message.wire if message.data is None else message.data,
        message_name(message),
        type_name,
        session.schema,
        {} if type_name else document.hints_of(message),
        message.problem.message if message.problem is not None else "",
        place,
        message.time,
        decoder,
        message.data is None and message.encoding != "identity",
    )
