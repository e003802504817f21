"""The kernel from wire to JSON against the exact way, and where it gives up."""

from __future__ import annotations

import json
import re
import struct
import threading
from datetime import datetime, timedelta
from pathlib import Path

import kernels
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.limits import MAX_DEPTH
from inspector.schema import Schema
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.fields import ELEMENT_SIZE, field_wire_type, find_field, fits
from inspector.transcode.json_tables import JsonTables
from inspector.transcode.json_text import dumps
from inspector.transcode.well_known import EPOCH, FIRST_SECOND, LAST_SECOND, LONGEST_DURATION
from inspector.wire.encode import length_delimited, tag
from inspector.wire.floats import shortest_float
from inspector.wire.scan import LEN, VARINT, read_varint, scan

KERNEL = "inspector.transcode.wire_to_json_cy"
UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffd]")
SAMPLES = Path(__file__).parents[2] / "samples"
OPTIONS = ("emit_defaults", "proto_names", "enum_numbers", "strict")

kernel = kernels.load(KERNEL, kernels.COMPILED)
thorough = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))


class Both:
    """The kernel and the exact way, over one schema."""

    def __init__(self, resolver, **options):
        self.decoder = MessageDecoder(resolver, **options)
        strict = options.pop("strict", False)
        self.tables = JsonTables(resolver, **options)
        self.kernel = kernel.WireToJson(self.tables, strict=strict)

    def write(self, type_name, wire):
        """What the kernel writes, which is what the exact way does; None where it gives up."""
        text = self.kernel.write(self.tables.type_index(type_name), wire)
        if text is not None:
            found = self.decoder.decode(type_name, wire)
            assert (text, self.kernel.unknown_bytes) == (dumps(found.value), found.unknown_bytes)
            assert found.error is None
            assert self.kernel.has_unseen or not UNSEEN.search(text.decode())
        return text


# --- random messages of random schemas ---------------------------------------------------------------------------


@thorough
@given(data=st.data(), options=st.fixed_dictionaries({name: st.booleans() for name in OPTIONS}))
def test_writes_what_the_exact_way_does(random_examples, data, options):
    resolver, message = data.draw(random_examples)
    wire = message.SerializeToString()
    text = Both(resolver, **options).write("t.M0", wire)
    assert text is not None
    if not options["strict"]:
        expected = MessageToDict(
            type(message).FromString(wire),
            always_print_fields_with_no_presence=options["emit_defaults"],
            preserving_proto_field_name=options["proto_names"],
            use_integers_for_enums=options["enum_numbers"],
            descriptor_pool=resolver.pool,
        )
        assert json.loads(text) == json.loads(json.dumps(expected))


@thorough
@given(data=st.data(), source=st.randoms(use_true_random=False), emit_defaults=st.booleans())
def test_order_repetition_and_packing_do_not_matter(random_examples, data, source, emit_defaults):
    resolver, message = data.draw(random_examples)
    both = Both(resolver, emit_defaults=emit_defaults)
    for _ in range(3):
        both.write("t.M0", rearranged(message.DESCRIPTOR, message.SerializeToString(), source))


@thorough
@given(data=st.data(), source=st.randoms(use_true_random=False))
def test_damaged_anywhere_it_gives_up_or_is_right(random_examples, data, source):
    resolver, message = data.draw(random_examples)
    both = Both(resolver)
    wire = rearranged(message.DESCRIPTOR, message.SerializeToString(), source)[:300]
    for size in range(len(wire)):
        both.write("t.M0", wire[:size])
        flipped = bytearray(wire)
        flipped[size] ^= 1 << source.randrange(8)
        both.write("t.M0", bytes(flipped))


@thorough
@given(data=st.data(), wire=st.binary(max_size=60))
def test_any_bytes_give_nothing_or_what_is_right(random_examples, data, wire):
    Both(data.draw(random_examples).resolver).write("t.M0", wire)


def rearranged(descriptor, wire, source):
    """The same fields in another order, some of them twice, in halves, packed the other way, at every level."""
    records = []
    for item in scan(wire):
        field, content = find_field(descriptor, item.number), wire[item.value_start : item.end]
        if field is None or not fits(field, item.wire_type):
            records.append(wire[item.tag_start : item.end])
        elif field.message_type is not None and item.wire_type == LEN and "google" not in field.message_type.full_name:
            records.extend(parts(field, rearranged(field.message_type, content, source), source))
        elif item.wire_type == LEN and field_wire_type(field) != LEN and source.random() < 0.5:
            records.extend(unpacked(field, content))
        elif item.wire_type != LEN and field.is_repeated and field.message_type is None and source.random() < 0.5:
            records.append(length_delimited(item.number, content))
        else:
            records.append(wire[item.tag_start : item.end])
    if source.random() < 0.3:
        records.extend(source.sample(records, min(2, len(records))))
    if source.random() < 0.6:
        source.shuffle(records)
    if source.random() < 0.2:
        records.insert(source.randrange(len(records) + 1), tag(99, VARINT) + b"\x05")
    return b"".join(records)


def parts(field, content, source):
    """A message as one field, seldom as two, which are merged."""
    if field.is_repeated or source.random() < 0.9:
        return [length_delimited(field.number, content)]
    ends = [0, *(item.end for item in scan(content))]
    cut = source.choice(ends)
    return [length_delimited(field.number, content[:cut]), length_delimited(field.number, content[cut:])]


def unpacked(field, content):
    wire_type = field_wire_type(field)
    start = 0
    while start < len(content):
        size = ELEMENT_SIZE.get(wire_type)
        after = start + size if size else read_varint(content, start, len(content))[1]
        yield tag(field.number, wire_type) + content[start:after]
        start = after


# --- what it is made for, it does --------------------------------------------------------------------------------

PROTO = """
syntax = "proto3";
package p;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Color { RED = 0; GREEN = 1; BELOW = -2; FAR = 100000; }
message M {
  string text = 1;
  bytes blob = 2;
  float ratio = 3;
  double exact = 4;
  Color color = 5;
  M inner = 6;
  repeated M items = 7;
  repeated sint64 numbers = 8;
  map<string, M> by_name = 9;
  map<int32, string> by_number = 10;
  google.protobuf.Any any = 11;
  google.protobuf.Timestamp at = 12;
  google.protobuf.Duration took = 13;
  google.protobuf.FieldMask mask = 14;
  google.protobuf.Value value = 15;
  google.protobuf.Struct struct = 16;
  google.protobuf.StringValue wrapped = 17;
  oneof choice { string one = 18; int64 other = 19; }
  map<bool, Color> flags = 20;
  map<uint64, google.protobuf.Timestamp> times = 21;
  repeated string texts = 22;
  bool yes = 5000;
}
"""


@pytest.fixture(scope="module")
def three(compile_proto):
    return Both(compile_proto(PROTO))


PROTO2 = """
syntax = "proto2";
package p;
enum Closed { ONE = 1; TWO = 2; }
enum Zero { NONE = 0; SOME = 1; }
message M {
  optional string text = 1;
  required int32 must = 2;
  optional group MyGroup = 3 { optional int32 x = 1; repeated group Deep = 2 { optional M m = 1; } }
  optional Closed closed = 4;
  repeated Closed list = 5;
  map<string, Zero> by_name = 6;
  oneof choice { Closed first = 7; int32 second = 8; }
  extensions 100 to 199;
}
extend M { optional M ext = 100; repeated int64 numbers = 101; }
"""


@pytest.fixture(scope="module")
def two(compile_proto):
    return Both(compile_proto(PROTO2))


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("", "{}"),
        ("0a03e697a5", '{"text":"日"}'),
        ("0a00 1200 1d00000000 2800", "{}"),
        ("1d00000080 210000000000000080", '{"ratio":-0.0,"exact":-0.0}'),
        ("28feffffffffffffffff01", '{"color":"BELOW"}'),
        ("28a08d06", '{"color":"FAR"}'),
        ("2809", '{"color":9}'),
        ("0a0161 0a0162", '{"text":"b"}'),
        ("0a0161 0a00", "{}"),
        ("3200 0a0161", '{"text":"a","inner":{}}'),
        ("4001 42020203 4001 4200", '{"numbers":["-1","1","-2","-1"]}'),
        ("3a00 0a0161 3a030a0162", '{"text":"a","items":[{},{"text":"b"}]}'),
        ("4a030a0162 4a00 4a030a0161", '{"byName":{"":{},"a":{},"b":{}}}'),
        ("4a03 0a0162 4a0a 0a0162 12050a03656e64", '{"byName":{"b":{"text":"end"}}}'),
        ("5202 0801 520b 08ffffffffffffffffff01 5205 0801 120178", '{"byNumber":{"-1":"","1":"x"}}'),
        ("a20104 0801 1001 a20100", '{"flags":{"false":"RED","true":"GREEN"}}'),
        ("aa0100", '{"times":{"0":"1970-01-01T00:00:00Z"}}'),
        ("6a00 6200 7200 7a00 820100 8a0100", None),
        ("980105", '{"other":"5"}'),
        ("c0b80201 c23e00", '{"yes":true}'),
        ("a83f01 0a0161 0d00000000 0b 1001 13 14 0c", '{"text":"a"}'),
    ],
)
def test_writes_by_hand(three, wire, text):
    written = three.write("p.M", bytes.fromhex(wire.replace(" ", "")))
    assert written is not None
    assert text is None or written.decode() == text


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("1b 0805 13 0a00 14 13 14 1c", '{"mygroup":{"x":5,"deep":[{"m":{}},{}]}}'),
        ("1b 13 14 0805 1c", '{"mygroup":{"x":5,"deep":[{}]}}'),
        ("2005", "{}"),
        ("2001 2a03 010502 2805 2801", '{"closed":"ONE","list":["ONE","TWO","ONE"]}'),
        ("3205 0a0161 1001", '{"byName":{"a":"SOME"}}'),
        ("a20602 1001 a80601 aa0601 02", '{"[p.ext]":{"must":1},"[p.numbers]":["1","2"]}'),
        ("a80601 1001", '{"must":1,"[p.numbers]":["1"]}'),
        ("c0060a 1001", '{"must":1}'),
    ],
)
def test_writes_proto2_by_hand(two, wire, text):
    written = two.write("p.M", bytes.fromhex(wire.replace(" ", "")))
    assert written is not None
    assert written.decode() == text


@pytest.mark.parametrize(
    "wire",
    [
        "3200 3200",
        "920100 980105",
        "0a01ff",
        "0a02eda0",
        "4a021001",
        "4a051200 1200 10",
        "3a80808080",
        "08",
        "0c",
        "6a0210 80",
    ],
)
def test_what_is_not_plain_is_left_to_the_exact_way(three, wire):
    assert three.write("p.M", bytes.fromhex(wire.replace(" ", ""))) is None


@pytest.mark.parametrize(
    "wire", ["3205 0a0161 1005", "3207 0a0161 1005 1001", "3801 4001", "3803", "0a01ff", "aa0600", "1b0805121300"]
)
def test_what_is_not_plain_in_proto2_is_left_to_the_exact_way(two, wire):
    assert two.write("p.M", bytes.fromhex(wire.replace(" ", ""))) is None


def test_the_decoder_takes_the_kernel_and_where_it_gives_up_the_exact_way(compile_proto):
    decoder = MessageDecoder(compile_proto(PROTO))
    assert decoder.decode_json("p.M", bytes.fromhex("0a0161 1001"))[:4] == (b'{"text":"a"}', 2, "schema", None)
    assert decoder.decode_json("p.M", bytes.fromhex("32030a0161 3200")).json == b'{"inner":{"text":"a"}}'
    refused = decoder.decode_json("p.M", b"\x0a\x01\xff")
    assert refused.error is not None
    assert (refused.json, refused.error.code) == (b"null", "utf8")


def test_samples_go_through_the_kernel():
    schema = Schema.from_files(SAMPLES / "vision.binpb")
    both = Both(schema)
    request = (SAMPLES / "payloads" / "predict_request.binpb").read_bytes()
    assert both.write("vision.v1.PredictRequest", request) is not None


@pytest.mark.parametrize("character", [*map(chr, range(0x7F, 0xA0)), *"\u061c\u200e\u2028\u202e\u2066\u2069\ufffd"])
def test_characters_that_do_not_show_themselves_are_told(three, character):
    for place in range(40):
        text = "x" * place + character + "é" * (40 - place)
        assert three.write("p.M", length_delimited(1, text.encode())) is not None
        assert three.kernel.has_unseen
    assert three.write("p.M", length_delimited(1, "x日é ~".encode() * 9)) is not None
    assert not three.kernel.has_unseen


def test_names_of_the_schema_that_do_not_show_themselves_are_told(compile_proto):
    proto = 'message N { string a = 1 [json_name="\u202eb"]; } message M { N n = 1; string b = 2; }'
    both = Both(compile_proto('syntax = "proto3"; package p; ' + proto))
    assert both.write("p.M", b"\x12\x01x") is not None
    assert not both.kernel.has_unseen
    assert both.write("p.M", b"\x0a\x03\x0a\x01x") is not None
    assert both.kernel.has_unseen


@pytest.mark.parametrize("packed", ["time", "duration", "mask", "value", "any", "wrapped"])
def test_well_known_types_within_an_any(three, packed):
    resolver = three.decoder._resolver
    inner = resolver.message_class("p.M")()
    inner.at.seconds, inner.took.nanos, inner.wrapped.value, inner.value.bool_value = 5, -7, "w", True
    inner.mask.paths.extend(["a_b", "c"])
    inner.any.Pack(inner.at)
    names = {"time": "at", "duration": "took"}
    outer = resolver.message_class("p.M")()
    outer.any.Pack(getattr(inner, names.get(packed, packed)))
    assert b'"value":' in three.write("p.M", outer.SerializeToString())


# --- numbers and text --------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, (1 << 32) - 1), min_size=1))
@settings(max_examples=500)
def test_floats_have_the_digits_of_the_exact_way(bits):
    assert_floats_agree(bits)


def test_floats_at_every_exponent_have_the_digits_of_the_exact_way():
    mantissas = (0, 1, 2, 3, 0x400000, 0x7FFFFE, 0x7FFFFF, 0x123456, 0x199999, 0x4CCCCD, 0x5A5A5A, 0x000F00)
    assert_floats_agree([exponent << 23 | mantissa for exponent in range(255) for mantissa in mantissas])
    assert_floats_agree(range(1, 3000))


def assert_floats_agree(bits):
    packed = b"".join(struct.pack("<I", number) for number in bits)
    values = [value for (value,) in struct.iter_unpack("<f", packed) if value - value == 0]
    payload = struct.pack(f"<{len(values)}f", *values)
    assert FLOATS.write("f.F", length_delimited(1, payload)) == (
        dumps({"single": [shortest_float(value) for value in values]}) if values else b"{}"
    )


@given(st.lists(st.floats(), min_size=1))
@settings(max_examples=500)
def test_doubles_have_the_digits_of_the_exact_way(values):
    assert FLOATS.write("f.F", length_delimited(2, struct.pack(f"<{len(values)}d", *values))) is not None


def test_doubles_at_every_exponent_have_the_digits_of_the_exact_way():
    values = [
        sign * digits * 10.0**power for power in range(-320, 309) for digits in (1, 1.5, 1.234567) for sign in (1, -1)
    ]
    values += [2.0**power for power in range(-1074, 1024)]
    assert FLOATS.write("f.F", length_delimited(2, struct.pack(f"<{len(values)}d", *values))) is not None


@given(st.text(max_size=40), st.text(max_size=20))
@settings(max_examples=500)
def test_text_is_escaped_like_the_exact_way(text, more):
    wire = b"".join(length_delimited(3, part.encode(errors="replace")) for part in (text, more, text + more))
    assert FLOATS.write("f.F", wire) is not None


def test_every_character_at_every_place_of_a_word():
    for character in [*map(chr, range(0x20)), '"', "\\", "\x7f", "\x80", "\u2028", "\ud7ff", "\ue000", "\U0001f600"]:
        texts = ["x" * place + character + "y" * (11 - place) for place in range(12)]
        assert FLOATS.write("f.F", b"".join(length_delimited(3, text.encode()) for text in texts)) is not None


@given(st.binary(max_size=12))
@settings(max_examples=500)
def test_utf8_is_told_from_what_is_not(content):
    valid = content.decode(errors="ignore").encode() == content
    assert (FLOATS.write("f.F", length_delimited(3, content)) is not None) == valid


@given(st.binary(max_size=40))
def test_bytes_are_base64(content):
    assert FLOATS.write("f.F", length_delimited(4, content)) is not None


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, (1 << 64) - 1))
def test_integers_in_decimal(signed, unsigned):
    wire = tag(5, 1) + struct.pack("<q", signed) + tag(6, 1) + struct.pack("<Q", unsigned)
    assert FLOATS.write("f.F", wire) is not None


SCALARS = """
syntax = "proto3";
package f;
message F {
  repeated float single = 1;
  repeated double wide = 2;
  repeated string text = 3;
  repeated bytes blob = 4;
  sfixed64 signed = 5;
  fixed64 unsigned = 6;
}
"""


@pytest.fixture(scope="module", autouse=True)
def floats(compile_proto):
    global FLOATS
    FLOATS = Both(compile_proto(SCALARS))


# --- times -------------------------------------------------------------------------------------------------------


@given(st.integers(-62_135_596_801, 253_402_300_800), st.integers(-1, 1_000_000_000))
@settings(max_examples=500)
def test_times_of_the_whole_calendar(three, seconds, nanos):
    message = three.decoder._resolver.message_class("p.M")()
    message.at.seconds, message.at.nanos = seconds, nanos
    is_sound = FIRST_SECOND <= seconds <= LAST_SECOND and 0 <= nanos < 1_000_000_000
    assert (three.write("p.M", message.SerializeToString()) is not None) == is_sound


def test_days_around_the_ends_of_years_and_centuries(three):
    message = three.decoder._resolver.message_class("p.M")()
    days = [datetime(year, month, day) for year in (1, 4, 100, 400, 1600, 1899, 1900, 1970, 2000, 2100, 2400, 9999)
            for month, day in ((1, 1), (2, 28), (3, 1), (12, 31))]  # fmt: skip
    for day in [*days, datetime(2000, 2, 29), datetime(2024, 2, 29)]:
        message.at.seconds = (day - EPOCH) // timedelta(seconds=1) + 86_399
        assert f'"{day:%m-%d}T23:59:59Z"'.encode()[1:] in three.write("p.M", message.SerializeToString())


@given(st.integers(-3, 3) | st.integers(-LONGEST_DURATION - 1, LONGEST_DURATION + 1), st.integers(-(10**9), 10**9))
@settings(max_examples=500)
def test_durations(three, seconds, nanos):
    message = three.decoder._resolver.message_class("p.M")()
    message.took.seconds, message.took.nanos = seconds, nanos
    is_sound = abs(seconds) <= LONGEST_DURATION and abs(nanos) < 10**9 and seconds * nanos >= 0
    assert (three.write("p.M", message.SerializeToString()) is not None) == is_sound


# --- hostile input -----------------------------------------------------------------------------------------------


def nested(depth, wire=b"\x0a\x04deep"):
    for _ in range(depth):
        wire = length_delimited(6, wire)
    return wire


def test_nests_as_deep_as_the_exact_way(three):
    assert three.write("p.M", nested(MAX_DEPTH)) is not None
    assert three.write("p.M", nested(MAX_DEPTH + 1)) is None
    assert three.write("p.M", nested(2000)) is None


def test_groups_are_bounded_too(three, two):
    assert three.write("p.M", b"\x0b" * 1_000_000) is None
    assert two.write("p.M", b"\x1b\x13" * 500_000) is None
    assert three.write("p.M", b"\x0b" * MAX_DEPTH + b"\x0c" * MAX_DEPTH) == b"{}"
    assert three.write("p.M", b"\x0b" * (MAX_DEPTH + 1) + b"\x0c" * (MAX_DEPTH + 1)) is None


def test_out_of_order_at_every_level_is_not_walked_again_and_again(three):
    wire = b""
    for _ in range(MAX_DEPTH):
        wire = length_delimited(6, wire) + b"\x0a\x01a"
    assert three.write("p.M", wire).count(b"text") == MAX_DEPTH


def test_much_that_is_out_of_order_at_every_level_is_left_to_the_exact_way_once(compile_proto):
    both = Both(compile_proto(PROTO))
    wire = length_delimited(1, b"a" * 100_000)
    for _ in range(MAX_DEPTH - 1):
        wire = length_delimited(6, wire) + b"\x0a\x01a"
    assert both.write("p.M", wire) is None
    assert both.write("p.M", wire) is not None


DELIMITED = """
edition = "2023";
package p;
option features.message_encoding = DELIMITED;
message M { string text = 1; M inner = 2; }
"""


def test_groups_out_of_order_are_not_skipped_at_each_level(compile_proto):
    both = Both(compile_proto(DELIMITED))
    wire = b"\x0a\x01a\x0a\x01b"
    for _ in range(MAX_DEPTH - 1):
        wire = b"\x13" + wire + b"\x14" + b"\x0a\x01a"
    assert both.write("p.M", wire) is None
    assert both.write("p.M", wire) is not None
    assert both.write("p.M", wire.replace(b"\x0a\x01b", b"\x0a\x01b" * 30_000)) is None


def test_a_map_of_very_many_entries_is_left_to_the_exact_way(three):
    assert three.write("p.M", b"\x4a\x00" * 100_000) == b'{"byName":{"":{}}}'
    assert three.write("p.M", b"\x4a\x00" * 2_500_000) is None


def test_very_many_fields_out_of_order_are_left_to_the_exact_way(three):
    assert three.write("p.M", b"\x28\x01\xa0\x06\x01\x0a\x00" * 100_000) == b'{"color":"GREEN"}'
    assert three.write("p.M", b"\x28\x01\x0a\x00" * 4_300_000) is None


def test_a_long_url_is_not_remembered(compile_proto):
    class Asked(JsonTables):
        def payload_index(self, url):
            asked.append(len(url))
            return super().payload_index(url)

    asked = []
    tables = Asked(compile_proto(PROTO))
    walker = kernel.WireToJson(tables)
    for url in (b"x/p.M", b"x" * 1000 + b"/p.M"):
        wire = length_delimited(11, length_delimited(1, url))
        assert walker.write(tables.type_index("p.M"), wire) is not None
        assert walker.write(tables.type_index("p.M"), wire) is not None
    assert asked == [5, 1004, 1004]


def test_alternating_fields(three):
    wire = b"\x0a\x00\x12\x01a" * 100_000
    assert three.write("p.M", wire) == b'{"blob":"YQ=="}'


def test_an_output_out_of_proportion_is_given_up(compile_proto):
    fields = "".join(f"int32 a_field_with_a_name_that_is_rather_long_{number} = {number};" for number in range(1, 200))
    both = Both(
        compile_proto(f'syntax = "proto3"; package p; message D {{ {fields} repeated D d = 200; }}'), emit_defaults=True
    )
    index = both.tables.type_index("p.D")
    assert both.kernel.write(index, b"") is not None
    assert both.kernel.write(index, b"\xc2\x0c\x00" * 100_000) is None


def test_large_messages_are_given_back_whole(three):
    wire = length_delimited(1, b"x" * 3_000_000) + length_delimited(22, b"\n" * 1_000_000)
    text = three.kernel.write(three.tables.type_index("p.M"), wire)
    assert text == dumps({"text": "x" * 3_000_000, "texts": ["\n" * 1_000_000]})


def test_a_kernel_serves_one_thread_at_a_time(three):
    wire = b"".join(length_delimited(7, nested(3)) for _ in range(2000))
    index = three.tables.type_index("p.M")
    expected = three.kernel.write(index, wire)
    found = []

    def work():
        found.extend(three.kernel.write(index, wire) for _ in range(30))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert expected is not None
    assert set(found) <= {expected, None}
    assert expected in found


def test_an_interrupt_while_a_type_is_loaded_is_not_lost(compile_proto):
    class Interrupted(JsonTables):
        def type_record(self, index):
            if index:
                raise KeyboardInterrupt
            return super().type_record(index)

    tables = Interrupted(compile_proto(PROTO))
    walker = kernel.WireToJson(tables)
    index = tables.type_index("p.M")
    with pytest.raises(KeyboardInterrupt):
        walker.write(index, bytes.fromhex("6200"))
    assert walker.write(index, b"") == b"{}"


def test_an_extension_that_is_registered_later_is_found(compile_proto):
    both = Both(compile_proto('syntax = "proto2"; package q; message M { extensions 100 to 199; }'))
    wire = bytes.fromhex("a00601")
    assert both.write("q.M", wire) == b"{}"
    later = descriptor_pb2.FileDescriptorProto(name="later.proto", package="q", dependency=["test.proto"])
    later.extension.add(name="e", number=100, type=5, label=1, extendee=".q.M")
    both.decoder._resolver.pool.AddSerializedFile(later.SerializeToString())
    assert both.write("q.M", wire) is None
    assert both.decoder.decode_json("q.M", wire).json == b'{"[q.e]":1}'


def test_a_message_that_is_not_bytes_is_refused(three):
    with pytest.raises(TypeError):
        three.kernel.write(0, bytearray(b""))
