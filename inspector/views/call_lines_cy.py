"""The NDJSON record of a call (docs/records.md).

Calls are listed by the million, and most of their values were seen before: their JSON is remembered, and copied. What
is remembered is safe to show (`safe_text`), so the lines are too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inspector.model.call import Call, Header, Status
from inspector.views.line_buffer_cy import json_bytes
from inspector.views.rows import DecodeDetails, problem_row, status_row
from inspector.views.secrets import is_secret, masked

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

if TYPE_CHECKING or not cython.compiled:
    from inspector.views.line_buffer_cy import LineBuffer
else:
    from cython.cimports.inspector.views.line_buffer_cy import LineBuffer

USUAL_SIZE = 1024
"""Bytes of a line; a longer one takes the time to make room."""

LONGEST_REMEMBERED = 256
MOST_REMEMBERED = 4096
MOST_OF_A_NAME = 64
"""Values remembered of a header field: the usual ones are few, the others (request ids) come once."""

_TEXTS: dict[str, bytes] = cython.declare(dict, {})
_FIELDS: dict[Header, bytes] = cython.declare(dict, {})
_LISTS: dict[tuple[Header, ...], bytes] = cython.declare(dict, {})
_OK = b'{"code":0,"name":"OK","message":"","details":[]}'


@cython.final
@cython.cclass
class _Name:
    """A header field's name: what its JSON begins with (None where values have to be looked at, as of credentials),
    and how many of its values are remembered."""

    start: bytes | None
    remembered: cython.int

    def __init__(self, start: bytes | None) -> None:
        self.start = start
        self.remembered = 0


_NAMES: dict[str | None, _Name] = cython.declare(dict, {})


def call_lines(calls: Sequence[Call], decode_details: DecodeDetails, show_secrets: bool = False) -> bytes:
    """The records as lines of JSON. Credentials in headers are masked unless asked for."""
    out: LineBuffer = LineBuffer(USUAL_SIZE * len(calls))
    for call in calls:
        _put_call(out, call, decode_details, show_secrets)
    return out.since(0)


@cython.cfunc
def _put_call(out: LineBuffer, call: Call, decode_details: DecodeDetails, show_secrets: cython.bint) -> None:
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
    out.put(b'{"call":')
    out.put_number(number)
    out.put(b',"method":')
    out.put(_text(method))
    out.put(b',"protocol":')
    out.put(_text(protocol))
    out.put(b',"client":')
    out.put(_text(client))
    out.put(b',"server":')
    out.put(_text(server))
    out.put(b',"connection":')
    out.put_number(connection)
    out.put(b',"stream":')
    out.put_number(stream)
    out.put(b',"started":')
    out.put_time(started)
    out.put(b',"duration":')
    out.put_seconds(duration)
    out.put(b',"authority":')
    out.put(_text(authority))
    out.put(b',"deadline":')
    out.put_seconds(deadline)
    out.put(b',"request_headers":')
    _put_headers(out, request_headers, show_secrets)
    out.put(b',"response_headers":')
    _put_usual_headers(out, response_headers, show_secrets)
    out.put(b',"trailers":')
    _put_usual_headers(out, trailers, show_secrets)
    out.put(b',"status":')
    out.put(b"null" if status is None else _status(status, decode_details))
    out.put(b',"requests":')
    out.put_number(requests)
    out.put(b',"responses":')
    out.put_number(responses)
    out.put(b',"request_bytes":')
    out.put_number(request_bytes)
    out.put(b',"response_bytes":')
    out.put_number(response_bytes)
    out.put(b',"complete":true' if complete else b',"complete":false')
    if problems:
        out.put(b',"problems":')
        out.put(json_bytes([problem_row(problem) for problem in problems]))
        out.put(b"}\n")
    else:
        out.put(b',"problems":[]}\n')


@cython.cfunc
def _text(value: str | None) -> bytes:
    if value is None:
        return b"null"
    text: bytes | None = _TEXTS.get(value)
    if text is None:
        text = json_bytes(value)
        if len(text) <= LONGEST_REMEMBERED:
            if len(_TEXTS) >= MOST_REMEMBERED:
                _TEXTS.clear()
            _TEXTS[value] = text
    return text


@cython.cfunc
def _put_headers(out: LineBuffer, fields: tuple[Header, ...], show_secrets: cython.bint) -> None:
    if show_secrets:
        out.put(json_bytes(fields))
        return
    before = b"["
    for field in fields:
        out.put(before)
        text = _FIELDS.get(field)
        if text is None:
            _put_new_field(out, field)
        else:
            out.put(text)
        before = b","
    out.put(b"]" if fields else b"[]")


@cython.cfunc
def _put_usual_headers(out: LineBuffer, fields: tuple[Header, ...], show_secrets: cython.bint) -> None:
    """Those of responses, which are mostly the same from call to call."""
    text: bytes | None = None if show_secrets else _LISTS.get(fields)
    if text is not None:
        out.put(text)
        return
    start: cython.Py_ssize_t = out.size
    _put_headers(out, fields, show_secrets)
    if not show_secrets and out.size - start <= 4 * LONGEST_REMEMBERED:
        if len(_LISTS) >= LONGEST_REMEMBERED:
            _LISTS.clear()
        _LISTS[fields] = out.since(start)


@cython.cfunc
def _put_new_field(out: LineBuffer, field: Header) -> None:
    name, value = field
    known: _Name = _name(name)
    if value is None or known.start is None or not _is_plain(value):
        text = json_bytes(masked((field,))[0])
    else:
        text = known.start + value.encode() + b'"]'
        if known.remembered >= MOST_OF_A_NAME:
            out.put(text)
            return
    if known.remembered < MOST_OF_A_NAME and len(text) <= LONGEST_REMEMBERED:
        known.remembered += 1
        _FIELDS[field] = text
    out.put(text)


@cython.cfunc
def _name(name: str | None) -> _Name:
    known: _Name | None = _NAMES.get(name)
    if known is None:
        if len(_NAMES) >= LONGEST_REMEMBERED:
            _NAMES.clear()
            _FIELDS.clear()
        start = None
        if name is not None and not is_secret(name) and _is_plain(name):
            start = b'["' + name.encode() + b'","'
        known = _NAMES[name] = _Name(start)
    return known


@cython.cfunc
def _is_plain(text: str) -> cython.bint:
    """Whether JSON has nothing to escape in it."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


@cython.cfunc
def _status(status: Status, decode_details: DecodeDetails) -> bytes:
    code, _, message, details, source = cython.cast(tuple, status)
    if code == 0 and not message and details is None and source == "trailers":
        return _OK
    return json_bytes(status_row(status, decode_details))
