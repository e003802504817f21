"""Rows made when they are shown: a list of any length costs what is on the screen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.worker import get_current_worker

from inspector.errors import InspectorError
from inspector.tui.actions import bindings
from inspector.tui.progress_bar import progress_bar
from inspector.tui.search_bar import SearchBar
from inspector.views.safe_text import safe
from inspector.views.search import Pattern, Step, find_row, highlighted
from inspector.views.spans import Line

STYLES = ("title", "method", "dim", "good", "bad", "key", "string", "number", "word", "tag", "length", "value",
          "end_tag", "cursor", "mark", "match", "guess", "bar")  # fmt: skip
"""What texts of a line may be styled as."""


_PLAIN = Style.null()

Find = Callable[[Step], object]
"""Looks for something, in a thread: where it is, or None."""

REPORTED = 0.01
"""The share of a search after which it tells how far it is."""


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
        & > .list--match { background: $accent; color: $text; text-style: bold underline; }
        & > .list--guess { color: $foreground-muted; text-style: italic; }
        & > .list--bar { color: $primary; }
        & > .list--row { background: $block-cursor-blurred-background; }
        & > .list--row-focused { background: $block-cursor-background; color: $block-cursor-foreground; }
        &:ansi > .list--dim { text-style: dim; }
        &:ansi > .list--row { text-style: underline; }
        &:nocolor > .list--row { text-style: underline; }
        &:nocolor > .list--row-focused { text-style: reverse bold; }
        &:nocolor > .list--match { text-style: reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"list--{name}" for name in (*STYLES, "row", "row-focused")}
    BINDINGS: ClassVar[list[BindingType]] = bindings("list")

    cursor: reactive[int] = reactive(0)
    pattern: Pattern | None = None
    """What was looked for last."""
    has_bytes = False
    """Whether digits in pairs are bytes to look for."""
    search_progress: float | None = None
    """How far a search is that is under way."""

    class Found(TextualMessage):
        """How far a search is; where it ended, with what it found."""

        def __init__(self, progress: float | None, place: object = None, problem: str = "") -> None:
            self.progress = progress
            self.place = place
            self.problem = problem
            super().__init__()

    @abstractmethod
    def count(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def line(self, index: int, width: int) -> Line:
        """What a row says."""

    def heading(self, width: int) -> Line | None:
        """What stands above the rows."""
        return None

    def cursor_moved(self) -> None:
        """The user moved the cursor."""

    def row_chosen(self) -> None:
        """The user pressed Enter on a row, or clicked on it twice."""

    # --- rows ----------------------------------------------------------------------------------------------------

    def update_rows(self) -> None:
        """Shows what the rows say now. The screen is only laid out anew where a scrollbar comes or goes: with the panes
        drawn again for that, a key took three times as long while calls came."""
        size = Size(0, self.count() + self.headings)
        self.set_reactive(VirtualList.virtual_size, size)
        self._scroll_update(size)
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
        return int(self.heading(self.scrollable_size.width) is not None)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_size.width
        heading = self.heading(width)
        if heading is not None and y == 0:
            return self._strip(heading, width, self.rich_style)
        index = y - (heading is not None) + round(self.scroll_y)
        if not 0 <= index < self.count():
            return Strip.blank(width, self.rich_style)
        base = self.rich_style
        if index != self.cursor or not self.shows_cursor:
            return self._strip(self._shown(index, width), width, base)
        over = self._style("row-focused" if self.has_focus else "row")
        return self._strip(self._shown(index, width), width, base, over)

    def _shown(self, index: int, width: int) -> Line:
        """A row, in which is told apart what was looked for."""
        line = self.line(index, width)
        return line if self.pattern is None else highlighted(line, self.pattern)

    @property
    def shows_cursor(self) -> bool:
        return True

    def _strip(self, line: Line, width: int, base: Style | None = None, over: Style = _PLAIN) -> Strip:
        """A line as Textual wants it. `over` is the style of the cursor, which all else gives way to."""
        base = base or self.rich_style
        segments = [Segment(text, base + self._style(style) + over) for style, text in line if text]
        return Strip(segments).adjust_cell_length(width, base + over)

    def _style(self, name: str) -> Style:
        """A style by its name. What shines through is mixed here, as a terminal knows of no transparency."""
        if not name:
            return _PLAIN
        own = self.get_component_rich_style(f"list--{name}", partial=True)
        mixed = self.get_component_rich_style(f"list--{name}")
        return own + Style.from_color(own.color and mixed.color, own.bgcolor and mixed.bgcolor)

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

    # --- searching -----------------------------------------------------------------------------------------------

    def finder(self, pattern: Pattern, *, forward: bool) -> Find:
        """How to look for the next match behind (or before) the cursor."""
        count, start, width = self.count(), self.cursor, self.size.width

        def text_of(row: int) -> str:
            return "".join(text for _, text in self.line(row, width))

        return lambda step: find_row(pattern, text_of, count, start, step, forward=forward)

    def go_to_match(self, place: object) -> None:
        """Moves the cursor to what `finder` found."""
        if isinstance(place, int):
            self.move_to(place)

    def action_search(self) -> None:
        for bar in self.screen.query(SearchBar):
            bar.remove()
        bar = SearchBar(self)
        footers = self.screen.query("KeyBar")
        self.screen.mount(bar, before=footers.first() if footers else None)
        bar.focus()

    def look_for(self, text: str) -> bool:
        """Looks for something from the cursor on. False where that cannot be looked for. An empty text ends it."""
        try:
            self.pattern = Pattern(text, in_bytes=self.has_bytes) if text else None
        except InspectorError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return False
        self.refresh()
        if self.pattern is not None:
            self.action_next_match(True)
        return True

    def action_next_match(self, forward: bool) -> None:
        if self.pattern is None:
            self.action_search()
        elif self.count():
            self.search_progress = 0.0
            self._search(self.finder(self.pattern, forward=forward))

    def stop_search(self) -> bool:
        """Ends a search, or else what shows its matches. False where there is neither."""
        if self.search_progress is not None:
            self.workers.cancel_group(self, "search")
            self.search_progress, self.border_subtitle = None, "search stopped"
        elif self.pattern is not None:
            self.pattern = None
        else:
            return False
        self.refresh()
        return True

    @work(thread=True, exclusive=True, group="search", exit_on_error=False)
    def _search(self, find: Find) -> None:
        worker = get_current_worker()
        told = 0.0

        def step(progress: float) -> bool:
            nonlocal told
            if progress - told >= REPORTED:
                told = progress
                self.post_message(self.Found(progress))
            return worker.is_cancelled

        try:
            found, problem = find(step), ""
        except (InspectorError, IndexError) as error:
            found, problem = None, str(error)
        if not worker.is_cancelled:
            self.post_message(self.Found(None, found, problem))

    def on_virtual_list_found(self, event: Found) -> None:
        event.stop()
        if event.progress is not None:
            if self.search_progress is not None:
                self.search_progress = event.progress
                self.border_subtitle = f"searching {progress_bar(event.progress)} (Esc stops)"
            return
        self.search_progress, self.border_subtitle = None, ""
        if event.place is not None:
            self.go_to_match(event.place)
        elif self.pattern is not None:
            problem = f": {event.problem}" if event.problem else ""
            self.notify(safe(f"not found: {self.pattern.source}{problem}"), severity="warning", markup=False)

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
