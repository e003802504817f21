"""The footer: the keys that matter where the focus is, as many as fit the width."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from inspector.tui.available import Available, available
from inspector.views.widths import cells_of

ALWAYS = ("app.help", "app.palette")
"""Those that tell of all others stand there whatever the width."""

GAP = 2


class KeyBar(Widget):
    """One line. A click on a key is the key."""

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom; height: 1; padding: 0 1; background: $footer-background; color: $footer-foreground;
        & > .bar--key { color: $footer-key-foreground; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar--key"}

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[Available] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def _update(self, screen: Screen[object]) -> None:
        if self.is_attached and screen is self.screen:
            self._shown = fitting(available(screen), self.size.width)
            self.refresh()

    def on_resize(self) -> None:
        self._update(self.screen)

    def render_line(self, y: int) -> Strip:
        key_style = self.get_component_rich_style("bar--key")
        segments = []
        for each in self._shown:
            segments += [
                Segment(each.keys[0], key_style),
                Segment(f" {each.action.footer}{' ' * GAP}", self.rich_style),
            ]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        at = 0
        for each in self._shown if offset is not None else ():
            width = _width(each)
            if offset is not None and at <= offset.x < at + width - GAP:
                await self.app.run_action(each.action.call, each.node)
                return
            at += width


def fitting(actions: list[Available], width: int) -> list[Available]:
    """Those with a word for the footer, in order, as many as fit; what is always there is at the end."""
    with_words = [each for each in actions if each.action.footer and each.keys]
    last = [each for each in with_words if each.action.id in ALWAYS]
    room = width + GAP - sum(map(_width, last))
    chosen = []
    for each in with_words:
        if each.action.id not in ALWAYS and _width(each) <= room:
            chosen.append(each)
            room -= _width(each)
    return chosen + last


def _width(each: Available) -> int:
    return cells_of(each.keys[0]) + 1 + cells_of(each.action.footer) + GAP
