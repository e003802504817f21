"""What a protobuf message may mean where no schema is at hand, as a JSON value.

The kinds of its fields are those that `inspector.wire.shape` finds.

Invariant: `guess` returns for any bytes whatever, in time linear in them, nested at most limits.MAX_DEPTH deep.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

from inspector.errors import DecodeError
from inspector.wire.content import Source
from inspector.wire.evidence import Candidate as Candidate
from inspector.wire.floats import shortest_float
from inspector.wire.hints import parse_hint as parse_hint
from inspector.wire.json_value import BYTES, JsonValue
from inspector.wire.kinds import NUMBERS, PACKED
from inspector.wire.packed import elements
from inspector.wire.scan import LEN, SGROUP, Field
from inspector.wire.shape import FieldShape as FieldShape
from inspector.wire.shape import Shape as Shape

EXACT_INTEGER = 1 << 53
"""From here on a JSON reader that keeps numbers as doubles loses digits (RFC 8259, section 6)."""


class Guess(NamedTuple):
    """`value` has field numbers as keys. `error` tells what cut the message short; the fields before it are kept."""

    value: dict[str, JsonValue]
    error: DecodeError | None


def guess(data: bytes, hints: Mapping[str, str] = {}, shape: Shape | None = None) -> Guess:
    """Decodes a message without a schema.

    Field numbers become keys in order of appearance, repeated fields lists, text strings, messages objects, bytes
    `{"$bytes": "<base64>"}`, packed numbers lists, integers that JSON readers would round strings. `shape` is that of
    many messages, this one among them, where they are to be judged together (it has its own hints). Raises InputError
    for hints that are none.
    """
    source = Source(data)
    if shape is None:
        shape = Shape.of_source(source, hints)
        shape.by_tag()
    fields, error = source.scan(0, len(data))
    return Guess(_message(shape, source, fields), error)


def _message(shape: Shape, source: Source, fields: list[Field]) -> dict[str, JsonValue]:
    known = shape.by_tag()
    alone: Shape | None = None
    values: dict[int, list[JsonValue]] = {}
    for field in fields:
        number = field.number
        kind = known.get(field[:2])
        if kind is None:  # the shape is of other messages, none of which has this field
            alone = alone or shape.beside(source, fields)
            kind = alone.field(number, field.wire_type)
        value = _value(kind, source, field)
        if number in values:
            values[number].append(value)
        else:
            values[number] = [value]
    return {str(number): same[0] if len(same) == 1 else same for number, same in values.items()}


def _value(shape: FieldShape, source: Source, field: Field) -> JsonValue:
    if field.wire_type == LEN:
        return _content(shape, source, field)
    if field.wire_type != SGROUP:
        return number_value(shape.kind, field.value)
    inner = shape.message
    if inner is None:
        return _bytes(source.data[field.value_start : field.value_end])
    return _nested(inner, source, field) or {}


def _nested(shape: Shape, source: Source, field: Field) -> dict[str, JsonValue] | None:
    shape.by_tag()  # scans first, where it has not yet: what is scanned then is taken up here
    fields, error = source.scan(field.value_start, field.value_end)
    return None if error else _message(shape, source, fields)


def number_value(kind: str, value: int) -> JsonValue:
    """A number of the wire as JSON has it, read as `kind`."""
    if kind == "int64" and value < EXACT_INTEGER:
        return value
    if kind == "bool" and value > 1:
        return number_value("uint64", value)
    number = NUMBERS[kind].read(value)
    if isinstance(number, float):
        if not isfinite(number):
            return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
        return shortest_float(number) if kind == "float" else number
    return number if abs(number) < EXACT_INTEGER else str(number)


def _content(shape: FieldShape, source: Source, field: Field) -> JsonValue:
    kind = shape.kind
    inner = shape.message if kind == "message" else None
    value = None if inner is None else _nested(inner, source, field)
    if value is not None:
        return value
    raw = source.data[field.value_start : field.end]
    if kind == "string":
        return _text(raw)
    if kind.startswith(PACKED):
        element = kind.removeprefix(PACKED)
        values = elements(raw, NUMBERS[element].wire_type)
        return _bytes(raw) if values is None else [number_value(element, value) for value in values]
    return _bytes(raw)


def _text(raw: bytes) -> JsonValue:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _bytes(raw)


def _bytes(raw: bytes) -> JsonValue:
    return {BYTES: b64encode(raw).decode("ascii")}
