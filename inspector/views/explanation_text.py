"""The rows of an explanation as lines of text, in columns that fit the width there is."""

from __future__ import annotations

from textwrap import wrap
from typing import NamedTuple

from inspector.transcode.tree_types import DAMAGE
from inspector.views.explanation_rows import Row
from inspector.views.spans import Line
from inspector.views.widths import cells_of, clip

_LEAST_REST = 32
"""Cells of the field with its value, however narrow the terminal is."""

_LEAST_VALUE = 14
"""Cells kept for a value: deep fields are not indented beyond what this leaves."""


class Layout(NamedTuple):
    """Cells of the columns: of an offset, a tag, a type, all of these with the spaces behind them (`margin`), and of
    what comes then. `bytes` is how many of them are shown."""

    offset: int
    bytes: int
    tag: int
    type: int
    margin: int
    rest: int


def layout(size: int, width: int) -> Layout:
    """The columns for a message of so many bytes on a terminal of that width."""
    offset = max(len("at"), len(str(size)))
    count, tag, type_ = (4, 8, 12) if width < 100 else (8, 9, 14) if width < 140 else (12, 10, 20)
    margin = offset + (3 * count + 1) + tag + type_ + len("  ") * 4
    return Layout(offset, count, tag, type_, margin, max(_LEAST_REST, width - margin))


def heading(columns: Layout) -> Line:
    """The names of the columns."""
    text = f"{'at':>{columns.offset}}  {'bytes':<{3 * columns.bytes + 1}}  {'tag':<{columns.tag}}  "
    return [("title", f"{text}{'type':<{columns.type}}  field")]


def row_lines(row: Row, columns: Layout) -> list[Line]:
    """A row in one line; a problem or note for which that has no room stands below."""
    start: Line = [
        ("dim", f"{row.span.start:>{columns.offset}}  "),
        ("", f"{_hex(row, columns.bytes)}  "),
        ("number", f"{row.tag:<{columns.tag}}  "),
        ("bad" if row.type == DAMAGE else "word", f"{_clipped(row.type, columns.type)}  "),
    ]
    room = columns.rest - max(0, len(row.tag) - columns.tag)
    field = _field(row, room)
    room -= sum([cells_of(text) for _, text in field])
    remarks: Line = [("bad", f"! {row.problem}")] if row.problem else []
    remarks += [("dim", row.note)] if row.note else []
    if not remarks:
        return [[*start, *field]]
    if sum(2 + cells_of(text) for _, text in remarks) <= room:
        return [[*start, *field, *((style, f"  {text}") for style, text in remarks)]]
    below = [(style, part) for style, text in remarks for part in wrap(text, columns.rest - 2)]
    return [[*start, *field], *([("", " " * (columns.margin + 2)), remark] for remark in below)]


def _hex(row: Row, count: int) -> str:
    text = row.head[:count].hex(" ")
    if row.span.size > count:
        text = f"{text}.."
    return f"{text:<{3 * count + 1}}"


def _clipped(text: str, width: int) -> str:
    if text.isascii() and len(text) <= width:
        return text.ljust(width)
    text = clip(text, width)
    return text + " " * (width - cells_of(text))


def _field(row: Row, width: int) -> Line:
    """Name and value in so many cells."""
    name = clip(row.name, width)
    room = width - cells_of(name)
    indent = min(2 * row.depth, max(0, room - _LEAST_VALUE))
    value = _value(row, room - indent - 2) if row.value and room > indent + 4 else ""
    return [("", " " * indent), ("key", name), ("", "  " if value else ""), (row.style, value)]


def _value(row: Row, room: int) -> str:
    """The value in so many cells. One that is cut, here or before, ends in an ellipsis and tells how long it is."""
    whole = cells_of(row.value)
    if not row.is_cut and whole <= room:
        return row.value
    size = f" ({row.size:,} bytes)" if row.style == "string" else ""
    if room < len(size) + _LEAST_VALUE // 2:
        size = ""
    return clip(f"{row.value} ", min(room - len(size), whole)) + size
