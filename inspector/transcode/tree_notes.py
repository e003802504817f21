"""What is unusual about a field without being wrong: longer forms than needed, bits that its type drops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector.limits import MAX_DEPTH
from inspector.transcode.fields import is_closed_enum
from inspector.transcode.tree_types import DAMAGE
from inspector.transcode.tree_wire import read_unsigned, varint_size
from inspector.wire.kinds import NUMBERS
from inspector.wire.scan import VARINT

if TYPE_CHECKING:
    from inspector.transcode.tree_nodes import FieldNode

TOO_DEEP = f"messages nested over {MAX_DEPTH} deep"


def notes(node: FieldNode) -> tuple[str, ...]:
    """One line for each."""
    found = (_spare(node), _dropped(node), _too_deep(node), _unknown_value(node), _repeated(node), _unknown(node))
    return tuple(filter(None, (*found, node.reading.note)))


_NONE = 0, 0, 0


def spare_bytes(node: FieldNode) -> tuple[int, int, int]:
    """Bytes that tag, length and varint take above need."""
    number, wire_type, start, tag_end, value_start, value_end, _ = node.parts
    if tag_end - start < 2 and value_start - tag_end < 2 and (wire_type != VARINT or value_end - value_start < 2):
        return _NONE  # nothing takes less than one byte
    tag = tag_end - start - varint_size(number << 3) if node.tag else 0
    if node.kind == DAMAGE:
        return tag, 0, 0
    length = value_start - tag_end - varint_size(value_end - value_start) if node.length else 0
    if wire_type != VARINT:
        return tag, length, 0
    return tag, length, value_end - value_start - varint_size(read_unsigned(node.input.data, node.parts))


def _spare(node: FieldNode) -> str | None:
    counts = spare_bytes(node)
    if not any(counts):
        return None
    spare = zip(("tag", "length", "varint"), counts, strict=True)
    return ", ".join(f"{part} is {count} byte{'s' * (count > 1)} longer than needed" for part, count in spare if count)


def _dropped(node: FieldNode) -> str | None:
    """Bits of a varint that its type drops."""
    kind = NUMBERS.get(node.kind)
    if kind is None or kind.wire_type != VARINT:
        return None
    value = node.value
    if not isinstance(value, int):
        return None
    raw = read_unsigned(node.input.data, node.parts)
    return None if kind.write(value) == raw else f"the varint is {raw}"


def _too_deep(node: FieldNode) -> str | None:
    is_cut = node.reading.kind == "message" and node.depth >= MAX_DEPTH and node.problem is None
    return f"not looked into: {TOO_DEEP}" if is_cut else None


def is_unknown_value(node: FieldNode) -> bool:
    """Whether it is a number that a closed enum does not have."""
    field = node.reading.field
    return field is not None and node.kind == "enum" and is_closed_enum(field) and node.enum_name is None


def _unknown_value(node: FieldNode) -> str | None:
    return "not a value of the closed enum: kept as unknown" if is_unknown_value(node) else None


def _repeated(node: FieldNode) -> str | None:
    """That a field which is not repeated comes again."""
    field = node.reading.field
    if field is None or field.is_repeated or node.kind == DAMAGE:
        return None
    if not node.siblings.comes_again(node.parts, node.ordinal):
        return None
    return "merged with a later one" if field.message_type else "a later one takes its place"


def _unknown(node: FieldNode) -> str | None:
    type_ = node.siblings.type
    if type_ is None or node.name is not None or node.problem is not None or node.tag is None:
        return None
    return f"not in {type_.name}"
