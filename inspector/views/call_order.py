"""The calls of an index in the order in which a person looks at them: those that a filter takes, sorted by a column.

It grows with the index, and holds twelve bytes for each call: its row, and what it is sorted by.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable

from inspector.index.capture_index import CaptureIndex

Select = Callable[[int, int], Iterable[int]]
"""Which rows from one number to (not with) another match."""

NUMBER = "number"


class CallOrder:
    """Rows of an index by their place on the screen. By number, calls stand as they began."""

    def __init__(self, index: CaptureIndex) -> None:
        self._index = index
        self._rows = array("I")
        self._keys = array("q")
        self._seen = 0
        self._select: Select | None = None
        self.column = NUMBER
        self.descending = False

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> int:
        """The row at a place. Raises IndexError."""
        return self._rows[place]

    def extend(self) -> int:
        """Takes in what the index has by now; how many rows that adds."""
        first, last = self._seen, len(self._index)
        if first == last:
            return 0
        self._keys += self._index.column(self.column, len(self._keys))
        last = min(last, len(self._keys))
        rows = array("I", range(first, last) if self._select is None else self._select(first, last))
        self._seen = last
        if rows:
            self._merge(rows)
        return len(rows)

    def sort(self, column: str, *, descending: bool = False) -> None:
        """Sorts by a column of the index (`CaptureIndex.column`). Calls of which it knows nothing stand first."""
        if column != self.column:
            self._keys = self._index.column(column)
        self.column, self.descending = column, descending
        self._rows = self._sorted(self._rows)

    def use_filter(self, select: Select | None) -> None:
        """Shows only the rows that it takes; None shows all."""
        self._select = select
        self._rows = array("I")
        self._seen = 0
        self.extend()

    def place_of(self, row: int) -> int | None:
        """Where a row stands; None where the filter leaves it out."""
        try:
            return self._rows.index(row)
        except ValueError:
            return None

    def _merge(self, rows: array[int]) -> None:
        """Adds rows. Those that come before them in any case stay as they are, the rest is sorted with them."""
        at = 0
        if self._rows and not self.descending:
            key = self._keys.__getitem__
            at = bisect_left(self._rows, min(map(key, rows)), key=key)
        self._rows = self._rows[:at] + self._sorted(self._rows[at:] + rows)

    def _sorted(self, rows: array[int]) -> array[int]:
        return array("I", sorted(rows, key=self._keys.__getitem__, reverse=self.descending))
