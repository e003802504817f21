"""The help: the keys of what has the focus, then those around it."""

from __future__ import annotations

from itertools import groupby

from textual.app import ComposeResult

from inspector.tui.actions import CONTEXTS
from inspector.tui.available import Available
from inspector.tui.dialog import Dialog
from inspector.tui.lines import TextLines
from inspector.views.spans import Line
from inspector.views.widths import cells_of


class Help(Dialog[None]):
    """Keys and what they do, by context."""

    DEFAULT_CSS = """
    Help > .box { width: 76; height: 90%; }
    """

    def __init__(self, actions: list[Available]) -> None:
        super().__init__()
        self._actions = actions

    def compose(self) -> ComposeResult:
        lines = TextLines(help_lines(self._actions), classes="box")
        lines.border_title = "Keys"
        lines.border_subtitle = "esc closes, ^p finds commands by name"
        yield lines


def help_lines(actions: list[Available]) -> list[Line]:
    """Each context with its actions; those without a key are in the palette only."""
    with_keys = [each for each in actions if each.keys]
    room = max((cells_of(_keys(each)) for each in with_keys), default=0) + 2
    lines: list[Line] = []
    for context, group in groupby(with_keys, key=lambda each: each.action.context):
        lines.append([("title", CONTEXTS[context])])
        for each in group:
            lines.append([("key", f"  {_keys(each).ljust(room)}"), ("", each.action.title)])
        lines.append([])
    return lines[:-1]


def _keys(each: Available) -> str:
    return " ".join(each.keys)
