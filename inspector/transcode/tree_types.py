"""How the fields of a message type are read, by the schema.

Two types have a field whose type another field of the same message tells, wherever that one stands: `value` of Any by
its `type_url`, and the content of an item of a MessageSet by its `type_id`.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from inspector.errors import SchemaError
from inspector.model.problem import Problem
from inspector.transcode.fields import field_wire_type, find_field, fits, is_message_set
from inspector.transcode.maps import is_map
from inspector.transcode.resolver import Resolver
from inspector.transcode.well_known import special_name
from inspector.wire.guess import Candidate, FieldShape, Shape
from inspector.wire.kinds import PACKED
from inspector.wire.scan import LEN, SGROUP, VARINT, WIRE_TYPE_NAMES, read_varint

DAMAGE = "damage"
"""The kind of bytes that cannot be read."""

_TYPE_NAME = re.compile(r"[\w.]{1,200}", re.ASCII)
"""What can be the name of a type; it comes from the input."""

_KINDS = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_ENUM: "enum",
    FieldDescriptor.TYPE_FIXED32: "fixed32",
    FieldDescriptor.TYPE_FIXED64: "fixed64",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_GROUP: "group",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_MESSAGE: "message",
    FieldDescriptor.TYPE_SFIXED32: "sfixed32",
    FieldDescriptor.TYPE_SFIXED64: "sfixed64",
    FieldDescriptor.TYPE_SINT32: "sint32",
    FieldDescriptor.TYPE_SINT64: "sint64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
}


class Reading(NamedTuple):
    """How a field is read: by the schema, or else by a guess.

    `name` is that of the schema, `field` its descriptor. A message has its `type`. What was seen of a field that is not
    in the schema is its `guess`.
    """

    kind: str
    name: str | None = None
    field: FieldDescriptor | None = None
    type: MessageType | None = None
    is_repeated: bool = False
    is_guess: bool = False
    guess: FieldShape | None = None
    problem: Problem | None = None
    note: str | None = None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Where it is a guess: the readings that come into question, likeliest first."""
        return self.guess.candidates if self.guess else ()

    @property
    def shape(self) -> Shape | None:
        """What is known of the content of a message that is guessed."""
        return self.guess.message if self.guess else None


class MessageType:
    """A type of the schema. Where `told` is not None, it is the number of the field that field `teller` tells of."""

    told: int | None = None
    teller: tuple[int, int] = (0, 0)

    def __init__(self, types: Types, descriptor: Descriptor) -> None:
        self._types = types
        self._is_set = is_message_set(descriptor)
        self._readings: dict[tuple[int, int], Reading | None] = {}
        self.descriptor = descriptor

    @property
    def name(self) -> str:
        """The full name of the type."""
        return self.descriptor.full_name

    @property
    def is_map_entry(self) -> bool:
        return bool(self.descriptor.has_options and self.descriptor.GetOptions().map_entry)

    def reading(self, number: int, wire_type: int) -> Reading | None:
        """How a field is read; None where the type has none of that number and wire type."""
        key = number, wire_type
        if key not in self._readings:
            self._readings[key] = self._read(number, wire_type)
        return self._readings[key]

    def _read(self, number: int, wire_type: int) -> Reading | None:
        if self._is_set and (number, wire_type) == (1, SGROUP):
            return Reading("group", "item", None, SetItemType(self._types, self.descriptor), is_repeated=True)
        field = find_field(self.descriptor, number)
        if field is None or not fits(field, wire_type):
            return None
        return self._types.reading_of(field, is_packed=wire_type == LEN and field_wire_type(field) != LEN)

    def misfit(self, number: int, wire_type: int, offset: int) -> Problem | None:
        """What is wrong with a field that is not read, where the type has one of its number."""
        field = find_field(self.descriptor, number)
        if field is None:
            return None
        expected, found = WIRE_TYPE_NAMES[field_wire_type(field)], WIRE_TYPE_NAMES[wire_type]
        text = f"{field.name} is {type_text(field)} ({expected}) in {self.name}, but {found} here"
        return Problem("wire_type", text, offset=offset)

    def tell(self, value: bytes) -> Reading | None:
        """How the field that is told of is read, where its teller has that value."""
        raise NotImplementedError


class AnyType(MessageType):
    """google.protobuf.Any."""

    told = 2
    teller = (1, LEN)

    def tell(self, value: bytes) -> Reading | None:
        name = value.decode("utf-8", "replace").rpartition("/")[2]
        found = self._types.named(name)
        plain = self.reading(2, LEN)
        if plain is None or found is None:
            is_name = _TYPE_NAME.fullmatch(name)
            note = f"the schema has no type {name}" if is_name else "its type_url does not name a type"
            return plain and Reading("", plain.name, note=note)
        return Reading("message", plain.name, plain.field, found)


class SetItemType(MessageType):
    """An item of a MessageSet: `type_id` is the number of the extension that `message` is the content of."""

    told = 3
    teller = (2, VARINT)

    @property
    def name(self) -> str:
        return f"{self.descriptor.full_name} item"

    def _read(self, number: int, wire_type: int) -> Reading | None:
        return Reading("uint32", "type_id") if (number, wire_type) == self.teller else None

    def misfit(self, number: int, wire_type: int, offset: int) -> Problem | None:
        return None

    def tell(self, value: bytes) -> Reading | None:
        number = read_varint(value, 0, len(value))[0]
        field = find_field(self.descriptor, number) if number else None
        if field is None or field.message_type is None:
            return Reading("", "message", note=f"{self.descriptor.full_name} has no extension {number}")
        return self._types.reading_of(field)._replace(is_repeated=False)


class Types:
    """The types that a tree meets. `resolver` finds those that an Any names."""

    def __init__(self, resolver: Resolver | None) -> None:
        self._resolver = resolver
        self._types: dict[Descriptor, MessageType] = {}

    def required(self, name: str) -> MessageType:
        """The type of that name. Raises SchemaError where the schema lacks it, or cannot build it."""
        descriptor = self._resolver.find_message(name) if self._resolver else None
        if descriptor is None:
            raise SchemaError(f"the schema has no message type {name!r}", hint="name its source with -s")
        return self.of(descriptor)

    def named(self, name: str) -> MessageType | None:
        """The same for a name in the input; None where it would raise."""
        try:
            return self.required(name)
        except SchemaError:
            return None

    def of(self, descriptor: Descriptor) -> MessageType:
        """How messages of a type are read."""
        known = self._types.get(descriptor)
        if known is None:
            is_any = special_name(descriptor) == "google.protobuf.Any"
            known = self._types[descriptor] = (AnyType if is_any else MessageType)(self, descriptor)
        return known

    def reading_of(self, field: FieldDescriptor, *, is_packed: bool = False) -> Reading:
        """How a field of the schema is read."""
        return Reading(
            (PACKED if is_packed else "") + _KINDS[field.type],
            f"[{field.full_name}]" if field.is_extension else field.name,
            field,
            self.of(field.message_type) if field.message_type else None,
            bool(field.is_repeated),
        )


def type_text(field: FieldDescriptor) -> str:
    """The type of a field, as a .proto file has it: `int32`, `pkg.Message`, `map<string, pkg.Message>`."""
    named: Any = field.message_type or field.enum_type
    if named is None:
        return _KINDS[field.type]
    if is_map(field):
        key, value = (named.fields_by_name[name] for name in ("key", "value"))
        return f"map<{type_text(key)}, {type_text(value)}>"
    return str(named.full_name)
