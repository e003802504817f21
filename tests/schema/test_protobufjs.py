"""Descriptors as protobuf.js writes them, of files that were others."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from reflection_servers import Server, talk

from inspector.schema import Schema
from inspector.schema.descriptor_set import parse_descriptor_set
from inspector.schema.proto_source import to_source

F = FieldDescriptorProto


def schema_of(*files):
    reflected = talk(Server(*files).answer)
    assert reflected.problems == ()
    return Schema([parse_descriptor_set(reflected.data, "server")])


def files_of(*files):
    return FileDescriptorSet.FromString(talk(Server(*files).answer).data).file


def descriptor(message):
    made = DescriptorProto()
    message.CopyToProto(made)
    return made


def made(name="legacy_v1.proto", package="legacy.v1"):
    """A file with a message `Note` that may be extended, and a service of it."""
    file = FileDescriptorProto(name=name, package=package, syntax="proto3")
    note = file.message_type.add(name="Note")
    note.field.add(name="title", number=1, label=F.LABEL_OPTIONAL, type=F.TYPE_STRING)
    note.extension_range.add(start=100, end=200)
    service = file.service.add(name="Notes")
    service.method.add(name="Get", input_type="Note", output_type="Note")
    return file


def test_an_extension_among_the_fields_of_a_message_is_one():
    file = made()
    file.message_type[0].field.add(name=".legacy.v1.Review.review", number=100, label=1, type=F.TYPE_STRING)
    review = file.message_type.add(name="Review")
    review.field.add(name="review", number=100, label=1, type=F.TYPE_STRING, extendee=".legacy.v1.Note")
    review.field.add(name="who", number=1, label=1, type=F.TYPE_STRING)
    schema = schema_of(file)
    assert [field.name for field in schema.message("legacy.v1.Note").fields] == ["title"]
    assert [field.name for field in schema.message("legacy.v1.Review").fields] == ["who"]
    note = schema.message_class("legacy.v1.Note").FromString(b"\xa2\x06\x01x")
    assert [(field.full_name, value) for field, value in note.ListFields()] == [("legacy.v1.Review.review", "x")]


def test_an_extension_that_only_a_field_stands_for_is_kept():
    file = made()
    file.message_type[0].field.add(name=".gone.v1.tag", number=101, label=1, type=F.TYPE_STRING)
    note = schema_of(file).message_class("legacy.v1.Note").FromString(b"\xaa\x06\x01x")
    assert [(field.full_name, value) for field, value in note.ListFields()] == [("legacy.v1.Note.tag", "x")]


def test_what_only_proto2_can_say_makes_a_file_proto2():
    file = made()
    note = file.message_type[0]
    note.oneof_decl.add(name="body")
    note.oneof_decl.add(name="_size")
    note.oneof_decl.add(name="link")
    note.field.add(name="stars", number=2, label=1, type=F.TYPE_INT32, default_value="5")
    note.field.add(name="kind", number=3, label=1, type=F.TYPE_ENUM, type_name="Kind")
    note.field.add(name="text", number=4, label=1, type=F.TYPE_STRING, oneof_index=0)
    note.field.add(name="size", number=5, label=1, type=F.TYPE_INT32, oneof_index=1, proto3_optional=True)
    note.field.add(name="url", number=6, label=1, type=F.TYPE_STRING, oneof_index=2)
    note.field.add(name="id", number=7, label=F.LABEL_REQUIRED, type=F.TYPE_INT32)
    file.enum_type.add(name="Kind").value.add(name="SHORT", number=1)
    schema = schema_of(file)
    fields = schema.message("legacy.v1.Note").fields_by_name
    assert fields["stars"].default_value == 5
    assert fields["size"].has_presence
    assert {name: field.containing_oneof and field.containing_oneof.name for name, field in fields.items()} == {
        "title": None, "stars": None, "kind": None, "text": "body", "size": None, "url": "link", "id": None,
    }  # fmt: skip


def test_ranges_that_end_with_their_last_number_do():
    file = made()
    note = file.message_type[0]
    note.reserved_range.add(start=10, end=10)
    note.reserved_range.add(start=12, end=15)
    note.extension_range[0].end = 199
    found = descriptor(schema_of(file).message("legacy.v1.Note"))
    assert [(each.start, each.end) for each in found.reserved_range] == [(10, 11), (12, 16)]
    assert [(each.start, each.end) for each in found.extension_range] == [(100, 200)]


def test_only_what_may_be_packed_says_that_it_is_not():
    file = made()
    note = file.message_type[0]
    note.field[0].options.packed = False
    note.field.add(name="sizes", number=2, label=3, type=F.TYPE_INT32).options.packed = False
    title, sizes = descriptor(schema_of(file).message("legacy.v1.Note")).field
    assert (title.HasField("options"), sizes.options.HasField("packed")) == (False, True)


def test_what_only_an_edition_can_say_makes_a_file_one_of_it():
    file = made()
    note = file.message_type[0]
    note.ClearField("extension_range")
    note.field[0].options.features.field_presence = FeatureSet.IMPLICIT
    note.field.add(name="parent", number=2, label=1, type=F.TYPE_GROUP, type_name="Note")
    note.field.add(name="sizes", number=3, label=3, type=F.TYPE_INT32).options.packed = False
    note.field.add(name="kind", number=4, label=1, type=F.TYPE_ENUM, type_name="Kind")
    note.field.add(name="id", number=5, label=F.LABEL_REQUIRED, type=F.TYPE_INT32)
    file.enum_type.add(name="Kind").value.add(name="SHORT", number=1)
    fields = schema_of(file).message("legacy.v1.Note").fields_by_name
    assert (fields["title"].has_presence, fields["kind"].has_presence) == (False, True)
    assert (fields["parent"].type, fields["sizes"].is_packed, fields["id"].is_required) == (F.TYPE_GROUP, False, True)
    assert fields["kind"].enum_type.is_closed


def test_features_of_a_whole_file_are_not_those_of_a_message():
    file = made()
    file.message_type[0].ClearField("extension_range")
    file.message_type[0].options.features.field_presence = FeatureSet.IMPLICIT
    assert not schema_of(file).message("legacy.v1.Note").fields_by_name["title"].has_presence
    assert not files_of(file)[0].message_type[0].HasField("options")


def test_a_field_alone_in_a_oneof_of_its_name_is_optional():
    file = made()
    note = file.message_type[0]
    note.ClearField("extension_range")
    note.oneof_decl.add(name="_unit")
    note.oneof_decl.add(name="body")
    note.field.add(name="unit", number=2, label=1, type=F.TYPE_STRING, oneof_index=0)
    note.field.add(name="text", number=3, label=1, type=F.TYPE_STRING, oneof_index=1)
    found = descriptor(schema_of(file).message("legacy.v1.Note"))
    assert [each.name for each in found.oneof_decl] == ["body", "_unit"]
    assert [(each.name, each.proto3_optional, each.oneof_index) for each in found.field[1:]] == [
        ("unit", True, 1), ("text", False, 0),
    ]  # fmt: skip


def test_known_types_in_a_file_of_another_name_are_those_that_are_known():
    known = FileDescriptorProto(name="google_protobuf.proto", package="google.protobuf", syntax="proto3")
    known.message_type.add(name="Timestamp").field.add(name="seconds", number=1, label=1, type=F.TYPE_INT64)
    file = made()
    file.dependency.append(known.name)
    file.message_type[0].field.add(
        name="at", number=2, label=1, type=F.TYPE_MESSAGE, type_name="google.protobuf.Timestamp"
    )
    schema = schema_of(file, known)
    at = schema.message("legacy.v1.Note").fields_by_name["at"].message_type
    assert at.file.name == "google/protobuf/timestamp.proto"
    assert [each.name for each in schema.symbols.imports(schema.symbols.files())] == [
        "legacy_v1.proto", "google/protobuf/timestamp.proto",
    ]  # fmt: skip


def test_a_default_that_is_not_escaped_is_written():
    file = made()
    file.message_type[0].field.add(name="marker", number=2, label=1, type=F.TYPE_BYTES, default_value="\x0001")
    assert 'default = "\\00001"' in to_source(files_of(file)[0])
