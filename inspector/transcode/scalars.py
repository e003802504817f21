"""Scalar field values as ProtoJSON has them (https://protobuf.dev/programming-guides/json/).

A converter takes what a upb message holds. None in its place says that the value passes as it is, so that the loop
over a message calls nothing for the commonest kinds.
"""

from __future__ import annotations

import sys
from binascii import b2a_base64
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor, FieldDescriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError

from inspector.wire.floats import shortest_float
from inspector.wire.json_value import JsonValue

Convert = Callable[[Any], JsonValue]

_PASSED = frozenset(
    {
        FieldDescriptor.TYPE_BOOL,
        FieldDescriptor.TYPE_INT32,
        FieldDescriptor.TYPE_UINT32,
        FieldDescriptor.TYPE_SINT32,
        FieldDescriptor.TYPE_FIXED32,
        FieldDescriptor.TYPE_SFIXED32,
    }
)


def scalar_converter(field: FieldDescriptor, enum_numbers: bool) -> Convert | None:
    """The converter of one value of a field that is not a message."""
    if field.type in _PASSED:
        return None
    if field.type == FieldDescriptor.TYPE_STRING:
        return None if verifies_utf8(field) else text
    if field.type == FieldDescriptor.TYPE_ENUM:
        return None if enum_numbers else _enum_converter(field.enum_type)
    return _CONVERTERS.get(field.type, str)  # 64-bit integers are strings


def repeated_converter(one: Convert | None) -> Convert:
    """The converter of a whole repeated scalar field."""
    if one is None:
        return list
    if one is double:
        return _doubles
    return lambda values: list(map(one, values))


def text(value: str | bytes) -> str:
    """A string of a type that does not promise UTF-8 (proto2): the runtime gives bytes where it is none."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def base64_text(value: bytes) -> str:
    """Bytes in standard base64."""
    return b2a_base64(value, newline=False).decode("ascii")


def double(value: float) -> float | str:
    """A double; what JSON has no number for is a string."""
    return value if isfinite(value) else _not_finite(value)


def single(value: float) -> float | str:
    """A float, in the fewest digits that tell it."""
    return shortest_float(value) if isfinite(value) else _not_finite(value)


def _doubles(values: Iterable[float]) -> JsonValue:
    return list(map(double, values))


def _not_finite(value: float) -> str:
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


_CONVERTERS: dict[int, Convert] = {
    FieldDescriptor.TYPE_BYTES: base64_text,
    FieldDescriptor.TYPE_DOUBLE: double,
    FieldDescriptor.TYPE_FLOAT: single,
}


def _enum_converter(enum: EnumDescriptor | None) -> Convert | None:
    if enum is None:
        return None
    if enum.full_name == "google.protobuf.NullValue":
        return lambda _: None
    # Of aliases the first one counts. `values_by_number` looks that up, but iterates over the last.
    names = {value.number: enum_name(value) for value in reversed(enum.values)}
    return lambda number: names.get(number, number)


def enum_name(value: EnumValueDescriptor) -> str:
    """The name, or the one that the `pb.enumvalue.json` option puts in its place (known where its module is loaded)."""
    descriptor_pool = sys.modules.get("google.protobuf.descriptor_pool")
    if descriptor_pool is None:  # generated modules load it
        return value.name
    try:
        option: Any = descriptor_pool.Default().FindExtensionByName("pb.enumvalue.json")
    except KeyError:
        return value.name
    options = value.GetOptions()
    return str(options.Extensions[option].string) if options.HasExtension(option) else value.name


def verifies_utf8(field: FieldDescriptor) -> bool:
    """Whether the runtime refuses the field where it is not UTF-8: proto3 does, proto2 not, editions as they are told.

    Descriptors do not show it, so the runtime is asked: it parses the field with one byte that is never UTF-8.
    """
    from google.protobuf import message_factory  # noqa: PLC0415  # with much else, which kernels do without

    holder: Any = field.containing_type
    parse = message_factory.GetMessageClass(holder).FromString
    try:
        parse(_tag(field.number << 3 | 2) + b"\x01\xff")
    except ProtobufDecodeError:
        return True
    return False


def _tag(value: int) -> bytes:
    low = bytearray()
    while value >= 0x80:
        low.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*low, value])
