"""Names of fields in text format, against text_format: groups, fields of editions that look like groups, extensions."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from inspector.formats.text_names import field_name, find_extension, find_field, is_any, reserved_names
from inspector.formats.text_reader import TextReader
from inspector.formats.text_writer import TextWriter

BODY = """
package p;
message Beside { int32 x = 1; }
message M {
  message Like { int32 x = 1; }
  message Other { int32 x = 1; }
  Like like = 1 [features.message_encoding = DELIMITED];
  Other another = 2 [features.message_encoding = DELIMITED];
  Beside beside = 3 [features.message_encoding = DELIMITED];
  Like prefixed = 4;
  repeated Other others = 5 [features.message_encoding = DELIMITED];
  reserved gone;
  extensions 100 to 199;
}
extend M {
  Beside beside = 100 [features.message_encoding = DELIMITED];
  int32 number = 101;
}
"""


@pytest.fixture(scope="module", params=["2023", "2024"])
def schema(request, compile_proto):
    body = BODY if request.param == "2023" else BODY.replace("message Beside", "export message Beside")
    return compile_proto(f'edition = "{request.param}";{body}')


@pytest.fixture(scope="module")
def descriptor(schema):
    return schema.find_message("p.M")


def test_a_field_that_looks_like_a_group_goes_by_its_type(descriptor):
    names = {field.name: field_name(field) for field in descriptor.fields}
    assert names == {
        "like": "Like",
        "another": "another",
        "beside": "beside",
        "prefixed": "prefixed",
        "others": "others",
    }


@pytest.mark.parametrize("name", ["Like", "like", "another", "beside", "prefixed"])
def test_fields_are_found_by_what_they_are_written_as(descriptor, name):
    assert find_field(descriptor, name).name == name.lower()


@pytest.mark.parametrize("name", ["LIKE", "Another", "Other", "Beside", "nope"])
def test_other_names_are_not_found(descriptor, name):
    assert find_field(descriptor, name) is None


def test_extensions_are_found_by_full_name(descriptor):
    assert find_extension(descriptor, "p.number").number == 101
    assert find_extension(descriptor, "p.nope") is None
    assert find_extension(descriptor, "p.M") is None


def test_reserved_names_are_told(descriptor):
    assert reserved_names(descriptor) == {"gone"}


def test_the_whole_is_written_and_read_as_text_format_does(schema):
    text = (
        "Like { x: 1 } another { x: 2 } beside <x: 3> prefixed { x: 4 } others [{ x: 5 }, {}] "
        "[p.beside] { x: 6 } [p.number]: 7"
    )
    parsed = text_format.Parse(text, schema.message_class("p.M")())
    wire = TextReader(schema, "p.M").read(text.encode())
    assert schema.message_class("p.M").FromString(wire) == parsed
    assert TextWriter(schema).message(parsed) == text_format.MessageToString(parsed)


def test_any_is_told_by_its_fields_too(compile_proto):
    assert is_any(compile_proto('syntax = "proto3"; message M {}').find_message("google.protobuf.Any"))
    other = compile_proto('syntax = "proto3"; package google.protobuf; message Any { int32 value = 1; }', known=False)
    assert not is_any(other.find_message("google.protobuf.Any"))
