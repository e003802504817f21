"""Differences between two values."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.transcode.compare import Difference, align, compare

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2) | st.floats(0, 1, width=16)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def changes(first, second, **options):
    return [(each.change, each.path, each.to) for each in compare(first, second, **options)]


def test_what_is_added_removed_and_changed_is_told_by_its_path():
    first = {"name": "Ada", "point": {"x": 1, "y": 2}}
    second = {"name": "Ada", "point": {"x": 1, "y": 3}, "tag": "n"}
    assert list(compare(first, second)) == [
        Difference("point.y", "changed", 2, 3),
        Difference("tag", "added", None, "n"),
    ]
    assert changes(second, first) == [("changed", "point.y", None), ("removed", "tag", None)]


def test_the_order_of_fields_and_map_entries_does_not_matter():
    assert changes({"a": 1, "b": {"x": 1, "y": 2}}, {"b": {"y": 2, "x": 1}, "a": 1}) == []


def test_a_map_key_that_is_no_word_is_quoted_in_the_path():
    assert changes({"m": {"a b": 1}}, {"m": {"a b": 2}}) == [("changed", 'm["a b"]', None)]


def test_an_element_inserted_at_the_front_does_not_change_the_rest():
    people = [{"name": name, "age": 30} for name in ("Ada", "Bob", "Cyd")]
    assert changes({"p": people}, {"p": [{"name": "New", "age": 1}, *people]}) == [("added", "p[0]", None)]


def test_a_change_within_an_element_that_moved_along_is_found_there():
    first = {"p": [{"name": "Ada", "age": 1}, {"name": "Bob", "age": 2}]}
    second = {"p": [{"id": 7}, {"name": "Ada", "age": 5}, {"name": "Bob", "age": 2}]}
    assert changes(first, second) == [("added", "p[0]", None), ("changed", "p[0].age", "p[1].age")]


def test_an_element_that_is_elsewhere_is_reordered():
    assert changes({"t": ["a", "b", "c"]}, {"t": ["c", "a", "b"]}) == [("reordered", "t[2]", "t[0]")]


@pytest.mark.parametrize(
    ("first", "second", "tolerance", "same"),
    [(1.0, 1.001, 0.01, True), (1.0, 1.1, 0.01, False), (1e9, 1.0000001e9, 1e-6, True), (0.0, 1e-9, 1e-6, True),
     (1, 2, 5.0, False), ("NaN", "NaN", 0.0, True), (float("inf"), 1.0, 1.0, False)],
)  # fmt: skip
def test_the_tolerance_is_for_numbers_with_a_fraction(first, second, tolerance, same):
    assert (changes({"x": first}, {"x": second}, tolerance=tolerance) == []) is same
    assert (changes({"x": [first]}, {"x": [second]}, tolerance=tolerance) == []) is same


@pytest.mark.parametrize(("first", "second"), [(True, 1), (1, 1.0), ("1", 1), (None, False)])
def test_values_of_different_kinds_differ(first, second):
    assert changes({"x": first}, {"x": second}) == [("changed", "x", None)]


@given(values, values)
def test_there_is_no_difference_exactly_between_equals(first, second):
    def canonical(value):
        return json.dumps(value, sort_keys=True)

    assert (list(compare(first, second)) == []) == (canonical(first) == canonical(second))


@given(st.lists(st.integers(0, 5), max_size=12), st.lists(st.integers(0, 5), max_size=12))
def test_the_differences_of_two_lists_lead_from_one_to_the_other(first, second):
    rest = list(first)
    gone = [each for each in compare(first, second) if each.change in ("removed", "reordered", "changed")]
    for each in gone:
        rest.remove(each.before)
    come = [each.after for each in compare(first, second) if each.change in ("added", "reordered", "changed")]
    assert sorted(rest + come) == sorted(second)


def test_long_lists_that_differ_in_places_are_aligned():
    first = [f"row {number}" for number in range(50_000)]
    second = [*first[:100], "new", *first[100:40_000], *first[40_001:]]
    assert changes(first, second) == [("added", "[100]", None), ("removed", "[40000]", None)]


def test_long_lists_with_nothing_in_common_are_told_apart_by_place():
    chance = random.Random(1)
    first = [chance.randint(0, 3) for _ in range(3_000)]
    assert len(changes(first, [each + 10 for each in first])) == 3_000


# --- work is bounded: without bounds these take minutes ----------------------------------------------------------


def test_large_elements_are_compared_in_bounded_work():
    shared = list(range(5_000))
    first = [{"all": shared[:], "id": number} for number in range(200)]
    second = [{"all": shared[:], "id": -1 - number} for number in range(200)]
    assert changes(first, second) == [("changed", f"[{number}].id", None) for number in range(200)]


def test_lists_in_lists_are_compared_in_bounded_work():
    first = [[number * 1000 + inner for inner in range(190)] for number in range(190)]
    second = [[-1 - number * 1000 - inner for inner in range(190)] for number in range(190)]
    assert len(changes(first, second)) == 190 * 190


@pytest.mark.parametrize("tolerance", [0.0, 0.1])
def test_what_is_deep_in_lists_is_compared_once(tolerance):
    def nested(last):
        value = [0.0] * 100_000 + [last]
        for level in range(90):
            value = [value, level]
        return value

    assert changes(nested(1.0), nested(2.0), tolerance=tolerance) == [("changed", "[0]" * 90 + "[100000]", None)]


@given(values, values)
def test_what_is_equal_is_told_in_between_if_asked_for(first, second):
    told = list(compare(first, second, with_equal=True))
    assert [each for each in told if each.change != "same"] == list(compare(first, second))
    assert all(each.before == each.after for each in told if each.change == "same")
    assert told  # each value is in one of them


def test_equal_elements_stand_beside_those_that_changed():
    first, second = [1, {"a": 1, "b": 2}, 3], [1, {"a": 1, "b": 4}, 5, 3]
    assert changes(first, second, with_equal=True) == [
        ("same", "[0]", None),
        ("same", "[1].a", None),
        ("changed", "[1].b", None),
        ("added", "[2]", None),
        ("same", "[2]", "[3]"),
    ]


def test_lists_are_aligned_by_what_is_in_them():
    assert align([{"id": 1}, {"id": 2}], [{"id": 0}, {"id": 1}, {"id": 2}]) == [(None, 0), (0, 1), (1, 2)]


def test_a_comparison_ends_where_it_is_looked_after():
    looks = iter(range(10))

    def look():
        if next(looks) == 9:
            raise KeyboardInterrupt

    many = [{"id": number} for number in range(100)]
    with pytest.raises(KeyboardInterrupt):
        list(compare(many, [*many[1:], {"id": -1}], look=look))
