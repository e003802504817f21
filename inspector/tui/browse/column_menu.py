"""Which columns the list of calls has."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult

from inspector.tui.dialog import Dialog
from inspector.tui.menu import Choices
from inspector.views.call_columns import COLUMNS, METHOD, Chosen, names
from inspector.views.spans import Line

AUTOMATIC = "as many as have room"

_TITLES = {"number": "number", "request_bytes": "bytes sent", "response_bytes": "bytes got", "bytes": "bytes of both",
           "message": "message of the status", "bar": "bar of the duration"}  # fmt: skip


class _Columns(Choices):
    """The first row leaves them to the width."""

    def __init__(self, chosen: Chosen, room: int, changed: Callable[[Chosen], object]) -> None:
        super().__init__("Columns", "space shows or hides, esc closes")
        self.chosen, self._room, self._changed = chosen, room, changed
        self._names = [column.name for column in COLUMNS if column.name != METHOD]

    def count(self) -> int:
        return len(self._names) + 1

    def line(self, index: int, width: int) -> Line:
        if not index:
            return [("key", " • " if self.chosen is None else "   "), ("", AUTOMATIC)]
        name, shown = self._names[index - 1], names(self._room, self.chosen)
        is_chosen = name in (shown if self.chosen is None else self.chosen)
        line: Line = [("key", " ✓ " if is_chosen else "   "), ("", _TITLES.get(name, name))]
        return [*line, ("bad", "  no room")] if is_chosen and name not in shown else line

    def row_chosen(self) -> None:
        if self.cursor:
            before = names(self._room, None) if self.chosen is None else self.chosen
            self.chosen = before ^ {self._names[self.cursor - 1]}
        else:
            self.chosen = None
        self._changed(self.chosen)
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        if event.key == "space":
            event.stop()
            self.row_chosen()


class ColumnMenu(Dialog[None]):
    """Says each choice as it is made. `room` is the width of the list."""

    DEFAULT_CSS = """
    ColumnMenu > .box { width: 40; max-width: 100%; height: auto; max-height: 90%; }
    """

    def __init__(self, chosen: Chosen, room: int, changed: Callable[[Chosen], object]) -> None:
        super().__init__()
        self._columns = _Columns(chosen, room, changed)

    def compose(self) -> ComposeResult:
        yield self._columns
