"""The survey against the runtime's parser: they refuse the same messages, and know the same fields."""

from __future__ import annotations

import orjson
import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.limits import MAX_DEPTH
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.survey import survey

MIB = 1 << 20

SNIPPETS = [
    b"\x13\x14",
    b"\x0b\x0c",
    b"\x80\x80\x80\x80\x00",
    b"\x08" + b"\xff" * 9 + b"\x7f",
    b"\x0b\x08" + b"\xff" * 9 + b"\x7f\x0c",
    b"\xf8\x07\x01",
    b"\x18\x09",
    b"\x0a\x02\xc3\x28",
]


def damage(draw, wire):
    """A message with a cut, a changed byte, or something put in."""
    place = draw(st.integers(0, len(wire)))
    kind = draw(st.sampled_from(["cut", "change", "insert", "snippet", "repeat"]))
    if kind == "cut":
        return wire[:place]
    if kind == "change":
        return wire[:place] + draw(st.binary(min_size=1, max_size=1)) + wire[place + 1 :]
    if kind == "repeat":
        return wire + wire[place:]
    added = draw(st.binary(max_size=4)) if kind == "insert" else draw(st.sampled_from(SNIPPETS))
    return wire[:place] + added + wire[place:]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_agrees_with_the_runtime(random_examples, data):
    example = data.draw(random_examples)
    wire = example.message.SerializeToString()
    for _ in range(data.draw(st.integers(1, 3))):
        wire = damage(data.draw, wire)
    found = survey(example.message.DESCRIPTOR, wire)
    try:
        message = type(example.message).FromString(wire)
    except DecodeError:
        assert found.error is not None
        assert 0 <= found.error.offset <= len(wire)
    else:
        assert found.error is None
        size = message.ByteSize()
        message.DiscardUnknownFields()
        assert (found.unknown_bytes > 0) == (message.ByteSize() < size)
    MessageDecoder(example.resolver).decode_json(example.type_name, wire)


RECURSIVE = """
syntax = "proto2";
package p;
message M { optional M m = 1; optional group G = 2 { optional G g = 2; } map<string, M> by = 3; repeated int32 n = 4; }
"""


@pytest.fixture(scope="module")
def recursive(compile_proto):
    return compile_proto(RECURSIVE)


def nested(depth, around):
    data = b""
    for _ in range(depth):
        data = around(data)
    return data


def length(data):
    size = len(data)
    return bytes([size & 0x7F | 0x80, size >> 7]) if size > 127 else bytes([size])


@pytest.mark.parametrize(
    "around",
    [
        lambda data: b"\x0a" + length(data) + data,
        lambda data: b"\x13" + data + b"\x14",
        lambda data: b"\x4b" + data + b"\x4c",
        lambda data: (lambda entry: b"\x1a" + length(entry) + entry)(b"\x12" + length(data) + data),
    ],
    ids=["messages", "groups", "unknown groups", "maps"],
)
def test_depth_is_that_of_the_runtime(recursive, around):
    message = recursive.message_class("p.M")
    for depth in range(MAX_DEPTH // 2 - 3, MAX_DEPTH + 3):
        data = nested(depth, around)
        try:
            message.FromString(data)
        except DecodeError:
            assert survey(message.DESCRIPTOR, data).error.code == "depth"
        else:
            assert survey(message.DESCRIPTOR, data).error is None
        decoded = MessageDecoder(recursive).decode_json("p.M", data)
        assert (orjson.loads(decoded.json) is None) == (decoded.error is not None)


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b" * MIB,
        b"\x13" * MIB,
        b"\x0a\xff\xff\x3f" * (MIB // 4),
        b"\x80" * MIB,
        bytes(MIB),
        b"\x22\x80\x80\x40" + b"\x80" * MIB,
        b"\x13\x14" * (MIB // 8) + b"\x00",
    ],
)
def test_hostile_input_has_its_error(recursive, data):
    decoded = MessageDecoder(recursive).decode("p.M", data)
    assert decoded.value is None
    assert decoded.error is not None


def test_items_of_a_message_set_are_known(compile_proto):
    schema = compile_proto("""
        syntax = "proto2";
        package p;
        message Set { option message_set_wire_format = true; extensions 4 to max; }
        message Item { extend Set { optional Item item = 4; } optional int32 x = 1; }
    """)
    wire = bytes.fromhex("0b 10 04 1a 02 08 05 0c")
    assert MessageDecoder(schema).decode("p.Set", wire) == ({"[p.Item.item]": {"x": 5}}, 0, "schema", None)


def test_items_of_types_that_the_schema_lacks_are_unknown(compile_proto):
    schema = compile_proto("""
        syntax = "proto2";
        package p;
        message Set { option message_set_wire_format = true; extensions 4 to max; }
    """)
    wire = bytes.fromhex("0b 10 07 1a 02 08 05 0c")
    assert MessageDecoder(schema).decode("p.Set", wire) == ({}, len(wire), "schema", None)
