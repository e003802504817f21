"""Calls as the rows of a table, and in the order in which they began."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from inspector.limits import CALL_ORDER_WINDOW
from inspector.model.call import Call
from inspector.views.safe_text import safe
from inspector.views.spans import Line
from inspector.views.times import duration, size, time_of_day
from inspector.views.widths import clip

_TIME = 14
"""Cells of the time and the spaces behind it."""

_FIXED = 53
"""Cells of the other columns that always have the same width, with the spaces between them."""

_FROM_WIDTH = 100
"""Narrower terminals have no room for the time."""

_METHOD = 48
"""Cells that a method gets at most; what is left goes to the remark."""

_LEAST_METHOD, _LEAST_REMARK = 16, 8


class _Layout(NamedTuple):
    time: bool
    method: int
    remark: int


@lru_cache(maxsize=8)
def _layout(width: int) -> _Layout:
    """The columns of a terminal of that width."""
    time = width >= _FROM_WIDTH
    rest = width - _FIXED - _TIME * time - len(" !")
    method = max(_LEAST_METHOD, min(_METHOD, rest))
    return _Layout(time, method, rest - method)


_NUMBER = itemgetter(0)
"""The number of a call: the first of its fields."""


class InOrder:
    """Calls as they end -> calls in the order in which they began, as far as a window of held-back calls allows."""

    def __init__(self, window: int = CALL_ORDER_WINDOW) -> None:
        self._window = window
        self._held: list[tuple[int, Call]] = []
        self._next = 1

    def feed(self, calls: list[Call]) -> Iterable[Call]:
        """Those of the calls that ended, and of the ones held back, whose turn it is."""
        after = self._next + len(calls)
        if not self._held and [*map(_NUMBER, calls)] == [*range(self._next, after)]:
            self._next = after
            return calls  # the usual case: they ended as they began
        return self._sort(calls)

    def _sort(self, calls: list[Call]) -> Iterator[Call]:
        for call in calls:
            heapq.heappush(self._held, (call.number, call))
            while self._held and (self._held[0][0] <= self._next or len(self._held) > self._window):
                yield self._pop()

    def close(self) -> Iterator[Call]:
        while self._held:
            yield self._pop()

    def _pop(self) -> Call:
        number, call = heapq.heappop(self._held)
        self._next = max(self._next, number + 1)
        return call


def heading(width: int) -> Line:
    """The names of the columns, for a terminal of that width."""
    layout = _layout(width)
    time = f"{'time':<12}  " if layout.time else ""
    text = f"{'call':>4}  {time}{'method':<{layout.method}}  {'status':<19}  {'took':>7}  {'msgs':>5}  {'bytes':>8}"
    return [("title", text)]


def row(call: Call, width: int) -> Line:
    """A call in one line."""
    layout = _layout(width)
    status = call.status
    style = "dim" if status is None else "good" if status.code == 0 else "bad"
    name = "?" if status is None else status.name
    counts = f"{call.requests}/{call.responses}"
    total = size(call.request_bytes + call.response_bytes)
    return [
        ("", f"{call.number:>4}  "),
        ("dim", f"{time_of_day(call.started):<12}  " if layout.time else ""),
        ("method", f"{_method(safe(call.method or '?'), layout.method)}  "),
        (style, f"{name:<19}  "),
        ("", f"{duration(call.duration):>7}  {counts:>5}  {total:>8}"),
        *_remark(call, layout.remark),
    ]


def _remark(call: Call, width: int) -> Line:
    """What is wrong with the call, or else the message of its status; just a mark where there is no room."""
    line: Line = []
    if call.problems:
        worst = next((problem for problem in call.problems if problem.is_damage), call.problems[0])
        style, text = ("bad" if worst.is_damage else "dim"), worst.message
        line.append((style, " !"))
    else:
        style, text = "dim", call.status.message if call.status else ""
        line.append(("", "  "))
    if width >= _LEAST_REMARK:
        line.append((style, f" {clip(safe(text), width - 1)}"))
    return line


def _method(path: str, width: int) -> str:
    """A method in that many cells. A long one loses its package, or else its beginning: the end tells methods apart."""
    name = path.removeprefix("/")
    if len(name) > width:
        service, slash, method = name.rpartition("/")
        name = service.rpartition(".")[2] + slash + method
    if len(name) > width:
        name = "…" + name[len(name) - width + 1 :]
    return f"{name:<{width}}"
