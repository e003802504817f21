"""What a field, a message and a call can be copied as."""

from __future__ import annotations

import base64
from pathlib import Path

import orjson
import pytest

from inspector.errors import InspectorError
from inspector.schema import Schema
from inspector.transcode.tree import FieldTree
from inspector.views import copies
from inspector.views.places import find_field

ROOT = Path(__file__).parent.parent.parent
TYPE = "vision.v1.PredictRequest"
DATA = (ROOT / "samples" / "payloads" / "predict_request.binpb").read_bytes()


@pytest.fixture(scope="module")
def schema():
    return Schema.from_source(str(ROOT / "protos"))


def forms_of(schema, path, data=DATA, type_name=TYPE):
    node = find_field(FieldTree(data, resolver=schema, type_name=type_name).fields, path)
    return {form.title: form.make() for form in copies.of_field(node, schema)}


def test_a_text_is_copied_as_it_is(schema):
    forms = forms_of(schema, "context.locale")
    assert forms == {
        "value": "en-GB",
        "path": "context.locale",
        "bytes as hex": "656e2d4742",
        "bytes as base64": "ZW4tR0I=",
    }


def test_a_message_is_copied_as_json_and_an_enum_by_name(schema):
    assert orjson.loads(forms_of(schema, "context")["value"])["locale"] == "en-GB"
    assert forms_of(schema, "context.priority")["value"] == "-2"


def test_bytes_are_copied_as_base64_and_packed_numbers_as_a_list():
    assert forms_of(None, "1", b"\x0a\x03\xff\xfe\x00", None)["value"] == base64.b64encode(b"\xff\xfe\x00").decode()
    tree = FieldTree(b"\x0a\x03\x01\x02\x03", hints={"1": "packed-uint64"})
    assert copies.of_field(tree.fields[0], None)[0].make() == "[1, 2, 3]"


def test_a_message_of_no_known_type_is_copied_as_guessed():
    assert orjson.loads(forms_of(None, "1", b"\x0a\x04\x0a\x02hi", None)["value"]) == {"1": "hi"}


def test_each_form_of_a_message_can_be_read_back(schema):
    for form in ("json", "text", "yaml", "protoscope", "hex", "base64"):
        content = copies.Content(DATA, TYPE, schema)
        assert content.as_text(form)
    assert [form.letter for form in copies.of_message(content)] == ["j", "t", "y", "s", "X", "B"]


def test_a_damaged_message_is_refused_with_its_place(schema):
    with pytest.raises(InspectorError, match="offset"):
        copies.Content(DATA[:-3], TYPE, schema).as_text("json")


def test_no_letter_stands_for_two_forms(schema):
    node = FieldTree(DATA).fields[0]
    groups = (copies.of_field(node, schema), copies.of_message(copies.Content(DATA, TYPE, schema)),
              copies.of_call(lambda: None))  # fmt: skip
    letters = [form.letter for group in groups for form in group]
    assert len(letters) == len(set(letters))
