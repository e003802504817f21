from __future__ import annotations

from pathlib import Path

import google.api
import pytest
from google.protobuf import json_format, text_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_schemas import MESSAGES, PoolResolver, schemas

from inspector.errors import SchemaError
from inspector.formats import registry as formats
from inspector.formats.base import Conversion
from inspector.formats.template import oneof_lines, write
from inspector.limits import MAX_TEMPLATE_FIELDS
from inspector.schema import Schema
from inspector.transcode.template import make

PROTOS = Schema.from_source(str(Path(__file__).parents[2] / "protos"))


def comes_back(resolver, name: str, *, empty: bool) -> None:
    """A template in each format is read as the bytes of the template."""
    template = make(resolver, name, empty=empty)
    data = template.message.SerializeToString(deterministic=True)
    parse = resolver.message_class(name).FromString
    for target in formats.FORMATS:
        conversion = Conversion(resolver, name, indent=2)
        written = write(template, target, conversion)
        [read] = target.read(written, conversion)
        assert parse(read).SerializeToString(deterministic=True) == data, (target.name, written)


@pytest.mark.parametrize("empty", [False, True])
def test_templates_of_our_protos_come_back_in_every_format(empty):
    for name in PROTOS.messages():
        comes_back(PROTOS, name, empty=empty)


def known_messages() -> list[str]:
    return sorted(set(Schema.empty()._catalog.always_known_messages()))


@pytest.mark.parametrize("empty", [False, True])
def test_templates_of_the_always_known_types_come_back_in_every_format(empty):
    schema = Schema.empty()
    found = map(schema.find_message, known_messages())
    names = [each.full_name for each in found if each is not None and not each.GetOptions().map_entry]
    assert len(names) > 100
    for name in names:
        comes_back(schema, name, empty=empty)


@pytest.mark.parametrize("empty", [False, True])
def test_templates_of_the_common_protos_of_googleapis_come_back_in_every_format(empty):
    schema = Schema.from_source(next(iter(google.api.__path__)) + "/..")
    names = schema.messages()
    assert {"google.type.Money", "google.rpc.Status", "google.cloud.location.Location"} < set(names)
    for name in names:
        comes_back(schema, name, empty=empty)


@given(resolver=schemas(), empty=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_templates_of_random_types_come_back_in_every_format(resolver, empty):
    for name in MESSAGES:
        comes_back(resolver, f"t.{name}", empty=empty)


def template_of(text: str, compile_proto, name: str = "M", **options) -> tuple[PoolResolver, object]:
    resolver = compile_proto(text)
    return resolver, make(resolver, name, **options)


TREE = """
    syntax = "proto3";
    message M { string name = 1; M left = 2; repeated M more = 3; Other other = 4; }
    message Other { M back = 1; int64 count = 2; }
"""


def test_a_type_within_itself_is_left_out(compile_proto):
    resolver, template = template_of(TREE, compile_proto)
    assert json_format.MessageToDict(template.message) == {"name": "name", "other": {"count": "1"}}
    text = write(template, formats.TEXT, Conversion(resolver)).decode()
    assert "# left: M, left out here\n" in text
    assert "# more: repeated M, left out here\n" in text


def test_depth_bounds_messages_within_messages(compile_proto):
    _, template = template_of(TREE, compile_proto, depth=0)
    assert json_format.MessageToDict(template.message) == {"name": "name"}


def test_values_tell_their_kind(compile_proto):
    text = """
        syntax = "proto3";
        message M { string id = 1; bytes data = 2; int32 n = 3; double d = 4; bool b = 5; E e = 6; repeated int64 r = 7;
                    map<string, float> m = 8; optional uint32 o = 9; }
        enum E { E_UNSPECIFIED = 0; E_ONE = 1; }
    """
    resolver, template = template_of(text, compile_proto)
    assert json_format.MessageToDict(template.message) == {
        "id": "id", "data": "ZGF0YQ==", "n": 1, "d": 1.5, "b": True, "e": "E_ONE", "r": ["1"],
        "m": {"key": 1.5}, "o": 1,
    }  # fmt: skip
    empty = make(resolver, "M", empty=True)
    assert write(empty, formats.JSON, Conversion(resolver)) == (
        b'{"id":"","data":"","n":0,"d":0.0,"b":false,"e":"E_UNSPECIFIED","r":["0"],"m":{"":0.0},"o":0}\n'
    )


def test_one_arm_of_a_oneof_is_set_and_the_others_are_told(compile_proto):
    text = """
        syntax = "proto3";
        message M { oneof what { M self = 1; string name = 2; int32 number = 3; } In in = 4; repeated In more = 5; }
        message In { oneof a { bool x = 1; bool y = 2; } }
    """
    resolver, template = template_of(text, compile_proto)
    told = "# one of what; instead of it: self (M), number (int32)\n"
    assert write(template, formats.TEXT, Conversion(resolver)).decode().startswith(f'{told}name: "name"\n')
    assert write(template, formats.YAML, Conversion(resolver)).decode() == (
        f"{told}name: name\nin:\n  # one of a; instead of it: y (bool)\n  x: true\n"
        "more:\n  - # one of a; instead of it: y (bool)\n    x: true\n"
    )
    assert list(oneof_lines(template)) == [
        "what: name (string) | self (M) | number (int32)",
        "in.a: x (bool) | y (bool)",
        "more[].a: x (bool) | y (bool)",
    ]


def test_required_fields_are_there_even_where_the_type_is_within_itself(compile_proto):
    text = """
        syntax = "proto2";
        message M { optional B b = 1; }
        message B { required M m = 1; }
    """
    _, template = template_of(text, compile_proto)
    assert text_format.MessageToString(template.message, as_one_line=True) == "b { m { } }"


def test_a_type_that_requires_itself_has_no_template(compile_proto):
    text = """
        syntax = "proto2";
        message M { required B b = 1; optional C c = 2; }
        message B { required M m = 1; }
        message C { optional B b = 1; optional int32 n = 2; }
    """
    resolver = compile_proto(text)
    with pytest.raises(SchemaError, match="M requires itself"):
        make(resolver, "M")
    assert text_format.MessageToString(make(resolver, "C").message, as_one_line=True) == "n: 1"


def test_types_that_hold_each_other_in_many_ways_are_bounded(compile_proto):
    levels = "".join(
        f"message L{n} {{ L{n + 1} a = 1; L{n + 1} b = 2; L{n + 1} c = 3; L{n + 1} d = 4; }}" for n in range(32)
    )
    _, template = template_of(f'syntax = "proto3"; {levels} message L32 {{}}', compile_proto, "L0", depth=32)
    assert template.message.ByteSize() < 20 * MAX_TEMPLATE_FIELDS
    assert template.message.a.a.HasField("d")


def test_required_fields_without_end_are_refused(compile_proto):
    levels = "".join(f"message L{n} {{ required L{n + 1} a = 1; required L{n + 1} b = 2; }}" for n in range(32))
    resolver = compile_proto(f'syntax = "proto2"; {levels} message L32 {{}}')
    with pytest.raises(SchemaError, match="so many fields are required"):
        make(resolver, "L0")


def test_an_enum_is_told_with_its_names(compile_proto):
    text = 'syntax = "proto3"; message M { E e = 1; } enum E { A = 0; B = 1; C = 2; }'
    resolver, template = template_of(text, compile_proto)
    assert write(template, formats.YAML, Conversion(resolver)) == b"# A, B, C\ne: B\n"


def test_a_oneof_without_an_arm_that_can_be_set_is_told(compile_proto):
    text = """
        syntax = "proto3";
        message M { oneof next { M first = 1; M second = 2; } }
        message Outer { M one = 1; repeated M more = 2; string name = 3; }
    """
    resolver, template = template_of(text, compile_proto, "Outer")
    line = "# one of next, left out here: first (M), second (M)\n"
    assert write(template, formats.TEXT, Conversion(resolver)).decode() == (
        f'one {{\n  {line}}}\nmore {{\n  {line}}}\nname: "name"\n'
    )
    assert write(template, formats.YAML, Conversion(resolver)).decode() == (
        f"one: {{}}\n  {line}more:\n  - {{}}\n    {line}name: name\n"
    )
    assert list(oneof_lines(template)) == ["one.next: first (M) | second (M)", "more[].next: first (M) | second (M)"]
    assert write(make(resolver, "M"), formats.YAML, Conversion(resolver)).decode() == f"{{}}\n{line}"
    for name in ("M", "Outer"):
        comes_back(resolver, name, empty=False)
