"""Places that the user comes back to: marks, and going to one that is typed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from inspector.errors import InputError
from inspector.transcode.tree import FieldNode
from inspector.tui.browse.browser import Browser
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.field_list import path_of
from inspector.tui.menu import Entry, Menu
from inspector.tui.prompts import AskLetter, AskText
from inspector.tui.selection import Selection
from inspector.views import places
from inspector.views.safe_text import safe

LEFT_OUT = "the filter leaves call {} out: / and an empty line show all calls"

GO_TO = "a call (12), an offset (0x2a), or a field (inputs[0].id)"


class MarkCommands(Provider):
    """Marks in the palette."""

    def _commands(self) -> list[tuple[str, Callable[[], None]]]:
        screen = self.screen
        if not isinstance(screen, Marking):
            return []
        marks = screen.told_marks().items()
        return [(f"Go to mark {letter}: {told}", partial(screen.go_to_mark, letter)) for letter, told in marks]

    async def discover(self) -> Hits:
        for title, run in self._commands():
            yield DiscoveryHit(Content(title), run, title)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, run in self._commands():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, title)


class Marking(Browser):
    """Marks by letter. The list of calls shows them."""

    COMMANDS = {MarkCommands}  # noqa: RUF012  # Textual declares it so

    def __init__(self) -> None:
        super().__init__()
        self.marks: dict[str, Selection] = {}

    def action_mark(self) -> None:
        def mark(letter: str | None) -> None:
            if letter is not None and self.selected.call is not None:
                self.use_marks({**self.marks, letter: self.selected})

        self.app.push_screen(AskLetter("Mark this place with a letter"), mark)

    def use_marks(self, marks: dict[str, Selection]) -> None:
        self.marks = marks
        calls = self.query_one(CallList)
        calls.marks = {place.call: letter for letter, place in sorted(marks.items()) if place.call is not None}
        calls.refresh()

    def action_go_to_mark(self) -> None:
        if not self.marks:
            self.notify("there are no marks yet: m and a letter set one", markup=False)
            return
        entries = [Entry(letter, told) for letter, told in self.told_marks().items()]
        self.app.push_screen(Menu("Marks", entries), self.go_to_mark)

    def told_marks(self) -> dict[str, str]:
        """What each mark is of."""
        return {letter: self._told(place) for letter, place in sorted(self.marks.items())}

    def go_to_mark(self, letter: str | None) -> None:
        """Selects what was marked."""
        place = self.marks.get(letter or "")
        if place is not None and self.is_left_out(place.call or 0):
            self.notify(LEFT_OUT.format(place.call), markup=False)
        elif place is not None:
            self.select(place)

    def is_left_out(self, number: int) -> bool:
        """Whether a filter leaves out a call of that number, which is one that is known."""
        order = self.document.order
        return bool(number) and order.is_filtered and order.place_of_call(number) is None

    def _told(self, place: Selection) -> str:
        call = self.document.call(place.call or 0)
        method = safe((call.method or "?").removeprefix("/")) if call is not None else ""
        path = ".".join(str(number) for number, _ in place.path)
        parts = [f"call {place.call}" if place.call else "", method, f"field {path}" if path else ""]
        return "  ".join(filter(None, parts))

    def action_go_to(self) -> None:
        def go(text: str | None) -> None:
            if text is not None:
                self.select(self._found(text))

        self.app.push_screen(AskText(GO_TO, self._found), go)

    def _found(self, text: str) -> Selection:
        """The selection of a place that was typed. Raises InputError where there is none."""
        place = places.parse(text)
        if place.call is not None:
            return self._call(place.call)
        tree = self.message_tree
        if tree is None:
            raise InputError("there is no message to look in", hint="choose a call that has one")
        if place.offset is not None:
            if place.offset >= len(tree.data):
                raise InputError(f"the message ends at 0x{len(tree.data):x}")
            return self.selected._replace(offset=place.offset)
        return self._field(places.find_field(tree.fields, place.path))

    def _call(self, number: int) -> Selection:
        if not self.document.has_calls or self.document.call(number) is None:
            count = len(self.document.index)
            raise InputError(f"there is no call {number}", hint=f"{count:,} are known" if count else None)
        if self.is_left_out(number):
            raise InputError(LEFT_OUT.format(number))
        return Selection(number, source=self.selected.source)

    def _field(self, node: FieldNode) -> Selection:
        return self.selected._replace(path=path_of(node), offset=node.span.start)
