"""Choosing one of many by a few letters of its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from inspector.tui.actions import bindings
from inspector.tui.intents import CommandPasted
from inspector.tui.virtual_list import VirtualList
from inspector.views.command_line import is_command
from inspector.views.fuzzy import ranked
from inspector.views.spans import Line
from inspector.views.widths import cells_of, clip


class Choice(NamedTuple):
    """`label` and `detail` are safe to show; `value` is what choosing it gives."""

    label: str
    detail: str
    value: Any


Preview = Callable[[Any], Sequence[Line]]
"""Lines about the value of a choice."""

Typed = Callable[[str], Choice | None]
"""A choice that is not in the list, by what was typed."""


class _Choices(VirtualList):
    def __init__(self) -> None:
        super().__init__(id="choices")
        self.choices: Sequence[Choice] = ()
        self.can_focus = False

    def count(self) -> int:
        return len(self.choices)

    def line(self, index: int, width: int) -> Line:
        choice = self.choices[index]
        label = clip(choice.label, width - 2)
        room = width - cells_of(label) - 3
        detail = clip(choice.detail, room) if room > 4 else ""
        gap = " " * max(1, width - 1 - cells_of(label) - cells_of(detail))
        return [("method", f" {label}"), ("", gap), ("dim", detail)]

    def cursor_moved(self) -> None:
        screen = self.screen
        assert isinstance(screen, Picker)
        screen.show_preview()

    def row_chosen(self) -> None:
        screen = self.screen
        assert isinstance(screen, Picker)
        screen.action_take()


class _Preview(VirtualList):
    """What there is to say of the choice under the cursor."""

    def __init__(self) -> None:
        super().__init__(id="preview")
        self.lines: Sequence[Line] = ()
        self.can_focus = False

    def count(self) -> int:
        return len(self.lines)

    def line(self, index: int, width: int) -> Line:
        return self.lines[index]

    @property
    def shows_cursor(self) -> bool:
        return False


class _Wanted(Input):
    """What is looked for. A command that is pasted here is none of that: it is a request."""

    def on_paste(self, event: events.Paste) -> None:
        if is_command(event.text):
            event.stop()
            event.prevent_default()
            self.app.post_message(CommandPasted(event.text))
            self.screen.dismiss(None)


class Picker(ModalScreen[Any]):
    """Ends with the value that was chosen, or None."""

    BINDINGS = bindings("picker")
    DEFAULT_CSS = """
    Picker {
        align: center middle;
        background: $background;
        & > Vertical { width: 90%; max-width: 120; height: 80%; border: round $border; background: $surface; }
        & #preview { height: 40%; border-top: solid $foreground 30%; }
        & #wanted { border: none; height: 1; padding: 0 1; }
    }
    """

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        current: Any = None,
        typed: Typed | None = None,
        preview: Preview | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._all = choices
        self._typed = typed
        self._current = current
        self._preview = preview

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            yield _Wanted(placeholder="type some of its letters", id="wanted")
            yield _Choices()
            if self._preview is not None:
                yield _Preview()

    def on_mount(self) -> None:
        self._show("")
        rows = self.query_one(_Choices)
        values = [each.value for each in self._all]
        if self._current is not None and self._current in values:
            rows.cursor = values.index(self._current)
            self.show_preview()
        self.query_one("#wanted").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def _show(self, wanted: str) -> None:
        rows = self.query_one(_Choices)
        found = ranked(wanted, self._all, self.search_text)
        extra = self._typed(wanted) if self._typed is not None and wanted else None
        rows.choices = [extra, *found] if extra is not None else found
        rows.cursor = 0
        rows.update_rows()
        rows.scroll_to(y=0, animate=False, immediate=True)
        self.show_preview()
        self.query_one(Vertical).border_subtitle = f"{len(found):,} of {len(self._all):,}"

    def search_text(self, choice: Choice) -> str:
        """What letters are looked for in."""
        return choice.label

    @property
    def chosen_place(self) -> int:
        """The row under the cursor."""
        return self.query_one(_Choices).cursor

    @property
    def chosen_value(self) -> Any:
        """The value of it; None where there is none."""
        rows = self.query_one(_Choices)
        return rows.choices[rows.cursor].value if rows.count() else None

    def go_to(self, place: int) -> None:
        """Moves the cursor to a row."""
        self.query_one(_Choices).cursor = place
        self.show_preview()

    def show_preview(self) -> None:
        """Says more of the choice under the cursor."""
        rows = self.query_one(_Choices)
        if self._preview is not None:
            preview = self.query_one(_Preview)
            preview.lines = self._preview(rows.choices[rows.cursor].value) if rows.count() else ()
            preview.update_rows()

    def on_input_submitted(self) -> None:
        self.action_take()

    def action_take(self) -> None:
        rows = self.query_one(_Choices)
        if rows.count():
            self.dismiss(rows.choices[rows.cursor].value)

    def action_move(self, rows: int) -> None:
        self.query_one(_Choices).action_move(rows)

    def action_move_page(self, pages: int) -> None:
        self.query_one(_Choices).action_move_page(pages)

    def action_leave(self) -> None:
        self.dismiss(None)
