"""What differs between two encoded messages: in the fields of their type, in those that it lacks, and in wire types.

Invariant: two messages have no difference exactly if every field of one has the same value in the other, numbers up to
the tolerance; their bytes may differ all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import NamedTuple

from inspector.errors import DecodeError
from inspector.transcode.compare import Difference, Look, compare
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.resolver import Resolver
from inspector.transcode.tree import FieldTree
from inspector.transcode.tree_unknown import unknown_fields
from inspector.wire.guess import Shape, guess
from inspector.wire.json_value import JsonValue

NO_HINTS: Mapping[str, str] = {}

Pruned = Callable[[JsonValue], JsonValue]
"""A value without what is not to be compared."""


def whole(value: JsonValue) -> JsonValue:
    """A value with all that it has."""
    return value


class Typed(NamedTuple):
    """A message, its type, and the schema that has this."""

    data: bytes
    type_name: str
    resolver: Resolver


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

    `with_equal` and `look` as in `compare`; it ends after `most`."""
    shape = Shape.of([first, second], hints)
    guesses = [guess(data, hints, shape) for data in (first, second)]
    values = [pruned(sure(each.value, each.error, name)) for each, name in zip(guesses, names, strict=True)]
    told = list(islice(compare(*values, tolerance=tolerance, with_equal=with_equal, look=look), most))
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
    told = list(islice(compare(before.value, after.value, with_equal=with_equal, look=look), most))
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
    pair = (first, second)
    compared = partial(compare, tolerance=tolerance, with_equal=with_equal, look=look)
    decoded = [MessageDecoder(each.resolver).decode(each.type_name, each.data) for each in pair]
    known = [pruned(sure(each.value, each.error, name)) for each, name in zip(decoded, names, strict=True)]
    trees = [FieldTree(each.data, resolver=each.resolver, type_name=each.type_name, hints=hints) for each in pair]
    unknown = [pruned(unknown_fields(tree)) for tree in trees]
    told = list(islice(compared(*known), most))
    changed = {each.path for each in told if each.change != "same"}
    beside = islice(compared(*unknown), most)
    rest = [each for each in beside if each.path not in changed and (each.path or each.before)]
    others = {each.path for each in rest if each.change != "same"}
    return [each for each in told if each.path not in others] + rest


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
