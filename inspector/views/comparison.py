"""Two messages, or two calls, beside one another: what they have, in sections, with all that differs told.

Invariant: credentials are not in what comes of this unless they are to be shown; that they differ is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from inspector import limits
from inspector.client.replay_compare import by_name
from inspector.errors import DecodeError
from inspector.model.call import Call, Header
from inspector.schema import Schema
from inspector.transcode.compare import Difference, Look, align, compare, member
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.message_differences import (
    Typed,
    damaged_differences,
    differences_by_name,
    guessed_differences,
)
from inspector.transcode.resolver import Resolver
from inspector.views.rows import DecodeDetails, status_row
from inspector.views.secrets import is_secret, masked
from inspector.views.times import duration, seconds, size, timestamp
from inspector.wire.guess import guess
from inspector.wire.json_value import JsonValue

SAME_VALUES = "the values are the same, their bytes are not: order, longer forms of numbers, or the sign of a zero"

NO_HINTS: Mapping[str, str] = {}


class Operand(NamedTuple):
    """A message: its bytes (those of the wire where it cannot be had; `problem` then says why, `is_compressed` that
    they have no fields), how it is read, what to call it (`request 0`), its place among the messages of its call, when
    it was seen, and what decodes it."""

    data: bytes
    name: str = "message"
    type_name: str | None = None
    resolver: Resolver | None = None
    hints: Mapping[str, str] = NO_HINTS
    problem: str = ""
    place: int = 0
    time: int | None = None
    own_decoder: MessageDecoder | None = None
    is_compressed: bool = False

    @property
    def schema(self) -> Resolver:
        return self.resolver or Schema.empty()

    @property
    def decoder(self) -> MessageDecoder:
        """One for many messages is much quicker than one for each."""
        return self.own_decoder or MessageDecoder(self.schema)


class CallOperand(NamedTuple):
    """A call, the messages of each direction, and what reads the details of its status. `left_out` counts the last of
    its messages, where these are too many."""

    call: Call
    requests: tuple[Operand, ...]
    responses: tuple[Operand, ...]
    decode_details: DecodeDetails
    left_out: int = 0


class Section(NamedTuple):
    """A part of a comparison.

    `found` are its differences, what is the same in between; in those that are `facts` it is natural that they differ,
    and they do not count. `notes` are sentences about it. `left` and `right` are the places of the messages that it is
    of, `tab` where else it stands in the browser.
    """

    title: str
    found: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
    left: int | None = None
    right: int | None = None
    tab: str = ""
    facts: bool = False

    @property
    def differences(self) -> int:
        """How many there are that count."""
        return 0 if self.facts else sum(each.change != "same" for each in self.found)


Tell = Callable[[float], object]
"""Takes how far a comparison is, from 0 to 1."""


def compare_messages(left: Operand, right: Operand, look: Look) -> list[Section]:
    """Two messages, in one section."""
    return [_pair(left, right, limits.MAX_COMPARED_ROWS, look)]


def compare_calls(
    left: CallOperand, right: CallOperand, look: Look, tell: Tell, *, show_secrets: bool = False
) -> Iterator[Section]:
    """Two calls: how they ended, times, headers, messages in pairs, trailers."""
    before, after = left.call, right.call
    yield _status(left, right, look)
    yield Section("Timing", tuple(_facts(_times(left), _times(right))), tab="timing", facts=True)
    room = limits.MAX_COMPARED_ROWS
    yield _headers("Request headers", before.request_headers, after.request_headers, show_secrets, "headers")
    total = sum(len(each.data) for side in (left, right) for each in (*side.requests, *side.responses))
    done = 0
    for pair in (*_pairs(left.requests, right.requests, look), None, *_pairs(left.responses, right.responses, look)):
        if pair is None:
            yield _headers("Response headers", before.response_headers, after.response_headers, show_secrets, "headers")
            continue
        section = _side_of(pair, room, look)
        room = max(1, room - section.differences)
        done += sum(len(each.data) for each in pair if each is not None)
        tell(done / (total or 1))
        yield section
    yield _headers("Trailers", before.trailers, after.trailers, show_secrets, "trailers")


# --- messages ----------------------------------------------------------------------------------------------------


def _side_of(pair: tuple[Operand | None, Operand | None], room: int, look: Look) -> Section:
    left, right = pair
    if left is not None and right is not None:
        return _pair(left, right, room, look)
    only = left or right
    assert only is not None
    value = _value(only)
    found = Difference("", "removed", value, None) if left is not None else Difference("", "added", None, value)
    title = f"{only.name.capitalize()}, only {'left' if left is not None else 'right'}{_typed(only)}"
    return Section(title, (found,), _problems(only), left and left.place, right and right.place)


def _pair(left: Operand, right: Operand, room: int, look: Look) -> Section:
    """Two messages that go together. No more than `room` rows."""
    found, notes = _differences(left, right, room, look)
    if sum(each.change != "same" for each in found) >= room:
        notes = (*notes, f"these are the first {room:,}; the rest was not compared")
    if left.data != right.data and all(each.change == "same" for each in found):
        if notes == _kinds(left, right):
            notes = (*notes, SAME_VALUES)
        else:  # not all of both was read
            found = [*found, _of_bytes(left.data, right.data)]
    title = left.name if left.name == right.name else f"{left.name}, {right.name}"
    type_ = _typed(left) if left.type_name == right.type_name else ""
    return Section(f"{title.capitalize()}{type_}", tuple(found), notes, left.place, right.place)


def _differences(left: Operand, right: Operand, room: int, look: Look) -> tuple[Sequence[Difference], tuple[str, ...]]:
    if _is_too_large(left, right):
        return [], ("too large to be compared field by field", _by_bytes(left.data, right.data))
    notes = _kinds(left, right)
    names = (left.name, right.name)
    try:
        if left.problem or right.problem:
            return _damaged(left, right, notes, room, look)
        if left.type_name is None or right.type_name is None:
            found = guessed_differences(
                left.data, right.data, hints={**left.hints, **right.hints}, names=names, with_equal=True, look=look,
                most=room,
            )  # fmt: skip
        else:
            pair = (_known(left, left.type_name), _known(right, right.type_name))
            found = differences_by_name(*pair, names=names, with_equal=True, look=look, most=room)
    except DecodeError:
        return _damaged(left, right, notes, room, look)
    if len(found) - sum(each.change != "same" for each in found) >= room:
        notes = (*notes, f"of what is equal, the first {room:,} are listed")
    return found, notes


def _is_too_large(*operands: Operand) -> bool:
    """Whether to read them as values would take too long, or too much memory."""
    size_ = sum(len(each.data) for each in operands)
    if any(each.type_name is None or each.problem for each in operands):
        return size_ > limits.MAX_COMPARED_GUESSED
    return size_ > limits.MAX_COMPARED_BYTES or sum(map(_values_of, operands)) > limits.MAX_COMPARED_VALUES


def _values_of(operand: Operand) -> int:
    """About how many values it has: a few more where there are commas in texts."""
    if len(operand.data) < limits.MAX_COMPARED_GUESSED:
        return len(operand.data) // 4  # not worth counting
    plain = operand.decoder.decode_plain(operand.type_name or "", operand.data)
    return len(operand.data) if plain is None else plain.json.count(b",")


def _known(operand: Operand, type_name: str) -> Typed:
    return Typed(operand.data, type_name, operand.schema, operand.own_decoder)


def _kinds(left: Operand, right: Operand) -> tuple[str, ...]:
    """What has to be said of the types."""
    if left.type_name == right.type_name:
        return ()
    types = f"{left.type_name or 'no known type'} left, {right.type_name or 'no known type'} right"
    is_guessed = left.type_name is None or right.type_name is None
    return (f"{types}: compared by field {'number' if is_guessed else 'name'}",)


def _damaged(
    left: Operand, right: Operand, notes: tuple[str, ...], room: int, look: Look
) -> tuple[Sequence[Difference], tuple[str, ...]]:
    """By number, as far as each can be read."""
    is_compressed = left.is_compressed or right.is_compressed
    if is_compressed or len(left.data) + len(right.data) > limits.MAX_COMPARED_GUESSED:
        told = [_problem(side, each, None) for side, each in (("left", left), ("right", right))]
        return [], (*notes, *filter(None, told), _by_bytes(left.data, right.data))
    hints = {**left.hints, **right.hints}
    found, errors = damaged_differences(left.data, right.data, hints=hints, with_equal=True, look=look, most=room)
    told = [_problem(side, each, error) for side, each, error in zip(("left", "right"), (left, right), errors,
                                                                    strict=True)]  # fmt: skip
    by = "compared by field number, as far as they can be read"
    return found, (*notes, *filter(None, told), by, _by_bytes(left.data, right.data))


def _problem(side: str, operand: Operand, error: DecodeError | None) -> str:
    if operand.problem:
        return f"{side}: {operand.problem}"
    if error is not None:
        return f"{side}: damaged at 0x{error.offset or 0:x}: {error.message}"
    decoded = None
    if operand.type_name is not None:
        decoded = operand.decoder.decode(operand.type_name, operand.data)
    if decoded is None or decoded.error is None:
        return ""
    return f"{side}: not of its type at 0x{decoded.error.offset or 0:x}: {decoded.error.message}"


def _by_bytes(left: bytes, right: bytes) -> str:
    """What can be said without reading them."""
    if left == right:
        return f"equal byte for byte, {size(len(left))}"
    at = _first_difference(left, right)
    return f"{len(left):,} bytes left, {len(right):,} right; they differ from 0x{at:x} on"


def _of_bytes(left: bytes, right: bytes) -> Difference:
    """Where no field tells what differs."""
    after = f"{len(right):,} bytes, others from 0x{_first_difference(left, right):x} on"
    return Difference("", "changed", f"{len(left):,} bytes", after)


def _first_difference(left: bytes, right: bytes) -> int:
    """The first offset at which they differ, or at which the shorter one ends."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _problems(operand: Operand) -> tuple[str, ...]:
    return (operand.problem,) if operand.problem else ()


def _typed(operand: Operand) -> str:
    return f"  {operand.type_name}" if operand.type_name else "  guessed"


def _value(operand: Operand) -> JsonValue:
    """As JSON; a guess where it cannot be read by its type, a count where it is too large."""
    if operand.is_compressed or _is_too_large(operand):
        return f"{len(operand.data):,} bytes"
    if operand.type_name is not None and not operand.problem:
        found = operand.decoder.decode_json(operand.type_name, operand.data)
        if found.error is None:
            value: JsonValue = orjson.loads(found.json)
            return value
    return guess(operand.data, operand.hints).value


def _pairs(
    left: Sequence[Operand], right: Sequence[Operand], look: Look
) -> Iterator[tuple[Operand | None, Operand | None]]:
    """Messages of a direction that go together: those alike, and between these by their place."""
    if len(left) == len(right) == 1:
        places: list[tuple[int | None, int | None]] = [(0, 0)]
    elif _is_too_large(*left, *right):
        common = min(len(left), len(right))
        places = [(place, place) for place in range(common)]
        places += [(place, None) for place in range(common, len(left))]
        places += [(None, place) for place in range(common, len(right))]
    else:
        places = _filled(align([*map(_value, left)], [*map(_value, right)], look=look))
    for first, second in places:
        yield None if first is None else left[first], None if second is None else right[second]


def _filled(places: list[tuple[int | None, int | None]]) -> list[tuple[int | None, int | None]]:
    """With those that only one side has, next to one another, as pairs."""
    made: list[tuple[int | None, int | None]] = []
    before: list[int] = []
    after: list[int] = []

    def pair_up() -> None:
        common = min(len(before), len(after))
        made.extend(zip(before, after, strict=False))
        made.extend((place, None) for place in before[common:])
        made.extend((None, place) for place in after[common:])
        before.clear()
        after.clear()

    for first, second in places:
        if first is not None and second is not None:
            pair_up()
            made.append((first, second))
        elif first is not None:
            before.append(first)
        elif second is not None:
            after.append(second)
    pair_up()
    return made


# --- what else a call has ----------------------------------------------------------------------------------------


def _status(left: CallOperand, right: CallOperand, look: Look) -> Section:
    """What was called, and how it ended."""
    found = compare(_outcome(left), _outcome(right), with_equal=True, look=look)
    sides = (("left", left), ("right", right))
    notes = tuple(
        f"the last {each.left_out:,} messages {side} are not compared" for side, each in sides if each.left_out
    )
    return Section("Call", tuple(found), notes, tab="trailers")


def _outcome(side: CallOperand) -> JsonValue:
    call = side.call
    status = status_row(call.status, side.decode_details)
    outcome = {
        "method": call.method,
        "status": status,
        "protocol": call.protocol,
        "authority": call.authority,
        "deadline": seconds(call.deadline),
        "requests": call.requests,
        "responses": call.responses,
        "complete": call.complete,
    }
    return {name: value for name, value in outcome.items() if value is not None}  # type: ignore[misc]  # all of JSON


def _times(side: CallOperand) -> dict[str, str]:
    call = side.call
    first = next((each.time for each in side.responses if each.time is not None), None)
    wait = None if first is None or call.started is None else first - call.started
    return {
        "started": timestamp(call.started) or "-",
        "took": duration(call.duration),
        "first response after": duration(wait),
        "client": call.client or "-",
        "server": call.server or "-",
        "sent": size(call.request_bytes),
        "received": size(call.response_bytes),
    }


def _facts(left: dict[str, str], right: dict[str, str]) -> Iterator[Difference]:
    for name, value in left.items():
        yield Difference(name, "same" if value == right[name] else "changed", value, right[name])


def _headers(title: str, left: tuple[Header, ...], right: tuple[Header, ...], show_secrets: bool, tab: str) -> Section:
    pair = (by_name(left), by_name(right)) if show_secrets else _hidden(left, right)
    found = compare(*pair, with_equal=True)
    unknown = [sum(name is None or value is None for name, value in fields) for fields in (left, right)]
    notes = (f"not in the capture: {unknown[0]} of the fields left, {unknown[1]} right",) if any(unknown) else ()
    names = {member("", name): name for fields in pair for name in fields}  # `:path` needs no brackets here
    plain = [each._replace(path=_as_named(each.path, names)) for each in found if each.path or each.before]
    return Section(title, tuple(plain), notes, tab=tab)


def _as_named(path: str, names: Mapping[str, str]) -> str:
    """A path that begins with the name of a header field, as that is written."""
    quoted = next((each for each in names if path == each or path.startswith(f"{each}[")), "")
    return names[quoted] + path[len(quoted) :] if quoted else path


def _hidden(left: tuple[Header, ...], right: tuple[Header, ...]) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Both without credentials. Other ones on the right have another mask, so that they are told as changed."""
    known = {field for field in left if is_secret(field[0])}
    others = tuple(
        (name, f"{value} (another one)") if (name, plain) not in known and is_secret(name) and value else (name, value)
        for (name, value), (_, plain) in zip(masked(right), right, strict=True)
    )
    return by_name(masked(left)), by_name(others)
