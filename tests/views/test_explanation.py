"""What an explanation shows, in each of its forms."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_schemas import compile_text, examples
from rich.console import Console

from inspector import limits
from inspector.transcode.tree import FieldTree
from inspector.views.explanation import Explanation
from inspector.views.widths import cells
from inspector.wire.encode import length_delimited

PROTO = """
syntax = "proto2";
package p;
import "google/protobuf/any.proto";
import "google/protobuf/timestamp.proto";
enum Colour { NONE = 0; RED = 1; }
message Part {
  optional string name = 1;
  repeated float sizes = 2 [packed = true];
  optional group Box = 3 { optional uint64 volume = 1; optional bytes hash = 2; }
  map<string, bool> flags = 4;
}
message Order {
  optional string id = 1;
  repeated Part parts = 2;
  optional google.protobuf.Any detail = 3;
  optional google.protobuf.Timestamp sent_at = 4;
  optional Colour colour = 5;
  optional double price = 6;
  optional sint64 delta = 7;
}
"""

ORDER = bytes.fromhex(
    "0a 05 4f 2d 31 32 38"
    "12 21 0a 04 62 6f 6c 74 12 08 cd cc cc 3d 00 00 c0 7f 1b 08 80 80 80 80 80 80 80 80 80 01 12 02 ff 00 1c"
    "12 07 22 05 0a 01 6b 10 01"
    "1a 10 0a 08 78 2f 70 2e 50 61 72 74 12 04 0a 02 6f 6b"
    "22 04 08 80 a3 05"
    "28 01 31 00 00 00 00 00 00 f8 7f 38 83 00"
    "4a 0a 73 6f 6d 65 20 77 6f 72 64 73"
    "2a 0a 73 6f 6d 65 20 77 6f 72 64 73"
    "0a 09 61 62"
)

AT_80 = """\
p.Order  117 bytes
 at  bytes          tag       type          field
  0  0a 05 4f 2d..  1:LEN     string        id  "O-128"
  7  12 21          2:LEN     Part          parts[0]  3 fields, 33 bytes
  9  0a 04 62 6f..  1:LEN     string          name  "bolt"
 15  12 08          2:LEN     packed-float    sizes  2 values, 8 bytes
 17  cd cc cc 3d              float             sizes[0]  0.1
 21  00 00 c0 7f              float             sizes[1]  nan
 25  1b             3:SGROUP  Box             box  2 fields, 15 bytes
 26  08 80 80 80..  1:VARINT  uint64            volume  9223372036854775808
 37  12 02 ff 00    2:LEN     bytes             hash  ff00
 41  1c             3:EGROUP                  end of box
 42  12 07          2:LEN     Part          parts[1]  1 field, 7 bytes
 44  22 05          4:LEN     map entry       flags[0]  2 fields, 5 bytes
 46  0a 01 6b       1:LEN     string            key  "k"
 49  10 01          2:VARINT  bool              value  true
 51  1a 10          3:LEN     Any           detail  2 fields, 16 bytes
 53  0a 08 78 2f..  1:LEN     string          type_url  "x/p.Part"
 63  12 04          2:LEN     Part            value  1 field, 4 bytes
 65  0a 02 6f 6b    1:LEN     string            name  "ok"
 69  22 04          4:LEN     Timestamp     sent_at  1970-01-02T00:00:00Z
 71  08 80 a3 05    1:VARINT  int64           seconds  86400
 75  28 01          5:VARINT  Colour        colour  RED (1)
 77  31 00 00 00..  6:I64     double        price  nan
 86  38 83 00       7:VARINT  sint64        delta  -2
                                              varint is 1 byte longer than
                                              needed
 89  4a 0a 73 6f..  9:LEN     string        9  "some words"  not in p.Order
101  2a 0a 73 6f..  5:LEN     string        5  "some words"
                                              ! colour is p.Colour (VARINT) in
                                              p.Order, but LEN here
113  0a 09 61 62    1:LEN     damage        id  b'ab'
                                              ! 9 bytes announced, 2 present
"""


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    return compile_text(PROTO, tmp_path_factory.mktemp("proto"))


@pytest.fixture(scope="module")
def order(schema):
    def explain(data=ORDER, **options):
        return Explanation(FieldTree(data, resolver=schema, type_name="p.Order"), **options)

    return explain


def text(lines):
    return "\n".join("".join(part for _, part in line).rstrip() for line in lines)


def test_the_columns(order):
    assert text(order().lines(80)) == AT_80.rstrip()


def test_a_wide_terminal_shows_more_of_each_row(order):
    *_, unknown, odd, _ = text(order().lines(150)).split("\n")
    assert unknown == (
        ' 89  4a 0a 73 6f 6d 65 20 77 6f 72 64 73    9:LEN       string                9  "some words"  not in p.Order'
    )
    assert odd.endswith("  ! colour is p.Colour (VARINT) in p.Order, but LEN here")


def test_without_a_schema_fields_have_the_path_that_hints_take():
    data = length_delimited(3, length_delimited(1, b"some words")) * 2
    assert (
        text(Explanation(FieldTree(data)).lines(80))
        == """\
no schema  28 bytes
at  bytes          tag       type          field
 0  1a 0c          3:LEN     message       3[0]  1 field, 12 bytes
 2  0a 0a 73 6f..  1:LEN     string          3.1  "some words"
14  1a 0c          3:LEN     message       3[1]  1 field, 12 bytes
16  0a 0a 73 6f..  1:LEN     string          3.1  "some words\""""
    )


def test_where_a_hint_overrules_it_the_guess_is_shown():
    data = length_delimited(3, length_delimited(1, b"some words") * 2)
    [row] = Explanation(FieldTree(data, hints={"3": "bytes"})).rows()
    assert row.type == "bytes"
    assert row.note.startswith("or message ")


def test_a_walk_that_goes_no_deeper_shows_the_whole_of_what_it_leaves_out(order):
    lines = text(order(depth=1).lines(80)).split("\n")
    assert lines[3] == "  7  12 21 0a 04..  2:LEN     Part          parts[0]  33 bytes"
    assert lines[4] == " 42  12 07 22 05..  2:LEN     Part          parts[1]  7 bytes"


def test_long_values_are_cut_and_counted(order):
    def shown(data, width=80):
        return text(order(data).lines(width)).split("\n")[2].rpartition("  ")[2]

    assert shown(length_delimited(1, b"x" * 70)) == '"xxxxxxxxxxxxxxxxxxxx… (70 bytes)'
    assert shown(length_delimited(1, b"x" * 5_000), 4_000).endswith("x… (5,000 bytes)")
    assert shown(length_delimited(1, "画像".encode() * 700)).endswith("画… (4,200 bytes)")


def test_bytes_that_are_mostly_text_are_shown_as_text(schema):
    def shown(content):
        data = b"\x1b" + length_delimited(2, content) + b"\x1c"
        return list(Explanation(FieldTree(data, resolver=schema, type_name="p.Part")).rows())[1].value

    assert shown(b"GET / HTTP/1.1\r\n") == r"b'GET / HTTP/1.1\r\n'"
    assert shown(bytes(range(10))) == "00010203040506070809"
    assert shown(b"") == ""


def test_rows_cover_every_byte(order):
    rows = list(order().rows())
    assert [row.span.start for row in rows] == [0, *(row.span.end for row in rows[:-1])]
    assert rows[-1].span.end == len(ORDER)


anything = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@anything
@given(examples(), st.integers(80, 200), st.binary(max_size=6), st.data())
def test_lines_fit_the_terminal_and_hold_nothing_unsafe(example, width, added, data):
    wire = example.message.SerializeToString()
    place = data.draw(st.integers(0, len(wire)))
    wire = wire[:place] + added + wire[place:]
    for tree in (FieldTree(wire), FieldTree(wire, resolver=example.resolver, type_name=example.type_name)):
        explanation = Explanation(tree)
        for line in explanation.lines(width):
            shown = "".join(part for _, part in line)
            assert sum(map(cells, shown.rstrip())) <= width
            assert not any(ord(character) < 32 or character in "\x7f\u202e\u2028\x9b" for character in shown)
        assert json.loads(explanation.to_json())["size"] == len(wire)
        assert "<table>" in explanation._repr_html_()


# --- JSON --------------------------------------------------------------------------------------------------------


def test_the_record_of_a_field(order):
    record = json.loads(order(b"\x0a\x03abc").to_json())
    assert record == {
        "type": "p.Order",
        "size": 5,
        "fields": [
            {
                "number": 1,
                "name": "id",
                "path": "id",
                "kind": "string",
                "type": None,
                "wire_type": "LEN",
                "offset": 0,
                "tag": [0, 1],
                "length": [1, 2],
                "value_span": [2, 5],
                "value": "abc",
            }
        ],
    }


def records(explanation):
    """All records by path; of those with the same path the last."""
    found = {}
    todo = [json.loads(explanation.to_json())]
    while todo:
        record = todo.pop(0)
        found[record.get("path", "")] = record
        todo += record.get("fields", [])
    return found


def test_values_in_json_are_as_protojson_has_them(order):
    found = records(order())
    values = {path: record.get("value") for path, record in found.items()}
    assert values["parts[0].box.volume"] == "9223372036854775808"
    assert (values["parts[0].sizes[0]"], values["parts[0].sizes[1]"], values["price"]) == (0.1, "NaN", "NaN")
    assert (values["parts[0].box.hash"], values["parts[1].flags[0].value"], values["delta"]) == ("/wA=", True, -2)
    assert (values["colour"], found["colour"]["enum_name"]) == (1, "RED")
    assert found["parts[0].sizes"]["kind"] == "packed-float"
    assert found["parts[0].sizes[0]"]["tag"] is None
    assert found["parts[0].box"]["end_tag"] == [41, 42]
    assert found["detail.value"]["type"] == "p.Part"


def test_what_is_wrong_stands_in_json(order):
    found = records(order())
    problem = {"code": "truncated", "message": "9 bytes announced, 2 present", "offset": 114}
    assert (found["id"]["kind"], found["id"]["problem"], found[""]["problem"]) == ("damage", problem, problem)
    assert found["5"]["problem"]["code"] == "wire_type"
    assert found["5"]["candidates"][0]["kind"] == "string"
    assert found["delta"]["notes"] == ["varint is 1 byte longer than needed"]


def test_json_of_deep_messages_is_not_recursive():
    data = b""
    for _ in range(limits.MAX_DEPTH):
        data = length_delimited(1, data + b"\x10\x01")
    shown = Explanation(FieldTree(data, hints={".".join(["1"] * limits.MAX_DEPTH): "message"})).to_json()
    assert shown.count('"fields":[') == 1 + limits.MAX_DEPTH
    assert json.loads(shown)["size"] == len(data)


def test_json_comes_in_pieces(order):
    chunks = list(order().json_chunks())
    assert len(chunks) > 20
    assert b"".join(chunks).decode() == order().to_json()


# --- notebooks, prompts, rich ------------------------------------------------------------------------------------


def test_a_prompt_shows_the_text(order):
    assert repr(order()).startswith("p.Order  117 bytes\n at  bytes")
    assert str(order()) == repr(order())


def test_a_prompt_shows_a_bounded_number_of_rows(monkeypatch):
    monkeypatch.setattr("inspector.views.explanation.MAX_SHOWN_ROWS", 3)
    explanation = Explanation(FieldTree(b"\x08\x01" * 10))
    assert repr(explanation).count("\n") == 1 + 3 + 1
    assert repr(explanation).endswith("\n... and 14 more bytes, from offset 6 on")
    assert "and 14 more bytes" in explanation._repr_html_()
    assert str(explanation).count("\n") == 1 + 10


def test_a_notebook_gets_a_table_that_is_escaped(order):
    html = order(length_delimited(1, b"<script>alert('x')</script>\x1b\xe2\x80\xae"))._repr_html_()
    assert html.startswith("<table>")
    assert "&quot;&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;\\x1b\\u202e&quot;" in html
    assert "<script" not in html
    assert "http" not in html


def test_rich_shows_a_table(order):
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(order(length_delimited(1, b"[bold]x[/bold]") + b"\x0a\x09ab"))
    shown = console.export_text()
    assert "p.Order" in shown
    assert '"[bold]x[/bold]"' in shown
    assert "! 9 bytes announced, 2 present" in shown


def test_problems_are_told_as_a_walk_comes_to_them(order):
    problems = []
    text(order(on_problem=problems.append).lines(80))
    assert [(node.path, node.is_damaged) for node in problems] == [("5", False), ("id", True)]
