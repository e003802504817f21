"""The problems of a capture by kind: how many, and where the first ones are."""

from __future__ import annotations

from inspector.errors import InspectorError
from inspector.index.capture_index import CaptureIndex
from inspector.model.problem import Problem
from inspector.views.safe_text import safe
from inspector.views.spans import Line

MOST_CALLS = 1_000
"""Calls with problems that are read to count these: a tenth of a second."""

_MOST_PLACES = 5


class _Kind:
    """Problems of one kind: the first one, how many there are, and where the first ones are."""

    def __init__(self, problem: Problem) -> None:
        self.first = problem
        self.count = 0
        self.places: list[str] = []

    def add(self, problem: Problem, call: int | None) -> None:
        self.count += 1
        if len(self.places) < _MOST_PLACES:
            found = f"call {call}" if call is not None else "", f"packet {problem.packet}" if problem.packet else ""
            self.places += [" ".join(filter(None, found))] if any(found) else []

    def line(self, code: str) -> Line:
        more = ", …" if self.count > len(self.places) > 0 else ""
        places = f"  ({', '.join(self.places)}{more})" if self.places else ""
        style = "bad" if self.first.is_damage else ""
        return [(style, f"  {self.count:,} × {safe(code)}"), ("", f"  {safe(self.first.message)}"), ("dim", places)]


class ProblemCount:
    """Goes on where it stopped, as more of a capture is read."""

    def __init__(self, index: CaptureIndex) -> None:
        self._index = index
        self._begin()

    def _begin(self) -> None:
        self._seen = self._calls = self._left = 0
        self._firm = self._bytes = 0  # rows that stayed as they were, and how far was read, when it was looked last
        self._in_calls: dict[str, _Kind] = {}

    def lines(self) -> list[Line]:
        """A line for each kind, those of calls and those that belong to none."""
        self._look()
        others: dict[str, _Kind] = {}
        for problem in self._index.problems:
            others.setdefault(problem.code, _Kind(problem)).add(problem, None)
        lines: list[Line] = [kind.line(code) for code, kind in others.items()]
        lines += [kind.line(code) for code, kind in self._in_calls.items()]
        if self._left:
            lines.append([("dim", f"  and those of {self._left:,} more calls: inspector calls lists them")])
        return lines or [[("dim", "  none so far" if not self._index.complete else "  none")]]

    def _look(self) -> None:
        index = self._index
        has_changed = self._seen > self._firm and index.bytes_read != self._bytes
        if has_changed or len(index) < self._seen:
            self._begin()
        first, self._firm, self._bytes = self._seen, index.settled, index.bytes_read
        last = self._seen = len(index)
        flags = index.column("has_problems", first, last)
        for row, has_problems in enumerate(flags, first):
            if has_problems and self._calls < MOST_CALLS:
                self._calls += 1
                self._take(row)
            else:
                self._left += has_problems

    def _take(self, row: int) -> None:
        try:
            call = self._index.call_at(row)
        except (InspectorError, IndexError):  # told where calls are listed
            return
        for problem in call.problems:
            self._in_calls.setdefault(problem.code, _Kind(problem)).add(problem, call.number)
