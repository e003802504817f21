"""Calls in the order of a column, filtered, while they come."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.index import layout
from inspector.views import call_order
from inspector.views.call_order import CallOrder

KEYS = st.lists(st.integers(-3, 3) | st.sampled_from([layout.NONE, layout.ELSEWHERE, (1 << 63) - 1]), max_size=40)


KINDS = [None, ("/c.D/E", "grpc", None), ("/a.B/C", "grpc", "h"), (None, "grpc", None), ("/a.B/D", "grpc", None)]


class Columns:
    """An index that is nothing but its columns."""

    def __init__(self, keys):
        self.keys = keys
        self.count = len(keys)

    def __len__(self):
        return self.count

    @property
    def kinds(self):
        """Those of the rows so far, as they come."""
        known = 1 + max(map(self.kind_of, range(self.count)), default=0)
        return KINDS[:known]

    @staticmethod
    def kind_of(row):
        return (row % 7) // 2 + (row > 9)

    def column(self, name, first=0, last=None):
        rows = range(first, self.count if last is None else last)
        if name == "kind":
            return array("q", map(self.kind_of, rows))
        if name == "request_bytes":
            return array("q", (row * row % 11 for row in rows))
        if name == "response_bytes":
            return array("q", (row * 5 % 7 for row in rows))
        return array("q", rows if name == "number" else self.keys[first : rows.stop])

    def told(self, key, row):
        """What rows are to be sorted by."""
        if key == "kind":
            kind = self.kinds[self.kind_of(row)]
            return kind[0] or "" if kind else ""
        if key == "bytes":
            return row * row % 11 + row * 5 % 7
        return row if key == "number" else self.keys[row]


def odd(first, last, _):
    for row in range(first, last):
        yield [row] if row % 2 else [], row + 1


@pytest.fixture(params=["kernel", "without"], autouse=True)
def sorting(request, monkeypatch):
    """Both ways of sorting."""
    if request.param == "without":
        monkeypatch.setattr(call_order, "sort_rows", None)
        monkeypatch.setattr(call_order, "merge_rows", None)


def shown(order):
    return [order[place] for place in range(len(order))]


def expected(index, column, descending, rows):
    return sorted(rows, key=lambda row: index.told(column, row), reverse=descending)


@given(KEYS, st.data())
def test_rows_stand_in_the_order_of_their_keys_however_they_come(keys, data):
    index = Columns(keys)
    index.count = data.draw(st.integers(0, len(keys)))
    order = CallOrder(index)
    order.arrange()
    find, column, descending = None, "number", False
    for _ in range(data.draw(st.integers(0, 5))):
        step = data.draw(st.sampled_from(["grow", "sort", "filter"]))
        if step == "grow":
            index.count = data.draw(st.integers(index.count, len(keys)))
        elif step == "sort":
            column, descending = (
                data.draw(st.sampled_from(["number", "key", "kind", "bytes"])),
                data.draw(st.booleans()),
            )
            order.sort(column, descending=descending)
        else:
            find = data.draw(st.sampled_from([None, odd]))
            order.use_filter(find)
        if data.draw(st.booleans()):
            order.arrange()
    order.arrange()
    rows = [row for row in range(len(index)) if find is None or row % 2]
    assert shown(order) == expected(index, column, descending, rows)
    assert order.seen == len(index)
    for row in range(len(index)):
        assert order.place_of(row) == (shown(order).index(row) if row in rows else None)


def test_what_was_found_is_shown_before_all_is_known(monkeypatch):
    monkeypatch.setattr(call_order, "BETWEEN_STEPS", 0)
    index = Columns([3, 1, 2, 0])
    order = CallOrder(index)
    order.sort("key")
    order.use_filter(odd)
    seen = []
    for arranged in order.arranging().run(lambda: False):
        order.show(arranged)
        seen.append((order.seen, shown(order)))
    assert seen == [(1, []), (2, [1]), (3, [1]), (4, [3, 1])]


def test_one_that_is_cancelled_keeps_what_was_found(monkeypatch):
    monkeypatch.setattr(call_order, "BETWEEN_STEPS", 0)
    order = CallOrder(Columns([0] * 10))
    order.use_filter(odd)
    for arranged in order.arranging().run(lambda: order.seen >= 4):
        order.show(arranged)
    assert (order.seen, shown(order)) == (4, [1, 3])
    order.arrange()
    assert shown(order) == [1, 3, 5, 7, 9]


def test_what_the_user_no_longer_wishes_is_not_shown():
    order = CallOrder(Columns([2, 1]))
    steps = [*order.arranging().run(lambda: False)]
    order.sort("key")
    assert not order.show(steps[-1])
    order.arrange()
    assert shown(order) == [1, 0]


@pytest.mark.parametrize("many", [0, 100])
@pytest.mark.parametrize("kept", [0, 1, 3, 6])
@pytest.mark.parametrize("find", [None, odd])
def test_rows_that_become_others_are_forgotten(many, kept, find, monkeypatch):
    monkeypatch.setattr(call_order, "MANY_FORGOTTEN", many)
    index = Columns([5, 1, 4, 1, 3, 2])
    order = CallOrder(index)
    order.sort("key", descending=True)
    order.use_filter(find)
    order.arrange()
    waiting = order.arranging()
    order.forget(kept)
    left = [row for row in range(kept) if find is None or row % 2]
    assert shown(order) == expected(index, "key", True, left)
    assert order.newest == (order.place_of(left[-1]) if left else None)
    assert not any(map(order.show, waiting.run(lambda: False)))
    index.keys = [5, 1, 4, 1, 3, 2][:kept] + [9] * (8 - kept)
    index.count = 8
    order.arrange()
    assert shown(order) == expected(index, "key", True, [row for row in range(8) if find is None or row % 2])
