"""The line in which one looks for something in the list that has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from inspector.tui.actions import bindings

if TYPE_CHECKING:
    from inspector.tui.virtual_list import VirtualList


class SearchBar(Input):
    """It is there while it is typed in; the list that it is for searches."""

    DEFAULT_CSS = """
    SearchBar { height: 1; border: none; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("search")

    def __init__(self, searched: VirtualList) -> None:
        text = searched.pattern.source if searched.pattern is not None else ""
        hint = "text, /regular expression/, x:0a05" + (" or 0a 05" if searched.has_bytes else "")
        super().__init__(text, placeholder=f"look for {hint}", compact=True)
        self._searched = searched

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._searched.look_for(event.value):
            self.action_leave()

    def action_leave(self) -> None:
        """Back to the list."""
        self._searched.focus()
        self.remove()
