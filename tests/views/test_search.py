"""Looking for text and bytes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import InspectorError
from inspector.views import search
from inspector.views.search import Pattern, find_row, highlighted


def never(_):
    return False


@pytest.mark.parametrize(
    ("text", "in_bytes", "data", "start"),
    [
        ("Cat", False, b"a cAT", 2), ("x:0a05", False, b"\n\x05", 0), ("0a 05", True, b"--\n\x05", 2),
        ("/c.t/", False, b"cut", 0), ("/[0-9]+/", False, b"ab12", 2), ("é", False, "aé".encode(), 1),
        ("x:00", True, b"\xff\0", 1), ("0a 05", False, b"0a 05", 0), ("0a", True, b"\n", 0),
        ("a.b", False, b"axb a.b", 4),
    ],
)  # fmt: skip
def test_what_is_looked_for_in_bytes(text, in_bytes, data, start):
    assert Pattern(text, in_bytes=in_bytes).find_in_bytes(data, 0, never).start == start


@given(st.binary(max_size=200), st.sampled_from([b"\0", b"ab", b"aba", b"aa"]), st.integers(0, 200), st.booleans())
def test_windows_find_what_a_search_of_all_at_once_finds(noise, part, start, forward):
    data = noise.replace(b"\1", b"a").replace(b"\2", b"b")[:150] + part + noise[:10]
    start = min(start, len(data))
    places = [match.start() for match in re.finditer(b"(?=" + re.escape(part) + b")", data)]
    overlap_free = Pattern(f"x:{part.hex()}")
    behind = [place for place in places if place >= start]
    before = [place for place in places if place < start]
    expected = (behind or before)[0] if forward else (before or behind)[-1]
    found = overlap_free.find_in_bytes(data, start, never, forward=forward)
    assert found is not None
    if forward:
        assert found.start == expected
    else:
        assert found.start in places


def test_a_match_across_windows_is_found(monkeypatch):
    monkeypatch.setattr(search, "_WINDOW", 4)
    data = bytes(10) + b"needle" + bytes(10)
    for start in range(len(data)):
        for forward in (True, False):
            assert Pattern("needle").find_in_bytes(data, start, never, forward=forward).start == 10


def test_a_search_ends_when_it_is_told_to(monkeypatch):
    monkeypatch.setattr(search, "_WINDOW", 4)
    told = []

    def step(progress):
        told.append(progress)
        return len(told) == 3

    assert Pattern("x").find_in_bytes(bytes(100), 0, step) is None
    assert told == [0.04, 0.08, 0.12]


def test_rows_are_searched_all_around():
    rows = ["one", "two", "three", "Two"]
    for start, forward, expected in ((0, True, 1), (1, True, 3), (3, True, 1), (1, False, 3), (3, False, 1)):
        assert find_row(Pattern("two"), rows.__getitem__, 4, start, never, forward=forward) == expected
    assert find_row(Pattern("four"), rows.__getitem__, 4, 0, never) is None


def test_a_match_is_shown_across_styles():
    line = [("key", "na"), ("", "me: "), ("string", "name")]
    assert highlighted(line, Pattern("name")) == [("match", "na"), ("match", "me"), ("", ": "), ("match", "name")]
    assert highlighted(line, Pattern("other")) == line


@pytest.mark.parametrize("text", ["", "/(/", "/(a+)+/", "/(a*)*b/", "x:", "x:0", "x:zz", "/a{99999999999}/"])
def test_what_cannot_be_looked_for_is_an_error_in_one_line(text):
    with pytest.raises(InspectorError) as caught:
        Pattern(text)
    assert "\n" not in str(caught.value)
