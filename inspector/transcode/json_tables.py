"""What the kernel from wire to JSON knows of message types: plain records made from descriptors, a type at a time.

The mapping is that of `printer` and `scalars`: a record holds what they would decide for a field, its key as JSON text
included. Types are numbered as they are first named, and looked at when a message of them first comes.

Invariant: where a record is not sure to print what the printer prints, it is None, and messages with such a type in
them are the printer's.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from inspector.transcode.fields import find_field, is_message_set
from inspector.transcode.json_text import dumps, quoted
from inspector.transcode.maps import is_map
from inspector.transcode.resolver import Resolver, message_descriptor
from inspector.transcode.scalars import enum_name, scalar_converter
from inspector.transcode.well_known import WRAPPERS, special_name

NULL = 19
"""The kind of fields of google.protobuf.NullValue; the others have the numbers of FieldDescriptorProto.Type."""

WRAPPER = "wrapper"
"""The form of the wrapper types, which differ in their one field only."""

MAX_IMPLICIT = 256
"""Fields without presence that a type may have where defaults are printed: the kernel marks those it met in a row of
bits of this length."""

MAX_ONEOFS = 64
"""The same for oneofs."""

_DAMAGE = (AttributeError, LookupError, TypeError, ValueError)
"""What a damaged descriptor raises: names that are not text, map entries without a key."""


class FieldRecord(NamedTuple):
    """A field. `key` is its JSON key with a comma in front and a colon behind; `oneof`, `default`, `type` and `enum`
    are numbers within the message type or among all, -1 where there is none."""

    number: int
    kind: int
    key: bytes
    is_repeated: bool
    is_map: bool
    is_extension: bool
    has_presence: bool
    oneof: int
    default: int
    type: int
    enum: int


class TypeRecord(NamedTuple):
    """A message type: its form (empty for a plain message, the full name of a well-known type, WRAPPER), its fields
    by number, and the keys and values printed for fields without presence that are not set."""

    form: str
    is_extendable: bool
    fields: list[FieldRecord]
    defaults: list[bytes]


class EnumRecord(NamedTuple):
    """An enum: the JSON text of each number that it knows."""

    is_closed: bool
    texts: dict[int, bytes]


class JsonTables:
    """The records of the types of a schema, for one set of options."""

    def __init__(
        self,
        resolver: Resolver | None,
        *,
        emit_defaults: bool = False,
        proto_names: bool = False,
        enum_numbers: bool = False,
    ) -> None:
        self._resolver = resolver
        self._emit_defaults = emit_defaults
        self._proto_names = proto_names
        self._enum_numbers = enum_numbers
        self._types: list[Descriptor] = []
        self._enums: list[EnumDescriptor] = []
        self._indices: dict[Descriptor | EnumDescriptor, int] = {}

    def type_index(self, name: str) -> int:
        """The number of a message type. Raises SchemaError where the schema lacks it."""
        return self._index(message_descriptor(self._resolver, name), self._types)

    def payload_index(self, url: bytes) -> int:
        """The number of the type that an Any names, -1 where the schema lacks it."""
        found = self._resolver.find_message(url.decode().rpartition("/")[2]) if self._resolver else None
        if found is None or any(field.json_name == "@type" or field.name == "@type" for field in found.fields):
            return -1
        return self._index(found, self._types)

    def has_extension(self, index: int, number: int) -> bool:
        """Whether a type has an extension that its record does not have: more may be registered at any time."""
        return find_field(self._types[index], number) is not None

    def type_record(self, index: int) -> TypeRecord | None:
        """The record of a type; None where it is not for the kernel."""
        try:
            return self._record(self._types[index])
        except _DAMAGE:
            return None

    def enum_record(self, index: int) -> EnumRecord:
        """The record of an enum."""
        enum = self._enums[index]
        return EnumRecord(
            bool(enum.is_closed),
            {value.number: self._enum_text(value) for value in reversed(enum.values)},
        )

    def _enum_text(self, value: Any) -> bytes:
        return b"%d" % value.number if self._enum_numbers else quoted(enum_name(value))

    def _index(self, descriptor: Any, among: list[Any]) -> int:
        index = self._indices.setdefault(descriptor, len(among))
        if index == len(among):
            among.append(descriptor)
        return index

    def _record(self, descriptor: Descriptor) -> TypeRecord | None:
        form = special_name(descriptor) or ""
        if form and not _is_as_known(descriptor):
            return None
        if is_message_set(descriptor):
            return None
        fields = sorted([*descriptor.fields, *_extensions(descriptor)], key=lambda field: field.number)
        implicit = [field for field in descriptor.fields if not field.has_presence] if self._emit_defaults else []
        places = {field.number: place for place, field in enumerate(implicit)}
        records = [self._field(field, places) for field in fields]
        if not _are_distinct(records) or len(implicit) > MAX_IMPLICIT or len(descriptor.oneofs) > MAX_ONEOFS:
            return None
        if not all(map(_is_for_kernel, fields)):
            return None
        defaults = [self._key(field) + self._default(field) for field in implicit]
        return TypeRecord(WRAPPER if form in WRAPPERS else form, bool(descriptor.is_extendable), records, defaults)

    def _field(self, field: FieldDescriptor, defaults: dict[int, int]) -> FieldRecord:
        oneof, message, enum = field.containing_oneof, field.message_type, field.enum_type
        return FieldRecord(
            number=field.number,
            kind=self._kind(field),
            key=self._key(field),
            is_repeated=bool(field.is_repeated),
            is_map=is_map(field),
            is_extension=bool(field.is_extension),
            has_presence=bool(field.has_presence),
            oneof=-1 if oneof is None or len(oneof.fields) < 2 else oneof.index,
            default=-1 if field.is_extension else defaults.get(field.number, -1),
            type=-1 if message is None else self._index(message, self._types),
            enum=-1 if enum is None else self._index(enum, self._enums),
        )

    def _kind(self, field: FieldDescriptor) -> int:
        enum: Any = field.enum_type
        if enum is None or enum.is_closed:
            return field.type
        if self._enum_numbers:
            return FieldDescriptor.TYPE_INT32
        return NULL if enum.full_name == "google.protobuf.NullValue" else FieldDescriptor.TYPE_ENUM

    def _key(self, field: FieldDescriptor) -> bytes:
        if field.is_extension:
            name = f"[{field.full_name}]"
        else:
            name = field.name if self._proto_names else field.json_name
        return b"," + quoted(name) + b":"

    def _default(self, field: FieldDescriptor) -> bytes:
        if field.is_repeated:
            return b"{}" if is_map(field) else b"[]"
        scalar = scalar_converter(field, self._enum_numbers)
        return dumps(field.default_value if scalar is None else scalar(field.default_value))


def _extensions(descriptor: Descriptor) -> list[FieldDescriptor]:
    pool: Any = descriptor.file.pool
    return list(pool.FindAllExtensions(descriptor)) if descriptor.is_extendable else []


def _are_distinct(records: list[FieldRecord]) -> bool:
    """Whether no two fields share a key or a number, as those of a damaged schema may."""
    keys, numbers = {record.key for record in records}, {record.number for record in records}
    return len(keys) == len(numbers) == len(records)


def _is_for_kernel(field: FieldDescriptor) -> bool:
    enum: Any = field.enum_type
    if enum is not None and enum.is_closed:
        return bool(field.has_presence or field.is_repeated) and enum.full_name != "google.protobuf.NullValue"
    return not is_map(field) or _is_map_entry(field)


def _is_map_entry(field: FieldDescriptor) -> bool:
    entry: Any = field.message_type
    found = [(part.name, part.number, bool(part.is_repeated)) for part in entry.fields]
    return bool(field.is_repeated) and sorted(found) == [("key", 1, False), ("value", 2, False)]


def _is_as_known(descriptor: Descriptor) -> bool:
    """Whether a type with a form of its own has the fields of the well-known type, numbers and all."""
    fields = _FLAT.get(descriptor.full_name)
    if fields is None:
        return _outline(descriptor) == _known_outlines()[descriptor.full_name]
    return _outline(descriptor) == sorted(map(_flat, fields))


_Flat = tuple[int, str, int, bool]

_TIME: list[_Flat] = [
    (1, "seconds", FieldDescriptor.TYPE_INT64, False),
    (2, "nanos", FieldDescriptor.TYPE_INT32, False),
]

_FLAT: dict[str, list[_Flat]] = {
    "google.protobuf.Any": [
        (1, "type_url", FieldDescriptor.TYPE_STRING, False),
        (2, "value", FieldDescriptor.TYPE_BYTES, False),
    ],
    "google.protobuf.Duration": _TIME,
    "google.protobuf.FieldMask": [(1, "paths", FieldDescriptor.TYPE_STRING, True)],
    "google.protobuf.Timestamp": _TIME,
}
"""Number, name, kind and whether it is repeated, of the fields of the commonest well-known types: to look them up among
the generated modules takes longer than to print a message."""


def _flat(field: _Flat) -> tuple[object, ...]:
    """As `_outline` has it."""
    number, name, kind, is_repeated = field
    return (number, name, kind, is_repeated, False, "", "", "", False)


@cache
def _known_outlines() -> dict[str, list[tuple[object, ...]]]:
    from google.protobuf import (  # noqa: PLC0415  # many messages have none of them
        any_pb2,
        duration_pb2,
        field_mask_pb2,
        struct_pb2,
        timestamp_pb2,
        wrappers_pb2,
    )

    return {
        descriptor.full_name: _outline(descriptor)
        for module in (any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
        for descriptor in module.DESCRIPTOR.message_types_by_name.values()
    }


def _outline(descriptor: Descriptor) -> list[tuple[object, ...]]:
    return sorted(
        (
            field.number,
            field.name,
            field.type,
            bool(field.is_repeated),
            bool(field.has_presence),
            field.containing_oneof.name if field.containing_oneof else "",
            field.message_type.full_name if field.message_type else "",
            field.enum_type.full_name if field.enum_type else "",
            is_map(field),
        )
        for field in descriptor.fields
    )
