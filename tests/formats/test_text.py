"""Text format against google.protobuf.text_format over random schemas, and there and back with what a schema lacks."""

from __future__ import annotations

import pytest
from google.protobuf import text_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_schemas import schemas

from inspector.errors import DecodeError, EncodeError, InspectorError, SchemaError
from inspector.formats.base import Conversion
from inspector.formats.registry import TEXT
from inspector.formats.text import read, write, write_text

thorough = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def read_one(text, conversion):
    (message,) = read(text, conversion)
    return message


def outcome(convert, source, conversion):
    """What it returned, and the error that it raised instead."""
    try:
        return convert(source, conversion), None
    except InspectorError as error:
        return None, error


def shown(example, wire):
    """Text by the oracle, in which all NaNs are the same."""
    message = type(example.message).FromString(wire)
    return text_format.MessageToString(message, descriptor_pool=example.resolver.pool)


@thorough
@given(data=st.data())
def test_what_is_written_means_the_same_to_text_format(random_examples, data):
    example = data.draw(random_examples)
    wire = example.message.SerializeToString()
    text = write(wire, Conversion(example.resolver, example.type_name))
    parsed = text_format.Parse(text, type(example.message)(), descriptor_pool=example.resolver.pool)
    assert shown(example, parsed.SerializeToString()) == shown(example, wire)


@thorough
@given(data=st.data(), as_utf8=st.booleans(), in_lists=st.booleans(), angles=st.booleans(), one_line=st.booleans())
def test_reads_what_text_format_writes(random_examples, data, as_utf8, in_lists, angles, one_line):
    example = data.draw(random_examples)
    text = text_format.MessageToString(
        example.message,
        as_utf8=as_utf8,
        use_short_repeated_primitives=in_lists,
        pointy_brackets=angles,
        as_one_line=one_line,
        descriptor_pool=example.resolver.pool,
    )
    wire = read_one(text.encode(), Conversion(example.resolver, example.type_name))
    assert shown(example, wire) == shown(example, example.message.SerializeToString())


@thorough
@given(data=st.data())
def test_there_and_back_is_the_same_message(random_examples, data):
    example = data.draw(random_examples)
    conversion = Conversion(example.resolver, example.type_name)
    text = write(example.message.SerializeToString(), conversion)
    wire = read_one(text, conversion)
    assert shown(example, wire) == shown(example, example.message.SerializeToString())
    assert write(wire, conversion) == text


@thorough
@given(data=st.data())
def test_fields_that_another_schema_lacks_come_back(random_examples, data):
    wire = data.draw(random_examples).message.SerializeToString()
    other = data.draw(schemas())
    for name in ("t.M0", "google.protobuf.Empty", "google.protobuf.Any"):
        conversion = Conversion(other, name)
        text, error = outcome(write, wire, conversion)
        if error is not None:  # by chance, the other schema finds the wire damaged
            continue
        kept = other.message_class(name).FromString(wire)
        back = other.message_class(name).FromString(read_one(text, conversion))
        assert back.ByteSize() == kept.ByteSize()
        assert write(back.SerializeToString(), conversion) == text


@thorough
@given(data=st.data())
def test_without_a_type_the_same_bytes_come_back(random_examples, data):
    wire = data.draw(random_examples).message.SerializeToString()
    assert read_one(write(wire, Conversion()), Conversion()) == wire


@thorough
@given(wire=st.binary(max_size=60), schema=schemas())
def test_any_bytes_are_written_or_refused(wire, schema):
    for conversion in (Conversion(), Conversion(schema, "t.M0")):
        text, error = outcome(write, wire, conversion)
        if error is None:
            assert write(read_one(text, conversion), conversion) == text
        else:
            assert isinstance(error, DecodeError)
            assert 0 <= error.offset <= len(wire)


FRAGMENTS = [
    *(
        "some_field1",
        "x",
        "inf",
        "nan",
        "true",
        "ZERO",
        "[t.ext100]",
        "[type.googleapis.com/t.M1]",
        "1",
        "8",
        "0x00000001",
    ),
    *(
        "{",
        "}",
        "<",
        ">",
        "[",
        "]",
        ":",
        ";",
        ",",
        "-",
        "#",
        "\n",
        " ",
        '"a"',
        "'",
        '"',
        "\\",
        "1.5",
        "07",
        "é",
        "\0",
        "1e9",
    ),
]


@thorough
@given(parts=st.lists(st.sampled_from(FRAGMENTS), max_size=30), schema=schemas(), ignore=st.booleans())
def test_any_text_is_read_or_refused_with_its_place(parts, schema, ignore):
    text = "".join(parts)
    for conversion in (Conversion(), Conversion(schema, "t.M0", ignore_unknown=ignore)):
        wire, error = outcome(read_one, text.encode(), conversion)
        if error is None:
            assert write(wire, conversion)[-1:] in (b"", b"\n")
        else:
            assert isinstance(error, EncodeError)
            assert 1 <= error.line <= text.count("\n") + 1
            assert 1 <= error.column <= len(text) + 1


@given(text=st.binary(max_size=40))
def test_any_bytes_in_place_of_text_are_read_or_refused(text):
    wire, error = outcome(read_one, text, Conversion())
    assert isinstance(wire, bytes) if error is None else isinstance(error, EncodeError)


SCHEMA = """
syntax = "proto3";
package p;
message M { string name = 1; M child = 2; repeated int32 n = 3; }
message Clash { int32 ListFields = 1; int32 MergeFromString = 2; int32 SerializePartialToString = 3; }
"""


@pytest.fixture(scope="module")
def schema(compile_proto):
    return compile_proto(SCHEMA)


def test_the_format_has_its_usual_suffixes():
    assert TEXT.name == "text"
    assert TEXT.suffixes == (".txtpb", ".textproto", ".pbtxt", ".prototxt", ".textpb", ".text")


@pytest.mark.parametrize(
    ("wire", "code", "offset"),
    [("0a05", "truncated", 1), ("12040a02ff00", "utf8", 4), ("00", "wire", 0), ("120007", "wire", 2)],
)
def test_damage_is_told_with_its_offset(schema, wire, code, offset):
    with pytest.raises(DecodeError) as caught:
        write(bytes.fromhex(wire), Conversion(schema, "p.M"))
    assert (caught.value.code, caught.value.offset) == (code, offset)


def test_damage_is_told_without_a_type_too():
    with pytest.raises(DecodeError) as caught:
        write(bytes.fromhex("0801 0a05"), Conversion())
    assert (caught.value.code, caught.value.offset) == ("truncated", 3)


@pytest.mark.parametrize("conversion", [Conversion(None, "p.M"), Conversion(type_name="q.M")])
def test_a_type_that_is_not_there_is_a_schema_error(schema, conversion):
    conversion = conversion._replace(resolver=schema) if conversion.type_name == "q.M" else conversion
    for convert in (lambda: write(b"", conversion), lambda: read_one(b"", conversion)):
        with pytest.raises(SchemaError, match="no message type"):
            convert()


def test_names_that_hide_the_methods_of_messages_are_a_schema_error(schema):
    conversion = Conversion(schema, "p.Clash")
    for convert in (lambda: write(b"\x08\x01", conversion), lambda: read_one(b"ListFields: 1", conversion)):
        with pytest.raises(InspectorError):
            convert()


def test_unknown_fields_can_be_left_out(schema):
    wire = bytes.fromhex("0a0161 2001 120328010a00")
    wire = bytes.fromhex("0a0161 2001 1202 2801")
    conversion = Conversion(schema, "p.M")
    assert write(wire, conversion) == b'name: "a"\nchild {\n  5: 1\n}\n4: 1\n'
    assert write_text(wire, conversion, unknown_fields=False) == b'name: "a"\nchild {\n}\n'


def test_indentation_and_enum_numbers_can_be_chosen(compile_proto):
    schema = compile_proto("""
        syntax = "proto3"; package p;
        enum E { ZERO = 0; ONE = 1; }
        message M { E e = 1; M m = 2; }
    """)
    wire = bytes.fromhex("1202 0801")
    assert write(wire, Conversion(schema, "p.M", indent=4)) == b"m {\n    e: ONE\n}\n"
    assert write(wire, Conversion(schema, "p.M", enum_numbers=True)) == b"m {\n  e: 1\n}\n"


def test_an_empty_text_is_an_empty_message(schema):
    assert read_one(b"", Conversion(schema, "p.M")) == b""
    assert read_one(b" # nothing\n", Conversion()) == b""
    assert write(b"", Conversion(schema, "p.M")) == b""
