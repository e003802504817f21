"""Calls as the rows of a table, and in the order in which they began."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from inspector.limits import CALL_ORDER_WINDOW
from inspector.model.call import Call
from inspector.views.safe_text import safe
from inspector.views.spans import Line
from inspector.views.times import duration, size, time_of_day

# The width of every column but the method's, with the two spaces between columns.
_FIXED = 72
_LEAST_METHOD = 20


class InOrder:
    """Calls as they end -> calls in the order in which they began, as far as a window of held-back calls allows."""

    def __init__(self, window: int = CALL_ORDER_WINDOW) -> None:
        self._window = window
        self._held: list[tuple[int, Call]] = []
        self._next = 1

    def feed(self, calls: Iterable[Call]) -> Iterator[Call]:
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
    method = max(_LEAST_METHOD, width - _FIXED)
    text = f"{'call':>6}  {'time':<12}  {'method':<{method}}  {'status':<18}  {'took':>8}  {'msgs':>7}  {'bytes':>8}"
    return [("title", text)]


def row(call: Call, width: int) -> Line:
    """A call in one line."""
    method = max(_LEAST_METHOD, width - _FIXED)
    status = call.status
    style = "dim" if status is None else "good" if status.code == 0 else "bad"
    name = "?" if status is None else status.name
    counts = f"{call.requests}/{call.responses}"
    total = size(call.request_bytes + call.response_bytes)
    line: Line = [
        ("", f"{call.number:>6}  "),
        ("dim", f"{time_of_day(call.started):<12}  "),
        ("method", f"{_fit(safe(call.method or '?').removeprefix('/'), method)}  "),
        (style, f"{_fit(name, 18)}  "),
        ("", f"{duration(call.duration):>8}  {counts:>7}  {total:>8}"),
    ]
    if call.problems:
        line.append(("bad" if any(problem.is_damage for problem in call.problems) else "dim", "  !"))
    return line


def _fit(text: str, width: int) -> str:
    """Text of exactly that width: of a long one the end is kept, which tells methods apart."""
    return f"{text:<{width}}" if len(text) <= width else "…" + text[len(text) - width + 1 :]
