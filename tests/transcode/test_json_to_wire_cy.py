"""JSON to bytes by the kernel: the same bytes and errors as by the exact path, and taken where it should be."""

from __future__ import annotations

import json
import random
import struct
import threading
from functools import partial

import kernels
import pytest
from google.protobuf.json_format import MessageToDict, Parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.errors import EncodeError, InspectorError
from inspector.limits import MAX_DEPTH
from inspector.transcode.encode import MessageEncoder
from inspector.transcode.json_source import JsonSource

KERNEL = "inspector.transcode.json_to_wire_cy"
IS_BUILT = kernels.mode() == "require" or (kernels.mode() == "auto" and kernels.extension_path(KERNEL) is not None)
"""Whether the kernel has to be there. (Without it, its callers are tested against themselves.)"""

PROTO = """
syntax = "proto3";
package t;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Color { UNKNOWN = 0; RED = 1; ROUGE = 1; NEGATIVE = -3; option allow_alias = true; }
message All {
  int32 i32 = 1;
  int64 i64 = 2;
  uint32 u32 = 3;
  uint64 u64 = 4;
  sint32 s32 = 5;
  sint64 s64 = 6;
  fixed32 f32 = 7;
  fixed64 f64 = 8;
  sfixed32 sf32 = 9;
  sfixed64 sf64 = 10;
  float float = 11;
  double double = 12;
  bool bool = 13;
  string string = 14;
  bytes bytes = 15;
  Color color = 16;
  All child = 17;
  optional int32 maybe = 18;
  optional string maybe_text = 19;
  repeated int32 numbers = 20;
  repeated sint64 loose = 21 [packed = false];
  repeated double doubles = 22;
  repeated float floats = 23;
  repeated string words = 24;
  repeated bytes blobs = 25;
  repeated All children = 26;
  repeated Color colors = 27;
  repeated bool bools = 28;
  map<int32, string> by_i32 = 30;
  map<uint64, double> by_u64 = 31;
  map<sint32, bytes> by_s32 = 32;
  map<fixed64, bool> by_f64 = 33;
  map<bool, string> by_bool = 34;
  map<string, All> by_name = 35;
  map<string, Color> color_of = 36;
  map<string, google.protobuf.Value> value_of = 37;
  oneof choice { int32 first = 40; string second = 41; google.protobuf.NullValue nothing = 42; All third = 43; }
  google.protobuf.Any any = 50;
  google.protobuf.Timestamp time = 51;
  google.protobuf.Duration duration = 52;
  google.protobuf.FieldMask mask = 53;
  google.protobuf.Struct struct = 54;
  google.protobuf.Value value = 55;
  google.protobuf.ListValue list = 56;
  google.protobuf.Int64Value wrapped = 57;
  google.protobuf.StringValue wrapped_text = 58;
  google.protobuf.BytesValue wrapped_bytes = 59;
  google.protobuf.DoubleValue wrapped_double = 60;
  google.protobuf.BoolValue wrapped_bool = 61;
  google.protobuf.Empty empty = 62;
  repeated google.protobuf.Timestamp times = 63;
  repeated google.protobuf.Value values = 64;
  repeated google.protobuf.NullValue nulls = 65;
  google.protobuf.NullValue null = 66;
  int32 named = 67 [json_name = "other-Näme"];
}
"""

PROTO2 = """
syntax = "proto2";
package t;
enum Closed { ONE = 1; TWO = 2; MINUS = -2147483648; }
message Strict {
  required string name = 1;
  optional Closed closed = 2;
  optional group Part = 3 { optional int32 x = 1; }
  repeated group Parts = 7 { required int32 y = 1; }
  optional int32 preset = 4 [default = 7];
  repeated Strict inner = 5;
  map<string, Strict> named = 6;
  repeated int32 loose = 8;
  extensions 100 to 200;
}
extend Strict { optional int32 extra = 100; repeated Strict more = 101; }
message Bag { option message_set_wire_format = true; extensions 4 to max; }
message Item { extend Bag { optional Item item = 1000; } optional string s = 1; }
message Holder { optional Bag bag = 1; optional int32 last = 2; }
"""


@pytest.fixture(scope="module")
def proto3(compile_proto):
    return compile_proto(PROTO)


@pytest.fixture(scope="module")
def proto2(compile_proto):
    return compile_proto(PROTO2)


def outcome(encode):
    try:
        return encode()
    except InspectorError as error:
        return type(error), str(error)


def exact(encoder, type_name, text):
    """What values give, which know nothing of the kernel."""
    source = JsonSource(text)
    value, start = source.document()
    return encoder.encode(type_name, value, partial(source.place, start))


def agreed(resolver, text, type_name="t.All", **options):
    """The outcome of a text, which is that of the exact path."""
    encoder = MessageEncoder(resolver, **options)
    found = outcome(lambda: encoder.encode_json(type_name, text))
    assert found == outcome(lambda: exact(encoder, type_name, text)), text
    return found


# --- what the kernel takes itself --------------------------------------------------------------------------------

TAKEN = [
    "{}",
    ' \r\n\t{ \n"i32" : 1 , "u32":2\t}\n ',
    '{"i32": 2147483647, "i64": "9223372036854775807", "u32": 4294967295, "u64": "18446744073709551615"}',
    '{"i32": -2147483648, "i64": "-9223372036854775808", "s32": -2147483648, "s64": "-9223372036854775808"}',
    '{"f32": 4294967295, "f64": 18446744073709551615, "sf32": -1, "sf64": "-9223372036854775808"}',
    '{"i32": 1.0, "i64": "1e3", "u32": 12.50e1, "u64": 1E2, "s32": -0, "s64": -0.0, "sf64": "9.007199254740991e15"}',
    '{"i32": 0, "i64": "0", "u32": "0", "s32": 0, "f32": 0, "f64": 0, "float": 0, "double": 0.0, "bool": false}',
    '{"string": "", "bytes": "", "color": "UNKNOWN", "numbers": [], "words": [], "byI32": {}, "byName": {}}',
    '{"float": -0.0, "double": -0.0}',
    '{"float": 3.4028235e38, "double": 1.7976931348623157e308}',
    '{"float": 3.40282346638528859811704183484516925440e+38, "double": 5e-324}',
    '{"float": 1e-50, "double": 2.2250738585072011e-308}',
    '{"double": 9007199254740993}',
    '{"double": 0.1234567890123456789012345678901234567890}',
    '{"double": "1.5e-7", "float": "-2.25"}',
    '{"double": "NaN", "float": "Infinity"}',
    '{"double": "-Infinity", "float": "NaN"}',
    '{"bool": true, "string": "plain text of more than eight characters", "bytes": "AQIDBA=="}',
    '{"string": "é ü 漢字 \U0001f600 \u007f \u0080 \u07ff \u0800 \ud7ff \ue000 \uffff \U00010000 \U0010ffff"}',
    r'{"string": "\"\\\/\b\f\n\r\t\u0000\u00e9\u6F22\ud83d\ude00 and \\ more"}',
    '{"string": "' + "x" * 126 + r"\n" + '"}',
    '{"string": "' + "x" * 127 + r"\n" + '"}',
    '{"string": "' + "x" * 20_000 + r"\u00e9" + '"}',
    '{"bytes": "-_-_"}',
    '{"bytes": "+/+/-_8"}',
    '{"bytes": "AQ"}',
    '{"bytes": "AQ=="}',
    '{"bytes": "AR=="}',
    '{"bytes": "AQI="}',
    '{"color": "ROUGE", "colors": ["RED", 1, "1", -5, "-5", 1.0, "NEGATIVE"]}',
    '{"color": 7}',
    '{"child": {"child": {"i32": 1}, "string": "a"}, "maybe": 0, "maybeText": ""}',
    '{"numbers": [1, "2", 3.0, -4], "loose": [1, -1, "0"], "doubles": [1, "NaN"], "floats": [0.1], "bools": [true]}',
    '{"words": ["a", "", "\\u00e9"], "blobs": ["", "AQ"], "children": [{}, {"i32": 1}, {}]}',
    '{"byI32": {"1": "a", "-1": "b", "0": "", "2.0": "c"}, "byU64": {"18446744073709551615": 1.5, "0": 0}}',
    '{"byS32": {"-5": "AQ=="}, "byF64": {"7": true, "8": false}, "byBool": {"true": "a", "false": "b"}}',
    '{"byName": {"z": {}, "a": {"i32": 1}, "": {}, "\\n": {}, "é": {}}, "colorOf": {"a": "RED", "b": 0}}',
    '{"valueOf": {"a": null, "b": 1, "c": "x", "d": [null, true], "e": {"f": {}}}}',
    '{"first": 0}',
    '{"second": "", "first": null}',
    '{"nothing": null}',
    '{"third": {}}',
    '{"time": "2026-11-23T09:03:11.123456789Z", "duration": "-1.5s"}',
    '{"time": "1970-01-01T00:00:00Z", "duration": "0s"}',
    '{"times": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2000-02-29T12:00:00.5+01:30"]}',
    '{"times": ["1969-12-31T23:59:59.1-23:59", "1900-03-01T00:00:00Z", "2100-02-28T23:59:59Z"]}',
    '{"duration": "315576000000s"}',
    '{"duration": "-0.000000001s"}',
    '{"mask": "a,bC.dE,f"}',
    '{"mask": ""}',
    '{"mask": ",a,"}',
    '{"struct": {"a": 1, "b": [1, "x", null, false, {"c": {}}], "d": {}}, "list": [], "value": null}',
    '{"value": {"a": []}, "list": [[], {}, 1e5, -3], "values": [null, 1, "NaN", [2]]}',
    '{"wrapped": "0", "wrappedText": "", "wrappedBytes": "AQ==", "wrappedDouble": -0.0, "wrappedBool": false}',
    '{"wrapped": -5, "wrappedText": "x", "wrappedBytes": "", "wrappedDouble": 0, "wrappedBool": true, "empty": {}}',
    '{"nulls": [null, null, 0, "NULL_VALUE"], "null": null, "i32": null, "child": null, "time": null, "wrapped": null}',
    '{"other-Näme": 5}',
    '{"named": 5, "i64": 2, "string": "out of order", "i32": 1}',
    '{"children": [{"string": "b", "i32": 1}, {"i32": 1, "string": "b"}], "child": {"maybe_text": "", "u32": 4}}',
    '{"maybe_text": "a", "maybe": 1, "by_name": {"x": {"color_of": {}}}}',
    '{"any": {}}',
    '{"any": {"@type": "type.googleapis.com/t.All", "i32": 1, "child": {"string": "x"}}}',
    '{"any": {"@type": "t.All"}}',
    '{"any": {"@type": "x/google.protobuf.Duration", "value": "1.5s"}}',
    '{"any": {"@type": "x/google.protobuf.Value", "value": null}}',
    '{"any": {"@type": "x/google.protobuf.Any", "value": {"@type": "x/t.All", "words": ["a"]}}}',
    '{"any": {"@type": "x/google.protobuf.Empty"}}',
]
"""Documents of t.All, as they are usual or at the edge of what is allowed."""

NOT_TAKEN_BY_JSON_FORMAT = ("3.4028235e38", '"nulls"')
"""The largest float as it is printed itself, and null in an array of NullValue."""

TAKEN2 = [
    '{"name": "a", "closed": "TWO", "part": {"x": 1}, "parts": [{"y": 0}, {"y": 1}], "preset": 7}',
    '{"name": "", "closed": -2147483648, "inner": [{"name": "b"}], "named": {"x": {"name": ""}}, "loose": [1, 2]}',
    '{"[t.extra]": 5, "name": "a", "[t.more]": [{"name": "b"}]}',
]


@pytest.mark.parametrize("text", TAKEN)
def test_takes_what_the_exact_path_takes(proto3, text):
    written = agreed(proto3, text.encode())
    assert isinstance(written, bytes)
    if not any(each in text for each in NOT_TAKEN_BY_JSON_FORMAT):
        assert_same_message(proto3, text, written)


def assert_same_message(resolver, text, written, type_name="t.All"):
    """The bytes are what json_format has for the text, save for the order of map entries and extensions."""
    message_class = resolver.message_class(type_name)
    theirs = Parse(text, message_class(), descriptor_pool=resolver.pool)
    assert serialized(message_class.FromString(written)) == serialized(theirs)


def serialized(message):
    return message.SerializeToString(deterministic=True)


@pytest.mark.parametrize("text", TAKEN2)
def test_takes_groups_extensions_and_required_fields(proto2, text):
    written = agreed(proto2, text.encode(), "t.Strict")
    assert_same_message(proto2, text, written, "t.Strict")


def test_takes_the_items_of_a_message_set(proto2):
    text = b'{"bag": {"[t.Item.item]": {"s": "x"}}, "last": 1}'
    assert agreed(proto2, text, "t.Holder").hex() == "0a0a0b10e8071a030a01780c1001"


@pytest.mark.parametrize(
    ("type_name", "text"),
    [
        ("google.protobuf.Timestamp", '"2026-11-23T09:03:11Z"'),
        ("google.protobuf.Int64Value", '"5"'),
        ("google.protobuf.Int64Value", "5 "),
        ("google.protobuf.Value", "null"),
        ("google.protobuf.Value", '"x"'),
        ("google.protobuf.ListValue", "[1, [2]]"),
        ("google.protobuf.Struct", '{"a": 1}'),
        ("google.protobuf.FieldMask", '"a,b"'),
    ],
)
def test_a_document_may_be_any_value(proto3, type_name, text):
    assert isinstance(agreed(proto3, text.encode(), type_name), bytes)
    assert_taken(proto3, text, type_name)


def assert_taken(resolver, text, type_name="t.All"):
    if IS_BUILT:
        found = MessageEncoder(resolver).read_all(type_name, text.encode())
        assert found is not None
        assert found[1] == len(text.encode())


@pytest.mark.parametrize("text", [text for text in TAKEN if "e-50" not in text])
def test_the_kernel_leaves_nothing_usual_to_the_exact_path(proto3, text):
    assert_taken(proto3, text)


@pytest.mark.parametrize("text", TAKEN2)
def test_the_kernel_takes_groups_and_extensions_itself(proto2, text):
    assert_taken(proto2, text, "t.Strict")


# --- what it leaves to the exact path ----------------------------------------------------------------------------

LEFT = [
    "",
    " ",
    "{",
    "[]",
    "null",
    '{"i32": 1} x',
    '{"i32": 1}{"i32": 1}',
    '{"i32": 1,}',
    '{,"i32": 1}',
    '{"i32" 1}',
    '{"i32": 1 "i64": 2}',
    '{"i32": 1; "i64": 2}',
    "{i32: 1}",
    "{'i32': 1}",
    '{"i32": 01}',
    '{"i32": 1.}',
    '{"i32": .5}',
    '{"i32": +1}',
    '{"i32": -}',
    '{"i32": 1e}',
    '{"i32": 1e+}',
    '{"i32": 1_000}',
    '{"i32": "1_000"}',
    '{"i32": " 1"}',
    '{"i32": "1 "}',
    '{"i32": ""}',
    '{"i32": 0x10}',
    '{"i32": 1.5}',
    '{"i32": "\\u0031"}',
    '{"i32": 2147483648}',
    '{"i32": -2147483649}',
    '{"i64": 9223372036854775808}',
    '{"i64": -9223372036854775809}',
    '{"u32": 4294967296}',
    '{"u32": -1}',
    '{"u64": 18446744073709551616}',
    '{"u64": 28446744073709551615}',
    '{"u64": 118446744073709551615}',
    '{"u64": 1.8446744073709551615e19}',
    '{"i64": 9.223372036854775807e18}',
    '{"i64": 9007199254740993.0}',
    '{"i32": true}',
    '{"i32": [1]}',
    '{"i32": {}}',
    '{"bool": 1}',
    '{"bool": "true"}',
    '{"bool": truE}',
    '{"bool": nul}',
    '{"string": 1}',
    '{"string": "a\nb"}',
    '{"string": "a\\x"}',
    '{"string": "\\u12"}',
    '{"string": "\\u12g4"}',
    '{"string": "\\ud800"}',
    '{"string": "\\ud800\\u0041"}',
    '{"string": "\\udc00"}',
    '{"string": "abc',
    '{"string": "abc\\',
    '{"bytes": "A"}',
    '{"bytes": "AQ="}',
    '{"bytes": "AQ==="}',
    '{"bytes": "AQIDBA==="}',
    '{"bytes": "=="}',
    '{"bytes": "A Q="}',
    '{"bytes": "AQ=A"}',
    '{"bytes": "é="}',
    '{"bytes": "AQ\\u003d="}',
    '{"float": 3.4028236e38}',
    '{"float": 1e39}',
    '{"double": 1e400}',
    '{"double": NaN}',
    '{"double": Infinity}',
    '{"double": "nan"}',
    '{"double": 1e-400}',
    '{"color": "GREEN"}',
    '{"color": 1.5}',
    '{"color": "1.0"}',
    '{"color": 2147483648}',
    '{"color": null, "nope": 1}',
    '{"nope": 1}',
    '{"$unknown": {"100": 1}}',
    '{"i32": 1, "i32": 2}',
    '{"i32": null, "i32": 2}',
    '{"maybe_text": "a", "maybeText": "b"}',
    '{"i64": 1, "maybe_text": null, "maybeText": "b", "i32": 1}',
    '{"first": 1, "second": "a"}',
    '{"third": {}, "nothing": null}',
    '{"numbers": 1}',
    '{"numbers": [1,]}',
    '{"numbers": [null]}',
    '{"numbers": [1 2]}',
    '{"numbers": [1}',
    '{"byI32": []}',
    '{"byI32": {"a": "b"}}',
    '{"byI32": {1: "b"}}',
    '{"byI32": {"1": "a", "1": "b"}}',
    '{"byI32": {"1": "a", "1.0": "b"}}',
    '{"byI32": {"1": null}}',
    '{"byName": {"a": {}, "b": {}, "a": {}}}',
    '{"byName": {"a": null}}',
    '{"byBool": {"1": "a"}}',
    '{"byBool": {"true": "a", "true": "b"}}',
    '{"child": []}',
    '{"child": "x"}',
    '{"children": [null]}',
    '{"time": "2026-02-29T00:00:00Z"}',
    '{"time": "2026-01-01T24:00:00Z"}',
    '{"time": "2026-01-01T00:00:60Z"}',
    '{"time": "2026-13-01T00:00:00Z"}',
    '{"time": "0000-01-01T00:00:00Z"}',
    '{"time": "2026-01-01t00:00:00Z"}',
    '{"time": "2026-01-01T00:00:00"}',
    '{"time": "2026-01-01T00:00:00.Z"}',
    '{"time": "2026-01-01T00:00:00.1234567890Z"}',
    '{"time": "2026-01-01T00:00:00+1:00"}',
    '{"time": "2026-01-01T00:00:00+24:00"}',
    '{"time": "0001-01-01T00:00:00+00:01"}',
    '{"time": "9999-12-31T23:59:59-00:01"}',
    '{"time": {"seconds": "1"}}',
    '{"duration": "1"}',
    '{"duration": "1.s"}',
    '{"duration": ".5s"}',
    '{"duration": "+1s"}',
    '{"duration": "315576000001s"}',
    '{"duration": "1234567890123s"}',
    '{"duration": {"seconds": 1}}',
    '{"mask": "a_b"}',
    '{"mask": {"paths": ["a"]}}',
    '{"value": NaN}',
    '{"value": 1e999}',
    '{"struct": [1]}',
    '{"struct": {"a": 1, "a": 2}}',
    '{"list": {}}',
    '{"wrapped": "x"}',
    '{"wrapped": [1]}',
    '{"empty": {"a": 1}}',
    '{"any": {"i32": 1, "@type": "x/t.All"}}',
    '{"any": {"@type": "x/t.Nope"}}',
    '{"any": {"@type": "x/t.Nope", "value": "AQ=="}}',
    '{"any": {"@type": "x/t.All", "$bytes": "AQ=="}}',
    '{"any": {"@type": "x/t.All", "@type": "x/t.All"}}',
    '{"any": {"@type": ""}}',
    '{"any": {"@type": "x/google.protobuf.Duration"}}',
    '{"any": {"@type": "x/google.protobuf.Duration", "value": "1s", "more": 1}}',
    '{"i32": 1, "child": {"i32": 1, "child": {"string": 5}}}',
    '\ufeff{"i32": 1}',
    '{"i32":\u00a01}',
    '{"i32": 1}\u2028',
    "{" + '"child": {' * 110 + "}" * 111,
]


@pytest.mark.parametrize("text", LEFT)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("ignore_unknown", [False, True])
def test_refuses_what_the_exact_path_refuses(proto3, text, strict, ignore_unknown):
    found = agreed(proto3, text.encode(), strict=strict, ignore_unknown=ignore_unknown)
    assert isinstance(found, bytes | tuple)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"closed": "ONE"}',
        '{"name": null}',
        '{"name": "a", "closed": 3}',
        '{"name": "a", "closed": "THREE"}',
        '{"name": "a", "inner": [{}]}',
        '{"name": "a", "parts": [{}]}',
        '{"name": "a", "named": {"x": {}}}',
        '{"name": "a", "[t.nope]": 1}',
        '{"name": "a", "[t.extra]": 1, "[t.extra]": 1}',
    ],
)
def test_refuses_what_proto2_does_not_have(proto2, text):
    assert agreed(proto2, text.encode(), "t.Strict")[0] is EncodeError


@pytest.mark.parametrize(
    "content",
    [
        *(b"\x80", b"\xc3", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x80\x80\x80"),
        *(b"\xf8\x88\x80\x80\x80", b"\xff", b"\xe6\xbc", b"\xf0\x9f\x98", b"\xe6\xbc\x22", b"a" * 9 + b"\xc3("),
    ],
)
def test_refuses_what_is_not_utf_8(proto3, content):
    for text in (b'{"string": "' + content + b'"}', b'{"string": "' + content, b'{"byI32": {"1": "' + content + b'"}}'):
        assert agreed(proto3, text)[0] is EncodeError


# --- at random ---------------------------------------------------------------------------------------------------

thorough = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("text", TAKEN + TAKEN2)
def test_a_text_cut_off_anywhere_is_refused_alike(proto3, proto2, text):
    resolver, type_name = (proto2, "t.Strict") if text in TAKEN2 else (proto3, "t.All")
    encoder = MessageEncoder(resolver)
    data = text.encode()
    for end in range(len(data) if len(data) < 500 else 100):
        found = outcome(lambda: encoder.encode_json(type_name, data[:end]))  # noqa: B023
        assert found == outcome(lambda: exact(encoder, type_name, data[:end]))  # noqa: B023


@pytest.mark.parametrize("text", [text for text in TAKEN if len(text) < 500])
def test_a_changed_byte_has_the_same_outcome(proto3, text):
    encoder = MessageEncoder(proto3)
    source = random.Random(text)
    data = text.encode()
    for _ in range(60):
        place = source.randrange(len(data))
        byte = source.choice(b'"\\{}[],:0159-+.eEtfnuNa=/ \n\x00\x1f\x7f\x80\xc3\xff')
        changed = data[:place] + bytes([byte]) + data[place + source.randrange(2) :]
        found = outcome(lambda: encoder.encode_json("t.All", changed))  # noqa: B023
        assert found == outcome(lambda: exact(encoder, "t.All", changed)), changed  # noqa: B023


@thorough
@given(
    data=st.data(), proto_names=st.booleans(), enum_numbers=st.booleans(), defaults=st.booleans(), shuffle=st.booleans()
)
def test_random_messages_of_random_schemas(random_examples, data, proto_names, enum_numbers, defaults, shuffle):
    resolver, message = data.draw(random_examples)
    value = MessageToDict(
        message,
        preserving_proto_field_name=proto_names,
        use_integers_for_enums=enum_numbers,
        always_print_fields_with_no_presence=defaults,
        descriptor_pool=resolver.pool,
    )
    if shuffle:
        value = shuffled(value, data.draw(st.randoms()))
    indent = data.draw(st.sampled_from([None, 0, 2]))
    ascii_only = data.draw(st.booleans())
    separators = data.draw(st.sampled_from([None, (",", ":"), (" , ", "\t:\r\n")]))
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only, separators=separators).encode()
    name = message.DESCRIPTOR.full_name
    written = agreed(resolver, text, name)
    assert isinstance(written, bytes)
    for _ in range(5):
        place = data.draw(st.integers(0, len(text) - 1))
        agreed(resolver, text[:place] + data.draw(st.binary(max_size=2)) + text[place + 1 :], name)


def shuffled(value, source):
    """With the keys of all objects in another order, save for the first of an Any."""
    if isinstance(value, list):
        return [shuffled(item, source) for item in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    source.shuffle(keys)
    keys.sort(key=lambda key: key != "@type")
    return {key: shuffled(value[key], source) for key in keys}


@thorough
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.data())
def test_numbers_are_rounded_as_python_rounds_them(proto3, values, data):
    texts = [data.draw(st.sampled_from([repr(value), f"{value:.30e}", f"{value:.3g}"])) for value in values]
    written = agreed(proto3, b'{"doubles": [%s]}' % ",".join(texts).encode())
    expected = b"".join(struct.pack("<d", float(text)) for text in texts if float(text) not in (INF, -INF))
    assert isinstance(written, tuple) or written.endswith(expected)
    assert isinstance(written, bytes) or any(abs(float(text)) == INF for text in texts)


INF = float("inf")


@thorough
@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["i32", "i64", "u32", "u64", "s64", "f32", "sf64", "float", "double", "color", "value", "wrapped"]),
    st.booleans(),
)
def test_numbers_however_they_are_written(proto3, number, field, quoted):
    text = f'{{"{field}": "{number}"}}' if quoted else f'{{"{field}": {number}}}'
    assert isinstance(agreed(proto3, text.encode()), bytes | tuple)


@thorough
@given(st.text(), st.booleans())
def test_strings_however_they_are_written(proto3, content, ascii_only):
    text = json.dumps({"string": content, "words": [content] * 2, "byName": {content: {}}}, ensure_ascii=ascii_only)
    assert isinstance(agreed(proto3, text.encode("utf-8", "surrogatepass")), bytes | tuple)


@thorough
@given(st.binary(), st.booleans(), st.integers(0, 3))
def test_bytes_however_they_are_written(proto3, content, padded, spoiled):
    message = proto3.message_class("t.All")(bytes=content)
    text = MessageToDict(message).get("bytes", "")
    text = text if padded else text.rstrip("=")
    text = text[: max(0, len(text) - spoiled)] if spoiled else text
    assert isinstance(agreed(proto3, b'{"bytes": "%s"}' % text.encode()), bytes | tuple)


# --- bounds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize(
    ("levels", "opening", "closing"),
    [
        (MAX_DEPTH, '{"child":', "}"),
        (MAX_DEPTH, '{"children":[', "]}"),
        (MAX_DEPTH // 2, '{"byName":{"a":', "}}"),
    ],
)
def test_messages_nest_to_the_limit(proto3, levels, opening, closing, over):
    text = opening * (levels + over) + "{}" + closing * (levels + over)
    assert isinstance(agreed(proto3, text.encode()), tuple) == bool(over)
    if not over:
        assert_taken(proto3, text)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_values_nest_to_the_limit(proto3, opening):
    closing = "]" if opening == "[" else "}"
    for levels in range(20, 60):
        agreed(proto3, (opening * levels + "1" + closing * levels).encode(), "google.protobuf.Value")
    assert agreed(proto3, opening.encode() * 100_000, "google.protobuf.Value")[0] is EncodeError


def test_content_of_any_length_has_its_length_before_it(proto3):
    """Lengths of one to four bytes, in an order that no guess follows."""
    sizes = [0, 127, 128, 16_383, 16_384, 1, 2_097_152, 5, 130]
    value = {"children": [{"child": {"string": "x" * size}} for size in sizes]}
    value |= {"byName": {str(size): {"string": "y" * size} for size in sizes}}
    text = json.dumps(value)
    written = agreed(proto3, text.encode())
    assert_same_message(proto3, text, written)
    assert_taken(proto3, text)


def test_many_keys_out_of_order(proto3):
    keys = list(range(2_000))
    random.Random(1).shuffle(keys)
    text = json.dumps({"byI32": {str(key): "v" for key in keys}, "byName": {f"k{key}": {} for key in keys}})
    assert isinstance(agreed(proto3, text.encode()), bytes)
    assert_taken(proto3, text)
    repeated = text.replace('"k7":', '"k8":').encode()
    assert agreed(proto3, repeated)[0] is EncodeError


def test_a_type_that_the_schema_lacks_is_told_as_ever(proto3):
    found = outcome(lambda: MessageEncoder(proto3).encode_json("t.Nope", b"{}"))
    assert "t.Nope" in found[1]


def test_one_encoder_serves_several_threads(proto3):
    encoder = MessageEncoder(proto3)
    texts = [text.encode() for text in TAKEN]
    expected = [exact(MessageEncoder(proto3), "t.All", text) for text in texts]
    found = {}

    def work(name):
        found[name] = [encoder.encode_json("t.All", text) for text in texts * 3]

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(each == expected * 3 for each in found.values())
    assert len(found) == 4


# --- several documents -------------------------------------------------------------------------------------------


def test_documents_are_read_from_where_the_last_one_ended(proto3):
    encoder = MessageEncoder(proto3)
    text = b' {"i32": 1}\n{"i32": 2} '
    if IS_BUILT:
        assert encoder.read_all("t.All", text) == ([b"\x08\x01"], 12)
        assert encoder.read_all("t.All", text, 12) == ([b"\x08\x02"], len(text))
        assert encoder.read_all("t.All", text, len(text)) is None


@pytest.mark.parametrize(
    ("text", "count"),
    [("[]", 0), (" [ ] ", 0), ("[{}]", 1), (' [ {"i32": 1} , {"i32": 2}\n] ', 2), ("[[]]", -1), ("[{},]", -1)],
)
def test_an_array_is_one_of_messages_where_it_is_asked_for(proto3, text, count):
    found = MessageEncoder(proto3).read_all("t.All", text.encode(), arrays=True)
    if IS_BUILT:
        assert (len(found[0]), found[1]) == (count, len(text)) if count >= 0 else found is None
    assert MessageEncoder(proto3).read_all("t.All", text.encode()) is None


def in_one_slot(count):
    """Names that the kernel's table of 1024 slots has in the same one."""
    names, factor = [], 0x9E3779B97F4A7C15
    for number in range(10**6):
        made = (8 * factor ^ int.from_bytes(b"E%07d" % number, "little")) * factor % (1 << 64)
        made = (made ^ made >> 32) * factor % (1 << 64)
        if (made ^ made >> 32) % 1024 == 0:
            names.append(f"E{number:07d}")
        if len(names) == count:
            break
    return names


@pytest.mark.parametrize(("count", "is_taken"), [(200, True), (300, False)])
def test_names_that_meet_in_the_table_are_left_to_the_exact_path(compile_proto, count, is_taken):
    names = in_one_slot(count)
    values = "".join(f"{name} = {number};" for number, name in enumerate(names))
    resolver = compile_proto(f'syntax = "proto3"; package t; enum E {{ {values} }} message M {{ E e = 1; }}')
    text = b'{"e":"%s"}' % names[9].encode()
    encoder = MessageEncoder(resolver)
    assert (encoder.read_all("t.M", text) is not None) == (is_taken and IS_BUILT)
    assert encoder.encode_json("t.M", text) == b"\x08\x09"
