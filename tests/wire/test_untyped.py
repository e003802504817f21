"""Guessed values written back: byte for byte where nothing was edited, the edit alone where something was."""

from __future__ import annotations

import base64
import json
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inspector.errors import EncodeError
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.scan import EGROUP, I32, I64, SGROUP, VARINT
from inspector.wire.untyped import from_value, to_value


def number(field: int, value: int) -> bytes:
    return tag(field, VARINT) + varint(value)


def text(field: int, value: str) -> bytes:
    return length_delimited(field, value.encode())


def single(field: int, value: float) -> bytes:
    return tag(field, I32) + struct.pack("<f", value)


def double(field: int, value: float) -> bytes:
    return tag(field, I64) + struct.pack("<d", value)


def edited(data: bytes, change) -> bytes:
    value = json.loads(json.dumps(to_value(data)))
    change(value)
    return from_value(value)


# --- nothing edited ----------------------------------------------------------------------------------------------

wire_like = st.lists(
    st.sampled_from(
        [b"\x0a", b"\x0b", b"\x0c", b"\x12\x02", b"\x08", b"\x0d", b"\x09", b"\xff" * 9 + b"\x01", b"ab", b"\x80"]
    )
    | st.binary(max_size=6)
    | st.floats(width=32).map(lambda value: struct.pack("<f", value))
).map(b"".join)


@given(wire_like | wire_like.map(lambda inner: length_delimited(3, inner)) | st.binary())
@example(b"\x0b\x0b\x0c\x0c" + b"\x0a\x02\x0b\x0c")
@example(double(1, float("nan")) + tag(2, I64) + b"\x01" * 6 + b"\xf4\x7f")
@example(b"\x0a\x00" + number(1, 2**63) + single(1, 0.1))
@example(text(1, "a") + number(2, 1) + text(1, "b"))
@example(b"\x88\x00\x81\x00\x92\x80\x00\x01a")
def test_any_bytes_come_back(data):
    value = to_value(data)
    assert from_value(value) == data
    assert from_value(json.loads(json.dumps(value))) == data


hints = st.dictionaries(
    st.sampled_from(["1", "2", "1.1", "1.2", "3", "3.1"]),
    st.sampled_from(
        ["string", "bytes", "message", "group", "packed", "packed-float", "int32", "sint64", "float", "bool"]
    ),
    max_size=3,
)


@given(wire_like | wire_like.map(lambda inner: length_delimited(1, inner)), hints)
def test_any_bytes_come_back_with_hints(data, given_hints):
    assert from_value(json.loads(json.dumps(to_value(data, given_hints)))) == data


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (number(1, 5) + text(2, "x y z"), {"1": 5, "2": "x y z"}),
        (double(3, 0.5), {"3": 0.5, "$wire": {"3": "double"}}),
        (length_delimited(1, b"\xff\xfe"), {"1": {"$bytes": "//4="}}),
        (single(2, 0.5), {"2": 0.5, "$wire": {"2": "float"}}),
        (double(2, 3), {"2": 3.0, "$wire": {"2": "double"}}),
        (double(2, float("inf")), {"2": "Infinity", "$wire": {"2": "double"}}),
        (number(2, 2**60), {"2": str(2**60), "$wire": {"2": "int64"}}),
        (number(2, 2**64 - 7), {"2": -7}),
        (tag(8, SGROUP) + number(1, 2) + tag(8, EGROUP), {"8": {"1": 2}, "$wire": {"8": "group"}}),
        (text(1, "two") + text(1, "words"), {"1": ["two", "words"]}),
        (number(2, 1) + number(1, 1), {"2": 1, "1": 1}),
    ],
)
def test_only_what_json_does_not_tell_is_said(data, value):
    assert to_value(data) == value


def test_packed_numbers_say_what_they_are():
    data = b"".join(length_delimited(3, bytes((n, n + 2, 40, 1))) for n in range(9))
    value = to_value(data)
    assert value["$wire"] == {"3": "packed-int64"}
    assert value["3"][8] == [8, 10, 40, 1]
    assert "$original" not in value


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(text(1, "a") + number(2, 1) + text(1, "b"), id="fields apart from each other"),
        pytest.param(b"\x08\x81\x00", id="a varint longer than needed"),
        pytest.param(text(1, "whole") + b"\x12\x09cut", id="damage behind the last field"),
        pytest.param(b"\xff", id="damage alone"),
    ],
)
def test_the_original_comes_along_only_where_it_is_needed(data):
    assert base64.b64decode(to_value(data)["$original"]) == data


# --- edits -------------------------------------------------------------------------------------------------------


def test_one_value_edited_changes_that_field_alone():
    data = text(1, "name") + single(2, 0.5) + length_delimited(3, number(1, 7) + text(2, "inner text"))
    assert edited(data, lambda value: value["3"].update({"2": "other"})) == (
        text(1, "name") + single(2, 0.5) + length_delimited(3, number(1, 7) + text(2, "other"))
    )
    assert edited(data, lambda value: value.update({"2": 2})) == data.replace(single(2, 0.5), single(2, 2))


LONG_ONE = b"\x08\x81\x80\x00"  # 1 in three bytes
APART = LONG_ONE + text(2, "first") + number(3, 9) + text(2, "second") + b"\x1a\x7fdamage"


def test_what_was_not_edited_keeps_its_bytes_and_place():
    assert edited(APART, lambda value: value.update({"3": 10})) == APART.replace(number(3, 9), number(3, 10))
    assert edited(APART, lambda value: value["2"].__setitem__(1, "2nd")) == APART.replace(
        text(2, "second"), text(2, "2nd")
    )


def test_fields_are_added_and_removed():
    added = edited(APART, lambda value: value.update({"9": "new"}))
    assert added == APART.replace(b"\x1a\x7fdamage", text(9, "new") + b"\x1a\x7fdamage")
    assert edited(APART, lambda value: value.pop("3")) == APART.replace(number(3, 9), b"")
    assert edited(APART, lambda value: value["2"].pop(0)) == APART.replace(text(2, "first"), b"")
    assert edited(APART, lambda value: value["2"].insert(0, "zeroth")) == APART.replace(
        text(2, "first"), text(2, "zeroth") + text(2, "first")
    )
    assert edited(APART, lambda value: value["2"].append("third")) == APART.replace(
        text(2, "second"), text(2, "second") + text(2, "third")
    )


def test_an_edit_deep_inside_keeps_what_is_around_it():
    inner = b"\x90\x00\x05" + text(1, "deep text here")  # a tag of two bytes where one does
    data = number(9, 1) + length_delimited(3, length_delimited(2, inner) + b"\x88\x80\x00\x05") + number(1, 1)
    value = to_value(data)
    value["3"]["2"]["1"] = "changed"
    changed = length_delimited(2, b"\x90\x00\x05" + text(1, "changed"))
    assert from_value(value) == number(9, 1) + length_delimited(3, changed + b"\x88\x80\x00\x05") + number(1, 1)


def test_numbers_of_several_wire_types_are_edited_as_what_they_were():
    data = single(1, 0.5) + number(1, 3) + text(1, "x y z")
    value = to_value(data)
    assert value["1"] == [0.5, 3, "x y z"]
    value["1"][0] = 2.5
    assert from_value(value) == single(1, 2.5) + number(1, 3) + text(1, "x y z")


def test_groups_are_edited_in_place():
    data = b"\x43" + b"\x08\x81\x00" + text(2, "text") + b"\x44" + number(1, 1)
    value = to_value(data)
    value["8"]["2"] = "more text"
    assert from_value(value) == b"\x43" + b"\x08\x81\x00" + text(2, "more text") + b"\x44" + number(1, 1)


def test_a_packed_field_is_edited():
    data = b"".join(length_delimited(3, bytes((n, n + 2, 40, 1))) for n in range(9))
    assert edited(data, lambda value: value["3"][0].append(300)) == (
        length_delimited(3, bytes((0, 2, 40, 1, 0xAC, 0x02))) + data[6:]
    )


# --- made by hand ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ({}, b""),
        ({"1": 5, "2": "text", "3": {"1": True}}, number(1, 5) + text(2, "text") + b"\x1a\x02\x08\x01"),
        ({"1": [1, -1]}, number(1, 1) + number(1, 2**64 - 1)),
        ({"1": []}, b""),
        ({"1": 2**64 - 1}, number(1, 2**64 - 1)),
        ({"1": 0.25, "$wire": {"1": "float"}}, single(1, 0.25)),
        ({"1": "NaN", "$wire": {"1": "double"}}, double(1, float("nan"))),
        ({"1": [1, 300], "$wire": {"1": "packed"}}, b"\x0a\x03\x01\xac\x02"),
        ({"1": [[1], [2]], "$wire": {"1": "packed-sint32"}}, b"\x0a\x01\x02\x0a\x01\x04"),
        ({"1": [], "$wire": {"1": "packed-float"}}, b"\x0a\x00"),
        ({"1": {"2": -1}, "$wire": {"1": "group", "1.2": "sint64"}}, b"\x0b\x10\x01\x0c"),
        ({"536870911": {"$bytes": "AAE="}}, length_delimited(536870911, b"\0\1")),
    ],
)
def test_a_value_made_by_hand_is_written(value, data):
    assert from_value(value) == data


def test_hints_go_before_what_the_value_says():
    assert from_value({"1": 1, "$wire": {"1": "float"}}, {"1": "sint32"}) == number(1, 2)


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        ([], "", "object"),
        ({"name": 1}, "name", "no field number"),
        ({"0": 1}, "0", "no field number"),
        ({"536870912": 1}, "536870912", "no field number"),
        ({"01": 1}, "01", "no field number"),
        ({"1": None}, "1", "null"),
        ({"1": {"2": [1, None]}}, "1.2[1]", "null"),
        ({"1": [[1]]}, "1[0]", "list"),
        ({"1": 2**64}, "1", "range of uint64"),
        ({"1": -(2**63) - 1}, "1", "range of int64"),
        ({"1": 10**400}, "1", "huge"),
        ({"1": "x", "$wire": {"1": "int64"}}, "1", "expected an integer"),
        ({"1": 300, "$wire": {"1": "fixed32", "2": "bytes"}, "2": "x"}, "2", "expected bytes"),
        ({"1": 1e300, "$wire": {"1": "float"}}, "1", "too large"),
        ({"1": [1, "x"], "$wire": {"1": "packed"}}, "1[1]", "expected an integer"),
        ({"1": 1, "$wire": {"1": "message"}}, "1", "expected a message"),
        ({"1": "\ud800"}, "1", "surrogate"),
        ({"1": {"$bytes": "?"}}, "1", "base64"),
        ({"1": {"$bytes": "", "2": 1}}, "1", "nothing else"),
        ({"$wire": {"1": "text"}}, "$wire", "no kind 'text'"),
        ({"$wire": 1}, "$wire", "expected an object"),
        ({"$wire": {"1": 1}}, "$wire", "no kind"),
        ({"$original": 1}, "$original", "not base64"),
        ({"$original": "a"}, "$original", "not base64"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_path(value, path, words):
    with pytest.raises(EncodeError) as caught:
        from_value(value)
    assert caught.value.path == path
    assert words in str(caught.value)


def test_too_deep_a_value_is_refused():
    value: dict = {}
    for _ in range(500):
        value = {"1": value}
    with pytest.raises(EncodeError, match="nested over 100"):
        from_value(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just({"$bytes": "AA=="}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["1", "2", "x", "$wire", "$original"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_written_or_refused(value):
    try:
        written = from_value(value)
    except EncodeError:
        return
    assert isinstance(written, bytes)


@given(wire_like, json_values)
def test_any_edit_is_written_or_refused(data, replacement):
    value = to_value(data)
    for key in [key for key in value if not key.startswith("$")][:1]:
        value[key] = replacement
    try:
        written = from_value(value)
    except EncodeError:
        return
    assert isinstance(written, bytes)


def test_a_key_that_is_no_text_is_refused():
    with pytest.raises(EncodeError, match="keys are field numbers as text, 1 is none"):
        from_value({1: 2})
