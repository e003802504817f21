"""Rows made when they are shown: a list of any length costs what is on the screen."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from inspector.tui.actions import bindings
from inspector.views.spans import Line

STYLES = ("title", "method", "dim", "good", "bad", "key", "string", "number", "word", "tag", "length", "value",
          "end_tag", "cursor", "mark", "match", "guess", "bar")  # fmt: skip
"""What texts of a line may be styled as."""


_PLAIN = Style.null()


class VirtualList(ScrollView, can_focus=True):
    """Rows with a cursor. Subclasses tell how many there are, and what each says; `heading` stays on top."""

    DEFAULT_CSS = """
    VirtualList {
        height: 1fr;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        & > .list--title { text-style: bold; }
        & > .list--method { color: $text-primary; }
        & > .list--dim { color: $foreground-muted; }
        & > .list--good { color: $text-success; }
        & > .list--bad { color: $text-error; text-style: bold; }
        & > .list--key { color: $text-secondary; }
        & > .list--string { color: $text-success; }
        & > .list--number { color: $text-accent; }
        & > .list--word { color: $text-warning; }
        & > .list--tag { background: $warning-muted; color: $text-warning; text-style: bold; }
        & > .list--end_tag { background: $warning-muted; color: $text-warning; text-style: bold; }
        & > .list--length { background: $secondary-muted; color: $text-secondary; text-style: italic; }
        & > .list--value { background: $success-muted; color: $text-success; text-style: underline; }
        & > .list--cursor { text-style: reverse bold; }
        & > .list--mark { color: $foreground-muted; }
        & > .list--match { background: $accent; color: $text; }
        & > .list--guess { color: $foreground-muted; text-style: italic; }
        & > .list--bar { color: $primary; }
        & > .list--row { background: $block-cursor-blurred-background; }
        & > .list--row-focused { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"list--{name}" for name in (*STYLES, "row", "row-focused")}
    BINDINGS: ClassVar[list[BindingType]] = bindings("list")

    cursor: reactive[int] = reactive(0)

    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def line(self, index: int, width: int) -> Line:
        """What a row says."""
        raise NotImplementedError

    def heading(self, width: int) -> Line | None:
        """What stands above the rows."""
        return None

    def cursor_moved(self) -> None:
        """The user moved the cursor."""

    def row_chosen(self) -> None:
        """The user pressed Enter on a row, or clicked on it twice."""

    # --- rows ----------------------------------------------------------------------------------------------------

    def update_rows(self) -> None:
        """Shows what the rows say now."""
        self.virtual_size = Size(0, self.count() + self.headings)
        self.cursor = self.validate_cursor(self.cursor)
        self.refresh()

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.count() - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        if self.is_attached:
            self.keep_in_view(new)
            self.refresh()

    def keep_in_view(self, row: int) -> None:
        """Scrolls as little as shows a row."""
        room = max(1, self.size.height - self.headings)
        top = round(self.scroll_y)
        if row < top:
            self.scroll_to(y=row, animate=False, immediate=True)
        elif row >= top + room:
            self.scroll_to(y=row - room + 1, animate=False, immediate=True)

    @property
    def headings(self) -> int:
        """Lines above the rows."""
        return int(self.heading(self.size.width) is not None)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        heading = self.heading(width)
        if heading is not None and y == 0:
            return self._strip(heading, width, self.rich_style)
        index = y - (heading is not None) + round(self.scroll_y)
        if not 0 <= index < self.count():
            return Strip.blank(width, self.rich_style)
        base = self.rich_style
        if index != self.cursor or not self.shows_cursor:
            return self._strip(self.line(index, width), width, base)
        over = self.get_component_rich_style("list--row-focused" if self.has_focus else "list--row", partial=True)
        return self._strip(self.line(index, width), width, base, over)

    @property
    def shows_cursor(self) -> bool:
        return True

    def _strip(self, line: Line, width: int, base: Style | None = None, over: Style = _PLAIN) -> Strip:
        """A line as Textual wants it. `over` is the style of the cursor, which all else gives way to."""
        base = base or self.rich_style
        segments = [Segment(text, base + self._style(style) + over) for style, text in line if text]
        return Strip(segments).adjust_cell_length(width, base + over)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"list--{name}", partial=True) if name else _PLAIN

    # --- the user ------------------------------------------------------------------------------------------------

    def move_to(self, row: int) -> None:
        """Moves the cursor as the user would."""
        before = self.cursor
        self.cursor = row
        if self.cursor != before:
            self.cursor_moved()

    def action_move(self, rows: int) -> None:
        self.move_to(self.cursor + rows)

    def action_move_page(self, pages: int) -> None:
        self.move_to(self.cursor + pages * max(1, self.size.height - self.headings - 1))

    def action_move_to_end(self, is_last: bool) -> None:
        self.move_to(self.count() - 1 if is_last else 0)

    def action_choose(self) -> None:
        self.row_chosen()

    def row_at(self, event: events.MouseEvent) -> int | None:
        """The row under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self.headings:
            return None
        row = offset.y - self.headings + round(self.scroll_y)
        return row if row < self.count() else None

    def on_click(self, event: events.Click) -> None:
        row = self.row_at(event)
        if row is not None:
            self.move_to(row)
            if event.chain > 1:
                self.row_chosen()

    def on_resize(self) -> None:
        self.update_rows()
        self.keep_in_view(self.cursor)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
