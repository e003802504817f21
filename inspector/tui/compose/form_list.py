"""A message as rows to fill in."""

from __future__ import annotations

from typing import Any

from textual.message import Message as TextualMessage

from inspector.schema import Schema
from inspector.transcode.maps import map_key
from inspector.transcode.refusal import Refusal, path_text
from inspector.tui.actions import bindings
from inspector.tui.compose.edit_list import EditList, padded
from inspector.tui.compose.large_editor import LargeEditor
from inspector.tui.compose.picker import Choice, Picker
from inspector.views.form.choices import any_types, arms, enum_values, extensions, mask_paths, typed_number
from inspector.views.form.items import item_of
from inspector.views.form.look import long_text, note_of, value_span
from inspector.views.form.model import Form
from inspector.views.form.rows import FormRow
from inspector.views.form.texts import hint_for
from inspector.views.form.values import Path
from inspector.views.safe_text import safe
from inspector.views.schema_lines import comment_of
from inspector.views.spans import Line
from inspector.views.widths import cells_of, clip

IN_PLACE = frozenset(("string", "bytes", "integer", "real", "timestamp", "duration", "mask", "json"))
"""Kinds that are typed over their row."""

LONGEST_LINE = 2_000
"""Characters that are edited in one line."""

_BYTES = ("auto", "hex", "base64")


class FormChanged(TextualMessage):
    """The user changed a value of a form."""

    def __init__(self, form: Form | None) -> None:
        self.form = form
        super().__init__()


class FieldChosen(TextualMessage):
    """The cursor is on another field."""


class FormList(EditList):
    """A row a field."""

    BINDINGS = bindings("form")

    def __init__(self) -> None:
        super().__init__(id="form")
        self.form: Form | None = None
        self.schema: Schema | None = None

    def show_form(self, form: Form | None, schema: Schema | None) -> None:
        """Shows a message; None is one that a form cannot show."""
        is_other = form is not self.form
        self.form, self.schema = form, schema
        if is_other and form is not None:
            form.open_all(60)
            self.cursor = 0
        self.update_rows()

    def count(self) -> int:
        return len(self.form.rows) if self.form is not None else 0

    @property
    def selected(self) -> FormRow | None:
        """The row under the cursor."""
        return self.form.rows[self.cursor] if self.form is not None and self.cursor < self.count() else None

    # --- what rows say -------------------------------------------------------------------------------------------

    def value_column(self, row: FormRow, width: int) -> int:
        """Where values begin."""
        return max(min(34, width * 2 // 5), min(2 * row.depth, width // 4) + 14)

    def line(self, index: int, width: int) -> Line:
        assert self.form is not None
        row = self.form.rows[index]
        error = self.form.error(row)
        column = self.value_column(row, width)
        indent = " " * min(2 * row.depth, width // 4)
        sign = ("▾" if row.is_open else "▸") if row.can_open else " "
        mark, style = ("!", "bad") if error else ("●", "good") if row.is_set else ("·", "dim")
        name = clip(f"{row.name}{'*' if row.is_required else ''}", column - len(indent) - 5)
        start: Line = [(style, mark), ("", f" {indent}"), ("dim", f"{sign} ")]
        start.append(
            ("key" if row.is_set else "" if row.is_required else "dim", padded(name, column - len(indent) - 4))
        )
        room = width - column - 1
        style, text = value_span(self.form, row)
        if error:
            shown = clip(text, room // 3)
            gap = "  " if shown else ""
            return [*start, (style, shown), ("bad", clip(f"{gap}! {safe(error)}", room - cells_of(shown)))]
        type_ = clip(row.type, 28)
        shown = clip(text, room - cells_of(type_) - 2) if room > 40 else clip(text, room)
        left = room - cells_of(shown) - cells_of(type_)
        end: Line = [("", " " * left), ("dim", type_)] if left > 0 else []
        return [*start, (style, shown), *end]

    def note(self) -> tuple[str, bool]:
        row = self.selected
        if self.form is None or row is None:
            return "", False
        error = self.form.error(row)
        if error:
            return safe(error), True
        comment = comment_of(self.schema, row.field.full_name) if self.schema and row.field is not None else ""
        return "   ".join(filter(None, (note_of(self.form, row), comment))), False

    def cursor_moved(self) -> None:
        super().cursor_moved()
        self.screen.post_message(FieldChosen())

    def _changed(self, path: Path | None = None) -> None:
        """Shows what the form is now, the cursor on a place."""
        self.update_rows()
        if path is not None and self.form is not None:
            place = self.form.index_of(path)
            if place is not None:
                self.cursor = place
        self._show_within()
        self.pane.show_note()
        self.screen.post_message(FormChanged(self.form))

    def _show_within(self) -> None:
        """Brings what is within an open row into view, as far as there is room."""
        row = self.selected
        if self.form is None or row is None or not row.is_open:
            return
        rows = self.form.rows
        last = min(self.cursor + self.scrollable_size.height, len(rows)) - 1
        within = next((at - 1 for at in range(self.cursor + 1, last + 1) if rows[at].depth <= row.depth), last)
        self.keep_in_view(within)
        self.keep_in_view(self.cursor)

    # --- editing -------------------------------------------------------------------------------------------------

    def row_chosen(self) -> None:
        row = self.selected
        if self.form is None or row is None or self.edit_row():
            return
        if row.role in ("list", "map"):
            self.action_add() if not row.is_set else self.action_toggle_open()
        elif row.role == "oneof":
            self._pick(row, "Which one", arms(row), lambda arm: self.form and self.form.choose_arm(row, arm or None))
        elif row.role == "extensions":
            choices = extensions(self.form, row)
            self._pick(row, "Extension", choices, lambda found: self.form and self.form.add_extension(row, found))
        elif row.item is not None and row.item.kind == "any":
            choices = any_types(self.schema)
            self._pick(row, "Type", choices, lambda name: self.form and self.form.choose_type(row, name))
        elif row.item is not None and row.item.kind == "enum":
            self._pick_value(row)
        elif row.item is not None and row.item.kind == "bool":
            self.form.toggle(row)
            self._changed()
        else:
            self.action_toggle_open()

    def edit_row(self) -> bool:
        row, form = self.selected, self.form
        if form is None or row is None or row.item is None or row.item.kind not in IN_PLACE:
            return False
        if row.role not in ("value", "unknown"):
            return False
        text = form.text(row)
        if len(text) > LONGEST_LINE or (row.item.kind == "string" and "\n" in str(row.value)):
            self.action_edit_large()
            return True

        def accept(text: str) -> None:
            form.enter(row, text)
            self._changed(row.path)

        is_mask = row.item.kind == "mask" and row.field is not None
        self.pane.edit(
            self.value_column(row, self.scrollable_size.width), text, accept, placeholder=hint_for(row.item),
            suggestions=mask_paths(row.field) if is_mask and row.field is not None else (), are_listed=is_mask,
        )  # fmt: skip
        return True

    def action_edit_large(self) -> None:
        """Edits a value in a window of its own."""
        row, form = self.selected, self.form
        if form is None or row is None or row.item is None or row.item.kind not in IN_PLACE:
            return

        def taken(text: str | None) -> None:
            if text is not None:
                form.enter(row, text)
                self._changed(row.path)

        self.app.push_screen(LargeEditor(row.name, long_text(form, row), lambda text: form.check(row, text)), taken)

    def _pick(self, row: FormRow, title: str, choices: list[tuple[str, str, Any]], act: Any) -> None:
        def taken(value: Any) -> None:
            if value is not None:
                path = act(value)
                self._changed(path if isinstance(path, tuple) else row.path)

        self.app.push_screen(Picker(title, [Choice(*each) for each in choices]), taken)

    def _pick_value(self, row: FormRow) -> None:
        form = self.form
        assert form is not None
        assert row.item is not None

        def typed(text: str) -> Choice | None:
            found = typed_number(row, text)
            return None if found is None else Choice(*found)

        def taken(text: str | None) -> None:
            if text is not None:
                form.enter(row, text)
                self._changed(row.path)

        choices = [Choice(*each) for each in enum_values(row)]
        self.app.push_screen(Picker(row.type, choices, current=row.value, typed=typed), taken)

    # --- keys ----------------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        row = self.selected
        if self.form is None or row is None or not row.can_open:
            return
        if row.is_open:
            self.move_to(self.cursor + 1)
        else:
            was_set = row.is_set
            self.form.open(row)
            if not was_set and row.role == "value":
                self._changed()
            else:
                self.update_rows()
                self._show_within()

    def action_close(self) -> None:
        row = self.selected
        if self.form is None or row is None:
            return
        if row.is_open:
            self.form.close(row)
            self.update_rows()
        else:
            around = next((at for at in range(self.cursor, -1, -1) if self.form.rows[at].depth < row.depth), None)
            if around is not None:
                self.move_to(around)

    def action_toggle_open(self) -> None:
        row = self.selected
        if row is None:
            return
        if row.item is not None and row.item.kind == "bool" and row.role == "value":
            self.row_chosen()
        elif row.is_open:
            self.action_close()
        else:
            self.action_open()

    def action_add(self) -> None:
        """Adds an element behind the cursor, or an entry under a key that is asked for."""
        row, form = self.selected, self.form
        if form is None or row is None or row.field is None or not row.field.is_repeated:
            return
        if row.role == "map" or row.is_entry:
            self._ask_key(row, "", form.add)
        else:
            self._changed(form.add(row))
            self._begin()

    def _begin(self) -> None:
        """Goes on with the value that was just added."""
        row = self.selected
        if row is not None and row.item is not None and row.item.kind in (*IN_PLACE, "enum", "any"):
            self.row_chosen()

    def _begin_here(self) -> None:
        """The same, unless the user went elsewhere meanwhile."""
        focused = self.screen.focused
        if focused is not None and focused.parent is self.pane and self.pane.display:
            self._begin()

    def action_rename(self) -> None:
        """Asks for another key of an entry."""
        row, form = self.selected, self.form
        if form is not None and row is not None and row.is_entry:
            self._ask_key(row, form.key_text(row), form.rename)

    def _ask_key(self, row: FormRow, text: str, act: Any) -> None:
        assert row.field is not None
        is_new = not text

        def accept(text: str) -> str | None:
            try:
                path = act(row, text)
            except Refusal as refusal:
                return safe(str(refusal))
            self._changed(path)
            if is_new:
                self.call_after_refresh(self._begin_here)
            return None

        key = item_of(map_key(row.field))
        hint = f"the key: {hint_for(key)}"
        keys = ("true", "false") if key.kind == "bool" else ()
        self.pane.edit(2 * row.depth + 4, text, accept, placeholder=hint, suggestions=keys)

    def action_clear(self) -> None:
        row = self.selected
        if self.form is not None and row is not None:
            self.form.clear(row)
            self._changed()

    def action_shift(self, step: int) -> None:
        """Moves an element among its neighbours."""
        row = self.selected
        if self.form is not None and row is not None and row.is_element:
            self._changed(self.form.move(row, step))

    def action_set_now(self) -> None:
        row = self.selected
        if self.form is None or row is None or row.item is None:
            return
        if row.item.kind == "timestamp" and row.role == "value":
            self.form.enter(row, "now")
            self._changed()

    def action_undo(self) -> None:
        self._stepped(self.form is not None and self.form.undo(), "nothing to undo")

    def action_redo(self) -> None:
        self._stepped(self.form is not None and self.form.redo(), "nothing to redo")

    def _stepped(self, is_done: bool, otherwise: str) -> None:
        if is_done:
            self._changed()
        else:
            self.notify(otherwise)

    def action_toggle_zone(self) -> None:
        """Shows times in the local zone, or in UTC."""
        if self.form is not None:
            self.form.manner = self.form.manner._replace(is_local=not self.form.manner.is_local)
            self.refresh()
            self.pane.show_note()

    def action_next_bytes(self) -> None:
        """Shows bytes as text, hexadecimal, base64 by turns."""
        if self.form is not None:
            now = _BYTES.index(self.form.manner.bytes_as)
            self.form.manner = self.form.manner._replace(bytes_as=_BYTES[(now + 1) % len(_BYTES)])
            self.refresh()
            self.pane.show_note()

    def action_find(self) -> None:
        """Goes to a field by some letters of its name."""
        if self.form is None:
            return
        choices = [Choice(_names(row), row.type, at) for at, row in enumerate(self.form.rows)]

        def taken(place: int | None) -> None:
            if place is not None:
                self.move_to(place)

        self.app.push_screen(Picker("Field", choices), taken)

    def action_next_error(self) -> None:
        """Goes to the next place that is wrong."""
        if self.form is None or not self.form.errors:
            return
        for path in self.form.errors:
            self.form.reveal(path)
        self.update_rows()
        rows = self.form.rows
        wrong = [at for at, row in enumerate(rows) if self.form.error(row)]
        if wrong:
            self.move_to(next((at for at in wrong if at > self.cursor), wrong[0]))
            self.pane.show_note()


def _names(row: FormRow) -> str:
    """The path of a row, and its name as it stands in the form where that is spelt otherwise."""
    path = path_text(row.path)
    return path if path.endswith(row.name) else f"{path}  {row.name}"
