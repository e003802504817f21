"""Which bytes of the selected message are shown: its frame, what was compressed, the message, those within a field."""

from __future__ import annotations

from inspector.tui.browse.browser import Browser
from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.field_list import FieldList
from inspector.views.byte_sources import BODY, COMPRESSED, NESTED, holder_of, names_of, source_of
from inspector.views.safe_text import safe
from inspector.views.widths import clip

LONGEST_LABEL = 16
"""Cells that the name of an encoding may take, which comes from the input."""


class ByteSources(Browser):
    """Shows the source of the selection; where a message lacks it the message itself, until one has it again."""

    def __init__(self) -> None:
        super().__init__()
        self._shown_bytes: tuple[object, ...] = ()

    def action_step_source(self, step: int) -> None:
        """The next source, or the one before."""
        names, shown = self._sources(), self._shown_source()
        view = self.query_one(ByteView)
        place = view.source.in_message(view.at, self._message_size)
        at = names.index(shown) if shown in names else 0
        self.selected = self.selected._replace(source=names[(at + step) % len(names)])
        self.show_bytes("")
        if place is not None:
            view.show_offset(place)
            view.show_field(self.query_one(FieldList).selected)

    def show_bytes(self, origin: str) -> None:
        """Shows the bytes with the selected field told apart. The field around those that are shown stays while one
        goes through them (`origin` is `bytes` then)."""
        view, node, name = self.query_one(ByteView), self.query_one(FieldList).selected, self._shown_source()
        is_within = name == NESTED and origin == "bytes" and self._shown_bytes[:2] == (self.message_tree, NESTED)
        holder = holder_of(node) if name == NESTED else None
        now = (self.message_tree, name, holder.span if holder is not None else None)
        if not is_within and now != self._shown_bytes:
            self._shown_bytes = now
            view.show_source(source_of(name, self.message, self.message_tree, node), self._message_size)
        view.show_field(node, moves=origin != "bytes")
        view.border_title = f"3 Bytes  {self._bytes_title(name)}"

    @property
    def _message_size(self) -> int:
        return len(self.message_tree.data) if self.message_tree is not None else 0

    def _sources(self) -> list[str]:
        node = self.query_one(FieldList).selected
        return names_of(self.message, node, has_frames=self.document.has_frames)

    def _shown_source(self) -> str:
        names = self._sources()
        return next(each for each in (self.selected.source, BODY, COMPRESSED) if each in names)

    def _bytes_title(self, shown: str) -> str:
        """All that there are, the one that is shown in brackets."""
        labels = {COMPRESSED: self.message.encoding if self.message is not None else COMPRESSED}
        told = [(name, clip(safe(labels.get(name, name)), LONGEST_LABEL)) for name in self._sources()]
        told = [(name, label.replace("[", "\\[")) for name, label in told]
        return " ".join(f"\\[{label}]" if name == shown else label for name, label in told)
