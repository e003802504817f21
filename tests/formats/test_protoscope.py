"""Bytes as protoscope text: readable, and the very bytes again."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from google.protobuf import any_pb2, descriptor_pb2, timestamp_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from random_schemas import PoolResolver

import inspector
from inspector.errors import SchemaError
from inspector.formats.base import Conversion
from inspector.formats.protoscope_reader import long_varint
from inspector.formats.registry import PROTOSCOPE
from inspector.wire.encode import length_delimited, varint

MIB = 1 << 20
SAMPLES = Path(__file__).parents[2] / "samples"


def show(data: bytes, resolver: PoolResolver | None = None, type_name: str | None = None, **options: object) -> str:
    """The text of the bytes, which gives them back."""
    conversion = Conversion(resolver, type_name, **options)
    text = PROTOSCOPE.write(data, conversion)
    assert list(PROTOSCOPE.read(text, Conversion())) == [data]
    return text.decode()


def of(text: str) -> bytes:
    return bytes.fromhex(text)


# --- without a schema --------------------------------------------------------------------------------------------


def test_a_message_is_a_line_for_each_field():
    data = of("08 96 01") + b"\x12\x05hello" + of("1a 05 08 01 12 01 62 1a 05 08 02 12 01 63")
    assert show(data) == '1: 150\n2: {"hello"}\n3: {\n  1: 1\n  2: {"b"}\n}\n3: {\n  1: 2\n  2: {"c"}\n}\n'


def test_nothing_is_no_line():
    assert show(b"") == ""


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("08 ffffffffffffffffff01", "1: -1\n"),
        ("0a 00", "1: {}\n"),
        ("09 000000000000f83f", "1: 1.5\n"),
        ("0d 0000c03f", "1: 1.5i32\n"),
        ("0b 08 05 0c", "1: !{\n  1: 5\n}\n"),
        ("0b 0c", "1: !{}\n"),
        # longer than needed
        ("8800 05", "long-form:1 1: 5\n"),
        ("08 858000", "1: long-form:2 5\n"),
        ("0a 838000 616263", '1: long-form:2 {"abc"}\n'),
        ("8b00 0801 8c8000", "long-form:1 1: !{\n  1: 1\nlong-form:2 }\n"),
        ("0b 8c00", "1: !{long-form:1 }\n"),
        ("08 ffffffffffffffffff7f 10 01", "1:VARINT `ffffffffffffffffff7f`\n2: 1\n"),
        # what cannot be read
        ("08 01 00 01", "1: 1\n`0001`  # offset 2: field number 0\n"),
        ("80 80 80 80 10 00", "`808080801000`  # offset 0: field number over 2^29-1\n"),
        ("08 01 0e ff", "1: 1\n1:6 `ff`  # offset 2: wire type 6 does not exist\n"),
        ("8f00", "long-form:1 1:7  # offset 0: wire type 7 does not exist\n"),
        ("08 ff", "1:VARINT `ff`  # offset 1: the bytes end within a varint\n"),
        ("09 0102", "1:I64 `0102`  # offset 1: 8 bytes needed, 2 present\n"),
        ("0d", "1:I32  # offset 1: 4 bytes needed, 0 present\n"),
        ("0a 05 616263", '1:LEN 5 "abc"  # offset 1: 5 bytes announced, 3 present\n'),
        ("0a 8500", "1:LEN long-form:1 5  # offset 1: 5 bytes announced, 0 present\n"),
        ("0a ff", "1:LEN `ff`  # offset 1: the bytes end within a varint\n"),
        ("0a ffffffffffffffffff7f", "1:LEN `ffffffffffffffffff7f`  # offset 1: varint of more than 64 bits\n"),
        ("08 01 0c 08 02", "1: 1\n1:EGROUP `0802`  # offset 2: end of group 1, which is not open\n"),
    ],
)
def test_every_form_on_the_wire_has_its_own_text(data, text):
    assert show(of(data)) == text


def test_a_group_without_an_end_is_shown_as_far_as_it_goes():
    assert show(of("08 01 13 08 05")).splitlines()[:3] == [
        "1: 1",
        "2:SGROUP  # offset 2: group 2 has no end",
        "  1: 5",
    ]


def test_packed_numbers_are_numbers_where_that_is_plain():
    values = [3, 270, 86942, 12, 9, 400, 18, 20_000, 77, 1] * 4
    data = length_delimited(4, b"".join(map(varint, values)))
    text = show(data, hints={"4": "packed-uint64"})
    assert " ".join(text.split()) == f"4: {{ {' '.join(map(str, values))} }}"
    assert max(map(len, text.splitlines())) <= 110


def test_hints_say_how_a_field_is_read():
    data = length_delimited(1, b"\x08\x01")
    assert show(data, hints={"1": "bytes"}) == "1: {`0801`}\n"
    assert show(data, hints={"1": "message"}) == "1: {\n  1: 1\n}\n"
    assert show(data, hints={"1": "packed-sint64"}) == "1: {4z -1z}\n"


def test_damage_in_packed_numbers_is_hex_behind_them():
    assert show(of("0a 04 08 01 ff ff"), hints={"1": "packed-int64"}) == "1: {8 1 `ffff`}\n"
    assert show(of("0a 05 01000000 ff"), hints={"1": "packed-fixed32"}) == "1: {1i32 `ff`}\n"
    assert "`ffffffffffffffffff7f` 1" in show(of("0a 0b ffffffffffffffffff7f 01"), hints={"1": "packed-int64"})


def test_long_bytes_and_texts_take_lines_of_their_own():
    assert show(length_delimited(1, bytes(40)), hints={"1": "bytes"}) == (
        f"1: {{\n  `{'00' * 32}`\n  `{'00' * 8}`\n}}\n"
    )
    text = b"All that is gold does glitter,\n" * 4
    assert show(length_delimited(1, text)) == ("1: {\n" + '  "All that is gold does glitter,\\n"\n' * 4 + "}\n")


def test_indentation_is_as_asked():
    data = length_delimited(1, length_delimited(2, b"\x08\x01"))
    hints = {"1.2": "message"}
    assert show(data, hints=hints, indent=4) == "1: {\n    2: {\n        1: 1\n    }\n}\n"
    assert show(data, hints=hints, indent=0) == "1: {\n2: {\n1: 1\n}\n}\n"


# --- with a schema -----------------------------------------------------------------------------------------------

SCHEMA = """
syntax = "proto2";
package p;
enum Color { RED = 0; BLUE = -2; }
message Inner { optional string name = 1; optional Inner inner = 2; }
message All {
  optional bool flag = 1;
  optional sint32 delta = 2;
  optional uint64 big = 3;
  optional fixed32 stamp = 4;
  optional sfixed64 offset = 5;
  optional float ratio = 6;
  optional double exact = 7;
  optional string text = 8;
  optional bytes raw = 9;
  optional Color color = 10;
  repeated sint32 deltas = 11 [packed = true];
  repeated float ratios = 12;
  optional Inner inner = 13;
  optional group Part = 14 { optional int32 size = 1; }
  map<string, int32> counts = 15;
  extensions 100 to 200;
}
extend All { optional string note = 100; }
"""


@pytest.fixture(scope="module")
def schema(compile_proto):
    return compile_proto(SCHEMA)


def test_the_schema_tells_types_and_names(schema):
    message = schema.message_class("p.All")(
        flag=True, delta=-3, big=(1 << 64) - 1, stamp=(1 << 32) - 1, offset=-1, ratio=0.1, exact=1e22, text="8080"
    )
    message.raw, message.color, message.deltas[:], message.ratios[:] = b"\x00\x01", -2, [1, -1], [0.5, 1.0]
    message.inner.inner.name, message.part.size, message.counts["a"] = "x", 7, 1
    message.Extensions[schema.pool.FindExtensionByName("p.note")] = "n"
    assert (
        show(message.SerializeToString(), schema, "p.All")
        == """\
1: true  # flag
2: -3z  # delta
3: 18446744073709551615  # big
4: 4294967295i32  # stamp
5: -1i64  # offset
6: 0.1i32  # ratio
7: 1.0e22  # exact
8: {"8080"}  # text
9: {`0001`}  # raw
10: -2  # color; BLUE
11: {1z -1z}  # deltas
12: 0.5i32  # ratios
12: 1.0i32  # ratios
13: {  # inner
  2: {  # inner
    1: {"x"}  # name
  }
}
14: !{  # part
  1: 7  # size
}
15: {  # counts
  1: {"a"}  # key
  2: 1  # value
}
100: {"n"}  # [p.note]
"""
    )


def test_what_the_schema_does_not_have_is_guessed_and_said(schema):
    assert show(of("9006 05"), schema, "p.All") == "98: 5  # not in p.All\n"


def test_a_wire_type_that_contradicts_the_schema_is_shown_as_it_is(schema):
    line = show(of("0a 02 6869"), schema, "p.All")
    assert line.startswith('1: {"hi"}  # offset 0: flag is bool')


def test_a_string_that_is_no_text_stays_a_string_or_becomes_hex(schema):
    assert show(of("42 02 ff fe"), schema, "p.All").startswith(("8: {`fffe`}  # text", r'8: {"\xff\xfe"}  # text'))


def test_the_content_of_any_is_read_by_its_type(schema):
    any_ = any_pb2.Any()
    any_.Pack(timestamp_pb2.Timestamp(seconds=5))
    assert show(any_.SerializeToString(), schema, "google.protobuf.Any") == (
        '1: {"type.googleapis.com/google.protobuf.Timestamp"}  # type_url\n2: {  # value\n  1: 5  # seconds\n}\n'
    )


def test_a_cut_message_is_read_as_far_as_it_goes(schema):
    message = schema.message_class("p.All")(delta=1, big=5)
    message.inner.inner.name = "cut off here"
    text = show(message.SerializeToString()[:-5], schema, "p.All")
    assert text.splitlines() == [
        "2: 1z  # delta",
        "3: 5  # big",
        "13:LEN 16  # inner; offset 5: 16 bytes announced, 11 present",
        "  2:LEN 14  # inner; offset 7: 14 bytes announced, 9 present",
        '    1:LEN 12 "cut off"  # name; offset 9: 12 bytes announced, 7 present',
    ]


def test_a_type_that_the_schema_lacks_is_an_error(schema):
    with pytest.raises(SchemaError, match=r"p\.Nope"):
        PROTOSCOPE.write(b"", Conversion(schema, "p.Nope"))
    with pytest.raises(SchemaError, match=r"p\.All"):
        PROTOSCOPE.write(b"", Conversion(None, "p.All"))


def test_names_of_a_hostile_schema_stay_in_their_comment():
    # The runtime takes no such names today; a url of Any it does, and that comes from the payload itself.
    any_ = any_pb2.Any(type_url="a/b\n1: 1 \u202e\x1b[2J" + "x" * 5_000, value=b"\x08\x01")
    text = show(any_.SerializeToString(), PoolResolver(), "google.protobuf.Any")
    assert "\x1b" not in text
    assert "\u202e" not in text
    comments = [line.partition("#")[2] for line in text.splitlines()]
    assert max(map(len, comments)) <= 210
    assert not any(line.startswith("1: 1") for line in text.splitlines())


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_messages_of_random_schemas_come_back(data, random_examples):
    made = data.draw(random_examples)
    raw = made.message.SerializeToString()
    show(raw, made.resolver, made.type_name)
    show(raw)
    cut = data.draw(st.integers(0, len(raw)))
    show(raw[:cut], made.resolver, made.type_name)


# --- any bytes ---------------------------------------------------------------------------------------------------


def numbers(draw: st.DrawFn) -> int:
    return draw(st.sampled_from([1, 2, 3, 15, 16, 19_000, (1 << 29) - 1, 0, 1 << 29, 1 << 60]))


@st.composite
def varints(draw: st.DrawFn, value: int | None = None) -> bytes:
    """Varints, sometimes longer than they need be."""
    if value is None:
        value = draw(st.integers(0, 3) | st.integers(0, (1 << 64) - 1))
    return long_varint(value, draw(st.sampled_from([0, 0, 0, 1, 2, 9])))


@st.composite
def fields(draw: st.DrawFn, contents: st.SearchStrategy[bytes]) -> bytes:
    """A field of any wire type, most of them whole."""
    number, wire_type = numbers(draw), draw(st.sampled_from([0, 0, 1, 2, 2, 2, 3, 5, 4, 6]))
    tag = draw(varints(number << 3 | wire_type))
    if wire_type == 2:
        content = draw(contents)
        return tag + draw(varints(len(content) + draw(st.sampled_from([0, 0, 0, 0, 1, 1 << 40])))) + content
    if wire_type == 3:
        return tag + draw(contents) + draw(varints(number << 3 | draw(st.sampled_from([4, 4, 4, 12]))))
    value = {0: varints(), 1: st.binary(min_size=8, max_size=8), 5: st.binary(min_size=4, max_size=4)}
    return tag + draw(value.get(wire_type, st.just(b"")))


WIRE = st.recursive(
    st.binary(max_size=12) | st.text(max_size=8).map(str.encode),
    lambda inner: st.lists(fields(inner), max_size=4).map(b"".join),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(WIRE, st.integers(0, 3))
def test_whatever_the_bytes_they_come_back(data, cut):
    text = show(data[: len(data) - cut])
    assert all(character.isprintable() or character in "\n\u200c\u200d" or ord(character) > 0x7F for character in text)


@settings(deadline=None)
@given(st.binary(max_size=120))
def test_random_bytes_come_back(data):
    show(data)


def test_samples_come_back():
    for path in sorted((SAMPLES / "payloads").iterdir()):
        assert show(path.read_bytes())


@pytest.mark.parametrize(
    "name", [path.name for path in sorted(SAMPLES.glob("*.pcapng")) if path.name != "large.pcapng"]
)
def test_messages_of_captures_come_back(name):
    payloads = [message.data for message in inspector.open(SAMPLES / name).messages() if message.data]
    assert payloads
    for data in random.Random(0).sample(payloads, min(len(payloads), 50)):
        assert show(data)


def test_real_descriptors_come_back():
    data = descriptor_pb2.DESCRIPTOR.serialized_pb
    resolver = PoolResolver(descriptor_pb2.FileDescriptorProto.FromString(data), known=False)
    assert "# name" in show(data, resolver, "google.protobuf.FileDescriptorProto")
    assert show(data)


def nested(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = length_delimited(1, data)
    return data


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b" * MIB,
        b"\x0c" * MIB,
        b"\x0b" * (MIB // 2) + b"\x0c" * (MIB // 2),
        (b"\x0b" * 99 + b"\x0c" * 99) * 200,
        (b"\x0b" + b"\x08\x01" * 500) * 60,
        bytes(MIB),
        b"\x80" * MIB,
        b"\x0a\x00" * 50_000,
        b"\x0a\xff\xff\xff\xff\x07" * 50_000,
        nested(2_000),
        b"".join([nested(95)] * 100),
    ],
)  # fmt: skip
def test_hostile_bytes_come_back_in_bounded_text(data):
    assert len(show(data)) < 80 * max(len(data), 1_000)
