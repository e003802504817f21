"""YAML text: what is read, by either parser, and what is refused."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import EncodeError
from inspector.formats.yaml_reader import PARSER, YamlSource
from inspector.formats.yaml_scalars import plain_value

PARSERS = {"python": yaml.SafeLoader, "default": PARSER}


@pytest.fixture(params=PARSERS)
def parser(request):
    return PARSERS[request.param]


def values(text, parser=PARSER):
    return [document.value for document in YamlSource(text.encode(), parser).documents()]


def refusal(text, parser=PARSER):
    with pytest.raises(EncodeError) as raised:
        values(text, parser)
    return raised.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((each, each) for each in ("yes", "No", "on", "y", "1:30", "2026-11-23", "012", "-012", "0x", "1_000", "0b1")),
        *((each, each) for each in (".", "-", "1e", "<<", "=", "nan", "inf", "NaN", "0o8", "tRUE", "1.2.3")),
        *((each, None) for each in ("", "~", "null", "Null", "NULL")),
        *((each, True) for each in ("true", "True", "TRUE")),
        *((each, False) for each in ("false", "False", "FALSE")),
        *(("12", 12), ("+12", 12), ("-7", -7), ("0", 0), ("0x1F", 31), ("0o17", 15)),
        *(("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("-1e3", -1000.0), ("1E-2", 0.01), ("+.5e1", 5.0)),
        *((".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf)),
    ],
)
def test_plain_scalars_follow_the_core_schema(text, value):
    found = plain_value(text)
    assert found == value
    assert type(found) is type(value)


def test_numbers_of_any_length_are_read():
    assert math.isnan(plain_value(".nan"))
    assert plain_value("9" * 5000) == plain_value("0x" + "f" * 5000) == plain_value("1e999999999") == math.inf


def test_tags_of_the_core_schema_are_followed(parser):
    text = '[!!str 5, !!int "5", !!float 5, !!null "", !!bool "true", ! 5, !!seq [], !!map {}, !!binary "A Q"]'
    assert values(text, parser) == [["5", 5, 5, None, True, "5", [], {}, "AQ"]]


@pytest.mark.parametrize(
    ("text", "place", "path", "said"),
    [
        ("a: [1", None, "", "not valid YAML"),
        ("a: b: c", (1, 5), "", "mapping values are not allowed"),
        ("a:\n\t- x", (2, 1), "", "cannot start any token"),
        ("a: 1\nb: 2\na: 3", (3, 1), "a", "the key is there twice"),
        ('a: {b: 1, "b": 2}', (1, 11), "a.b", "the key is there twice"),
        ("a: *b", (1, 4), "a", "there is no &b before"),
        ("a: &b [1, *b]", (1, 11), "a[1]", "*b stands within &b"),
        ("&a a: 1\n---\nb: *a", (3, 4), "b", "there is no &a before"),
        ("[a]: 1", (1, 1), "", "a key has to be text"),
        ("? {a: 1}\n: 1", (1, 3), "", "a key has to be text"),
        ("- &a [1]\n- {*a : 1}", (2, 4), "[1]", "a key has to be text"),
        ("a: !!int x", (1, 4), "a", "is not what its tag"),
        ("a: !!set {b}", (1, 4), "a", "is not known"),
        ("a: !!python/object/apply:os.system [ls]", (1, 4), "a", "is not known"),
        ("a: \x1b[31m", (1, 4), "", "U+001B cannot stand in YAML"),
    ],
)
def test_mistakes_have_their_places(parser, text, place, path, said):
    error = refusal(text, parser)
    assert said in str(error)
    assert error.path == path
    assert error.line is not None
    if place is not None:
        assert (error.line, error.column) == place


def test_text_that_is_not_utf8_is_refused():
    with pytest.raises(EncodeError, match="line 2, column 3"):
        YamlSource("a: é\nb:".encode() + b"\xff")


@pytest.mark.parametrize("text", ["[" * 2_000, "[" * 1_000_000, "{a: " * 100_000, "- " * 100_000, "? " * 10_000])
def test_deep_yaml_is_refused(text):
    assert refusal(text).line == 1


def test_deep_yaml_is_refused_by_both_parsers(parser):
    error = refusal("[" * 300, parser)
    assert (error.line, error.column) == (1, 202)


@pytest.mark.parametrize("leaf", ["[x, x, x, x, x, x, x, x]", "x" * 10_000])
def test_aliases_may_not_repeat_beyond_a_bound(parser, leaf):
    lines = [f"a0: &a0 {leaf}"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]" for i in range(1, 9)]
    assert "aliases repeat too much" in refusal("\n".join(lines), parser).message


def test_an_alias_is_what_its_anchor_was_last(parser):
    assert values("[&a 1, *a, &a 2, *a, &k key, {*k : *a}]", parser) == [[1, 1, 2, 2, "key", {"key": 2}]]


@given(st.text("ab:-?,[]{}&*!|>'\"%@`# \n\t0~.\\é", max_size=40))
def test_any_text_is_documents_or_an_error(text):
    try:
        found = values(text)
    except EncodeError as error:
        found = str(error)
    assert isinstance(found, list | str)


@given(st.text("ab:-,[]{}&*|>'\"# \n1", max_size=30))
def test_both_parsers_read_the_same(text):
    def read(parser):
        try:
            return repr(values(text, parser))
        except EncodeError:
            return None

    both = read(yaml.SafeLoader), read(PARSER)
    assert both[0] == both[1] or None in both
