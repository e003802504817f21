"""A schema that is added while an input is open: all messages are read by it where they stand."""

from __future__ import annotations

from abc import abstractmethod

from inspector.tui.browse.browser import Browser
from inspector.tui.browse.filter_bar import FilterBar
from inspector.tui.compose.picker import Choice, Picker
from inspector.tui.schema_prompt import Added, AskSchema
from inspector.views.safe_text import safe
from inspector.views.schema_lines import source_lines


class SchemaAdding(Browser):
    """The selection stays: call, message and field."""

    filter_text: str

    @abstractmethod
    def read_again(self, *, opens: bool = False) -> None:
        """Shows the selected message as it is read now."""

    @abstractmethod
    def show_title(self) -> None:
        """Says what is open."""

    def action_add_schema(self) -> None:
        self.app.push_screen(AskSchema(self.document), self._take)

    def _take(self, added: Added | None) -> None:
        if added is None:
            return
        document = self.document
        document.add_schema(added.schema, added.sources, added.import_paths)
        for note in added.schema.notes:
            document.journal.add(note)
        if document.has_calls or document.type_name is not None:
            self._read_all(added)
            return
        schema = added.schema
        choices = [Choice(safe(name), "", name) for name in schema.messages()]

        def typed(type_name: str | None) -> None:
            document.type_name = type_name
            document.use_schema(schema)
            self._read_all(added)

        picker = Picker("Type of the messages", choices, preview=lambda name: source_lines(schema, name))
        self.app.push_screen(picker, typed)

    def _read_all(self, added: Added) -> None:
        self.read_again(opens=True)
        if self.filter_text:  # it may ask for fields, which have names now
            self.query_one(FilterBar).use(self.filter_text)
        self.show_title()
        told = f"schema {' '.join(added.sources)} was added"
        if added.methods:
            told += f": it knows {added.known:,} of {added.methods:,} methods"
        self.notify(safe(told), severity="information" if added.known or not added.methods else "warning", markup=False)
