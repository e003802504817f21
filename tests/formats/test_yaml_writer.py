"""YAML that is written: it means the same to our reader, and to PyYAML's of YAML 1.1."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from inspector.formats.yaml_reader import YamlSource
from inspector.formats.yaml_writer import dumps

TEXTS = st.one_of(
    st.text(max_size=20),
    st.text("ab \n\t:#-'\"\\", max_size=12),
    st.from_regex(r"[-+]?[0-9_:.]{1,8}([eE][-+]?[0-9]+)?", fullmatch=True),
    st.sampled_from(
        ["yes", "Null", "~", "TRUE", "y", "0o7", "0x1f", "1:30", "2026-11-23", ".nan", "=", "<<", "- a", "---"]
    ),
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXTS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
)


def read(text):
    (document,) = YamlSource(text.encode()).documents()
    return document.value


@given(VALUES)
def test_our_reader_makes_the_same_of_it(value):
    assert repr(read(dumps(value))) == repr(value)


@given(VALUES)
def test_a_reader_of_yaml_1_1_makes_the_same_of_it(value):
    assert repr(yaml.safe_load(dumps(value))) == repr(value)


@given(VALUES)
def test_nothing_in_it_moves_a_terminal(value):
    assert all(line.isprintable() for line in dumps(value).split("\n"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}\n"),
        ([], "[]\n"),
        ("a", "a\n"),
        ({"a": {"b": []}}, "a:\n  b: []\n"),
        ([[1, [2]], {"a": 1, "b": 2}], "- - 1\n  - - 2\n- a: 1\n  b: 2\n"),
        ({"url": "http://x/y?z#w"}, "url: http://x/y?z#w\n"),
        ({"a": "b: c", "d": "e #f", "g": " h", "i": "j:"}, 'a: "b: c"\nd: "e #f"\ng: " h"\ni: "j:"\n'),
        ({"a": "x\n\ny\n"}, "a: |\n  x\n\n  y\n"),
        ({"a": " x\ny"}, 'a: " x\\ny"\n'),
        ({"a": "x\n\n"}, 'a: "x\\n\\n"\n'),
        (["x\ny"], "- |-\n  x\n  y\n"),
        ({"a": "\x1b\u202e\U000e0001é"}, 'a: "\\x1b\\u202e\\U000e0001é"\n'),
        ({"a": 1e16, "b": -0.0, "c": 1.5e-7}, "a: 1.0e+16\nb: -0.0\nc: 1.5e-07\n"),
    ],
)
def test_looks_like_this(value, text):
    assert dumps(value) == text


def test_long_keys_are_written_explicitly():
    value = {"k" * 5_000: {"a": 1}, "l" * 5_000: "x", "m" * 5_000: [1]}
    assert read(dumps(value)) == yaml.safe_load(dumps(value)) == value
