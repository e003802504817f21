"""A tree of which some nodes are open, as rows: what a tree on a screen shows.

Rows are found by number without visiting those before, and nodes are made when their row is asked for. So a message
with a million fields opens at once, and costs what is looked at.

Invariant: row `i` is the node that a walk over the open nodes comes to as number `i`.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from inspector.transcode.tree import FieldNode

Chain = tuple[int, ...]
"""Where a node is: its place among its siblings, and that of each field around it, outermost first."""


class OutlineRow(NamedTuple):
    """A node that can be seen, and whether its children can."""

    node: FieldNode
    chain: Chain
    is_open: bool


class Outline:
    """The nodes of a field tree, all closed at first."""

    def __init__(self, fields: Sequence[FieldNode]) -> None:
        self._top = _Level(fields)

    def __len__(self) -> int:
        return self._top.size

    def row(self, index: int) -> OutlineRow:
        """Raises IndexError where there is none."""
        if not 0 <= index < len(self):
            raise IndexError(f"there is no row {index}")
        level, chain = self._top, []
        while True:
            place, rest = level.locate(index)
            chain.append(place)
            if rest == 0:
                return OutlineRow(level.nodes[place], tuple(chain), place in level.opened)
            level, index = level.opened[place], rest - 1

    def index_of(self, chain: Chain) -> int:
        """The row of a node, or of the innermost field around it that can be seen."""
        level: _Level | None = self._top
        index = -1
        for place in chain:
            if level is None:
                break
            index += 1 + level.rows_before(place)
            level = level.opened.get(place)
        return max(0, index)

    def open(self, chain: Chain) -> None:
        """Shows the children of a node, and all around it; nothing changes where it has none."""
        level = self._top
        for depth, place in enumerate(chain, 1):
            inner = level.opened.get(place)
            if inner is None:
                node = level.nodes[place]
                if not node.has_children:
                    return
                inner = _Level(node.children)
                self._add(chain[: depth - 1], place, inner)
            level = inner

    def close(self, chain: Chain) -> None:
        """Hides the children of a node; what was open within it is closed."""
        levels = self._levels(chain[:-1])
        if levels is not None and chain[-1] in levels[-1].opened:
            hidden = levels[-1].opened[chain[-1]].size
            levels[-1].remove(chain[-1])
            for level in levels:
                level.grow(-hidden)

    def is_open(self, chain: Chain) -> bool:
        return self._levels(chain) is not None

    def opened(self) -> list[Chain]:
        """Where the nodes are whose children are shown, those outside first."""
        found: list[Chain] = []
        waiting: list[tuple[Chain, _Level]] = [((), self._top)]
        for chain, level in waiting:
            waiting += [((*chain, place), inner) for place, inner in level.opened.items()]
            found += [(*chain, place) for place in level.opened]
        return found

    def open_again(self, chains: Sequence[Chain]) -> None:
        """Opens nodes that were open in another reading of the same bytes, as far as there are such."""
        for chain in chains:
            if self._has(chain):
                self.open(chain)

    def _has(self, chain: Chain) -> bool:
        """Whether there is a node at a place."""
        nodes = self._top.nodes
        for depth, place in enumerate(chain):
            if place >= len(nodes):
                return False
            if depth < len(chain) - 1:
                nodes = nodes[place].children
        return True

    def open_all(self, most: int, start: Chain = ()) -> None:
        """Opens nodes, those outside first, as long as that shows no more than `most` rows."""
        waiting = [start] if start else [(place,) for place in range(min(most, len(self._top.nodes)))]
        for chain in waiting:
            node = self.node(chain)
            if not node.has_children or len(self) + len(node.children) > most:
                continue
            self.open(chain)
            waiting += [(*chain, place) for place in range(len(node.children))]

    def node(self, chain: Chain) -> FieldNode:
        """The node at a place, seen or not."""
        nodes = self._top.nodes
        for place in chain[:-1]:
            nodes = nodes[place].children
        return nodes[chain[-1]]

    def _levels(self, chain: Chain) -> list[_Level] | None:
        """Those from the top to what is open at a place; None where that is closed."""
        levels = [self._top]
        for place in chain:
            inner = levels[-1].opened.get(place)
            if inner is None:
                return None
            levels.append(inner)
        return levels

    def _add(self, around: Chain, place: int, inner: _Level) -> None:
        levels = self._levels(around) or []
        levels[-1].add(place, inner)
        for level in levels:
            level.grow(inner.size)


class _Level:
    """Siblings, and which of them are open."""

    def __init__(self, nodes: Sequence[FieldNode]) -> None:
        self.nodes = nodes
        self.opened: dict[int, _Level] = {}
        self.size = len(nodes)
        self._places: list[int] = []  # of those that are open, in order
        self._sums: list[int] | None = None  # rows within the first one, the first two, ...

    def add(self, place: int, inner: _Level) -> None:
        self.opened[place] = inner
        insort(self._places, place)

    def remove(self, place: int) -> None:
        del self.opened[place]
        self._places.remove(place)

    def grow(self, rows: int) -> None:
        self.size += rows
        self._sums = None

    def locate(self, index: int) -> tuple[int, int]:
        """The sibling at a row or around it, and how many rows below its own that is."""
        sums = self._inner_rows()
        # The first row of each open sibling is its place, and all rows within those before it.
        low = bisect_right(range(len(sums)), index, key=lambda at: self._places[at] + (sums[at - 1] if at else 0)) - 1
        if low < 0:
            return index, 0
        place, before = self._places[low], sums[low - 1] if low else 0
        rest = index - place - before
        inner = sums[low] - before
        return (place, rest) if rest <= inner else (index - sums[low], 0)

    def rows_before(self, place: int) -> int:
        at = bisect_right(self._places, place - 1)
        return place + (self._inner_rows()[at - 1] if at else 0)

    def _inner_rows(self) -> list[int]:
        if self._sums is None:
            self._sums = [*accumulate(self.opened[place].size for place in self._places)]
        return self._sums


def chain_at(fields: Sequence[FieldNode], offset: int) -> Chain:
    """Where the innermost node is that has the byte at `offset`; empty where none has."""
    return tuple(_places_at(fields, offset))


def _places_at(nodes: Sequence[FieldNode], offset: int) -> Iterator[int]:
    while len(nodes):
        place = bisect_right(nodes, offset, key=_start) - 1
        if place < 0 or offset >= nodes[place].span.end:
            return
        yield place
        node = nodes[place]
        is_inside = node.value_span.start <= offset < node.value_span.end
        nodes = node.children if is_inside and node.has_children else ()


def _start(node: FieldNode) -> int:
    return node.span.start
