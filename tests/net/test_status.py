"""Statuses that are concluded."""

from __future__ import annotations

import pytest

from inspector.net import status

MILLISECOND = 1_000_000


@pytest.mark.parametrize(
    ("code", "name"),
    [(0, "NO_ERROR"), (5, "STREAM_CLOSED"), (8, "CANCEL"), (13, "HTTP_1_1_REQUIRED"), (14, "error code 14")],
)
def test_an_http2_error_code_is_named(code, name):
    assert (
        status.of_reset(code, by_client=False, took=1, deadline=None).message == f"the server reset the stream: {name}"
    )


@pytest.mark.parametrize(
    ("took", "deadline", "name"),
    [
        (1000, 1000, "DEADLINE_EXCEEDED"),
        (997, 1000, "DEADLINE_EXCEEDED"),
        (1500, 1000, "DEADLINE_EXCEEDED"),
        (500, 1000, "CANCELLED"),
        (1, 4, "CANCELLED"),
        (1000, None, "CANCELLED"),
    ],
)
def test_a_client_that_cancels_at_its_deadline_gave_up(took, deadline, name):
    deadline = None if deadline is None else deadline * MILLISECOND
    assert status.of_reset(8, by_client=True, took=took * MILLISECOND, deadline=deadline).name == name


def test_a_server_that_cancels_is_not_at_a_deadline():
    assert status.of_reset(8, by_client=False, took=1000, deadline=1000).name == "CANCELLED"


def test_without_times_a_cancelled_call_is_cancelled():
    assert status.of_reset(8, by_client=True, took=None, deadline=1).source == "reset"


@pytest.mark.parametrize(
    ("code", "name"), [(400, "INTERNAL"), (401, "UNAUTHENTICATED"), (404, "UNIMPLEMENTED"), (418, "UNKNOWN")]
)
def test_http_errors_map_to_statuses(code, name):
    assert status.of_http(code) == (status.of_http(code).code, name, f"HTTP status {code}", None, "http")


def test_a_long_content_type_is_cut():
    assert status.of_ending("text/" + "x" * 200).message == f"HTTP status 200, content-type text/{'x' * 75}, not gRPC"


def test_a_call_that_a_goaway_refused_says_so():
    assert "before it accepted" in status.of_closing("fin", refused=True).message
    assert status.of_closing("rst", refused=False).message == "the connection was reset"
