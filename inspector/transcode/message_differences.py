"""What differs between two encoded messages: in the fields of their type, in those that it lacks, and in wire types.

Invariant: two messages have no difference exactly if every field of one has the same value in the other, numbers up to
the tolerance; their bytes may differ all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from inspector.errors import DecodeError
from inspector.transcode.compare import Difference, compare
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


def guessed_differences(
    first: bytes,
    second: bytes,
    *,
    hints: Mapping[str, str] = NO_HINTS,
    tolerance: float = 0.0,
    names: tuple[str, str] = ("first", "second"),
    pruned: Pruned = whole,
) -> list[Difference]:
    """The differences by field number; what the fields are is guessed, for both together. Raises DecodeError."""
    shape = Shape.of([first, second], hints)
    guesses = [guess(data, hints, shape) for data in (first, second)]
    values = [pruned(sure(each.value, each.error, name)) for each, name in zip(guesses, names, strict=True)]
    told = list(compare(*values, tolerance=tolerance))
    return told + _of_wire_types(first, second, {each.path for each in told})


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
    decoder = MessageDecoder(resolver)
    decoded = [decoder.decode(type_name, data) for data in (first, second)]
    known = [pruned(sure(each.value, each.error, name)) for each, name in zip(decoded, names, strict=True)]
    trees = [FieldTree(data, resolver=resolver, type_name=type_name, hints=hints) for data in (first, second)]
    unknown = [pruned(unknown_fields(tree)) for tree in trees]
    told = list(compare(*known, tolerance=tolerance))
    paths = {each.path for each in told}
    return told + [each for each in compare(*unknown, tolerance=tolerance) if each.path not in paths]


def sure(value: JsonValue, error: DecodeError | None, name: str = "") -> JsonValue:
    """A value that could be decoded. Raises its error, which then names what was decoded."""
    if error is not None:
        error.where = ", ".join(filter(None, (name, error.where))) or None
        raise error
    return value


def _of_wire_types(first: bytes, second: bytes, told: set[str]) -> list[Difference]:
    """Fields that read the same, but are another thing: a float and a double, a number and its digits as text."""
    before, after = (Shape.of([data]).wire_types() for data in (first, second))
    return [
        Difference(path, "changed", f"wire type {names}", f"wire type {after[path]}")
        for path, names in before.items()
        if after.get(path, names) != names and path not in told
    ]
