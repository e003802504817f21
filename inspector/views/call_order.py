"""The calls of an index in the order in which a person looks at them: those that a filter takes, sorted by a column.

A screen holds a `CallOrder`, which never takes long: what does (filtering, sorting, merging what came since) is an
`Arranging`, which runs in another thread and gives what is to be shown by then, step by step.

Invariant: rows with equal keys stand in the order of the index, so a row is found by bisection. It holds twelve bytes
for each call, and four more for each that a filter takes.
"""

from __future__ import annotations

import operator
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from inspector.index.capture_index import CaptureIndex

try:
    from inspector.views.row_order_cy import merge_rows, sort_rows
except ImportError:
    sort_rows = merge_rows = None  # type: ignore[assignment]  # not compiled

Find = Callable[[int, int, Callable[[], bool]], Iterator[tuple[Sequence[int], int]]]
"""Rows from one to (not with) another -> those that match, a step at a time, and the row up to which all are known. It
ends early where it is cancelled."""

NUMBER = "number"
METHOD = "kind"
BYTES = "bytes"

KEYS = (NUMBER, "started", METHOD, "status", "duration", "requests", "responses", "request_bytes", "response_bytes",
        BYTES, "connection", "stream")  # fmt: skip
"""What can be sorted by: columns of the index, but methods go by their names, and `bytes` is those of both sides."""

BETWEEN_STEPS = 0.1
"""Seconds after which what was found so far is shown."""

ROWS_AT_ONCE = 1 << 14
"""Rows that are taken in one step where there is no filter: a few milliseconds."""


MANY_FORGOTTEN = 1_000
"""Rows that are not looked for one by one."""


_Kind = tuple[str | None, str, str | None]
"""Method, protocol, authority."""


class Arranged(NamedTuple):
    """What is to be shown: `rows` in the order of their `keys`. They are those of the first `seen` rows of the index,
    of which `taken` match (None: all). The rest is what the user wished."""

    rows: array[int] = array("I")
    taken: array[int] | None = None
    keys: array[int] = array("q")
    seen: int = 0
    column: str = NUMBER
    descending: bool = False
    find: Find | None = None
    kinds: Sequence[_Kind | None] = ()
    """Where it is sorted by methods, those of the index by which `keys` were made."""
    era: int = 0
    """How often rows were forgotten."""


class CallOrder:
    """Rows of an index by their place on the screen. At first by number: as calls began."""

    def __init__(self, index: CaptureIndex) -> None:
        self._index = index
        self.lock = threading.Lock()
        """Held while rows are arranged."""
        self._shown = Arranged(keys=array("q"))
        self._find: Find | None = None
        self.column = NUMBER
        self.descending = False

    def __len__(self) -> int:
        return len(self._shown.rows)

    def __getitem__(self, place: int) -> int:
        """The row at a place. Raises IndexError."""
        return self._shown.rows[place]

    @property
    def seen(self) -> int:
        """Of how many rows of the index it is known whether they are shown."""
        return self._shown.seen if self._shown.find is self._find else 0

    @property
    def is_filtered(self) -> bool:
        """Whether only some calls are wished for."""
        return self._find is not None

    @property
    def newest(self) -> int | None:
        """The place of the call that ended last, of those that are shown."""
        shown = self._shown
        row = shown.seen - 1 if shown.taken is None else shown.taken[-1] if shown.taken else -1
        return self.place_of(row) if row >= 0 else None

    def place_of(self, row: int) -> int | None:
        """Where a row stands; None where the filter leaves it out."""
        rows, keys = self._shown.rows, self._shown.keys
        if row >= len(keys):
            return None
        sign = -1 if self._shown.descending else 1
        place = bisect_left(rows, (sign * keys[row], row), key=lambda each: (sign * keys[each], each))
        return place if place < len(rows) and rows[place] == row else None

    def place_of_call(self, number: int) -> int | None:
        """Where the call of a number stands; None where it does not, or is not known yet."""
        try:
            return self.place_of(self._index.row_of(number))
        except IndexError:
            return None

    def forget(self, kept: int) -> None:
        """Forgets the rows from `kept` on, which are about to become others. What is arranged is to be cancelled
        before, and `lock` held when they do."""
        shown = self._shown
        rows = self._without(kept) if kept else array("I")
        taken = None if shown.taken is None else shown.taken[: bisect_left(shown.taken, kept)]
        seen = min(kept, shown.seen)
        self._shown = shown._replace(rows=rows, taken=taken, keys=shown.keys[:kept], seen=seen, era=shown.era + 1)

    def _without(self, kept: int) -> array[int]:
        """The rows that are shown, but for those from `kept` on, which most often are few."""
        shown = self._shown
        if shown.seen - kept > MANY_FORGOTTEN:
            return array("I", [row for row in shown.rows if row < kept])
        places = [self.place_of(row) for row in range(kept, shown.seen)]
        rows, at = array("I"), 0
        for place in sorted(place for place in places if place is not None):
            rows += shown.rows[at:place]
            at = place + 1
        return rows + shown.rows[at:]

    # --- what is wished for --------------------------------------------------------------------------------------

    def sort(self, column: str, *, descending: bool = False) -> None:
        """By one of `KEYS`. Calls of which the index knows nothing stand first."""
        self.column, self.descending = column, descending

    def use_filter(self, find: Find | None) -> None:
        """Only the rows that are found; None shows all."""
        self._find = find

    def arranging(self) -> Arranging:
        """The way there, and to all rows that the index has."""
        start = self._shown
        if start.find is not self._find:
            start = start._replace(rows=array("I"), taken=None if self._find is None else array("I"), seen=0)
        is_sorted = start.seen == 0 or (start.column, start.descending) == (self.column, self.descending)
        if start.column != self.column:
            start = start._replace(keys=array("q"), kinds=())
        start = start._replace(column=self.column, descending=self.descending, find=self._find)
        return Arranging(self._index, self.lock, start, is_sorted=is_sorted)

    def show(self, arranged: Arranged) -> bool:
        """Makes it what is shown. False where the user wishes something else by now."""
        if (arranged.column, arranged.descending) != (self.column, self.descending) or arranged.find is not self._find:
            return False
        if arranged.era != self._shown.era:
            return False
        self._shown = arranged
        return True

    def arrange(self) -> None:
        """All of it here and now."""
        for arranged in self.arranging().run(lambda: False):
            self.show(arranged)


class Arranging:
    """The way from what is shown to what is wished for. One at a time runs; another waits until the first one, which is
    cancelled then, notices that."""

    def __init__(self, index: CaptureIndex, lock: threading.Lock, start: Arranged, *, is_sorted: bool) -> None:
        self._index = index
        self._lock = lock
        self._now = start
        self._is_sorted = is_sorted

    def run(self, is_cancelled: Callable[[], bool], *, extends: bool = True) -> Iterator[Arranged]:
        """What is to be shown, at most every `BETWEEN_STEPS` seconds, and at the end; without `extends` only the rows
        that are shown already, in another order. Raises InputError where the input cannot be read."""
        try:
            with self._lock:
                if not self._is_sorted and not is_cancelled():
                    self._sort()
                    yield self._now
                elif not len(self._index):
                    yield self._now
                last = len(self._index)  # of one that grows: what comes meanwhile is for the next one
                while extends and self._now.seen < last and not is_cancelled():
                    yield from self._extended(last, is_cancelled)
        finally:
            self._now = Arranged()  # megabytes, while the thread that ran may be held in a cycle for long

    def _sort(self) -> None:
        taken, seen = self._now.taken, self._now.seen
        self._read_keys(seen)
        rows = array("I") if taken is None else taken[:]
        if taken is None:
            for first in range(0, seen, ROWS_AT_ONCE):
                rows.extend(range(first, min(seen, first + ROWS_AT_ONCE)))
        self._now = self._now._replace(rows=self._in_order(rows))

    def _extended(self, last: int, is_cancelled: Callable[[], bool]) -> Iterator[Arranged]:
        """Takes in the rows up to (not with) `last`."""
        first = self._now.seen
        found, told = array("I"), time.monotonic()
        for rows, seen in (self._now.find or _all)(first, last, is_cancelled):
            found.extend(rows)
            if is_cancelled():
                return
            if seen == last or time.monotonic() - told >= BETWEEN_STEPS:
                yield self._with(found, seen)
                found, told = array("I"), time.monotonic()

    def _with(self, found: array[int], seen: int) -> Arranged:
        """What is shown when rows were found too."""
        self._read_keys(seen)
        now = self._now
        rows = self._merged(now.rows, self._in_order(found[:])) if found else now.rows
        taken = now.taken if now.taken is None else now.taken + found
        self._now = now._replace(rows=rows, taken=taken, seen=seen)
        return self._now

    def _read_keys(self, seen: int) -> None:
        if self._now.column == METHOD:
            self._rank_methods()
        keys = self._now.keys
        if len(keys) < seen:
            keys.extend(self._keys(len(keys), seen))

    def _rank_methods(self) -> None:
        """Methods go by their names: where others came, the ranks of all are new, and all rows are sorted again."""
        kinds = tuple(self._index.kinds)
        if kinds == self._now.kinds:
            return
        now = self._now = self._now._replace(kinds=kinds, keys=array("q"))
        if now.rows:
            now.keys.extend(self._keys(0, now.seen))
            self._now = now._replace(rows=self._in_order(now.rows[:]))

    def _keys(self, first: int, last: int) -> array[int]:
        column = self._now.column
        if column == BYTES:
            sides = (self._index.column(name, first, last) for name in ("request_bytes", "response_bytes"))
            return array("q", map(operator.add, *sides))
        values = self._index.column(column, first, last)
        if column != METHOD:
            return values
        names = [each[0] or "" if each is not None else "" for each in self._now.kinds]
        places = {name: place for place, name in enumerate(sorted(set(names)))}
        ranks = [places[name] for name in names]
        return array("q", [ranks[kind] if kind < len(ranks) else 0 for kind in values])

    def _in_order(self, rows: array[int]) -> array[int]:
        keys = self._now.keys
        if sort_rows is None:
            return array("I", sorted(rows, key=keys.__getitem__, reverse=self._now.descending))
        sort_rows(keys, rows, self._now.descending)
        return rows

    def _merged(self, first: array[int], second: array[int]) -> array[int]:
        if not first or self._comes_before(first[-1], second[0]):
            return first + second
        if merge_rows is None:
            return self._in_order(first + second)
        out = array("I", bytes(first.itemsize * (len(first) + len(second))))
        merge_rows(self._now.keys, first, second, out, self._now.descending)
        return out

    def _comes_before(self, row: int, other: int) -> bool:
        keys = self._now.keys
        return keys[row] >= keys[other] if self._now.descending else keys[row] <= keys[other]


def _all(first: int, last: int, _: Callable[[], bool]) -> Iterator[tuple[Sequence[int], int]]:
    """All rows."""
    for start in range(first, last, ROWS_AT_ONCE):
        end = min(last, start + ROWS_AT_ONCE)
        yield range(start, end), end
