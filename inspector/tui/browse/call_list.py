"""The calls of a capture."""

from __future__ import annotations

from functools import lru_cache

from textual import events

from inspector.model.call import Call
from inspector.tui.actions import bindings
from inspector.tui.document import Document
from inspector.tui.selection import Chosen, Selection
from inspector.tui.virtual_list import VirtualList
from inspector.views import call_columns
from inspector.views.spans import Line

KEPT = 512
"""Calls that were shown lately and are at hand."""


class CallList(VirtualList):
    """One row a call. A call that is selected stays so when others come, or when they are sorted."""

    BINDINGS = bindings("calls")
    BORDER_TITLE = "1 Calls"

    def __init__(self, document: Document) -> None:
        super().__init__(id="calls")
        self.document = document
        self.longest = 0
        self.marks: dict[int, str] = {}
        self._call_at = lru_cache(KEPT)(document.index.call_at)

    def count(self) -> int:
        return len(self.document.order)

    def heading(self, width: int) -> Line:
        order = self.document.order
        return call_columns.heading(width, order.column, descending=order.descending)

    def line(self, index: int, width: int) -> Line:
        call = self.call_in(index)
        return call_columns.row(call, width, self.longest, self.marks.get(call.number, ""))

    def call_in(self, place: int) -> Call:
        """The call in a row of the list."""
        call = self._call_at(self.document.order[place])
        self.longest = max(self.longest, call.duration or 0)
        return call

    @property
    def selected(self) -> Call | None:
        """The call under the cursor."""
        return self.call_in(self.cursor) if 0 <= self.cursor < self.count() else None

    def show(self, selection: Selection) -> None:
        """Puts the cursor on the call that is selected."""
        place = self._place_of(selection.call)
        if place is not None:
            self.cursor = place

    def rearrange(self, number: int | None) -> None:
        """Shows what the order says now, the cursor on the same call as before."""
        self.update_rows()
        place = self._place_of(number)
        if place is not None:
            self.cursor = place

    def _place_of(self, number: int | None) -> int | None:
        if number is None:
            return None
        order = self.document.order
        if 0 <= self.cursor < len(order) and self.call_in(self.cursor).number == number:
            return self.cursor
        try:
            return order.place_of(self.document.index.row_of(number))
        except IndexError:
            return None

    def cursor_moved(self) -> None:
        call = self.selected
        if call is not None:
            self.post_message(Chosen(Selection(call.number), "calls"))

    def row_chosen(self) -> None:
        self.screen.query_one("#fields").focus()

    def action_sort_next(self) -> None:
        names = [column.sorted_by for column in call_columns.COLUMNS]
        order = self.document.order
        self._sort(names[(names.index(order.column) + 1) % len(names)], descending=order.descending)

    def action_reverse(self) -> None:
        order = self.document.order
        self._sort(order.column, descending=not order.descending)

    def on_click(self, event: events.Click) -> None:
        """A click on the name of a column sorts by it, another one the other way round."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y > 0:
            return
        column = call_columns.column_at(offset.x, self.scrollable_size.width)
        if column is not None:
            order = self.document.order
            self._sort(column, descending=column == order.column and not order.descending)

    def _sort(self, column: str, *, descending: bool) -> None:
        selected = self.selected
        self.document.order.sort(column, descending=descending)
        self.rearrange(selected.number if selected else None)
