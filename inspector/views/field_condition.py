"""The expression that says of a field what a person sees of it: `response.labels.exists(x, x.name == "cat")`.

Values are those of the message as JSON, which is what expressions read, so the two are walked side by side: a field of
the tree that JSON does not have in its place gives no expression.
"""

from __future__ import annotations

import json
import re
from typing import Any

from inspector.transcode.tree import FieldNode

LONGEST_VALUE = 500
"""Characters of a text that is compared."""

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_RESERVED = frozenset(
    (
        "in", "true", "false", "null", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
        "let", "loop", "package", "namespace", "return", "var", "void", "while",
    )
)  # fmt: skip
_ELEMENTS = "xyzabcdefgh"


def condition_of(node: FieldNode, start: str, message: object) -> str | None:
    """What holds of the field in `message` (its JSON value), which goes by the name `start`. None where nothing can be
    said, as of bytes that are no field."""
    chain = [node]
    while chain[0].parent is not None:
        chain.insert(0, chain[0].parent)
    return _condition(chain, start, message, 0)


def _condition(chain: list[FieldNode], subject: str, value: Any, depth: int) -> str | None:
    if not chain:
        return _compared(subject, value)
    node, *rest = chain
    if node.is_element:
        return _any_element(node.ordinal, rest, subject, value, depth)
    key = _key(node, value)
    if key is None:
        return _special(node, rest, subject, value, depth)
    return _within(node, rest, _member(subject, key), value[key], depth)


def _special(node: FieldNode, rest: list[FieldNode], subject: str, value: Any, depth: int) -> str | None:
    """Of what JSON has another form for: the map of a Struct, the list of a ListValue, the text of a Timestamp."""
    if isinstance(value, dict) and node.is_map_entry:
        return _entry(node, rest, subject, value, depth)
    if isinstance(value, list):
        return _any_element(node.ordinal, rest, subject, value, depth)
    return _compared(subject, value)


def _within(node: FieldNode, rest: list[FieldNode], subject: str, value: Any, depth: int) -> str | None:
    if isinstance(value, dict) and node.is_map_entry:
        return _entry(node, rest, subject, value, depth)
    if isinstance(value, list) and not node.kind.startswith("packed"):
        return _any_element(node.ordinal, rest, subject, value, depth)
    if not rest and isinstance(value, dict | list):
        return _presence(subject)
    return _condition(rest, subject, value, depth)


def _any_element(ordinal: int, rest: list[FieldNode], subject: str, value: Any, depth: int) -> str | None:
    if not isinstance(value, list) or ordinal >= len(value) or depth >= len(_ELEMENTS):
        return None
    name = _ELEMENTS[depth]
    if not rest and isinstance(value[ordinal], dict | list):
        return f"size({subject}) > 0"
    if not rest and _literal(value[ordinal]) is not None:
        return f"{_literal(value[ordinal])} in {subject}"
    inner = _condition(rest, name, value[ordinal], depth + 1)
    return None if inner is None else f"{subject}.exists({name}, {inner})"


def _entry(node: FieldNode, rest: list[FieldNode], subject: str, value: dict[str, Any], depth: int) -> str | None:
    """Of an entry of a map: its value, or that its key is there."""
    first = next((child for child in node.children if child.number == 1), None)
    key = "" if first is None else first.value
    text = str(key).lower() if isinstance(key, bool) else str(key)
    if text not in value:
        return None
    inner = rest[1:] if rest and rest[0].number == 2 else []
    if not rest or rest[0].number == 1 or (not inner and isinstance(value[text], dict | list)):
        return f"{json.dumps(text, ensure_ascii=False)} in {subject}"
    return _condition(inner, f"{subject}[{json.dumps(text, ensure_ascii=False)}]", value[text], depth)


def _key(node: FieldNode, value: Any) -> str | None:
    """How JSON names the field."""
    if not isinstance(value, dict):
        return None
    field = node.reading.field
    names = (field.json_name if field is not None else None, node.name, str(node.number))
    return next((name for name in names if name in value), None)


def _member(subject: str, key: str) -> str:
    if _NAME.fullmatch(key) and key not in _RESERVED:
        return f"{subject}.{key}"
    return f"{subject}[{json.dumps(key, ensure_ascii=False)}]"


def _presence(subject: str) -> str:
    if subject.endswith("]"):
        return f"size({subject}) >= 0"
    return f"has({subject})" if "." in subject else f"{subject} != null"


def _compared(subject: str, value: Any) -> str | None:
    literal = _literal(value)
    return None if literal is None else f"{subject} == {literal}"


def _literal(value: Any) -> str | None:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if len(value) <= LONGEST_VALUE else None
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return None
