"""Following a capture that grows: the newest call stays selected, until the user looks at another one."""

from __future__ import annotations

from abc import abstractmethod

from textual.timer import Timer

from inspector.tui.browse.browser import Browser
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.loading import Progress

LOOK_AGAIN = 0.5
"""Seconds after which a capture that is followed is looked at again."""


class Following(Browser):
    """Reads on as the file grows. Moving away pauses it, as in `less +F`: calls that come are listed, and the cursor
    stays. Going to the newest or the last call resumes it."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress(0, 0, False)
        self.follows = False
        self.is_paused = False
        self._newest: int | None = None  # the call that it went to last
        self._timer: Timer | None = None

    @abstractmethod
    def load(self) -> object:
        """Reads what there is."""

    @abstractmethod
    def show_title(self) -> None:
        """Shows what is open, and whether it is followed."""

    @property
    def told_following(self) -> str:
        """What the title says of it."""
        return "" if not self.follows else "FOLLOW paused (f resumes)" if self.is_paused else "FOLLOW"

    def action_toggle_follow(self) -> None:
        if not self.document.has_calls:
            return
        self.follows = self.is_paused or not self.follows
        self._timer = self._timer or self.set_interval(LOOK_AGAIN, self.look_for_more)
        self.is_paused, self._newest = False, None  # wherever the cursor is, that is no move
        self.go_to_newest()
        self.show_title()

    def look_for_more(self) -> None:
        """Reads on where a capture that is followed has grown."""
        index = self.document.index
        if not (self.follows and self.progress.is_complete and index.has_changed):
            return
        if index.has_shrunk:
            self.notify(
                "the file is shorter than before: it is read from its beginning", severity="warning", timeout=15
            )
        self.expect_moves()
        self.progress = self.progress._replace(is_complete=False)
        self.query_one(CallList).forget(index.settled)
        self.load()

    def go_to_newest(self) -> None:
        """Selects the newest call, where the user did not move away."""
        calls = self.query_one(CallList)
        newest = self.document.order.newest
        self.note_move()
        if self.follows and not self.is_paused and newest is not None:
            calls.move_to(newest)
            self._newest = None if calls.selected is None else calls.selected.number

    def note_move(self) -> None:
        """Pauses where another call is selected than the one it went to, resumes where the last one is."""
        calls = self.query_one(CallList)
        found = calls.selected
        if not self.follows or found is None or (self._newest is None and not self.is_paused):
            return
        was_paused = self.is_paused
        is_last = calls.cursor in (calls.count() - 1, self.document.order.newest)
        self.is_paused = not is_last and (self.is_paused or found.number != self._newest)
        if was_paused != self.is_paused:
            self.show_title()

    def expect_moves(self) -> None:
        """The call that it went to last may be listed no more: where the cursor goes then, the user did not move it."""
        self.note_move()
        self._newest = None
