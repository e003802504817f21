"""Calls as the columns of a list that fills the width there is; each column can be sorted by."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from inspector.model.call import Call
from inspector.views.safe_text import safe
from inspector.views.spans import Line, Span
from inspector.views.times import duration, size, time_of_day
from inspector.views.widths import cells_of, clip

BAR = "▏▎▍▌▋▊▉█"
"""A cell filled by eighths."""

BAR_WIDTH = 10


class Column(NamedTuple):
    """`sorted_by` is the column of the index, `least` how wide the list is at least that shows it."""

    title: str
    width: int
    least: int
    sorted_by: str
    is_right: bool
    cell: Callable[[Call], Span]


def _number(call: Call) -> Span:
    return "", str(call.number)


def _time(call: Call) -> Span:
    return "dim", time_of_day(call.started)


def _method(call: Call) -> Span:
    return "method", safe((call.method or "?").removeprefix("/"))


def _status(call: Call) -> Span:
    status = call.status
    if status is None:
        return "dim", "?"
    return ("good" if status.code == 0 else "bad"), safe(status.name)


def _took(call: Call) -> Span:
    return "", duration(call.duration)


def _sent(call: Call) -> Span:
    return "dim", f"{call.requests}↑"


def _got(call: Call) -> Span:
    return "dim", f"{call.responses}↓"


def _bytes(call: Call) -> Span:
    return "", size(call.request_bytes + call.response_bytes)


COLUMNS = (
    Column("#", 7, 0, "number", True, _number),
    Column("time", 12, 84, "started", False, _time),
    Column("method", 0, 0, "kind", False, _method),
    Column("status", 12, 0, "status", False, _status),
    Column("took", 8, 0, "duration", True, _took),
    Column("sent", 5, 60, "requests", True, _sent),
    Column("got", 5, 60, "responses", True, _got),
    Column("bytes", 8, 70, "response_bytes", True, _bytes),
)


def heading(width: int, sorted_by: str, *, descending: bool) -> Line:
    """The names of the columns, an arrow at the one that sorts."""
    line: Line = []
    for column, room in _layout(width):
        arrow = ("▾" if descending else "▴") if column.sorted_by == sorted_by else ""
        line += _cell(("title", column.title + arrow), room, column.is_right)
    return line


def column_at(x: int, width: int) -> str | None:
    """What the column at a cell of the heading is sorted by."""
    at = 0
    for column, room in _layout(width):
        at += room + 1
        if x < at:
            return column.sorted_by
    return None


def row(call: Call, width: int, longest: int, mark: str = "") -> Line:
    """A call in one line. `longest` is the duration, in nanoseconds, that fills a bar."""
    line: Line = []
    for column, room in _layout(width):
        line += _cell(column.cell(call), room, column.is_right)
    if width >= _FROM_BAR:
        line += [("bar", _bar(call.duration, longest)), ("", " ")]
    line.append(("bad" if any(each.is_damage for each in call.problems) else "dim", "!" if call.problems else " "))
    line.append(("word", mark or " "))
    return line


_FROM_BAR = 100
"""A list of that width has room for a bar."""


def _layout(width: int) -> list[tuple[Column, int]]:
    shown = [column for column in COLUMNS if width >= column.least]
    rest = width - sum(column.width + 1 for column in shown) - 2 - (BAR_WIDTH + 1) * (width >= _FROM_BAR)
    return [(column, column.width or max(8, rest)) for column in shown]


def _cell(span: Span, width: int, is_right: bool) -> Line:
    style, text = span
    text = _end_of(text, width) if style == "method" else clip(text, width)
    padding = " " * (width - cells_of(text))
    return [(style, f"{padding}{text} " if is_right else f"{text}{padding} ")]


def _end_of(method: str, width: int) -> str:
    """A method in so many cells: its end tells it from others."""
    if cells_of(method) <= width:
        return method
    service, slash, name = method.rpartition("/")
    short = service.rpartition(".")[2] + slash + name
    return short if cells_of(short) <= width else "…" + short[len(short) - width + 1 :]


def _bar(taken: int | None, longest: int) -> str:
    eighths = round(8 * BAR_WIDTH * min(1.0, (taken or 0) / longest)) if longest > 0 else 0
    full, rest = divmod(eighths, 8)
    return (BAR[7] * full + (BAR[rest - 1] if rest else "")).ljust(BAR_WIDTH)
