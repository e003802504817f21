"""Texts into the clipboard, from any screen."""

from __future__ import annotations

from collections.abc import Callable

from textual import work
from textual.widget import Widget

from inspector.errors import InspectorError
from inspector.tui import clipboard
from inspector.views.safe_text import safe


class Copier(Widget):
    """What a screen needs to copy. Texts are made in a thread: a large one takes its time."""

    @work(thread=True, exclusive=True, group="copy", exit_on_error=False)
    def copy(self, title: str, make: Callable[[], str]) -> None:
        """Makes a text and puts it into the clipboard; says what came of it."""
        try:
            text = make()
            said = clipboard.copy(text, self._to_terminal)
        except InspectorError as error:
            self.app.call_from_thread(self.complain, error)
            return
        note = "" if text.replace("\n", " ").isprintable() else "; there are control characters in it"
        self.app.call_from_thread(self.notify, f"{title}, {len(text):,} characters: {said}{note}", markup=False)

    def _to_terminal(self, sequence: str) -> None:
        driver = self.app._driver
        if driver is not None:
            self.app.call_from_thread(driver.write, sequence)

    def complain(self, error: InspectorError) -> None:
        """Says what went wrong."""
        self.notify(safe(str(error)), severity="error", timeout=10, markup=False)
