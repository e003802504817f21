"""Lines of text to read, of any number."""

from __future__ import annotations

from inspector.tui.virtual_list import VirtualList
from inspector.views.spans import Line


class TextLines(VirtualList):
    """Shows lines as they are. There is no cursor: what moves one elsewhere scrolls here."""

    def __init__(self, lines: list[Line], *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines = lines

    @property
    def shows_cursor(self) -> bool:
        return False

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.count() - self.size.height))

    def keep_in_view(self, row: int) -> None:
        self.scroll_to(y=row, animate=False, immediate=True)

    def count(self) -> int:
        return len(self._lines)

    def line(self, index: int, width: int) -> Line:
        return self._lines[index]
