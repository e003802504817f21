"""Places as they are typed."""

from __future__ import annotations

import pytest
from capture_files import SAMPLES

from inspector.errors import InputError
from inspector.schema import Schema
from inspector.transcode.tree import FieldTree
from inspector.views import places
from inspector.views.places import Place, find_field, parse

NESTED = b"\x0a\x04\x0a\x02hi\x0a\x04\x0a\x02yo\x10\x05"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("12", Place(call=12)),
        (" #12 ", Place(call=12)),
        ("0x2A", Place(offset=42)),
        ("@2a", Place(offset=42)),
        ("inputs[0].id", Place(path="inputs[0].id")),
        ("12.3", Place(path="12.3")),
    ],
)
def test_what_was_typed(text, place):
    assert parse(text) == place


def test_nothing_is_no_place():
    with pytest.raises(InputError, match="a call"):
        parse("  ")


@pytest.mark.parametrize(("path", "start"), [("1[0]", 0), ("1", 0), ("1[1].1", 8), ("1[0].1", 2), ("2", 12)])
def test_a_field_is_found_by_its_path(path, start):
    assert find_field(FieldTree(NESTED).fields, path).span.start == start


def test_among_many_fields_only_so_many_are_looked_at(monkeypatch):
    fields = FieldTree(NESTED * 10).fields
    assert find_field(fields, "1[19].1").span.start == len(NESTED) * 9 + 8
    monkeypatch.setattr(places, "MOST_SEARCHED", 20)
    with pytest.raises(InputError, match=r"there is no field 1\[19\]\.1 among the first 20"):
        find_field(fields, "1[19].1")


def test_what_there_is_instead_is_told():
    with pytest.raises(InputError, match=r"there is no field 1\[0\]\.7 in 1\[0\] \(there is 1\[0\]\.1\)"):
        find_field(FieldTree(NESTED).fields, "1[0].7")
    with pytest.raises(InputError, match="it has no fields"):
        find_field(FieldTree(b"").fields, "1")


@pytest.mark.parametrize("path", ["context.request_id", "context.requestId", "Context.RequestID"])
def test_a_field_is_found_by_its_name_in_json_too(path):
    schema = Schema.from_source(str(SAMPLES / "vision.binpb"))
    data = (SAMPLES / "payloads/predict_request.binpb").read_bytes()
    fields = FieldTree(data, resolver=schema, type_name="vision.v1.PredictRequest").fields
    assert find_field(fields, path).path == "context.request_id"
