"""What a message is, byte by byte, for a terminal, a notebook, a prompt or a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from itertools import islice
from typing import TYPE_CHECKING

from inspector.limits import MAX_SHOWN_ROWS
from inspector.transcode.tree import FieldNode, FieldTree, Step, Visit
from inspector.views import explanation_text
from inspector.views.explanation_json import json_chunks
from inspector.views.explanation_rows import Row, rows
from inspector.views.safe_text import safe
from inspector.views.spans import Line, Span

if TYPE_CHECKING:
    from rich.table import Table

_WIDTH = 100
"""Cells of the text where nobody says how many there are."""

_HEAD = 8
"""Bytes shown of a row in a table."""

_COLUMNS = ("at", "bytes", "tag", "type", "field", "value", "")
_RICH_STYLES = {
    "bad": "bold red",
    "dim": "dim",
    "key": "blue",
    "number": "cyan",
    "string": "green",
    "word": "magenta",
}
_HTML_STYLE = "text-align:left;font-family:monospace;white-space:pre"


class Explanation:
    """A field tree that shows itself: `print` it, or let a notebook or a rich terminal show it.

    `depth` leaves out what has that many fields around it. `on_problem` is told of each node with a problem when a walk
    comes to it.
    """

    def __init__(
        self,
        tree: FieldTree,
        *,
        depth: int | None = None,
        on_problem: Callable[[FieldNode], None] | None = None,
    ) -> None:
        self.tree = tree
        self._depth = depth
        self._on_problem = on_problem

    def rows(self) -> Iterator[Row]:
        """The rows: each is a field or a part of one, all together are the message."""
        return rows(self._steps(), self.tree.data)

    def lines(self, width: int = _WIDTH, most: int | None = None) -> Iterator[Line]:
        """The rows as styled lines of so many cells (80 at least), `most` of them, below a heading."""
        columns = explanation_text.layout(len(self.tree.data), width)
        yield [("title", self._title())]
        yield explanation_text.heading(columns)
        end = 0
        for row in islice(self.rows(), most):
            yield from explanation_text.row_lines(row, columns)
            end = row.span.end
        if end < len(self.tree.data):
            yield [("dim", self._rest(end))]

    def json_chunks(self) -> Iterator[bytes]:
        """The tree as JSON text, in pieces."""
        return json_chunks(self.tree, self._steps())

    def to_json(self) -> str:
        """The tree as JSON text (docs/records.md)."""
        return b"".join(self.json_chunks()).decode("utf-8")

    def __str__(self) -> str:
        return _plain(self.lines())

    def __repr__(self) -> str:
        return _plain(self.lines(most=MAX_SHOWN_ROWS))

    def _repr_html_(self) -> str:
        """A table for notebooks, of limits.MAX_SHOWN_ROWS rows at most."""
        found = list(islice(self.rows(), MAX_SHOWN_ROWS))
        head = "".join(f"<th style='{_HTML_STYLE}'>{name}</th>" for name in _COLUMNS)
        body = "".join(map(_html_row, found))
        caption = escape(self._title())
        end = found[-1].span.end if found else 0
        if end < len(self.tree.data):
            caption = f"{caption}<br>{escape(self._rest(end))}"
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __rich__(self) -> Table:
        """A table for rich, of limits.MAX_SHOWN_ROWS rows at most."""
        from rich.table import Table  # noqa: PLC0415  # an extra, and only who has it calls this
        from rich.text import Text  # noqa: PLC0415  # as above

        table = Table(title=self._title(), box=None, pad_edge=False)
        for name in _COLUMNS:
            table.add_column(name, no_wrap=True)
        end = 0
        for row in islice(self.rows(), MAX_SHOWN_ROWS):
            table.add_row(*(Text(text, _RICH_STYLES.get(style, "")) for style, text in _cells(row)))
            end = row.span.end
        table.caption = self._rest(end) if end < len(self.tree.data) else None
        return table

    def _title(self) -> str:
        size = len(self.tree.data)
        return f"{safe(self.tree.type_name or 'no schema')}  {size:,} byte{'s' * (size != 1)}"

    def _rest(self, end: int) -> str:
        return f"... and {len(self.tree.data) - end:,} more bytes, from offset {end} on"

    def _steps(self) -> Iterator[Step]:
        for step in self.tree.steps(self._depth):
            if self._on_problem and step.visit is not Visit.CLOSE and step.node.problem:
                self._on_problem(step.node)
            yield step


def _plain(lines: Iterator[Line]) -> str:
    return "\n".join("".join(text for _, text in line).rstrip() for line in lines)


def _cells(row: Row) -> list[Span]:
    """A row as the cells of a table: styles and texts."""
    head = row.head[:_HEAD].hex(" ") + (".." if row.span.size > _HEAD else "")
    size = f" ({row.size:,} bytes)" if row.is_cut else ""
    remark = "; ".join(filter(None, (row.problem and f"! {row.problem}", row.note)))
    return [
        ("dim", str(row.span.start)),
        ("", head),
        ("number", row.tag),
        ("bad" if row.problem else "word", row.type),
        ("key", "  " * row.depth + row.name),
        (row.style, row.value + size),
        ("bad" if row.problem else "dim", remark),
    ]


def _html_row(row: Row) -> str:
    cells = "".join(f"<td style='{_HTML_STYLE}'>{escape(text)}</td>" for _, text in _cells(row))
    return f"<tr title='{escape(row.path)}'>{cells}</tr>"
