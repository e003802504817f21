"""JSON values with places in them. A change makes a new value, which shares what did not change with the one before: so
to keep an old one for undo costs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from inspector.transcode.refusal import Step
from inspector.wire.json_value import JsonValue

Path = tuple[Step, ...]
"""The way to a value: names of fields as JSON has them, keys, indexes."""


class Absent:
    """Stands for a value that is not there."""


ABSENT = Absent()


def at(value: JsonValue, path: Sequence[Step]) -> JsonValue | Absent:
    """The value at a place."""
    found: JsonValue = value
    for step in path:
        if isinstance(step, int):
            if not isinstance(found, list) or not 0 <= step < len(found):
                return ABSENT
            found = found[step]
        elif not isinstance(found, dict) or step not in found:
            return ABSENT
        else:
            found = found[step]
    return found


def replaced(value: JsonValue | Absent, path: Sequence[Step], new: JsonValue | Absent) -> JsonValue:
    """The value with another one at a place, or (`ABSENT`) with none. What lies around it comes to be where it is not
    there."""
    if not path:
        assert not isinstance(new, Absent)
        return new
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        elements = list(value) if isinstance(value, list) else []
        if rest or step < len(elements):
            elements[step : step + 1] = _kept(elements[step], rest, new)
        else:
            elements += _kept(ABSENT, rest, new)
        return elements
    made = dict(value) if isinstance(value, dict) else {}
    kept = _kept(made.get(step, ABSENT), rest, new)
    if kept:
        made[str(step)] = kept[0]
    else:
        made.pop(step, None)
    return made


def _kept(value: JsonValue | Absent, rest: Sequence[Step], new: JsonValue | Absent) -> list[JsonValue]:
    return [] if not rest and isinstance(new, Absent) else [replaced(value, rest, new)]


def inserted(value: JsonValue | Absent, path: Path, index: int, new: JsonValue) -> tuple[list[JsonValue], int]:
    """The list at a place with one more element, and where that is."""
    found = ABSENT if isinstance(value, Absent) else at(value, path)
    elements = list(found) if isinstance(found, list) else []
    index = max(0, min(index, len(elements)))
    elements.insert(index, new)
    return elements, index


def moved(path: Path, around: Path, indexes: dict[int, int | None]) -> Path | None:
    """Where a place is after elements of the list `around` changed theirs; None where it is no more."""
    depth = len(around)
    if len(path) <= depth or path[:depth] != around:
        return path
    step = path[depth]
    new = indexes.get(step, step) if isinstance(step, int) else step
    return None if new is None else (*around, new, *path[depth + 1 :])
