"""The printer: where it goes its own way instead of raising, and kinds of fields by hand."""

from __future__ import annotations

import math

import pytest
from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict

from inspector.errors import DecodeError
from inspector.limits import MAX_DEPTH
from inspector.transcode.json_text import dumps
from inspector.transcode.printer import JsonPrinter

PROTO3 = """
syntax = "proto3";
package p;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Color { RED = 0; GREEN = 1; }
message M {
  int64 big = 1;
  uint64 huge_id = 2;
  float ratio = 3;
  double exact = 4;
  bytes blob = 5;
  Color color = 6;
  repeated Color colors = 7;
  map<bool, int64> flags = 8;
  map<int32, M> by_number = 9;
  optional int32 maybe = 10;
  M inner = 11;
  repeated M items = 12;
  google.protobuf.Any any = 13;
  google.protobuf.Timestamp at = 14;
  google.protobuf.Duration took = 15;
  google.protobuf.FieldMask mask = 16;
  google.protobuf.Value value = 17;
  google.protobuf.Struct struct = 18;
  google.protobuf.Int64Value wrapped = 19;
  google.protobuf.NullValue null = 20;
  oneof choice { string text = 21; bool yes = 22; }
  string custom = 23 [json_name = "Own-Name"];
  repeated double numbers = 24;
}
"""

PROTO2 = """
syntax = "proto2";
package p;
enum Closed { ONE = 1; TWO = 2; }
message M {
  optional string text = 1;
  map<string, string> names = 2;
  map<string, M> inner = 3;
  optional group MyGroup = 4 { optional int32 x = 1; }
  required int32 must = 5;
  optional Closed closed = 6 [default = TWO];
  repeated string texts = 7;
  extensions 100 to 199;
}
extend M { optional M ext = 100; repeated int64 numbers = 101; }
"""


@pytest.fixture(scope="module")
def three(compile_proto):
    return compile_proto(PROTO3)


@pytest.fixture(scope="module")
def two(compile_proto):
    return compile_proto(PROTO2)


def make(resolver, **fields):
    return resolver.message_class("p.M")(**fields)


def test_every_kind_in_its_json_form(three):
    message = make(three, big=-(2**63), huge_id=2**64 - 1, ratio=0.9, exact=0.1, blob=b"\x00\xff", color=1, maybe=0)
    message.colors.extend([0, 1, 77])
    message.flags[True] = 5
    message.by_number[-1].text = "x"
    message.numbers.extend([math.nan, math.inf, -math.inf, 1.0])
    message.wrapped.value = 7
    message.null = 0
    message.custom = "c"
    assert JsonPrinter(three).to_value(message) == {
        "big": "-9223372036854775808",
        "hugeId": "18446744073709551615",
        "ratio": 0.9,
        "exact": 0.1,
        "blob": "AP8=",
        "color": "GREEN",
        "colors": ["RED", "GREEN", 77],
        "flags": {"true": "5"},
        "byNumber": {"-1": {"text": "x"}},
        "maybe": 0,
        "wrapped": "7",
        "Own-Name": "c",
        "numbers": ["NaN", "Infinity", "-Infinity", 1.0],
    }


@pytest.mark.parametrize("option", ["emit_defaults", "proto_names", "enum_numbers"])
def test_options_are_those_of_json_format(three, option):
    theirs = {
        "emit_defaults": "always_print_fields_with_no_presence",
        "proto_names": "preserving_proto_field_name",
        "enum_numbers": "use_integers_for_enums",
    }[option]
    message = make(three, color=1, huge_id=3)
    message.inner.colors.append(1)
    printed = JsonPrinter(three, **{option: True}).to_value(message)
    assert printed == MessageToDict(message, descriptor_pool=three.pool, **{theirs: True})
    assert printed != JsonPrinter(three).to_value(message)


def test_lists_of_defaults_are_not_shared(three):
    printer = JsonPrinter(three, emit_defaults=True)
    printer.to_value(make(three))["items"].append(1)
    assert printer.to_value(make(three))["items"] == []


def test_groups_and_extensions(two):
    wire = bytes.fromhex("23 0805 24 a20602 2801 a80607 a80608")
    message = two.message_class("p.M").FromString(wire)
    expected = {"mygroup": {"x": 5}, "[p.ext]": {"must": 1}, "[p.numbers]": ["7", "8"]}
    assert JsonPrinter(two).to_value(message) == expected == MessageToDict(message, descriptor_pool=two.pool)


# --- where json_format raises, or loses -------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["type.googleapis.com/no.Such", "", "p.M/", "/"])
def test_any_of_unknown_type_is_base64(three, url):
    message = make(three)
    message.any.type_url, message.any.value = url, b"\x08\x01"
    assert JsonPrinter(three).to_value(message) == {"any": {"@type": url, "value": "CAE="}}
    assert JsonPrinter().to_value(message) == {"any": {"@type": url, "value": "CAE="}}


def test_any_that_does_not_parse_is_base64(three):
    message = make(three)
    message.any.type_url, message.any.value = "x/p.M", b"\x08"
    assert JsonPrinter(three).to_value(message) == {"any": {"@type": "x/p.M", "$bytes": "CA=="}}


def test_empty_any(three):
    message = make(three)
    message.any.SetInParent()
    assert JsonPrinter(three).to_value(message) == {"any": {}}


def test_well_known_type_in_any_stands_under_value(three):
    message = make(three)
    message.any.Pack(make(three).at)
    url = "type.googleapis.com/google.protobuf.Timestamp"
    assert JsonPrinter(three).to_value(message) == {"any": {"@type": url, "value": "1970-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("field", "content", "printed"),
    [
        ("at", {"seconds": -62_135_596_801}, {"seconds": "-62135596801"}),
        ("at", {"seconds": 253_402_300_800, "nanos": 5}, {"seconds": "253402300800", "nanos": 5}),
        ("at", {"nanos": -1}, {"nanos": -1}),
        ("took", {"seconds": 315_576_000_001}, {"seconds": "315576000001"}),
        ("took", {"seconds": 1, "nanos": -1}, {"seconds": "1", "nanos": -1}),
        ("took", {"nanos": 1_000_000_000}, {"nanos": 1_000_000_000}),
        ("mask", {"paths": ["camelCase"]}, {"paths": ["camelCase"]}),
        ("mask", {"paths": ["a__b", "c"]}, {"paths": ["a__b", "c"]}),
        ("mask", {"paths": ["a_"]}, {"paths": ["a_"]}),
        ("value", {}, None),
        ("value", {"number_value": math.nan}, "NaN"),
        ("value", {"number_value": -math.inf}, "-Infinity"),
    ],
)
def test_what_a_well_known_type_does_not_allow_is_shown(three, field, content, printed):
    message = make(three)
    part = getattr(message, field)
    part.SetInParent()
    for name, value in content.items():
        getattr(part, name).extend(value) if name == "paths" else setattr(part, name, value)
    assert JsonPrinter(three).to_value(message) == {field: printed}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Timestamp", "string seconds = 1;"),
        ("Any", "int32 type_url = 1; bytes value = 2;"),
        ("Int64Value", "int64 number = 1;"),
        ("Value", "repeated Value list_value = 1;"),
    ],
)
def test_an_impostor_of_a_well_known_type_is_a_plain_message(name, field, compile_proto):
    schema = compile_proto(f'syntax = "proto3"; package google.protobuf; message {name} {{ {field} }}', known=False)
    message = schema.message_class(f"google.protobuf.{name}").FromString(b"\x1a\x00")
    assert JsonPrinter(schema).to_value(message) == {}


def test_strings_that_are_not_utf8(two):
    wire = bytes.fromhex(
        "0a02 61ff 3a01 fe 1206 0a01ff 1201fe 1206 0a016b 120176 1a07 0a01fd 1202 2805".replace(" ", "")
    )
    message = two.message_class("p.M").FromString(wire)
    assert JsonPrinter(two).to_value(message) == {
        "text": "a\ufffd",
        "texts": ["\ufffd"],
        "names": {"\ufffd": "\ufffd", "k": "v"},
        "inner": {"\ufffd": {"must": 5}},
    }


# --- depth -------------------------------------------------------------------------------------------------------


def chain(resolver, depth):
    message = make(resolver)
    inner = message
    for _ in range(depth):
        inner = inner.items.add()
    inner.text = "deep"
    return message


def test_prints_as_deep_as_the_runtime_parses(three):
    wire = chain(three, MAX_DEPTH).SerializePartialToString()
    message = three.message_class("p.M").FromString(wire)
    printed = JsonPrinter(three).to_value(message)
    assert printed == MessageToDict(message, descriptor_pool=three.pool)
    assert dumps(printed)


def test_a_message_built_deeper_is_refused(three):
    with pytest.raises(DecodeError) as caught:
        JsonPrinter(three).to_value(chain(three, MAX_DEPTH + 1))
    assert caught.value.code == "depth"


def test_any_in_any_ends_in_base64(three):
    payload = make(three, text="deep").SerializeToString()
    for _ in range(600):
        message = make(three)
        message.any.type_url, message.any.value = "x/p.M", payload
        payload = message.SerializeToString()
    printed = JsonPrinter(three).to_value(message)
    assert dumps(printed)
    levels = 0
    while isinstance(printed, dict):
        printed, levels = printed.get("any", printed.get("$bytes")), levels + 1
    assert isinstance(printed, str)
    assert MAX_DEPTH // 2 <= levels <= MAX_DEPTH


def test_a_deep_message_in_any_falls_back_at_the_any(three):
    message = chain(three, 60)
    inner = message
    while inner.items:
        inner = inner.items[0]
    inner.any.Pack(chain(three, 60))
    printed = JsonPrinter(three).to_value(message)
    for _ in range(60):
        printed = printed["items"][0]
    assert isinstance(printed["any"]["$bytes"], str)


def test_deep_values_are_bounded_too():
    value = struct_pb2.Value()
    inner = value
    for _ in range(200):
        inner = inner.list_value.values.add()
    with pytest.raises(DecodeError):
        JsonPrinter().to_value(value)
