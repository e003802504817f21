"""Messages as forms: every kind of field, its texts, errors at their places, undo."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_schemas import Example, examples

from inspector.schema import Schema
from inspector.transcode.encode import MessageEncoder
from inspector.transcode.refusal import Key, Refusal
from inspector.views.form.in_step import TEXTS, InStep
from inspector.views.form.model import Form
from inspector.views.form.rows import FormRow
from inspector.views.form.texts import Manner
from inspector.views.safe_text import safe

PROTOS = Path(__file__).parents[2] / "protos"
SINK = "kitchen.v1.Sink"
NOON = 1_795_435_200_000_000_000  # 2026-11-23T12:00:00Z


@pytest.fixture(scope="module")
def schema():
    return Schema.from_source(str(PROTOS))


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def form(schema):
    return Form(schema, SINK, manner=Manner(clock=lambda: NOON))


def row(form: Form, *path) -> FormRow:
    """The row at a place, which is opened."""
    form.reveal(tuple(path))
    found = form.rows[form.index_of(tuple(path))]
    assert found.path == tuple(path)
    return found


def enter(form: Form, name: str, text: str):
    """Types a text at a field; the bytes of the message, or what is wrong."""
    return form.enter(row(form, name), text) or form.data.hex()


def serialized(message) -> bytes:
    return message.SerializeToString(deterministic=True)


ODD = ("@type", "NaN", "Infinity", "null", '""')
"""What JSON has for more than one message: a Value without a kind is null too, a mask of an empty path is none, and the
bytes in an Any are of maps in any order."""


def is_same(example: Example, form: Form, data: bytes) -> bool:
    """Whether the bytes are those of the example, as far as JSON tells messages apart."""
    if any(each in json.dumps(form.value) for each in ODD):
        return Form(example.resolver, example.type_name, data).value == form.value
    return serialized(type(example.message).FromString(data)) == serialized(example.message)


thorough = settings(deadline=None, suppress_health_check=list(HealthCheck))


@thorough
@given(examples())
def test_a_message_comes_back_as_it_was(example):
    data = serialized(example.message)
    form = Form(example.resolver, example.type_name, data)
    assert form.data == data
    assert is_same(example, form, MessageEncoder(example.resolver).encode(example.type_name, form.value))


@thorough
@given(examples())
def test_each_value_is_the_one_that_its_text_stands_for(example):
    form = Form(example.resolver, example.type_name, serialized(example.message), manner=Manner(True, "hex"))
    before = form.value
    form.open_all(500)
    for each in form.rows:
        if each.role == "value" and each.is_set and not each.item.is_nested:
            assert form.enter(each, form.text(each)) is None, (each, form.text(each))
    assert form.value == before
    assert is_same(example, form, form.data)


@thorough
@given(examples(), st.sampled_from(TEXTS))
def test_form_and_text_say_the_same(example, name):
    data = serialized(example.message)
    shown = InStep(example.resolver, example.type_name, data)
    other = InStep(example.resolver, example.type_name)
    other.enter(name, shown.text(name))
    assert other.problem is None
    assert other.form.value == shown.form.value


# --- texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "sent"),
    [
        ("int64Value", "9223372036854775807", "int64_value: 9223372036854775807"),
        ("int64Value", "-0x10", "int64_value: -16"),
        ("uint64Value", "18_446_744_073_709_551_615", "uint64_value: 18446744073709551615"),
        ("doubleValue", ".5", "double_value: 0.5"),
        ("doubleValue", "-inf", "double_value: -inf"),
        ("floatValue", "-0", "float_value: -0.0"),
        ("stringValue", "a b", "string_value: 'a b'"),
        ("stringValue", '"\\u001b"', "string_value: '\\x1b'"),
        ("bytesValue", "text:ab", "bytes_value: 'ab'"),
        ("bytesValue", "ab", "bytes_value: 'ab'"),
        ("bytesValue", "hex: 00 ff", "bytes_value: '\\x00\\xff'"),
        ("bytesValue", "base64:AP8", "bytes_value: '\\x00\\xff'"),
        ("color", "color_red", "color: COLOR_RED"),
        ("color", "77", "color: 77"),
        ("optionalString", "", "optional_string: ''"),
        ("timestamp", "2026-11-23 13:00 local", "timestamp { seconds: 1795435200 }"),
        ("timestamp", "2026-11-23T12:00:00Z", "timestamp { seconds: 1795435200 }"),
        ("timestamp", "2026-11-23 14:00:00 +02:00", "timestamp { seconds: 1795435200 }"),
        ("timestamp", "1890-01-01 00:53:28 local", "timestamp { seconds: -2524521600 }"),
        ("timestamp", "2026-11-23 UTC", "timestamp { seconds: 1795392000 }"),
        ("timestamp", "now", "timestamp { seconds: 1795435200 }"),
        ("timestamp", "now+1m", "timestamp { seconds: 1795435260 }"),
        ("timestamp", "now - 1ms", "timestamp { seconds: 1795435199 nanos: 999000000 }"),
        ("duration", "1m30.5s", "duration { seconds: 90 nanos: 500000000 }"),
        ("duration", "-250 ms", "duration { nanos: -250000000 }"),
        ("wrappedNumber", "0", "wrapped_number {}"),
        ("wrappedBytes", "hex:00", "wrapped_bytes { value: '\\x00' }"),
        ("struct", '{"a": null}', "struct { fields { key: 'a' value { null_value: NULL_VALUE } } }"),
        ("value", "null", "value { null_value: NULL_VALUE }"),
        ("list", "[1]", "list { values { number_value: 1 } }"),
        ("mask", "string_value, nested.color", "mask { paths: 'string_value' paths: 'nested.color' }"),
    ],
)
def test_what_is_typed_is_what_is_sent(form, schema, name, text, sent):
    assert form.enter(row(form, name), text) is None
    wanted = text_format.Parse(sent, schema.message_class(SINK)())
    assert form.data == wanted.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("int32Value", "2147483648", "out of the range of int32"),
        ("int32Value", "1.5", "is not an integer"),
        ("doubleValue", "many", "is not a number"),
        ("color", "COLOR_REED", "did you mean COLOR_RED"),
        ("stringValue", '"open', "not valid JSON"),
        ("bytesValue", "hex:0", "is not hexadecimal"),
        ("bytesValue", "base64:?", "is not base64"),
        ("bytesValue", "@/nowhere", "cannot be read"),
        ("bytesValue", "@/dev/zero", "is not a plain file"),
        ("timestamp", "2026-11-23 12:00", "the zone is missing"),
        ("timestamp", "2026-02-30 12:00 Z", "is no time"),
        ("timestamp", "noon", "is not a time"),
        ("duration", "5", "is not a duration"),
        ("duration", "0.1ns", "finer than a nanosecond"),
        ("duration", "999999999999s", "out of the range"),
        ("struct", "[1]", "a Struct is an object"),
        ("value", "{", "not valid JSON"),
        ("mask", "a b", "is no list of fields"),
    ],
)
def test_what_is_no_value_stays_at_its_place_with_the_reason(form, name, text, told):
    error = form.enter(row(form, name), text)
    assert told in error
    assert form.data is None
    assert form.text(row(form, name)) == text
    assert [*form.errors] == [(name,)]
    form.clear(row(form, name))
    assert (form.errors, form.data) == ({}, b"")


def test_bytes_come_from_a_file(form, tmp_path):
    (tmp_path / "content").write_bytes(b"\0\1")
    assert enter(form, "bytesValue", f"@{tmp_path}/content") == "7a020001"
    assert form.text(row(form, "bytesValue")) == "hex:0001"
    form.manner = form.manner._replace(bytes_as="base64")
    assert form.text(row(form, "bytesValue")) == "base64:AAE="


def test_a_pipe_does_not_keep_the_form_waiting(form, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "not a plain file" in enter(form, "bytesValue", f"@{tmp_path}/pipe")


def test_a_time_is_shown_with_its_zone(form):
    enter(form, "timestamp", "2026-07-01 12:00:00.25 Z")
    assert form.text(row(form, "timestamp")) == "2026-07-01T12:00:00.250Z"
    form.manner = form.manner._replace(is_local=True)
    assert form.text(row(form, "timestamp")) == "2026-07-01 14:00:00.25 +02:00"


# --- presence ----------------------------------------------------------------------------------------------------


def test_a_field_with_presence_may_hold_its_default(form):
    assert enter(form, "optionalNumber", "0") == "900100"
    form.clear(row(form, "optionalNumber"))
    assert form.data == b""
    assert enter(form, "int32Value", "0") == ""


def test_required_fields_are_asked_for(form):
    form.open(row(form, "classic"))
    assert form.errors == {("classic", "title"): "the required field is missing"}
    assert form.enter(row(form, "classic", "title"), "x") is None
    assert form.data.hex() == "d202030a0178"
    assert row(form, "classic", "title").is_required
    form.clear(row(form, "classic"))
    form.open(row(form, "modern"))
    assert [*form.errors] == [("modern", "owner")]


def test_defaults_are_shown_and_not_sent(form):
    form.open(row(form, "classic"))
    assert form.default(row(form, "classic", "certainty")) == "80"
    assert form.default(row(form, "classic", "level")) == "HIGH"


def test_of_a_oneof_one_is_there_or_none(form):
    choice = row(form, "(choice)")
    names = {arm.name: arm for arm in choice.oneof.fields}
    form.choose_arm(choice, names["choice_number"])
    assert form.data.hex() == "a00100"
    form.choose_arm(row(form, "(choice)"), names["choice_part"])
    assert form.data.hex() == "aa0100"
    assert row(form, "(choice)").value == "choice_part"
    form.choose_arm(row(form, "(choice)"), None)
    assert (form.data, row(form, "(choice)").is_set) == (b"", False)


def test_a_closed_enum_takes_only_its_numbers(form):
    form.open(row(form, "classic"))
    assert "no value with" in form.enter(row(form, "classic", "level"), "9")


# --- many --------------------------------------------------------------------------------------------------------


def test_elements_are_added_moved_and_removed(form):
    for name in ("a", "b", "c"):
        path = form.add(row(form, "names"))
        form.enter(row(form, *path), name)
    assert form.move(row(form, "names", 2), -2) == ("names", 0)
    assert form.value["names"] == ["c", "a", "b"]
    form.clear(row(form, "names", 1))
    assert form.value["names"] == ["c", "b"]
    form.add(row(form, "names", 0))
    assert form.value["names"] == ["c", "", "b"]


def test_what_is_open_and_wrong_moves_with_its_element(form):
    first = form.add(row(form, "parts"))
    second = form.add(row(form, "parts"))
    form.enter(row(form, *second, "count"), "x")
    assert form.move(row(form, *second), -1) == first
    assert [*form.errors] == [(*first, "count")]
    form.clear(row(form, *first))
    assert form.errors == {}


def test_a_key_is_there_once(form):
    path = form.add(row(form, "partsByNumber"), "007")
    assert path == ("partsByNumber", Key("7"))
    with pytest.raises(Refusal, match="the key 7 is there already"):
        form.add(row(form, "partsByNumber"), "0x7")
    with pytest.raises(Refusal, match="not an integer"):
        form.add(row(form, "partsByNumber"), "x")
    other = form.add(row(form, "partsByNumber"), "8")
    with pytest.raises(Refusal, match="there already"):
        form.rename(row(form, *other), "7")
    form.rename(row(form, *other), "9")
    assert [*form.value["partsByNumber"]] == ["7", "9"]
    assert form.add(row(form, "shares"), "yes")[-1] == "true"


# --- types within others -----------------------------------------------------------------------------------------


def test_an_any_holds_any_type_of_the_schema(form):
    form.choose_type(row(form, "any"), "kitchen.v1.Part")
    form.enter(row(form, "any", "name"), "x")
    assert form.value["any"] == {"@type": "type.googleapis.com/kitchen.v1.Part", "name": "x"}
    form.choose_type(row(form, "any"), "google.protobuf.Duration")
    form.enter(row(form, "any", "value"), "2s")
    assert form.value["any"]["value"] == "2s"
    assert form.data is not None
    form.choose_type(row(form, "any"), "google.protobuf.Any")
    form.choose_type(row(form, "any", "value"), SINK)
    form.enter(row(form, "any", "value", "stringValue"), "deep")
    assert form.data is not None


def test_an_any_of_an_unknown_type_keeps_its_bytes(schema):
    data = bytes.fromhex("c2020a0a05612f622e43120108")
    form = Form(schema, SINK, data)
    assert form.text(row(form, "any", "value")) == "hex:08"
    form.enter(row(form, "any", "value"), "hex:0801")
    assert form.data.hex() == "c2020b0a05612f622e4312020801"


def test_a_type_within_itself_is_opened_as_far_as_one_goes(form):
    path = ()
    for _ in range(20):
        path = (*path, "nested")
        form.open(row(form, *path))
    form.enter(row(form, *path, "int32Value"), "1")
    assert form.data.endswith(b"\x08\x01")


def test_groups_and_extensions(form):
    form.open(row(form, "classic"))
    form.enter(row(form, "classic", "title"), "t")
    form.open(row(form, "classic", "frame"))
    form.enter(row(form, "classic", "frame", "width"), "3")
    extensions = {each.name: each for each in form.extensions(row(form, "classic", "(extensions)"))}
    path = form.add_extension(row(form, "classic", "(extensions)"), extensions["remark"])
    form.enter(row(form, *path), "r")
    marks = form.add_extension(row(form, "classic", "(extensions)"), extensions["marks"])
    form.enter(row(form, *form.add(row(form, *marks))), "5")
    assert form.data.hex() == "d2020e" + "0a0174" + "23080324" + "a2060172" + "a80605"
    assert form.index_of(("classic", "(extensions)")) == form.index_of(("classic",))


def test_unknown_fields_are_kept_and_can_be_taken_away(schema):
    data = bytes.fromhex("0801c03e05")
    form = Form(schema, SINK, data)
    form.enter(row(form, "int32Value"), "2")
    assert form.data.hex() == "0802c03e05"
    form.clear(row(form, "$unknown"))
    assert form.data.hex() == "0802"


# --- as a whole --------------------------------------------------------------------------------------------------


def test_bytes_stay_what_they_were_until_something_changes(schema):
    odd = bytes.fromhex("088200088100")  # the same field twice, in more bytes than it takes
    form = Form(schema, SINK, odd)
    assert (form.data, form.is_changed) == (odd, False)
    form.enter(row(form, "int32Value"), "1")
    assert form.data == b"\x08\x01"


def test_every_change_can_be_undone(form):
    states = [form.data]
    form.enter(row(form, "int32Value"), "1")
    states.append(form.data)
    form.add(row(form, "names"))
    states.append(form.data)
    form.enter(row(form, "int64Value"), "x")
    states.append(form.data)
    for before in states[-2::-1]:
        assert form.undo()
        assert form.data == before
    assert not form.undo()
    for after in states[1:]:
        assert form.redo()
        assert form.data == after
    assert not form.redo()


def test_extensions_of_other_files_can_be_added(tmp_path):
    (tmp_path / "a.proto").write_text('syntax = "proto2"; package a; message A { extensions 10 to 20; }')
    (tmp_path / "b.proto").write_text(
        'syntax = "proto2"; package b; import "a.proto"; extend a.A { optional int32 more = 10; }'
    )
    form = Form(Schema.from_source(str(tmp_path)), "a.A")
    [more] = form.extensions(row(form, "(extensions)"))
    form.enter(row(form, *form.add_extension(row(form, "(extensions)"), more)), "3")
    assert form.value == {"[b.more]": 3}
    assert form.data == b"\x50\x03"


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("google.protobuf.Struct", '{"a": 1}', {"a": 1}),
        ("google.protobuf.Timestamp", "1970-01-01 Z", "1970-01-01T00:00:00Z"),
        ("google.protobuf.StringValue", "x", "x"),
    ],
)
def test_a_request_may_be_one_value(type_name, text, value):
    form = Form(Schema.empty(), type_name)
    [only] = form.rows
    assert form.enter(only, text) is None
    assert form.value == value
    form.clear(form.rows[0])
    assert form.data == b""


def test_of_very_many_elements_one_is_changed(schema):
    data = schema.message_class(SINK)(names=["x"] * 20_000).SerializeToString()
    form = Form(schema, SINK, data)
    assert len(form.rows) == len(Form(schema, SINK).rows)
    form.open(row(form, "names"))
    form.enter(row(form, "names", 19_999), "y")
    assert form.data == data[:-1] + b"y"


def test_what_a_form_cannot_hold_is_known(schema):
    assert Form(schema, SINK, b"\x08\x01").is_exact
    assert Form(schema, SINK, bytes.fromhex("0801c03e05")).is_exact
    assert not Form(schema, SINK, bytes.fromhex("aa0200")).is_exact  # a Value without a kind
    old = Form(schema, "kitchen.v1.Classic", bytes.fromhex("0a01ff"))  # strings of proto2 may be anything
    assert not old.is_exact
    assert old.data == bytes.fromhex("0a01ff")


TYPED = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[0-9]{1,6}-[0-9]{2}-[0-9]{2}[ T][0-9:.]{0,12} ?(Z|local|[+-][0-9]{2}:?[0-9]{2})?", fullmatch=True),
    st.from_regex(r"(now ?[+-] ?)?-?[0-9]{1,25}(\.[0-9]{0,12})?(ns|us|ms|s|m|h|d| )?", fullmatch=True),
    st.from_regex(r"(hex|base64|text|file):[0-9a-f=]{0,6}|@[a-z/\x00]{0,4}|[-+0-9eE._x]{1,8}", fullmatch=True),
    st.sampled_from(["9" * 5000, "1e999", '"\\ud800"', "[" * 9999]),
    st.sampled_from(["0001-01-01 00:00 local", "9999-12-31 23:59:59 local", "0001-01-01 00:00 +14:00"]),
)  # fmt: skip


@thorough
@given(st.data(), TYPED)
def test_whatever_is_typed_is_a_value_or_told_as_none(schema, data, text):
    form = Form(schema, SINK)
    at = data.draw(st.sampled_from([each for each in form.rows if each.role == "value" and not each.item.is_nested]))
    error = form.enter(at, text)
    assert (form.data is None) == bool(form.errors)
    if error is None and form.data is not None:
        shown = form.text(form.rows[form.index_of(at.path)])
        again = Form(schema, SINK, form.data)
        assert again.data == form.data
        assert safe(shown) == shown
