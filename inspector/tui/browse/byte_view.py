"""The bytes of a message, the parts of the selected field told apart."""

from __future__ import annotations

from textual import events

from inspector.model.span import Span
from inspector.transcode.tree import FieldNode
from inspector.tui.actions import bindings
from inspector.tui.selection import Chosen, Selection
from inspector.tui.virtual_list import Find, VirtualList
from inspector.views.byte_rows import Part, byte_at, byte_line, bytes_per_row
from inspector.views.byte_sources import BODY, ByteSource
from inspector.views.search import LONGEST_MATCH, Pattern
from inspector.views.spans import Line


class ByteView(VirtualList):
    """Rows of bytes, with a cursor on one byte."""

    BINDINGS = bindings("bytes")
    BORDER_TITLE = "3 Bytes"

    def __init__(self) -> None:
        super().__init__(id="bytes")
        self.source = ByteSource(BODY, b"")
        self._message_size = 0
        self.data = b""
        self.at = 0
        self.parts: tuple[Part, ...] = ()

    def show_data(self, data: bytes) -> None:
        """Shows the bytes of a message."""
        self.show_source(ByteSource(BODY, data), len(data))

    def show_source(self, source: ByteSource, size: int) -> None:
        """Shows other bytes, those of a message of `size` bytes."""
        self.source, self._message_size = source, size
        self.data, self.at, self.parts = source.data, 0, ()
        self.update_rows()
        self.cursor = 0

    def show_field(self, node: FieldNode | None, *, moves: bool = True) -> None:
        """Tells the parts of a field apart; `moves` shows where they begin."""
        self.parts = self.source.parts_of(node)
        if moves and self.parts and not self.parts[0].span.start <= self.at < self.parts[-1].span.end:
            self.at = self.parts[0].span.start
        self.cursor = self.at // self.per_row
        told = self.parts or self.source.prefix
        self.border_subtitle = " · ".join(f"{role.replace('_', ' ')} {span.size} B" for span, role in told)
        self.refresh()

    def show_offset(self, offset: int) -> None:
        """Puts the cursor on a byte of the message."""
        if self.data and self.source.start is not None:
            self.at = max(0, min(offset - self.source.start, len(self.data) - 1))

    @property
    def per_row(self) -> int:
        return bytes_per_row(self.scrollable_size.width, len(self.data))

    @property
    def shows_cursor(self) -> bool:
        return False

    def count(self) -> int:
        return -(-len(self.data) // self.per_row)

    def line(self, index: int, width: int) -> Line:
        start = index * self.per_row
        end = start + self.per_row
        parts = (*self.source.parts_between(start, end), *self.parts, *self._matches(start, end))
        return byte_line(self.data, index, self.per_row, parts, self.at if self.has_focus else None)

    # --- searching -----------------------------------------------------------------------------------------------

    has_bytes = True

    def finder(self, pattern: Pattern, *, forward: bool) -> Find:
        data, start = self.data, self.at + forward
        return lambda step: pattern.find_in_bytes(data, start, step, forward=forward)

    def go_to_match(self, place: object) -> None:
        if isinstance(place, Span):
            self._go(place.start)

    def _shown(self, index: int, width: int) -> Line:
        return self.line(index, width)

    def _matches(self, start: int, end: int) -> list[Part]:
        """Those of which bytes stand in a row."""
        if self.pattern is None:
            return []
        found = self.pattern.spans_in_bytes(self.data, start - LONGEST_MATCH, end + LONGEST_MATCH)
        return [Part(span, "match") for span in found if span.start < end and span.end > start]

    def cursor_moved(self) -> None:
        self._go(min(len(self.data) - 1, self.cursor * self.per_row + self.at % self.per_row))

    def action_move_byte(self, count: int) -> None:
        self._go(self.at + count)

    def _go(self, offset: int) -> None:
        if 0 <= offset < len(self.data):
            self.at = offset
            self.cursor = offset // self.per_row
            self.refresh()
            self.post_message(Chosen(Selection(offset=self.source.in_message(offset, self._message_size)), "bytes"))

    def on_resize(self) -> None:
        super().on_resize()
        self.cursor = self.at // self.per_row

    def on_click(self, event: events.Click) -> None:
        row = self.row_at(event)
        if row is not None:
            across = event.get_content_offset(self)
            place = byte_at(across.x, self.per_row, len(self.data)) if across is not None else 0
            self._go(min(len(self.data) - 1, row * self.per_row + place))
