"""JSON values as messages on the wire, in the ProtoJSON mapping (https://protobuf.dev/programming-guides/json/).

What is accepted is what `google.protobuf.json_format.ParseDict` accepts, save where that is looser than JSON (numbers
in strings such as `1_000` or `.5`, base64 with foreign characters, a field under both its names), and, unless it is
strict, with these additions, so that what `printer` prints where it is not strict can be written again:

- an Any of an unknown type: `{"@type": url, "value": base64}`, of any type: `{"@type": url, "$bytes": base64}`;
- a Timestamp, Duration or FieldMask as an object of its plain fields, as one out of its range is printed;
- fields that the type does not have, under `$unknown` (see `inspector.transcode.unknown`).

Each message type is compiled once into a plan: writers of its fields by their names in JSON. Fields are written in the
order of their numbers, extensions behind them, as the protobuf runtime (upb) serializes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import isfinite
from types import NoneType
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from inspector.errors import EncodeError
from inspector.schema.names import did_you_mean, near
from inspector.schema.wording import one_line
from inspector.transcode.field_writers import (
    Body,
    Write,
    deeper,
    map_writer,
    message_writer,
    present_scalar_writer,
    scalar_writer,
)
from inspector.transcode.fields import is_message_set
from inspector.transcode.maps import is_map, map_key, map_value
from inspector.transcode.refusal import Refusal, refuse, steps_of
from inspector.transcode.resolver import Resolver
from inspector.transcode.scalar_readers import TooLarge, from_base64, is_null, key_reader, scalar_reader
from inspector.transcode.unknown import UNKNOWN
from inspector.transcode.well_known import WRAPPERS, special_name
from inspector.transcode.well_known_readers import READERS, Fields
from inspector.wire.encode import length_delimited
from inspector.wire.json_value import BYTES, JsonValue

_EXTENSIONS = 1 << 29
"""Added to the number of an extension, it gives its place behind all fields."""


class Entry(NamedTuple):
    """How a field is written. `order` is its place in the message, `oneof` the index of its oneof, -1 without."""

    order: int
    oneof: int
    takes_null: bool
    write: Write


class MessageWriters:
    """Writers of messages of any type; plans are kept for its lifetime. `resolver` finds the types in Any.

    With `ignore_unknown`, fields and names of enum values that the schema lacks are left out; for `strict` see above.
    """

    def __init__(self, resolver: Resolver | None, *, ignore_unknown: bool = False, strict: bool = False) -> None:
        self._resolver = resolver
        self._ignore_unknown = ignore_unknown
        self._strict = strict
        self._bodies: dict[Descriptor, Body] = {}

    def body(self, descriptor: Descriptor) -> Body:
        """The plan of a message type. It raises Refusal for a value that the type does not take."""
        known = self._bodies.get(descriptor)
        if known is None:
            known = self._bodies[descriptor] = self._compile(descriptor)
        return known

    def _compile(self, descriptor: Descriptor) -> Body:
        plan = _Plan(descriptor, self._entry, self._ignore_unknown)
        special = special_name(descriptor)
        if special is None:
            return plan.write
        if special in WRAPPERS:
            return _wrapper(plan)
        if special in READERS:
            return _one_text(plan, READERS[special], self._strict)
        return {
            "google.protobuf.Any": self._any,
            "google.protobuf.ListValue": _list_value,
            "google.protobuf.Struct": _struct,
            "google.protobuf.Value": _value,
        }[special](plan)

    # --- fields --------------------------------------------------------------------------------------------------

    def _entry(self, field: FieldDescriptor) -> Entry:
        oneof = field.containing_oneof.index if field.containing_oneof is not None else -1
        return Entry(field_order(field), oneof, takes_null(field), self._writer(field))

    def _writer(self, field: FieldDescriptor) -> Write:
        if field.message_type is None:
            return scalar_writer(field, scalar_reader(field, self._ignore_unknown))
        if is_map(field):
            return self._map_writer(field)
        owner: Any = field.containing_type
        in_message_set = bool(field.is_extension) and is_message_set(owner)
        return message_writer(field, self.body(field.message_type), in_message_set)

    def _map_writer(self, field: FieldDescriptor) -> Write:
        value = map_value(field)
        if value.message_type is None:
            write_value = present_scalar_writer(value, scalar_reader(value, self._ignore_unknown))
        else:
            write_value = message_writer(value, self.body(value.message_type))
        key = map_key(field)
        return map_writer(field, key, key_reader(key), write_value)

    # --- Any -----------------------------------------------------------------------------------------------------

    def _any(self, plan: _Plan) -> Body:
        number = plan.descriptor.fields_by_name["value"].number

        def write(value: JsonValue, depth: int) -> bytes:
            if not isinstance(value, dict):
                refuse("an object with @type", value)
            if not value:
                return b""
            url = value.get("@type")
            if not isinstance(url, str) or (self._strict and not url):
                raise Refusal(
                    "an Any needs a field @type with the URL of its type", hint="type.googleapis.com/pkg.Type"
                )
            payload = self._payload(url, value, deeper(depth))
            return plan["type_url"].write(url, depth) + (length_delimited(number, payload) if payload else b"")

        return write

    def _payload(self, url: str, value: dict[str, JsonValue], depth: int) -> bytes:
        descriptor = self._resolver.find_message(url.rpartition("/")[2]) if self._resolver else None
        fields = {name: item for name, item in value.items() if name != "@type"}
        if BYTES in fields and not self._strict:
            return _at(BYTES, fields, from_base64)
        if descriptor is None:
            return _unresolved(url, value, self._strict)
        if special_name(descriptor) is None:
            return self.body(descriptor)(fields, depth)
        return _at("value", fields, lambda item: self.body(descriptor)(item, depth))


def _unresolved(url: str, value: dict[str, JsonValue], strict: bool) -> bytes:
    """The payload of an Any of an unknown type, which the printer gives in base64."""
    content = value.get("value")
    if strict or len(value) != 2 or not isinstance(content, str):
        hint = None if strict else "or give its bytes as base64 in value"
        refusal = Refusal(f'the schema does not have the type "{one_line(url)}"', hint=hint)
        refusal.steps.append("@type")
        raise refusal
    return _at("value", {"value": content}, from_base64)


def _at(key: str, fields: dict[str, JsonValue], write: Callable[[JsonValue], bytes]) -> bytes:
    """Writes the field with this key, which must be the only one."""
    for name in fields:
        if name != key:
            refusal = _unknown_field(name, "an Any of such a type", [key])
            refusal.steps.append(name)
            raise refusal
    if key not in fields:
        raise Refusal(f"the field {key} is missing")
    try:
        return write(fields[key])
    except Refusal as refusal:
        refusal.steps.append(key)
        raise


class _Plan(dict[str, Entry]):
    """Entries by JSON name and by name, made when a name is first met: types refer to themselves, and extensions come
    at any time."""

    def __init__(self, descriptor: Descriptor, make: Callable[[FieldDescriptor], Entry], ignore_unknown: bool) -> None:
        self.descriptor = descriptor
        self._make = make
        self._ignore_unknown = ignore_unknown
        self._fields = {field.name: field for field in descriptor.fields}
        self._fields |= {field.json_name: field for field in reversed(descriptor.fields)}
        self._required = [field for field in descriptor.fields if field.is_required]

    def __missing__(self, name: str) -> Entry:
        if not isinstance(name, str):  # from Python, not from a text
            raise Refusal("the name of a field has to be text", at_key=True)
        field = self._fields.get(name) or _find_extension(self.descriptor, name)
        if field is not None:
            entry = self[name] = self._make(field)
            return entry
        if name == UNKNOWN:
            return _UNKNOWN
        if self._ignore_unknown:
            return _IGNORED
        raise _unknown_field(name, self.descriptor.full_name, self._fields)

    def write(self, value: JsonValue, depth: int) -> bytes:
        """The content of a message."""
        if not isinstance(value, dict):
            refuse(f"an object ({self.descriptor.full_name})", value)
        parts: dict[int, bytes] = {}
        oneofs: dict[int, str] = {}
        name = ""
        try:
            for name, item in value.items():
                entry = self[name]
                if entry is _IGNORED:
                    continue
                order, oneof, takes_null, write = entry
                if order in parts:
                    raise Refusal("the field is there twice, under both its names", at_key=True)
                written = parts[order] = write(item, depth) if item is not None or takes_null else b""
                if oneof >= 0 and written and oneofs.setdefault(oneof, name) is not name:
                    raise Refusal(f'"{oneofs[oneof]}" is there too, of the same oneof', at_key=True)
        except Refusal as refusal:
            refusal.steps.append(name)
            raise
        for field in self._required:
            if not parts.get(field.number):
                raise _missing(field)
        return b"".join([parts[order] for order in sorted(parts)])


def _ignore(_: JsonValue, __: int) -> bytes:
    return b""


def _unknown(value: JsonValue, _: int) -> bytes:
    """Fields by number, which the printer gives where it keeps them."""
    from inspector.wire import untyped  # noqa: PLC0415  # with all that guessing takes

    try:
        return untyped.from_value(value)
    except EncodeError as error:
        refusal = Refusal(error.message, hint=error.hint)
        refusal.steps.extend(reversed(steps_of(error.path)))
        raise refusal from None


_UNKNOWN = Entry(1 << 62, -1, False, _unknown)
"""Behind all fields."""

_IGNORED = Entry(0, -1, False, _ignore)
"""Stands for a field that the schema lacks."""

_EXTENSION_NAME = re.compile(r"\[([A-Za-z_][A-Za-z0-9_.]*)\]")


def _find_extension(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    """The extension of a type that `[pkg.name]` stands for."""
    found = _EXTENSION_NAME.fullmatch(name)
    if found is None or not descriptor.is_extendable:
        return None
    pool: Any = descriptor.file.pool
    try:
        extension: Any = pool.FindExtensionByName(found[1])
    except KeyError:
        return None
    return extension if extension.containing_type.full_name == descriptor.full_name else None


def field_order(field: FieldDescriptor) -> int:
    """The place of a field in its message."""
    return field.number + (_EXTENSIONS if field.is_extension else 0)


def takes_null(field: FieldDescriptor) -> bool:
    """Whether null is a value of the field, rather than that there is none."""
    if field.is_repeated:
        return False
    message = field.message_type
    return is_null(field.enum_type) or (message is not None and special_name(message) == "google.protobuf.Value")


def _unknown_field(name: str, owner: str, known: Iterable[str]) -> Refusal:
    meant = near(name, known)
    return Refusal(
        f'{owner} has no field "{one_line(name, 60)}"', hint=did_you_mean(meant) if meant else None, at_key=True
    )


def _missing(field: FieldDescriptor) -> Refusal:
    refusal = Refusal("the required field is missing")
    refusal.steps.append(field.json_name)
    return refusal


# --- types with a form of their own ------------------------------------------------------------------------------


def _one_text(plan: _Plan, read: Callable[[JsonValue], Fields], strict: bool) -> Body:
    def write(value: JsonValue, depth: int) -> bytes:
        return plan.write(value if isinstance(value, dict) and not strict else read(value), depth)

    return write


def _wrapper(plan: _Plan) -> Body:
    return lambda value, depth: plan["value"].write(value, depth)


def _list_value(plan: _Plan) -> Body:
    return lambda value, depth: plan["values"].write(value, depth)


def _struct(plan: _Plan) -> Body:
    return lambda value, depth: plan["fields"].write(value, depth)


def _value(plan: _Plan) -> Body:
    def write(value: JsonValue, depth: int) -> bytes:
        if isinstance(value, float) and not isinstance(value, TooLarge) and not isfinite(value):
            refuse("a number that is finite (google.protobuf.Value)", value)
        for kind, name in _VALUE_KINDS:
            if isinstance(value, kind):
                return plan[name].write(value, depth)
        refuse("a JSON value", value)

    return write


_VALUE_KINDS = (
    (str, "string_value"),
    (bool, "bool_value"),
    (int | float, "number_value"),
    (dict, "struct_value"),
    (list, "list_value"),
    (NoneType, "null_value"),
)
"""The fields of a Value by types; a bool is an int too."""
