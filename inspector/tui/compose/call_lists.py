"""What goes with a request: header fields, and how the server is reached."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from inspector.errors import InputError
from inspector.tui.actions import bindings
from inspector.tui.compose.connection import fields
from inspector.tui.compose.draft import Draft, MetadataRow
from inspector.tui.compose.edit_list import EditList, padded
from inspector.tui.compose.picker import Choice, Picker
from inspector.tui.compose.settings_rows import SETTINGS, Setting
from inspector.views.safe_text import safe
from inspector.views.secrets import MASK, is_secret
from inspector.views.spans import Line
from inspector.views.widths import clip


class HoldsDraft(Protocol):
    """Who has the request."""

    @property
    def call_draft(self) -> Draft:
        """The request as it is now."""

    def change_draft(self, draft: Draft) -> None:
        """Takes another one."""


class SettingsList(EditList):
    """A row a setting."""

    BINDINGS = bindings("settings")

    def __init__(self, holder: HoldsDraft) -> None:
        super().__init__(id="settings")
        self._holder = holder

    def count(self) -> int:
        return len(SETTINGS)

    def line(self, index: int, width: int) -> Line:
        setting = SETTINGS[index]
        text = safe(setting.text(self._holder.call_draft))
        shown = ("", clip(text, width - 24)) if text else ("dim", clip(f"none: {setting.hint}", width - 24))
        return [("key", f" {padded(setting.name, 22)}"), shown]

    def note(self) -> tuple[str, bool]:
        return SETTINGS[self.cursor].hint, False

    def edit_row(self) -> bool:
        setting = SETTINGS[self.cursor]
        choices = setting.choices()
        text = setting.text(self._holder.call_draft)
        if choices and setting.name != "target":
            picker = Picker(setting.name.capitalize(), [Choice(each, "", each) for each in choices], current=text)
            self.app.push_screen(picker, partial(self._chosen, setting))
            return True
        self.pane.edit(23, text, partial(self._take, setting), placeholder=setting.hint, suggestions=choices)
        return True

    def _chosen(self, setting: Setting, text: str | None) -> None:
        if text is not None:
            self._take(setting, text)

    def _take(self, setting: Setting, text: str) -> str | None:
        """Puts a setting: the one whose editing began, as the cursor may be elsewhere by now."""
        try:
            draft = setting.put(self._holder.call_draft, text)
        except InputError as error:
            return safe(str(error))
        self._holder.change_draft(draft)
        self.refresh()
        return None

    def action_clear(self) -> None:
        """Takes a setting away, where it may be missing."""
        error = self._take(SETTINGS[self.cursor], "")
        if error is not None:
            self.pane.tell(error, True)


class MetadataList(EditList):
    """A row a header field, and one to add another."""

    BINDINGS = bindings("metadata")

    def __init__(self, holder: HoldsDraft) -> None:
        super().__init__(id="metadata")
        self._holder = holder

    @property
    def _fields(self) -> tuple[MetadataRow, ...]:
        return self._holder.call_draft.metadata

    def count(self) -> int:
        return len(self._fields) + 1

    def line(self, index: int, width: int) -> Line:
        if index == len(self._fields):
            return [("dim", " + add a header field")]
        row = self._fields[index]
        is_hidden = is_secret(row.name) and "${" not in row.value
        value = MASK if is_hidden else safe(row.value)
        style = "key" if row.is_enabled else "dim"
        mark = "[x] " if row.is_enabled else "[ ] "
        name = safe(row.name)
        return [(style, f" {mark}{name}"), ("" if row.is_enabled else "dim", clip(f": {value}", width - len(name) - 6))]

    def note(self) -> tuple[str, bool]:
        try:
            fields(self._fields[self.cursor : self.cursor + 1])
        except InputError as error:
            return safe(str(error)), True
        return "name: value; of names in -bin the value is base64; ${NAME} is a variable of the environment", False

    def edit_row(self) -> bool:
        index = self.cursor
        row = self._fields[index] if index < len(self._fields) else MetadataRow()
        text = f"{row.name}: {row.value}" if row.name else ""
        self.pane.edit(5, text, lambda text: self._take(index, row, text), placeholder="name: value")
        return True

    def _take(self, index: int, row: MetadataRow, text: str) -> str | None:
        if not text.strip():
            self._put(index, ())
            return None
        name, _, value = text.partition(":")
        changed = row._replace(name=name.strip().lower(), value=value.strip())
        try:
            fields((changed._replace(is_enabled=True),))
        except InputError as error:
            return safe(str(error))
        self._put(index, (changed,))
        return None

    def _put(self, index: int, rows: tuple[MetadataRow, ...]) -> None:
        before = self._fields
        metadata = (*before[:index], *rows, *before[index + 1 :])
        self._holder.change_draft(self._holder.call_draft._replace(metadata=metadata))
        self.update_rows()

    def edit_next(self) -> None:
        """Behind a field comes the next new one."""
        self.cursor = len(self._fields)

    def action_toggle_enabled(self) -> None:
        if self.cursor < len(self._fields):
            row = self._fields[self.cursor]
            self._put(self.cursor, (row._replace(is_enabled=not row.is_enabled),))

    def action_add(self) -> None:
        self.cursor = len(self._fields)
        self.edit_row()

    def action_clear(self) -> None:
        if self.cursor < len(self._fields):
            self._put(self.cursor, ())
