"""The kernel that sorts rows: as `sorted` does, and never outside of what it is given."""

from __future__ import annotations

from array import array

import kernels
import pytest
from hypothesis import given
from hypothesis import strategies as st

kernel = kernels.load("inspector.views.row_order_cy", kernels.COMPILED)
KEYS = st.lists(st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-2, 2) | st.integers(0, 1 << 20), max_size=300)


@given(KEYS, st.booleans(), st.randoms())
def test_rows_are_sorted_by_their_keys_and_stay_in_order_where_these_are_equal(keys, descending, random):
    rows = random.sample(range(len(keys)), len(keys))
    found = array("I", rows)
    kernel.sort_rows(array("q", keys), found, descending)
    assert found.tolist() == sorted(rows, key=keys.__getitem__, reverse=descending)


@given(KEYS, st.booleans(), st.integers(0, 300))
def test_runs_are_merged(keys, descending, cut):
    first, second = (
        array("I", sorted(rows, key=keys.__getitem__, reverse=descending))
        for rows in (range(len(keys))[:cut], range(len(keys))[cut:])
    )
    out = array("I", bytes(4 * len(keys)))
    kernel.merge_rows(array("q", keys), first, second, out, descending)
    assert out.tolist() == sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)


def test_a_row_without_a_key_is_refused():
    keys, rows = array("q", [1, 2]), array("I", [0, 2])
    with pytest.raises(IndexError):
        kernel.sort_rows(keys, rows, False)
    with pytest.raises(IndexError):
        kernel.merge_rows(keys, array("I", [0]), array("I", [4_000_000_000]), array("I", [0, 0]), False)
    with pytest.raises(IndexError):
        kernel.merge_rows(keys, array("I", [0]), array("I", [1]), array("I", [0]), False)
    with pytest.raises(IndexError):
        kernel.sort_rows(array("q"), array("I", [0]), False)
