"""The NDJSON records: one per message, one per call. Their form is a contract (docs/records.md)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from inspector.model.call import Status
from inspector.model.problem import Problem
from inspector.views.safe_text import safe_json
from inspector.views.times import timestamp

if TYPE_CHECKING:
    from inspector.session import DecodedMessage

Row = dict[str, object]
DecodeDetails = Callable[[bytes], list[object] | None]
"""The details of a serialized google.rpc.Status as JSON values; None where it is damaged."""


def to_line(row: Row | orjson.Fragment, *, indent: bool = False) -> bytes:
    """A row as JSON text, with nothing in it that would move a terminal."""
    return safe_json(orjson.dumps(row, option=orjson.OPT_INDENT_2 if indent else 0))


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
