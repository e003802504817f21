"""The files that are open, in one line: none where there is but one."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from inspector.views.safe_text import safe
from inspector.views.widths import cells_of, clip

LONGEST_NAME = 24
"""Columns of a name: three files have room in 80."""


class FileTabs(Widget):
    """`show` says what there is. A click asks for a file by its place."""

    DEFAULT_CSS = """
    FileTabs {
        height: 1; display: none; background: $surface; color: $foreground 70%;
        &.-several { display: block; }
    }
    """

    class Asked(Message):
        """Another file is to be shown."""

        def __init__(self, place: int) -> None:
            self.place = place
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[str] = ()
        self._current = 0

    def show(self, names: Sequence[str], current: int) -> None:
        """The names of all files, and which of them this is."""
        self._names, self._current = [_label(place, name) for place, name in enumerate(names)], current
        self.set_class(len(names) > 1, "-several")
        self.refresh()

    def render(self) -> Content:
        parts: list[str | Content | tuple[str, str]] = []
        first = self._first
        if first:
            parts.append("‹")
        for place, name in enumerate(self._names[first:], first):
            parts.append((name, "reverse bold" if place == self._current else ""))
        return Content.assemble(*parts)

    @property
    def _first(self) -> int:
        """The first name that is shown: so many go before that the current one has room."""
        first = 0
        while first < self._current and sum(map(cells_of, self._names[first : self._current + 1])) >= self.size.width:
            first += 1
        return first

    def on_click(self, event: events.Click) -> None:
        at = event.x - bool(self._first)
        for place, name in enumerate(self._names[self._first :], self._first):
            if 0 <= at < cells_of(name):
                self.post_message(self.Asked(place))
            at -= cells_of(name)


def _label(place: int, name: str) -> str:
    return f" {place + 1} {clip(safe(name), LONGEST_NAME)} "
