"""What was sent: each request with its time and what became of it, in the state folder of the user.

No toolkit in it. Invariant: no credential of a header field is kept; of what is found nothing is believed.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

import orjson

from inspector.errors import InspectorError
from inspector.limits import MAX_HISTORY_BYTES, MAX_HISTORY_ENTRIES, MAX_HISTORY_REQUEST
from inspector.tui.collections.drafts import written_of
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.exchange import Exchange
from inspector.tui.state import FOLDER
from inspector.views.request_file import Body, body_of, read, written
from inspector.views.written_request import WrittenRequest

HISTORY = FOLDER._replace(suffix=".request")
"""Beside what else is remembered, with a suffix of its own: neither counts for the bounds of the other."""

_KIND = "history"
_ROOT = Path("/")
MOST_TEXT = 4_000
"""Characters of the messages as text, by which an entry is found."""

_LATEST = 1 << 40


class Entry(NamedTuple):
    """`time` is in seconds since 1970, `seconds` how long the call took, `text` the messages as JSON, as far as they
    are kept for searching; `is_whole` where all messages are kept."""

    key: str
    time: float
    status: str
    seconds: float | None
    text: str
    request: WrittenRequest
    is_whole: bool = True


def keep(draft: Draft, exchange: Exchange) -> None:
    """Keeps a request that was sent, with the messages that were."""
    call, error = exchange.so_far, exchange.error
    sent = tuple(each.data or b"" for each in exchange.messages if each.direction == "request") or draft.messages
    is_whole = sum(map(len, sent)) <= MAX_HISTORY_REQUEST
    body = body_of(sent, None, draft.method) if is_whole else Body("messages_base64", ())
    status = call.status if call is not None else None
    row = {
        "time": time.time(),
        "status": status.name if status is not None else "not sent" if error is not None else "no status",
        "seconds": call.duration / 1e9 if call is not None and call.duration is not None else None,
        "text": _text(sent, draft, exchange) if is_whole else "",
        "whole": is_whole,
        "request": orjson.Fragment(written(written_of(draft), body, _ROOT)),
    }
    key = f"{time.time_ns():020d}-{os.urandom(3).hex()}"
    HISTORY.write(
        _KIND, key, (orjson.dumps(row),), most_entries=MAX_HISTORY_ENTRIES, most_bytes=MAX_HISTORY_BYTES
    )  # fmt: skip


def _text(messages: tuple[bytes, ...], draft: Draft, exchange: Exchange) -> str:
    body = body_of(messages, exchange.schema, draft.method)
    text = "\n".join(" ".join(each.split()) for each in body.texts) if body.name == "messages" else ""
    return text[:MOST_TEXT].encode("utf-8", "replace").decode()


def entries() -> list[Entry]:
    """What was sent, the newest first."""
    # Reading one counts as using it, and the oldest used go first: so those are read in the order in which they came.
    found = [_entry(key, HISTORY.read(_KIND, key)) for key in sorted(HISTORY.keys(_KIND))]
    return [each for each in reversed(found) if each is not None]


def _entry(key: str, data: bytes | None) -> Entry | None:
    try:
        row = orjson.loads(data or b"")
        request = read(orjson.dumps(row["request"]), "the history", _ROOT)
        at, status, seconds, text = (row[name] for name in ("time", "status", "seconds", "text"))
    except (InspectorError, ValueError, TypeError, KeyError):
        return None
    if not isinstance(at, float) or not 0 <= at < _LATEST or not isinstance(status, str) or not isinstance(text, str):
        return None
    return Entry(
        key, at, status, seconds if isinstance(seconds, float) else None, text[:MOST_TEXT], request,
        row.get("whole") is not False,
    )  # fmt: skip


def forget(key: str) -> None:
    HISTORY.forget(_KIND, key)


def forget_all() -> None:
    for key in HISTORY.keys(_KIND):
        HISTORY.forget(_KIND, key)
