"""Text format as it is written."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2, text_format

from inspector.errors import DecodeError
from inspector.formats.base import Conversion
from inspector.formats.text import read, write
from inspector.limits import MAX_DEPTH
from inspector.wire.encode import length_delimited, tag
from inspector.wire.scan import EGROUP, SGROUP

MIB = 1 << 20

SCHEMA = """
syntax = "proto2";
package p;
import "google/protobuf/any.proto";
enum E { option allow_alias = true; ZERO = 0; ONE = 1; UNO = 1; }
message M {
  optional int64 i = 1;
  optional string s = 2;
  optional bytes b = 3;
  optional M m = 4;
  map<string, int32> counts = 5;
  map<bool, M> by_bool = 6;
  optional E e = 7;
  optional group Group = 8 { optional int32 x = 1; }
  optional google.protobuf.Any any = 9;
  optional double d = 10;
  repeated float f = 11 [packed = true];
  repeated E es = 12;
  optional Plain plain = 13;
  extensions 100 to 199;
}
message Plain {}
extend M { optional int32 ext = 100; optional group ExtGroup = 101 { optional int32 x = 1; } }
message Set { option message_set_wire_format = true; extensions 4 to max; }
message Item { extend Set { optional Item item = 4; } optional int32 x = 1; }
"""


@pytest.fixture(scope="module")
def schema(compile_proto):
    return compile_proto(SCHEMA)


@pytest.fixture(scope="module")
def written(schema):
    def write_wire(wire, type_name="p.M", **options):
        wire = bytes.fromhex(wire) if isinstance(wire, str) else wire
        return write(wire, Conversion(schema if type_name else None, type_name, **options)).decode()

    return write_wire


def nested(depth, around, data=b""):
    for _ in range(depth):
        data = around(data)
    return data


def grouped(data):
    return tag(9, SGROUP) + data + tag(9, EGROUP)


def an_any(url, payload):
    return length_delimited(1, url.encode()) + length_delimited(2, payload)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("08ffffffffffffffffff01", "i: -1\n"),
        ("1206e697a51b5b6d", 's: "日\\033[m"\n'),
        ("1202ff41", 's: "\\377A"\n'),
        ("1a0441c3a900", 'b: "A\\303\\251\\000"\n'),
        ("220422020801", "m {\n  m {\n    i: 1\n  }\n}\n"),
        ("3801", "e: ONE\n"),
        ("43080144", "Group {\n  x: 1\n}\n"),
        ("51000000000000f03f", "d: 1\n"),
        ("5a0800000040cdcccc3d", "f: 2\nf: 0.1\n"),
        ("60016000", "es: ONE\nes: ZERO\n"),
        ("a00605ab060801ac06", "[p.ext]: 5\n[p.extgroup] {\n  x: 1\n}\n"),
        (
            "2a050a01621002 2a050a01611001 2a00",
            'counts {\n  key: ""\n  value: 0\n}\n'
            'counts {\n  key: "a"\n  value: 1\n}\n'
            'counts {\n  key: "b"\n  value: 2\n}\n',
        ),
        (
            "3204 08011200 3204 08001200",
            "by_bool {\n  key: false\n  value {\n  }\n}\nby_bool {\n  key: true\n  value {\n  }\n}\n",
        ),
    ],
)
def test_fields_as_protoc_prints_them(written, wire, text):
    assert written(wire) == text


def test_a_descriptor_is_written_as_text_format_writes_it(compile_proto):
    schema = compile_proto('syntax = "proto3"; package p; message M {}')
    schema.pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    wire = descriptor_pb2.DESCRIPTOR.serialized_pb
    expected = text_format.MessageToString(descriptor_pb2.FileDescriptorProto.FromString(wire), as_utf8=True)
    assert write(wire, Conversion(schema, "google.protobuf.FileDescriptorProto")).decode() == expected


def test_maps_with_keys_that_are_not_utf_8_are_written_whole(schema, written):
    wire = bytes.fromhex("2a050a01ff1001 2a050a01611002")
    text = written(wire)
    assert text == 'counts {\n  key: "\\377"\n  value: 1\n}\ncounts {\n  key: "a"\n  value: 2\n}\n'
    (back,) = read(text.encode(), Conversion(schema, "p.M"))
    assert written(back) == text


def test_items_of_a_message_set_go_by_their_types(written):
    assert written("0b10041a0208050c", "p.Set") == "[p.Item] {\n  x: 5\n}\n"


def test_items_of_a_message_set_of_unknown_types_come_back(schema, written):
    text = written("0b10071a0208050c", "p.Set")
    assert text == "1 <\n  2: 7\n  3 {\n    1: 5\n  }\n>\n"
    assert b"".join(read(text.encode(), Conversion(schema, "p.Set"))).hex() == "0b10071a0208050c"


# --- Any ---------------------------------------------------------------------------------------------------------


def test_any_of_a_known_type_has_its_payload_written_out(written):
    wire = length_delimited(9, an_any("type.googleapis.com/p.Item", b"\x08\x05\x10\x01") + b"\x18\x07")
    assert written(wire) == "any {\n  [type.googleapis.com/p.Item] {\n    x: 5\n    2: 1\n  }\n  3: 7\n}\n"


@pytest.mark.parametrize(
    ("url", "payload"),
    [
        ("a/p.Nope", b"\x08\x05"),
        ("p.Item", b""),
        ("/p.Item", b""),
        ("a b/p.Item", b""),
        ("a/p.Item", b"\x08"),
        ("", b"\x01"),
    ],
)
def test_any_that_cannot_be_written_out_is_plain(schema, written, url, payload):
    text = written(an_any(url, payload), "google.protobuf.Any")
    assert "[" not in text
    (back,) = read(text.encode(), Conversion(schema, "google.protobuf.Any"))
    parse = schema.message_class("google.protobuf.Any").FromString
    assert parse(back) == parse(an_any(url, payload))


@pytest.mark.parametrize("depth", [1, 2, 100, 101, 102, 600])
def test_any_in_any_is_written_out_to_the_limit_and_comes_back(schema, written, depth):
    wire = nested(depth, lambda data: an_any("type.googleapis.com/google.protobuf.Any", data))
    text = written(wire, "google.protobuf.Any")
    indents = [len(line) - len(line.lstrip()) for line in text.splitlines()]
    assert max(indents, default=0) == 2 * min(depth - 1, MAX_DEPTH)
    (back,) = read(text.encode(), Conversion(schema, "google.protobuf.Any"))
    assert written(back, "google.protobuf.Any") == text


# --- fields told by number ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_name", ["p.Plain", None])
@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("0805", "1: 5\n"),
        ("08ffffffffffffffffff01", "1: 18446744073709551615\n"),
        ("0d0a000000", "1: 0x0000000a\n"),
        ("090a00000000000000", "1: 0x000000000000000a\n"),
        ("0b131801140c", "1 <\n  2 <\n    3: 1\n  >\n>\n"),
        ("0a0b68656c6c6f20776f726c64", '1: "hello world"\n'),
        ("0a09e697a5e69cace8aa9e", '1: "日本語"\n'),
        ("0a0408011001", "1 {\n  1: 1\n  2: 1\n}\n"),
        ("0a04ff00fffe", '1: "\\377\\000\\377\\376"\n'),
    ],
)
def test_the_form_of_a_value_tells_its_wire_type(schema, written, type_name, wire, text):
    assert written(wire, type_name) == text
    (back,) = read(text.encode(), Conversion(schema if type_name else None, type_name))
    assert back.hex() == wire


def test_fields_that_contradict_the_schema_come_back(schema, written):
    wire = bytes.fromhex("0a0178 38e807 60e807 6002")
    text = written(wire)
    assert text == '1: "x"\n7: 1000\n12: 1000\n12: 2\n'
    (back,) = read(text.encode(), Conversion(schema, "p.M"))
    assert back == wire


def test_hints_say_what_a_field_is(written):
    wire = "0a02313222041a020801"
    assert written(wire, None) == '1: "12"\n4 {\n  3 {\n    1: 1\n  }\n}\n'
    assert written(wire, None, hints={"4.3": "bytes"}) == '1: "12"\n4 {\n  3: "\\010\\001"\n}\n'
    typed = "2205fa01020801"
    assert written(typed, hints={"4.31": "bytes"}) == 'm {\n  31: "\\010\\001"\n}\n'
    assert written(typed) == "m {\n  31 {\n    1: 1\n  }\n}\n"


# --- hostile messages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_name", ["p.Plain", "p.M", None])
@pytest.mark.parametrize(
    "wire",
    [b"\x4b" * MIB, b"\x80" * MIB, bytes(MIB), nested(MAX_DEPTH + 1, grouped), bytes.fromhex("0affffffff07")],
    ids=["groups", "varint", "zeros", "groups over the limit", "length"],
)
def test_damaged_messages_have_an_offset(written, wire, type_name):
    with pytest.raises(DecodeError) as caught:
        written(wire, type_name)
    assert caught.value.offset is not None


@pytest.mark.parametrize("type_name", ["p.Plain", None])
@pytest.mark.parametrize(
    "wire",
    [
        nested(2000, lambda data: length_delimited(7, data)),
        nested(MAX_DEPTH, grouped),
        nested(60, lambda data: length_delimited(7, data), nested(60, grouped)),
        length_delimited(7, b"") * 20_000,
        b"\x08\x01\x10\x01" * 10_000,
        nested(12, lambda data: length_delimited(7, data) * 2, b"\x08\x01"),
    ],
    ids=["nested", "groups", "groups in nested", "empty ones", "alternating", "tree"],
)
def test_hostile_messages_come_back(schema, written, wire, type_name):
    text = written(wire, type_name)
    (back,) = read(text.encode(), Conversion(schema if type_name else None, type_name))
    assert back == wire
