"""Composing requests and sending them to a real server, by keys."""

from __future__ import annotations

import pytest
from tui.composing import Composer, compose, parsed
from tui.terminal import NARROW, WIDE

from inspector.tui.compose.exchange import ENDED


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
