"""What else there is to a call: headers, trailers, timing, the message as JSON, its type, problems."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Tab, Tabs

from inspector.tui.actions import bindings
from inspector.tui.virtual_list import VirtualList
from inspector.views.spans import Line, wrapped

TABS = ("json", "headers", "trailers", "timing", "schema", "problems", "log")

Content = Callable[[str], list[Line]]
"""The lines of a tab, by its name."""


class Lines(VirtualList):
    """Lines of text."""

    BINDINGS = bindings("details")

    def __init__(self, id_: str) -> None:
        super().__init__(id=id_)
        self._whole: list[Line] = []
        self._lines: list[Line] = []

    def show_lines(self, lines: list[Line]) -> None:
        self._whole = lines
        self.cursor = 0
        self._wrap()

    def _wrap(self) -> None:
        width = self.size.width - 1  # of which a scroll bar may take one
        self._lines = [part for line in self._whole for part in wrapped(line, width)]
        self.update_rows()

    def on_resize(self) -> None:
        self._wrap()

    def count(self) -> int:
        return len(self._lines)

    def line(self, index: int, width: int) -> Line:
        return self._lines[index]

    def action_step_tab(self, step: int) -> None:
        tabs = self.screen.query_one("#detail-tabs", Tabs)
        tabs.action_next_tab() if step > 0 else tabs.action_previous_tab()


class Details(Vertical):
    """Tabs, of which the one that is seen asks for its lines."""

    BORDER_TITLE = "4 Details"

    def __init__(self, content: Content) -> None:
        super().__init__(id="details-pane")
        self._content = content

    def compose(self) -> ComposeResult:
        tabs = Tabs(*(Tab(name.capitalize() if name != "json" else "JSON", id=name) for name in TABS), id="detail-tabs")
        tabs.can_focus = False
        yield tabs
        yield Lines("details")

    def update(self) -> None:
        """Shows what the tab has to say of the selection now."""
        tab = self.query_one(Tabs).active
        if tab:
            self.query_one(Lines).show_lines(self._content(tab))

    def on_tabs_tab_activated(self) -> None:
        self.update()
