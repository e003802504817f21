"""Where the field is that a path of JSON names tells (`labels[2].topScore`, `tags.region`), as differences have them.

JSON has no places for what well-known types stand for, and keys in the place of map entries. So what is found is the
innermost field around what the path names; every path leads somewhere, if the message has its first name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from inspector.transcode.compare import member
from inspector.transcode.tree import FieldNode
from inspector.views.places import MOST_SEARCHED


def innermost(fields: Sequence[FieldNode], path: str) -> FieldNode | None:
    """The field of that path, or the innermost one around it that is there; None where none is."""
    found: FieldNode | None = None
    while path:
        step = _next(fields, path)
        if step is None:
            break
        found, path = step
        fields = _inside(found)
    return found


def _next(nodes: Sequence[FieldNode], path: str) -> tuple[FieldNode, str] | None:
    """The node that the path begins with, and the rest of the path. Of several the last, whose value holds."""
    found = None
    for node in islice(nodes, MOST_SEARCHED):
        for head in _heads(node):
            rest = _rest(path, head)
            if rest is not None:
                found = node, rest
    return found


def _heads(node: FieldNode) -> Iterator[str]:
    """What a path may begin with that leads to the node."""
    if node.is_element:
        yield f"[{node.ordinal}]"
        return
    if _is_entry(node):
        yield from _entry_heads(node)
        return
    index = node.index
    for name in (*_names(node), str(node.number or "")):
        yield name if index is None else f"{name}[{index}]"


def _names(node: FieldNode) -> list[str]:
    """As the schema has it, and as JSON has."""
    field = node.reading.field
    names = (node.name, field.json_name if field is not None else None)
    return [name for name in names if name]


def _entry_heads(node: FieldNode) -> Iterator[str]:
    key = next((child for child in node.children if child.number == 1), None)
    text = "" if key is None else str(key.value).lower() if isinstance(key.value, bool) else str(key.value)
    if node.parent is not None and node.parent.type_name == "google.protobuf.Struct":
        yield member("", text)
    for name in _names(node):
        yield member(name, text)
        yield f"{name}[{node.ordinal}]"


def _is_entry(node: FieldNode) -> bool:
    known = node.reading.type
    return known is not None and known.is_map_entry


def _inside(node: FieldNode) -> Sequence[FieldNode]:
    """What the rest of a path is looked for in: of an entry, in its value."""
    if not node.has_children:
        return ()
    if not _is_entry(node):
        return node.children
    value = next((child for child in node.children if child.number == 2), None)
    return value.children if value is not None and value.has_children else ()


def _rest(path: str, head: str) -> str | None:
    """What is left of a path behind its beginning; None where it begins otherwise."""
    if not path.startswith(head):
        return None
    rest = path[len(head) :]
    return rest.removeprefix(".") if not rest or rest[0] in ".[" else None
