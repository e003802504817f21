"""The calls of a capture."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from textual import events, work
from textual.geometry import Region
from textual.message import Message as TextualMessage
from textual.strip import Strip
from textual.worker import get_current_worker

from inspector.errors import InspectorError
from inspector.model.call import Call
from inspector.tui import state
from inspector.tui.actions import bindings
from inspector.tui.browse.column_menu import ColumnMenu
from inspector.tui.browse.turns import Turns
from inspector.tui.document import Document
from inspector.tui.selection import Chosen, Selection
from inspector.tui.virtual_list import VirtualList
from inspector.views import call_columns, call_order
from inspector.views.call_order import Arranging, Find
from inspector.views.spans import Line

KEPT = 512
"""Calls that were shown lately and are at hand."""

PICKED = "±"
"""Marks the call that is picked for a comparison."""


class CallList(VirtualList):
    """One row a call. A call that is selected stays so when others come, or when they are sorted.

    Filtering and sorting go on in a thread; what is found is shown as it is found.
    """

    class Arranged(TextualMessage):
        """A step of that came from the thread; None where it ended, with what it ended for."""

        def __init__(self, arranged: call_order.Arranged | None, error: InspectorError | None = None) -> None:
            self.arranged = arranged
            self.error = error
            super().__init__()

    class Changed(TextualMessage):
        """Other calls are shown, or in another order."""

        def __init__(self, added: int, error: InspectorError | None) -> None:
            self.added = added
            self.error = error
            super().__init__()

    BINDINGS = bindings("calls")
    BORDER_TITLE = "1 Calls"

    def __init__(self, document: Document) -> None:
        super().__init__(id="calls")
        self.document = document
        self.longest = 0
        self.columns: call_columns.Chosen = None
        """Those that the user chose."""
        self.marks: dict[int, str] = {}
        self.picked: int | None = None
        """The call that is to be compared with another one."""
        self.is_arranging = False
        self._more_came = False
        self.is_stopped = False
        """Whether the user stopped a filter before all calls were looked at."""
        self.turns = Turns()
        self._call_at = lru_cache(KEPT)(document.call_at)

    def count(self) -> int:
        return len(self.document.order)

    def heading(self, width: int) -> Line:
        order = self.document.order
        return call_columns.heading(width, self.columns, order.column, descending=order.descending)

    def render_lines(self, crop: Region) -> list[Strip]:
        """All calls in view are looked at before one is drawn, so that their bars have one scale."""
        before, top = self.longest, round(self.scroll_y)
        for place in range(top, min(self.count(), top + self.size.height)):
            with suppress(IndexError):  # as below
                self.call_in(place)
        if self.longest != before:
            self.refresh()  # rows that are not drawn now, too
        return super().render_lines(crop)

    def line(self, index: int, width: int) -> Line:
        try:
            call = self.call_in(index)
            mark = PICKED if call.number == self.picked else self.marks.get(call.number, "")
            return call_columns.row(call, width, self.columns, self.longest, mark)
        except IndexError:  # the end of a file that grew is read again
            return []

    def call_in(self, place: int) -> Call:
        """The call in a row of the list."""
        call = self._call_at(self.document.order[place])
        self.longest = max(self.longest, call.duration or 0)
        return call

    @property
    def selected(self) -> Call | None:
        """The call under the cursor."""
        try:
            return self.call_in(self.cursor) if 0 <= self.cursor < self.count() else None
        except IndexError:  # as above
            return None

    def show(self, selection: Selection) -> None:
        """Puts the cursor on the call that is selected."""
        place = self._place_of(selection.call)
        if place is not None:
            self.cursor = place

    # --- filtering and sorting -----------------------------------------------------------------------------------

    def take_in(self) -> None:
        """Shows the calls that came since too; where others are being arranged, when that is done."""
        self._more_came = self.is_arranging
        if not self.is_arranging and not self.is_stopped and self.document.order.seen < len(self.document.index):
            self._arrange()

    def filter_by(self, find: Find | None) -> None:
        """Shows only what it finds."""
        self.document.order.use_filter(find)
        self._arrange()

    def forget(self, kept: int) -> None:
        """Forgets the calls in rows from `kept` on, before reading goes on where the file ended."""
        self.workers.cancel_group(self, "arrange")
        self.is_arranging = False
        self.document.order.forget(kept)
        self._call_at.cache_clear()
        self.update_rows()

    def stop(self) -> bool:
        """Ends a filter that is under way, with what it found so far. False where none is."""
        if not (self.is_arranging and self.document.order.is_filtered):
            return False
        self.is_stopped = True
        self.workers.cancel_group(self, "arrange")
        return True

    def _arrange(self, *, extends: bool = True) -> None:
        self.is_arranging, self.is_stopped = True, not extends
        self._run(self.document.order.arranging(), extends)

    @work(thread=True, exclusive=True, group="arrange", exit_on_error=False)
    def _run(self, arranging: Arranging, extends: bool) -> None:
        worker = get_current_worker()

        def is_cancelled() -> bool:
            self.turns.give_way()
            return worker.is_cancelled

        error = None
        try:
            for arranged in arranging.run(is_cancelled, extends=extends):
                self.post_message(self.Arranged(arranged))
        except InspectorError as found:
            error = found
        if not worker.is_cancelled or self.is_stopped:
            self.post_message(self.Arranged(None, error))

    def on_call_list_arranged(self, event: Arranged) -> None:
        event.stop()
        if event.arranged is None:
            self.is_arranging = False
            self.is_stopped = self.is_stopped or event.error is not None
            if self._more_came:
                self.take_in()
            self.post_message(self.Changed(0, event.error))
            return
        before, selected = self.count(), self.selected
        if self.document.order.show(event.arranged):
            self._rearrange(selected.number if selected else None)
            self.post_message(self.Changed(self.count() - before, None))

    def _rearrange(self, number: int | None) -> None:
        """Shows what the order says now, the cursor on the same call as before."""
        self.update_rows()
        place = self._place_of(number)
        if place is not None:
            self.cursor = place
        self.call_after_refresh(self._keep_cursor_in_view)

    def _keep_cursor_in_view(self) -> None:
        """When the list knows how far it can be scrolled now."""
        self.keep_in_view(self.cursor)

    def _place_of(self, number: int | None) -> int | None:
        if number is None:
            return None
        order = self.document.order
        under_cursor = self.selected
        if under_cursor is not None and under_cursor.number == number:
            return self.cursor
        return order.place_of_call(number)

    def cursor_moved(self) -> None:
        call = self.selected
        if call is not None:
            self.post_message(Chosen(Selection(call.number), "calls"))

    def row_chosen(self) -> None:
        self.screen.query_one("#fields").focus()

    def action_sort_next(self) -> None:
        keys = call_columns.sort_keys(self.scrollable_size.width, self.columns)
        order = self.document.order
        place = keys.index(order.column) + 1 if order.column in keys else 0
        self._sort(keys[place % len(keys)], descending=order.descending)

    def action_reverse(self) -> None:
        order = self.document.order
        self._sort(order.column, descending=not order.descending)

    def action_choose_columns(self) -> None:
        def choose(columns: call_columns.Chosen) -> None:
            self.columns = columns
            state.save_columns(columns)
            self.refresh()

        self.app.push_screen(ColumnMenu(self.columns, self.scrollable_size.width, choose))

    def on_click(self, event: events.Click) -> None:
        """A click on the name of a column sorts by it, another one the other way round."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y > 0:
            return
        column = call_columns.column_at(offset.x, self.scrollable_size.width, self.columns)
        if column is not None:
            order = self.document.order
            self._sort(column, descending=column == order.column and not order.descending)

    def _sort(self, column: str, *, descending: bool) -> None:
        self.document.order.sort(column, descending=descending)
        self._arrange(extends=not self.is_stopped)  # a filter that was stopped does not go on for that
        self.refresh()
