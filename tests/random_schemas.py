"""Random schemas, and messages of them, for Hypothesis. (pytest puts this folder on the path.)"""

from __future__ import annotations

import string
from pathlib import Path
from typing import NamedTuple

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc
from hypothesis import strategies as st

WELL_KNOWN = (any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)


class PoolResolver:
    """Stands in for inspector.Schema."""

    def __init__(self, *files: descriptor_pb2.FileDescriptorProto, known: bool = True) -> None:
        self.pool = DescriptorPool()
        for module in WELL_KNOWN if known else ():
            self.pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        for file in files:
            self.pool.AddSerializedFile(file.SerializeToString())

    def find_message(self, name: str) -> Descriptor | None:
        try:
            return self.pool.FindMessageTypeByName(name)
        except KeyError:
            return None

    def message_class(self, name: str) -> type[Message]:
        return GetMessageClass(self.pool.FindMessageTypeByName(name))


def compile_text(text: str, folder: Path, *, known: bool = True) -> PoolResolver:
    """The schema that the text of a .proto file is; `known` adds the well-known types to it. Writes to the folder."""
    (folder / "test.proto").write_text(text)
    include = Path(protoc.__file__).parent / "_proto"
    command = ["protoc", f"-I{folder}", f"-I{include}", f"--descriptor_set_out={folder}/out", "test.proto"]
    assert protoc.main(command) == 0
    files = descriptor_pb2.FileDescriptorSet.FromString((folder / "out").read_bytes())
    return PoolResolver(*files.file, known=known)


F = FieldDescriptor

SCALARS = [
    F.TYPE_DOUBLE,
    F.TYPE_FLOAT,
    F.TYPE_INT64,
    F.TYPE_UINT64,
    F.TYPE_INT32,
    F.TYPE_FIXED64,
    F.TYPE_FIXED32,
    F.TYPE_BOOL,
    F.TYPE_STRING,
    F.TYPE_BYTES,
    F.TYPE_UINT32,
    F.TYPE_SFIXED32,
    F.TYPE_SFIXED64,
    F.TYPE_SINT32,
    F.TYPE_SINT64,
]
PACKABLE = set(SCALARS) - {F.TYPE_STRING, F.TYPE_BYTES} | {F.TYPE_ENUM}
KEYS = sorted(set(SCALARS) - {F.TYPE_DOUBLE, F.TYPE_FLOAT, F.TYPE_BYTES})
MESSAGES = ["M0", "M1", "M2"]
WELL_KNOWN_TYPES = [
    f".google.protobuf.{name}"
    for name in (
        *("Any", "Duration", "Empty", "FieldMask", "Struct", "Value", "ListValue", "Timestamp"),
        *("BoolValue", "Int64Value", "FloatValue", "DoubleValue", "BytesValue", "StringValue", "UInt32Value"),
    )
]

Proto = descriptor_pb2.DescriptorProto


class Example(NamedTuple):
    """A random message, and the schema it is of."""

    resolver: PoolResolver
    message: Message

    @property
    def type_name(self) -> str:
        return self.message.DESCRIPTOR.full_name


@st.composite
def type_of_field(draw: st.DrawFn) -> tuple[int, str]:
    kind = draw(st.sampled_from([*SCALARS, F.TYPE_ENUM, F.TYPE_MESSAGE, F.TYPE_MESSAGE]))
    if kind == F.TYPE_ENUM:
        return kind, ".t.E"
    if kind == F.TYPE_MESSAGE:
        return kind, draw(st.sampled_from([f".t.{name}" for name in MESSAGES] + WELL_KNOWN_TYPES))
    return kind, ""


@st.composite
def schemas(draw: st.DrawFn) -> PoolResolver:
    proto3 = draw(st.booleans())
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3" if proto3 else "proto2")
    file.dependency.extend(module.DESCRIPTOR.name for module in WELL_KNOWN)
    enum = file.enum_type.add(name="E")
    enum.options.allow_alias = True
    for name, number in (("ZERO", 0), ("ONE", 1), ("UNO", 1), ("LESS", -5)):
        enum.value.add(name=name, number=number)
    for name in MESSAGES:
        fill_type(draw, file.message_type.add(name=name), proto3)
    if not proto3:
        add_extensions(draw, file)
    return PoolResolver(file)


def fill_type(draw: st.DrawFn, message: Proto, proto3: bool) -> None:
    numbers = draw(st.lists(st.integers(1, 40), min_size=1, max_size=6, unique=True))
    shapes = ["one", "optional", "repeated", "map", "oneof", "group"]
    chosen = [(number, draw(st.sampled_from(shapes))) for number in numbers]
    if any(shape == "oneof" for _, shape in chosen):
        message.oneof_decl.add(name="choice")
    for number, shape in chosen:
        add_field(draw, message, number, shape, proto3)
    if not proto3:
        message.extension_range.add(start=100, end=200)


def add_field(draw: st.DrawFn, message: Proto, number: int, shape: str, proto3: bool) -> None:
    kind, type_name = draw(type_of_field())
    field = message.field.add(
        name=f"some_field{number}", number=number, type=kind, type_name=type_name or None, label=1
    )
    if shape == "map":
        add_map(draw, message, field)
    elif shape == "group" and not proto3:
        message.nested_type.add(name=f"Group{number}").field.add(name="x", number=1, type=F.TYPE_INT64, label=3)
        field.type, field.name, field.type_name = F.TYPE_GROUP, f"group{number}", f".t.{message.name}.Group{number}"
    elif shape == "repeated":
        field.label = 3
        if kind in PACKABLE:
            field.options.packed = draw(st.booleans())
    elif shape == "oneof":
        field.oneof_index = 0
    elif shape == "optional" and proto3:
        field.oneof_index, field.proto3_optional = len(message.oneof_decl), True
        message.oneof_decl.add(name=f"_some_field{number}")


def add_map(draw: st.DrawFn, message: Proto, field: descriptor_pb2.FieldDescriptorProto) -> None:
    entry = message.nested_type.add(name=f"SomeField{field.number}Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=draw(st.sampled_from(KEYS)), label=1)
    entry.field.add(name="value", number=2, type=field.type, type_name=field.type_name or None, label=1)
    field.label, field.type, field.type_name = 3, F.TYPE_MESSAGE, f".t.{message.name}.{entry.name}"


def add_extensions(draw: st.DrawFn, file: descriptor_pb2.FileDescriptorProto) -> None:
    for number in range(100, 100 + draw(st.integers(0, 3))):
        kind, type_name = draw(type_of_field())
        label = draw(st.sampled_from([1, 3]))
        extendee = f".t.{draw(st.sampled_from(MESSAGES))}"
        file.extension.add(
            name=f"ext{number}", number=number, type=kind, type_name=type_name or None, label=label, extendee=extendee
        )


def signed(bits: int) -> st.SearchStrategy:
    return st.one_of(st.integers(-3, 3), st.integers(-(1 << bits - 1), (1 << bits - 1) - 1))


def unsigned(bits: int) -> st.SearchStrategy:
    return st.one_of(st.integers(0, 3), st.integers(0, (1 << bits) - 1))


BY_TYPE = {
    F.TYPE_DOUBLE: st.floats(),
    F.TYPE_FLOAT: st.floats(width=32),
    F.TYPE_INT64: signed(64),
    F.TYPE_SFIXED64: signed(64),
    F.TYPE_SINT64: signed(64),
    F.TYPE_UINT64: unsigned(64),
    F.TYPE_FIXED64: unsigned(64),
    F.TYPE_INT32: signed(32),
    F.TYPE_SFIXED32: signed(32),
    F.TYPE_SINT32: signed(32),
    F.TYPE_UINT32: unsigned(32),
    F.TYPE_FIXED32: unsigned(32),
    F.TYPE_BOOL: st.booleans(),
    F.TYPE_STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    F.TYPE_BYTES: st.binary(max_size=8),
}


def value_of(draw: st.DrawFn, field: FieldDescriptor) -> object:
    if field.enum_type is None:
        return draw(BY_TYPE[field.type])
    numbers = list(field.enum_type.values_by_number)
    return draw(st.sampled_from(numbers if field.enum_type.is_closed else [*numbers, 77]))


def fill(draw: st.DrawFn, resolver: PoolResolver, message: Message, depth: int) -> None:
    """Sets some fields of a message, in ways that the oracle can print."""
    name = message.DESCRIPTOR.full_name
    if name in SPECIAL:
        return SPECIAL[name](draw, resolver, message, depth)
    extensions = resolver.pool.FindAllExtensions(message.DESCRIPTOR) if message.DESCRIPTOR.is_extendable else ()
    for field in [*message.DESCRIPTOR.fields, *extensions]:
        if draw(st.integers(0, 3)) and (field.message_type is None or depth < 3):
            fill_field(draw, resolver, message, field, depth)
    return None


def fill_field(draw: st.DrawFn, resolver: PoolResolver, message: Message, field: FieldDescriptor, depth: int) -> None:
    holder = message.Extensions if field.is_extension else None
    current = holder[field] if holder is not None else getattr(message, field.name)
    if field.is_repeated:
        for _ in range(draw(st.integers(0, 3))):
            fill_element(draw, resolver, current, field, depth)
    elif field.message_type is not None:
        current.SetInParent()
        fill(draw, resolver, current, depth + 1)
    elif holder is not None:
        holder[field] = value_of(draw, field)
    else:
        setattr(message, field.name, value_of(draw, field))


def fill_element(draw: st.DrawFn, resolver: PoolResolver, values: object, field: FieldDescriptor, depth: int) -> None:
    if field.message_type is None:
        values.append(value_of(draw, field))
    elif not field.message_type.GetOptions().map_entry:
        fill(draw, resolver, values.add(), depth + 1)
    else:
        key = value_of(draw, field.message_type.fields_by_name["key"])
        value = field.message_type.fields_by_name["value"]
        if value.message_type is None:
            values[key] = value_of(draw, value)
        else:
            fill(draw, resolver, values[key], depth + 1)


def fill_timestamp(draw: st.DrawFn, resolver: PoolResolver, message: Message, depth: int) -> None:
    message.seconds = draw(st.integers(-62_135_596_800, 253_402_300_799))
    message.nanos = draw(st.one_of(st.sampled_from([0, 5_000_000, 7_000]), st.integers(0, 999_999_999)))


def fill_duration(draw: st.DrawFn, resolver: PoolResolver, message: Message, depth: int) -> None:
    sign = draw(st.sampled_from([1, -1]))
    message.seconds = sign * draw(st.one_of(st.integers(0, 2), st.integers(0, 315_576_000_000)))
    message.nanos = sign * draw(st.one_of(st.sampled_from([0, 5_000_000, 7_000]), st.integers(0, 999_999_999)))


def fill_mask(draw: st.DrawFn, resolver: PoolResolver, message: Message, depth: int) -> None:
    path = st.from_regex(r"([a-z][a-z0-9.]*(_[a-z][a-z0-9]*)*)?", fullmatch=True)
    message.paths.extend(draw(st.lists(path, max_size=3)))


def fill_value(draw: st.DrawFn, resolver: PoolResolver, message: Message, depth: int) -> None:
    kind = draw(st.sampled_from(["", "null", "bool", "string", "number", "list", "struct"]))
    if kind == "null":
        message.null_value = 0
    elif kind == "bool":
        message.bool_value = draw(st.booleans())
    elif kind == "string":
        message.string_value = draw(BY_TYPE[F.TYPE_STRING])
    elif kind == "number":
        message.number_value = draw(st.floats(allow_nan=False, allow_infinity=False))
    elif kind == "list":
        message.list_value.SetInParent()
        fill(draw, resolver, message.list_value, depth + 1)
    elif kind == "struct":
        message.struct_value.SetInParent()
        fill(draw, resolver, message.struct_value, depth + 1)


def fill_list(draw: st.DrawFn, resolver: PoolResolver, message: Message, depth: int) -> None:
    for _ in range(draw(st.integers(0, 2)) if depth < 4 else 0):
        fill(draw, resolver, message.values.add(), depth + 1)


def fill_struct(draw: st.DrawFn, resolver: PoolResolver, message: Message, depth: int) -> None:
    for key in draw(st.lists(st.text(string.ascii_letters, max_size=3), max_size=2)) if depth < 4 else ():
        fill(draw, resolver, message.fields[key], depth + 1)


def fill_any(draw: st.DrawFn, resolver: PoolResolver, message: Message, depth: int) -> None:
    name = draw(st.sampled_from(["", *(f"t.{name}" for name in MESSAGES), *(t[1:] for t in WELL_KNOWN_TYPES)]))
    if name:
        inner = resolver.message_class(name)()
        fill(draw, resolver, inner, depth + 1)
        message.type_url, message.value = f"type.googleapis.com/{name}", inner.SerializeToString()


SPECIAL = {
    "google.protobuf.Any": fill_any,
    "google.protobuf.Duration": fill_duration,
    "google.protobuf.FieldMask": fill_mask,
    "google.protobuf.ListValue": fill_list,
    "google.protobuf.Struct": fill_struct,
    "google.protobuf.Timestamp": fill_timestamp,
    "google.protobuf.Value": fill_value,
}


@st.composite
def examples(draw: st.DrawFn) -> Example:
    resolver = draw(schemas())
    message = resolver.message_class("t.M0")()
    fill(draw, resolver, message, 0)
    return Example(resolver, message)
