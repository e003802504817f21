"""The NDJSON record of a call (docs/records.md).

Calls are listed by the million, and most of what a line says the line before said, too. So the text of a run of fields
is copied from an earlier line of the same batch, where the values are the very same objects.
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

MOST_NAMES = 256
"""Names of header fields that are remembered. None is ever let go or replaced, so that threads can share them."""

LONGEST_NAME = 256

_SLOTS = cython.declare(cython.Py_ssize_t, 8)
"""Earlier lines that are remembered, by their connection: a power of two."""

_NAMES: dict[str, bytes] = cython.declare(dict, {})
"""What the JSON of a field of that name begins with; empty where values have to be looked at, as of credentials."""

_NOTHING = object()

_OK = b'{"code":0,"name":"OK","message":"","details":[]}'


@cython.final
@cython.cclass
class _Earlier:
    """A call, and where runs of its line stand in the text. At first of none, which is like no other.

    Request headers are two runs, those before field number `first_own` and those from `first_common` on: in between
    lie the fields that differ from call to call, such as ids.
    """

    # From the key of `method` to that of `stream`.
    peers: cython.Py_ssize_t
    peers_end: cython.Py_ssize_t
    method: object
    protocol: object
    client: object
    server: object
    connection: object

    # From the key of `authority` to that of `deadline`; from there it goes on to the request headers.
    authority_start: cython.Py_ssize_t
    authority_end: cython.Py_ssize_t
    authority: object
    deadline: object

    # The request headers, from bracket to bracket.
    headers: cython.Py_ssize_t
    own: cython.Py_ssize_t  # where the first run of them ends, and where the second begins
    common: cython.Py_ssize_t
    headers_end: cython.Py_ssize_t
    first_own: cython.Py_ssize_t
    first_common: cython.Py_ssize_t
    request_headers: tuple[Header, ...]

    # From the key of `response_headers` to that of `request_bytes`.
    response: cython.Py_ssize_t
    response_end: cython.Py_ssize_t
    response_headers: tuple[Header, ...]
    trailers: tuple[Header, ...]
    status: object
    requests: object
    responses: object

    def __init__(self) -> None:
        self.peers = self.peers_end = 0
        self.authority_start = self.authority_end = 0
        self.headers = self.own = self.common = self.headers_end = 0
        self.first_own = self.first_common = 0
        self.response = self.response_end = 0
        self.method = self.authority = self.deadline = self.status = _NOTHING
        self.protocol = self.client = self.server = self.connection = None
        self.requests = self.responses = None
        self.request_headers = self.response_headers = self.trailers = ()


def call_lines(calls: Sequence[Call], decode_details: DecodeDetails, show_secrets: bool = False) -> bytearray:
    """The records as lines of JSON. Credentials in headers are masked unless asked for."""
    out: LineBuffer = LineBuffer(USUAL_SIZE * len(calls))
    slots: list[_Earlier] = [_Earlier() for _ in range(_SLOTS)]
    slot: cython.Py_ssize_t
    for call in calls:
        slot = cython.cast(tuple, call)[5] & (_SLOTS - 1)  # the number of its connection
        _put_call(out, slots[slot], call, decode_details, show_secrets)
    return out.text()


@cython.cfunc
def _put_call(
    out: LineBuffer, earlier: _Earlier, call: Call, decode_details: DecodeDetails, show_secrets: cython.bint
) -> None:
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
    _put_peers(out, earlier, method, protocol, client, server, connection)
    out.put_number(stream)
    out.put(b',"started":')
    out.put_time(started)
    out.put(b',"duration":')
    out.put_seconds(duration)
    _put_authority(out, earlier, authority, deadline)
    _put_request_headers(out, earlier, request_headers, show_secrets)
    _put_response(
        out, earlier, response_headers, trailers, status, requests, responses, decode_details, show_secrets
    )  # fmt: skip
    out.put_number(request_bytes)
    out.put(b',"response_bytes":')
    out.put_number(response_bytes)
    if problems:
        out.put(b',"complete":true,"problems":' if complete else b',"complete":false,"problems":')
        out.put(json_bytes([problem_row(problem) for problem in problems]))
        out.put(b"}\n")
    else:
        out.put(b',"complete":true,"problems":[]}\n' if complete else b',"complete":false,"problems":[]}\n')


@cython.cfunc
def _put_peers(
    out: LineBuffer,
    earlier: _Earlier,
    method: str | None,
    protocol: str,
    client: str,
    server: str,
    connection: int,
) -> None:
    start: cython.Py_ssize_t = out.size
    if (
        earlier.method is method
        and earlier.connection is connection
        and earlier.client is client
        and earlier.server is server
        and earlier.protocol is protocol
    ):
        out.put_again(earlier.peers, earlier.peers_end)
    else:
        out.put(b',"method":')
        out.put_text(method)
        out.put(b',"protocol":')
        out.put_text(protocol)
        out.put(b',"client":')
        out.put_text(client)
        out.put(b',"server":')
        out.put_text(server)
        out.put(b',"connection":')
        out.put_number(connection)
        out.put(b',"stream":')
        earlier.method, earlier.protocol, earlier.connection = method, protocol, connection
        earlier.client, earlier.server = client, server
    earlier.peers, earlier.peers_end = start, out.size


@cython.cfunc
def _put_authority(out: LineBuffer, earlier: _Earlier, authority: str | None, deadline: int | None) -> None:
    """With the deadline, which is often measured anew for each call, and the key of the request headers."""
    start: cython.Py_ssize_t = out.size
    if earlier.authority is authority:
        out.put_again(earlier.authority_start, earlier.authority_end)
    else:
        out.put(b',"authority":')
        out.put_text(authority)
        out.put(b',"deadline":')
        earlier.authority = authority
        earlier.deadline = _NOTHING
    end: cython.Py_ssize_t = out.size
    if earlier.deadline is deadline:
        out.put_again(earlier.authority_end, earlier.headers)
    else:
        out.put_seconds(deadline)
        out.put(b',"request_headers":')
        earlier.deadline = deadline
    earlier.authority_start, earlier.authority_end = start, end


@cython.cfunc
@cython.boundscheck(False)
@cython.wraparound(False)
def _put_request_headers(
    out: LineBuffer, earlier: _Earlier, fields: tuple[Header, ...], show_secrets: cython.bint
) -> None:
    """Copies the two runs, and writes the fields in between, as far as all others are those of the earlier call.

    Which differ is learnt from the first two calls that have as many fields; where it turns out that more do, there
    are more in between from then on.
    """
    last: tuple[Header, ...] = earlier.request_headers
    count: cython.Py_ssize_t = len(fields)
    first_own: cython.Py_ssize_t = 0  # as the next call is to find it
    first_common: cython.Py_ssize_t = count
    index: cython.Py_ssize_t = 0  # what is written here
    end: cython.Py_ssize_t = count
    if len(last) == count:
        while first_own < count and fields[first_own] is last[first_own]:
            first_own += 1
        while first_common > first_own and fields[first_common - 1] is last[first_common - 1]:
            first_common -= 1
        if earlier.first_own > first_own or earlier.first_common < first_common:
            first_own = min(first_own, earlier.first_own)
            first_common = max(first_common, earlier.first_common)
        else:
            index, end = earlier.first_own, earlier.first_common
            if index or end < count:
                first_own, first_common = index, end
    start: cython.Py_ssize_t = out.size
    if index:
        out.put_again(earlier.headers, earlier.own)
    else:
        out.put(b"[")
    own: cython.Py_ssize_t = out.size
    common: cython.Py_ssize_t = out.size
    while index < end:
        if index:
            out.put(b",")
        _put_field(out, fields[index], show_secrets)
        index += 1
        if index == first_own:
            own = out.size
        if index == first_common:
            common = out.size
    if end < count:
        out.put_again(earlier.common, earlier.headers_end)
    else:
        out.put(b"]")
    earlier.headers, earlier.own, earlier.common = start, own, common
    earlier.first_own, earlier.first_common = first_own, first_common
    earlier.request_headers, earlier.headers_end = fields, out.size


@cython.cfunc
def _put_response(
    out: LineBuffer,
    earlier: _Earlier,
    headers: tuple[Header, ...],
    trailers: tuple[Header, ...],
    status: Status | None,
    requests: int,
    responses: int,
    decode_details: DecodeDetails,
    show_secrets: cython.bint,
) -> None:
    start: cython.Py_ssize_t = out.size
    if (
        earlier.status is status
        and earlier.requests is requests
        and earlier.responses is responses
        and _is_same(earlier.response_headers, headers)
        and _is_same(earlier.trailers, trailers)
    ):
        out.put_again(earlier.response, earlier.response_end)
    else:
        out.put(b',"response_headers":')
        _put_headers(out, headers, show_secrets)
        out.put(b',"trailers":')
        _put_headers(out, trailers, show_secrets)
        out.put(b',"status":')
        out.put(b"null" if status is None else _status(status, decode_details))
        out.put(b',"requests":')
        out.put_number(requests)
        out.put(b',"responses":')
        out.put_number(responses)
        out.put(b',"request_bytes":')
        earlier.response_headers, earlier.trailers = headers, trailers
        earlier.status, earlier.requests, earlier.responses = status, requests, responses
    earlier.response, earlier.response_end = start, out.size


@cython.cfunc
def _put_headers(out: LineBuffer, fields: tuple[Header, ...], show_secrets: cython.bint) -> None:
    before = b"["
    for field in fields:
        out.put(before)
        _put_field(out, field, show_secrets)
        before = b","
    out.put(b"]" if fields else b"[]")


@cython.cfunc
def _put_field(out: LineBuffer, field: Header, show_secrets: cython.bint) -> None:
    name, value = field
    start = b"" if name is None or show_secrets else _start(name)
    if not start or value is None or not out.put_plain(start, value, b'"]'):
        out.put(json_bytes(masked((field,), show_secrets=show_secrets)[0]))


@cython.cfunc
def _start(name: str) -> bytes:
    start: bytes | None = _NAMES.get(name)
    if start is None:
        start = b"" if is_secret(name) else json_bytes((name, ""))[:-2]
        if len(_NAMES) < MOST_NAMES and len(name) <= LONGEST_NAME:
            start = _NAMES.setdefault(name, start)
    return start


@cython.cfunc
@cython.exceptval(check=False)
@cython.boundscheck(False)
@cython.wraparound(False)
def _is_same(fields: tuple[Header, ...], others: tuple[Header, ...]) -> cython.bint:
    """Whether they are lists of the very same fields."""
    if fields is others:
        return True
    count: cython.Py_ssize_t = len(fields)
    if count != len(others):
        return False
    index: cython.Py_ssize_t
    for index in range(count):  # noqa: SIM110  # a generator is slow, compiled
        if fields[index] is not others[index]:
            return False
    return True


@cython.cfunc
def _status(status: Status, decode_details: DecodeDetails) -> bytes:
    code, _, message, details, source = cython.cast(tuple, status)
    if code == 0 and not message and details is None and source == "trailers":
        return _OK
    return json_bytes(status_row(status, decode_details))
