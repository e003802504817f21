"""Conditions on records as Python functions: with the result that CEL has."""

from __future__ import annotations

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.views.cel_guards import guarded
from inspector.views.record_conditions import UnsureError, translated
from inspector.views.where import Where

NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = ["", "a", "ab", "Ünïcode", "9007199254740993", "😀", "\uffff"]
NUMBERS = [0, 1, -1, 2.5, -2.5, 1.0, 3, 1 << 53, (1 << 53) + 1, (1 << 60), 0.1]
VALUES = st.recursive(
    st.sampled_from([*TEXTS, *NUMBERS, True, False, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.fixed_dictionaries({}, optional={"request": VALUES, "response": VALUES})
LITERALS = st.sampled_from(
    ['""', '"a"', "'ab'", '"Ünïcode"', '"9007199254740993"', '"😀"', '"\\u0061"', "0", "1", "-1", "2.5", "-2.5", "1.0",
     "9007199254740992", "9007199254740993", "0.1", "true", "false", "null", "0x1"]
)  # fmt: skip
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


@st.composite
def fields(draw, root):
    names = draw(st.lists(NAMES, max_size=2))
    return ".".join([root or draw(st.sampled_from(["request", "response"])), *names])


@st.composite
def conditions(draw, root="", depth=2):
    kind = draw(st.integers(0, 9 if depth else 6))
    field = draw(fields(root))
    if kind <= 1:
        sides = [field, draw(LITERALS)]
        return f" {draw(SIGNS)} ".join(draw(st.permutations(sides)))
    if kind == 2:
        return f"{field}.{draw(st.sampled_from(['startsWith', 'endsWith', 'contains']))}({draw(LITERALS)})"
    if kind == 3:
        return f"has({field}.{draw(NAMES)})"
    if kind == 4:
        return f"{field} in [{', '.join(draw(st.lists(LITERALS, max_size=3)))}]"
    if kind == 5:
        size = draw(st.sampled_from([f"size({field})", f"{field}.size()"]))
        return f"{size} {draw(SIGNS)} {draw(LITERALS)}"
    if kind == 6:
        return field
    if kind == 7:
        return f"!({draw(conditions(root, depth - 1))})"
    if kind == 8:
        sign = draw(st.sampled_from([" && ", " || "]))
        return f"({sign.join([draw(conditions(root, depth - 1)), draw(conditions(root, depth - 1))])})"
    element = draw(st.sampled_from(["e", "f"]))
    return f"{field}.exists({element}, {draw(conditions(draw(st.sampled_from([element, element, root])), depth - 1))})"


def asked(text, record):
    """What CEL says; None for an error."""
    try:
        return cel.compile(guarded(text)).execute(record)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
        return None


@settings(max_examples=1_500)
@given(text=conditions(), records=st.lists(RECORDS, min_size=1, max_size=4))
def test_a_condition_says_what_cel_says(text, records):
    condition = translated(text)
    if condition is None:
        return
    for record in records:
        try:
            found = condition(record)
        except UnsureError:
            continue
        assert found is asked(text, record)


PLAIN = {
    "request": {"name": "ab", "n": 3, "x": 2.5, "ok": True, "deep": {"er": "yes"}},
    "response": {"labels": [{"score": 0.5}, {}, {"score": 0.9, "tags": ["a"]}]},
}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('request.name == "ab"', True),
        ('request.name >= "b" || request.n != 3', False),
        ("2.0 < request.x && request.n <= 3.5", True),
        ('request.deep.er in ["no", "yes"] && request.ok', True),
        ('request.nope == "a"', None),
        ("request.nope == 1 || request.ok == true", True),
        ("request.nope == 1 && !request.ok", False),
        ("!(request.nope == 1)", None),
        ("has(request.deep.er) && !has(request.deep.other)", True),
        ('request.name.startsWith("a") && request.name.endsWith("b") && !request.name.contains("c")', True),
        ("response.labels.exists(l, l.score > 0.8)", True),
        ("response.labels.exists(l, !(l.score > 0.1))", False),
        ("response.labels.exists(l, !has(l.score)) && response.labels.size() == 3", True),
        ("response.other.exists(l, l.score > 0.8)", None),
    ],
)
def test_what_people_write_is_translated(text, answer):
    condition = translated(text)
    assert condition is not None
    assert condition(PLAIN) is answer
    assert asked(text, PLAIN) is answer


@pytest.mark.parametrize(
    "text",
    [
        "request.n + 1 > 2", "request.name == request.other", "request.labels.all(l, l.score > 1)", 'request["n"] == 1',
        'request.name.matches("a")', "response.labels.exists(l, request.n == 3)", "request.x == null", "not CEL",
        "response.labels.exists(l, l.tags.exists(t, t == 'a'))", "request.n > 9007199254740993",
    ],
)  # fmt: skip
def test_all_else_is_left_to_cel(text):
    assert translated(text) is None


@pytest.mark.parametrize(
    "text",
    ["request.name > 3", "request.n == '3'", "request.ok > 1", "response > 1", "message.a == 1", "has(request.n.x)"],
)
def test_values_of_other_types_are_left_to_cel(text):
    condition = translated(text)
    assert condition is not None
    with pytest.raises(UnsureError):
        condition(PLAIN)


def test_what_was_missing_is_told():
    where = Where("request.nope.not_here == 1")
    assert not where._is_true(where.expression, {"method": "/a.B/C", **PLAIN})
    assert where.last_error == "not there: nope"
    assert not where._is_true(where.expression, {"method": "/a.B/D", "request": {"nope": {"a": 1}}})
    assert where.last_error == "not there: nope, not_here; did you mean notHere? fields are named as in JSON"
