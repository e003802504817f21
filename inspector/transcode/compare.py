"""What differs between two messages, field by field.

Messages are compared as JSON values (ProtoJSON, or a guess): objects by their keys, which makes the order of fields and
of map entries irrelevant, as it is in protobuf. Repeated fields are aligned: the pairs of elements are those that
make the cheapest edit of one list into the other (Wagner and Fischer's algorithm), where an element may be added or
removed at a cost of 1, or changed at a cost of up to 1, by the share of it that differs. An element that was removed
here and added there was moved.

Invariant: two values have no difference exactly if they are equal, numbers up to the tolerance.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from math import isclose
from typing import Literal, NamedTuple

from inspector.wire.json_value import JsonValue

Change = Literal["added", "removed", "changed", "reordered", "same"]

MOST_PAIRS = 40_000
"""Pairs of elements that are weighed to align two lists; in longer ones (where they differ) only equal elements that
occur once align, and what stands between these by position."""

MOST_WEIGHED = 1_000_000
"""Values in these elements that are compared for that end, over all lists: large elements count by what is in them."""


Look = Callable[[], object]
"""Called again and again while values are compared; what it raises ends that."""


def _go_on() -> None:
    """Never ends it."""


class Difference(NamedTuple):
    """One difference; or, `same`, what both have, where that was asked for. `path` is the field in the first message,
    or in the second where it was added there; `to` is its path in the second where that is another. What is not there
    is None in `before` or `after`, as a null value is."""

    path: str
    change: Change
    before: JsonValue
    after: JsonValue
    to: str | None = None


def compare(
    first: JsonValue, second: JsonValue, *, tolerance: float = 0.0, with_equal: bool = False, look: Look = _go_on
) -> Iterator[Difference]:
    """The differences, in the order of the fields of `first`, then what `second` has beside them.

    Numbers with a fraction count as equal where they differ by no more than `tolerance`, absolutely or as a share.
    `with_equal` tells in between what is the same, each time the largest value that is.
    """
    return _Comparison(tolerance, with_equal, look).values("", "", first, second)


def align(
    first: Sequence[JsonValue], second: Sequence[JsonValue], *, look: Look = _go_on
) -> list[tuple[int | None, int | None]]:
    """The places of two lists that go together, as those of elements of a repeated field do. None where one has
    nothing that goes with it."""
    steps = _Comparison(0.0, True, look).steps(first, second)
    return [(step.first, step.second) for step in steps]


class _Comparison:
    def __init__(self, tolerance: float, with_equal: bool, look: Look) -> None:
        self._tolerance = tolerance
        self._with_equal = with_equal
        self._look = look
        self._weighable = MOST_WEIGHED
        # By identity: all values live as long as the comparison.
        self._sizes: dict[int, int] = {}
        self._equal: dict[tuple[int, int], bool] = {}

    def values(self, path: str, to: str, before: JsonValue, after: JsonValue) -> Iterator[Difference]:
        self._look()
        if self._with_equal and self._is_equal(before, after):
            yield _difference(path, to, "same", before, after)
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from self._objects(path, to, before, after)
        elif isinstance(before, list) and isinstance(after, list):
            yield from self._lists(path, to, before, after)
        elif not self._is_equal(before, after):
            yield _difference(path, to, "changed", before, after)

    def _objects(
        self, path: str, to: str, before: dict[str, JsonValue], after: dict[str, JsonValue]
    ) -> Iterator[Difference]:
        for key, value in before.items():
            if key in after:
                yield from self.values(member(path, key), member(to, key), value, after[key])
            else:
                yield Difference(member(path, key), "removed", value, None)
        for key, value in after.items():
            if key not in before:
                yield Difference(member(to, key), "added", None, value)

    def _lists(self, path: str, to: str, before: list[JsonValue], after: list[JsonValue]) -> Iterator[Difference]:
        for step in self.steps(before, after):
            here, there = f"{path}[{step.first}]", f"{to}[{step.second}]"
            if step.first is None and step.second is not None:
                yield Difference(there, "added", None, after[step.second])
            elif step.second is None and step.first is not None:
                yield Difference(here, "removed", before[step.first], None)
            elif step.first is not None and step.second is not None:
                if step.is_move:
                    yield Difference(here, "reordered", before[step.first], after[step.second], there)
                else:
                    yield from self.values(here, there, before[step.first], after[step.second])

    def steps(self, before: Sequence[JsonValue], after: Sequence[JsonValue]) -> list[_Step]:
        """An edit of `before` into `after`, with moves."""
        return _with_moves(before, after, self._align(before, after))

    def _align(self, before: Sequence[JsonValue], after: Sequence[JsonValue]) -> list[_Step]:
        """An edit of `before` into `after`. What they begin and end with in common needs no search."""
        start = 0
        while start < min(len(before), len(after)) and self._is_equal(before[start], after[start]):
            start += 1
        rest = 0
        while rest < min(len(before), len(after)) - start and self._is_equal(before[-1 - rest], after[-1 - rest]):
            rest += 1
        first, second = range(start, len(before) - rest), range(start, len(after) - rest)
        if self._may_weigh(before[first.start : first.stop], after[second.start : second.stop]):
            steps = self._align_by_cost(before, after, first, second)
        else:
            steps = _align_by_anchors(before, after, first, second, with_anchors=self._with_equal)
        if not self._with_equal:  # equal elements are no difference: they need no step
            return steps
        ends = zip(range(first.stop, len(before)), range(second.stop, len(after)), strict=True)
        return [*(_Step(place, place) for place in range(start)), *steps, *(_Step(*pair) for pair in ends)]

    def _may_weigh(self, first: Sequence[JsonValue], second: Sequence[JsonValue]) -> bool:
        """Whether all pairs may be weighed. A pair costs what the smaller one has in it, at most."""
        if len(first) * len(second) > MOST_PAIRS:
            return False
        cost = min(len(second) * sum(map(self._size, first)), len(first) * sum(map(self._size, second)))
        if cost > self._weighable:
            return False
        self._weighable -= cost
        return True

    def _size(self, value: JsonValue) -> int:
        """How many values a value is made of."""
        if not isinstance(value, dict | list):
            return 1
        known = self._sizes.get(id(value))
        if known is None:
            items = value.values() if isinstance(value, dict) else value
            known = self._sizes[id(value)] = 1 + sum(map(self._size, items))
        return known

    def _align_by_cost(
        self, before: Sequence[JsonValue], after: Sequence[JsonValue], first: range, second: range
    ) -> list[_Step]:
        costs = [[self._distance(before[i], after[j]) for j in second] for i in first]
        best = [[float(j) for j in range(len(second) + 1)]]
        for i in range(len(first)):
            row = [i + 1.0]
            for j in range(len(second)):
                row.append(min(best[i][j] + costs[i][j], best[i][j + 1] + 1, row[j] + 1))
            best.append(row)
        steps: list[_Step] = []
        i, j = len(first), len(second)
        while i or j:
            if i and j and best[i][j] == best[i - 1][j - 1] + costs[i - 1][j - 1]:
                i, j = i - 1, j - 1
                steps.append(_Step(first[i], second[j]))
            elif i and best[i][j] == best[i - 1][j] + 1:
                i -= 1
                steps.append(_Step(first[i], None))
            else:
                j -= 1
                steps.append(_Step(None, second[j]))
        return steps[::-1]

    def _distance(self, before: JsonValue, after: JsonValue) -> float:
        """0 for equal elements, 1 for another value, more (so that it is removed and added) for another thing."""
        if self._is_equal(before, after):
            return 0.0
        if not isinstance(before, dict) or not isinstance(after, dict):
            return 1.0 if type(before) is type(after) else 2.0
        keys = before.keys() | after.keys()
        same = sum(key in before and key in after and self._is_equal(before[key], after[key]) for key in keys)
        return 1.0 - same / len(keys) if same or before.keys() == after.keys() else 2.0

    def _is_equal(self, before: JsonValue, after: JsonValue) -> bool:
        if isinstance(before, float) and isinstance(after, float) and self._tolerance:
            return isclose(before, after, rel_tol=self._tolerance, abs_tol=self._tolerance)
        if not isinstance(before, dict | list) or not isinstance(after, dict | list):
            return type(before) is type(after) and before == after
        pair = (id(before), id(after))
        known = self._equal.get(pair)
        if known is None:
            known = self._equal[pair] = self._has_equal_items(before, after)
        return known

    def _has_equal_items(self, before: JsonValue, after: JsonValue) -> bool:
        self._look()
        if isinstance(before, dict) and isinstance(after, dict):
            return before.keys() == after.keys() and all(self._is_equal(before[key], after[key]) for key in before)
        if isinstance(before, list) and isinstance(after, list):
            return len(before) == len(after) and all(map(self._is_equal, before, after))
        return False


class _Step(NamedTuple):
    """A step of an edit: an element stays in its place (perhaps changed), is removed, or is added."""

    first: int | None
    second: int | None
    is_move: bool = False


def _with_moves(before: Sequence[JsonValue], after: Sequence[JsonValue], steps: list[_Step]) -> list[_Step]:
    """The steps with each element that is removed here and added there as one move."""
    added: dict[str, list[int]] = {}
    for step in reversed(steps):
        if step.first is None and step.second is not None:
            added.setdefault(_fingerprint(after[step.second]), []).append(step.second)
    moved: dict[int, int] = {}
    for step in steps:
        if step.second is None and step.first is not None:
            places = added.get(_fingerprint(before[step.first]))
            if places:
                moved[step.first] = places.pop()
    arrived = set(moved.values())
    kept = [step for step in steps if step.first is not None or step.second not in arrived]
    return [
        _Step(step.first, moved[step.first], True) if step.second is None and step.first in moved else step
        for step in kept
    ]


def _align_by_anchors(
    before: Sequence[JsonValue], after: Sequence[JsonValue], first: range, second: range, *, with_anchors: bool
) -> list[_Step]:
    """Elements that occur once in either list are the same; in the longest run of them that is in order in both,
    they stay, and are told if asked for (`with_anchors`). What stands between is paired by its place."""
    here, there = _unique(before, first), _unique(after, second)
    common = sorted((place, there[mark]) for mark, place in here.items() if mark in there)
    steps: list[_Step] = []
    at, to = first.start, second.start
    for i, j in [*_increasing(common), (first.stop, second.stop)]:
        pairs = min(i - at, j - to)
        steps += [_Step(at + n, to + n) for n in range(pairs)]
        steps += [_Step(n, None) for n in range(at + pairs, i)]
        steps += [_Step(None, n) for n in range(to + pairs, j)]
        if with_anchors and (i, j) != (first.stop, second.stop):
            steps.append(_Step(i, j))
        at, to = i + 1, j + 1
    return steps


def _unique(values: Sequence[JsonValue], places: range) -> dict[str, int]:
    found: dict[str, int] = {}
    repeated: set[str] = set()
    for place in places:
        mark = _fingerprint(values[place])
        if mark in found:
            repeated.add(mark)
        found[mark] = place
    return {mark: place for mark, place in found.items() if mark not in repeated}


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that is increasing in its second part (they come sorted by the first); patience
    sorting, in n log n steps."""
    tops: list[int] = []
    chains: list[int] = []  # of each pile the pair on top
    before: list[int | None] = []
    for number, (_, second) in enumerate(pairs):
        pile = bisect_left(tops, second)
        before.append(chains[pile - 1] if pile else None)
        tops[pile : pile + 1] = [second]
        chains[pile : pile + 1] = [number]
    found: list[tuple[int, int]] = []
    at = chains[-1] if chains else None
    while at is not None:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def _fingerprint(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True)


def _difference(path: str, to: str, change: Change, before: JsonValue, after: JsonValue) -> Difference:
    return Difference(path, change, before, after, None if to == path else to)


_PLAIN_KEY = re.compile(r"[\w$@.\[\]-]+")


def member(path: str, key: str) -> str:
    """The path of a field, or of a map entry whose key is no plain word: `labels["a b"]`."""
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key
