"""The status that the two sides of a call conclude where no grpc-status arrives."""

from __future__ import annotations

from inspector.model.call import Status
from inspector.net.grpc_cy import CANCEL, status_name

CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, PERMISSION_DENIED, RESOURCE_EXHAUSTED = 1, 2, 4, 7, 8
UNIMPLEMENTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED = 12, 13, 14, 16

RESET_STATUSES = {
    0: INTERNAL, 1: INTERNAL, 2: INTERNAL, 3: INTERNAL, 4: INTERNAL, 6: INTERNAL, 7: UNAVAILABLE, 8: CANCELLED,
    9: INTERNAL, 10: INTERNAL, 11: RESOURCE_EXHAUSTED, 12: PERMISSION_DENIED,
}  # fmt: skip
"""HTTP/2 error code of a RST_STREAM -> status, where a stream ends without trailers (PROTOCOL-HTTP2, "Errors")."""

RESET_NAMES = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip

HTTP_STATUSES = {
    400: INTERNAL, 401: UNAUTHENTICATED, 403: PERMISSION_DENIED, 404: UNIMPLEMENTED, 429: UNAVAILABLE,
    502: UNAVAILABLE, 503: UNAVAILABLE, 504: UNAVAILABLE,
}  # fmt: skip
"""HTTP status -> gRPC status, where a response has no grpc-status (grpc/doc/http-grpc-status-mapping.md)."""

SLACK = 5_000_000
"""Nanoseconds by which a client may be early at its deadline: timers and captures are not exact."""


def of_reset(code: int, *, by_client: bool, took: int | None, deadline: int | None) -> Status:
    """Of a stream ended by RST_STREAM. A client that gives up at its deadline cancels, so the time tells which it was.

    `took` and `deadline` are in nanoseconds since the call began.
    """
    if by_client and code == CANCEL and deadline is not None and took is not None:
        slack = min(max(SLACK, deadline // 50), deadline // 2)
        if took >= deadline - slack:
            return _status(DEADLINE_EXCEEDED, "the client gave up at its deadline", "deadline")
    who = "client" if by_client else "server"
    return _status(RESET_STATUSES.get(code, UNKNOWN), f"the {who} reset the stream: {_reset_name(code)}", "reset")


def is_of_client_reset(status: Status) -> bool:
    """Whether it is what `of_reset` makes of a reset by the client, with whichever code."""
    return status.source == "reset" and status.message.startswith("the client")


def of_closing(reason: str, *, refused: bool) -> Status:
    """Of a call that was open when its connection ended; `refused` where a GOAWAY had said that it is not served."""
    text = "the connection was reset" if reason == "rst" else "the connection was closed"
    if refused:
        text = "the server went away before it accepted the call"
    return _status(UNAVAILABLE, text, "connection")


def of_http(code: int) -> Status:
    """Of an HTTP response that is not gRPC: the error of a proxy, most often."""
    return _status(HTTP_STATUSES.get(code, UNKNOWN), f"HTTP status {code}", "http")


def of_ending(foreign: str | None) -> Status:
    """Of a response with HTTP status 200 that ended without a grpc-status; `foreign` is its content-type where that is
    not gRPC. The texts are those of our own client."""
    if foreign is None:
        return _status(UNKNOWN, "the server ended the response without a status", "http")
    return _status(UNKNOWN, f"HTTP status 200, content-type {foreign[:80]}, not gRPC", "http")


def _status(code: int, message: str, source: str) -> Status:
    return Status(code, status_name(code), message, None, source)


def _reset_name(code: int) -> str:
    return RESET_NAMES[code] if code < len(RESET_NAMES) else f"error code {code}"
