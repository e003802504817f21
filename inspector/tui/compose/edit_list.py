"""Lists whose rows are edited where they stand."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.suggester import Suggester, SuggestFromList
from textual.widgets import Input, Static

from inspector.tui.actions import bindings
from inspector.tui.virtual_list import VirtualList
from inspector.views.widths import cells_of

Accept = Callable[[str], str | None]
"""Takes what was typed. What is wrong with it, where it is to be typed again."""


class _LastOfList(Suggester):
    """Completes the last of names that have commas between them."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        start = value.rfind(",") + 1
        start += len(value[start:]) - len(value[start:].lstrip())
        last = value[start:]
        found = next((each for each in self._names if each.startswith(last) and each != last), None) if last else None
        return None if found is None else value[:start] + found


class RowEditor(Input):
    """The line over a row."""

    BINDINGS = bindings("editor")

    opened_with = ""
    """What stood in it at first."""
    had_focus = False
    """Whether it had the focus since it was opened: that it lost it before may be told later than that."""

    @property
    def pane(self) -> EditPane:
        pane = self.parent
        assert isinstance(pane, EditPane)
        return pane

    def on_focus(self) -> None:
        self.had_focus = True

    def on_blur(self) -> None:
        """(Where another window has the keys it goes on: what is to be typed may be copied from there.)"""
        if self.app.app_focus and self.screen.focused is not self:
            self.pane.focus_left()

    def action_leave(self) -> None:
        self.pane.close_editor()

    def action_go_on(self) -> None:
        self.pane.take(self.value, goes_on=True)


class EditList(VirtualList):
    """Rows that are edited. Subclasses tell how."""

    @abstractmethod
    def edit_row(self) -> bool:
        """Edits the row under the cursor in its place; False where it is none of that kind."""

    def note(self) -> tuple[str, bool]:
        """What there is to say of the row under the cursor, and whether that is an error."""
        return "", False

    @property
    def pane(self) -> EditPane:
        pane = self.parent
        assert isinstance(pane, EditPane)
        return pane

    def row_chosen(self) -> None:
        self.edit_row()

    def on_focus(self) -> None:
        """What was typed and will not do is mended first, or left."""
        if self.screen.focused is self and self.pane.focus_left() is not None:
            self.pane.mend()

    def cursor_moved(self) -> None:
        self.pane.show_note()

    def edit_next(self) -> None:
        """Edits the next row that can be."""
        for row in range(self.cursor + 1, self.count()):
            self.cursor = row
            self.pane.show_note()
            if self.edit_row():
                return


class EditPane(Vertical):
    """A list with the line to edit its rows, and a line that says what is wrong."""

    DEFAULT_CSS = """
    EditPane {
        height: 1fr;
        layers: below above;
        & > RowEditor {
            visibility: hidden; layer: above; position: absolute; height: 1; border: none; padding: 0;
            background: $surface-lighten-1; color: $foreground;
        }
        & > RowEditor:focus { border: none; background-tint: $foreground 5%; }
        & > RowEditor.-shown { visibility: visible; }
        & > Static { height: 1; padding: 0 1; color: $foreground-muted; }
        & > Static.-bad { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, rows: EditList, id_: str) -> None:
        super().__init__(id=id_)
        self.rows = rows
        self._accept: Accept | None = None

    def compose(self) -> ComposeResult:
        yield self.rows
        yield RowEditor()
        yield Static(markup=False)

    def show_note(self) -> None:
        """Says what there is to say of the row under the cursor. While one is edited there is what is wrong with it."""
        if not self.is_editing:
            self.tell(*self.rows.note())

    def tell(self, text: str, is_bad: bool = False) -> None:
        line = self.query_one(Static)
        line.set_class(is_bad, "-bad")
        line.update(f"! {text}" if is_bad else text, layout=False)

    @property
    def is_editing(self) -> bool:
        return self._accept is not None

    def edit(
        self,
        column: int,
        text: str,
        accept: Accept,
        *,
        placeholder: str = "",
        suggestions: Iterable[str] = (),
        are_listed: bool = False,
    ) -> None:
        """Opens the line over the row under the cursor, from a column on. Where suggestions `are_listed` several may
        be typed, with commas between. What is edited already comes first, where it will not do."""
        rows, editor = self.rows, self.query_one(RowEditor)
        if self.settle() is not None:
            self.mend()
            return
        rows.keep_in_view(rows.cursor)
        self._accept = accept
        editor.styles.offset = (column, rows.cursor - round(rows.scroll_y) + rows.headings)
        editor.styles.width = max(8, rows.scrollable_size.width - column)
        names = list(suggestions)
        suggester: Suggester = _LastOfList(names) if are_listed else SuggestFromList(names, case_sensitive=False)
        editor.suggester = suggester if names else None
        editor.placeholder = placeholder
        editor.value = editor.opened_with = text
        editor.had_focus, editor.select_on_focus = False, True
        editor.cursor_position = len(text)
        editor.add_class("-shown")
        editor.focus()

    def take(self, text: str, *, goes_on: bool = False) -> str | None:
        """Takes what was typed; `goes_on` with the next row. What is wrong, where it will not do."""
        if self._accept is None:
            return None
        error = self._accept(text)
        if error is not None:
            self.tell(error, True)
            return error
        self.close_editor()
        if goes_on:
            self.rows.edit_next()
        return None

    @property
    def is_typed_in(self) -> bool:
        """Whether there is something to take."""
        editor = self.query_one(RowEditor)
        return self.is_editing and editor.value != editor.opened_with

    def settle(self) -> str | None:
        """Ends the editing without Enter: takes what was typed, where something was. What is wrong, where it will not
        do: then it goes on."""
        if self.is_typed_in:
            return self.take(self.query_one(RowEditor).value)
        if self.is_editing:
            self.close_editor()
        return None

    def mend(self) -> None:
        """Back to the line, in which what was typed will not do: to go on with it, not to type over it."""
        editor = self.query_one(RowEditor)
        editor.select_on_focus = False
        editor.focus()

    def focus_left(self) -> str | None:
        """The focus went from the line to something else. What is wrong with what was typed there, where it will not
        do."""
        return self.settle() if self.query_one(RowEditor).had_focus else None

    def close_editor(self) -> None:
        """Back to the list, unless the user went elsewhere."""
        editor = self.query_one(RowEditor)
        self._accept = None
        editor.remove_class("-shown")
        if self.screen.focused is editor:
            self.rows.focus()
        self.show_note()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.take(event.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()


def padded(text: str, width: int) -> str:
    """Text with spaces up to a width."""
    return text + " " * max(0, width - cells_of(text))
