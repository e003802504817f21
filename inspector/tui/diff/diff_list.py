"""The rows of a comparison."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message as TextualMessage

from inspector.tui.actions import bindings
from inspector.tui.virtual_list import VirtualList
from inspector.views import diff_rows
from inspector.views.comparison import Section
from inspector.views.diff_rows import Fold, Row
from inspector.views.spans import Line

WIDE = 120
"""Cells from which on both sides stand beside one another."""


class DiffList(VirtualList):
    """Both sides beside one another where there is room, else one above the other."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("diff")

    class Sought(TextualMessage):
        """A field is to be shown in the browser, on the right or the left."""

        def __init__(self, row: Row, *, on_right: bool) -> None:
            self.row = row
            self.on_right = on_right
            super().__init__()

    class Moved(TextualMessage):
        """The cursor is elsewhere, or the rows are others."""

    def __init__(self) -> None:
        super().__init__(id="diff")
        self.sections: list[Section] = []
        self.names = ("left", "right")
        self.shows_equal = False
        self._opened: set[Fold] = set()
        self._layout: bool | None = None  # unified or not, as the user wants it whatever the width
        self.is_unified = False
        """Whether values stand above one another."""
        self._rows: list[Row] = []
        self._starts: list[int] = []

    # --- rows ----------------------------------------------------------------------------------------------------

    def show_sections(self, sections: list[Section]) -> None:
        """Shows these, as far as they are there; the cursor stays."""
        self.sections = sections
        self._make()

    def clear(self) -> None:
        """Shows nothing, from the top."""
        self._opened.clear()
        self.cursor = 0
        self.show_sections([])

    def _make(self) -> None:
        self.is_unified = self.size.width < WIDE if self._layout is None else self._layout
        self._rows = diff_rows.rows(
            self.sections, is_unified=self.is_unified, shows_equal=self.shows_equal, opened=self._opened
        )
        self._starts = [place for place, row in enumerate(self._rows) if row.is_first]
        self.update_rows()
        self.post_message(self.Moved())

    def count(self) -> int:
        return len(self._rows)

    def heading(self, width: int) -> Line | None:
        return None if self.is_unified else diff_rows.heading(*self.names, width)

    def line(self, index: int, width: int) -> Line:
        return (diff_rows.unified_line if self.is_unified else diff_rows.line)(self._rows[index], width)

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    @property
    def position(self) -> tuple[int, int]:
        """The number of the difference at the cursor or before it (0 before the first), and how many there are."""
        return bisect_right(self._starts, self.cursor), sum(each.differences for each in self.sections)

    def on_resize(self) -> None:
        self._keeping_place()
        super().on_resize()

    def _keeping_place(self) -> None:
        """Makes the rows anew, the cursor on the difference that it was on."""
        before = self.position[0]
        row = self.selected
        self._make()
        if row is None:
            return
        same = next((place for place, each in enumerate(self._rows) if _is_same(each, row)), None)
        if same is not None:
            self.cursor = same
        elif before:
            self.cursor = self._starts[min(before, len(self._starts)) - 1]

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    # --- the user ------------------------------------------------------------------------------------------------

    def action_next_difference(self, forward: bool) -> None:
        """To the next difference; while something is looked for, to where that is next."""
        if self.pattern is not None:
            self.action_next_match(forward)
            return
        place = (bisect_right if forward else bisect_left)(self._starts, self.cursor) - (not forward)
        if 0 <= place < len(self._starts):
            self.move_to(self._starts[place])
            self._show_around()
        else:
            self.notify("there is no difference after this one" if forward else "there is none before this one",
                        markup=False)  # fmt: skip

    def _show_around(self) -> None:
        """A difference at the lower edge is moved up, so that what follows it is seen too."""
        room = max(1, self.size.height - self.headings)
        if self.cursor >= round(self.scroll_y) + room - 2:
            self.scroll_to(y=max(0, self.cursor - room // 3), animate=False, immediate=True)

    def row_chosen(self) -> None:
        row = self.selected
        if row is not None and row.kind == "fold":
            self.action_toggle_fold()
        elif row is not None:
            self._seek(row, on_right=row.has_right and row.kind != "before")

    def action_go(self, on_right: bool) -> None:
        row = self.selected
        if row is None or row.kind == "fold":
            return
        if row.kind not in ("title", "note") and not (row.has_right if on_right else row.has_left):
            self.notify(f"it is not there {'on the right' if on_right else 'on the left'}", markup=False)
        else:
            self._seek(row, on_right=on_right)

    def _seek(self, row: Row, *, on_right: bool) -> None:
        self.post_message(self.Sought(row, on_right=on_right))

    def action_toggle_fold(self) -> None:
        """Opens what is folded under the cursor, or closes it."""
        row = self.selected
        if row is None:
            return
        folds = [each.fold for each in self._rows[: self.cursor + 1] if each.kind == "fold"]
        if row.kind not in ("fold", "same") or not folds:
            self.notify("there is nothing folded here: e shows all that is equal", markup=False)
            return
        self._opened ^= {folds[-1]}
        self._make()
        self.cursor = next(
            place for place, each in enumerate(self._rows) if each.kind == "fold" and each.fold == folds[-1]
        )

    def action_toggle_equal(self) -> None:
        self.shows_equal = not self.shows_equal
        self._keeping_place()

    def action_toggle_layout(self) -> None:
        self._layout = not self.is_unified
        self._keeping_place()


def _is_same(row: Row, other: Row) -> bool:
    if (row.section, row.path, row.to) != (other.section, other.path, other.to) or row.text != other.text:
        return False
    return row.kind == other.kind or {row.kind, other.kind} <= {"changed", "before", "after"}
