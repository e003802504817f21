"""A field tree as rows: what each run of bytes is, in words.

Invariant: the rows cover every byte of the message once, in order. All texts are safe to show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message_factory import GetMessageClass

from inspector.limits import MAX_SHOWN_VALUE
from inspector.model.span import Span
from inspector.transcode.tree import FieldNode, Step, Visit
from inspector.transcode.tree_types import DAMAGE
from inspector.transcode.tree_wire import wire_type_name
from inspector.transcode.well_known import TEXTS, special_name
from inspector.views.safe_text import safe
from inspector.wire.evidence import Candidate
from inspector.wire.floats import shortest_float
from inspector.wire.kinds import PACKED
from inspector.wire.scan import EGROUP

HEAD = 16
"""Bytes of a row that are at hand to show."""

_LEAST_RUNNER_UP = 0.1
"""Confidence from which on another reading is worth a word."""

_MOST_RUNNERS_UP = 2


class Row(NamedTuple):
    """The bytes of `span` (the first of them are `head`): a field, the tag and length of one that has others in it,
    an end tag, or damage.

    `depth` counts the fields around it. `value` is shown in the style `style`; where it is cut, it is the beginning
    of `size` bytes. `problem` says what is wrong, `note` what is unusual.
    """

    span: Span
    head: bytes
    depth: int
    path: str
    tag: str
    type: str
    name: str
    value: str
    style: str
    is_cut: bool
    size: int
    problem: str
    note: str


def rows(steps: Iterable[Step], data: bytes) -> Iterator[Row]:
    """The rows of a walk over a tree."""
    for node, visit in steps:
        if visit is not Visit.CLOSE:
            yield field_row(node, is_open=visit is Visit.OPEN)
        elif node.end_tag is not None:
            yield _end_row(node, node.end_tag, data)


def field_row(node: FieldNode, *, is_open: bool) -> Row:
    """The row of a field; `is_open` where those within it have rows of their own."""
    data = node.input.data
    number, wire_type, start, tag_end, value_start, value_end, end = node.parts
    stop = value_start if is_open else end
    value, style, is_cut = _value(node, is_open=is_open)
    problem = node.problem
    return Row(
        Span(start, stop),
        data[start : min(stop, start + HEAD)],
        node.depth,
        safe(node.path),
        _tag(number or None, wire_type) if tag_end > start else "",
        safe(_type(node)),
        safe(_name(node)),
        value,
        style,
        is_cut,
        value_end - value_start,
        safe(problem.message) if problem else "",
        safe("; ".join([*node.notes, *_runners_up(node.candidates, node.kind)])),
    )


def _end_row(node: FieldNode, span: Span, data: bytes) -> Row:
    tag = _tag(node.number, EGROUP)
    return Row(span, data[slice(*span)], node.depth, safe(node.path), tag, "", f"end of {safe(_name(node))}",
               "", "", False, 0, "", "")  # fmt: skip


def _name(node: FieldNode) -> str:
    """The field as the schema names it. One that it does not have by its path in numbers, which is what hints take."""
    if node.name is not None or node.is_element:
        return node.label
    index = "" if node.index is None else f"[{node.index}]"
    return "" if node.kind == DAMAGE else f"{node.number_path}{index}"


@lru_cache(maxsize=1024)
def _tag(number: int | None, wire_type: int | None) -> str:
    return "" if number is None or wire_type is None else f"{number}:{wire_type_name(wire_type)}"


def _type(node: FieldNode) -> str:
    if node.is_map_entry:
        return "map entry"
    if node.type_name and node.kind in ("message", "group", "enum"):
        return node.type_name.rpartition(".")[2]
    return node.kind


@lru_cache(maxsize=1024)
def _runners_up(candidates: tuple[Candidate, ...], kind: str) -> tuple[str, ...]:
    """The other readings that come into question; where a hint or the bytes overruled the guess, the guess too."""
    others = [each for each in candidates if each.kind != kind and each.confidence >= _LEAST_RUNNER_UP]
    return tuple(f"or {each.kind} {each.confidence:.0%}" for each in others[:_MOST_RUNNERS_UP])


# --- values ------------------------------------------------------------------------------------------------------


def _value(node: FieldNode, *, is_open: bool) -> tuple[str, str, bool]:
    """The value in words, its style, and whether it is cut."""
    value = node.head(MAX_SHOWN_VALUE + 1)
    is_cut = isinstance(value, str | bytes) and len(value) > MAX_SHOWN_VALUE
    if isinstance(value, str):
        return f'"{safe(_escaped(value[:MAX_SHOWN_VALUE]))}"', "string", is_cut
    if isinstance(value, bytes):
        return _bytes(value[:MAX_SHOWN_VALUE]), "string", is_cut
    if value is None:
        return _content(node, is_open=is_open), "dim", False
    return _number(node, value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _bytes(content: bytes) -> str:
    """Bytes that are mostly text as that, others as hexadecimal digits."""
    if not content:
        return ""
    is_text = 4 * sum(0x20 <= byte < 0x7F for byte in content) >= 3 * len(content)
    return repr(content) if is_text else content.hex()


def _number(node: FieldNode, value: bool | int | float) -> tuple[str, str, bool]:
    if isinstance(value, bool):
        return str(value).lower(), "word", False
    if node.enum_name is not None:
        return f"{safe(node.enum_name)} ({value})", "word", False
    if node.kind == "float" and value - value == 0:
        value = shortest_float(value)
    return repr(value), "number", False


def _content(node: FieldNode, *, is_open: bool) -> str:
    """What a message is; its size, where it has no text of its own."""
    return safe(well_known_text(node)) or _count(node, is_open=is_open)


def _count(node: FieldNode, *, is_open: bool) -> str:
    size = _counted(node.value_span.size, "byte")
    if not is_open:
        return size
    return f"{_counted(len(node.children), 'value' if node.kind.startswith(PACKED) else 'field')}, {size}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def well_known_text(node: FieldNode) -> str:
    """The text that ProtoJSON has for a Timestamp, Duration or FieldMask, else an empty one."""
    type_ = node.reading.type
    special = type_ and special_name(type_.descriptor)
    if type_ is None or special not in TEXTS or node.value_span.size > MAX_SHOWN_VALUE:
        return ""
    message_class = GetMessageClass(type_.descriptor)
    try:
        return TEXTS[special](message_class.FromString(node.content)) or ""
    except (ProtobufDecodeError, UnicodeDecodeError):
        return ""
