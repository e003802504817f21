"""The NDJSON record of a call (docs/records.md).

Calls are listed by the million, and most of their values were seen before: their JSON is remembered, and filled in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from inspector.model.call import Call, Header, Status
from inspector.views.rows import DecodeDetails, problem_row, status_row
from inspector.views.safe_text import safe_json
from inspector.views.secrets import is_secret, masked
from inspector.views.times import date_and_time, timestamp

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython


_SECOND = cython.declare(cython.longlong, 1_000_000_000)
_FAR = 1 << 62
"""Times and durations below this fit the integers of C: until the year 2116."""

LONGEST_REMEMBERED = 256
MOST_REMEMBERED = 4096
"""Header fields whose JSON is remembered: the usual ones are few, the others (request ids) come once."""

_TEXTS: dict[str, str] = {}
_FIELDS: dict[Header, str] = {}
_LISTS: dict[tuple[Header, ...], str] = {}
_OK = '{"code":0,"name":"OK","message":"","details":[]}'


def call_line(call: Call, decode_details: DecodeDetails, show_secrets: bool = False) -> bytes:
    """The record as a line of JSON. Credentials in headers are masked unless asked for."""
    (
        number,
        method,
        protocol,
        client,
        server,
        connection,
        stream,
        started,
        duration,
        authority,
        deadline,
        request_headers,
        response_headers,
        trailers,
        status,
        requests,
        responses,
        request_bytes,
        response_bytes,
        complete,
        problems,
    ) = cython.cast(tuple, call)
    status_text: str = "null" if status is None else _status(status, decode_details)
    problems_text = _dumps([problem_row(problem) for problem in problems]) if problems else "[]"
    line = (
        f'{{"call":{number},"method":{_text(method)},"protocol":{_text(protocol)},"client":{_text(client)},'
        f'"server":{_text(server)},"connection":{connection},"stream":{stream},"started":{_time(started)},'
        f'"duration":{_seconds(duration)},"authority":{_text(authority)},"deadline":{_seconds(deadline)},'
        f'"request_headers":{_headers(request_headers, show_secrets)},'
        f'"response_headers":{_usual_headers(response_headers, show_secrets)},'
        f'"trailers":{_usual_headers(trailers, show_secrets)},"status":{status_text},'
        f'"requests":{requests},"responses":{responses},"request_bytes":{request_bytes},'
        f'"response_bytes":{response_bytes},"complete":{"true" if complete else "false"},"problems":{problems_text}}}\n'
    )
    if line.isascii() and "\x7f" not in line:
        return line.encode()
    return safe_json(line.encode())


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


@cython.cfunc
def _text(value: str | None) -> str:
    if value is None:
        return "null"
    text: str | None = _TEXTS.get(value)
    if text is None:
        text = _dumps(value)
        if len(text) <= LONGEST_REMEMBERED:
            if len(_TEXTS) >= MOST_REMEMBERED:
                _TEXTS.clear()
            _TEXTS[value] = text
    return text


@cython.cfunc
def _time(nanoseconds: int | None) -> str:
    """As `views.times.timestamp` gives it."""
    if nanoseconds is None or not 0 <= nanoseconds < _FAR:
        return _dumps(timestamp(nanoseconds))
    whole: cython.longlong = nanoseconds
    fraction: cython.int = whole % _SECOND
    return f'"{date_and_time(whole // _SECOND)}.{fraction:09d}Z"'


@cython.cfunc
def _seconds(nanoseconds: int | None) -> str:
    """Nanoseconds as seconds, all digits, none that say nothing: 1500000 is 0.0015."""
    if nanoseconds is None:
        return "null"
    if not 0 <= nanoseconds < _FAR:
        return repr(nanoseconds / 1_000_000_000)
    whole: cython.longlong = nanoseconds
    fraction: cython.int = whole % _SECOND
    if not fraction:
        return f"{whole // _SECOND}.0"
    return f"{whole // _SECOND}.{fraction:09d}".rstrip("0")


@cython.cfunc
def _headers(fields: tuple[Header, ...], show_secrets: bool) -> str:
    if show_secrets:
        return _dumps(fields)
    found = []
    for field in fields:
        text = _FIELDS.get(field)
        found.append(_new_field(field) if text is None else text)
    return f"[{','.join(found)}]"


@cython.cfunc
def _usual_headers(fields: tuple[Header, ...], show_secrets: bool) -> str:
    """Those of responses, which are mostly the same from call to call."""
    text: str | None = None if show_secrets else _LISTS.get(fields)
    if text is None:
        text = _headers(fields, show_secrets)
        if not show_secrets and len(text) <= 4 * LONGEST_REMEMBERED:
            if len(_LISTS) >= LONGEST_REMEMBERED:
                _LISTS.clear()
            _LISTS[fields] = text
    return text


@cython.cfunc
def _new_field(field: Header) -> str:
    name, value = field
    if name is None or value is None or is_secret(name) or not _is_plain(name) or not _is_plain(value):
        text = _dumps(masked((field,))[0])
    else:
        text = f'["{name}","{value}"]'
    if len(text) <= LONGEST_REMEMBERED:
        if len(_FIELDS) >= MOST_REMEMBERED:
            _FIELDS.clear()
        _FIELDS[field] = text
    return text


@cython.cfunc
def _is_plain(text: str) -> cython.bint:
    """Whether JSON has nothing to escape in it."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


@cython.cfunc
def _status(status: Status, decode_details: DecodeDetails) -> str:
    code, _, message, details, source = cython.cast(tuple, status)
    if code == 0 and not message and details is None and source == "trailers":
        return _OK
    return _dumps(status_row(status, decode_details))
