"""Options in source text: their names and values, custom ones (extensions) too.

Source: https://protobuf.dev/programming-guides/proto3/#options and, for values in braces, the text format
(https://protobuf.dev/reference/protobuf/textformat-spec/).

The bytes of an options message are walked with descriptors as they are: a custom option is spelled if the file that
defines it is among the imports. Invariant: each field of the options becomes an option, or else an `Option` without
a value, of which the number and the bytes are told; nothing is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from textwrap import indent
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message

from inspector.errors import DecodeError, SchemaError
from inspector.limits import MAX_DEPTH
from inspector.schema.proto_source_text import dotted, identifier, quoted
from inspector.schema.proto_source_types import TypeNames, Types
from inspector.schema.wording import text
from inspector.wire.encode import length_delimited
from inspector.wire.floats import shortest_float
from inspector.wire.kinds import NUMBERS, NumberKind
from inspector.wire.scan import I32, I64, LEN, SGROUP, Field, read_uint64, scan

F = FieldDescriptorProto

MAX_SHOWN_BYTES = 256
"""Bytes of an option of unknown meaning that are shown in its comment."""

MAX_ONE_LINE = 80
"""Characters of a value in braces that stands in one line."""

_FEATURES = "google.protobuf.FeatureSet"
_UNINTERPRETED = 999

_NUMBER_KINDS = {
    F.TYPE_DOUBLE: "double", F.TYPE_FLOAT: "float", F.TYPE_INT64: "int64", F.TYPE_UINT64: "uint64",
    F.TYPE_INT32: "int32", F.TYPE_FIXED64: "fixed64", F.TYPE_FIXED32: "fixed32", F.TYPE_BOOL: "bool",
    F.TYPE_UINT32: "uint32", F.TYPE_ENUM: "enum", F.TYPE_SFIXED32: "sfixed32", F.TYPE_SFIXED64: "sfixed64",
    F.TYPE_SINT32: "sint32", F.TYPE_SINT64: "sint64",
}  # fmt: skip


class Option(NamedTuple):
    """`name = value`; `value` is None where it cannot be spelled, and `raw` then its bytes. `path` leads to it from
    the options message, as in SourceCodeInfo."""

    path: tuple[int, ...]
    name: str
    value: str | None
    raw: bytes = b""

    def statement(self) -> str:
        return f"option {self.name} = {self.value};" if self.value is not None else self.as_comment()

    def as_comment(self) -> str:
        """For an option that cannot be spelled."""
        more = f"... ({len(self.raw)} bytes)" if len(self.raw) > MAX_SHOWN_BYTES else ""
        return f"// option {self.name}: not known; its bytes are {self.raw[:MAX_SHOWN_BYTES].hex()}{more}"


class _UnspeakableError(Exception):
    """A value that has no spelling: its type is not known, or it is not as its type would have it."""


class _Member(NamedTuple):
    """A field of an options message or an extension of it, and its name as an option and in braces."""

    field: FieldDescriptorProto
    option_name: str
    inner_name: str

    @property
    def type_name(self) -> str:
        return text(self.field.type_name).removeprefix(".")

    @property
    def is_message(self) -> bool:
        return self.field.type in (F.TYPE_MESSAGE, F.TYPE_GROUP)


class OptionSpeller:
    """Spells the options of one file, whose definitions may use those of the files `visible`."""

    def __init__(self, types: Types, names: TypeNames, visible: frozenset[str]) -> None:
        self._types = types
        self._names = names
        self._visible = visible

    def options(self, options: Message, scope: str) -> list[Option]:
        """All that is set in an options message (FileOptions, FieldOptions, ...), by number. `scope` is the full name
        of what they are on."""
        return list(self._spell(options.DESCRIPTOR.full_name, options.SerializeToString(), scope, (), ""))

    def _spell(self, message: str, data: bytes, scope: str, path: tuple[int, ...], prefix: str) -> Iterator[Option]:
        for number, fields in sorted(_by_number(data).items()):
            place, name, values = (*path, number), f"{prefix}{number}", []
            try:
                member = self._member(message, number, scope)
                name = prefix + member.option_name
                if member.is_message and (prefix or member.type_name == _FEATURES):
                    # Features are set one by one.
                    yield from self._spell(member.type_name, _merged(data, fields), scope, place, f"{name}.")
                    continue
                values = [self._value(member, data, each, 0) for each in _occurrences(member, data, fields)]
            except (_UnspeakableError, DecodeError, SchemaError):
                raw = b"".join(data[field.tag_start : field.end] for field in fields)
                yield Option(place, name, None, raw)
            repeated = len(values) > 1
            yield from (
                Option((*place, index) if repeated else place, name, value) for index, value in enumerate(values)
            )

    def _member(self, message: str, number: int, scope: str) -> _Member:
        definition = self._types.messages.get(message)
        for field in definition.field if definition and number != _UNINTERPRETED else ():
            if field.number == number:
                return _Member(field, identifier(field.name, "an option"), _inner_name(field))
        found = self._types.extension(message, number, self._visible)
        if found is None:
            raise _UnspeakableError
        name = dotted(found.name, "an option")
        return _Member(found.field, f"({self._names.extension(name, scope)})", f"[{name}]")

    def _value(self, member: _Member, data: bytes, occurrence: Field | bytes, depth: int) -> str:
        kind = _number_kind(member)
        if isinstance(occurrence, bytes):
            if member.is_message:
                return self._braces(member.type_name, occurrence, depth + 1)
            return _string(member, occurrence)
        if kind is None or occurrence.wire_type != kind.wire_type:
            raise _UnspeakableError
        if member.field.type == F.TYPE_ENUM:
            return self._enum_value(member.type_name, int(kind.read(occurrence.value)))
        return _number(kind, occurrence.value)

    def _braces(self, message: str, data: bytes, depth: int) -> str:
        if depth > MAX_DEPTH or message not in self._types.messages:
            raise _UnspeakableError
        if self._types.messages[message].options.message_set_wire_format:
            data = _without_items(data)
        parts = []
        for number, fields in sorted(_by_number(data).items()):
            member = self._member(message, number, "")
            colon = "" if member.is_message else ":"
            for each in _occurrences(member, data, fields):
                parts.append(f"{member.inner_name}{colon} {self._value(member, data, each, depth)}")
        one_line = " ".join(("{", *parts, "}"))
        if "\n" not in one_line and len(one_line) <= MAX_ONE_LINE:
            return one_line if parts else "{}"
        return "{\n" + indent("\n".join(parts), "  ") + "\n}"

    def _enum_value(self, enum: str, number: int) -> str:
        definition = self._types.enums.get(enum)
        for value in definition.value if definition else ():
            if value.number == number:
                return identifier(value.name, "an enum value")
        raise _UnspeakableError


def _by_number(data: bytes) -> dict[int, list[Field]]:
    """The fields of a message by their number. Raises DecodeError."""
    found: dict[int, list[Field]] = {}
    for field in scan(data):
        found.setdefault(field.number, []).append(field)
    return found


def _occurrences(member: _Member, data: bytes, fields: list[Field]) -> list[Field | bytes]:
    """The values of a field: the content of a LEN field or a group, the field itself for a number.

    Of one that is not repeated the last counts, and messages are merged, which for bytes is to join them.
    """
    repeated = member.field.label == F.LABEL_REPEATED
    if member.is_message and not repeated:
        return [_merged(data, fields)]
    kind = _number_kind(member)
    found: list[Field | bytes] = []
    for field in fields:
        content = data[field.value_start : field.value_end]
        if field.wire_type not in (LEN, SGROUP):
            found.append(field)
        elif kind is None:
            found.append(content)
        elif repeated and field.wire_type == LEN:
            found += _elements(kind, field, content)
        else:
            raise _UnspeakableError
    return found if repeated else found[-1:]


def _merged(data: bytes, fields: list[Field]) -> bytes:
    if any(field.wire_type not in (LEN, SGROUP) for field in fields):
        raise _UnspeakableError
    return b"".join(data[field.value_start : field.value_end] for field in fields)


def _elements(kind: NumberKind, field: Field, content: bytes) -> Iterator[Field]:
    """The elements of a packed field, each as a field of its own."""
    size, at = {I64: 8, I32: 4}.get(kind.wire_type, 0), 0
    while at < len(content):
        if size:
            value, after = int.from_bytes(content[at : at + size], "little"), at + size
        else:
            value, after = read_uint64(content, at, len(content))
        if after > len(content):
            raise _UnspeakableError
        yield Field(field.number, kind.wire_type, at, at, after, value)
        at = after


def _without_items(data: bytes) -> bytes:
    """A message set as an ordinary message: its items, groups of a number (2) and a message (3), become LEN fields."""
    found = []
    for item in _by_number(data).get(1, ()):
        inner = data[item.value_start : item.value_end]
        fields = _by_number(inner)
        if set(fields) != {2, 3} or fields[3][0].wire_type != LEN:
            raise _UnspeakableError
        found.append(length_delimited(fields[2][0].value, inner[fields[3][0].value_start : fields[3][0].value_end]))
    return b"".join(found)


def _number_kind(member: _Member) -> NumberKind | None:
    name = _NUMBER_KINDS.get(member.field.type)
    return NUMBERS[name] if name else None


def _inner_name(field: FieldDescriptorProto) -> str:
    """A field's name in braces; a group goes by the name of its type (text format, "Field names")."""
    name = text(field.type_name).rpartition(".")[2] if field.type == F.TYPE_GROUP else field.name
    return identifier(name, "a field")


def _string(member: _Member, content: bytes) -> str:
    if member.field.type not in (F.TYPE_STRING, F.TYPE_BYTES):
        raise _UnspeakableError
    try:
        return quoted(content.decode() if member.field.type == F.TYPE_STRING else content)
    except UnicodeDecodeError:
        return quoted(content)


def _number(kind: NumberKind, value: int) -> str:
    number = kind.read(value)
    if isinstance(number, bool):
        return "true" if number else "false"
    if isinstance(number, float) and kind.name == "float" and math.isfinite(number):
        number = shortest_float(number)
    if number != number and math.copysign(1, number) < 0:
        return "-nan"
    return str(number)
