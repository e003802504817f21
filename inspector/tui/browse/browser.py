"""What the parts of the browser share: what is open and what is selected."""

from __future__ import annotations

from abc import abstractmethod

from textual.screen import Screen

from inspector.model.call import Message
from inspector.transcode.tree import FieldTree
from inspector.tui.document import Document
from inspector.tui.selection import Selection


class Browser(Screen[None]):
    """A screen with one selection for all its panes."""

    document: Document
    selected: Selection
    message: Message | None
    message_tree: FieldTree | None

    @abstractmethod
    def select(self, selection: Selection) -> None:
        """Shows another selection in all panes."""
