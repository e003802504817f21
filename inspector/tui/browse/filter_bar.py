"""The line in which calls are filtered: what is typed, whether it is an expression, and what fields there are."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message as TextualMessage
from textual.widgets import Input, Static

from inspector.errors import InspectorError
from inspector.tui.actions import bindings
from inspector.tui.document import Document
from inspector.views.field_names import FieldNames, complete
from inspector.views.safe_text import safe
from inspector.views.where import Where, cel_library

MOST_HISTORY = 200
"""Filters that are remembered."""


class FilterInput(Input):
    """Where it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("filter")

    def __init__(self) -> None:
        super().__init__(id="filter", placeholder="words, or an expression: status.code != 0", compact=True)

    @property
    def bar(self) -> FilterBar:
        bar = self.parent
        assert isinstance(bar, FilterBar)
        return bar

    def action_complete(self) -> None:
        self.bar.complete()

    def action_recall(self, step: int) -> None:
        self.bar.recall(step)

    def action_leave(self) -> None:
        self.bar.leave()


class FilterBar(Vertical):
    """Applies a filter as it is typed where that is quick, else on Enter. An empty one shows all calls."""

    DEFAULT_CSS = """
    FilterBar {
        display: none;
        height: 1;
        &.-shown { display: block; }
        &:focus-within { height: 2; }
        & Input { height: 1; border: none; padding: 0 1; }
        & Static { height: 1; padding: 0 1; color: $foreground-muted; }
        & Static.-wrong { color: $text-error; }
    }
    """

    class Applied(TextualMessage):
        """Another filter is to be used; None: none."""

        def __init__(self, where: Where | None) -> None:
            self.where = where
            super().__init__()

    class Left(TextualMessage):
        """The user is done with it."""

    def __init__(self, document: Document) -> None:
        super().__init__(id="filter-bar")
        self.document = document
        self.applied = ""
        self._names: FieldNames | None = None
        self._recalled = 0  # how many filters back

    def compose(self) -> ComposeResult:
        yield FilterInput()
        yield Static(id="filter-note", markup=False)

    @property
    def box(self) -> FilterInput:
        return self.query_one(FilterInput)

    def open(self) -> None:
        """Shows it, with the text that it had."""
        self._load_library()
        self.add_class("-shown")
        self._names = FieldNames(self.document.schema, [kind[0] for kind in self.document.index.kinds if kind])
        self.box.focus()
        self._tell()

    @work(thread=True, exit_on_error=False)
    def _load_library(self) -> None:
        """Before the first key asks for it."""
        with suppress(ImportError):
            cel_library()

    def leave(self) -> None:
        """Goes back to the calls; what was typed and not applied is gone."""
        self.box.value = self.applied
        self._remember(self.applied)
        if not self.applied:
            self.remove_class("-shown")
        self.post_message(self.Left())

    def use(self, text: str) -> None:
        """Applies a filter as if it had been typed."""
        self.add_class("-shown")
        self.box.value = text
        self.box.cursor_position = len(text)
        self._apply(text)

    # --- while it is typed ---------------------------------------------------------------------------------------

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        where = self._tell()
        text = event.value.strip()
        if text != self.applied and (not text or (where is not None and where.is_fast)) and self.box.has_focus:
            self.applied = text
            self.post_message(self.Applied(where))

    def _tell(self) -> Where | None:
        """Says whether what is typed can be used, and what may come next."""
        text, wrong, where = self.box.value, "", None
        try:
            where = Where(text) if text.strip() else None
        except InspectorError as error:
            wrong = str(error)
        names = self._candidates()[1]
        note = self.query_one("#filter-note", Static)
        note.set_class(bool(wrong), "-wrong")
        if wrong and not names:
            note.update(f"✗ {safe(wrong)}")
        elif names:
            note.update(f"{'✗' if wrong else '✓'} Tab: {safe('  '.join(names))}")
        else:
            note.update(_kind_of(where))
        return where

    def _candidates(self) -> tuple[int, list[str]]:
        if self._names is None:
            return 0, []
        return complete(self.box.value[: self.box.cursor_position], self._names)

    def complete(self) -> None:
        """Writes the first of the names that may come next, or as much as all have in common."""
        start, names = self._candidates()
        box = self.box
        if names:
            at = box.cursor_position
            box.value = box.value[:start] + names[0] + box.value[at:]
            box.cursor_position = start + len(names[0])

    def recall(self, step: int) -> None:
        """Goes back in the filters that were used, or forth."""
        filters = self.document.filters
        self._recalled = max(0, min(len(filters), self._recalled + step))
        self.box.value = filters[-self._recalled] if self._recalled else ""
        self.box.cursor_position = len(self.box.value)

    # --- when it is done -----------------------------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._apply(event.value.strip()):
            if not self.applied:
                self.remove_class("-shown")
            self.post_message(self.Left())

    def _apply(self, text: str) -> bool:
        where = self._tell()
        if text and where is None:
            return False
        self._remember(text)
        if text != self.applied or (where is not None and not where.is_fast):
            self.applied = text
            self.post_message(self.Applied(where))
        return True

    def _remember(self, text: str) -> None:
        filters = self.document.filters
        self._recalled = 0
        if text:
            filters[:] = [*(each for each in filters if each != text), text][-MOST_HISTORY:]


def _kind_of(where: Where | None) -> str:
    if where is None:
        return "all calls"
    if where.words:
        return f"✓ words: {safe(', '.join(where.words))}  (Enter looks for them)"
    return "✓ expression" if where.is_fast else "✓ expression (Enter: each call or message is read for it)"
