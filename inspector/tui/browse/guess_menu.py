"""Reading a guessed field as something else: a menu of its readings, and the hints that come of it."""

from __future__ import annotations

from abc import abstractmethod

from inspector.transcode.tree import FieldNode
from inspector.tui.browse.copying import Copying
from inspector.tui.browse.field_list import FieldList
from inspector.tui.menu import Entry, Menu
from inspector.views.readings import ReadAs, as_options, guessed_field, readings
from inspector.views.safe_text import safe
from inspector.wire.kinds import PACKED

GUESS, COPY = "0", "c"

LETTERS = {
    "message": "m", "string": "s", "bytes": "b", "group": "g", "int64": "i", "int32": "I", "uint64": "u", "uint32": "U",
    "sint64": "z", "sint32": "Z", "bool": "t", "enum": "e", "fixed32": "x", "sfixed32": "X", "float": "f",
    "fixed64": "y", "sfixed64": "Y", "double": "d",
}  # fmt: skip
"""By kind; packed numbers have those of their elements."""


class GuessMenu(Copying):
    """What the user chooses holds for all messages of the method and direction, and can be taken back."""

    @abstractmethod
    def read_again(self) -> None:
        """Shows the selected message as it is read now."""

    def action_read_as(self) -> None:
        node = guessed_field(self.query_one(FieldList).selected)
        if node is None or self.message is None:
            self.notify("the schema tells what this field is: only guesses can be read otherwise", markup=False)
            return
        path, hints = node.number_path, self.document.hints_of(self.message)
        entries = [_entry(each, node) for each in readings(node)]
        if path in hints:
            entries.append(Entry(GUESS, "as it was guessed"))
        if hints:
            entries += [Entry("", "For the command line"), Entry(COPY, safe(as_options(hints)), "copies it")]

        def chosen(letter: str | None) -> None:
            if letter == COPY:
                self.copy("Hints", lambda: as_options(hints))
            elif letter is not None:
                kinds = {LETTERS[each.kind.removeprefix(PACKED)]: each.kind for each in readings(node)}
                self._read_as(path, kinds.get(letter))

        self.app.push_screen(Menu(f"Read {safe(node.path)} as", entries), chosen)

    def _read_as(self, path: str, kind: str | None) -> None:
        """Reads the field at a path as a kind; None: as it is guessed."""
        if self.message is None:
            return
        self.document.read_as(self.message, path, kind)
        self.read_again()
        method = safe((self.message.method or "all messages").removeprefix("/"))
        told = as_options({path: kind}) if kind is not None else f"{path} is guessed again"
        self.notify(f"{told}  ({' '.join(filter(None, (method, self.message.direction)))})", markup=False)


def _entry(reading: ReadAs, node: FieldNode) -> Entry:
    sign = "●" if reading.kind == node.kind else " "
    share = "" if reading.confidence is None else f"{reading.confidence:.0%}"
    told = reading.preview if not reading.problem else f"! {reading.problem}"
    return Entry(LETTERS[reading.kind.removeprefix(PACKED)], f"{sign} {reading.kind:15} {share:>4}", told)
