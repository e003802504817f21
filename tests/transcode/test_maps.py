"""Reading map fields."""

from __future__ import annotations

import pytest

from inspector.transcode.maps import WireMap, is_map, map_items

PROTO = """
syntax = "proto2";
package p;
message M {
  map<bool, int32> by_bool = 1;
  map<sint64, int32> by_number = 2;
  map<string, int32> by_text = 3;
  repeated M plain = 4;
}
"""


@pytest.fixture(scope="module")
def message_class(compile_proto):
    return compile_proto(PROTO).message_class("p.M")


def fields(message_class):
    return message_class.DESCRIPTOR.fields_by_name


def test_only_maps_are_maps(message_class):
    assert [name for name, field in fields(message_class).items() if is_map(field)] == [
        "by_bool",
        "by_number",
        "by_text",
    ]


@pytest.mark.parametrize(
    ("name", "content", "items"),
    [
        ("by_bool", {True: 1, False: 2}, {"true": 1, "false": 2}),
        ("by_number", {-5: 1}, {"-5": 1}),
        ("by_text", {"a": 1}, {"a": 1}),
    ],
)
def test_keys_are_strings(message_class, name, content, items):
    message = message_class(**{name: content})
    read = map_items(fields(message_class)[name])
    assert dict(read(getattr(message, name))) == items
    assert dict(read(WireMap(message, fields(message_class)[name]))) == items


def test_keys_that_are_not_utf8_come_by_way_of_the_wire(message_class):
    message = message_class.FromString(bytes.fromhex("1a05 0a01ff 1005 2200"))
    field = fields(message_class)["by_text"]
    with pytest.raises(UnicodeDecodeError):
        list(map_items(field)(message.by_text))
    assert list(WireMap(message, field).items()) == [(b"\xff", 5)]
