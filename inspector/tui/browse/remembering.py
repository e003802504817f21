"""A file is shown as the user left it: what was selected, how it was sorted and filtered, sizes of panes, marks, and
what guessed fields were read as."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress

from inspector.errors import InputError
from inspector.tui import state
from inspector.tui.browse.arrangement import Arrangement
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.marking import Marking
from inspector.tui.selection import Selection
from inspector.views import call_order


class Remembering(Arrangement, Marking):
    """Restores when it is mounted, and remembers when it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        """The filter as it was typed."""
        self._was_at: Selection | None = None
        self._awaits_filter = False

    @abstractmethod
    def use_filter(self, text: str) -> None:
        """Filters as if it had been typed."""

    def on_screen_resume(self) -> None:
        """Columns are the same for all files: they may have been chosen in another one."""
        if state.FOLDER.place() is not None and self.query(CallList):
            self.query_one(CallList).columns = state.load_columns()
            self.query_one(CallList).refresh()

    def on_mount(self) -> None:
        known = state.load(self.document.path)
        with suppress(InputError):  # what is no hint to this version
            self.document.session.own_hints = known.hints
        self._was_at = known.selected if known.selected.call is not None else None
        self.sizes = dict(known.sizes)
        self.set_class(known.is_flipped, "-flipped")
        self.use_marks(dict(known.marks))
        if known.column in call_order.KEYS:
            self.document.order.sort(known.column, descending=known.descending)
            self.query_one(CallList).update_rows()
        if known.filter:
            self._awaits_filter = True
            self.call_after_refresh(self._use_known_filter, known.filter)
        self.call_after_refresh(self.apply_sizes)

    def _use_known_filter(self, text: str) -> None:
        self._awaits_filter = False
        self.use_filter(text)

    def go_where_the_user_was(self, *, is_last: bool) -> None:
        """Selects what was selected, as soon as that was read; `is_last` where nothing more is to come."""
        place = self._was_at
        if place is None:
            return
        order, index = self.document.order, self.document.index
        if self._awaits_filter:
            return
        if self._is_there(place):
            self._was_at = None
            self.select(place)
        elif is_last and not (place.call and order.seen < len(index)):
            self._was_at = None

    def forget_where_the_user_was(self) -> None:
        """The user went elsewhere meanwhile."""
        self._was_at = None

    def _is_there(self, place: Selection) -> bool:
        """Whether a call has ended, or a message that stands alone was read."""
        number = place.call or 0
        if bool(number) != self.document.has_calls:
            return False
        has_call = not number or (self.document.call(number) is not None and not self.is_left_out(number))
        return has_call and self.document.message_count(number) > place.message

    def on_unmount(self) -> None:
        order = self.document.order
        known = state.FileState(
            self._was_at or self.selected, order.column, order.descending, self.filter_text, self.sizes,
            self.is_flipped, self.marks, self.document.session.own_hints,
        )  # fmt: skip
        state.save(self.document.path, known)
