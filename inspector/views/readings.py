"""The ways in which a field can be read that no schema tells, with what each makes of its bytes.

Invariant: the readings of a field are those that its wire type allows: those that the guess thought of, likeliest
first, then the others, last those that its bytes contradict. Texts are safe to show.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import NamedTuple

from inspector.transcode.tree import FieldNode, FieldTree
from inspector.transcode.tree_types import DAMAGE
from inspector.views.explanation_rows import field_row
from inspector.views.safe_text import safe
from inspector.wire.kinds import PACKED, WIRE_TYPES
from inspector.wire.scan import LEN

LONGEST_TRIED = 64 * 1024
"""Bytes of a field up to which each reading is tried: larger ones would make the menu slow to open."""

_MOST_SHOWN = 4
"""Fields and elements that a reading shows."""

_FEWER = ("string", "message", "bytes", "int64", "sint64", "uint64", "bool", "double", "float")
"""Kinds in the order in which those that nothing speaks for are shown; others follow."""


class ReadAs(NamedTuple):
    """`confidence` is that of the guess, None where it did not think of it; `preview` is the value as it would be read,
    `problem` why the bytes of this field are none."""

    kind: str
    confidence: float | None
    preview: str
    problem: str


def guessed_field(node: FieldNode | None) -> FieldNode | None:
    """The field whose reading is a guess, at a node or around an element; None where a schema tells it."""
    while node is not None and node.is_element:
        node = node.parent
    if node is None or node.kind == DAMAGE or not node.is_guess or node.wire_type is None:
        return None
    return node


def readings(node: FieldNode) -> list[ReadAs]:
    """Those of a field that `guessed_field` gave."""
    confidences = {each.kind: each.confidence for each in node.candidates}
    kinds = [kind for kind, wire_type in WIRE_TYPES.items() if wire_type == node.wire_type]
    found = [ReadAs(kind, confidences.get(kind), *_tried(node, kind)) for kind in kinds]
    likely = list(confidences)
    return sorted(
        found,
        key=lambda each: (
            (likely.index(each.kind), False, (False, 0))
            if each.kind in confidences
            else (len(likely), bool(each.problem), _rank(each.kind))
        ),
    )


def as_options(hints: Mapping[str, str]) -> str:
    """Hints as they stand on a command line."""
    return " ".join(f"--hint {shlex.quote(f'{path}={kind}')}" for path, kind in hints.items())


def _rank(kind: str) -> tuple[bool, int]:
    plain = kind.removeprefix(PACKED)
    return kind.startswith(PACKED), _FEWER.index(plain) if plain in _FEWER else len(_FEWER)


def _tried(node: FieldNode, kind: str) -> tuple[str, str]:
    """What a reading makes of the field by itself, and what is wrong with that."""
    if node.span.size > LONGEST_TRIED:
        return "", ""
    data = node.input.data[node.span.start : node.span.end]
    tried = FieldTree(data, hints={str(node.number): kind}).fields[0]
    if tried.problem is not None or tried.kind != kind:
        return "", _told(tried)
    inner = tried.children if tried.has_children else ()
    damage = inner.damage if inner and hasattr(inner, "damage") else None
    if damage is not None:
        return "", _told(damage)
    if not inner:
        return field_row(tried, is_open=False).value, ""
    shown = [_part(each) for each in inner[:_MOST_SHOWN]]
    more = ", …" if len(inner) > _MOST_SHOWN else ""
    brackets = "{}" if node.wire_type != LEN or kind == "message" else "[]"
    return f"{brackets[0]}{', '.join(shown)}{more}{brackets[1]}", ""


def _part(node: FieldNode) -> str:
    value = field_row(node, is_open=False).value
    return value if node.is_element else f"{node.number}: {value}"


def _told(node: FieldNode) -> str:
    return safe(node.problem.message) if node.problem is not None else "its bytes are none"
