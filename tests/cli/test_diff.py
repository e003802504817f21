"""`inspector diff`, as a process."""

from __future__ import annotations

import json

import pytest
from command import SAMPLES, SCHEMA, on_terminal, run

REQUEST = SAMPLES / "payloads" / "predict_request.binpb"
TYPED = ("-s", SCHEMA, "-t", "vision.v1.PredictRequest")


@pytest.fixture
def edited(tmp_path):
    """The request as JSON, changed by a function."""

    def edit(change):
        value = json.loads(REQUEST.with_suffix(".json").read_text())
        change(value)
        path = tmp_path / "edited.json"
        path.write_text(json.dumps(value))
        return path

    return edit


def test_the_same_in_another_form_is_the_same(edited):
    assert run("diff", REQUEST, edited(lambda value: None), *TYPED)[:2] == (0, b"")
    assert run("diff", REQUEST, REQUEST) == (0, b"", "")


def test_a_changed_field_is_told_by_its_path(edited):
    other = edited(lambda value: value["context"].update(requestId="req-2"))
    result = run("diff", REQUEST, other, *TYPED)
    assert (result.code, result.err) == (1, "")
    assert result.rows == [{"path": "context.requestId", "change": "changed", "before": "req-0001", "after": "req-2"}]


def test_on_a_terminal_it_is_a_line_for_each_difference(edited):
    other = edited(lambda value: (value["context"]["tags"].pop("site"), value.update(model="m")))
    result = on_terminal("diff", REQUEST, other, *TYPED, NO_COLOR="1")
    assert result.code == 1
    assert result.out.decode().splitlines() == [
        '- context.tags.site: "garden-north"',
        '~ model: "models/wildlife/versions/7" -> "m"',
    ]


def test_without_a_type_fields_go_by_their_numbers(edited, tmp_path):
    other = tmp_path / "other.binpb"
    other.write_bytes(REQUEST.read_bytes().replace(b"req-0001", b"req-0002"))
    result = run("diff", REQUEST, other)
    assert result.rows == [{"path": "1.1", "change": "changed", "before": "req-0001", "after": "req-0002"}]


def test_fields_that_the_type_does_not_have_count():
    result = run("diff", "-", REQUEST, *TYPED, "--from", "binary", stdin=REQUEST.read_bytes() + b"\xba\x3e\x03abc")
    assert result.code == 1
    assert result.rows == [{"path": "999", "change": "removed", "before": "abc"}]


def test_the_order_of_fields_is_no_difference_and_is_told(tmp_path):
    first, second = tmp_path / "a.binpb", tmp_path / "b.binpb"
    first.write_bytes(b"\x08\x01\x10\x02")
    second.write_bytes(b"\x10\x02\x08\x01")
    result = run("diff", first, second)
    assert (result.code, result.out) == (0, b"")
    assert "the values are the same, their bytes are not" in result.err


@pytest.mark.parametrize(("tolerance", "code"), [("1e-3", 0), ("1e-9", 1)])
def test_floats_are_the_same_up_to_the_tolerance(tmp_path, tolerance, code):
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text("1.5")
    second.write_text("1.5001")
    options = ("-t", "google.protobuf.DoubleValue", "--tolerance", tolerance)
    assert run("diff", first, second, *options).code == code


def test_damage_is_an_error_and_no_difference(tmp_path):
    broken = tmp_path / "broken.binpb"
    broken.write_bytes(REQUEST.read_bytes()[:-3])
    result = run("diff", REQUEST, broken, *TYPED)
    assert (result.code, result.out) == (1, b"")
    assert "broken.binpb, offset" in result.err


def test_standard_input_is_one_of_the_two_at_most():
    result = run("diff", "-", "-", stdin=b"\x08\x01")
    assert (result.code, result.out) == (2, b"")
    assert "standard input" in result.err


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_neither_of_the_two_is_written_over(names, tmp_path):
    for name in names:
        (tmp_path / name).write_bytes(b"\x08\x01")
    result = run("diff", *names, "-o", "a", cwd=tmp_path)
    assert (result.code, (tmp_path / "a").read_bytes()) == (1, b"\x08\x01")
    assert "this is the input itself" in result.err


@pytest.mark.parametrize("tolerance", ["nan", "-1"])
def test_a_tolerance_has_to_be_a_number(tolerance):
    result = run("diff", REQUEST, REQUEST, "--tolerance", tolerance)
    assert (result.code > 0, result.out) == (True, b"")
    assert "Traceback" not in result.err


def test_nothing_at_all_is_an_empty_message(tmp_path):
    (tmp_path / "empty").touch()
    result = run("diff", "-", tmp_path / "empty", stdin=b"\x08\x01")
    assert result.rows == [{"path": "1", "change": "removed", "before": 1}]


@pytest.mark.parametrize(
    ("first", "second"), [(b"\x0a\x01\xff", b"\x0a\x01\xfe"), (b"\x10\x05", b"\x10\x06"), (b"\x0a\x01\xff", b"")]
)
def test_what_json_does_not_tell_differs_too(first, second, tmp_path):
    (tmp_path / "a.proto").write_text(
        'syntax = "proto2"; enum E { A = 0; } message M { optional string name = 1; optional E kind = 2; }'
    )
    (tmp_path / "a.binpb").write_bytes(first)
    (tmp_path / "b.binpb").write_bytes(second)
    result = run("diff", "a.binpb", "b.binpb", "-s", "a.proto", "-t", "M", cwd=tmp_path)
    assert (result.code, result.err, len(result.rows)) == (1, "", 1)


@pytest.mark.parametrize(
    ("first", "second", "row"),
    [
        ("1: 0.25i32", "1: 0.25", {"before": "wire type I32", "after": "wire type I64"}),
        ("2: {1: 5}", "2: {1: 5i64}", {"before": "wire type VARINT", "after": "wire type I64"}),
    ],
)
def test_another_wire_type_is_a_difference_although_the_values_read_the_same(tmp_path, first, second, row):
    paths = []
    for name, text in (("a", first), ("b", second)):
        paths.append(tmp_path / f"{name}.protoscope")
        paths[-1].write_text(text)
    result = run("diff", *paths)
    assert result.code == 1
    assert [(each["before"], each["after"]) for each in result.rows] == [(row["before"], row["after"])]
