"""What fields are called in text format (https://protobuf.dev/reference/protobuf/textformat-spec/, "Field Names").

By their names, save for groups, which go by those of their types; extensions stand in brackets, with their full names.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto

from inspector.transcode.fields import is_message_set
from inspector.transcode.well_known import special_name

_ANY = "google.protobuf.Any"


def field_name(field: FieldDescriptor) -> str:
    """The name under which a field is written."""
    if field.is_extension:
        return f"[{_extension_name(field)}]"
    return _group_name(field) or field.name


def find_field(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    """The field with the name. A group may have that of its type, or its own in lower case."""
    field = descriptor.fields_by_name.get(name)
    if field is None:
        group = descriptor.fields_by_name.get(name.lower())
        if group is not None and _group_name(group) == name:
            return group
    return field


def find_extension(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    """The extension of the message type with the full name (an item of a MessageSet may have that of its type)."""
    try:
        pool: Any = descriptor.file.pool
        found: FieldDescriptor = pool.FindExtensionByName(name)
    except KeyError:
        return None
    extended = found.containing_type
    return found if extended is not None and extended.full_name == descriptor.full_name else None


def reserved_names(descriptor: Descriptor) -> frozenset[str]:
    """The names that the message type reserves for fields that it had, or may get."""
    own = DescriptorProto()
    descriptor.CopyToProto(own)
    return frozenset(own.reserved_name)


def is_any(descriptor: Descriptor) -> bool:
    """Whether the URL of a type can be the name of a field in the message type, its payload the value."""
    return descriptor.full_name == _ANY and special_name(descriptor) == _ANY


def _extension_name(field: FieldDescriptor) -> str:
    holder, own = field.containing_type, field.message_type
    if own is not None and own is field.extension_scope and not field.is_repeated and holder and is_message_set(holder):
        return own.full_name
    return field.full_name


def _group_name(field: FieldDescriptor) -> str | None:
    """The name of the type of a field that is declared as `group` does it, or looks so in an edition, which has fields
    with an end tag, but not that keyword: it has this name in lower case, and the type is declared beside it."""
    own: Any = field.message_type
    if field.type != FieldDescriptor.TYPE_GROUP or own is None or field.name != own.name.lower():
        return None
    scope: Any = field.extension_scope if field.is_extension else field.containing_type
    holder: Any = field
    return own.name if own.containing_type is scope and own.file.name == holder.file.name else None
