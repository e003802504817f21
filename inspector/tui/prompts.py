"""Short questions above a screen: a letter, a line of text, yes or no."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.widgets import Input, Static

from inspector.errors import InspectorError
from inspector.tui.dialog import Dialog
from inspector.views.safe_text import safe


class _Question(Static, can_focus=True):
    """Text that has the focus, so that keys come to its dialog."""


class AskLetter(Dialog[str]):
    """Ends with a letter from a to z, or A to Z."""

    BINDINGS = []  # noqa: RUF012  # Textual declares it so

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        yield _Question(self._question, classes="box", markup=False)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        letter = event.character or ""
        if event.key == "escape":
            self.dismiss(None)
        elif letter.isascii() and letter.isalpha():
            self.dismiss(letter)


class Confirm(Dialog[bool]):
    """Ends with True for `y`; all else leaves it."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        yield _Question(f"{self._question}\ny  yes    esc  no", classes="box", markup=False)

    def on_key(self, event: events.Key) -> None:
        if event.key == "y":
            event.stop()
            event.prevent_default()
            self.dismiss(True)
        elif event.key == "n":
            self.dismiss(None)


class AskText(Dialog[str]):
    """A line of text, at first `value`. `check` raises InspectorError for one that will not do, which is then said."""

    DEFAULT_CSS = """
    AskText {
        align: center bottom;
        & > Input { width: 100%; height: 1; border: none; padding: 0 1; }
        & > #asked { width: 100%; height: 1; padding: 0 1; background: $surface; }
        & > #wrong { width: 100%; height: 1; padding: 0 1; background: $surface; color: $text-error; }
    }
    """

    def __init__(self, placeholder: str, check: Callable[[str], object], value: str = "") -> None:
        super().__init__()
        self._placeholder, self._check, self._value = placeholder, check, value

    def compose(self) -> ComposeResult:
        if self._value:  # the placeholder is not seen then
            yield Static(self._placeholder, id="asked", markup=False)
        yield Static(id="wrong", markup=False)
        yield Input(self._value, placeholder=self._placeholder, compact=True, select_on_focus=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            self._check(event.value)
        except InspectorError as error:
            self.query_one("#wrong", Static).update(safe(str(error)))
            return
        self.dismiss(event.value)
