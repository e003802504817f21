"""The NDJSON records: one per message, one per call. Their form is a contract (docs/records.md)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import lru_cache

import orjson

from inspector.model.call import Call, Header, Status
from inspector.model.problem import Problem
from inspector.session import DecodedMessage
from inspector.views.safe_text import safe_json
from inspector.views.secrets import masked
from inspector.views.times import seconds, timestamp

Row = dict[str, object]
DecodeDetails = Callable[[bytes], list[object] | None]
"""The details of a serialized google.rpc.Status as JSON values; None where it is damaged."""


def to_line(row: Row | orjson.Fragment, *, indent: bool = False) -> bytes:
    """A row as JSON text, with nothing in it that would move a terminal."""
    return safe_json(orjson.dumps(row, option=orjson.OPT_INDENT_2 if indent else None))


def message_row(decoded: DecodedMessage, *, raw: bool = False) -> Row:
    """The record of a message, in the order of the contract. What was not decoded always has its bytes."""
    message = decoded.message
    problem = decoded.problem
    row: Row = {
        "call": message.call or None,
        "index": message.index,
        "direction": message.direction,
        "method": message.method,
        "type": decoded.type_name,
        "time": timestamp(message.time),
        "size": len(message.wire if message.data is None else message.data),
        "encoding": message.encoding,
        "decoded_by": decoded.decoded_by,
        "message": orjson.Fragment(decoded.json),
    }
    if decoded.unknown_bytes:
        row["unknown_bytes"] = decoded.unknown_bytes
    if problem is not None:
        row["error"] = error_row(problem)
    if raw or problem is not None:
        row["raw"] = base64.b64encode(message.wire if message.data is None else message.data).decode("ascii")
    return row


def bare_row(decoded: DecodedMessage, *, raw: bool = False) -> Row | orjson.Fragment:
    """A message that stands by itself: just its JSON, unless there is more to say."""
    if decoded.problem is None and not raw:
        return orjson.Fragment(decoded.json)
    return message_row(decoded, raw=raw)


def error_row(problem: Problem) -> Row:
    return {"code": problem.code, "message": problem.message, "offset": problem.offset}


_CALL = b"".join(
    (
        b'{"call":%d,"method":%b,"protocol":%b,"client":%b,"server":%b,"connection":%d,"stream":%d,',
        b'"started":%b,"duration":%b,"authority":%b,"deadline":%b,',
        b'"request_headers":%b,"response_headers":%b,"trailers":%b,"status":%b,',
        b'"requests":%d,"responses":%d,"request_bytes":%d,"response_bytes":%d,"complete":%b,"problems":%b}',
    )
)


def call_line(call: Call, decode_details: DecodeDetails, *, show_secrets: bool = False) -> bytes:
    """The record of a call as JSON text. Credentials in headers are masked unless asked for.

    Calls are listed by the million, and most of their values were seen before: their JSON is remembered, and filled in.
    """
    status = call.status
    if status is None or (status.details is None and status.source == "trailers"):
        status_text = _usual_status(status)
    else:
        status_text = orjson.dumps(status_row(status, decode_details))
    line = _CALL % (
        call.number,
        _text(call.method),
        _text(call.protocol),
        _text(call.client),
        _text(call.server),
        call.connection,
        call.stream,
        _time(call.started),
        _seconds(call.duration),
        _text(call.authority),
        _seconds(call.deadline),
        _headers(call.request_headers, show_secrets),
        _usual_headers(call.response_headers, show_secrets),
        _usual_headers(call.trailers, show_secrets),
        status_text,
        call.requests,
        call.responses,
        call.request_bytes,
        call.response_bytes,
        b"true" if call.complete else b"false",
        orjson.dumps([problem_row(problem) for problem in call.problems]) if call.problems else b"[]",
    )
    return safe_json(line)


@lru_cache(maxsize=4096)
def _text(value: str | None) -> bytes:
    return orjson.dumps(value)


def _time(nanoseconds: int | None) -> bytes:
    text = timestamp(nanoseconds)
    return b"null" if text is None else b'"%b"' % text.encode()


def _seconds(nanoseconds: int | None) -> bytes:
    return b"null" if nanoseconds is None else repr(seconds(nanoseconds)).encode()


@lru_cache(maxsize=4096)
def _field(field: Header, show_secrets: bool) -> bytes:
    return orjson.dumps(masked((field,), show_secrets=show_secrets)[0])


def _headers(fields: tuple[Header, ...], show_secrets: bool) -> bytes:
    return b"[%b]" % b",".join([_field(field, show_secrets) for field in fields])


@lru_cache(maxsize=256)
def _usual_headers(fields: tuple[Header, ...], show_secrets: bool) -> bytes:
    """Those of responses, which are mostly the same."""
    return _headers(fields, show_secrets)


@lru_cache(maxsize=256)
def _usual_status(status: Status | None) -> bytes:
    return orjson.dumps(None if status is None else status_row(status, _no_details))


def _no_details(_: bytes) -> list[object]:
    return []


def status_row(status: Status | None, decode_details: DecodeDetails) -> Row | None:
    if status is None:
        return None
    details: list[object] | None = []
    if status.details is not None:
        details = decode_details(status.details)
    row: Row = {"code": status.code, "name": status.name, "message": status.message, "details": details or []}
    if status.source != "trailers":
        row["source"] = status.source
    if details is None and status.details is not None:
        row["details_raw"] = base64.b64encode(status.details).decode("ascii")
    return row


def problem_row(problem: Problem) -> Row:
    return {"code": problem.code, "message": problem.message, "packet": problem.packet, "offset": problem.offset}
