"""The format YAML: documents in, block style out."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.errors import DecodeError, EncodeError
from inspector.formats.base import Conversion
from inspector.formats.registry import JSON, YAML

PROTO = """
syntax = "proto3";
package t;
import "google/protobuf/timestamp.proto";
message M {
  int32 a = 1;
  string b = 2;
  M child = 3;
  repeated int64 many = 4;
  map<string, M> named = 5;
  double real = 6;
  repeated M children = 7;
  google.protobuf.Timestamp time = 8;
  map<bool, string> flags = 9;
  bytes raw = 10;
}
"""


@pytest.fixture(scope="module")
def conversion(compile_proto):
    return Conversion(compile_proto(PROTO), "t.M")


def as_json(conversion, text):
    return [json.loads(JSON.write(each, conversion)) for each in YAML.read(text.encode(), conversion)]


def refusal(conversion, text):
    with pytest.raises(EncodeError) as raised:
        list(YAML.read(text.encode(), conversion))
    return raised.value


def test_documents_are_messages(conversion):
    assert as_json(conversion, "a: 1\n---\nb: x\n---\n{}\n") == [{"a": 1}, {"b": "x"}, {}]
    assert as_json(conversion, "") == []


def test_all_forms_of_collections_and_scalars_are_read(conversion):
    text = """
    # a comment
    child: &shared {a: 0x10, b: 'it''s'}
    named:
      "x y": *shared
      yes:
        b: >-
          folded
          text
    many: [1, -2, "3", 0o17]
    real: .inf
    children:
    - b: |
        two
        lines
    - time: 2026-11-23T09:03:11Z
    flags: {true: on}
    raw: !!binary |
      AQI=
    """
    (value,) = as_json(conversion, text)
    assert value == {
        "child": {"a": 16, "b": "it's"},
        "named": {"x y": {"a": 16, "b": "it's"}, "yes": {"b": "folded text"}},
        "many": ["1", "-2", "3", "15"],
        "real": "Infinity",
        "children": [{"b": "two\nlines\n"}, {"time": "2026-11-23T09:03:11Z"}],
        "flags": {"true": "on"},
        "raw": "AQI=",
    }


@pytest.mark.parametrize(
    ("text", "place", "path", "said"),
    [
        ("a: x", (1, 4), "a", 'found the string "x"'),
        ("a: 1\nmany:\n  - 1\n  - [2]", (4, 5), "many[1]", "found an array"),
        ("a: 1\n---\nchild:\n  z: 1", (4, 3), "child.z", 'no field "z"'),
        ('named: {"a b": {a: 1.5}}', (1, 20), 'named["a b"].a', "found the number 1.5"),
        ("child: &x {b: 5}\nnamed: {k: *x}", (1, 15), "child.b", "expected a string"),
        ("b: yes\nchild: {b: 12}", (2, 12), "child.b", "expected a string, found the number 12"),
        ("a: 012", (1, 4), "a", "expected an integer"),
        ("- 1", (1, 1), "", "expected an object"),
        ("", None, None, None),
    ],
)
def test_mistakes_have_their_places(conversion, text, place, path, said):
    if place is None:
        assert as_json(conversion, text) == []
        return
    error = refusal(conversion, text)
    assert ((error.line, error.column), error.path) == (place, path)
    assert said in str(error)


def test_block_style_is_what_is_written(conversion):
    text = '{"a":1,"b":"two\\nlines","children":[{"many":["1","2"]},{},{"b":"no"}],"named":{"x: y":{"real":1e30}}}'
    (message,) = JSON.read(text.encode(), conversion)
    written = YAML.write(message, conversion).decode()
    assert written == (
        "a: 1\n"
        "b: |-\n"
        "  two\n"
        "  lines\n"
        "named:\n"
        '  "x: y":\n'
        "    real: 1.0e+30\n"
        "children:\n"
        "  - many:\n"
        '      - "1"\n'
        '      - "2"\n'
        "  - {}\n"
        '  - b: "no"\n'
    )
    assert list(YAML.read(written.encode(), conversion)) == [message]


def test_several_messages_make_one_text(conversion):
    written = YAML.write_all([b"\x08\x01", b""], conversion)
    assert written == b"a: 1\n---\n{}\n"
    assert list(YAML.read(written, conversion)) == [b"\x08\x01", b""]


def test_damage_raises_with_its_offset(conversion):
    with pytest.raises(DecodeError) as raised:
        YAML.write(b"\x08\x01\x12\x05x", conversion)
    assert raised.value.offset == 3


def test_without_a_type_a_message_has_numbers():
    assert YAML.write(b"\x08\x05\x12\x03abc", Conversion()) == b'"1": 5\n"2": abc\n'
    assert list(YAML.read(b"1: 5\n2: abc\n", Conversion())) == [b"\x08\x05\x12\x03abc"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_written_is_read_again(random_examples, data):
    resolver, message = data.draw(random_examples)
    conversion = Conversion(resolver, message.DESCRIPTOR.full_name)
    wire = message.SerializeToString()
    (again,) = YAML.read(YAML.write(wire, conversion), conversion)
    assert JSON.write(again, conversion) == JSON.write(wire, conversion)
