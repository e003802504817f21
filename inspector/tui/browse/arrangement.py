"""How much room each pane has: the user's sizes, for each arrangement of the panes its own."""

from __future__ import annotations

from textual.widget import Widget

from inspector.tui.browse.browser import Browser

PANES = ("calls", "messages", "fields", "bytes", "details-pane")

LEAST_ROWS, LEAST_COLUMNS = 3, 16
"""A pane is never made smaller."""


class Arrangement(Browser):
    """Panes that are resized, flipped and maximised. `sizes` is by arrangement and pane, in rows or columns."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[str, int] = {}

    @property
    def is_flipped(self) -> bool:
        """Fields and bytes stand the other way: above one another on a wide screen, side by side on a narrow one."""
        return self.has_class("-flipped")

    def on_resize(self) -> None:
        self.call_after_refresh(self.apply_sizes)

    def apply_sizes(self) -> None:
        """Gives each pane the size that the user gave it where the panes stand as they do now."""
        for pane in self.query("#calls, #messages, #bytes, #details-pane"):
            pane.styles.clear_rule("width")
            pane.styles.clear_rule("height")
            size = self.sizes.get(self._key(pane.id or ""))
            if size is not None and not self.has_class("-maximised") and pane.display:
                self._give(pane, size)
        self.refresh(layout=True)

    def _give(self, pane: Widget, size: int) -> None:
        if self._is_beside(pane.id):
            pane.styles.width = max(LEAST_COLUMNS, min(size, self._most(pane)))
        elif pane.id != "messages":
            pane.styles.height = max(LEAST_ROWS, min(size, self._most(pane)))

    def _key(self, pane: str) -> str:
        across = "wide" if self.has_class("-wide") else "narrow"
        down = "tall" if self.has_class("-tall") else "short"
        flipped = "-flipped" if self.is_flipped and pane == "bytes" else ""
        return f"{across}-{down}{flipped}:{pane}"

    def _is_beside(self, pane: str | None) -> bool:
        """Whether a pane shares its room with what is left and right of it."""
        return (
            self.has_class("-wide") != (self.is_flipped and pane == "bytes")
            if pane in ("messages", "bytes")
            else (False)
        )

    def action_resize(self, steps: int) -> None:
        """Makes the focused pane larger or smaller. Fields grow as bytes shrink."""
        focused = self.focused_pane()
        if focused is None or self.has_class("-maximised"):
            return
        pane, grow = (self.query_one("#bytes"), -steps) if focused.id == "fields" else (focused, steps)
        is_beside = self._is_beside(pane.id)
        now = pane.outer_size.width if is_beside else pane.outer_size.height
        wanted = now + grow * (2 if is_beside else 1)
        least = LEAST_COLUMNS if is_beside else LEAST_ROWS
        if least <= wanted <= self._most(pane):
            self.sizes[self._key(pane.id or "")] = wanted
            self.apply_sizes()

    def _most(self, pane: Widget) -> int:
        """What a pane may take so that those around it keep the least there is."""
        around = self.query_one("#panes")
        if pane.id == "bytes":
            return around.size.width - LEAST_COLUMNS if self._is_beside("bytes") else around.size.height - LEAST_ROWS
        if pane.id == "messages":
            return self.size.width - 2 * LEAST_COLUMNS - self._taken("#bytes", across=True)
        others = "#details-pane" if pane.id == "calls" else "#calls"
        return self.size.height - 2 - self._taken(others) - self._least_below()

    def _taken(self, pane: str, *, across: bool = False) -> int:
        size = self.query_one(pane).outer_size
        return (size.width if across else size.height) if self.query_one(pane).display else 0

    def _least_below(self) -> int:
        """Rows that fields and bytes need."""
        stacked = 0 if self._is_beside("bytes") else self._taken("#bytes")
        return LEAST_ROWS + stacked + (not self.has_class("-wide"))

    def action_flip(self) -> None:
        self.toggle_class("-flipped")
        self.call_after_refresh(self.apply_sizes)

    def action_toggle_maximised(self) -> None:
        pane = self.focused_pane()
        if pane is None:
            return
        for each in map(self.query_one, (f"#{name}" for name in PANES)):
            each.set_class(each is pane, "-maximum")
            self.set_class(each is pane, f"-{each.id}")
        self.toggle_class("-maximised")
        self.apply_sizes()

    def focused_pane(self) -> Widget | None:
        """The pane that has the focus."""
        around = self.focused.ancestors_with_self if self.focused is not None else []
        return next((each for each in around if isinstance(each, Widget) and each.id in PANES), None)
