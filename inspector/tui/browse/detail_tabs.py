"""What the tabs of the details say of the selection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from textual.widgets import Tabs

from inspector.limits import MAX_SHOWN_JSON
from inspector.tui.browse.browser import Browser
from inspector.tui.browse.details import Details
from inspector.tui.browse.field_list import FieldList
from inspector.views import call_facts, schema_facts
from inspector.views.conversation import message_lines
from inspector.views.safe_text import safe
from inspector.views.spans import Line

NO_SCHEMA = "press a to add a schema"


class DetailTabs(Browser):
    """Each tab is asked for its lines when it is seen."""

    shows_secrets = False

    def notify(self, message: str, **options: Any) -> None:
        """Says something in the corner of the screen, and keeps it in the log."""
        self.document.journal.add(message, is_bad=options.get("severity") == "error")
        super().notify(message, **options)

    def details_of(self, tab: str) -> list[Line]:
        """What a tab says."""
        number = self.selected.call
        call = self.document.call(number) if number else None
        if tab == "json":
            return self._json()
        if tab == "log":
            return self._log()
        if tab == "schema":
            return self._schema()
        if call is None:
            return [[("dim", "this call has not ended" if number else "there is no call")]]
        if tab == "headers":
            return call_facts.headers(call, show_secrets=self.shows_secrets)
        if tab == "trailers":
            return call_facts.trailers(call, self.document.session.decode_details, show_secrets=self.shows_secrets)
        return call_facts.problems(call) if tab == "problems" else call_facts.summary(call)

    def show_field_in_details(self) -> None:
        """Another field is under the cursor, of which the schema is shown."""
        details = self.query_one(Details)
        if details.display and details.query_one(Tabs).active == "schema":
            details.update()

    def _json(self) -> list[Line]:
        if self.message is None:
            return []
        if len(self.message.data or b"") > MAX_SHOWN_JSON:
            return [[("dim", f"over {MAX_SHOWN_JSON:,} bytes: inspector convert --to json shows it")]]
        return message_lines(self.document.decode(self.message), bare=True)

    def _schema(self) -> list[Line]:
        tree, document, message = self.message_tree, self.document, self.message
        node = self.query_one(FieldList).selected
        if tree is None or message is None:
            return [[("dim", "there is no message")]]
        if tree.type_name is not None and document.schema is not None:
            return schema_facts.told(document.schema, tree.type_name, node)
        note = NO_SCHEMA if document.schema is None else "the schema does not have the method"
        inferred = document.inferred(message)
        if inferred is None:
            return [[("dim", f"no schema tells the type of this message: {note}")]]
        return schema_facts.guessed(inferred, node, note)

    def _log(self) -> list[Line]:
        document = self.document
        passed = document.index.passed_over if document.index.complete else "it is still being read"
        parts = (passed or "nothing was passed over").splitlines()
        held = [part for each in parts for part in each.split(", ")]
        notes = document.schema.notes if document.schema is not None else ()
        return [
            *_titled("What it holds", _indented(held)), *_titled("Problems", document.problems.lines()),
            *_titled("Notes of the schema", _indented(notes)), *_titled("What happened", document.journal.lines()),
        ]  # fmt: skip


def _titled(title: str, lines: Sequence[Line]) -> list[Line]:
    return [[("title", title)], *lines, []] if lines else []


def _indented(texts: Iterable[str]) -> list[Line]:
    return [[("", f"  {safe(each)}")] for each in texts]
