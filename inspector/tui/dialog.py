"""Small screens above another one: they end with what was chosen, and Escape leaves them without it."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen

from inspector.tui.actions import bindings

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None]):
    """A box in the middle, in which one thing is chosen."""

    BINDINGS = bindings("dialog")
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > .box {
            width: auto; max-width: 100%; height: auto; max-height: 90%;
            border: round $border; background: $surface; padding: 0 1;
            border-title-style: bold;
        }
    }
    """

    def action_leave(self) -> None:
        self.dismiss(None)
