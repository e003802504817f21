"""A box with things to choose from, each by a letter."""

from __future__ import annotations

from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.message import Message

from inspector.tui.dialog import Dialog
from inspector.tui.virtual_list import VirtualList
from inspector.views.spans import Line


class Entry(NamedTuple):
    """A thing to choose, by its letter. One without a letter is a heading."""

    letter: str
    title: str
    detail: str = ""


class Choices(VirtualList):
    """Rows in a box as high as they are, each chosen by one click."""

    def __init__(self, title: str, hint: str) -> None:
        super().__init__(classes="box")
        self.border_title, self.border_subtitle = title, hint

    def on_mount(self) -> None:
        self.styles.height = min(self.count() + 2, self.app.size.height)

    def on_click(self, event: events.Click) -> None:
        if self.row_at(event) is not None and event.chain == 1:
            self.call_later(self.row_chosen)


class _Entries(Choices):
    class Picked(Message):
        def __init__(self, letter: str) -> None:
            self.letter = letter
            super().__init__()

    def __init__(self, title: str, entries: list[Entry]) -> None:
        super().__init__(title, "a letter chooses, esc closes")
        self._entries = entries
        self.cursor = next((place for place, each in enumerate(entries) if each.letter), 0)

    def count(self) -> int:
        return len(self._entries)

    def line(self, index: int, width: int) -> Line:
        letter, title, detail = self._entries[index]
        if not letter:
            return [("title", title)]
        return [("key", f"  {letter}  "), ("", title), ("dim", f"  {detail}" if detail else "")]

    def row_chosen(self) -> None:
        letter = self._entries[self.cursor].letter
        if letter:
            self.post_message(self.Picked(letter))

    def on_key(self, event: events.Key) -> None:
        """The letter of an entry chooses it, whatever else it does in a list."""
        if event.character and any(each.letter == event.character for each in self._entries):
            event.stop()
            event.prevent_default()
            self.post_message(self.Picked(event.character))


class Menu(Dialog[str]):
    """Ends with the letter that was chosen."""

    DEFAULT_CSS = """
    Menu > .box { width: 64; max-width: 100%; height: auto; max-height: 90%; }
    """

    def __init__(self, title: str, entries: list[Entry]) -> None:
        super().__init__()
        self._title, self._entries = title, entries

    def compose(self) -> ComposeResult:
        yield _Entries(self._title, self._entries)

    def on__entries_picked(self, event: _Entries.Picked) -> None:
        self.dismiss(event.letter)
