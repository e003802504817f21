"""The format JSON: documents in, lines or indented text out."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.errors import DecodeError, EncodeError
from inspector.formats.base import Conversion
from inspector.formats.registry import JSON
from inspector.schema import Schema

PROTO = """
syntax = "proto3";
package t;
message M { int32 a = 1; string b = 2; M child = 3; repeated int64 many = 4; }
"""


@pytest.fixture(scope="module")
def conversion(compile_proto):
    return Conversion(compile_proto(PROTO), "t.M")


def test_documents_are_messages(conversion):
    assert list(JSON.read(b'{"a":1}\n\n{"b":"x"}{}', conversion)) == [b"\x08\x01", b"\x12\x01x", b""]


def test_a_list_is_of_messages(conversion):
    assert list(JSON.read(b'[{"a":1}, {"a":2}]', conversion)) == [b"\x08\x01", b"\x08\x02"]


def test_an_error_in_a_list_has_its_place(conversion):
    with pytest.raises(EncodeError) as raised:
        list(JSON.read(b'[{"a":1},\n {"a":"x"}]', conversion))
    assert (raised.value.line, raised.value.column) == (2, 7)


def test_a_list_is_one_message_where_its_type_is_a_list():
    known = Conversion(Schema.empty(), "google.protobuf.ListValue")
    assert list(JSON.read(b"[true, null]", known)) == [b"\x0a\x02\x20\x01\x0a\x02\x08\x00"]


def test_an_error_has_the_line_in_the_whole_text(conversion):
    read = JSON.read(b'{"a":1}\n{"a":2}\n{"child":{"many":["1","x"]}}\n', conversion)
    assert [next(read), next(read)] == [b"\x08\x01", b"\x08\x02"]
    with pytest.raises(EncodeError) as raised:
        next(read)
    assert (raised.value.path, raised.value.line, raised.value.column) == ("child.many[1]", 3, 23)


def test_unknown_fields_are_passed_over_on_demand(conversion):
    assert list(JSON.read(b'{"z":1,"a":1}', conversion._replace(ignore_unknown=True))) == [b"\x08\x01"]


def test_a_message_is_a_line(conversion):
    assert JSON.write(b"\x08\x01\x1a\x02\x20\x02", conversion) == b'{"a":1,"child":{"many":["2"]}}\n'


@pytest.mark.parametrize("indent", [0, 1, 2, 4])
def test_an_indent_makes_lines_that_mean_the_same(conversion, indent):
    written = JSON.write(b"\x08\x01\x12\x02\xc3\xa9", conversion._replace(indent=indent))
    assert json.loads(written) == {"a": 1, "b": "é"}
    assert written.decode().split("\n") == ["{", f'{" " * indent}"a": 1,', f'{" " * indent}"b": "é"', "}", ""]


def test_options_of_printing_reach_the_printer(conversion):
    written = JSON.write(b"", conversion._replace(emit_defaults=True))
    assert json.loads(written) == {"a": 0, "b": "", "many": []}


def test_damage_raises_with_its_offset(conversion):
    with pytest.raises(DecodeError) as raised:
        JSON.write(b"\x08\x01\x12\x05x", conversion)
    assert raised.value.offset == 3


def test_without_a_type_a_message_has_numbers(conversion):
    plain = Conversion()
    assert json.loads(JSON.write(b"\x08\x05\x12\x03abc", plain))["1"] == 5
    assert list(JSON.read(b'{"1": 5, "2": "abc"}', plain)) == [b"\x08\x05\x12\x03abc"]


def test_an_error_without_a_type_has_a_place():
    with pytest.raises(EncodeError) as raised:
        list(JSON.read(b"{}\n 1", Conversion()))
    assert (raised.value.line, raised.value.column) == (2, 2)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), indent=st.sampled_from([None, 2]))
def test_what_is_written_is_read_again(random_examples, data, indent):
    resolver, message = data.draw(random_examples)
    conversion = Conversion(resolver, message.DESCRIPTOR.full_name, indent=indent)
    written = JSON.write(message.SerializeToString(), conversion)
    (again,) = JSON.read(written, conversion)
    assert JSON.write(again, conversion) == written


ODD_DOCUMENTS = [
    '{"a":1}',
    '{"b":"é😀"}',
    '{"b":"x","a":1.0}\n',
    '{"$unknown":{"100":1}}',
    '[{"a":1},{"b":"ü"}]',
    "[]",
    '[{"$unknown":{"100":1}},{"a":2}] ',
    '{"a":"x"}',
    '{"a":1,"a":2}',
    "{",
    '"x',
    "5",
]
"""What is taken at once, what needs a closer look, and what is refused."""


@given(st.lists(st.sampled_from(ODD_DOCUMENTS), max_size=6), st.sampled_from(["", "\n", " \r\n"]), st.booleans())
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_each_document_is_read_as_if_it_were_alone(conversion, documents, separator, marked):
    text = ("\ufeff" if marked else "") + separator + separator.join(documents)
    expected, error = [], None
    for document in documents:
        try:
            expected += JSON.read(document.encode(), conversion)
        except EncodeError as raised:
            error = raised
            break
    found = JSON.read(text.encode(), conversion)
    for message in expected:
        assert next(found) == message
    if error is None:
        assert list(found) == []
    else:
        with pytest.raises(EncodeError) as raised:
            next(found)
        assert raised.value.path == error.path
        assert raised.value.line is not None


def test_text_that_is_not_utf_8_is_refused_before_any_of_it_is_read(conversion):
    with pytest.raises(EncodeError, match="UTF-8"):
        next(JSON.read(b'{"a":1}\n{"b":"\xff"}', conversion))
