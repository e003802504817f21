"""Bytes of a connection become entries as they pass; what is odd in them costs only itself."""

import base64
import gzip

import pytest
from http2_traffic import (
    CLIENT,
    REQUEST,
    RESPONSE,
    SERVER,
    TRAILERS,
    Script,
    data,
    goaway,
    grpc_message,
    reset,
    with_fields,
)

from inspector.client.binlog_writer import address
from inspector.client.call_log import CallLog, ConnectionLog
from inspector.model.call import Call, Message
from inspector.sources.binlog import BinlogParser


class Log:
    """Where entries go: `new` gives what came since it was asked last."""

    def __init__(self, **options):
        self.data = b""
        self.lines = []
        self.calls = CallLog(self, **options)
        peers = address("127.0.0.1", 1), address("127.0.0.1", 2)
        self.connection = ConnectionLog(self.calls, *peers, self.lines.append)
        self.script = Script(self)

    def write(self, entries):
        self.data += b"".join(part for parts in entries for part in parts)

    def feed(self, event):
        if hasattr(event, "data"):
            self.connection.feed(event.direction, event.data)
        else:
            self.connection.end(event.direction, was_reset=event.reason == "rst")
        return []

    def read(self):
        parser = BinlogParser()
        return parser.feed(self.data) + parser.close()

    def call(self):
        (call,) = (event for event in self.read() if isinstance(event, Call))
        return call

    def messages(self):
        return [(each.direction, each.data) for each in self.read() if isinstance(each, Message)]


@pytest.fixture
def log():
    return Log()


def test_entries_are_written_as_things_happen(log):
    sizes = [len(log.data)]
    script = log.script
    steps = (
        lambda: script.headers(CLIENT, 1, REQUEST),
        lambda: script.data(CLIENT, 1, grpc_message(b"ab")),
        lambda: script.data(CLIENT, 1, end=True),
        lambda: script.headers(SERVER, 1, RESPONSE),
        lambda: script.data(SERVER, 1, grpc_message(b"cd")),
        lambda: script.headers(SERVER, 1, TRAILERS, end=True),
    )
    for step in steps:
        step()
        sizes.append(len(log.data))
    assert sizes == sorted(set(sizes))
    assert log.messages() == [("request", b"ab"), ("response", b"cd")]
    assert log.call().complete
    assert log.calls.counts == (1, 0, 2, 0)


def test_bytes_one_by_one_give_the_same_entries(log):
    log.script.target = InBytes(log)
    log.script.request(1, grpc_message(b"ab"))
    log.script.response(1, grpc_message(b"cd") * 3)
    assert log.messages() == [("request", b"ab")] + [("response", b"cd")] * 3
    assert log.call().complete


class InBytes:
    """Hands on each byte by itself."""

    def __init__(self, log):
        self.log = log

    def feed(self, event):
        for at in range(len(event.data)):
            self.log.connection.feed(event.direction, event.data[at : at + 1])
        return []


def test_grpc_web_in_text_is_logged_as_its_messages(log):
    kind = "application/grpc-web-text"
    end = grpc_message(b"grpc-status:5\r\n", 0x80)
    log.script.request(1, base64.b64encode(grpc_message(b"ab")), fields=with_fields(REQUEST, content_type=kind))
    log.script.headers(SERVER, 1, with_fields(RESPONSE, content_type=kind))
    log.script.data(SERVER, 1, base64.b64encode(grpc_message(b"cd")) + base64.b64encode(end))
    assert log.messages() == [("request", b"ab"), ("response", b"cd")]
    assert log.call().status.name == "NOT_FOUND"


def test_a_reset_by_the_client_is_a_cancellation(log):
    log.script.request(1, grpc_message(b"ab"))
    log.script.send(CLIENT, reset(1))
    call = log.call()
    assert (call.status.name, call.status.source, call.complete) == ("CANCELLED", "reset", True)


def test_a_reset_by_the_server_is_its_status(log):
    log.script.request(1)
    log.script.send(SERVER, reset(1, 7))
    assert log.call().status[:3] == (14, "UNAVAILABLE", "the server reset the stream: REFUSED_STREAM")


def test_a_reset_behind_the_trailers_changes_nothing(log):
    log.script.request(1, end=False)
    log.script.response(1)
    log.script.send(SERVER, reset(1, 0))
    log.script.send(CLIENT, data(1, b"", True))
    assert log.call().status.name == "OK"


@pytest.mark.parametrize(("first", "status"), [(CLIENT, "CANCELLED"), (SERVER, "UNAVAILABLE")])
def test_a_connection_that_ends_ends_its_calls(log, first, status):
    log.script.request(1)
    log.script.close(first)
    assert log.calls.counts.open_calls == 1
    log.script.close(1 - first)
    assert log.call().status.name == status
    assert log.calls.counts.open_calls == 0


def test_calls_that_a_server_went_away_from_say_so(log):
    log.script.request(1)
    log.script.request(3)
    log.script.send(SERVER, goaway(1))
    log.script.close(SERVER)
    log.script.close(CLIENT)
    messages = [event.status.message for event in log.read() if isinstance(event, Call)]
    assert messages == ["the connection was closed", "the server went away before it accepted the call"]


def test_an_http_error_is_a_status(log):
    log.script.request(1)
    log.script.headers(SERVER, 1, ((":status", "503"), ("content-type", "text/html")))
    log.script.data(SERVER, 1, b"<html>", end=True)
    assert log.call().status[:3] == (14, "UNAVAILABLE", "HTTP status 503")


def test_a_response_without_status_says_so(log):
    log.script.request(1)
    log.script.headers(SERVER, 1, RESPONSE)
    log.script.data(SERVER, 1, end=True)
    assert log.call().status[:3] == (2, "UNKNOWN", "the response has no grpc-status")


def test_trailers_in_the_body_end_a_call_of_grpc_web(log):
    log.script.request(1, fields=with_fields(REQUEST, content_type="application/grpc-web"))
    log.script.headers(SERVER, 1, RESPONSE)
    log.script.data(SERVER, 1, grpc_message(b"ab") + grpc_message(b"grpc-status: 5\r\nx: y\r\n", 0x80), end=True)
    call = log.call()
    assert (call.status.name, call.trailers, log.messages()) == ("NOT_FOUND", (("x", "y"),), [("response", b"ab")])


def test_streams_that_are_not_grpc_are_left_out(log):
    log.script.request(1, fields=with_fields(REQUEST, content_type="text/plain"), body=b"hello")
    log.script.response(1)
    assert log.data == b""
    assert log.lines == []


def test_informational_headers_are_left_out(log):
    log.script.request(1)
    log.script.headers(SERVER, 1, ((":status", "100"),))
    log.script.response(1, grpc_message(b"x"), fields=(*RESPONSE, ("x-a", "b")))
    assert log.call().response_headers == (("x-a", "b"),)


def test_compressed_messages_are_logged_as_they_were_meant(log):
    fields = with_fields(REQUEST, grpc_encoding="gzip")
    body = grpc_message(gzip.compress(b"z" * 900), 1) + grpc_message(b"plain")
    log.script.request(1, body, fields=fields)
    assert log.messages() == [("request", b"z" * 900), ("request", b"plain")]


@pytest.mark.parametrize("encoding", ["gzip", "identity", "brotli"])
def test_what_cannot_be_decompressed_is_logged_without_its_bytes(log, encoding):
    log.script.request(1, grpc_message(b"no gzip", 1), fields=with_fields(REQUEST, grpc_encoding=encoding))
    log.script.response(1, grpc_message(b"ab"))
    assert log.messages() == [("request", None), ("response", b"ab")]
    assert log.calls.counts.left_out == 1
    assert log.call().request_bytes == 7


def test_frames_that_cannot_be_told_apart_are_told_and_cost_no_other_connection(log):
    log.script.request(1, grpc_message(b"ab"))
    log.script.send(CLIENT, b"\xff" * 5_000)
    other = Log()
    other.script.request(1, grpc_message(b"cd"))
    assert log.lines
    assert log.messages() == [("request", b"ab")]
    assert other.messages() == [("request", b"cd")]


def test_what_is_no_message_is_told(log):
    log.script.request(1, b"\x42\0\0\0\x01x")
    assert log.lines == ["a message has the flags 0x42, which gRPC does not have"]


def test_header_blocks_that_are_too_long_are_marked(log):
    fields = (*REQUEST, *[("x-a", "v" * 4_000)] * 100)
    log.script.request(1, fields=fields)
    log.script.response(1)
    assert [problem.code for problem in log.call().problems] == ["payload_truncated"]


def test_the_headers_of_open_calls_are_there_for_another_file(log):
    log.script.request(1)
    first = log.data
    log.script.request(3)
    log.script.response(1)
    again = b"".join(log.calls.headers())
    assert len(again) < len(first) * 2
    parser = BinlogParser()
    (call,) = parser.feed(again) + parser.close()
    assert call.method == "/pkg.Svc/Do"
