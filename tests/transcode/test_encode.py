"""JSON to bytes: what the mapping allows, what it refuses, and where errors are."""

from __future__ import annotations

import pytest
from google.protobuf.json_format import ParseDict

from inspector.errors import EncodeError, SchemaError
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from inspector.wire.encode import length_delimited, varint

PROTO3 = """
syntax = "proto3";
package t;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Color { UNKNOWN = 0; RED = 1; ROUGE = 1; option allow_alias = true; }
message All {
  int32 int32_field = 1;
  int64 int64_field = 2;
  uint32 uint32_field = 3;
  uint64 uint64_field = 4;
  sint32 sint32_field = 5;
  fixed64 fixed64_field = 6;
  float float_field = 7;
  double double_field = 8;
  bool bool_field = 9;
  string string_field = 10;
  bytes bytes_field = 11;
  Color color = 12;
  All child = 13;
  optional int32 maybe = 14;
  repeated int32 numbers = 15;
  repeated int32 loose = 16 [packed = false];
  repeated string words = 17;
  repeated All children = 18;
  repeated Color colors = 19;
  map<int32, string> by_number = 20;
  map<bool, string> by_bool = 21;
  map<string, All> by_name = 22;
  map<string, Color> color_of = 23;
  oneof choice { int32 first = 24; string second = 25; google.protobuf.NullValue nothing = 26; }
  google.protobuf.Any any = 30;
  google.protobuf.Timestamp time = 31;
  google.protobuf.Duration duration = 32;
  google.protobuf.FieldMask mask = 33;
  google.protobuf.Struct struct = 34;
  google.protobuf.Value value = 35;
  google.protobuf.Int64Value wrapped = 36;
  google.protobuf.ListValue list = 37;
}
"""

PROTO2 = """
syntax = "proto2";
package t;
enum Closed { ONE = 1; TWO = 2; }
message Strict {
  required string name = 1;
  optional Closed closed = 2;
  optional group Part = 3 { optional int32 x = 1; }
  optional int32 preset = 4 [default = 7];
  repeated Strict inner = 5;
  map<string, Strict> named = 6;
  extensions 100 to 200;
}
extend Strict { optional int32 extra = 100; repeated Strict more = 101; }
message Bag { option message_set_wire_format = true; extensions 4 to max; }
message Item { extend Bag { optional Item item = 1000; } optional string s = 1; }
message Holder { optional Bag bag = 1; }
"""

EDITION = """
edition = "2023";
package t;
option features.field_presence = IMPLICIT;
option features.message_encoding = DELIMITED;
option features.repeated_field_encoding = EXPANDED;
enum Shut { option features.enum_type = CLOSED; NONE = 0; SOME = 1; }
message Modern {
  int32 implicit = 1;
  int32 explicit = 2 [features.field_presence = EXPLICIT];
  Modern delimited = 3;
  repeated int32 expanded = 4;
  repeated int32 packed = 5 [features.repeated_field_encoding = PACKED];
  map<string, Modern> named = 6;
}
"""


@pytest.fixture(scope="module")
def proto3(compile_proto):
    return compile_proto(PROTO3)


@pytest.fixture(scope="module")
def proto2(compile_proto):
    return compile_proto(PROTO2)


@pytest.fixture(scope="module")
def edition(compile_proto):
    return compile_proto(EDITION)


def encode(resolver, value, type_name="t.All", **options):
    return MessageEncoder(resolver, **options).encode(type_name, value)


def refusal(resolver, text, type_name="t.All", **options):
    with pytest.raises(EncodeError) as raised:
        MessageEncoder(resolver, **options).encode_json(type_name, text)
    return raised.value


# --- values that are taken ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ({"int32Field": 1}, "0801"),
        ({"int32_field": 1}, "0801"),
        ({"int32Field": "1"}, "0801"),
        ({"int32Field": 1.0}, "0801"),
        ({"int32Field": "1e5"}, "08a08d06"),
        ({"int32Field": -1}, "08ffffffffffffffffff01"),
        ({"int32Field": 0}, ""),
        ({"int32Field": None}, ""),
        ({"uint64Field": "18446744073709551615"}, "20ffffffffffffffffff01"),
        ({"sint32Field": -2147483648}, "28ffffffff0f"),
        ({"fixed64Field": 1}, "310100000000000000"),
        ({"floatField": 0.5}, "3d0000003f"),
        ({"floatField": "-Infinity"}, "3d000080ff"),
        ({"floatField": 3.4028235e38}, "3dffff7f7f"),
        ({"doubleField": "NaN"}, "41000000000000f87f"),
        ({"doubleField": -0.0}, "410000000000000080"),
        ({"boolField": True}, "4801"),
        ({"stringField": "é"}, "5202c3a9"),
        ({"bytesField": "-_8="}, "5a02fbff"),
        ({"bytesField": "+/8"}, "5a02fbff"),
        ({"color": "ROUGE"}, "6001"),
        ({"color": 5}, "6005"),
        ({"child": {"child": {}}}, "6a026a00"),
        ({"maybe": 0}, "7000"),
        ({"numbers": [1, 300]}, "7a0301ac02"),
        ({"numbers": []}, ""),
        ({"loose": [1, 0]}, "800101800100"),
        ({"words": ["", "a"]}, "8a01008a010161"),
        ({"byNumber": {"-1": ""}}, "a2010d08ffffffffffffffffff011200"),
        ({"byBool": {"true": "x"}}, "aa01050801120178"),
        ({"byName": {"": {}}}, "b201040a001200"),
        ({"first": 0}, "c00100"),
        ({"nothing": None}, "d00100"),
        ({"first": None, "second": ""}, "ca0100"),
        ({"time": "1970-01-01T00:00:01.5Z"}, "fa0108080110" + "80cab5ee01"),
        ({"time": "1970-01-01T02:00:00+02:00"}, "fa0100"),
        ({"duration": "-0.000000001s"}, "82020b10ffffffffffffffffff01"),
        ({"mask": "a,bC.d"}, "8a020a0a01610a05625f632e64"),
        ({"value": None}, "9a02020800"),
        ({"value": [True]}, "9a020632040a022001"),
        ({"struct": {"a": None}}, "9202090a070a016112020800"),
        ({"wrapped": "0"}, "a20200"),
        ({"list": []}, "aa0200"),
        ({"any": {}}, "f20100"),
        ({"second": "b", "int32Field": 1}, "0801ca010162"),
    ],
)
def test_writes(proto3, value, wire):
    written = encode(proto3, value)
    assert written.hex() == wire
    if value != {"floatField": 3.4028235e38}:  # which json_format refuses, though it prints it
        expected = ParseDict(value, proto3.message_class("t.All")(), descriptor_pool=proto3.pool)
        assert expected.SerializeToString(deterministic=True).hex() == wire


def test_any_holds_messages_and_well_known_types(proto3):
    inner = {"@type": "x/google.protobuf.Duration", "value": "1s"}
    value = {"any": {"int32Field": 1, "any": inner, "@type": "type.googleapis.com/t.All"}}
    message = proto3.message_class("t.All").FromString(encode(proto3, value))
    expected = ParseDict(value, proto3.message_class("t.All")(), descriptor_pool=proto3.pool)
    assert message == expected
    assert message.any.type_url == "type.googleapis.com/t.All"


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ({"name": "", "part": {"x": 1}}, "0a001b08011c"),
        ({"name": "", "preset": 7}, "0a002007"),
        ({"name": "", "closed": "TWO"}, "0a001002"),
        ({"[t.extra]": 1, "name": "a"}, "0a0161a00601"),
        ({"name": "", "[t.more]": [{"name": "x"}]}, "0a00aa06030a0178"),
    ],
)
def test_writes_proto2(proto2, value, wire):
    assert encode(proto2, value, "t.Strict").hex() == wire


def test_items_of_a_message_set_are_groups(proto2):
    value = {"bag": {"[t.Item.item]": {"s": "x"}}}
    written = encode(proto2, value, "t.Holder")
    assert written == ParseDict(value, proto2.message_class("t.Holder")()).SerializeToString()
    assert written.hex() == "0a0a" + "0b" + "10e807" + "1a030a0178" + "0c"


def test_features_of_editions_are_followed(edition):
    value = {"implicit": 0, "explicit": 0, "delimited": {"expanded": [1]}, "packed": [1], "named": {"a": {}}}
    written = encode(edition, value, "t.Modern")
    assert written == ParseDict(value, edition.message_class("t.Modern")()).SerializeToString()
    assert written.hex() == "1000" + "1b20011c" + "2a0101" + "32050a01611200"


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("f2010a0a05782f6e2e6f12010f", {"@type": "x/n.o", "value": "Dw=="}),
        ("f201070a05782f6e2e6f", {"@type": "x/n.o", "value": ""}),
        ("f2010312010f", {"@type": "", "value": "Dw=="}),
    ],
)
def test_an_any_of_an_unknown_type_is_written_from_what_is_printed_of_it(proto3, wire, value):
    printed = MessageDecoder(proto3).decode("t.All", bytes.fromhex(wire)).value
    assert printed == {"any": value}
    assert encode(proto3, printed).hex() == wire


@pytest.mark.parametrize(
    ("name", "payload"),
    [("t.All", "ff"), ("google.protobuf.StringValue", "0a"), ("google.protobuf.Any", "0a01"), ("n.o", "ff")],
)
def test_an_any_that_does_not_parse_is_written_from_what_is_printed_of_it(proto3, name, payload):
    url, content = f"x/{name}".encode(), bytes.fromhex(payload)
    wire = length_delimited(30, length_delimited(1, url) + length_delimited(2, content))
    printed = MessageDecoder(proto3).decode("t.All", wire).value
    assert encode(proto3, printed) == wire


def test_bytes_of_an_any_stand_alone(proto3):
    both = refusal(proto3, b'{"any": {"@type": "x/t.All", "$bytes": "Dw==", "text": ""}}')
    number = refusal(proto3, b'{"any": {"@type": "x/t.All", "$bytes": 1}}')
    strict = refusal(proto3, b'{"any": {"@type": "x/t.All", "$bytes": "Dw=="}}', strict=True)
    assert [each.path for each in (both, number, strict)] == ["any.text", "any.$bytes", "any.$bytes"]


def test_a_time_out_of_range_is_written_from_what_is_printed_of_it(proto3):
    wire = length_delimited(31, b"\x08" + varint(253_402_300_800))
    printed = MessageDecoder(proto3).decode("t.All", wire).value
    assert isinstance(printed["time"], dict)
    assert encode(proto3, printed) == wire


def test_strict_has_no_forms_of_its_own(proto3):
    unknown = refusal(proto3, b'{"any": {"@type": "x/n.o", "value": ""}}', strict=True)
    plain = refusal(proto3, b'{"time": {"seconds": 1}}', strict=True)
    assert (unknown.path, plain.path) == ("any.@type", "time")


def test_what_is_unknown_is_left_out_on_demand(proto3):
    value = {
        "nope": {"a": [1]},
        "color": "NOPE",
        "colors": ["RED", "NOPE"],
        "colorOf": {"a": "NOPE", "b": "RED"},
        "[no.such]": 1,
        "int32Field": 1,
    }
    written = encode(proto3, value, ignore_unknown=True)
    assert written == encode(proto3, {"int32Field": 1, "colors": ["RED"], "colorOf": {"b": "RED"}})


def test_numbers_beyond_the_integers_of_doubles_are_exact(proto3):
    encoder = MessageEncoder(proto3)
    for text in (
        b"9223372036854775807",
        b"9223372036854775807.0",
        b"9.223372036854775807e18",
        b"92233720368547758070e-1",
    ):
        assert encoder.encode_json("t.All", b'{"int64Field": %s}' % text).hex() == "10ffffffffffffffff7f"


def test_minus_zero_keeps_its_sign_without_a_point(proto3):
    assert (
        MessageEncoder(proto3).encode_json("t.All", b'{"doubleField": -0, "int32Field": -0}').hex()
        == "410000000000000080"
    )


# --- values that are refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "path", "said"),
    [
        (b'{"int32Field": "x"}', (1, 16), "int32Field", 'expected an integer (int32), found the string "x"'),
        (b'{"int32Field": 0.5}', (1, 16), "int32Field", "found the number 0.5"),
        (b'{"int32Field": true}', (1, 16), "int32Field", "found true"),
        (b'{"int32Field": 2147483648}', (1, 16), "int32Field", "out of the range of int32"),
        (b'{"int32Field": 1e999999999}', (1, 16), "int32Field", "out of the range of int32"),
        (b'{"int32Field": "1_0"}', (1, 16), "int32Field", "expected an integer"),
        (b'{"int32Field": " 1"}', (1, 16), "int32Field", "expected an integer"),
        (b'{"int32Field": "012"}', (1, 16), "int32Field", "expected an integer"),
        (b'{"uint32Field": -1}', (1, 17), "uint32Field", "out of the range of uint32"),
        (b'{"int64Field": ' + b"9" * 5000 + b"}", (1, 16), "int64Field", "out of the range of int64"),
        (b'{"doubleField": ' + b"9" * 5000 + b"}", (1, 17), "doubleField", "out of the range of double"),
        (b'{"doubleField": -1e400}', (1, 17), "doubleField", "out of the range of double"),
        (b'{"doubleField": "1e400"}', (1, 17), "doubleField", "out of the range of double"),
        (b'{"doubleField": "nan"}', (1, 17), "doubleField", "expected a number (double)"),
        (b'{"doubleField": true}', (1, 17), "doubleField", "found true"),
        (b'{"floatField": 3.5e38}', (1, 16), "floatField", "out of the range of float"),
        (b'{"boolField": "true"}', (1, 15), "boolField", "expected true or false"),
        (b'{"stringField": 5}', (1, 17), "stringField", "expected a string, found the number 5"),
        (b'{"stringField": "a\\ud800b"}', (1, 17), "stringField", "half of a surrogate pair (U+D800) at character 2"),
        (b'{"bytesField": "A?=="}', (1, 16), "bytesField", "not base64"),
        (b'{"bytesField": "AQI=="}', (1, 16), "bytesField", "padding"),
        (b'{"bytesField": "A"}', (1, 16), "bytesField", "not base64"),
        ('{"bytesField": "é"}'.encode(), (1, 16), "bytesField", "not base64"),
        (b'{"color": "REDD"}', (1, 11), "color", 'no value named "REDD" (did you mean RED'),
        (b'{"color": 2147483648}', (1, 11), "color", "no value"),
        (b'{"child": []}', (1, 11), "child", "expected an object (t.All), found an array"),
        (b'{"child": ""}', (1, 11), "child", "expected an object (t.All)"),
        (b'{"numbers": 1}', (1, 13), "numbers", "expected an array"),
        (b'{"numbers": [1,\n  null]}', (2, 3), "numbers[1]", "found null"),
        (b'{"children": [{}, {"words": [1]}]}', (1, 30), "children[1].words[0]", "found the number 1"),
        (b'{"byNumber": {"x": ""}}', (1, 15), 'byNumber["x"]', "expected an integer"),
        (b'{"byNumber": {"1": "", "1.0": ""}}', (1, 24), 'byNumber["1.0"]', 'the same key as "1"'),
        (b'{"byBool": {"True": ""}}', (1, 13), 'byBool["True"]', "expected true or false"),
        (b'{"byName": {"a b": {"first": "x"}}}', (1, 30), 'byName["a b"].first', "expected an integer"),
        (b'{"byName": {"a": null}}', (1, 18), 'byName["a"]', "found null"),
        (b'{"int32Field": 1, "int32_field": 1}', (1, 19), "int32_field", "twice, under both its names"),
        (b'{"int32Field": null, "int32_field": 1}', (1, 22), "int32_field", "twice, under both its names"),
        (b'{"first": 1, "second": ""}', (1, 14), "second", '"first" is there too, of the same oneof'),
        (b'{"nothing": null, "first": 1}', (1, 19), "first", "of the same oneof"),
        (b'{"int32Fild": 1}', (1, 2), "int32Fild", 't.All has no field "int32Fild" (did you mean int32Field'),
        (b'{"[t.no]": 1}', (1, 2), "[t.no]", 't.All has no field "[t.no]"'),
        (b'{"any": {"a": 1}}', (1, 9), "any", "@type"),
        (b'{"any": {"@type": 5}}', (1, 9), "any", "@type"),
        (b'{"any": {"@type": "x/n.o"}}', (1, 19), "any.@type", 'does not have the type "x/n.o"'),
        (b'{"any": {"@type": "x/t.All", "first": ""}}', (1, 39), "any.first", "expected an integer"),
        (b'{"any": {"@type": "x/google.protobuf.Duration"}}', (1, 9), "any", "the field value is missing"),
        (b'{"any": {"@type": "x/google.protobuf.Duration", "v": 1}}', (1, 49), "any.v", 'no field "v"'),
        (b'{"time": "1970-01-01"}', (1, 10), "time", "expected a time"),
        (b'{"time": "1970-02-30T00:00:00Z"}', (1, 10), "time", "is no time"),
        (b'{"time": "0001-01-01T00:00:00+01:00"}', (1, 10), "time", "out of the range"),
        (b'{"time": "1970-01-01T00:00:00.0000000001Z"}', (1, 10), "time", "expected a time"),
        (b'{"duration": "315576000001s"}', (1, 14), "duration", "out of the range"),
        (b'{"duration": "1"}', (1, 14), "duration", "expected a duration"),
        (b'{"mask": "a_b"}', (1, 10), "mask", "underscore"),
        (b'{"value": [1, {"a": 1e400}]}', (1, 21), 'value[1]["a"]', "out of the range of double"),
        (b'{"wrapped": {}}', (1, 13), "wrapped", "expected an integer (int64), found an object"),
    ],
)
def test_refuses(proto3, text, place, path, said):
    error = refusal(proto3, text)
    assert (error.line, error.column) == place
    assert error.path == path
    assert said in str(error)


def test_a_wrong_type_five_levels_deep_has_its_place(proto3):
    text = b"""{
  "children": [
    {},
    {"byName": {"k": {"child": {
      "numbers": [
        1,
        {}
      ]
    }}}}
  ]
}"""
    error = refusal(proto3, text)
    assert str(error) == (
        'line 7, column 9: children[1].byName["k"].child.numbers[1]: expected an integer (int32), found an object'
    )


def test_what_is_required_is_missed_with_its_path(proto2):
    error = refusal(proto2, b'{"name": "a", "inner": [{"name": ""},\n {"closed": "ONE"}]}', "t.Strict")
    assert (error.path, error.line, error.column) == ("inner[1].name", 2, 2)
    assert "required" in error.message


def test_a_closed_enum_takes_no_other_number(proto2):
    assert "no value" in refusal(proto2, b'{"name": "", "closed": 3}', "t.Strict").message


def test_an_extension_of_another_type_is_unknown(proto2):
    assert refusal(proto2, b'{"bag": {"[t.extra]": 1}}', "t.Holder").path == "bag.[t.extra]"


def nested(levels, open_, close):
    return open_ * levels + close * levels


@pytest.mark.parametrize("levels", [2_000, 100_000])
def test_deep_json_is_refused(proto3, levels):
    assert "nested" in refusal(proto3, nested(levels, b'{"child":', b"}").replace(b":}", b":{}}", 1)).message
    assert refusal(proto3, b'{"nope":' + nested(levels, b"[", b"]") + b"}").line == 1


def test_messages_nest_as_deep_as_they_can_be_read_again(proto3):
    deepest = b'{"child":' * 99 + b"{}" + b"}" * 99
    written = MessageEncoder(proto3).encode_json("t.All", b'{"child":' + deepest + b"}")
    assert MessageDecoder(proto3).decode("t.All", written).error is None
    assert "nested over 100 deep" in refusal(proto3, b'{"child":{"child":' + deepest + b"}}").message


def test_entries_of_maps_count_as_messages(proto3):
    fits = b'{"byName":{"":' * 50 + b"{}" + b"}}" * 50
    assert MessageDecoder(proto3).decode("t.All", MessageEncoder(proto3).encode_json("t.All", fits)).error is None
    assert "deep" in refusal(proto3, b'{"byName":{"":' * 50 + b'{"byBool":{"true":""}}' + b"}}" * 50).message


def test_any_in_any_is_bounded(proto3):
    deep = b'{"@type":"x/t.All","any":' * 600 + b"{}" + b"}" * 600
    assert "nested" in refusal(proto3, b'{"any":' + deep + b"}").message


def test_values_nest_within_the_limit(proto3):
    fits = b'{"value":' + nested(48, b"[", b"]") + b"}"
    written = MessageEncoder(proto3).encode_json("t.All", fits)
    assert MessageDecoder(proto3).decode("t.All", written).error is None
    assert "deep" in refusal(proto3, b'{"value":' + nested(60, b"[", b"]") + b"}").message


def test_what_is_shown_of_hostile_names_is_one_short_line(proto3):
    error = refusal(proto3, b'{"' + b"\\u001b[31m\\n" * 10_000 + b'": 1}')
    assert len(str(error)) < 400
    assert str(error).isprintable()


def test_a_type_that_is_not_there_is_an_error_of_the_schema(proto3):
    with pytest.raises(SchemaError, match=r"t\.No"):
        encode(proto3, {}, "t.No")
    with pytest.raises(SchemaError):
        encode(None, {})


@pytest.mark.parametrize("value", [{1: 2}, {"value": b"x"}, {"struct": {"a": object()}}, {"int64Field": 10**5000}])
def test_python_values_that_json_has_not_are_refused(proto3, value):
    with pytest.raises(EncodeError):
        encode(proto3, value)


def test_floats_that_are_not_finite_are_taken_from_python_where_the_field_can_hold_them(proto3):
    assert encode(proto3, {"doubleField": float("inf")}).hex() == "41000000000000f07f"
    with pytest.raises(EncodeError, match="finite"):
        encode(proto3, {"value": float("nan")})
