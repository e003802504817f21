"""Jump mode: a letter on everything that can have the focus, and on tabs; the letter goes there."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase

from textual import events
from textual.app import ComposeResult
from textual.errors import NoWidget
from textual.geometry import Region
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static, Tab

LETTERS = "asdfghjkl" + "".join(sorted(set(ascii_lowercase) - set("asdfghjkl"))) + ascii_uppercase


class Jump(ModalScreen[Widget | None]):
    """Ends with the widget whose letter was pressed; any other key leaves it."""

    DEFAULT_CSS = """
    Jump {
        background: transparent;
        & .letter {
            position: absolute; width: auto; height: 1; background: $accent; color: $text; text-style: bold reverse;
        }
    }
    """

    def __init__(self, beneath: Screen[object]) -> None:
        super().__init__()
        self._places = dict(zip(LETTERS, targets(beneath), strict=False))

    def compose(self) -> ComposeResult:
        for letter, (widget, region) in self._places.items():
            text = letter if isinstance(widget, Tab) else f" {letter} "  # the name of a tab stays to be read
            label = Static(text, classes="letter", markup=False)
            label.styles.offset = region.offset
            yield label

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        found = self._places.get(event.character or "")
        self.dismiss(found[0] if found is not None else None)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.dismiss(None)


def targets(screen: Screen[object]) -> Iterator[tuple[Widget, Region]]:
    """Where one can go, and the part of it that is seen."""
    for widget in screen.walk_children(Widget):
        if widget.display and not widget.disabled and (widget.focusable or isinstance(widget, Tab)):
            region = _seen(screen, widget)
            if region.area:
                yield widget, region


def _seen(screen: Screen[object], widget: Widget) -> Region:
    try:
        return screen.find_widget(widget).visible_region
    except NoWidget:
        return Region()


def go(widget: Widget | None) -> None:
    """Gives it the focus; a tab is opened."""
    if isinstance(widget, Tab):
        widget.post_message(Tab.Clicked(widget))
    elif widget is not None:
        widget.focus()
