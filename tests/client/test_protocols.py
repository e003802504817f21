"""The rules of gRPC-Web and Connect over HTTP/1.1, by what a server's bytes come to, however they are cut."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.client.call import ClientCall
from inspector.client.events import Ended, ResponseMessage
from inspector.client.http1 import Pool, Wire
from inspector.client.http2 import STREAM_WINDOW
from inspector.client.protocols import UNARY, Kind, rules_of
from inspector.client.protocols.grpc_web import Base64Stream

SERVER_STREAM = Kind(returns_stream=True)
HEAD = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/pkg.Svc/Method"),
    (b":authority", b"localhost"),
]


class _Transport(asyncio.Transport):
    """Keeps what is written, and whether it was closed."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.closed = False
        self.reading = True

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.closed

    def abort(self):
        self.closed = True

    close = abort

    def set_write_buffer_limits(self, high=None, low=None):
        pass

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


def answered(protocol, kind, pieces, *, max_message=1 << 20):
    """The messages and the end of a call to which these bytes are the answer; and the bytes of the request."""

    async def make():
        wire, transport = Wire(), _Transport()
        wire.connection_made(transport)
        rules = rules_of(protocol, kind, "identity", http="1.1")
        headers = [*HEAD, *rules.fields(None)]
        call = ClientCall(Pool(wire, lambda: None), headers, rules=rules, timeout=None, max_message=max_message)
        await call.send(b"request", last=True)
        for piece in pieces:
            if not transport.closed:
                wire.data_received(piece)
        if not transport.closed:
            wire.eof_received()
            wire.connection_lost(None)
        events = [event async for event in call]
        (end,) = [event for event in events if isinstance(event, Ended)]
        return [event.data for event in events if isinstance(event, ResponseMessage)], end, transport.written

    return asyncio.run(make())


def response(content_type, body, *fields, status="200 OK", chunk=0):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", *fields]
    lines.append("Transfer-Encoding: chunked" if chunk else f"Content-Length: {len(body)}")
    if chunk:
        parts = [body[at : at + chunk] for at in range(0, len(body), chunk)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
    return "\r\n".join([*lines, "", ""]).encode() + body


def framed(data, flag=0):
    return bytes((flag,)) + len(data).to_bytes(4, "big") + data


def web_body(messages, status=0):
    trailers = f"grpc-status: {status}\r\ngrpc-message: n%20o\r\nx-cost: 7\r\n".encode()
    return b"".join(map(framed, messages)) + framed(trailers, 0x80)


def connect_body(messages, end):
    return b"".join(map(framed, messages)) + framed(json.dumps(end).encode(), 2)


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if end > start]


MESSAGES = [b"", b"a" * 300, b"\0\1\2"]
ERROR = {"code": "not_found", "message": "nö", "details": [{"type": "pkg.Any", "value": "CAE"}]}
TEXT = b"".join(base64.b64encode(web_body(MESSAGES)[at : at + 7]) for at in range(0, len(web_body(MESSAGES)), 7))
ANSWERS = {
    "web": ("grpc-web", response("application/grpc-web+proto", web_body(MESSAGES, 5)), MESSAGES, 5, "n o"),
    "web-chunked": ("grpc-web", response("application/grpc-web", web_body(MESSAGES), chunk=11), MESSAGES, 0, "n o"),
    "web-text": ("grpc-web", response("application/grpc-web-text+proto", TEXT, chunk=13), MESSAGES, 0, "n o"),
    "web-head": (
        "grpc-web",
        response("application/grpc-web+proto", b"", "grpc-status: 7", "grpc-message: no"),
        [],
        7,
        "no",
    ),
    "stream": (
        "connect",
        response("application/connect+proto", connect_body(MESSAGES, {"metadata": {"X-Cost": ["7"]}}), chunk=11),
        MESSAGES,
        0,
        "",
    ),
    "stream-error": (
        "connect",
        response("application/connect+proto", connect_body(MESSAGES, {"error": ERROR})),
        MESSAGES,
        5,
        "nö",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
@settings(deadline=None)
@given(places=st.lists(st.integers(0, 2000), max_size=30))
def test_an_answer_may_be_cut_anywhere(name, places):
    protocol, data, messages, code, text = ANSWERS[name]
    found, end, _ = answered(protocol, SERVER_STREAM, cut(data, places))
    assert (found, end.status.code, end.status.message) == (messages, code, text)


@settings(deadline=None)
@given(places=st.lists(st.integers(0, 2000), max_size=30), is_zipped=st.booleans(), chunk=st.integers(0, 9))
def test_a_unary_answer_of_connect_may_be_cut_anywhere(places, is_zipped, chunk):
    body, fields = (gzip.compress(b"answer"), ["Content-Encoding: gzip"]) if is_zipped else (b"answer", [])
    data = response("application/proto", body, *fields, "Trailer-X-Cost: 7", "X-Head: 1", chunk=chunk)
    found, end, _ = answered("connect", UNARY, cut(data, places))
    assert (found, end.status.code, end.trailers) == ([b"answer"], 0, (("x-cost", "7"),))


@settings(deadline=None)
@given(places=st.lists(st.integers(0, 2000), max_size=5), size=st.integers(0, 400))
def test_an_answer_that_is_cut_off_is_never_taken_for_whole(places, size):
    for protocol, data, _, _, _ in ANSWERS.values():
        short = data[: min(size, len(data) - 1)]
        found, end, _ = answered(protocol, SERVER_STREAM, cut(short, places))
        assert found == MESSAGES[: len(found)]
        assert end.status.code != 0 or end.status.source == "trailers"


@settings(deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 40))))
def test_base64_comes_in_pieces_that_are_padded_each(parts):
    text = b"".join(base64.b64encode(data) for data, _ in parts)
    stream = Base64Stream()
    found = b"".join(map(stream.feed, cut(text, [place for _, place in parts])))
    assert found == b"".join(data for data, _ in parts)


@pytest.mark.parametrize("size", [0, 1])
def test_an_empty_answer_of_connect_is_a_message(size):
    data = response("application/proto", b"x"[:size], "Content-Encoding: identity")
    found, end, _ = answered("connect", UNARY, [data])
    assert (found, end.status.code) == ([b"x"[:size]], 0)


def test_nothing_is_decompressed_of_an_empty_body():
    found, end, _ = answered("connect", UNARY, [response("application/proto", b"", "Content-Encoding: gzip")])
    assert (found, end.status.code) == ([b""], 0)


def test_the_request_of_connect_is_the_message():
    _, _, written = answered("connect", UNARY, [response("application/proto", b"")])
    head, _, body = written.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /pkg.Svc/Method HTTP/1.1"
    assert {"host: localhost", "content-type: application/proto", "connect-protocol-version: 1"} < set(lines)
    assert "content-length: 7" in lines
    assert body == b"request"


def test_the_request_of_grpc_web_is_framed():
    _, _, written = answered("grpc-web", UNARY, [response("application/grpc-web+proto", web_body([b""]))])
    head, _, body = written.partition(b"\r\n\r\n")
    assert {b"content-type: application/grpc-web+proto", b"x-grpc-web: 1"} < set(head.split(b"\r\n"))
    assert body == framed(b"request")


CODES = {
    "canceled": 1, "unknown": 2, "invalid_argument": 3, "deadline_exceeded": 4, "not_found": 5, "already_exists": 6,
    "permission_denied": 7, "resource_exhausted": 8, "failed_precondition": 9, "aborted": 10, "out_of_range": 11,
    "unimplemented": 12, "internal": 13, "unavailable": 14, "data_loss": 15, "unauthenticated": 16,
}  # fmt: skip


@pytest.mark.parametrize("name", CODES)
def test_codes_of_connect_are_those_of_grpc(name):
    body = json.dumps({"code": name, "message": "no"}).encode()
    _, end, _ = answered("connect", UNARY, [response("application/json", body, status="500 Oops")])
    assert (end.status.code, end.status.message) == (CODES[name], "no")


HTTP = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 500: 2, 502: 14, 503: 14, 504: 14, 302: 2}


@pytest.mark.parametrize("status", HTTP)
@pytest.mark.parametrize("body", [b"", b"<h1>gone</h1>", b"{}", b'{"code": "soap"}', b'{"code": 5}', b"[", b'"no"'])
@pytest.mark.parametrize("kind", [UNARY, SERVER_STREAM], ids=["unary", "stream"])
def test_without_a_code_of_connect_the_status_of_http_counts(status, body, kind):
    _, end, _ = answered("connect", kind, [response("application/json", body, status=f"{status} Oops")])
    assert end.status.code == HTTP[status]
    assert f"HTTP status {status}" in end.status.message


def test_an_error_of_connect_may_be_compressed():
    body = gzip.compress(json.dumps(ERROR).encode())
    data = response("application/json; charset=utf-8", body, "Content-Encoding: gzip", status="404 Not Found")
    _, end, _ = answered("connect", UNARY, [data])
    assert (end.status.code, end.status.message) == (5, "nö")
    assert b"type.googleapis.com/pkg.Any" in end.status.details


@pytest.mark.parametrize("details", [None, 7, [7], [{}], [{"type": 1, "value": "CAE"}], [{"type": "a", "value": "!"}]])
def test_details_that_are_none_are_passed_over(details):
    body = json.dumps({"code": "aborted", "details": details}).encode()
    _, end, _ = answered("connect", UNARY, [response("application/json", body, status="409 Conflict")])
    assert (end.status.code, end.status.details) == (10, None)


@pytest.mark.parametrize("protocol", ["grpc-web", "connect"])
def test_what_nobody_reads_is_not_let_in(protocol):
    async def make():
        wire, transport = Wire(), _Transport()
        wire.connection_made(transport)
        rules = rules_of(protocol, SERVER_STREAM, "identity", http="1.1")
        headers = [*HEAD, *rules.fields(None)]
        call = ClientCall(Pool(wire, lambda: None), headers, rules=rules, timeout=None, max_message=1 << 20)
        await call.send(b"request", last=True)
        kind = "application/grpc-web" if protocol == "grpc-web" else "application/connect+proto"
        wire.data_received(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode())
        sent = 0
        while transport.reading and sent < 100:
            wire.data_received(framed(bytes(1 << 18)))
            sent += 1
        got = 0
        async for event in call:
            got += isinstance(event, ResponseMessage)
            if got == sent:
                break
        return sent, transport.reading

    assert asyncio.run(make()) == (STREAM_WINDOW // (1 << 18), True)
