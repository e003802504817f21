"""Which bytes of the wire a field of a schema takes: what upb, the protobuf runtime, accepts.

Invariant: what these rules let pass, the runtime parses into the field; what they do not, it keeps as unknown or
refuses. (The survey's tests hold them against it.)
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from inspector.wire.field import I32, I64, LEN, SGROUP, VARINT

_WIRE_TYPES = {
    FieldDescriptor.TYPE_BYTES: LEN,
    FieldDescriptor.TYPE_DOUBLE: I64,
    FieldDescriptor.TYPE_FIXED32: I32,
    FieldDescriptor.TYPE_FIXED64: I64,
    FieldDescriptor.TYPE_FLOAT: I32,
    FieldDescriptor.TYPE_GROUP: SGROUP,
    FieldDescriptor.TYPE_MESSAGE: LEN,
    FieldDescriptor.TYPE_SFIXED32: I32,
    FieldDescriptor.TYPE_SFIXED64: I64,
    FieldDescriptor.TYPE_STRING: LEN,
}
"""Wire types of the field types; what is not here is a varint."""

ELEMENT_SIZE = {I32: 4, I64: 8}
"""Bytes of an element of a packed field; what is not here is a varint."""


def find_field(descriptor: Descriptor, number: int) -> FieldDescriptor | None:
    """The field with this number in a message type, or the extension of it."""
    field = descriptor.fields_by_number.get(number)
    if field is not None or not descriptor.is_extendable:
        return field
    try:
        pool: Any = descriptor.file.pool
        extension: FieldDescriptor = pool.FindExtensionByNumber(descriptor, number)
    except KeyError:
        return None
    return extension


def field_wire_type(field: FieldDescriptor) -> int:
    """The wire type of one value of the field."""
    return _WIRE_TYPES.get(field.type, VARINT)


def fits(field: FieldDescriptor, wire_type: int) -> bool:
    """Whether a field takes the wire type. Repeated numbers are taken packed or not, however they are declared."""
    own = field_wire_type(field)
    return wire_type == own or (wire_type == LEN and bool(field.is_repeated) and own in (VARINT, I32, I64))


def is_closed_enum(field: FieldDescriptor) -> bool:
    """Whether the field is of an enum of which unknown numbers are kept as unknown fields."""
    enum: EnumDescriptor | None = field.enum_type
    return enum is not None and bool(enum.is_closed)


def is_message_set(descriptor: Descriptor) -> bool:
    """Whether the wire has extensions of this type as items: groups of a number and a message."""
    return bool(descriptor.has_options and descriptor.GetOptions().message_set_wire_format)
