"""The messages of a call, in the order in which they went: a list, or a strip of one line where there is no room."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from textual import events
from textual.strip import Strip

from inspector.model.call import Message
from inspector.tui.actions import bindings
from inspector.tui.selection import Chosen, Selection
from inspector.tui.virtual_list import VirtualList
from inspector.views.conversation import ARROWS
from inspector.views.spans import Line
from inspector.views.times import size
from inspector.views.widths import cells_of

KEPT = 64
_GAP: Line = [("", " ")]


class Messages(Protocol):
    """What has messages by call and place."""

    def message_count(self, number: int) -> int: ...

    def message(self, number: int, place: int) -> Message | None: ...


class MessageList(VirtualList):
    """One row a message."""

    BINDINGS = bindings("messages")
    BORDER_TITLE = "Messages"

    def __init__(self, document: Messages) -> None:
        super().__init__(id="messages")
        self.document = document
        self.call: int | None = None
        self._count = 0
        self._message = lru_cache(KEPT)(document.message)

    def show_call(self, number: int | None) -> None:
        """Shows the messages of a call."""
        self.call = number
        self._message.cache_clear()
        self._count = 0 if number is None else self.document.message_count(number)
        self.cursor = 0
        self.update_rows()

    def show(self, selection: Selection) -> None:
        self.cursor = selection.message

    def count(self) -> int:
        return self._count

    @property
    def selected(self) -> Message | None:
        """The message under the cursor."""
        return None if self.call is None else self._message(self.call, self.cursor)

    def render_line(self, y: int) -> Strip:
        return super().render_line(y) if self.size.height > 1 else self._strip(self._side_by_side(), self.size.width)

    def _side_by_side(self) -> Line:
        """Messages from the selected one on, those before it as far as they fit."""
        if not self._count:
            return [("dim", "no messages")]
        line: Line = []
        width, at = self.size.width, self._first()
        while at < self._count and sum([cells_of(text) for _, text in line]) < width:
            entry = self.line(at, width)
            is_selected = at == self.cursor
            line += [("cursor", f"[{''.join(text for _, text in entry)}]")] if is_selected else [*_GAP, *entry, *_GAP]
            at += 1
        return [("dim", self._position()), *line]

    def _first(self) -> int:
        return max(0, self.cursor - 2)

    def _position(self) -> str:
        return f"{self.cursor + 1}/{self._count:,} "

    def on_click(self, event: events.Click) -> None:
        """In one line, a click selects the message that stands there."""
        offset = event.get_content_offset(self)
        if self.size.height == 1 and offset is not None:
            event.prevent_default()
            at = cells_of(self._position())
            for place in range(self._first(), self._count):
                at += sum(cells_of(text) for _, text in self.line(place, self.size.width)) + 2
                if offset.x < at:
                    self.move_to(place)
                    return

    def line(self, index: int, width: int) -> Line:
        message = None if self.call is None else self._message(self.call, index)
        if message is None:
            return []
        style = "bad" if message.problem is not None else ""
        data = message.wire if message.data is None else message.data
        name = {"request": "req", "response": "rsp", None: "msg"}[message.direction]
        return [
            ("method", ARROWS[message.direction]),
            (style, f" {name} {message.index}"),
            ("dim", f"  {size(len(data))}"),
        ]

    def cursor_moved(self) -> None:
        self.post_message(Chosen(Selection(self.call, self.cursor), "messages"))

    def row_chosen(self) -> None:
        self.screen.query_one("#fields").focus()
