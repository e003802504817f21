"""Styled lines in a width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inspector.views.spans import wrapped
from inspector.views.widths import cells_of

LINES = st.lists(st.tuples(st.sampled_from(["", "key"]), st.text("ab 画🙈é", max_size=30)), max_size=6)


def text(line):
    return "".join(part for _, part in line)


def test_a_line_that_fits_stays_as_it_is():
    assert wrapped([("key", "abc"), ("", "de")], 5) == [[("key", "abc"), ("", "de")]]


def test_a_longer_one_goes_on_below():
    assert wrapped([("key", "abcd"), ("", "efghij")], 7, "  ") == [
        [("key", "abcd"), ("", "efg")],
        [("", "  "), ("", "hij")],
    ]


@given(LINES, st.integers(6, 30))
def test_nothing_is_lost_and_nothing_is_too_wide(line, width):
    lines = wrapped(line, width, "    ")
    assert text(lines[0]) + "".join(text(each).removeprefix("    ") for each in lines[1:]) == text(line)
    assert all(cells_of(text(each)) <= width for each in lines)


def test_words_stay_whole_where_they_are_not_long():
    told = "Type vision.v1.GetPredictionRequest  in service.proto, from protos"
    assert [text(line) for line in wrapped([("", told)], 60)] == [
        "Type vision.v1.GetPredictionRequest  in service.proto, from ",
        "    protos",
    ]
    spans = [("", "9 header fields refer to entries that are not in the capture"), ("dim", "  (packet 39)")]
    assert [text(line) for line in wrapped(spans, 66)] == [
        "9 header fields refer to entries that are not in the capture  ",
        "    (packet 39)",
    ]
    assert len(wrapped([("", f"a {'b' * 58} c")], 30)[0][0][1]) == 30


def test_a_wide_character_has_a_line_of_its_own_where_there_is_no_room_for_it():
    assert [text(line) for line in wrapped([("", "語語")], 5)] == ["語語"]
    assert [text(line) for line in wrapped([("", "語語語")], 5)] == ["語語", "    語"]
