"""A message as a form and as text at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspector.schema import Schema
from inspector.views.form.bytes_of import node_at
from inspector.views.form.in_step import MOST_EDITED, TEXTS, InStep
from inspector.views.safe_text import safe

PROTOS = Path(__file__).parents[2] / "protos"
SINK = "kitchen.v1.Sink"


@pytest.fixture(scope="module")
def schema():
    return Schema.from_source(str(PROTOS))


@pytest.fixture
def edited(schema):
    return InStep(schema, SINK, b"\x08\x07")


def change(edited: InStep, name: str, text: str) -> None:
    form = edited.form
    assert form.enter(form.rows[form.index_of((name,))], text) is None
    edited.form_changed()


@pytest.mark.parametrize("name", TEXTS)
def test_a_change_of_the_form_is_in_the_text_and_the_other_way_round(edited, name):
    assert "7" in edited.text(name)
    change(edited, "int32Value", "8")
    text = edited.text(name)
    assert "8" in text
    edited.enter(name, text.replace("8", "9"))
    assert edited.form.value == {"int32Value": 9}
    assert edited.data == b"\x08\x09"


@pytest.mark.parametrize(
    ("name", "text", "line", "column"),
    [
        ("json", '{\n  "int32Value": x}', 2, 17),
        ("json", '{"nested": {\n "int32Value": "x"}}', 2, 16),
        ("yaml", "int32Value: 1\nnested: {\n", 3, 1),
        ("text", "int32_value: 1\nint33_value: 2", 2, 1),
        ("protoscope", "1: 7\n2: {", 2, 4),
    ],
)
def test_a_text_with_an_error_stays_and_tells_where(edited, name, text, line, column):
    edited.enter(name, text)
    assert (edited.problem.line, edited.problem.column) == (line, column)
    assert edited.text(name) == text
    assert edited.data is None
    assert edited.errors == 1
    assert edited.form.value == {"int32Value": 7}
    change(edited, "int32Value", "8")
    assert edited.problem is None
    assert "8" in edited.text(name)


def test_what_is_typed_in_one_go_is_undone_in_one_go(edited):
    for end in ("1", "12", "123"):
        edited.enter("json", f'{{"int32Value": {end}}}')
    assert edited.data == b"\x08\x7b"
    assert edited.form.undo()
    assert edited.form.data == b"\x08\x07"


def test_json_shows_what_is_not_whole_yet(edited):
    form = edited.form
    form.open(form.rows[form.index_of(("classic",))])
    edited.form_changed()
    assert edited.data is None
    assert edited.text("json") == '{\n  "int32Value": 7,\n  "classic": {}\n}'
    assert edited.text("text") == "int32_value: 7"


def test_bytes_that_do_not_follow_the_type_are_sent_as_they_are(schema, edited):
    edited.enter("protoscope", "14: {`ff`}")
    assert (edited.is_raw, edited.data) == (True, b"\x72\x01\xff")
    assert "UTF-8" in str(edited.problem)
    again = InStep(schema, SINK, b"\x72\x01\xff")
    assert again.data == b"\x72\x01\xff"
    assert again.text("protoscope").startswith("14: {")
    change(again, "int32Value", "1")
    assert again.data == b"\x08\x01"


def test_a_message_that_is_too_large_to_edit_is_sent_as_it_is(schema):
    data = b"\x72" + bytes.fromhex("c0843d") + b"x" * 1_000_000
    assert len(data) > MOST_EDITED
    edited = InStep(schema, SINK, data)
    assert edited.data is data
    assert "sent as it is" in str(edited.problem)


def test_one_message_is_edited_at_a_time(edited):
    edited.enter("json", "{} {}")
    assert "2 messages" in str(edited.problem)
    edited.enter("json", "")
    assert edited.data == b""


UNSAFE = "a\tb\x1b[31m\u202ec\u2028\x85\x7f\u200e'\"\\ :#- é日"


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_safe_to_show_and_mean_the_same(schema, name):
    message = schema.message_class(SINK)(string_value=UNSAFE, names=[UNSAFE, f" {UNSAFE}", f"x\n{UNSAFE}\n"])
    message.labels[UNSAFE] = UNSAFE
    edited = InStep(schema, SINK, message.SerializeToString(deterministic=True))
    text = edited.text(name)
    assert all(safe(line) == line for line in text.split("\n"))
    other = InStep(schema, SINK)
    other.enter(name, text)
    assert other.problem is None
    assert other.form.value == edited.form.value


@pytest.mark.parametrize(
    ("path", "span"),
    [
        (("int32Value",), (0, 2)),
        (("names", 1), (6, 10)),
        (("numbers", 1), (14, 15)),
        (("nested", "int32Value"), (18, 20)),
        (("nested", "color"), (15, 20)),
        (("color",), None),
    ],
)
def test_a_field_is_found_among_the_bytes(schema, path, span):
    message = schema.message_class(SINK)(int32_value=1, names=["a", "b"], numbers=[1, 2])
    message.nested.int32_value = 5
    edited = InStep(schema, SINK, message.SerializeToString())
    node = node_at(edited.tree, path)
    assert (None if node is None else tuple(node.span)) == span


def test_what_does_not_follow_its_type_is_edited_byte_by_byte_only(schema):
    broken = InStep(schema, SINK, b"\x72\x01\xff")
    assert [name for name in ("form", *TEXTS) if broken.takes(name)] == ["protoscope"]
    broken.enter("protoscope", '14: {"a"}')
    assert broken.takes("form")
    assert broken.form.value == {"stringValue": "a"}
    large = InStep(schema, SINK, b"\x72" + bytes.fromhex("c0843d") + b"x" * 1_000_000)
    assert not any(large.takes(name) for name in ("form", *TEXTS))
    assert large.text("json") == "1,000,004 bytes: too many to be edited here"
