"""What messages have in common: kinds with their confidence, counts, nesting."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import InputError
from inspector.limits import FIRST_GUESS_OCCURRENCES, MAX_DEPTH, MAX_GUESS_OCCURRENCES, MAX_SAMPLED_FIELDS
from inspector.wire.content import Source
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.evidence import spread
from inspector.wire.guess import Candidate, Shape
from inspector.wire.hints import parse_hint
from inspector.wire.kinds import WIRE_TYPES
from inspector.wire.scan import I32, I64, LEN, SGROUP, VARINT


def number(field: int, value: int) -> bytes:
    return tag(field, VARINT) + varint(value)


PERSON = length_delimited(1, b"Ada Lovelace") + number(2, 36)
OTHER = length_delimited(1, b"Alan Turing") + number(2, 41) + length_delimited(4, b"Bletchley") * 2


def test_fields_come_in_order_of_appearance_with_their_counts():
    shape = Shape.of([PERSON, OTHER])
    assert [(field.path, field.wire_type) for field in shape] == [("1", LEN), ("2", VARINT), ("4", LEN)]
    counts = [(field.occurrences, field.messages_with, field.most_in_one) for field in shape.fields]
    assert counts == [(2, 2, 1), (2, 2, 1), (2, 1, 2)]
    assert shape.messages == 2


def test_what_lies_in_messages_is_judged_over_all_of_them():
    shape = Shape.of([length_delimited(3, PERSON) + length_delimited(3, OTHER), length_delimited(3, OTHER)])
    inner = shape.field(3, LEN).message
    assert inner is not None
    assert (inner.path, inner.messages) == ("3", 3)
    assert [(field.path, field.kind) for field in inner] == [("3.1", "string"), ("3.2", "int64"), ("3.4", "string")]
    assert inner.field(4, LEN).occurrences == 4
    assert inner.field(1, LEN).message is None


def test_groups_are_walked_as_messages_are():
    shape = Shape.of([tag(5, SGROUP) + PERSON + tag(5, 4)])
    group = shape.field(5, SGROUP)
    assert group.candidates == (Candidate("group", 1.0),)
    assert group.message is not None
    assert group.message.field(1, LEN).path == "5.1"


def test_candidates_are_ranked_and_the_first_is_the_kind():
    field = Shape.of([length_delimited(1, b"xs")]).field(1, LEN)
    kinds = [candidate.kind for candidate in field.candidates]
    assert field.kind == kinds[0] == "string"
    assert "message" in kinds
    confidences = [candidate.confidence for candidate in field.candidates]
    assert confidences == sorted(confidences, reverse=True)


def test_more_text_makes_surer():
    short, long = (Shape.of([length_delimited(1, text)]).field(1, LEN) for text in (b"xs", b"extra small, in stock"))
    assert long.candidates[0].confidence > short.candidates[0].confidence


def test_more_of_the_kind_makes_surer():
    few, many = (
        Shape.of([length_delimited(1, bytes((n, n + 3, 9))) for n in range(20, 20 + count)]).field(1, LEN)
        for count in (2, 40)
    )
    assert many.kind == "packed-int64"
    assert confidence(many, "packed-int64") > confidence(few, "packed-int64")


LINES = [length_delimited(1, b"%d pieces of the same kind of text, each a line long, and no two the same" % n)
         for n in range(MAX_GUESS_OCCURRENCES)]  # fmt: skip


def test_of_contents_that_agree_some_are_enough(monkeypatch):
    looked_at = set()
    original = Source.evidence
    monkeypatch.setattr(Source, "evidence", lambda *args: looked_at.add(args[1:3]) or original(*args))
    field = Shape.of([b"".join(LINES)]).field(1, LEN)
    assert field.candidates == (Candidate("string", 0.999),)
    assert FIRST_GUESS_OCCURRENCES // 2 < len(looked_at) <= FIRST_GUESS_OCCURRENCES


@pytest.mark.parametrize(("every", "kind"), [(2, "bytes"), (10, "string")])
def test_of_contents_that_differ_more_are_looked_at(monkeypatch, every, kind):
    looked_at = set()
    original = Source.evidence
    monkeypatch.setattr(Source, "evidence", lambda *args: looked_at.add(args[1:3]) or original(*args))
    mixed = [length_delimited(1, Random(n).randbytes(99)) if n % every == 0 else line for n, line in enumerate(LINES)]
    assert Shape.of([b"".join(mixed)]).field(1, LEN).kind == kind
    assert len(looked_at) >= MAX_GUESS_OCCURRENCES


def confidence(field, kind: str) -> float:
    return next((candidate.confidence for candidate in field.candidates if candidate.kind == kind), 0.0)


def test_hints_are_the_kind_but_no_evidence():
    field = Shape.of([PERSON], {"1": "bytes"}).field(1, LEN)
    assert field.kind == "bytes"
    assert field.candidates[0].kind == "string"


def test_a_field_that_was_not_seen_has_a_usual_kind():
    shape = Shape.of([PERSON])
    assert [shape.field(9, wire_type).kind for wire_type in (VARINT, LEN, SGROUP)] == ["int64", "string", "group"]
    assert shape.field(9, I64).occurrences == 0


def test_spans_lie_in_larger_bytes_at_a_path():
    data = b"\xff\xff" + PERSON + b"\x00" + OTHER
    start = 3 + len(PERSON)
    shape = Shape.of_spans([(data, 2, 2 + len(PERSON)), (data, start, len(data))], {"7.1": "bytes"}, "7")
    assert [(field.path, field.kind, field.occurrences) for field in shape] == [
        ("7.1", "bytes", 2),
        ("7.2", "int64", 2),
        ("7.4", "string", 2),
    ]


def test_a_sample_of_few_fields_is_all_of_them():
    data = length_delimited(3, PERSON) + length_delimited(3, OTHER)
    spans = [(data, 0, len(data))]
    for shape in (Shape.of_spans(spans, path="7"), Shape.sampled(spans, path="7")):
        inner = shape.field(3, LEN).message
        assert inner is not None
        counts = [(field.path, field.kind, field.occurrences) for field in inner]
        assert counts == [("7.3.1", "string", 2), ("7.3.2", "int64", 2), ("7.3.4", "string", 2)]


def test_a_sample_is_spread_over_all_messages_and_bounded_at_each_level():
    early = length_delimited(3, number(1, 5) * 10)
    late = length_delimited(3, number(2, 5) * 10)
    shape = Shape.sampled([(each, 0, len(each)) for each in [early] * 3000 + [late] * 3000])
    inner = shape.field(3, LEN).message
    assert inner is not None
    assert shape.field(3, LEN).occurrences < MAX_SAMPLED_FIELDS
    counts = [field.occurrences for field in inner]
    assert len(counts) == 2
    assert min(counts) > 0.9 * max(counts)
    assert 100 <= sum(counts) <= MAX_SAMPLED_FIELDS // 2


def test_of_a_long_message_a_sample_has_the_first_fields():
    data = tag(5, SGROUP) + tag(5, 4) + number(1, 5) * MAX_SAMPLED_FIELDS + number(2, 5)
    shape = Shape.sampled([(data, 0, len(data))])
    assert [(field.number, field.occurrences) for field in shape] == [(5, 1), (1, MAX_SAMPLED_FIELDS - 1)]


def test_a_message_cut_short_counts_up_to_there():
    assert [field.path for field in Shape.of([PERSON + b"\x1a\x05cu"])] == ["1", "2"]


def test_one_that_is_no_message_adds_no_fields():
    data = b"".join(length_delimited(1, length_delimited(2, f"text {n}".encode()) + number(3, n)) for n in range(9))
    inner = Shape.of([data + length_delimited(1, b"\x48\x01\xff")]).field(1, LEN).message
    assert inner is not None
    assert [field.path for field in inner] == ["1.2", "1.3"]


def test_nothing_is_a_message_beyond_the_limit():
    data = b"\x08\x01"
    for _ in range(MAX_DEPTH + 5):
        data = length_delimited(1, data)
    shape, depth = Shape.of([data]), 0
    while (inner := shape.field(1, LEN).message) is not None:
        shape, depth = inner, depth + 1
    assert depth == MAX_DEPTH
    assert shape.field(1, LEN).kind == "bytes"


def test_fixed_numbers_are_judged_over_all_messages():
    floats = [tag(1, I32) + value for value in (b"\xcd\xcc\xcc=", b"\x00\x00\x80?", b"\x0a\xd7\xa3<")]
    assert Shape.of(floats).field(1, I32).kind == "float"
    sums = [tag(1, I32) + bytes((n, 7 * n % 256, 201 - n, 3 * n)) for n in range(40, 60)]
    assert Shape.of(sums).field(1, I32).kind == "fixed32"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("3.1=string", ("3.1", "string")),
        ("4 = packed", ("4", "packed-int64")),
        ("5=packed-float", ("5", "packed-float")),
    ],
)
def test_hints_of_the_command_line(text, hint):
    assert parse_hint(text) == hint


@pytest.mark.parametrize("text", ["3.1", "=string", "3.1=", "3.1=text", "0=string", "3..1=string", "536870912=bytes"])
def test_what_is_no_hint_is_refused(text):
    with pytest.raises(InputError):
        parse_hint(text)


def test_an_unknown_kind_is_answered_with_those_known():
    with pytest.raises(InputError, match="packed-sint64"):
        Shape.of([b""], {"3": "text"})


messages = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 40), st.integers(0, 2**64 - 1)).map(lambda pair: number(*pair)),
        st.tuples(st.integers(1, 40), st.binary(max_size=40)).map(lambda pair: length_delimited(*pair)),
        st.tuples(st.integers(1, 40), st.text(max_size=40)).map(
            lambda pair: length_delimited(pair[0], pair[1].encode())
        ),
        st.binary(max_size=3),
    ),
    max_size=8,
).map(b"".join)


@given(st.lists(messages | messages.map(lambda inner: length_delimited(1, inner)), max_size=4))
def test_every_field_of_any_messages_has_a_verdict(given_messages):
    waiting = [Shape.of(given_messages)]
    while waiting:
        for field in waiting.pop():
            assert WIRE_TYPES[field.kind] == field.wire_type
            assert field.kind == field.candidates[0].kind
            assert 0 < sum(candidate.confidence for candidate in field.candidates) <= 1
            assert 1 <= field.messages_with <= field.occurrences
            if field.message is not None:
                waiting.append(field.message)


@given(st.integers(0, 300))
def test_a_spread_is_all_and_even_from_its_beginning(count):
    places = list(spread(count))
    assert sorted(places) == list(range(count))
    halves = [place < count / 2 for place in places[: count // 2]]
    assert abs(halves.count(True) - halves.count(False)) <= 2 + count // 8


@given(messages, st.integers(1, 9))
def test_the_first_fields_are_those_of_the_whole(data, most):
    whole, error = Source(data).scan(0, len(data))
    some, wrong = Source(data).scan_first(0, len(data), most)
    assert some == whole[:most]
    assert wrong is None or (wrong.code, wrong.offset) == (error.code, error.offset)
    judged = Source(data).find_damage(0, len(data), len(data))
    assert (judged and (judged.code, judged.offset)) == (error and (error.code, error.offset))
