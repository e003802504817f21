"""What protobuf.js (and with it @grpc/reflection on Node) makes of descriptors, put right.

It keeps a schema as objects of its own and writes descriptors from these: of each package one file, called proto3
whatever its files were. A message with a map is marked as a map's entry, an extension that is declared within a message
stands among its fields, a message has a field for each of its extensions, named `.pkg.extension`, ranges end with their
last number, defaults are not escaped, `optional` of proto3 is not marked, and any field is marked as unpacked.

Invariant: each function changes nothing where there is nothing to put right, and says whether it did.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from inspector.schema.descriptor_set import all_messages
from inspector.schema.type_references import types
from inspector.schema.wording import text

_NEVER_PACKED = (
    FieldDescriptorProto.TYPE_STRING,
    FieldDescriptorProto.TYPE_BYTES,
    FieldDescriptorProto.TYPE_MESSAGE,
    FieldDescriptorProto.TYPE_GROUP,
)

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def put_right(file: FileDescriptorProto) -> bool:
    """All that needs no look at other files."""
    steps = (
        move_extensions, unmark_entries, widen_ranges, unmark_unpacked, mark_optional, escape_defaults, call_right,
    )  # fmt: skip
    return any([step(file) for step in steps])  # noqa: C419  # all of them are taken


def unmark_entries(file: FileDescriptorProto) -> bool:
    """Takes the mark of a map's entry from messages that are none."""
    wrong = [each for _, each in all_messages(file) if each.options.map_entry and not _may_be_entry(each)]
    for message in wrong:
        message.options.ClearField("map_entry")
    return bool(wrong)


def move_extensions(file: FileDescriptorProto) -> bool:
    """Puts extensions that stand among the fields of a message where the message declares extensions."""
    found = False
    for _, message in all_messages(file):
        moved = [field for field in message.field if field.extendee]
        if moved:
            found = True
            message.extension.extend(moved)
            _keep(message.field, [field for field in message.field if not field.extendee])
    return found


def drop_stand_ins(file: FileDescriptorProto, extensions: Container[str]) -> bool:
    """Takes out fields that stand for extensions; `extensions` are the full names of those that are there. One that is
    not becomes an extension that its message declares."""
    found = False
    for name, message in all_messages(file):
        stand_ins = [field for field in message.field if text(field.name).startswith(".")]
        if not stand_ins:
            continue
        found = True
        for field in stand_ins:
            full_name = text(field.name)[1:]
            if full_name not in extensions:
                message.extension.add().CopyFrom(field)
                message.extension[-1].name, message.extension[-1].extendee = full_name.rpartition(".")[2], f".{name}"
        _keep(message.field, [field for field in message.field if not text(field.name).startswith(".")])
    return found


def extension_names(file: FileDescriptorProto) -> Iterator[str]:
    """The full names of the extensions that a file declares."""
    scopes: list[tuple[str, Any]] = [(text(file.package), file), *all_messages(file)]
    for scope, holder in scopes:
        yield from (f"{scope}.{text(field.name)}" if scope else text(field.name) for field in holder.extension)


def widen_ranges(file: FileDescriptorProto) -> bool:
    """Lets ranges end behind their last number, where some have no number otherwise."""
    messages = [message for _, message in all_messages(file)]
    ranges: list[Any] = [each for node in messages for each in (*node.extension_range, *node.reserved_range)]
    if not any(each.start == each.end for each in ranges):
        return False
    for each in ranges:
        each.end += 1
    return True


def unmark_unpacked(file: FileDescriptorProto) -> bool:
    """Takes the mark that they are not packed from fields that cannot be packed."""
    wrong = [field for field in _fields(file) if field.options.HasField("packed") and not _may_be_packed(field)]
    for field in wrong:
        field.options.ClearField("packed")
        if not field.options.ByteSize():
            field.ClearField("options")
    return bool(wrong)


def mark_optional(file: FileDescriptorProto) -> bool:
    """Marks the fields that are `optional` in proto3: each is alone in a oneof by the name of `_field`."""
    found = False
    for _, message in all_messages(file) if file.syntax == "proto3" else ():
        alone = [field for field in message.field if _is_alone(field, message)]
        if alone:
            found = True
            for field in alone:
                field.proto3_optional = True
            optional = {field.oneof_index for field in alone}
            indexes = range(len(message.oneof_decl))
            _order_oneofs(message, sorted(indexes, key=lambda index: index in optional))
    return found


def escape_defaults(file: FileDescriptorProto) -> bool:
    """Escapes bytes of defaults that must be."""
    wrong = [field for field in _fields(file) if _is_bytes(field) and _UNPRINTABLE.search(text(field.default_value))]
    for field in wrong:
        escaped = _UNPRINTABLE.sub(lambda found: f"\\{ord(found[0]):03o}", text(field.default_value))
        field.default_value = escaped
    return bool(wrong)


def call_right(file: FileDescriptorProto) -> bool:
    """Makes a file one of proto2 or of an edition that is called proto3 and has what proto3 cannot say."""
    if file.syntax != "proto3":
        return False
    has_features = any(node.options.HasField("features") for node in (file, *_nodes(file)))
    if not has_features and not any(_is_proto2(each) for _, each in types(file)):
        return False
    file.ClearField("syntax")
    for _, message in all_messages(file):
        _drop_synthetic_oneofs(message)
    if has_features:
        _make_edition(file)
    return True


def _make_edition(file: FileDescriptorProto) -> None:
    file.syntax, file.edition = "editions", Edition.EDITION_2023
    for _, message in all_messages(file):
        if message.options.HasField("features"):  # which only a file may say of all its fields
            file.options.features.MergeFrom(message.options.features)
            message.options.ClearField("features")
            if not message.options.ByteSize():
                message.ClearField("options")
    for node in _nodes(file):
        if isinstance(node, FieldDescriptorProto):
            _say_by_features(node)
        elif isinstance(node, EnumDescriptorProto) and _is_proto2(node):
            node.options.features.enum_type = FeatureSet.CLOSED


def _say_by_features(field: FieldDescriptorProto) -> None:
    if field.type == FieldDescriptorProto.TYPE_GROUP:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.options.features.message_encoding = FeatureSet.DELIMITED
    if field.label == FieldDescriptorProto.LABEL_REQUIRED:
        field.label = FieldDescriptorProto.LABEL_OPTIONAL
        field.options.features.field_presence = FeatureSet.LEGACY_REQUIRED
    if field.options.HasField("packed"):
        if not field.options.packed:
            field.options.features.repeated_field_encoding = FeatureSet.EXPANDED
        field.options.ClearField("packed")


def _nodes(file: FileDescriptorProto) -> Iterator[DescriptorProto | EnumDescriptorProto | FieldDescriptorProto]:
    yield from (node for _, node in types(file))
    yield from _fields(file)


def _fields(file: FileDescriptorProto) -> Iterator[FieldDescriptorProto]:
    """The fields and extensions."""
    yield from file.extension
    for _, message in all_messages(file):
        yield from message.field
        yield from message.extension


def _is_bytes(field: FieldDescriptorProto) -> bool:
    return field.type == FieldDescriptorProto.TYPE_BYTES


def _may_be_packed(field: FieldDescriptorProto) -> bool:
    return field.label == FieldDescriptorProto.LABEL_REPEATED and field.type not in _NEVER_PACKED


def _is_proto2(node: DescriptorProto | EnumDescriptorProto) -> bool:
    if isinstance(node, EnumDescriptorProto):
        return bool(node.value) and node.value[0].number != 0
    return bool(node.extension_range) or any(map(_is_proto2_field, node.field))


def _is_proto2_field(field: FieldDescriptorProto) -> bool:
    is_required = field.label == FieldDescriptorProto.LABEL_REQUIRED
    return is_required or field.HasField("default_value") or field.type == FieldDescriptorProto.TYPE_GROUP


def _drop_synthetic_oneofs(message: DescriptorProto) -> None:
    """What `optional` is in proto3, every field is in proto2."""
    optional = [field for field in message.field if field.proto3_optional]
    dropped = {field.oneof_index for field in optional}
    for field in optional:
        field.ClearField("oneof_index")
        field.ClearField("proto3_optional")
    if dropped:
        _order_oneofs(message, [index for index in range(len(message.oneof_decl)) if index not in dropped])


def _order_oneofs(message: DescriptorProto, indexes: list[int]) -> None:
    """Puts the oneofs of a message in this order, and leaves out the others."""
    places = {index: place for place, index in enumerate(indexes)}
    for field in message.field:
        if field.HasField("oneof_index"):
            field.oneof_index = places.get(field.oneof_index, field.oneof_index)
    _keep(message.oneof_decl, [message.oneof_decl[index] for index in indexes])


def _is_alone(field: FieldDescriptorProto, message: DescriptorProto) -> bool:
    index = field.oneof_index
    if field.proto3_optional or not field.HasField("oneof_index") or not 0 <= index < len(message.oneof_decl):
        return False
    if text(message.oneof_decl[index].name) != f"_{text(field.name)}":
        return False
    return sum(each.HasField("oneof_index") and each.oneof_index == index for each in message.field) == 1


def _may_be_entry(message: DescriptorProto) -> bool:
    return [each.number for each in message.field] == [1, 2] and not message.nested_type


def _keep(nodes: Any, kept: list[Any]) -> None:
    copies = [type(node).FromString(node.SerializeToString()) for node in kept]
    del nodes[:]
    nodes.extend(copies)
