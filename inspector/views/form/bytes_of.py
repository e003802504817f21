"""Where a field of a form lies in the bytes of its message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inspector.transcode.refusal import Key
from inspector.transcode.tree import FieldNode, FieldTree
from inspector.views.form.values import Path

MOST_SEARCHED = 1_000
"""Fields of a message among which one is looked for."""


def node_at(tree: FieldTree, path: Path) -> FieldNode | None:
    """The innermost field on the way to a place that is in the tree."""
    found: FieldNode | None = None
    nodes: Sequence[FieldNode] = tree.fields
    at = 0
    while at < len(path):
        name, place = path[at], path[at + 1] if at + 1 < len(path) else None
        ordinal = place if isinstance(place, int) else 0
        same = [each for each in _first(nodes) if _is_called(each, str(name))]
        if isinstance(place, Key):
            node = next((each for each in same if _key(each) == place), None)
        else:
            node = _element(same, ordinal)
        if node is None:
            return found
        found = node
        nodes = node.children if node.has_children else ()
        at += 2 if isinstance(place, int | Key) else 1
    return found


def _first(nodes: Sequence[FieldNode]) -> Iterable[FieldNode]:
    return (nodes[at] for at in range(min(len(nodes), MOST_SEARCHED)))


def _is_called(node: FieldNode, name: str) -> bool:
    own = node.name or ""
    return name in (own, f"[{own}]", own.strip("[]")) or own.replace("_", "").casefold() == name.casefold()


def _key(node: FieldNode) -> str | None:
    key = next((each for each in node.children if each.number == 1), None) if node.has_children else None
    return None if key is None else str(key.value)


def _element(nodes: Sequence[FieldNode], ordinal: int) -> FieldNode | None:
    """The element of a repeated field; within the one field that holds all of them, where it is packed."""
    if ordinal < len(nodes):
        return nodes[ordinal]
    if len(nodes) == 1 and nodes[0].has_children and ordinal < len(nodes[0].children):
        return nodes[0].children[ordinal]
    return nodes[0] if nodes else None
