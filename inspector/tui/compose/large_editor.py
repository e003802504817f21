"""A value of many lines, edited in a window of its own."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from inspector.tui.actions import bindings
from inspector.tui.key_bar import KeyBar


class LargeEditor(ModalScreen[str | None]):
    """Ends with the text, or None. `check` says what is wrong with it, `error` what was when it begins."""

    BINDINGS = bindings("large_editor")
    DEFAULT_CSS = """
    LargeEditor {
        align: center middle;
        background: $background;
        & > Vertical { width: 94%; height: 90%; border: round $border; background: $surface; }
        & TextArea, & TextArea:focus { border: none; height: 1fr; padding: 0; }
        & Static { height: auto; max-height: 6; padding: 0 1; color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, title: str, text: str, check: Callable[[str], str | None], error: str = "") -> None:
        super().__init__()
        self._error = f"! {error}" if error else ""
        self._title = title
        self._text = text
        self._check = check

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "ctrl+s takes it, escape leaves it"
            yield TextArea(self._text)
            yield Static(self._error, markup=False)
        yield KeyBar()

    def action_take(self) -> None:
        text = self.query_one(TextArea).text
        error = self._check(text)
        if error is None:
            self.dismiss(text)
        else:
            self.query_one(Static).update(f"! {error}")

    def action_leave(self) -> None:
        self.dismiss(None)
