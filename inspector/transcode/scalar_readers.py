"""Scalar values of ProtoJSON as they are on the wire (https://protobuf.dev/programming-guides/json/).

A reader takes a JSON value and gives the bytes that follow the tag; it raises Refusal for a value that the type does
not take. No value is without bytes: `SKIPPED` stands for one that is to be left out.
"""

from __future__ import annotations

import re
import struct
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from inspector.schema.names import did_you_mean, near
from inspector.transcode.refusal import Refusal, refuse, shown
from inspector.transcode.scalars import enum_name
from inspector.wire.encode import varint, zigzag
from inspector.wire.json_value import JsonValue

Read = Callable[[JsonValue], bytes]

SKIPPED = b""
"""Read from the name of an enum value that the schema lacks, where what is unknown is ignored."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""Numbers as JSON writes them (RFC 8259, section 6), which is how they are written in strings too."""

_MOST_DIGITS = 310
"""No type holds an integer of more: the largest double has 309."""

_EXACT = 1 << 53
"""Doubles below it tell integers apart."""

_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class TooLarge(float):
    """Stands for a number beyond the doubles, so that it is not taken for the infinity that it rounds to."""

    def __str__(self) -> str:
        return "beyond the range of double"


class ExactInteger(float):
    """A float that was written as an integer which it may have rounded."""

    exact: int


class _Integers(NamedTuple):
    name: str
    low: int
    high: int
    write: Callable[[int], bytes]


def _fixed(layout: str) -> Callable[[Any], bytes]:
    return struct.Struct(layout).pack


def _zigzag_varint(value: int) -> bytes:
    return varint(zigzag(value))


_S32 = (-(1 << 31), (1 << 31) - 1)
_S64 = (-(1 << 63), (1 << 63) - 1)
_U32 = (0, (1 << 32) - 1)
_U64 = (0, (1 << 64) - 1)

_INTEGERS: dict[int, _Integers] = {
    FieldDescriptor.TYPE_INT32: _Integers("int32", *_S32, varint),
    FieldDescriptor.TYPE_INT64: _Integers("int64", *_S64, varint),
    FieldDescriptor.TYPE_UINT32: _Integers("uint32", *_U32, varint),
    FieldDescriptor.TYPE_UINT64: _Integers("uint64", *_U64, varint),
    FieldDescriptor.TYPE_SINT32: _Integers("sint32", *_S32, _zigzag_varint),
    FieldDescriptor.TYPE_SINT64: _Integers("sint64", *_S64, _zigzag_varint),
    FieldDescriptor.TYPE_FIXED32: _Integers("fixed32", *_U32, _fixed("<I")),
    FieldDescriptor.TYPE_FIXED64: _Integers("fixed64", *_U64, _fixed("<Q")),
    FieldDescriptor.TYPE_SFIXED32: _Integers("sfixed32", *_S32, _fixed("<i")),
    FieldDescriptor.TYPE_SFIXED64: _Integers("sfixed64", *_S64, _fixed("<q")),
}


def scalar_reader(field: FieldDescriptor, ignore_unknown: bool) -> Read:
    """The reader of one value of a field that is not a message."""
    integers = _INTEGERS.get(field.type)
    if integers is not None:
        return _integer_reader(integers)
    if field.enum_type is not None:
        return _enum_reader(field.enum_type, ignore_unknown)
    return _READERS[field.type]


def key_reader(field: FieldDescriptor) -> Read:
    """The reader of the key of a map, which JSON always has as a string."""
    return _bool_key if field.type == FieldDescriptor.TYPE_BOOL else scalar_reader(field, False)


# --- numbers -----------------------------------------------------------------------------------------------------


def real(text: str) -> float:
    """The value of a number with a fraction or an exponent, exact where an integer type could hold it."""
    value = float(text)
    if -_EXACT < value < _EXACT:
        return value
    if not isfinite(value):
        return TooLarge(value)
    return value if abs(value) > 2.0**64 or len(text) > _MOST_DIGITS else _exact(text, value)


def _exact(text: str, value: float) -> float:
    mantissa, _, exponent = text.lower().partition("e")
    integral, _, fraction = mantissa.partition(".")
    shift = int(exponent or 0) - len(fraction)
    made = ExactInteger(value)
    made.exact, rest = divmod(int(integral + fraction) * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    return value if rest else made


def whole(text: str) -> float | int:
    """The value of a number without: minus zero stays what it is."""
    if len(text) > _MOST_DIGITS:
        return TooLarge("-inf" if text[0] == "-" else "inf")
    return -0.0 if text == "-0" else int(text)


def parse_number(text: str) -> float | int | None:
    """The number that a string holds, None where it holds none."""
    if _INTEGER.fullmatch(text):
        return whole(text)
    return real(text) if _NUMBER.fullmatch(text) else None


def _integer_reader(integers: _Integers) -> Read:
    name, low, high, write = integers

    def read(value: JsonValue) -> bytes:
        number = value if type(value) is int else _to_integer(value, name)
        if not low <= number <= high:
            raise Refusal(f"{shown(number)} is out of the range of {name}", hint=f"{low} to {high}")
        return write(number)

    return read


def _to_integer(value: JsonValue, name: str) -> int:
    number = parse_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        refuse(f"an integer ({name})", value)
    if isinstance(number, float) and not number.is_integer():
        if isinstance(number, TooLarge):
            raise Refusal(f"the number is out of the range of {name}")
        refuse(f"an integer ({name})", value)
    return number.exact if isinstance(number, ExactInteger) else int(number)


def _to_real(value: JsonValue, name: str) -> float:
    number = _NOT_FINITE.get(value, parse_number(value)) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        refuse(f"a number ({name})", value)
    if isinstance(number, TooLarge):
        raise Refusal(f"the number is out of the range of {name}", hint='write "Infinity" for infinity')
    try:
        return float(number)
    except OverflowError:
        raise Refusal(f"{shown(number)} is out of the range of {name}") from None


_pack_double = struct.Struct("<d").pack
_pack_float = struct.Struct("<f").pack


def _read_double(value: JsonValue) -> bytes:
    return _pack_double(value if type(value) is float else _to_real(value, "double"))


def _read_float(value: JsonValue) -> bytes:
    number = value if type(value) is float else _to_real(value, "float")
    try:
        return _pack_float(number)
    except OverflowError:
        raise Refusal(f"{shown(number)} is out of the range of float", hint="at most 3.4028235e+38") from None


# --- bool, string, bytes -----------------------------------------------------------------------------------------


def _read_bool(value: JsonValue) -> bytes:
    if value is True:
        return b"\1"
    if value is False:
        return b"\0"
    refuse("true or false", value, "without quotes" if value in ("true", "false") else None)


def _bool_key(key: JsonValue) -> bytes:
    if key not in ("true", "false"):
        refuse("true or false as a key", key)
    return b"\1" if key == "true" else b"\0"


def _read_string(value: JsonValue) -> bytes:
    if not isinstance(value, str):
        refuse("a string", value, None if isinstance(value, dict | list) else "in double quotes")
    try:
        content = value.encode()
    except UnicodeEncodeError as error:
        character = f"U+{ord(value[error.start]):04X}"
        raise Refusal(f"half of a surrogate pair ({character}) at character {error.start + 1} of the string") from None
    return varint(len(content)) + content


def _read_bytes(value: JsonValue) -> bytes:
    content = from_base64(value)
    return varint(len(content)) + content


def from_base64(text: JsonValue) -> bytes:
    """Bytes from base64 in the standard or the URL-safe alphabet, padded or not. Raises Refusal."""
    if not isinstance(text, str):
        refuse("bytes as a base64 string", text)
    bare = text.replace("-", "+").replace("_", "/").rstrip("=")
    padding = "=" * (-len(bare) % 4)
    if len(text) - len(bare) not in (0, len(padding)):
        raise Refusal(f"wrong padding at the end of {shown(text)}", hint="base64 ends in no =, or in what fills a four")
    try:
        return a2b_base64(bare + padding, strict_mode=True)
    except ValueError as error:
        reason = str(error) if isinstance(error, Base64Error) else "characters beyond ASCII"
        raise Refusal(f"{shown(text)} is not base64: {reason[:1].lower()}{reason[1:]}") from None


_READERS: dict[int, Read] = {
    FieldDescriptor.TYPE_BOOL: _read_bool,
    FieldDescriptor.TYPE_BYTES: _read_bytes,
    FieldDescriptor.TYPE_DOUBLE: _read_double,
    FieldDescriptor.TYPE_FLOAT: _read_float,
    FieldDescriptor.TYPE_STRING: _read_string,
}


# --- enums -------------------------------------------------------------------------------------------------------


def _enum_reader(enum: EnumDescriptor, ignore_unknown: bool) -> Read:
    numbers = enum_numbers(enum)
    written = {name: varint(number) for name, number in numbers.items()}
    known = frozenset(numbers.values()) if enum.is_closed else None
    takes_null = is_null(enum)

    def read(value: JsonValue) -> bytes:
        if isinstance(value, str):
            if value in written:
                return written[value]
            if _INTEGER.fullmatch(value) is None:
                return SKIPPED if ignore_unknown else _refuse_name(enum, value, numbers)
        if value is None and takes_null:
            return b"\0"
        number = _to_integer(value, f"a number or name of {enum.full_name}")
        if not _S32[0] <= number <= _S32[1] or (known is not None and number not in known):
            raise Refusal(f"{enum.full_name} has no value with {shown(number)}")
        return varint(number)

    return read


def enum_numbers(enum: EnumDescriptor) -> dict[str, int]:
    """The numbers that names stand for: those of the schema, and those that JSON has in their place."""
    numbers = {value.name: value.number for value in enum.values}
    return numbers | {enum_name(value): value.number for value in enum.values}


def is_null(enum: EnumDescriptor | None) -> bool:
    """Whether the enum is the one that JSON has as null."""
    return enum is not None and enum.full_name == "google.protobuf.NullValue"


def _refuse_name(enum: EnumDescriptor, name: str, known: Mapping[str, int]) -> bytes:
    meant = near(name, known)
    hint = did_you_mean(meant) if meant else None
    raise Refusal(f"{enum.full_name} has no value named {shown(name).removeprefix('the string ')}", hint=hint)
