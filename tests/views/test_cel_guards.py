"""`exists` over elements that lack fields."""

from __future__ import annotations

import cel
import pytest

from inspector.views.cel_guards import guarded

LABELS = [{}, {"n": {}}, {"s": 1, "t": "a"}, {"s": 9, "n": {"k": 2, "l": [{}, {"m": 5}]}}]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("labels.exists(l, l.s == 9)", True),
        ("labels.exists(l, l.s == 8)", False),
        ("labels.exists(l, l.n.k == 2)", True),
        ('labels.exists(l, l["n"]["k"] == 2)', True),
        ("labels.exists(l, l.s == 9 && l.n.k > 1 || l.x == 3)", True),
        ('labels.exists(l, !(l.s == 1) && l.t == "a")', False),
        ("labels.exists(l, !(l.s == 9) && l.s > 0)", True),
        ("labels.exists(l, !has(l.s))", True),
        ("labels.exists(l, l.n.l.exists(m, m.m == 5))", True),
        ("labels.exists(l, l.n.l.exists(m, m.m == l.s - 4))", True),
        ("!labels.exists(l, l.s > 100)", True),
        ("labels.exists(l, size(l.t) == 1 // a note\n)", True),
        ("[1, 2].exists(i, i == 2)", True),
        ('"exists(l, l.s)" == "exists(l, l.s)"', True),
        ("labels.exists(l, ((l.s == 9)))", True),
    ],
)
def test_an_element_that_lacks_a_field_does_not_hide_the_others(expression, expected):
    assert cel.compile(guarded(expression)).execute({"labels": LABELS}) is expected


@pytest.mark.parametrize("expression", ["a ==", "labels.all(l, l.s == 9)", "l.s == 1", "labels.exists(l.x, l.s)"])
def test_other_expressions_stay_as_they_are(expression):
    assert guarded(expression) == expression
