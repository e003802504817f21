"""JSON text: what is read, and the places of mistakes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import EncodeError
from inspector.transcode.json_source import JsonSource
from inspector.transcode.refusal import Key


def documents(text):
    return [document.value for document in JsonSource(text).documents()]


def refusal(text):
    with pytest.raises(EncodeError) as raised:
        documents(text)
    return raised.value


def test_documents_follow_each_other_with_or_without_line_ends():
    assert documents(b'{"a":1}\n{"b":2}[3] "x"\r\n\n') == [{"a": 1}, {"b": 2}, [3], "x"]
    assert documents(b" \n") == []


def test_a_byte_order_mark_is_passed_over():
    assert documents(b"\xef\xbb\xbf{}") == [{}]


def test_only_one_document_where_one_is_asked_for():
    with pytest.raises(EncodeError) as raised:
        JsonSource(b"{}\n {}").document()
    assert (raised.value.line, raised.value.column) == (2, 2)
    with pytest.raises(EncodeError):
        JsonSource(b"").document()


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (b"", None, None),
        (b"{", (1, 2), "the text ends here"),
        (b'{"a": 1,}', (1, 9), "found '}'"),
        (b'{"a": 1\n"b": 2}', (2, 1), "',' delimiter"),
        (b"[1, 2,]", (1, 7), "found ']'"),
        (b"{'a': 1}", (1, 2), "double quotes"),
        (b'{"a": 01}', (1, 8), "delimiter"),
        (b'{"a": +1}', (1, 7), "found '+'"),
        (b'{"a": .5}', (1, 7), "found '.'"),
        (b'{"a": True}', (1, 7), "found 'T'"),
        (b'"a\tb"', (1, 3), "control character"),
        (b'"a\x00b"', (1, 3), "control character"),
        (b'"\\x"', (1, 2), "escape"),
        (b'["NaN", NaN]', (1, 9), 'write it as a string: "NaN"'),
        (b'["\\"NaN",\n -Infinity]', (2, 2), "-Infinity"),
        (b'{"a": 1, "b": {"c": 1, "\\u0063": 2}}', (1, 24), "the key is there twice"),
        (b'[{"a": {}, "a": {"b": 1, "b": 2}}]', (1, 12), "the key is there twice"),
        ('"é\n'.encode(), (1, 3), "control character"),
        (b'{"a": "\xff"}', (1, 8), "UTF-8"),
    ],
)
def test_mistakes_have_their_places(text, place, said):
    if place is None:
        assert documents(text) == []
    else:
        error = refusal(text)
        assert (error.line, error.column) == place
        assert said in str(error)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b'["]",' * 100_000])
def test_depth_is_refused_with_the_place_from_where_it_is_too_deep(text):
    error = refusal(text)
    assert "nested too deep" in error.message
    assert error.line == 1
    assert error.column == 201 * (len(text) // 100_000) + 1


def test_documents_before_a_mistake_come_first():
    found = JsonSource(b'{"a":1}\n{"b":').documents()
    assert next(found).value == {"a": 1}
    with pytest.raises(EncodeError, match="line 2"):
        next(found)


@pytest.mark.parametrize(
    ("steps", "at_key", "place"),
    [
        ([], False, (1, 1)),
        (["a"], True, (2, 3)),
        (["a"], False, (2, 8)),
        (["a", 1], False, (3, 5)),
        (["a", 1, Key("é\n")], True, (3, 7)),
        (["a", 1, Key("é\n")], False, (3, 14)),
        (["a", 1, "none"], False, (3, 5)),
        (["a", 7], False, (2, 8)),
    ],
)
def test_places_are_found_by_steps(steps, at_key, place):
    source = JsonSource('{\n  "a": ["{\\"", \n    { "é\\n": 5}, 6]\n}'.encode())
    document = source.document()
    assert source.place(document.start, steps, at_key) == place


def test_integers_of_any_length_are_read():
    (value,) = documents(b"[1%s, -0, 12]" % (b"0" * 5000))
    assert value[0] == float("inf")
    assert str(value[1:]) == "[-0.0, 12]"


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(VALUES, st.sampled_from([None, 2]))
def test_values_are_those_of_the_standard_library(value, indent):
    text = json.dumps(value, indent=indent)
    assert documents(text.encode()) == [json.loads(text)]


@given(st.one_of(st.binary(max_size=40), st.text('{}[],:"\\u0eE1-. NaInfityl', max_size=30).map(str.encode)))
def test_any_bytes_are_documents_or_an_error_with_a_place(data):
    try:
        read = documents(data)
    except EncodeError as error:
        read = error.line
    assert read is not None


@given(VALUES, st.data())
def test_every_value_has_a_place_where_its_text_begins(value, data):
    text = json.dumps(value, indent=1)
    source = JsonSource(text.encode())
    steps = []
    while isinstance(value, dict | list) and value and data.draw(st.booleans()):
        step = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
        value = value[step]
        steps.append(step)
    line, column = source.place(source.document().start, steps, False)
    rest = "\n".join([text.split("\n")[line - 1][column - 1 :], *text.split("\n")[line:]])
    assert json.JSONDecoder().raw_decode(rest)[0] == value
