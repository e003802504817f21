"""What the JSON of a message does not tell, out of its field tree: what its type does not have, and what is no text.

Invariant: two messages with the same JSON, and the same of this, differ in nothing but the bits of a NaN, the sign of a
zero and what has the same meaning written otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from inspector.transcode.scalars import base64_text
from inspector.transcode.tree import FieldNode, FieldTree
from inspector.transcode.tree_notes import is_unknown_value
from inspector.wire.guess import guess
from inspector.wire.json_value import BYTES, JsonValue


def untold(tree: FieldTree, *, keep_unknown: bool = False) -> Iterator[FieldNode]:
    """The unknown fields (not those in each other), numbers that a closed enum lacks, strings that are not UTF-8.

    With `keep_unknown` the JSON has them but for the strings."""
    for node in tree.walk():
        if _is_unreadable(node) or (not keep_unknown and (_is_unknown(node) or is_unknown_value(node))):
            yield node


def unknown_fields(tree: FieldTree) -> dict[str, JsonValue]:
    """Paths of what is untold (`inputs[2].999`) with the values, which are guessed of unknown fields; a list where one
    repeats.

    Fields within an unknown one are in its value.
    """
    found: dict[str, list[JsonValue]] = {}
    for node in untold(tree):
        if _is_unknown(node):
            value = guess(tree.data[node.span.start : node.span.end]).value
            path = _path(node.parent.path if node.parent else "", node.number or 0)
            found.setdefault(path, []).extend(value.values())
        else:
            found.setdefault(node.path, []).append(_value(node))
    return {path: values[0] if len(values) == 1 else values for path, values in found.items()}


def _is_unreadable(node: FieldNode) -> bool:
    """Whether it is a string that is not UTF-8, where that is allowed (proto2)."""
    return node.problem is not None and node.problem.code == "utf8_unverified"


def _is_unknown(node: FieldNode) -> bool:
    """(The value of an Any whose type is not known is a guess, but has a name, and is told.)"""
    return bool(node.is_guess and node.name is None and node.number and not (node.parent and node.parent.is_guess))


def _value(node: FieldNode) -> JsonValue:
    return {BYTES: base64_text(node.value)} if isinstance(node.value, bytes) else node.value


def _path(parent: str, number: int) -> str:
    return f"{parent}.{number}" if parent else str(number)
