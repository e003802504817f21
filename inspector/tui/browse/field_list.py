"""The fields of a message, as a tree."""

from __future__ import annotations

from collections.abc import Sequence

from inspector.transcode.tree import FieldNode, FieldTree
from inspector.tui.actions import bindings
from inspector.tui.selection import Chosen, FieldPath, Selection
from inspector.tui.virtual_list import Find, VirtualList
from inspector.views.explanation_rows import field_row
from inspector.views.outline import Chain, Outline, chain_at
from inspector.views.search import Pattern, Step, find_field
from inspector.views.spans import Line
from inspector.views.widths import cells_of, clip

OPENED_AT_FIRST = 200
"""Rows up to which fields are shown opened."""

MOST_SEARCHED = 10_000
"""Siblings among which the field of a path is looked for."""


LEAST_VALUE = 12
"""Cells of a value, before what is wrong with it gives way."""


class FieldList(VirtualList):
    """A row for each field that can be seen."""

    BINDINGS = bindings("fields")
    BORDER_TITLE = "2 Fields"

    def __init__(self) -> None:
        super().__init__(id="fields")
        self.message_tree: FieldTree | None = None
        self._outline = Outline(())
        self._path: FieldPath = ()

    def show_tree(self, tree: FieldTree | None) -> None:
        """Shows a message, the cursor on the field that it was on in the one before."""
        self.message_tree = tree
        self._outline = Outline(tree.fields if tree is not None else ())
        self._outline.open_all(OPENED_AT_FIRST)
        self.update_rows()
        self.cursor = self._outline.index_of(self._chain_of(self._path)) if self._path else 0

    def show_again(self, tree: FieldTree | None, *, opens: bool = False) -> None:
        """Shows the same message read in another way: what was open is, and the cursor stays on its field. `opens`
        what can be opened as in a message that is shown for the first time."""
        node = self.selected
        self._path = path_of(node) if node is not None else self._path
        opened, row = self._outline.opened(), self.cursor - round(self.scroll_y)
        self.message_tree = tree
        self._outline = Outline(tree.fields if tree is not None else ())
        self._outline.open_again(opened)
        if opens:
            self._outline.open_all(max(self.count(), OPENED_AT_FIRST))
        self.update_rows()
        chain = self._chain_of(self._path)
        if chain:
            self._outline.open(chain[:-1])
            if chain not in opened:
                self._outline.open_all(self.count() + OPENED_AT_FIRST, chain)
            self.update_rows()
            self.cursor = self._outline.index_of(chain)
            self.scroll_to(y=max(0, self.cursor - row), animate=False, immediate=True)

    def show(self, selection: Selection) -> None:
        """Puts the cursor on the field that has the byte that is selected."""
        if self.message_tree is None or selection.offset is None:
            return
        chain = chain_at(self.message_tree.fields, selection.offset)
        if chain:
            self._reveal(chain)

    def count(self) -> int:
        return len(self._outline)

    def line(self, index: int, width: int) -> Line:
        node, chain, is_open = self._outline.row(index)
        sign = ("▾ " if is_open else "▸ ") if node.has_children else "  "
        indent = min(2 * (len(chain) - 1), width // 3)
        row = field_row(node, is_open=is_open)
        start: Line = [("dim", " " * indent + sign), ("guess" if node.is_guess else "dim", _number(node))]
        room = width - indent - 2 - cells_of(start[1][1])
        name = clip(row.name, max(6, room - 4))
        start.append(("key", name))
        room -= cells_of(name)
        end: Line = []
        if row.problem:
            end.append(("bad", f"  ! {row.problem}"))
        elif row.note:
            end.append(("dim", f"  {row.note}"))
        room -= min(sum(cells_of(text) for _, text in end), max(0, room - LEAST_VALUE))
        type_ = f" {row.type}"
        if room - cells_of(type_) > 8:
            start.append(("bad" if node.problem else "guess" if node.is_guess else "dim", type_))
            room -= cells_of(type_)
        return [*start, ("", " "), (row.style, clip(row.value, max(0, room - 1))), *end]

    @property
    def selected(self) -> FieldNode | None:
        """The field under the cursor."""
        return self._outline.row(self.cursor).node if 0 <= self.cursor < self.count() else None

    def cursor_moved(self) -> None:
        node = self.selected
        if node is not None:
            self._path = path_of(node)
            self.post_message(Chosen(Selection(path=self._path, offset=node.span.start), "fields"))

    def row_chosen(self) -> None:
        self.action_toggle_open()

    # --- searching -----------------------------------------------------------------------------------------------

    def finder(self, pattern: Pattern, *, forward: bool) -> Find:
        """Fields that are closed are searched too; bytes are looked for in those of the message."""
        tree = self.message_tree
        chain = self._outline.row(self.cursor).chain
        if tree is None:
            return lambda _: None
        if pattern.octets is not None:
            node = self._outline.row(self.cursor).node
            start = node.span.end if forward else node.span.start

            def find(step: Step) -> Chain | None:
                span = pattern.find_in_bytes(tree.data, start, step, forward=forward)
                return chain_at(tree.fields, span.start) if span is not None else None

            return find
        return lambda step: find_field(pattern, tree.again().fields, chain, step, forward=forward)

    def go_to_match(self, place: object) -> None:
        if isinstance(place, tuple) and place:
            self._reveal(place)
            self.cursor_moved()

    # --- opening and closing -------------------------------------------------------------------------------------

    def action_open(self) -> None:
        if not self.count():
            return
        row = self._outline.row(self.cursor)
        if row.is_open:
            self.move_to(self.cursor + 1)
        else:
            self._outline.open(row.chain)
            self.update_rows()

    def action_close(self) -> None:
        if not self.count():
            return
        row = self._outline.row(self.cursor)
        if row.is_open:
            self._outline.close(row.chain)
            self.update_rows()
        elif len(row.chain) > 1:
            self.move_to(self._outline.index_of(row.chain[:-1]))

    def action_toggle_open(self) -> None:
        if self.count():
            row = self._outline.row(self.cursor)
            (self._outline.close if row.is_open else self._outline.open)(row.chain)
            self.update_rows()

    def action_open_all(self) -> None:
        if self.count():
            self._outline.open_all(self.count() + OPENED_AT_FIRST, self._outline.row(self.cursor).chain)
            self.update_rows()

    def _reveal(self, chain: Chain) -> None:
        self._outline.open(chain[:-1])
        self.update_rows()
        self.cursor = self._outline.index_of(chain)
        node = self.selected
        self._path = path_of(node) if node else ()

    def _chain_of(self, path: FieldPath) -> Chain:
        """Where the field of a path is, or as much of it as there is."""
        chain: list[int] = []
        nodes: Sequence[FieldNode] = self.message_tree.fields if self.message_tree is not None else ()
        for number, ordinal in path:
            found = _find(nodes, number, ordinal)
            if found is None:
                break
            chain.append(found)
            nodes = nodes[found].children
        return tuple(chain)


def path_of(node: FieldNode) -> FieldPath:
    """Number and place among the same of a field and of those around it."""
    path = []
    around: FieldNode | None = node
    while around is not None:
        path.append((around.number or 0, around.ordinal))
        around = around.parent
    return tuple(reversed(path))


def _find(nodes: Sequence[FieldNode], number: int, ordinal: int) -> int | None:
    for place in range(min(len(nodes), MOST_SEARCHED)):
        node = nodes[place]
        if node.number == number and node.ordinal == ordinal:
            return place
    return None


def _number(node: FieldNode) -> str:
    sign = "?" if node.is_guess else ""
    return "" if node.number is None or node.is_element else f"{node.number}{sign} "
