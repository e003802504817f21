"""Composing requests and sending them to a real server, by keys."""

from __future__ import annotations

import re
import time

import pytest
from kitchen_server import PROTOS
from textual import events
from tui.composing import Composer, compose, parsed
from tui.terminal import NARROW, WIDE

from inspector.schema import Schema
from inspector.tui.browse.byte_view import ByteView
from inspector.tui.compose.answer_pane import AnswerPane
from inspector.tui.compose.draft import Draft, MetadataRow
from inspector.tui.compose.edit_list import EditPane, RowEditor
from inspector.tui.compose.exchange import ENDED
from inspector.tui.compose.form_list import FormList
from inspector.tui.compose.methods import methods_of
from inspector.tui.compose.picker import Picker


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_request_is_written_as_json_sent_and_its_answer_seen(size):
    async def steps(terminal: Composer) -> None:
        await terminal.until(lambda: "choose" not in terminal.text())
        await terminal.press("f3", "delete", "delete")
        await terminal.type('{"int64_value": "9007199254740993", "names": ["a"]}')
        await terminal.send()
        exchange = terminal.screen.exchange
        assert exchange.state == ENDED
        assert exchange.error is None
        assert exchange.call.status.code == 0
        sent = terminal.kitchen.requests[0]
        assert sent == bytes.fromhex("108180808080808010ba010161")
        assert [each.data for each in exchange.answers] == [sent]
        text = terminal.text()
        assert "OK (0)" in text
        assert "int64_value" in text

    compose(steps, size=size)


FILLED = (
    # the field, and what is typed over it, or pressed on it
    ("int32Value", "-5"),
    ("int64Value", "9007199254740993"),
    ("uint32Value", "0xffffffff"),
    ("uint64Value", "18446744073709551615"),
    ("sint32Value", "-1"),
    ("sint64Value", "-9223372036854775808"),
    ("fixed32Value", "1"),
    ("fixed64Value", "2"),
    ("sfixed32Value", "-3"),
    ("sfixed64Value", "-4"),
    ("floatValue", "1.5"),
    ("doubleValue", "-inf"),
    ("boolValue", ["enter"]),
    ("stringValue", "grüße \\ x"),
    ("bytesValue", "hex:00ff"),
    ("color", ["enter", *"green", "enter"]),
    ("optionalString", ""),
    ("optionalNumber", "0"),
    ("timestamp", "2026-11-23 12:00:00.5 Z"),
    ("duration", "1m30s"),
    ("wrappedString", "w"),
    ("wrappedNumber", "-7"),
    ("wrappedBool", ["enter", "enter"]),
    ("wrappedBytes", "text:b"),
    ("struct", '{"a": [1, null]}'),
    ("value", "true"),
    ("list", '["x"]'),
    ("mask", "string_value,nested.color"),
)

SENT = r"""
int32_value: -5 int64_value: 9007199254740993 uint32_value: 4294967295 uint64_value: 18446744073709551615
sint32_value: -1 sint64_value: -9223372036854775808 fixed32_value: 1 fixed64_value: 2 sfixed32_value: -3
sfixed64_value: -4 float_value: 1.5 double_value: -inf bool_value: true string_value: "grüße \\ x"
bytes_value: "\000\377" color: COLOR_GREEN optional_string: "" optional_number: 0
timestamp { seconds: 1795435200 nanos: 500000000 } duration { seconds: 90 }
wrapped_string { value: "w" } wrapped_number { value: -7 } wrapped_bool {} wrapped_bytes { value: "b" }
struct { fields { key: "a" value { list_value { values { number_value: 1 } values { null_value: NULL_VALUE } } } } }
value { bool_value: true } list { values { string_value: "x" } } mask { paths: "string_value" paths: "nested.color" }
"""


def test_every_kind_of_single_field_is_filled_by_keys_and_arrives_as_it_was_meant():
    async def steps(terminal: Composer) -> None:
        for name, what in FILLED:
            await terminal.field(name)
            if isinstance(what, str):
                await terminal.over(what)
            else:
                await terminal.press(*what)
        await terminal.send()
        assert terminal.sent_text() == [parsed(SENT)]
        assert terminal.screen.exchange.answers[0].data == terminal.kitchen.requests[0]

    compose(steps)


MANY = r"""
choice_part { name: "p" } names: "b" names: "a" numbers: -1 numbers: 2 parts { count: 3 } colors: COLOR_RED colors: 77
labels { key: "k 1" value: "v" } labels { key: "k2" value: "" } parts_by_number { key: 7 value { name: "seven" } }
shares { key: true value: 0.5 }
any { [type.googleapis.com/kitchen.v1.Part] { name: "in any" } }
nested { nested { int32_value: 9 } }
classic { title: "t" Frame { width: 640 } Stroke { weight: 0.25 } [kitchen.v1.remark]: "r" [kitchen.v1.marks]: 5 }
modern { owner: "o" title: "" Note { text: "n" } mood: MOOD_BUSY }
"""


def test_fields_of_many_values_and_types_within_others_are_filled_by_keys():
    async def steps(terminal: Composer) -> None:
        press, field, over, type_ = terminal.press, terminal.field, terminal.over, terminal.type
        await field("(choice)")
        await press("enter", *"part", "enter")
        await field("choicePart.name")
        await over("p")
        await field("names")
        await press("enter")
        await type_("a")
        await press("enter", "a")
        await type_("b")
        await press("enter", "K")
        await field("numbers")
        await press("a", *"-1", "enter", "a", *"2", "enter")
        # typed over the zero that a new element has
        await field("parts")
        await press("a")
        await field("parts[0].count")
        await over("3")
        await field("colors")
        await press("a", *"red", "enter", "a", *"77", "enter")
        await field("labels")
        await press("a", *"k", "space", "1", "enter", "v", "enter", "a", *"k2", "enter", "enter")
        await field("partsByNumber")
        await press("a", "7", "enter")
        await field('partsByNumber["7"].name')
        await over("seven")
        await field("shares")
        await press("a", *"true", "enter")
        await over("0.5", is_open=True)
        await field("any")
        await press("enter", *"kitchen.v1.Part", "enter")
        await field("any.name")
        await over("in any")
        await field("nested")
        await press("l")
        await field("nested.nested")
        await press("l")
        await field("nested.nested.int32Value")
        await over("9")
        await field("classic")
        await press("l")
        await field("classic.title")
        await over("t")
        await field("classic.frame")
        await press("l")
        await field("classic.frame.width")
        await over("640")
        await field("classic.stroke")
        await press("a")
        await field("classic.stroke[0].weight")
        await over("0.25")
        await field("classic.(extensions)")
        await press("enter", *"remark", "enter")
        await over("r")
        await field("classic.(extensions)")
        await press("enter", *"marks", "enter", "a")
        await over("5", is_open=True)
        await field("modern")
        await press("l")
        await field("modern.owner")
        await over("o")
        await field("modern.title")
        await over("")
        await field("modern.note")
        await press("l")
        await field("modern.note.text")
        await over("n")
        await field("modern.mood")
        await press("enter", *"busy", "enter")
        await terminal.send()
        assert terminal.sent_text() == [parsed(MANY)]

    compose(steps)


def test_paths_of_a_mask_and_keys_of_bool_are_completed():
    async def steps(terminal: Composer) -> None:
        await terminal.field("mask")
        await terminal.press("enter")
        assert "mask                      names of fields, with commas" in terminal.text()  # over the value, all of it
        editor = terminal.screen.query_one("#form-pane RowEditor")
        for typed in ("title", ",opt"):  # the first is of a message beside it
            await terminal.type(typed[:-1])
            await terminal.until(lambda: editor._suggestion.startswith(editor.value) and editor._suggestion)
            await terminal.press("right")
        await terminal.press("enter")
        assert terminal.screen.edited.form.value["mask"] == "title,optionalString"
        await terminal.field("shares")
        await terminal.press("a", "t")
        await terminal.until(lambda: editor._suggestion == "true")
        await terminal.press("right", "enter", "escape")
        assert terminal.screen.edited.form.value["shares"] == {"true": 0.0}

    compose(steps, size=NARROW)


# --- errors ------------------------------------------------------------------------------------------------------


def test_what_is_wrong_stands_at_the_field_and_is_not_sent():
    async def steps(terminal: Composer) -> None:
        await terminal.field("int32Value")
        await terminal.over("many")
        text = terminal.text()
        assert "! many is not an integer" in text
        assert "not whole: 1 place wrong" in text
        await terminal.press("j", "j", "f5")
        assert terminal.screen.exchange is None
        assert "it cannot be sent: int32Value: many is not an integer" in terminal.told()
        assert terminal.screen.query_one(FormList).selected.path == ("int32Value",)
        await terminal.press("enter")
        assert terminal.screen.query_one(RowEditor).value == "many"
        line = next(line for line in terminal.lines() if " int32_value " in line)
        assert "many" in line
        await terminal.press("escape", "x")
        await terminal.send()
        assert terminal.kitchen.requests == [b""]

    compose(steps)


def test_a_key_that_is_there_is_told_while_it_is_typed():
    async def steps(terminal: Composer) -> None:
        await terminal.field("labels")
        await terminal.press("a", "k", "enter", "1", "enter", "a", "k", "enter")
        assert "the key k is there already" in terminal.text()
        await terminal.press("2", "enter", "2", "enter")
        assert terminal.screen.edited.form.value == {"labels": {"k": "1", "k2": "2"}}

    compose(steps)


def test_a_server_that_cannot_be_reached_is_told_in_a_line():
    async def steps(terminal: Composer) -> None:
        terminal.screen.change_draft(terminal.screen.call_draft._replace(target="grpc://127.0.0.1:1"))
        await terminal.send()
        assert "127.0.0.1:1" in str(terminal.screen.exchange.error)
        assert "refused" in terminal.text()

    compose(steps)


def test_a_status_stands_with_its_message_headers_and_trailers():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f4", "a")
        await terminal.type("x-fail: no soup")
        await terminal.press("enter", "f2")
        await terminal.send()
        assert "INVALID_ARGUMENT (3)  no soup" in terminal.text()
        await terminal.press("4", "l")
        assert "x-served-by: kitchen" in terminal.text()
        await terminal.press("l")
        assert "x-count: 1" in terminal.text()

    compose(steps)


# --- what stands in a row that is still edited --------------------------------------------------------------------


@pytest.mark.parametrize("key", ["f5", "f9"])
def test_what_stands_in_a_row_that_is_edited_is_sent(key):
    async def steps(terminal: Composer) -> None:
        await terminal.field("stringValue")
        await terminal.over("first")
        await terminal.press("enter", *"XYZ", key)
        await terminal.until(lambda: terminal.screen.exchange and terminal.screen.exchange.state == ENDED)
        assert terminal.sent_text() == [parsed('string_value: "XYZ"')]
        assert not terminal.screen.query_one(EditPane).is_editing

    compose(steps)


def test_a_row_that_is_edited_and_holds_no_value_is_told_and_not_sent():
    async def steps(terminal: Composer) -> None:
        await terminal.field("int32Value")
        await terminal.press("enter", *"many", "f5")
        assert terminal.screen.exchange is None
        assert "it cannot be sent: int32Value: many is not an integer" in terminal.told()
        assert "not whole: 1 place wrong" in terminal.text()

    compose(steps)


def test_a_row_that_is_edited_and_not_typed_in_stays_as_it_is():
    async def steps(terminal: Composer) -> None:
        await terminal.field("optionalString")
        await terminal.press("enter")
        await terminal.send()
        assert terminal.kitchen.requests == [b""]

    compose(steps)


def test_metadata_and_settings_that_are_still_edited_go_with_the_call():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f4", "a")
        await terminal.type("x-one: 1")
        await terminal.send()
        assert dict(terminal.kitchen.metadata[0])["x-one"] == "1"
        await terminal.press("f6", *"jjjjjjjj", "enter", "5")
        await terminal.send()
        assert 3 < terminal.kitchen.remaining <= 5

    compose(steps)


def test_a_setting_that_is_still_edited_and_is_none_is_told_and_nothing_sent():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f6", "enter")
        await terminal.type("host:x")
        editor = terminal.screen.query_one("#settings-pane RowEditor")
        for key in ("f5", "f9", "ctrl+s", "f2"):
            await terminal.press(key)
            assert terminal.app.screen is terminal.screen
            assert terminal.screen.exchange is None
            assert terminal.screen.focused is editor
            assert "'host:x' is not a target" in terminal.text()
        assert terminal.told().count("it cannot be sent: ") == 2
        assert terminal.told().count("it cannot be saved: ") == 1
        await terminal.press("escape")
        await terminal.send()
        assert terminal.kitchen.requests == [b""]

    compose(steps)


def test_a_text_tab_shows_what_stands_in_the_row_that_is_edited():
    async def steps(terminal: Composer) -> None:
        await terminal.field("int32Value")
        await terminal.press("f3", "f2", "enter", "7", "f3")
        assert terminal.screen.query_one("#text").text == '{\n  "int32Value": 7\n}'
        await terminal.press("f2")
        assert terminal.screen.edited.data == b"\x08\x07"

    compose(steps)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_what_was_typed_in_a_row_is_taken_where_one_goes_to_another(size):
    async def steps(terminal: Composer) -> None:
        await terminal.field("stringValue")
        await terminal.press("enter", *"abc")
        await terminal.click("double_value")
        assert terminal.screen.edited.form.value == {"stringValue": "abc"}
        assert terminal.screen.query_one(FormList).selected.path == ("doubleValue",)
        await terminal.over("1.5")
        assert terminal.screen.edited.form.value == {"stringValue": "abc", "doubleValue": 1.5}
        await terminal.press("enter", *"11", "escape")  # which leaves it as it was
        assert terminal.screen.edited.form.value == {"stringValue": "abc", "doubleValue": 1.5}

    compose(steps, size=size)


def test_a_setting_is_put_where_its_editing_began():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f6", "enter")
        await terminal.type("grpc://127.0.0.1:1")
        await terminal.click("CA file")
        draft = terminal.screen.draft
        assert draft.target == "grpc://127.0.0.1:1"
        assert draft.connect.cacert is None
        await terminal.over("ca.pem")
        draft = terminal.screen.draft
        assert (draft.target, draft.connect.cacert) == ("grpc://127.0.0.1:1", "ca.pem")

    compose(steps)


def test_a_setting_that_is_none_stays_in_its_line_where_one_goes_to_another():
    async def steps(terminal: Composer) -> None:
        target = terminal.screen.draft.target
        await terminal.press("f6", "enter", "end", *":x")
        await terminal.click("CA file")
        assert terminal.screen.focused is terminal.screen.query_one("#settings-pane RowEditor")
        assert "is not a target" in terminal.text()
        await terminal.press("backspace", "backspace", "enter")
        draft = terminal.screen.draft
        assert (draft.target, draft.connect.cacert) == (target, None)

    compose(steps)


def test_header_fields_are_taken_where_one_goes_to_another():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f4", "enter", "end", "2")
        await terminal.click("x-two")
        assert terminal.screen.draft.metadata == (MetadataRow("x-one", "12"), MetadataRow("x-two", "2"))

    compose(steps, draft=Draft(metadata=(MetadataRow("x-one", "1"), MetadataRow("x-two", "2"))))


def test_a_row_stays_open_while_another_window_has_the_keys():
    async def steps(terminal: Composer) -> None:
        await terminal.field("stringValue")
        await terminal.press("enter", *"ab")
        terminal.app.post_message(events.AppBlur())
        await terminal.settle()
        assert terminal.screen.query_one(EditPane).is_editing
        terminal.app.post_message(events.AppFocus())
        await terminal.settle()
        await terminal.press("c", "enter")
        assert terminal.screen.edited.form.value == {"stringValue": "abc"}

    compose(steps)


# --- form and text -----------------------------------------------------------------------------------------------


def test_form_and_texts_stay_in_step():
    async def steps(terminal: Composer) -> None:
        await terminal.field("int32Value")
        await terminal.over("7")
        area = terminal.screen.query_one("#text")
        shown = []
        for _ in range(4):
            await terminal.press("f3")
            shown.append(area.text)
        assert shown == ['{\n  "int32Value": 7\n}', "int32Value: 7", "int32_value: 7", "1: 7  # int32_value"]
        await terminal.press("f3", "down", "end", "backspace", "8")
        assert terminal.screen.edited.form.value == {"int32Value": 8}
        await terminal.press("f2")
        assert re.search("● +int32_value +8 ", terminal.text())
        await terminal.press("u")
        assert terminal.screen.edited.data == b"\x08\x07"

    compose(steps)


def test_a_text_with_an_error_stays_and_the_form_is_what_it_was():
    async def steps(terminal: Composer) -> None:
        await terminal.field("int32Value")
        await terminal.over("7")
        await terminal.press("f3", "down", "end", *", ")
        assert "! line 3, column 1: not valid JSON" in terminal.text()
        assert terminal.screen.edited.data is None
        await terminal.press("f2")
        assert re.search("● +int32_value +7 ", terminal.text())
        await terminal.press("f3")
        assert terminal.screen.query_one("#text").text == '{\n  "int32Value": 7, \n}'
        await terminal.type('"names": ["a"]')
        assert terminal.screen.edited.data == bytes.fromhex("0807ba010161")
        await terminal.send()
        assert terminal.kitchen.requests == [bytes.fromhex("0807ba010161")]

    compose(steps)


def test_bytes_that_do_not_follow_the_type_can_be_sent_as_protoscope():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f3", "f3", "f3", "f3")
        await terminal.type("14: {`ff`}")
        assert terminal.screen.edited.is_raw
        await terminal.send()
        assert terminal.kitchen.requests == [b"\x72\x01\xff"]

    compose(steps)


# --- settings and metadata ---------------------------------------------------------------------------------------


def test_metadata_deadline_and_compression_go_with_the_call():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f4", "a")
        await terminal.type("authorization: Bearer abc")
        await terminal.press("enter", "a")
        await terminal.type("x-kept: 1")
        await terminal.press("enter", "space", "a")
        await terminal.type("x-raw-bin: AAE=")
        await terminal.press("enter")
        text = terminal.text()
        assert "[x] authorization: <masked>" in text
        assert "[ ] x-kept: 1" in text
        await terminal.press("f6")
        await terminal.press(*"jjjjjjjj", "enter")
        await terminal.type("5")
        await terminal.press("enter", "j", "enter", *"gzip", "enter")
        await terminal.send()
        metadata = dict(terminal.kitchen.metadata[0])
        assert metadata["authorization"] == "Bearer abc"
        assert metadata["x-raw-bin"] == b"\0\1"
        assert "x-kept" not in metadata
        assert 3 < terminal.kitchen.remaining <= 5
        assert terminal.screen.draft.compress == "gzip"

    compose(steps)


def test_a_setting_that_is_none_is_told_where_it_is_typed():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f6", "enter")
        await terminal.type("host:x")
        await terminal.press("enter")
        assert "'host:x' is not a target" in terminal.text()
        await terminal.press("escape")
        assert terminal.screen.draft.target.startswith("grpc://127.0.0.1:")

    compose(steps)


# --- streams -----------------------------------------------------------------------------------------------------


def test_both_sides_talk_by_turns():
    async def steps(terminal: Composer) -> None:
        screen = terminal.screen
        await terminal.field("int32Value")
        await terminal.over("1")
        await terminal.press("f5")
        await terminal.until(lambda: len(screen.exchange.answers) == 1)
        await terminal.over("2")
        await terminal.press("f5")
        await terminal.until(lambda: len(screen.exchange.answers) == 2)
        assert screen.exchange.state == "open"
        assert [each.direction for each in screen.exchange.messages] == ["request", "response"] * 2
        assert terminal.screen.query_one(AnswerPane).chosen_message.data == b"\x08\x02"
        await terminal.press("f8")
        await terminal.until(lambda: screen.exchange.state == "ended")
        assert screen.exchange.call.status.code == 0
        assert terminal.kitchen.requests == [b"\x08\x01", b"\x08\x02"]
        await terminal.press("left_square_bracket")
        assert terminal.screen.query_one(AnswerPane).chosen_message.direction == "request"

    compose(steps, "kitchen.v1.KitchenService/Talk")


def test_a_stream_is_cancelled():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f5")
        await terminal.until(lambda: terminal.screen.exchange.answers)
        await terminal.press("f7")
        await terminal.until(lambda: terminal.screen.exchange.state == "ended")
        assert "CANCELLED" in terminal.text()
        await terminal.until(terminal.kitchen.cancelled.is_set)

    compose(steps, "kitchen.v1.KitchenService/Talk")


def test_several_messages_are_written_and_sent_together():
    async def steps(terminal: Composer) -> None:
        await terminal.field("int32Value")
        await terminal.press("plus")
        assert "message 2 of 2" in terminal.text()
        await terminal.over("5")
        await terminal.press("left_curly_bracket")
        assert "message 1 of 2" in terminal.text()
        await terminal.field("int64Value")
        await terminal.over("6")
        await terminal.press("f9")
        await terminal.until(lambda: terminal.screen.exchange.state == "ended")
        assert terminal.kitchen.requests == [b"\x10\x06", b"\x08\x05"]
        assert terminal.screen.exchange.answers[0].data == b"\x10\x06\x08\x05"

    compose(steps, "kitchen.v1.KitchenService/Collect")


def test_a_message_that_is_added_is_like_the_last_whole_one_of_this():
    async def steps(terminal: Composer) -> None:
        await terminal.field("stringValue")
        await terminal.over("abc")
        await terminal.field("int32Value")
        await terminal.over("many")
        await terminal.press("plus")
        assert "message 2 of 2" in terminal.text()
        assert terminal.screen.edited.form.value == {"stringValue": "abc"}
        await terminal.press("left_curly_bracket")
        assert "! many is not an integer" in terminal.text()
        await terminal.press("right_curly_bracket")
        await terminal.field("stringValue")
        await terminal.press("enter", "d", "escape", "plus")
        assert [each.form.value for each in terminal.screen.messages[1:]] == [{"stringValue": "abc"}] * 2

    compose(steps, "kitchen.v1.KitchenService/Talk")


def test_answers_of_a_stream_come_one_by_one():
    async def steps(terminal: Composer) -> None:
        await terminal.send()
        assert len(terminal.screen.exchange.answers) == 3

    compose(steps, "kitchen.v1.KitchenService/Repeat")


def test_leaving_the_program_gives_up_a_call_that_waits():
    async def steps(terminal: Composer) -> None:
        terminal.screen.change_draft(terminal.screen.call_draft._replace(metadata=(MetadataRow("x-wait", "1"),)))
        await terminal.press("f5")
        await terminal.until(lambda: terminal.kitchen.metadata)
        await terminal.press("f5")
        assert "F7 cancels it" in terminal.told()
        kitchens.append(terminal.kitchen)

    kitchens = []
    compose(steps)
    assert kitchens[0].cancelled.wait(30)


# --- the method --------------------------------------------------------------------------------------------------


def test_a_method_is_chosen_by_some_letters_with_the_schema_of_the_server():
    async def steps(terminal: Composer) -> None:
        await terminal.until(lambda: isinstance(terminal.app.screen, Picker))
        assert "unary" in terminal.text()
        await terminal.press(*"echo", "enter")
        assert terminal.screen.method.name == "kitchen.v1.KitchenService/Echo"
        await terminal.send()
        assert terminal.kitchen.requests == [b""]

    compose(steps, "", asks_server=True)


def test_a_value_of_many_lines_is_edited_in_a_window():
    async def steps(terminal: Composer) -> None:
        await terminal.field("stringValue")
        await terminal.press("E", *"one", "enter", *"two", "ctrl+s")
        assert terminal.screen.edited.form.value == {"stringValue": "one\ntwo"}
        assert '"one\\ntwo"' in terminal.text()
        await terminal.press("enter", "escape")
        await terminal.field("struct")
        await terminal.press("E", "{", "ctrl+s")
        assert "! not valid JSON" in terminal.text()
        await terminal.type('"a": 1}')
        await terminal.press("ctrl+s")
        assert terminal.screen.edited.form.value["struct"] == {"a": 1}

    compose(steps)


def test_a_time_is_set_to_now_and_shown_in_the_local_zone(monkeypatch):
    async def steps(terminal: Composer) -> None:
        await terminal.field("timestamp")
        await terminal.over("2026-07-01 12:00 Z")
        await terminal.press("z")
        assert "2026-07-01 14:00:00 +02:00" in terminal.text()
        await terminal.press("t")
        assert terminal.screen.edited.form.value["timestamp"] > "2026-07-01T12:00:00Z"

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        compose(steps)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_call_goes_over_tls_with_the_certificates_of_the_settings(authority, doors):
    async def steps(terminal: Composer) -> None:
        screen = terminal.screen
        screen.change_draft(screen.call_draft._replace(target=doors["mutual"]))
        await terminal.send()
        assert "signed by a CA that is not" in terminal.text()
        await terminal.press("f6", "j")
        for name in (authority.cert("ca"), authority.cert("client"), authority.key("client")):
            await terminal.press("j", "enter")
            await terminal.type(name)
            await terminal.press("enter")
        await terminal.send()
        assert screen.exchange.call.status.name == "OK", screen.exchange.error

    compose(steps, "vision.v1.PredictionService/Predict")


def test_the_bytes_of_the_field_under_the_cursor_are_told_apart():
    async def steps(terminal: Composer) -> None:
        await terminal.field("int32Value")
        await terminal.over("300")
        view = terminal.screen.query_one(ByteView)
        assert [(part.role, part.span.size) for part in view.parts] == [("tag", 1), ("value", 2)]
        await terminal.press("j")
        assert view.parts == ()
        await terminal.send()
        await terminal.press("2")
        assert view.border_title == "3 Bytes of the message"
        assert [part.role for part in view.parts] == ["tag", "value"]

    compose(steps)


def test_a_message_that_is_damaged_has_no_form_and_is_sent_as_it_is():
    async def steps(terminal: Composer) -> None:
        assert "UTF-8" in terminal.text()
        await terminal.press("a", "x", "enter")
        await terminal.send()
        assert terminal.kitchen.requests == [b"\x72\x01\xff"]

    compose(steps, messages=(b"\x72\x01\xff",))


def test_a_stream_that_does_not_end_is_given_up_where_it_is_too_much_to_hold(monkeypatch):
    async def steps(terminal: Composer) -> None:
        await terminal.send()
        exchange = terminal.screen.exchange
        assert len(exchange.messages) == 2
        assert "given up: more than 2 messages" in terminal.text()

    monkeypatch.setattr("inspector.tui.compose.exchange.MOST_MESSAGES", 2)
    compose(steps, "kitchen.v1.KitchenService/Repeat")


def test_a_request_that_was_typed_is_not_left_without_a_question():
    async def steps(composer: Composer) -> None:
        await composer.field("stringValue")
        await composer.over("typed")
        await composer.press("q")
        assert "was edited, and is neither sent nor saved. Quit?" in composer.text()
        await composer.press("escape")
        assert composer.screen.edited.form.value["stringValue"] == "typed"
        await composer.send()
        await composer.press("q")
        assert composer.app.return_code == 0
        assert not composer.app.is_running

    compose(steps)


def test_an_answer_that_is_missing_is_told():
    async def steps(composer: Composer) -> None:
        await composer.send()
        assert "OK, but no answer came; the method gives one" in composer.text()

    compose(steps, draft=Draft(metadata=(MetadataRow("x-none", "1"),)))


def test_methods_of_grpc_itself_stand_behind_the_others():
    schema = Schema.from_sources([str(PROTOS), "python:grpc_reflection.v1alpha.reflection_pb2"])
    names = [each.name for each in methods_of(schema)]
    assert names[-1] == "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    assert names[:-1] == sorted(names[:-1])
    assert names[0].startswith("kitchen.v1.")
