"""What is looked at: one record, shared by all panes of a screen.

Panes never call each other. Each posts what its user chose (`Chosen`); the screen makes it the selection, and shows it
in all panes but the one that it comes from.
"""

from __future__ import annotations

from typing import NamedTuple

from textual.message import Message as TextualMessage

from inspector.views.byte_sources import BODY

FieldPath = tuple[tuple[int, int], ...]
"""A field by (number, place among those of that number) of it and of each around it, outermost first: it holds for the
next message of the same type too."""


class Selection(NamedTuple):
    """`call` is a number (0 for messages that stand by themselves), `message` the place among the messages of the
    call, `offset` that of a byte in the message, `source` which of its bytes are shown (`views.byte_sources`)."""

    call: int | None = None
    message: int = 0
    path: FieldPath = ()
    offset: int | None = None
    source: str = BODY


class Chosen(TextualMessage):
    """What the user of a pane chose. `origin` is the pane."""

    def __init__(self, selection: Selection, origin: str) -> None:
        self.selection = selection
        self.origin = origin
        super().__init__()
