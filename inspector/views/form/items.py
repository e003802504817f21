"""What a single value of a form is: what kind of text stands for it, and what its type is called."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from inspector.transcode.maps import is_map, map_value
from inspector.transcode.scalar_readers import is_null
from inspector.transcode.well_known import WRAPPERS, special_name
from inspector.views.safe_text import safe
from inspector.wire.json_value import JsonValue

F = FieldDescriptor

_SCALARS = {
    F.TYPE_BOOL: "bool", F.TYPE_BYTES: "bytes", F.TYPE_DOUBLE: "real", F.TYPE_ENUM: "enum", F.TYPE_FLOAT: "real",
    F.TYPE_STRING: "string",
}  # fmt: skip
"""Kinds by type; what is not here is an integer."""

_SPECIAL = {
    "google.protobuf.Any": "any",
    "google.protobuf.Duration": "duration",
    "google.protobuf.FieldMask": "mask",
    "google.protobuf.ListValue": "json",
    "google.protobuf.Struct": "json",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Value": "json",
}

_NAMES = {number: name[5:].lower() for name, number in vars(F).items() if name.startswith("TYPE_")}

LONG = frozenset((F.TYPE_INT64, F.TYPE_UINT64, F.TYPE_SINT64, F.TYPE_FIXED64, F.TYPE_SFIXED64))
"""Types whose numbers JSON has as strings, as not all programs keep them exact."""


class Item(NamedTuple):
    """`kind` is one of string, bytes, bool, enum, integer, real, message, any, timestamp, duration, mask, json.

    `field` reads its values where it is no message (of a wrapper, the field within); `message` is its type where it is
    one; `type` is what people call it.
    """

    kind: str
    field: FieldDescriptor | None
    message: Descriptor | None
    type: str

    @property
    def is_nested(self) -> bool:
        """Whether it has rows of its own."""
        return self.kind in ("message", "any")


@lru_cache(maxsize=4096)
def item_of(field: FieldDescriptor) -> Item:
    """What one value of a field is; of a map, the value of an entry."""
    if is_map(field):
        return item_of(map_value(field))
    if field.message_type is not None:
        found = item_of_message(field.message_type)
        return found._replace(type=f"group {found.type}") if field.type == F.TYPE_GROUP else found
    kind = _SCALARS.get(field.type, "integer")
    own: Any = field.enum_type
    return Item(kind, field, None, safe(own.full_name) if own is not None else _NAMES[field.type])


@lru_cache(maxsize=4096)
def item_of_message(descriptor: Descriptor) -> Item:
    """What a message of a type is: with rows of its own, or of one text."""
    special = special_name(descriptor)
    if special in WRAPPERS:
        inner = item_of(descriptor.fields_by_name["value"])
        return inner._replace(type=safe(descriptor.name))
    name = safe(descriptor.full_name)
    return Item(_SPECIAL.get(special or "", "message"), None, descriptor, name.removeprefix("google.protobuf."))


def enum_of(item: Item) -> EnumDescriptor:
    """The enum of a value that is one."""
    assert item.field is not None
    assert item.field.enum_type is not None
    return item.field.enum_type


def new_value(item: Item) -> JsonValue:
    """The value that a new element, or a field that is just set, has."""
    if item.kind == "enum":
        enum = enum_of(item)
        return None if is_null(enum) else enum.values[0].name
    if item.kind == "json":
        assert item.message is not None
        return {"Struct": {}, "ListValue": [], "Value": None}[item.message.name]
    if item.kind == "integer":
        return "0" if item.field is not None and item.field.type in LONG else 0
    fixed: dict[str, JsonValue] = {
        "string": "", "bytes": "", "bool": False, "real": 0.0, "timestamp": "1970-01-01T00:00:00Z", "duration": "0s",
        "mask": "",
    }  # fmt: skip
    return fixed.get(item.kind, {})
