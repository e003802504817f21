"""Message types as the kernel `json_to_wire_cy` takes them: rows of what `message_writers` and `field_writers` know.

What a row cannot say (a damaged descriptor, a type of such a name that is defined otherwise) it leaves to them: the
field is of no kind, the type OPAQUE. Rows say the same as they do, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from inspector.transcode.field_writers import message_set_start
from inspector.transcode.fields import ELEMENT_SIZE, field_wire_type, is_message_set
from inspector.transcode.maps import is_map, map_key, map_value
from inspector.transcode.message_writers import field_order, takes_null
from inspector.transcode.scalar_readers import enum_numbers, is_null
from inspector.transcode.well_known import WRAPPERS, special_name
from inspector.wire.encode import tag
from inspector.wire.scan import EGROUP, LEN, SGROUP

UNSUPPORTED = 0
"""The kind of a field that the kernel leaves alone; other kinds are numbers of FieldDescriptorProto.Type."""

_MOST_ONEOFS = 64
"""Oneofs of a type that are told apart, by a bit each."""

_LARGEST = 1 << 31
"""Enum numbers are below it (a descriptor that was not checked may have others)."""


class Form(IntEnum):
    """How a field stands in a message. PRESENT is one value that is written at zero too, IMPLICIT one that is not."""

    PRESENT = 0
    IMPLICIT = 1
    REPEATED = 2
    PACKED = 3
    MAP = 4


class Shape(IntEnum):
    """What JSON has for a message. SOLE is the value of its only field."""

    OPAQUE = 0
    ORDINARY = 1
    SOLE = 2
    VALUE = 3
    TIMESTAMP = 4
    DURATION = 5
    MASK = 6
    ANY = 7


class EnumRow(NamedTuple):
    """`closed` are the only numbers that it takes, None for an open one."""

    names: dict[bytes, int]
    closed: list[int] | None
    is_null: bool


class FieldRow(NamedTuple):
    """A field: `start` and `stop` stand around its values, `has_length` tells that a length follows `start`. `oneof`
    is a bit, -1 without."""

    order: int
    kind: int
    form: Form
    start: bytes
    stop: bytes = b""
    has_length: bool = False
    width: int = 0
    oneof: int = -1
    takes_null: bool = False
    is_required: bool = False
    message: Descriptor | None = None
    enum: EnumRow | None = None
    key: FieldRow | None = None
    value: FieldRow | None = None


class TypeRow(NamedTuple):
    """A message type. Each name gives an index of fields; those of a special shape are in the order that it has."""

    shape: Shape
    fields: list[FieldRow]
    names: list[tuple[bytes, int]]


OPAQUE = TypeRow(Shape.OPAQUE, [], [])

_SOLE = dict.fromkeys(WRAPPERS, "value") | {"google.protobuf.ListValue": "values", "google.protobuf.Struct": "fields"}

_SPECIAL = {
    "google.protobuf.Any": (Shape.ANY, ("type_url", "value")),
    "google.protobuf.Duration": (Shape.DURATION, ("seconds", "nanos")),
    "google.protobuf.FieldMask": (Shape.MASK, ("paths",)),
    "google.protobuf.Timestamp": (Shape.TIMESTAMP, ("seconds", "nanos")),
    "google.protobuf.Value": (
        Shape.VALUE,
        ("null_value", "number_value", "string_value", "bool_value", "struct_value", "list_value"),
    ),
}


def type_row(descriptor: Descriptor) -> TypeRow:
    """What the kernel has to know of a type."""
    special = special_name(descriptor)
    if special is None:
        return _ordinary(descriptor)
    shape, names = _SPECIAL.get(special) or (Shape.SOLE, (_SOLE[special],))
    fields = [_field_row(descriptor.fields_by_name[name], {}) for name in names]
    plain = shape in (Shape.SOLE, Shape.VALUE) or _is_as_published(fields)
    return TypeRow(shape, fields, []) if plain else OPAQUE


def _is_as_published(fields: list[FieldRow]) -> bool:
    """Whether fields without presence have ascending numbers."""
    forms = {field.form for field in fields}
    orders = [field.order for field in fields]
    return forms <= {Form.IMPLICIT, Form.REPEATED} and orders == sorted(orders)


def _ordinary(descriptor: Descriptor) -> TypeRow:
    oneofs = {oneof.name: bit for bit, oneof in enumerate(each for each in descriptor.oneofs if len(each.fields) > 1)}
    fields = list(descriptor.fields)
    indexes = {field.name: index for index, field in enumerate(fields)}
    indexes |= {field.json_name: index for index, field in reversed(list(enumerate(fields)))}
    for extension in _extensions(descriptor):
        indexes[f"[{extension.full_name}]"] = len(fields)
        fields.append(extension)
    ordered = sorted(indexes.items(), key=lambda item: item[0] != fields[item[1]].json_name)
    names = [(text, index) for name, index in ordered if (text := _plain(name)) is not None]
    return TypeRow(Shape.ORDINARY, [_field_row(field, oneofs) for field in fields], names)


def _extensions(descriptor: Descriptor) -> Iterable[FieldDescriptor]:
    """Those that are there now. The name of one that comes later is unknown to the kernel."""
    if not descriptor.is_extendable:
        return []
    pool: Any = descriptor.file.pool
    found: list[FieldDescriptor] = pool.FindAllExtensions(descriptor)
    return found


def _plain(name: str) -> bytes | None:
    """The name as it stands in a text; None for one that stands there with escapes, or has a meaning in an Any."""
    if '"' in name or "\\" in name or min(name, default=" ") < " " or name == "@type":
        return None
    return name.encode()


def _field_row(field: FieldDescriptor, oneofs: dict[str, int]) -> FieldRow:
    try:
        row = _map_row(field) if is_map(field) else _value_row(field)
    except (AttributeError, LookupError, TypeError, ValueError):  # damaged, as the exact path finds out
        return FieldRow(field_order(field), UNSUPPORTED, Form.PRESENT, b"")
    oneof = oneofs.get(field.containing_oneof.name, -1) if field.containing_oneof is not None else -1
    row = row._replace(oneof=oneof, takes_null=takes_null(field), is_required=bool(field.is_required))
    return row._replace(kind=UNSUPPORTED) if oneof >= _MOST_ONEOFS else row


def _value_row(field: FieldDescriptor) -> FieldRow:
    if field.message_type is not None:
        return _message_row(field)
    enum = _enum_row(field.enum_type) if field.enum_type is not None else None
    form = _form(field)
    start = tag(field.number, LEN if form == Form.PACKED else field_wire_type(field))
    width = ELEMENT_SIZE.get(field_wire_type(field), 0)
    return FieldRow(field_order(field), field.type, form, start, width=width, enum=enum)


def _form(field: FieldDescriptor) -> Form:
    if field.is_repeated:
        return Form.PACKED if field.is_packed else Form.REPEATED
    return Form.PRESENT if field.has_presence else Form.IMPLICIT


def _message_row(field: FieldDescriptor) -> FieldRow:
    start, stop, has_length = tag(field.number, LEN), b"", True
    form = Form.REPEATED if field.is_repeated else Form.PRESENT
    owner: Any = field.containing_type
    if field.is_extension and is_message_set(owner):
        form, (start, stop) = Form.PRESENT, message_set_start(field.number)
    elif field_wire_type(field) == SGROUP:
        start, stop, has_length = tag(field.number, SGROUP), tag(field.number, EGROUP), False
    kind = FieldDescriptor.TYPE_MESSAGE
    return FieldRow(field_order(field), kind, form, start, stop, has_length, message=field.message_type)


def _map_row(field: FieldDescriptor) -> FieldRow:
    """Key and value are there at zero too."""
    key, value = (_value_row(each)._replace(form=Form.PRESENT) for each in (map_key(field), map_value(field)))
    start = tag(field.number, LEN)
    return FieldRow(
        field_order(field), FieldDescriptor.TYPE_MESSAGE, Form.MAP, start, has_length=True, key=key, value=value
    )


def _enum_row(enum: EnumDescriptor) -> EnumRow:
    numbers = enum_numbers(enum)
    if any(not -_LARGEST <= number < _LARGEST for number in numbers.values()):
        raise ValueError(f"{enum.full_name} has numbers that are none of an enum")
    names = {text: number for name, number in numbers.items() if (text := _plain(name)) is not None}
    return EnumRow(names, sorted(set(numbers.values())) if enum.is_closed else None, is_null(enum))
