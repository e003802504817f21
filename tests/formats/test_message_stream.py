"""Text that comes bit by bit is cut into messages, as soon as each is whole."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import InputError
from inspector.formats import message_stream as module
from inspector.formats.message_stream import message_stream

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def pieces(form, *parts):
    stream = message_stream(form)
    found = [stream.feed(part) for part in parts]
    return [*found, stream.close()]


def cut(data, places):
    ends = sorted({min(place, len(data)) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(st.lists(VALUES), st.sampled_from(["\n", " ", "\r\n\t"]), st.lists(st.integers(0, 400)), st.booleans())
def test_json_documents_come_out_as_they_went_in_however_they_were_cut(values, between, places, is_ascii):
    data = between.join(json.dumps(value, ensure_ascii=is_ascii) for value in values).encode("utf-8", "surrogatepass")
    found = [each for part in pieces("json", *cut(data, places)) for each in part]
    assert [json.loads(each.decode("utf-8", "surrogatepass")) for each in found] == values


@given(
    st.text(alphabet='-\n \x1e{}[]"\\a1').map(str.encode),
    st.lists(st.integers(0, 40)),
    st.sampled_from(["json", "yaml", "text", "protoscope", "hex"]),
)
def test_any_bytes_are_cut_the_same_however_they_come(data, places, form):
    whole = [each for part in pieces(form, data) for each in part]
    assert [each for part in pieces(form, *cut(data, places)) for each in part] == whole


def test_a_json_document_is_there_with_its_last_byte():
    assert pieces("json", b'{"a": "}', b'\\"', b'"}', b'{"b"', b":1}[", b"]") == [
        [], [], [b'{"a": "}\\""}'], [], [b'{"b":1}'], [b"[]"], [],
    ]  # fmt: skip


def test_a_scalar_is_there_when_something_follows():
    assert pieces("json", b"12", b"3 ", b'"a"4') == [[], [b"123"], [b'"a"'], [b"4"]]


def test_what_is_not_whole_at_the_end_comes_out_too():
    assert pieces("json", b'{"a":') == [[], [b'{"a":']]


def test_text_messages_stand_between_record_separators():
    assert pieces("text", b"a: 1\x1e", b"\na: 2\x1e \x1ea: ", b"3") == [[b"a: 1"], [b"\na: 2", b" "], [], [b"a: 3"]]


def test_yaml_documents_stand_between_lines_of_dashes():
    data = b"---\na: 1\n--- # next\na: ---\nb: |\n  ---\n--- {c: 1}\n---\n"
    assert pieces("yaml", data) == [
        [b"---\na: 1\n", b"--- # next\na: ---\nb: |\n  ---\n", b"--- {c: 1}\n"],
        [],
    ]


def test_other_forms_are_one_message():
    assert pieces("hex", b"0a\n", b"05\n") == [[], [], [b"0a\n05\n"]]


def test_space_is_no_message():
    assert pieces("json", b" \n ") == [[], []]
    assert pieces("text", b" \n") == [[], []]
    assert pieces("yaml", b" \n---\n") == [[], []]


def test_nothing_before_a_separator_is_an_empty_message():
    assert pieces("text", b"\x1e\na: 1\x1e\n") == [[b"", b"\na: 1"], []]


def test_a_message_without_an_end_is_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_TEXT", 1 << 20)
    stream = message_stream("json")
    stream.feed(b'{"a": "' + bytes(1 << 19))
    with pytest.raises(InputError, match="a message is longer than 1 MiB"):
        stream.feed(bytes(1 << 19))
