"""What differs between two encoded messages: in the fields of their type, in those that it lacks, and in wire types.

Invariant: two messages have no difference exactly if every field of one has the same value in the other, numbers up to
the tolerance; their bytes may differ all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

import orjson

from inspector.errors import DecodeError
from inspector.transcode.compare import Difference, Look, compare
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.decoded import DecodedJson
from inspector.transcode.resolver import Resolver
from inspector.transcode.tree import FieldTree
from inspector.transcode.tree_unknown import unknown_fields
from inspector.wire.guess import Shape, guess
from inspector.wire.json_value import JsonValue

NO_HINTS: Mapping[str, str] = {}

_NO_TEXT = "\ufffd".encode()
"""Stands in JSON for what is not UTF-8."""

Pruned = Callable[[JsonValue], JsonValue]
"""A value without what is not to be compared."""


def whole(value: JsonValue) -> JsonValue:
    """A value with all that it has."""
    return value


class Typed(NamedTuple):
    """A message, its type, the schema that has this, and a decoder for that, where there is one for many messages."""

    data: bytes
    type_name: str
    resolver: Resolver
    decoder: MessageDecoder | None = None


def _go_on() -> None:
    """Never ends a comparison."""


def guessed_differences(
    first: bytes,
    second: bytes,
    *,
    hints: Mapping[str, str] = NO_HINTS,
    tolerance: float = 0.0,
    names: tuple[str, str] = ("first", "second"),
    pruned: Pruned = whole,
    with_equal: bool = False,
    look: Look = _go_on,
    most: int | None = None,
) -> list[Difference]:
    """The differences by field number; what the fields are is guessed, for both together. Raises DecodeError.

    `with_equal` and `look` as in `compare`; it ends after `most` differences, and keeps no more of
    what is the same."""
    shape = Shape.of([first, second], hints)
    guesses = [guess(data, hints, shape) for data in (first, second)]
    values = [pruned(sure(each.value, each.error, name)) for each, name in zip(guesses, names, strict=True)]
    told = _first(compare(*values, tolerance=tolerance, with_equal=with_equal, look=look), most)
    return _with_wire_types(told, first, second)


def damaged_differences(
    first: bytes,
    second: bytes,
    *,
    hints: Mapping[str, str] = NO_HINTS,
    with_equal: bool = False,
    look: Look = _go_on,
    most: int | None = None,
) -> tuple[list[Difference], tuple[DecodeError | None, DecodeError | None]]:
    """The same of messages that may be damaged: the fields before the damage of each, and what the damage is."""
    shape = Shape.of([first, second], hints)
    before, after = (guess(data, hints, shape) for data in (first, second))
    told = _first(compare(before.value, after.value, with_equal=with_equal, look=look), most)
    return told, (before.error, after.error)


def typed_differences(
    first: bytes,
    second: bytes,
    type_name: str,
    resolver: Resolver,
    *,
    hints: Mapping[str, str] = NO_HINTS,
    tolerance: float = 0.0,
    names: tuple[str, str] = ("first", "second"),
    pruned: Pruned = whole,
) -> list[Difference]:
    """The differences by the fields of a type, and by number those that it lacks. Raises DecodeError."""
    pair = Typed(first, type_name, resolver), Typed(second, type_name, resolver)
    return differences_by_name(*pair, hints=hints, tolerance=tolerance, names=names, pruned=pruned)


def differences_by_name(
    first: Typed,
    second: Typed,
    *,
    hints: Mapping[str, str] = NO_HINTS,
    tolerance: float = 0.0,
    names: tuple[str, str] = ("first", "second"),
    pruned: Pruned = whole,
    with_equal: bool = False,
    look: Look = _go_on,
    most: int | None = None,
) -> list[Difference]:
    """The same of two messages of perhaps two types: fields of the same name are compared. Raises DecodeError."""
    compared = partial(compare, tolerance=tolerance, with_equal=with_equal, look=look)
    read = [_read(each, hints, name) for each, name in zip((first, second), names, strict=True)]
    known, unknown = [pruned(value) for value, _ in read], [pruned(value) for _, value in read]
    told = _first(compared(*known), most)
    changed = {each.path for each in told if each.change != "same"}
    beside = _first(compared(*unknown), most)
    rest = [each for each in beside if each.path not in changed and (each.path or each.before)]
    others = {each.path for each in rest if each.change != "same"}
    return [each for each in told if each.path not in others] + rest


def _first(found: Iterable[Difference], most: int | None) -> list[Difference]:
    """The first differences, and of what is the same in between as many at most."""
    if most is None:
        return list(found)
    kept: list[Difference] = []
    differing = 0
    for each in found:
        if each.change != "same":
            differing += 1
        elif len(kept) - differing >= most:
            continue
        kept.append(each)
        if differing >= most:
            break
    return kept


def _read(message: Typed, hints: Mapping[str, str], name: str) -> tuple[JsonValue, JsonValue]:
    """A message as JSON, and what that does not tell. Raises DecodeError."""
    data, type_name, resolver, decoder = message
    decoder = decoder or MessageDecoder(resolver)
    plain = decoder.decode_plain(type_name, data)
    if plain is not None and tells_all(plain):
        value: JsonValue = orjson.loads(plain.json)
        return value, {}
    found = decoder.decode(type_name, data)
    value = sure(found.value, found.error, name)
    return value, unknown_fields(FieldTree(data, resolver=resolver, type_name=type_name, hints=hints))


def tells_all(plain: DecodedJson) -> bool:
    """Whether nothing of a message is missing in its JSON, so that its bytes need not be looked through for that."""
    return plain.unknown_bytes == 0 and (plain.is_seen or _NO_TEXT not in plain.json)


def sure(value: JsonValue, error: DecodeError | None, name: str = "") -> JsonValue:
    """A value that could be decoded. Raises its error, which then names what was decoded."""
    if error is not None:
        error.where = ", ".join(filter(None, (name, error.where))) or None
        raise error
    return value


def _with_wire_types(told: list[Difference], first: bytes, second: bytes) -> list[Difference]:
    """With fields that read the same, but are another thing: a float and a double, a number and its digits as text."""
    before, after = (Shape.of([data]).wire_types() for data in (first, second))
    changed = {each.path for each in told if each.change != "same"}
    others = {
        path: Difference(path, "changed", f"wire type {names}", f"wire type {after[path]}")
        for path, names in before.items()
        if after.get(path, names) != names and path not in changed
    }
    return [each for each in told if each.path not in others] + [*others.values()]
