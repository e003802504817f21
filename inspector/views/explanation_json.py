"""A field tree as JSON text, in pieces: nothing of it is held longer than to write it.

Numbers and bytes are as ProtoJSON has them: integers that a double would round are strings, so are NaN and infinities;
bytes are base64.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from inspector.model.span import Span
from inspector.transcode.scalars import base64_text, double, single
from inspector.transcode.tree import FieldNode, FieldTree, Step, Visit
from inspector.transcode.tree_wire import wire_type_name
from inspector.views.rows import Row, error_row
from inspector.views.safe_text import safe_json
from inspector.wire.json_value import JsonValue

_EXACT_INTEGER = 1 << 53


def json_chunks(tree: FieldTree, steps: Iterable[Step]) -> Iterator[bytes]:
    """The JSON text of a tree, from a walk over it."""
    head: Row = {"type": tree.type_name, "size": len(tree.data)}
    if tree.problem is not None:
        head["problem"] = error_row(tree.problem)
    yield _opened(head)
    is_first = True
    for node, visit in steps:
        if visit is Visit.CLOSE:
            yield b"]}"
        else:
            text = _opened(field_row(node)) if visit is Visit.OPEN else _text(field_row(node))
            yield text if is_first else b"," + text
        is_first = visit is Visit.OPEN
    yield b"]}"


def _opened(row: Row) -> bytes:
    """The text of an object to which its fields are added."""
    return _text(row)[:-1] + b',"fields":['


def _text(row: Row) -> bytes:
    return safe_json(orjson.dumps(row))


def field_row(node: FieldNode) -> Row:
    """The record of a node, without its children."""
    wire_type = node.wire_type
    row: Row = {
        "number": node.number,
        "name": node.name,
        "path": node.path,
        "kind": node.kind,
        "type": node.type_name,
        "wire_type": None if wire_type is None else wire_type_name(wire_type),
        "offset": node.span.start,
        "tag": _span(node.tag),
        "length": _span(node.length),
        "value_span": _span(node.value_span),
    }
    if node.end_tag is not None:
        row["end_tag"] = _span(node.end_tag)
    row["value"] = _value(node)
    if node.enum_name is not None:
        row["enum_name"] = node.enum_name
    if node.candidates:
        row["candidates"] = [{"kind": kind, "confidence": confidence} for kind, confidence in node.candidates]
    if node.problem is not None:
        row["problem"] = error_row(node.problem)
    if node.notes:
        row["notes"] = node.notes
    return row


def _span(span: Span | None) -> list[int] | None:
    return None if span is None else list(span)


def _value(node: FieldNode) -> JsonValue:
    value = node.value
    if isinstance(value, bytes):
        return base64_text(value)
    if isinstance(value, float):
        return single(value) if node.kind == "float" else double(value)
    if isinstance(value, int) and not -_EXACT_INTEGER <= value <= _EXACT_INTEGER:
        return str(value)
    return value
