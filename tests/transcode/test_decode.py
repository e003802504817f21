"""Decoding whole messages: values, unknown bytes, damage and its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import SchemaError
from inspector.transcode.decode import MessageDecoder
from inspector.wire.encode import length_delimited
from inspector.wire.scan import scan

PROTO = """
syntax = "proto3";
package p;
import "google/protobuf/any.proto";
message Image { string url = 1; bytes base64 = 2; }
message Data { Image image = 1; map<string, int32> tags = 2; repeated float weights = 3; }
message Input { string id = 1; Data data = 2; }
message Request { string model = 1; repeated Input inputs = 2; google.protobuf.Any extra = 3; fixed64 trace = 4; }
"""


@pytest.fixture(scope="module")
def resolver(compile_proto):
    return compile_proto(PROTO)


@pytest.fixture(scope="module")
def decoder(resolver):
    return MessageDecoder(resolver)


@pytest.fixture(scope="module")
def request_message(resolver):
    message = resolver.message_class("p.Request")(model="m-日本", trace=7)
    for number in range(3):
        item = message.inputs.add(id=f"input-{number}")
        item.data.image.url = "http://example.com/a.png"
        item.data.tags["a"] = 1
        item.data.weights.extend([0.5, 0.25])
    message.extra.Pack(resolver.message_class("p.Image")(url="u"))
    return message


def test_decodes_by_schema(decoder, request_message):
    decoded = decoder.decode("p.Request", request_message.SerializeToString())
    assert decoded.value["inputs"][2]["data"]["weights"] == [0.5, 0.25]
    assert decoded.value["extra"] == {"@type": "type.googleapis.com/p.Image", "url": "u"}
    assert decoded[1:] == (0, "schema", None)


def test_json_text_is_compact_and_keeps_characters(decoder):
    decoded = decoder.decode_json("p.Image", bytes.fromhex("0a03e697a5"))
    assert decoded[:4] == ('{"url":"日"}'.encode(), 0, "schema", None)


def test_without_a_type_it_guesses(decoder):
    assert decoder.decode(None, b"\x08\x01").value == {"1": 1}
    assert decoder.decode_unknown(b"\x08\x01") == ({"1": 1}, 0, "guess", None)
    assert MessageDecoder().decode_json(None, b"\x08\x01").json == b'{"1":1}'


def test_a_guess_keeps_what_is_before_the_damage(decoder):
    decoded = decoder.decode_unknown(b"\x08\x01\x10")
    assert decoded.value == {"1": 1}
    assert decoded.error.code == "truncated"


def test_a_type_that_the_schema_lacks_is_misuse(decoder):
    with pytest.raises(SchemaError, match=r"no message type 'p\.Nothing'"):
        decoder.decode("p.Nothing", b"")
    with pytest.raises(SchemaError):
        MessageDecoder().decode("p.Request", b"")


# --- damage ------------------------------------------------------------------------------------------------------


def test_cut_anywhere_it_is_an_error_or_a_shorter_message(decoder, resolver, request_message):
    wire = request_message.SerializeToString()
    ends = {0, *(field.end for field in scan(wire))}
    for size in range(len(wire)):
        decoded = decoder.decode_json("p.Request", wire[:size])
        if decoded.error is None:
            assert size in ends
        else:
            assert decoded.error.code == "truncated"
            assert decoded.json == b"null"
            assert decoded.error.offset <= size


@pytest.mark.parametrize(
    ("wire", "code", "offset", "message"),
    [
        ("12 06 12 04 0a 02 0a 05", "truncated", 7, "inputs[0].data.image.url: 5 bytes announced, 0 present"),
        ("12 00 12 07 12 05 0a 03 0a 01 ff", "utf8", 10, "inputs[1].data.image.url: invalid UTF-8"),
        ("0a 02 61 ff", "utf8", 3, "model: invalid UTF-8"),
        ("12 07 12 05 12 03 0a 01 ff", "utf8", 8, "inputs[0].data.tags[0].key: invalid UTF-8"),
        ("12 07 12 05 1a 03 00 00 00", "wire", 6, "inputs[0].data.weights[0]: packed values of 4 bytes in 3"),
        ("0a 01 61 00", "wire", 3, "field number 0"),
        ("12 01 0e", "wire", 2, "inputs[0]: wire type 6 does not exist"),
        ("12 02 0b 08", "truncated", 4, "inputs[0]: the bytes end within a varint"),
        ("0c", "wire", 0, "end of group 1, which is not open"),
        ("21 00", "truncated", 1, "trace: 8 bytes needed, 1 present"),
        ("08 ff ff ff ff ff ff ff ff ff ff 01", "wire", 1, "varint of more than 10 bytes"),
        ("0a 81 80 80 80 80 00 61", "wire", 1, "model: length over 2^31-1"),
    ],
)
def test_damage_has_its_field_and_place(decoder, wire, code, offset, message):
    decoded = decoder.decode("p.Request", bytes.fromhex(wire))
    assert decoded.value is None
    assert (decoded.error.code, decoded.error.offset, decoded.error.message) == (code, offset, message)


# --- unknown fields ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "unknown"),
    [
        ("", 0),
        ("0a00", 0),
        ("a001 01", 3),
        ("0a0161 a201 03 010203 a301 0801 a401", 12),
        ("12 05 a00101 0a00", 3),
        ("12 06 12 04 0a 02 1801", 2),
        ("08 01", 2),
        ("21 0000000000000000 a081800000", 5),
        (f"1a 10 0a 09 {b'x/p.Image'.hex()} 12 03 a00101", 3),
    ],
)
def test_unknown_bytes_are_counted_in_the_whole_tree(decoder, wire, unknown):
    assert decoder.decode("p.Request", bytes.fromhex(wire)).unknown_bytes == unknown


@pytest.mark.parametrize("depth", [10, 61, 62, 63, 64, 99])
def test_unknown_bytes_are_counted_however_deep_they_lie(compile_proto, depth):
    resolver = compile_proto('syntax = "proto3"; package p; message M { M inner = 2; string name = 1; }')
    wire = b"\xf8\x7f\x01"
    for _ in range(depth):
        wire = length_delimited(2, wire)
    decoder = MessageDecoder(resolver)
    assert decoder.decode("p.M", wire).unknown_bytes == 3
    assert decoder.decode_json("p.M", wire).unknown_bytes == 3


def test_unknown_bytes_do_not_add_up_over_messages(decoder):
    assert [decoder.decode("p.Request", b"\x08\x01").unknown_bytes for _ in range(2)] == [2, 2]


def test_a_map_entry_with_an_unknown_field_is_unknown_whole(decoder):
    decoded = decoder.decode("p.Data", bytes.fromhex("12 05 0a0161 1801 12 05 0a0162 1001".replace(" ", "")))
    assert (decoded.value, decoded.unknown_bytes) == ({"tags": {"b": 1}}, 7)


def test_required_fields_may_be_missing(compile_proto):
    schema = compile_proto('syntax = "proto2"; package p; message R { required int32 a = 1; optional int32 b = 2; }')
    assert MessageDecoder(schema).decode("p.R", b"\x10\x01") == ({"b": 1}, 0, "schema", None)


def test_unknown_numbers_of_closed_enums_are_unknown_fields(compile_proto):
    schema = compile_proto(
        'syntax = "proto2"; package p; enum E { A = 0; N = -1; } message M { repeated E e = 1; optional E o = 2; }'
    )
    wire = bytes.fromhex("0800 0805 0a03 000607 1005 10ffffffffffffffffff01")
    assert MessageDecoder(schema).decode("p.M", wire) == ({"e": ["A", "A"], "o": "N"}, 6, "schema", None)


@given(st.binary(max_size=40))
def test_any_bytes_give_json_or_an_error(decoder, data):
    decoded = decoder.decode_json("p.Request", data)
    assert (json.loads(decoded.json) is None) == (decoded.error is not None)


STRICT = """
syntax = "proto3";
package t;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
message W {
  google.protobuf.Timestamp time = 1;
  google.protobuf.Duration duration = 2;
  google.protobuf.FieldMask mask = 3;
  google.protobuf.Value value = 4;
  google.protobuf.Any any = 5;
}
"""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"time": {"nanos": -1}}, "google.protobuf.Timestamp"),
        ({"duration": {"seconds": 1, "nanos": -1}}, "google.protobuf.Duration"),
        ({"mask": {"paths": ["a__b"]}}, "google.protobuf.FieldMask"),
        ({"value": {"number_value": float("nan")}}, "nan in a google.protobuf.Value"),
        ({"value": {"list_value": {"values": [{"number_value": float("inf")}]}}}, "inf in a google.protobuf.Value"),
        ({"any": {"type_url": "x/no.Type", "value": b"x"}}, "Any of x/no.Type"),
    ],
)
def test_strict_refuses_what_json_has_no_form_for(compile_proto, content, said):
    resolver = compile_proto(STRICT)
    data = resolver.message_class("t.W")(**content).SerializeToString()
    refused = MessageDecoder(resolver, strict=True).decode("t.W", data)
    assert refused.value is None
    assert refused.error is not None
    assert (refused.error.code, said in refused.error.message) == ("json", True)
    assert MessageDecoder(resolver).decode("t.W", data).error is None
