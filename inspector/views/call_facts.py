"""What there is to say of a call, by topic, as lines."""

from __future__ import annotations

from collections.abc import Callable

from inspector.model.call import Call, Header
from inspector.views import conversation
from inspector.views.rows import DecodeDetails
from inspector.views.spans import Line


def headers(call: Call, *, show_secrets: bool = False) -> list[Line]:
    """Those of the request, then those of the response."""
    return [
        *_titled("Request headers", call.request_headers, show_secrets),
        *_titled("Response headers", call.response_headers, show_secrets),
    ]


def trailers(call: Call, decode_details: DecodeDetails, *, show_secrets: bool = False) -> list[Line]:
    """The status with its details, then the trailers."""
    status: Line = [("title", "Status  "), *conversation.status_line(call)]
    return [
        status, *conversation.details_lines(call, decode_details), [],
        *_titled("Trailers", call.trailers, show_secrets),
    ]  # fmt: skip


def problems(call: Call) -> list[Line]:
    """What is wrong with the call, or that nothing is."""
    return [conversation.problem_line(each) for each in call.problems] or [[("dim", "none in this call")]]


summary: Callable[[Call], list[Line]] = conversation.summary_lines
"""Status, time, ends and sizes."""


def _titled(title: str, fields: tuple[Header, ...], show_secrets: bool) -> list[Line]:
    return conversation.header_lines(title, fields, show_secrets=show_secrets) or [[("dim", f"{title}: none")], []]
