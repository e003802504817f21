"""What screens ask of the program: they do not know of each other."""

from __future__ import annotations

from textual.message import Message

from inspector.tui.diff.screen import Goal
from inspector.tui.document import Document


class SaveAsked(Message):
    """The request of a composer is to be saved."""


class CommandPasted(Message):
    """A command that makes a call was pasted."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__()


class TextPasted(Message):
    """A text was pasted where none is typed."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__()


class ComposeAsked(Message):
    """A call of a document, or a message without one, is to be composed. `is_new`: as it was captured, whatever became
    of it since; `sends`: at once; `compares`: what comes back is shown beside what was captured."""

    def __init__(
        self, document: Document, call: int, place: int, *, is_new: bool, sends: bool = False, compares: bool = False
    ) -> None:
        self.document = document
        self.call = call
        self.place = place
        self.is_new = is_new
        self.sends = sends
        self.compares = compares
        super().__init__()


class PlaceAsked(Message):
    """A place in another document is to be shown."""

    def __init__(self, goal: Goal) -> None:
        self.goal = goal
        super().__init__()
