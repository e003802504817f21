"""The record of a call as text, by both builds."""

from __future__ import annotations

import json

import kernels
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.call import Call, Status
from inspector.model.problem import Problem
from inspector.views.safe_text import safe
from inspector.views.times import timestamp

module = kernels.fixture("inspector.views.call_lines_cy")

SECOND = 1_000_000_000
CALL = Call(
    1, "/pkg.Svc/Do", "grpc", "127.0.0.1:1", "127.0.0.1:2", 1, 1, 1_700_000_000_000_000_005, 1_500_000, "host",
    10 * SECOND, ((":path", "/pkg.Svc/Do"), ("authorization", "Bearer abc")), (), (("grpc-status", "0"),),
    Status(0, "OK", ""), 1, 1, 2, 3, True, (),
)  # fmt: skip


def record(module, call, **options):
    return json.loads(module.call_lines([call], lambda details: [details.decode()], **options))


def test_the_fields_come_in_the_order_of_the_contract(module):
    assert list(record(module, CALL)) == [
        "call", "method", "protocol", "client", "server", "connection", "stream", "started", "duration", "authority",
        "deadline", "request_headers", "response_headers", "trailers", "status", "requests", "responses",
        "request_bytes", "response_bytes", "complete", "problems",
    ]  # fmt: skip


def test_credentials_are_masked_unless_asked_for(module):
    assert record(module, CALL)["request_headers"][1] == ["authorization", "Bearer <masked>"]
    assert record(module, CALL, show_secrets=True)["request_headers"][1] == ["authorization", "Bearer abc"]


@pytest.mark.parametrize(
    ("nanoseconds", "seconds"),
    [(0, 0.0), (1, 1e-9), (1_500_000, 0.0015), (10 * SECOND, 10.0), (-5, -5e-9), (None, None)],
)
def test_durations_are_seconds(module, nanoseconds, seconds):
    assert record(module, CALL._replace(duration=nanoseconds))["duration"] == seconds


@given(time=st.integers(-(2**70), 2**70) | st.none())
def test_times_are_those_that_messages_have(module, time):
    assert record(module, CALL._replace(started=time))["started"] == timestamp(time)


def test_what_is_not_known_is_null(module):
    unknown = CALL._replace(method=None, status=None, authority=None, trailers=((None, None), (None, "x")))
    found = record(module, unknown)
    assert (found["method"], found["status"], found["authority"]) == (None, None, None)
    assert found["trailers"] == [[None, None], [None, "x"]]


def test_a_status_has_its_details_and_its_source(module):
    found = record(module, CALL._replace(status=Status(5, "NOT_FOUND", "no", b"detail", "reset")))["status"]
    assert found == {"code": 5, "name": "NOT_FOUND", "message": "no", "details": ["detail"], "source": "reset"}


def test_a_status_that_is_ok_keeps_its_source(module):
    assert record(module, CALL._replace(status=Status(0, "OK", "", None, "http")))["status"]["source"] == "http"


def test_problems_have_their_place(module):
    found = record(module, CALL._replace(problems=(Problem("code", "text", 3, 4),)))["problems"]
    assert found == [{"code": "code", "message": "text", "packet": 3, "offset": 4}]


@given(text=st.text(max_size=400), name=st.text(min_size=1, max_size=300))
def test_any_text_reads_back_and_moves_no_terminal(module, text, name):
    call = CALL._replace(method=text, request_headers=((name, text),))
    line = module.call_lines([call], lambda details: [], show_secrets=True)
    assert json.loads(line)["request_headers"] == [[name, text]]
    assert json.loads(line)["method"] == text
    assert line.endswith(b"\n")
    assert safe(line.decode()[:-1]) == line.decode()[:-1]


FIELDS = [(":path", "/pkg.Svc/Do"), ("te", "trailers"), ("id", "1"), ("id", "2"), ("authorization", "Bearer abc"),
          ("odd", 'a "quoted" \u202e text'), (None, None), (None, "x"), ("name", None)]  # fmt: skip


@st.composite
def alike(draw):
    """Calls of some connections, which share what real ones share: the very objects, here and there another one."""
    fields = st.lists(st.sampled_from(FIELDS), max_size=5).map(tuple)
    usual, calls = draw(st.lists(fields, min_size=1, max_size=3)), []
    for number in range(draw(st.integers(2, 8))):
        headers = list(draw(st.sampled_from(usual)))
        for index in draw(st.lists(st.integers(0, 4), max_size=2)):
            headers[index : index + 1] = [draw(st.sampled_from(FIELDS))]
        calls.append(
            CALL._replace(
                number=number,
                method=draw(st.sampled_from(("/pkg.Svc/Do", "/pkg.Svc/Undo", None))),
                connection=draw(st.sampled_from((1, 2, 9))),
                authority=draw(st.sampled_from(("host", "other"))),
                request_headers=tuple(headers),
                response_headers=draw(st.sampled_from(usual)),
                status=draw(st.sampled_from((CALL.status, None, Status(5, "NOT_FOUND", "no")))),
                requests=draw(st.integers(0, 2)),
            )
        )
    return calls


@given(calls=alike(), show_secrets=st.booleans())
def test_a_line_is_the_same_whatever_lines_stand_before_it(module, calls, show_secrets):
    alone = [module.call_lines([call], lambda details: [], show_secrets) for call in calls]
    assert module.call_lines(calls, lambda details: [], show_secrets) == b"".join(alone)


def test_the_same_fields_are_written_once_with_secrets_and_once_without(module):
    lines = [module.call_lines([CALL, CALL], lambda details: [], shown) for shown in (True, False, True)]
    assert [line.count(b"Bearer abc") for line in lines] == [2, 0, 2]


def test_more_names_than_are_remembered_are_right(module):
    names = [f"name-{number}" for number in range(module.MOST_NAMES + 10)]
    calls = [CALL._replace(request_headers=((name, "x"),)) for name in names * 2]
    lines = module.call_lines(calls, lambda details: []).splitlines()
    assert [json.loads(line)["request_headers"] for line in lines] == [[[name, "x"]] for name in names * 2]
