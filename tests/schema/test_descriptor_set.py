import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.errors import SchemaError
from inspector.schema import Schema
from inspector.schema.descriptor_set import parse_descriptor_set


def file(name="a.proto", package="p", messages=("M",), imports=()):
    proto = FileDescriptorProto(name=name, package=package, syntax="proto3", dependency=imports)
    for message in messages:
        proto.message_type.add(name=message).field.add(name="text", number=1, type=9, label=1)
    return proto


def test_files_are_found_by_name_and_by_package():
    parsed = parse_descriptor_set(FileDescriptorSet(file=[file(), file("b.proto", "q")]).SerializeToString(), "set")
    assert parsed.names() == ["b.proto", "a.proto"] or parsed.names() == ["a.proto", "b.proto"]
    assert [entry.name for entry in parsed.in_package("q")] == ["b.proto"]
    assert parsed.file("c.proto") is None


def test_a_buf_image_is_a_descriptor_set(write_set):
    extension = b"\xd2\xf6\x03\x02\x08\x01"  # field 8042, a message
    path = write_set("image.binpb", file().SerializeToString() + extension)
    assert Schema.from_files(path).messages() == ["p.M"]


def test_an_equal_file_twice_is_a_file_once(write_set):
    commented = file()
    commented.source_code_info.location.add(span=[1, 2, 3])
    commented.message_type[0].field[0].json_name = "text"
    schema = Schema.from_files(write_set("set.pb", file(), commented))
    assert schema.files() == ["a.proto"]
    assert schema.message("p.M").full_name == "p.M"


def test_unequal_files_of_one_name_are_refused(write_set):
    with pytest.raises(SchemaError, match=r"a\.proto is in the set twice, and the two differ \(p\.N\)"):
        Schema.from_files(write_set("set.pb", file(), file(messages=("M", "N"))))


def test_unequal_copies_of_always_known_files_are_no_conflict(write_set):
    name = "google/rpc/status.proto"
    copies = file(name, "google.rpc", ["Status"]), file(name, "google.rpc", ["Status", "Other"])
    schema = Schema.from_files(write_set("set.pb", *copies))
    assert [field.name for field in schema.message("google.rpc.Status").fields] == ["text"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x0a\x02\x22\x00", "has no name"),
        (b"\x0a\x04\x0a\x02\xff\xfe", "not UTF-8"),
        (b"\x0a\x03\x0a\x09a", "cannot be parsed"),
        (b"\x0a" + b"\xff" * 12, "length of a file is cut off or too long"),
        (b"\x0a\x03\x0a\x01a\x12\x00", "unexpected bytes between files"),
    ],
)
def test_damage_is_reported_with_its_offset(content, problem):
    with pytest.raises(SchemaError, match=problem) as caught:
        parse_descriptor_set(content, "set.pb")
    assert "set.pb: offset " in caught.value.where


def test_every_truncation_is_refused_or_leaves_whole_files():
    data = FileDescriptorSet(file=[file(), file("b.proto", "q", ["N"])]).SerializeToString()
    whole = 0
    for size in range(len(data)):
        try:
            whole += len(parse_descriptor_set(data[:size], "set").names())
        except SchemaError:
            continue
    assert whole == 1


BASE = FileDescriptorSet(
    file=[file(), file("b.proto", "q", ["N"], ["a.proto"]), file("c.proto", "p", ["O"], ["b.proto"])]
).SerializeToString()


def use(data: bytes) -> str:
    """Looks up all that is in a set; returns what the errors said."""
    try:
        schema = Schema([parse_descriptor_set(data, "set")])
    except SchemaError as error:
        return str(error)
    said = ""
    for name in (*schema.messages(), *schema.services(), "p.M", "q.N", "p.O.X"):
        try:
            found = schema.find_message(name)
        except SchemaError as error:
            said += str(error)
        else:
            assert found is None or schema.message_class(found)().SerializeToString() == b""
    return said


@given(st.binary(max_size=200))
def test_random_bytes_are_a_schema_or_a_schema_error(data):
    assert use(data).isprintable()


@given(st.lists(st.tuples(st.integers(0, len(BASE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_damaged_set_is_a_schema_or_a_schema_error(changes):
    data = bytearray(BASE)
    for position, value in changes:
        data[position] = value
    assert use(bytes(data)).isprintable()
