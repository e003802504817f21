"""Records as text, against the same records as rows (`views.rows`)."""

from __future__ import annotations

import json
import re

import kernels
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.model.call import Message
from inspector.model.problem import Problem
from inspector.session import DecodedMessage
from inspector.views.rows import bare_row, message_row, to_line

message_lines = kernels.fixture("inspector.views.message_lines_cy")

UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
HOSTILE = "\x1b[2J\x7f\x85\u061c\u200e\u2028\u202e\u2066"

texts = st.one_of(st.sampled_from(("/pkg.Svc/Do", "identity", "", HOSTILE, 'é€𝄞"\\\n')), st.text(max_size=12))
times = st.one_of(
    st.none(), st.integers(0, 2**63 - 1), st.integers(-(2**70), 2**70), st.sampled_from((0, 10**9 - 1, 10**9, 1 << 62))
)
numbers = st.one_of(st.integers(0, 12), st.integers(0, 2**31), st.sampled_from((9, 10, 99, 100, 2**63 - 1)))
problems = st.builds(Problem, texts, texts, st.none(), st.none() | st.integers(0, 99))
messages = st.builds(
    Message, numbers, numbers, st.sampled_from((None, "request", "response")), st.none() | texts, times, texts,
    st.none() | st.binary(max_size=30), st.binary(max_size=30), st.just(None), st.just(()),
)  # fmt: skip
documents = st.one_of(texts, st.dictionaries(texts, texts, max_size=3)).map(
    lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "ignore")
)
decoded = st.builds(
    DecodedMessage, messages, st.none() | texts, documents, st.sampled_from(("schema", "guess")), numbers,
    st.none() | problems, st.booleans(),
).map(lambda each: each._replace(is_seen=each.is_seen and UNSAFE.search(each.json.decode()) is None))  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(found=st.lists(decoded, max_size=5), bare=st.booleans(), raw=st.booleans())
def test_lines_are_the_rows_as_json(message_lines, found, bare, raw):
    row = bare_row if bare else message_row
    expected = b"".join(to_line(row(each, raw=raw)) + b"\n" for each in found)
    assert message_lines.message_lines(found, bare=bare, raw=raw) == expected


@settings(max_examples=100, deadline=None)
@given(found=st.lists(decoded, max_size=5), bare=st.booleans())
def test_nothing_moves_a_terminal(message_lines, found, bare):
    text = message_lines.message_lines(found, bare=bare).decode()
    assert UNSAFE.search(text) is None
    assert text.count("\n") == len(found)


@pytest.mark.parametrize("bare", [False, True])
def test_hostile_text_is_kept_as_escapes(message_lines, bare):
    message = Message(1, 0, "request", HOSTILE, 0, HOSTILE, b"", b"", None, ())
    document = json.dumps({HOSTILE: HOSTILE}, ensure_ascii=False).encode()
    line = message_lines.message_lines([DecodedMessage(message, HOSTILE, document, "schema", 0, None)], bare=bare)
    row = json.loads(line)
    assert (row if bare else row["message"]) == {HOSTILE: HOSTILE}
    assert bare or (row["method"], row["type"], row["encoding"]) == (HOSTILE,) * 3
    assert UNSAFE.search(line.decode()) is None
