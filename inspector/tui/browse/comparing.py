"""What differs between two calls or messages: picking the sides in the browser, and going to a field of one."""

from __future__ import annotations

from abc import abstractmethod

from textual.widgets import Tabs

from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.field_list import path_of
from inspector.tui.browse.marking import Marking
from inspector.tui.diff.screen import DiffScreen, Goal
from inspector.tui.diff.sides import Side, names_of, pick, picked, side_of
from inspector.tui.intents import PlaceAsked
from inspector.tui.menu import Entry, Menu
from inspector.tui.selection import Selection
from inspector.views.json_places import innermost
from inspector.views.safe_text import safe


class Comparing(Marking):
    """Picks what is selected: the call where the calls have the focus, else the message."""

    shows_secrets: bool

    def __init__(self) -> None:
        super().__init__()
        self._last: DiffScreen | None = None

    @abstractmethod
    def show_title(self) -> None:
        """Says what is open, and what is picked."""

    @abstractmethod
    def action_focus_pane(self, name: str) -> None:
        """Goes to a pane."""

    def on_screen_resume(self) -> None:
        if self.query(CallList):
            self.show_picked()

    def on_unmount(self) -> None:
        side = picked(self.app)
        if side is not None and side.document is self.document:
            pick(self.app, None)
            for screen in self.app.screen_stack:
                if isinstance(screen, Comparing) and screen is not self:
                    screen.show_picked()

    def told_pick(self) -> str:
        """What the title says of it; empty where nothing is picked."""
        side = picked(self.app)
        if side is None:
            return ""
        name = side.name if side.document is self.document else f"{side.document.name} {side.name}"
        return f"diff of {name} with ... (d)"

    def action_diff(self) -> None:
        here, first = self._here(), picked(self.app)
        if here is None:
            self.notify("there is nothing to compare yet", markup=False)
        elif first is None:
            pick(self.app, here)
            self.show_picked()
        elif first.is_same(here := self._like(first, here)):
            pick(self.app, None)
            self.show_picked()
        else:
            pick(self.app, None)
            self.show_picked()
            self._compare(first, here)

    def action_diff_mark(self) -> None:
        here = self._here()
        marks = self.told_marks() if here is not None else {}
        if self._last is not None and (self._last.left.document.is_closed or self._last.right.document.is_closed):
            self._last = None
        entries = [Entry(letter, told) for letter, told in marks.items()]
        if self._last is not None:
            names = " and ".join(names_of(self._last.left, self._last.right))
            entries.insert(0, Entry("=", f"again {safe(names)}"))
        if not entries:
            self.notify("there are no marks yet: m and a letter set one", markup=False)
            return
        name = here.name if here is not None else ""
        self.app.push_screen(Menu(f"What differs between {name} and a mark", entries), self._compare_with)

    def _compare_with(self, letter: str | None) -> None:
        here, place, last = self._here(), self.marks.get(letter or ""), self._last
        if letter == "=" and last is not None:
            self._compare(last.left, last.right, last.place)
        elif here is not None and place is not None:
            first = side_of(self.document, place, is_call=here.is_call)
            if first.is_same(here):
                self.notify("that mark is here", markup=False)
            else:
                self._compare(first, here)

    def _here(self) -> Side | None:
        """What is selected; None where nothing is, or what is has no message."""
        number = self.selected.call
        if number is None:
            return None
        is_call = bool(number) and self.query_one(CallList).has_focus
        if not is_call and self.message is None:
            return None
        return side_of(self.document, self.selected, is_call=is_call)

    def _like(self, first: Side, here: Side) -> Side:
        """What is selected as the kind of thing that was picked: of a call the message that has the same place."""
        if first.is_call:
            return side_of(self.document, here.selected, is_call=bool(here.selected.call))
        if not here.is_call:
            return here
        wanted = first.document.message(first.selected.call or 0, first.selected.message)
        number = here.selected.call or 0
        for place in range(min(self.document.message_count(number), first.selected.message + 64)):
            found = self.document.message(number, place)
            if wanted and found and (found.direction, found.index) == (wanted.direction, wanted.index):
                return side_of(self.document, Selection(number, place), is_call=False)
        return side_of(self.document, here.selected, is_call=False)

    def _compare(self, left: Side, right: Side, place: int = 0) -> None:
        screen = self._last = DiffScreen(left, right, show_secrets=self.shows_secrets, place=place)
        self.app.push_screen(screen, self._go)

    def _go(self, goal: Goal | None) -> None:
        if goal is None:
            return
        if goal.side.document is self.document:
            self.show_goal(goal)
        else:
            self.post_message(PlaceAsked(goal))

    def show_goal(self, goal: Goal) -> None:
        """Selects the place, and goes to the pane that shows it."""
        number = goal.side.selected.call
        if goal.message is None:
            self.select(Selection(number))
            self.action_focus_pane("details")
            self.query_one("#detail-tabs", Tabs).active = goal.tab
            return
        place = Selection(number, goal.message)
        message = self.document.message(number or 0, goal.message)
        node = innermost(self.document.tree(message).fields, goal.path) if message is not None else None
        if node is not None:
            place = place._replace(path=path_of(node), offset=node.span.start)
        self.select(place)
        self.action_focus_pane("fields")

    def show_picked(self) -> None:
        """Tells of it in the title, and in the list of calls."""
        side = picked(self.app)
        calls = self.query_one(CallList)
        is_here = side is not None and side.document is self.document
        calls.picked = side.selected.call if is_here and side is not None else None
        calls.refresh()
        self.show_title()
