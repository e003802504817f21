"""Fields that the type does not have, kept in JSON and out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import EncodeError
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from inspector.transcode.unknown import unknown_bytes
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.scan import EGROUP, I32, I64, SGROUP, VARINT

PROTO = """
syntax = "proto3";
message Inner { string name = 1; }
message Outer { Inner inner = 1; repeated Inner all = 2; int32 number = 3; map<string, Inner> by_name = 4; }
"""

records = st.one_of(
    st.builds(
        lambda number, value: tag(number, VARINT) + varint(value), st.integers(10, 99), st.integers(0, 2**64 - 1)
    ),
    st.builds(lambda number, value: tag(number, I32) + value, st.integers(10, 99), st.binary(min_size=4, max_size=4)),
    st.builds(lambda number, value: tag(number, I64) + value, st.integers(10, 99), st.binary(min_size=8, max_size=8)),
    st.builds(length_delimited, st.integers(10, 99), st.binary(max_size=20) | st.text(max_size=9).map(str.encode)),
    st.integers(10, 99).map(lambda number: tag(number, SGROUP) + b"\x08\x01" + tag(number, EGROUP)),
)
unknown = st.lists(records, max_size=5).map(b"".join)


@pytest.fixture(scope="module")
def codec(compile_proto):
    resolver = compile_proto(PROTO)
    return MessageDecoder(resolver, keep_unknown=True), MessageEncoder(resolver), resolver.message_class("Outer")


@given(own=unknown, inner=unknown, element=unknown)
def test_unknown_fields_come_back_byte_for_byte(codec, own, inner, element):
    decoder, encoder, _ = codec
    data = length_delimited(1, b"\x0a\x01a" + inner) + length_delimited(2, b"\x0a\x01b" + element) + b"\x18\x05" + own
    decoded = decoder.decode("Outer", data)
    assert decoded.error is None
    assert encoder.encode("Outer", decoded.value) == data


@given(own=unknown)
def test_they_are_those_that_the_runtime_keeps(codec, own):
    _, _, outer = codec
    assert unknown_bytes(outer.FromString(b"\x18\x05" + own)) == own


def test_they_stand_under_a_key_of_their_own_as_they_are_guessed(codec):
    decoder, _, _ = codec
    data = b"\x18\x05" + length_delimited(9, b"some text")
    assert decoder.decode("Outer", data).value == {"number": 5, "$unknown": {"9": "some text"}}


def test_what_cannot_be_written_is_refused_with_its_path(codec):
    _, encoder, _ = codec
    with pytest.raises(EncodeError) as refused:
        encoder.encode("Outer", {"all": [{}, {"$unknown": {"9": ["fine", None]}}]})
    assert refused.value.path == "all[1].$unknown.9[1]"


def test_items_of_a_message_set_come_back_as_items(compile_proto):
    resolver = compile_proto(
        'syntax = "proto2"; message Set { option message_set_wire_format = true; extensions 4 to max; }'
    )
    data = bytes.fromhex("0b10071a0208050c")
    value = MessageDecoder(resolver, keep_unknown=True).decode("Set", data).value
    assert MessageEncoder(resolver).encode("Set", value) == data
