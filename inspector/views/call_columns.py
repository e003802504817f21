"""Calls as the columns of a list that fills the width there is: those that fit, or those that were chosen."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from inspector.model.call import Call
from inspector.views.safe_text import safe, safe_name
from inspector.views.spans import Line, Span
from inspector.views.times import duration, size, time_of_day
from inspector.views.widths import cells_of, clip, clip_start

BAR = "▏▎▍▌▋▊▉█"
"""A cell filled by eighths."""

BAR_WIDTH = 10


Chosen = frozenset[str] | None
"""Names of the columns that the user chose; None leaves it to the width."""

_Cell = Callable[[Call, int], Span]
"""What a column says of a call; the number is the duration, in nanoseconds, that fills a bar."""


class Column(NamedTuple):
    """`name` is what it is chosen by, `sorted_by` a key of `call_order` (empty where it has none), `least` how wide the
    list is at least that shows it without being told to (None: no list does)."""

    name: str
    title: str
    width: int
    least: int | None
    sorted_by: str
    is_right: bool
    cell: _Cell


def _text(text: str | None) -> Span:
    return ("dim", "?") if text is None else ("", safe_name(text))


def _method(call: Call, _: int) -> Span:
    return "method", safe_name((call.method or "?").removeprefix("/"))


def _status(call: Call, _: int) -> Span:
    status = call.status
    if status is None:
        return "dim", "?"
    return ("good" if status.code == 0 else "bad"), safe(status.name)


def _bar(call: Call, longest: int) -> Span:
    eighths = round(8 * BAR_WIDTH * min(1.0, (call.duration or 0) / longest)) if longest > 0 else 0
    full, rest = divmod(eighths, 8)
    return "bar", BAR[7] * full + (BAR[rest - 1] if rest else "")


COLUMNS = (
    Column("number", "#", 7, 0, "number", True, lambda call, _: ("", str(call.number))),
    Column("time", "time", 12, 84, "started", False, lambda call, _: ("dim", time_of_day(call.started))),
    Column("authority", "authority", 20, None, "", False, lambda call, _: _text(call.authority)),
    Column("method", "method", 0, 0, "kind", False, _method),
    Column("status", "status", 12, 0, "status", False, _status),
    Column("message", "message", 24, None, "", False, lambda call, _: _text(call.status and call.status.message)),
    Column("took", "took", 8, 0, "duration", True, lambda call, _: ("", duration(call.duration))),
    Column("deadline", "deadline", 8, None, "", True, lambda call, _: ("dim", duration(call.deadline))),
    Column("sent", "sent", 5, 60, "requests", True, lambda call, _: ("dim", f"{call.requests}↑")),
    Column("got", "got", 5, 60, "responses", True, lambda call, _: ("dim", f"{call.responses}↓")),
    Column("request_bytes", "bytes↑", 8, None, "request_bytes", True, lambda call, _: ("", size(call.request_bytes))),
    Column(
        "response_bytes", "bytes↓", 8, None, "response_bytes", True, lambda call, _: ("", size(call.response_bytes))
    ),
    Column(
        "bytes", "bytes", 8, 70, "bytes", True, lambda call, _: ("", size(call.request_bytes + call.response_bytes))
    ),
    Column("client", "client", 21, None, "", False, lambda call, _: _text(call.client)),
    Column("server", "server", 21, None, "", False, lambda call, _: _text(call.server)),
    Column("connection", "conn.", 6, None, "connection", True, lambda call, _: ("dim", str(call.connection))),
    Column("stream", "stream", 8, None, "stream", True, lambda call, _: ("dim", str(call.stream))),
    Column("bar", "", BAR_WIDTH, 100, "", False, _bar),
)
"""All there are, in the order in which they stand; the method takes the room that the others leave."""

NAMES = frozenset(column.name for column in COLUMNS)

METHOD = "method"
"""It is always shown."""

LEAST_METHOD = 12
"""Cells for the method, before columns that were chosen give way, the last ones first."""

_ENDS = 2
"""Cells behind the columns: whether there are problems, and the mark."""


def names(width: int, chosen: Chosen) -> frozenset[str]:
    """The columns that a list of that width shows."""
    return frozenset(column.name for column, _ in _layout(width, chosen))


def sort_keys(width: int, chosen: Chosen) -> list[str]:
    """What a list of that width can be sorted by, column by column."""
    return [column.sorted_by for column, _ in _layout(width, chosen) if column.sorted_by]


def heading(width: int, chosen: Chosen, sorted_by: str, *, descending: bool) -> Line:
    """The names of the columns, an arrow at the one that sorts."""
    line: Line = []
    for column, room in _layout(width, chosen):
        arrow = ("▾" if descending else "▴") if column.sorted_by and column.sorted_by == sorted_by else ""
        line += _cell(("title", column.title + arrow), room, column.is_right)
    return line


def column_at(x: int, width: int, chosen: Chosen) -> str | None:
    """What the column at a cell of the heading is sorted by; None for one that is not."""
    at = 0
    for column, room in _layout(width, chosen):
        at += room + 1
        if x < at:
            return column.sorted_by or None
    return None


def row(call: Call, width: int, chosen: Chosen, longest: int, mark: str = "") -> Line:
    """A call in one line. `longest` is the duration, in nanoseconds, that fills a bar."""
    line: Line = []
    for column, room in _layout(width, chosen):
        line += _cell(column.cell(call, longest), room, column.is_right)
    line.append(("bad" if any(each.is_damage for each in call.problems) else "dim", "!" if call.problems else " "))
    line.append(("word", mark or " "))
    return line


@lru_cache(64)
def _layout(width: int, chosen: Chosen) -> list[tuple[Column, int]]:
    shown = _candidates(chosen)
    if chosen is None:
        shown = [column for column in shown if width >= (column.least or 0)]
    while _rest(width, shown) < LEAST_METHOD and chosen is not None and shown[-1].name != METHOD:
        shown.pop()
    return [(column, column.width or max(8, _rest(width, shown))) for column in shown]


def _candidates(chosen: Chosen) -> list[Column]:
    if chosen is None:
        return [column for column in COLUMNS if column.least is not None]
    return [column for column in COLUMNS if column.name in chosen or column.name == METHOD]


def _rest(width: int, shown: list[Column]) -> int:
    """The room that is left for the method."""
    return width - sum(column.width + 1 for column in shown) - _ENDS


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
    return clip_start(short, width)
