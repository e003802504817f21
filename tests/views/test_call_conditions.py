"""Conditions that columns of an index answer: with the result that CEL has for the records of the calls."""

from __future__ import annotations

import cel
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index.test_writer_cy import CALL

from inspector.index import layout
from inspector.index.capture_index import COLUMNS, _column
from inspector.index.records import Records, Tables
from inspector.index.writer_cy import IndexWriter
from inspector.model.call import Status
from inspector.model.problem import Problem
from inspector.net.grpc_cy import status_name
from inspector.views.call_lines_cy import call_lines
from inspector.views.where import Where


class MadeIndex:
    """An index of calls that are given, as far as filters ask for it."""

    def __init__(self, calls):
        writer = IndexWriter(None)
        self.spool = writer.add(calls, 0, b"", 0, [])
        self._writer = writer
        self.kinds = writer.kinds
        self._records = Records(self, None, Tables(writer.references, writer.kinds, writer.encodings))

    def __len__(self):
        return self._writer.count

    count = property(__len__)

    def rows(self, first, count):
        assert first // layout.CHUNK_ROWS == (first + count - 1) // layout.CHUNK_ROWS
        at = first % layout.CHUNK_ROWS * layout.CALL_SIZE
        return bytes(self._writer.chunks[first // layout.CHUNK_ROWS][at : at + count * layout.CALL_SIZE])

    def read(self, place, size):
        return bytes(self.spool[place : place + size])

    def column(self, name, first=0, last=None):
        return _column(self, COLUMNS[name], first, last)

    def call_at(self, row):
        return self._records.call(self.rows(row, 1))


METHODS = ["/pkg.Svc/Predict", "/pkg.Svc/Do", "/é.Svc/\x1b[0m", None]
NUMBERS = st.sampled_from([0, 1, 2, 3, 50, 1_000, 1_023, 1 << 31 - 1])
TIMES = st.sampled_from(
    [None, 0, 1, 999_999_999, 50_000_000, 1_000_000_000, 1_795_424_591_123_456_789, -5, 1 << 62, 1 << 70]
)
CODES = st.sampled_from([0, 0, 1, 2, 5, 16, 17, 253, 254, 255, 999_999])


@st.composite
def made_calls(draw):
    code = draw(st.none() | CODES)
    sizes = st.sampled_from([0, 1, 79, 1_024, 1_000_000, (1 << 53) + 1])
    return CALL._replace(
        method=draw(st.sampled_from(METHODS)),
        authority=draw(st.sampled_from([None, "", "example.com"])),
        protocol=draw(st.sampled_from(["grpc", "grpc-web"])),
        started=draw(TIMES),
        duration=draw(TIMES),
        status=None if code is None else Status(code, status_name(code), "went wrong"),
        requests=draw(NUMBERS),
        responses=draw(NUMBERS),
        request_bytes=draw(sizes),
        response_bytes=draw(sizes),
        complete=draw(st.booleans()),
        problems=draw(st.sampled_from([(), (Problem("a", "b"),)])),
        connection=draw(NUMBERS),
        stream=draw(NUMBERS),
        deadline=draw(st.sampled_from([None, 1_500_000_000])),
    )


NUMERIC = ["duration", "requests", "responses", "request_bytes", "response_bytes", "stream", "connection", "call"]
LITERALS = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "1024",
        "1000000",
        "9007199254740993",
        "-1",
        "0x10",
        "0.05",
        "1.0",
        "1e6",
        "2.5",
        "1e300",
        "9223372036854775807",
    ]
)
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


@st.composite
def numbers(draw, depth=2):
    choice = draw(st.integers(0, 5 if depth else 1))
    if choice == 0:
        return draw(LITERALS)
    if choice in (1, 2):
        return draw(st.sampled_from(NUMERIC))
    if choice == 3:
        return f"double({draw(numbers(depth=depth - 1))})"
    if choice == 4:
        return f"-{draw(st.sampled_from(NUMERIC))}"
    sign = draw(st.sampled_from(["+", "-", "*", "/", "%"]))
    return f"({draw(numbers(depth=depth - 1))} {sign} {draw(numbers(depth=depth - 1))})"


ATOMS = st.one_of(
    st.builds(lambda one, sign, other: f"{one} {sign} {other}", numbers(), OPERATORS, numbers()),
    st.builds(lambda one, items: f"{one} in [{', '.join(items)}]", numbers(), st.lists(LITERALS, max_size=3)),
    st.builds(
        lambda sign, text: f'started {sign} "{text}"',
        OPERATORS,
        st.sampled_from(["", "1970", "2026-11-23T09", "2026-11-23T09:03:11.123456789Z", "9999-12-31T23:59:59", "x"]),
    ),
    st.sampled_from(
        [
            "duration == duration", "duration != double(duration)",
            "complete", "true", "false", "null", "1", "method", "status", "duration == null", "null != duration",
            "duration in [null]", 'duration == "x"', "duration > null", "started == null", "status == null",
            "null != status", "status.code", "status.code != 0", "status.code > 1 && status.code < 10",
            'status.name == "OK"', 'status.name.startsWith("CODE")', 'status.code in [0, 5, 254]', "has(status.code)",
            "has(status.source)", "status.message.size() > 0", "status == status", "status in [null]",
            'status.name in ["OK", "UNKNOWN"]', "0 == status.code", "status.code == 1.0", "status.code == requests",
            'method.endsWith("Predict")', 'method.contains("é")', 'method.matches("^/pkg")', "method == null",
            "method != null", 'method > "/pkg"', 'method in ["/pkg.Svc/Do", "x"]', 'authority == ""',
            'authority.startsWith("ex")', 'protocol == "grpc"', "method.size() > 3", "size(method) > 3",
            '["Do", "Predict"].exists(m, method.endsWith(m))', "authority == method", 'method + authority == "x"',
            "size(problems) > 0", "problems.size() == 0", "problems != []", "[] == problems", "size(problems) >= 1",
            "problems.size() < 1", "problems.size() > 1", 'problems.exists(p, p.code == "a")', "deadline > 1.0",
            'client.startsWith("127.")', 'r"a\\d" == method', "b'a' == b'a'", "1u == 1u", "complete == true",
            "complete ? requests > 1 : responses > 1", "requests // no\n > 1", '"""x""" == method',
        ]
    ),
)  # fmt: skip
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda parts: " && ".join(f"({part}\n)" for part in parts), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda parts: " || ".join(f"({part}\n)" for part in parts), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda part: f"!({part}\n)", inner),
        st.builds(lambda one, other: f"{one} && {other}", ATOMS, inner),
        st.builds(lambda one, other: f"{one} || {other}", ATOMS, inner),
    ),
    max_leaves=6,
)


def by_cel(expression, call):
    """What CEL says of the record of a call, as `inspector calls` prints it."""
    try:
        return cel.compile(expression).execute(orjson.loads(call_lines((call,), lambda _: []))) is True
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
        return False


class NoMessages:
    decode_details = staticmethod(lambda _: [])


@settings(max_examples=400, deadline=None)
@given(st.lists(made_calls(), min_size=1, max_size=6), EXPRESSIONS)
def test_columns_and_calls_give_what_cel_says_of_the_records(calls, expression):
    calls = [call._replace(number=number) for number, call in enumerate(calls, 1)]
    where = Where(f"({expression}\n)")
    expected = [row for row, call in enumerate(calls) if by_cel(expression, call)]
    index = MadeIndex(calls)
    assert [index.call_at(row) for row in range(len(index))] == calls
    assert [row for rows, _ in where.find(index, NoMessages, 0, len(index)) for row in rows] == expected
    assert [row for row, call in enumerate(calls) if where.takes_call(call, lambda _: ())] == expected


@pytest.mark.parametrize(
    "expression",
    [
        "duration > 0.05 && status.code != 0", 'method.endsWith("Predict") || requests + responses > 3', "!complete",
        'started > "2026"', "request_bytes * 8 / 1024 >= 10", "duration in [0.5, 1]", "problems.size() > 0",
        "!(status.code in [0, 5]) && duration != null", "double(response_bytes) / 1e6 > 1.5", "request_bytes > 1e6",
        "status != null && status.name.contains('A')", "requests % 2 == 1", "complete && requests == 1",
    ],
)  # fmt: skip
def test_what_is_usual_needs_no_call(expression):
    assert Where(expression).is_fast
