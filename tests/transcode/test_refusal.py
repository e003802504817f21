"""Paths to a value at fault, and how values are named in messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.transcode.refusal import Key, Refusal, path_text, shown, steps_of

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}|[0-9]{1,3}|\[[a-z.]{1,9}\]", fullmatch=True)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", 2, "b"], "a[2].b"),
        ([0, 1], "[0][1]"),
        (["labels", Key("a b"), "c"], 'labels["a b"].c'),
        (["a", "[pkg.ext]", 0], "a.[pkg.ext][0]"),
        ([Key("\x1b[31m\n")], '["\\x1b[31m\\n"]'),
    ],
)
def test_paths_read_like_code(steps, text):
    assert path_text(steps) == text


def test_long_paths_are_cut_in_the_middle():
    text = path_text(["a"] * 50 + ["last"])
    assert text.startswith("a.a.a.")
    assert text.endswith("a.last")
    assert len(text) < 100


@given(st.lists(st.one_of(NAMES, st.integers(0, 99)), max_size=8))
def test_steps_come_back_from_a_path(steps):
    assert steps_of(path_text(steps)) == steps


def test_an_error_gathers_its_steps_from_the_inside():
    refusal = Refusal("no", hint="yes")
    refusal.steps += [Key("k"), 3, "field"]
    error = refusal.error()
    assert str(error) == 'field[3]["k"]: no (yes)'
    assert error.line is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0, "the number 0"),
        (0.5, "the number 0.5"),
        ("a\n", 'the string "a\\n"'),
        ({}, "an object"),
        ([], "an array"),
        pytest.param(10**5000, "an integer longer than any type holds", id="huge"),
        (b"", "a Python bytes"),
    ],
)
def test_values_are_named(value, text):
    assert shown(value) == text


def test_long_values_are_cut():
    assert len(shown("x" * 10_000)) < 100
