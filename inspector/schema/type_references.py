"""The types that a file descriptor defines, and the places where it refers to types by name.

A name with a leading dot is a full name. One without is looked up from the innermost scope outwards, as protobuf's
descriptor.proto says of `FieldDescriptorProto.type_name`; compilers write full names, what makes descriptors by other
means often does not. Invariant: all of it is iterative, and nothing here changes a descriptor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

from inspector.schema.conflicts import Definition, definitions
from inspector.schema.descriptor_set import all_messages
from inspector.schema.wording import text

_FULL_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)

_NAMED_TYPES = (FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_GROUP, FieldDescriptorProto.TYPE_ENUM)


class Reference(NamedTuple):
    """A name of a type as it stands in `attribute` of a field or method, in the message, service or package `scope`."""

    node: FieldDescriptorProto | MethodDescriptorProto
    attribute: str
    scope: str

    @property
    def name(self) -> str:
        return text(getattr(self.node, self.attribute))

    @property
    def is_enum(self) -> bool:
        is_type = isinstance(self.node, FieldDescriptorProto) and self.attribute == "type_name"
        return is_type and self.node.type == FieldDescriptorProto.TYPE_ENUM  # type: ignore[union-attr]

    @property
    def place(self) -> str:
        return f"{self.scope}.{text(self.node.name)}" if self.scope else text(self.node.name)


def types(proto: FileDescriptorProto) -> Iterator[tuple[str, DescriptorProto | EnumDescriptorProto]]:
    """The messages and enums of a file with their full names, nested ones too, outer ones first."""
    prefix = f"{text(proto.package)}." if proto.package else ""
    for enum in proto.enum_type:
        yield prefix + text(enum.name), enum
    for name, message in all_messages(proto):
        yield name, message
        for enum in message.enum_type:
            yield f"{name}.{text(enum.name)}", enum


def references(proto: FileDescriptorProto) -> Iterator[Reference]:
    """All of a file."""
    package = text(proto.package)
    for definition in definitions(proto):
        yield from references_of(definition, package)


def references_of(definition: Definition, package: str) -> Iterator[Reference]:
    """Those of one top-level definition of a package."""
    node = definition.node
    if isinstance(node, FieldDescriptorProto):
        yield from _of_field(node, package)
    elif isinstance(node, ServiceDescriptorProto):
        for method in node.method:
            yield Reference(method, "input_type", definition.name)
            yield Reference(method, "output_type", definition.name)
    elif isinstance(node, DescriptorProto):
        for name, message in _messages_in(definition.name, node):
            for field in (*message.field, *message.extension):
                yield from _of_field(field, name)


def candidates(name: str, scope: str) -> Iterator[str]:
    """The full names that `name` may mean in a scope, the likeliest first. (That a leading dot is wrongly there is the
    least likely.)"""
    bare = name.removeprefix(".")
    if name.startswith("."):
        yield bare
    while scope:
        yield f"{scope}.{bare}"
        scope = scope.rpartition(".")[0]
    if not name.startswith("."):
        yield bare


def is_full_name(name: str) -> bool:
    """Whether a type may have this name."""
    return _FULL_NAME.fullmatch(name) is not None


def _of_field(field: FieldDescriptorProto, scope: str) -> Iterator[Reference]:
    if field.type_name or field.type in _NAMED_TYPES:
        yield Reference(field, "type_name", scope)
    if field.extendee:
        yield Reference(field, "extendee", scope)


def _messages_in(name: str, message: DescriptorProto) -> Iterator[tuple[str, DescriptorProto]]:
    waiting = [(name, message)]
    while waiting:
        name, message = waiting.pop()
        yield name, message
        waiting += [(f"{name}.{text(nested.name)}", nested) for nested in message.nested_type]
