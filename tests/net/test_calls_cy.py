"""gRPC calls of a connection. The oracle of the conversations is `h2`: what it was told to send must be found."""

from __future__ import annotations

import base64
import random
import zlib

import cramjam
import hpack
import kernels
import pytest
import zstandard
from http2_traffic import (
    CLIENT,
    CLIENT_END,
    DATA,
    END_HEADERS,
    HEADERS,
    MILLISECOND,
    PADDED,
    PREFACE,
    PUSH_PROMISE,
    REQUEST,
    RESPONSE,
    SERVER,
    SERVER_END,
    TRAILERS,
    Conversation,
    Feeder,
    Script,
    calls,
    codes,
    cut,
    data,
    frame,
    frames_of,
    goaway,
    grpc_message,
    messages,
    opened,
    problems,
    reset,
    settings,
    with_fields,
)
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from inspector.limits import MAX_MESSAGE, MAX_PROBLEMS, MAX_STREAMS
from inspector.model.call import Piece, Status
from inspector.net.grpc_cy import STATUS_NAMES

module = kernels.fixture("inspector.net.calls_cy")

ASK, TELL = grpc_message(b"question"), grpc_message(b"answer")


def connection(module, mid=False, first=CLIENT_END, second=SERVER_END, counter=None):
    return module.ConnectionCalls(opened(mid, first, second), counter or module.CallCounter())


@pytest.fixture
def counter(module):
    return module.CallCounter()


@pytest.fixture
def script(module, counter):
    return Script(connection(module, counter=counter))


@pytest.fixture
def late(module):
    """A connection whose beginning is not in the capture."""
    return Script(connection(module, mid=True), begin=False)


def only_call(script):
    (call,) = calls(script.events)
    return call


def said(script):
    """Messages as (direction, index, data)."""
    return [(message.direction, message.index, message.data) for message in messages(script.events)]


# --- a whole call -------------------------------------------------------------------------------------------------


def test_a_unary_call_is_whole(script):
    script.request(body=ASK, time=1_000)
    script.response(body=TELL, time=5_000)
    call = only_call(script)
    assert call._asdict() == {
        "number": 1,
        "method": "/pkg.Svc/Do",
        "protocol": "grpc",
        "client": "127.0.0.1:50000",
        "server": "127.0.0.2:80",
        "connection": 1,
        "stream": 1,
        "started": 1_000,
        "duration": 4_000,
        "authority": "example.com",
        "deadline": None,
        "request_headers": REQUEST,
        "response_headers": RESPONSE,
        "trailers": TRAILERS,
        "status": Status(0, "OK", ""),
        "requests": 1,
        "responses": 1,
        "request_bytes": 8,
        "response_bytes": 6,
        "complete": True,
        "problems": (),
    }
    assert said(script) == [("request", 0, b"question"), ("response", 0, b"answer")]


def test_a_message_says_all_about_itself(script):
    script.request(body=ASK, time=77)
    (message,) = messages(script.events)
    assert message == (1, 0, "request", "/pkg.Svc/Do", 77, "identity", b"question", b"question", None, message.pieces)


def test_messages_come_as_soon_as_they_are_whole_and_before_their_call(script):
    script.headers(CLIENT, 1, REQUEST)
    assert messages(script.data(CLIENT, 1, ASK[:7])) == []
    assert len(messages(script.data(CLIENT, 1, ASK[7:]))) == 1
    assert calls(script.data(CLIENT, 1, end=True)) == []
    script.headers(SERVER, 1, RESPONSE)
    assert len(messages(script.data(SERVER, 1, TELL))) == 1
    assert len(calls(script.headers(SERVER, 1, TRAILERS, end=True))) == 1


def test_many_messages_in_both_directions_are_indexed_by_direction(script):
    script.headers(CLIENT, 1, REQUEST)
    script.headers(SERVER, 1, RESPONSE)
    for at in range(3):
        script.data(CLIENT, 1, grpc_message(b"q%d" % at))
        script.data(SERVER, 1, grpc_message(b"a%d" % at) + grpc_message(b""))
    script.data(CLIENT, 1, end=True)
    script.headers(SERVER, 1, TRAILERS, end=True)
    assert [text for way, _, text in said(script) if way == "request"] == [b"q0", b"q1", b"q2"]
    assert [index for way, index, _ in said(script) if way == "response"] == list(range(6))
    assert (only_call(script).requests, only_call(script).responses) == (3, 6)
    assert (only_call(script).request_bytes, only_call(script).response_bytes) == (6, 6)


def test_a_message_byte_by_byte_is_one_message(script):
    script.headers(CLIENT, 1, REQUEST)
    for octet in ASK:
        script.data(CLIENT, 1, bytes((octet,)))
    assert said(script) == [("request", 0, b"question")]


def test_pieces_say_where_a_message_lies(script):
    script.request(end=False)
    before = script.offsets[CLIENT]
    raw = data(1, ASK[:7]) + data(1, ASK[7:] + ASK)
    first, second = raw[:20], raw[20:]
    script.send(CLIENT, first)
    script.send(CLIENT, second)
    one, two = messages(script.events)
    assert one.pieces == (Piece(4, before + 9, 7), Piece(5, before + 25, 6))
    assert two.pieces == (Piece(5, before + 31, 13),)


def test_a_message_in_padded_frames_lies_behind_the_padding_length(script):
    script.request(end=False)
    before = script.offsets[CLIENT]
    script.send(CLIENT, frame(DATA, PADDED, 1, b"\4" + ASK + bytes(4)))
    assert messages(script.events)[0].pieces == (Piece(4, before + 10, 13),)


def test_calls_are_numbered_over_connections_in_the_order_they_begin(module, counter):
    first, second = (Script(connection(module, counter=counter)) for _ in range(2))
    for script, stream in ((first, 1), (second, 1), (first, 3)):
        script.request(stream)
    for script, stream in ((first, 3), (second, 1), (first, 1)):
        script.response(stream)
    assert [(call.number, call.stream) for call in calls(first.events)] == [(3, 3), (1, 1)]
    assert [call.number for call in calls(second.events)] == [2]
    assert counter.calls == 3


def test_interleaved_streams_do_not_mix(script):
    for stream in (1, 3):
        script.headers(CLIENT, stream, with_fields(REQUEST, p_path=f"/s/{stream}"))
    for at in range(len(ASK)):
        script.data(CLIENT, 1, ASK[at : at + 1])
        script.data(CLIENT, 3, TELL[at : at + 1])
    assert [(message.method, message.data) for message in messages(script.events)] == [
        ("/s/3", b"answer"),
        ("/s/1", b"question"),
    ]


def test_ipv6_ends_have_brackets(module):
    ends = (bytes(15) + b"\1", 50_000), (bytes.fromhex("20010db8") + bytes(12), 443)
    script = Script(connection(module, False, *ends))
    script.request()
    script.response()
    assert (only_call(script).client, only_call(script).server) == ("[::1]:50000", "[2001:db8::]:443")


def test_a_connection_counts_its_ends_and_says_whether_it_is_http2(module, script):
    assert script.target.is_http2
    assert script.target.sides_ended == 0
    script.close(CLIENT)
    assert script.target.sides_ended == 1
    assert not connection(module).is_http2


def test_an_upgraded_connection_has_its_first_call_on_stream_1(module):
    script = Script(connection(module), begin=False)
    first = (
        b"POST /pkg.Svc/Do HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        b"Content-Type: application/grpc\r\nContent-Length: 13\r\n\r\n"
    )
    script.send(CLIENT, first + ASK)
    script.send(SERVER, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + settings())
    script.send(CLIENT, PREFACE + settings())
    script.response(body=TELL)
    assert (only_call(script).method, only_call(script).status.code) == ("/pkg.Svc/Do", 0)
    assert said(script) == [("request", 0, b"question"), ("response", 0, b"answer")]
    assert messages(script.events)[0].pieces[0].offset == len(first)


# --- compressed messages ------------------------------------------------------------------------------------------

COMPRESSED = {
    "gzip": zlib.compress(b"question" * 9, wbits=31),
    "deflate": zlib.compress(b"question" * 9),
    "zstd": zstandard.compress(b"question" * 9),
    "snappy": bytes(cramjam.snappy.compress(b"question" * 9)),
}


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "told by its bytes"])
@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_compressed_message_is_decompressed(script, encoding, declared):
    fields = with_fields(REQUEST, grpc_encoding=encoding) if declared else REQUEST
    script.request(body=grpc_message(COMPRESSED[encoding], 1) + ASK, fields=fields)
    one, two = messages(script.events)
    assert (one.data, one.encoding, one.wire) == (b"question" * 9, encoding, COMPRESSED[encoding])
    assert (two.data, two.encoding) == (b"question", "identity")
    script.response()
    assert only_call(script).request_bytes == 80
    assert only_call(script).complete


def test_each_direction_has_its_own_encoding(script):
    script.request(body=grpc_message(COMPRESSED["gzip"], 1), fields=with_fields(REQUEST, grpc_encoding="gzip"))
    script.response(body=grpc_message(COMPRESSED["zstd"], 1), fields=with_fields(RESPONSE, grpc_encoding="zstd"))
    assert [message.encoding for message in messages(script.events)] == ["gzip", "zstd"]


@pytest.mark.parametrize(
    ("encoding", "payload", "code"),
    [
        ("br", b"whatever", "compression_unknown"),
        ("identity", b"whatever", "compression_unknown"),
        (None, b"whatever", "compression_unknown"),
        ("gzip", b"whatever", "compression_damaged"),
        ("gzip", COMPRESSED["gzip"][:-3], "compression_damaged"),
        ("zstd", COMPRESSED["gzip"], "compression_damaged"),
        ("gzip", zlib.compress(bytes(2 * MAX_MESSAGE), 9, wbits=31), "compression_limit"),
    ],
)
def test_a_message_that_cannot_be_decompressed_is_a_problem_and_the_next_one_is_read(script, encoding, payload, code):
    script.headers(CLIENT, 1, with_fields(REQUEST, grpc_encoding=encoding))
    raw = grpc_message(payload, 1) + ASK
    for part in cut(raw, range(0, len(raw), 16_000)):
        script.data(CLIENT, 1, part)
    script.data(CLIENT, 1, end=True)
    script.response()
    one, two = messages(script.events)
    assert (one.data, one.wire, one.problem.code) == (None, payload, code)
    assert two.data == b"question"
    assert codes(only_call(script).problems) == [code]
    assert not only_call(script).complete


# --- statuses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", range(17))
def test_a_status_is_read_from_trailers(script, code):
    script.request()
    script.response(trailers=(("grpc-status", str(code)), ("grpc-message", "why%20not")))
    assert only_call(script).status == Status(code, STATUS_NAMES[code], "why not")
    assert only_call(script).complete


def test_a_status_in_a_response_without_messages_is_read_from_its_only_header(script):
    script.request()
    fields = (*RESPONSE, ("grpc-status", "12"), ("grpc-message", "no such method"))
    script.headers(SERVER, 1, fields, end=True)
    assert only_call(script).status == Status(12, "UNIMPLEMENTED", "no such method")
    assert (only_call(script).response_headers, only_call(script).trailers) == ((), fields)
    assert only_call(script).complete


@pytest.mark.parametrize("padded", [True, False])
def test_status_details_are_bytes(script, padded):
    details = b"\x08\x05\x12\x03\xff\xfe\xfd"
    text = base64.b64encode(details).decode()
    script.request()
    script.response(trailers=(("grpc-status", "5"), ("grpc-status-details-bin", text if padded else text.rstrip("="))))
    assert only_call(script).status.details == details


def test_damaged_status_details_are_a_problem_and_the_status_stays(script):
    script.request()
    script.response(trailers=(("grpc-status", "5"), ("grpc-status-details-bin", "A")))
    assert only_call(script).status == Status(5, "NOT_FOUND", "", None)
    assert codes(only_call(script).problems) == ["grpc_details"]


def test_a_status_that_is_not_a_number_is_a_problem(script):
    script.request()
    script.response(trailers=(("grpc-status", "fine"),))
    assert only_call(script).status is None
    assert codes(only_call(script).problems) == ["grpc_status"]
    assert not only_call(script).complete


HTTP = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14, 500: 2, 301: 2}


@pytest.mark.parametrize(("http", "code"), HTTP.items())
@pytest.mark.parametrize("only_header", [True, False])
def test_an_http_error_without_grpc_status_gives_one(script, http, code, only_header):
    fields = ((":status", str(http)), ("content-type", "text/html"))
    script.request()
    if only_header:
        script.headers(SERVER, 1, fields, end=True)
    else:
        script.response(fields=fields, body=b"<html>not a message</html>", trailers=(("x", "y"),))
    assert only_call(script).status == Status(code, STATUS_NAMES[code], f"HTTP status {http}", None, "http")
    assert messages(script.events) == []


@pytest.mark.parametrize("trailers", [(), (("x", "y"),)])
def test_a_page_is_no_messages_whatever_its_http_status(script, trailers):
    """It is what a client says of it (grpc/doc/http-grpc-status-mapping.md)."""
    for stream in (1, 3):  # the second one refers to the header fields of the first one
        script.request(stream, body=ASK)
        script.response(stream, b"<html>", trailers, ((":status", "200"), ("content-type", "text/html; charset=utf-8")))
    text = "HTTP status 200, content-type text/html; charset=utf-8, not gRPC"
    for call in calls(script.events):
        assert call.status == Status(2, "UNKNOWN", text, None, "http")
        assert (call.responses, call.problems, call.complete) == (0, (), True)


def test_a_page_with_a_grpc_status_has_that(script):
    script.request()
    script.response(body=b"<html>", fields=((":status", "200"), ("content-type", "text/html")))
    assert only_call(script).status == Status(0, "OK", "")


def test_a_grpc_status_counts_more_than_the_http_status(script):
    script.request()
    script.headers(SERVER, 1, ((":status", "503"), ("grpc-status", "7")), end=True)
    assert only_call(script).status == Status(7, "PERMISSION_DENIED", "")


@pytest.mark.parametrize("informational", [((":status", "100"),), ((":status", "103"), ("link", "</a>"))])
def test_an_informational_response_is_not_the_response(script, informational):
    script.request()
    script.headers(SERVER, 1, informational)
    script.response(body=TELL)
    assert only_call(script).response_headers == RESPONSE
    assert only_call(script).status.code == 0
    assert only_call(script).complete


def test_header_values_of_any_octets_are_kept(script):
    script.request(fields=(*REQUEST, ("x-bin", "AAEC"), (b"x-latin", b"caf\xe9"), ("x-\u00e9", "v")))
    script.response()
    fields = only_call(script).request_headers[len(REQUEST) :]
    assert fields[:2] == (("x-bin", "AAEC"), ("x-latin", "café"))


def test_a_header_value_in_utf8_is_read(script):
    script.request(fields=(*REQUEST, ("x-city", "東京"), ("x-word", "café")))
    script.response()
    assert only_call(script).request_headers[len(REQUEST) :] == (("x-city", "東京"), ("x-word", "café"))


@pytest.mark.parametrize("octets", [b"\x00\xc3\xa9", b"\x00\xff\xfe", b"\x00\xe6\x9d\xb1", b"\x00plain"])
def test_a_true_binary_value_keeps_its_octets(script, octets):
    script.request()
    script.response(trailers=(("grpc-status", "5"), (b"grpc-status-details-bin", octets)))
    assert only_call(script).status.details == octets[1:]


# --- deadlines and resets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "nanoseconds"),
    [("2H", 7_200_000_000_000), ("3M", 180_000_000_000), ("10S", 10**10), ("5m", 5 * 10**6), ("7u", 7000), ("9n", 9)],
)
def test_a_deadline_is_in_nanoseconds(script, value, nanoseconds):
    script.request(fields=with_fields(REQUEST, grpc_timeout=value))
    script.response()
    assert only_call(script).deadline == nanoseconds
    assert only_call(script).complete


@pytest.mark.parametrize("value", ["", "10", "10s", "123456789S", "-1S"])
def test_a_malformed_timeout_is_a_problem_and_no_deadline(script, value):
    script.request(fields=with_fields(REQUEST, grpc_timeout=value))
    script.response()
    assert only_call(script).deadline is None
    assert codes(only_call(script).problems) == ["grpc_timeout"]


SECOND = 1_000 * MILLISECOND


@pytest.mark.parametrize(
    ("after", "status"),
    [
        (1_000, Status(4, "DEADLINE_EXCEEDED", "the client gave up at its deadline", None, "deadline")),
        (1_050, Status(4, "DEADLINE_EXCEEDED", "the client gave up at its deadline", None, "deadline")),
        (990, Status(4, "DEADLINE_EXCEEDED", "the client gave up at its deadline", None, "deadline")),
        (500, Status(1, "CANCELLED", "the client reset the stream: CANCEL", None, "reset")),
    ],
)
def test_a_client_that_cancels_at_its_deadline_gave_up(script, after, status):
    script.request(fields=with_fields(REQUEST, grpc_timeout="1S"), time=SECOND)
    script.send(CLIENT, reset(1), time=SECOND + after * MILLISECOND)
    assert only_call(script).status == status
    assert only_call(script).duration == after * MILLISECOND


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_without_a_deadline_nobody_gave_up(script, side):
    script.request(time=SECOND)
    script.send(side, reset(1), time=100 * SECOND)
    assert only_call(script).status.name == "CANCELLED"


def test_a_server_that_cancels_after_the_deadline_is_a_reset(script):
    script.request(fields=with_fields(REQUEST, grpc_timeout="1S"), time=SECOND)
    script.send(SERVER, reset(1), time=3 * SECOND)
    assert only_call(script).status.source == "reset"


RESETS = {
    0: "INTERNAL", 1: "INTERNAL", 2: "INTERNAL", 3: "INTERNAL", 4: "INTERNAL", 5: "UNKNOWN", 6: "INTERNAL",
    7: "UNAVAILABLE", 8: "CANCELLED", 9: "INTERNAL", 10: "INTERNAL", 11: "RESOURCE_EXHAUSTED",
    12: "PERMISSION_DENIED", 13: "UNKNOWN", 14: "UNKNOWN", 0xFFFFFFFF: "UNKNOWN",
}  # fmt: skip


@pytest.mark.parametrize(("code", "name"), RESETS.items())
def test_a_reset_gives_a_status(script, code, name):
    script.request()
    script.send(SERVER, reset(1, code))
    status = only_call(script).status
    assert (status.name, status.source) == (name, "reset")
    assert status.message.startswith("the server reset the stream: ")


def test_a_reset_behind_the_trailers_changes_nothing(script):
    script.headers(CLIENT, 1, REQUEST)
    script.response(body=TELL)
    assert calls(script.events) == []  # the client may still send
    script.send(SERVER, reset(1, 0))
    assert only_call(script).status == Status(0, "OK", "")
    assert only_call(script).complete


def test_a_reset_behind_trailers_that_cannot_be_read_tells_no_status(late):
    """A server may stop the rest of a request behind a whole response (RFC 9113, 8.1)."""
    late.block(SERVER, (*RESPONSE, *TRAILERS))
    late.request()
    late.response()
    late.headers(CLIENT, 3, REQUEST)
    late.response(3, body=TELL)
    ended = late.packet * MILLISECOND
    late.send(SERVER, reset(3, 0))
    call = calls(late.events)[1]
    assert (call.trailers, call.status, call.complete) == (((None, None),), None, False)
    assert call.duration == ended - call.started


def test_a_server_may_end_while_the_client_still_sends(script):
    script.headers(CLIENT, 1, REQUEST)
    script.response(trailers=(("grpc-status", "8"),), time=50)
    script.data(CLIENT, 1, ASK, time=60)
    script.data(CLIENT, 1, end=True, time=70)
    assert only_call(script).status.name == "RESOURCE_EXHAUSTED"
    assert only_call(script).requests == 1
    assert only_call(script).duration == 50 - only_call(script).started


def test_a_message_that_a_reset_cuts_off_says_so(script):
    script.request(body=ASK[:9], end=False)
    script.send(CLIENT, reset(1))
    (message,) = messages(script.events)
    assert (message.data, message.wire, message.problem.code) == (None, b"ques", "message_truncated")
    assert "the stream is reset" in message.problem.message
    assert codes(only_call(script).problems) == ["message_truncated"]


@pytest.mark.parametrize("late_one", ["headers", "data", "reset", "trailers"])
def test_frames_behind_the_end_of_a_stream_make_no_new_call(script, counter, late_one):
    script.request()
    script.send(CLIENT, reset(1))
    new = {
        "headers": lambda: script.headers(SERVER, 1, RESPONSE),
        "data": lambda: script.data(SERVER, 1, TELL),
        "reset": lambda: script.send(SERVER, reset(1)),
        "trailers": lambda: script.headers(SERVER, 1, TRAILERS, end=True),
    }[late_one]()
    assert new == []
    script.finish()
    assert len(calls(script.events)) == counter.calls == 1


def test_a_response_that_ends_without_a_status_is_unknown(script):
    script.request(body=ASK)
    script.headers(SERVER, 1, (*RESPONSE, ("grpc-status", "0")))  # only trailers tell a status
    script.data(SERVER, 1, TELL, end=True)
    assert only_call(script).status == NO_STATUS
    assert only_call(script).complete


NO_STATUS = Status(2, "UNKNOWN", "the server ended the response without a status", None, "http")


@pytest.mark.parametrize("with_headers", [True, False])
def test_trailers_without_a_status_are_none(script, with_headers):
    script.request(body=ASK)
    if with_headers:
        script.response(body=TELL, trailers=(("x", "y"),))
    else:
        script.headers(SERVER, 1, RESPONSE, end=True)
    assert only_call(script).status == NO_STATUS


def test_a_grpc_web_response_without_trailers_has_no_status(script):
    web = "application/grpc-web+proto"
    for stream, body in ((1, TELL), (3, TELL + b"\x42trailers perhaps")):
        script.request(stream, body=ASK, fields=with_fields(REQUEST, content_type=web))
        script.headers(SERVER, stream, with_fields(RESPONSE, content_type=web))
        script.data(SERVER, stream, body, end=True)
    assert [call.status for call in calls(script.events)] == [NO_STATUS, None]


def test_a_status_that_was_not_captured_is_not_concluded_from_the_end_of_a_stream(script, late):
    script.request(body=ASK)
    script.headers(SERVER, 1, RESPONSE)
    script.lose(SERVER, 100)
    script.data(SERVER, 1, TELL, end=True)
    late.data(CLIENT, 1, ASK, end=True)
    late.data(SERVER, 1, TELL, end=True)
    late.block(SERVER, TRAILERS)
    late.request(3)
    late.response(3)
    assert [call.status for call in calls(script.events) + calls(late.events)] == [None, None, None]


# --- the connection ends ------------------------------------------------------------------------------------------


def test_a_connection_that_is_reset_ends_its_calls(script):
    script.request(1, body=ASK)
    script.request(3, body=ASK[:7], end=False)
    script.close(SERVER, "rst", time=9 * SECOND)
    one, two = calls(script.events)
    status = Status(14, "UNAVAILABLE", "the connection was reset", None, "connection")
    assert (one.status, two.status) == (status, status)
    assert one.duration == 9 * SECOND - one.started
    assert codes(two.problems) == ["message_truncated"]
    assert script.close(CLIENT, "rst") == []


def test_a_connection_that_is_closed_ends_its_calls_when_both_sides_are(script):
    script.request()
    assert calls(script.close(CLIENT)) == []
    script.close(SERVER)
    assert only_call(script).status.message == "the connection was closed"


def test_a_call_between_the_closings_of_both_sides_is_answered(script):
    script.request()
    script.close(CLIENT)
    script.response(body=TELL)
    assert only_call(script).status.code == 0
    assert script.close(SERVER) == []


@pytest.mark.parametrize("side", [CLIENT, SERVER])
@pytest.mark.parametrize("reason", ["fin", "rst"])
def test_the_end_of_a_connection_tells_no_status_where_a_reset_may_be_lost(script, side, reason):
    script.request(1)  # whole, but its client may have given up
    script.lose(side, 13)
    script.request(3)
    script.finish(reason)
    one, two = calls(script.events)
    assert one.status is None
    assert two.status is None if side == SERVER else two.status.name == "UNAVAILABLE"


def test_calls_open_at_the_end_of_the_capture_have_no_status(script):
    script.request(body=ASK)
    script.headers(SERVER, 1, RESPONSE)
    script.data(SERVER, 1, TELL[:8])
    script.finish("end")
    call = only_call(script)
    assert (call.status, call.duration, call.complete) == (None, None, False)
    assert "the capture ends" in call.problems[0].message
    assert [message.data for message in messages(script.events)] == [b"question", None]


def test_a_call_that_the_server_did_not_accept_any_more_says_so(script):
    for stream in (1, 3):
        script.request(stream)
    script.send(SERVER, goaway(1))
    script.finish()
    assert [call.status.message for call in calls(script.events)] == [
        "the connection was closed",
        "the server went away before it accepted the call",
    ]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (11, Status(14, "UNAVAILABLE", "the server went away before it accepted the call", None, "connection")),
        (8, Status(1, "CANCELLED", "the client reset the stream: CANCEL", None, "reset")),  # by its own will
    ],
)
def test_a_client_that_resets_a_call_that_was_not_accepted_gave_it_back(script, code, status):
    script.request(1)
    script.request(3)
    script.send(SERVER, goaway(1, 11))
    script.send(CLIENT, reset(3, code))
    assert only_call(script).status == status
    script.send(CLIENT, reset(1, code))
    assert calls(script.events)[1].status.source == "reset"


def test_a_goaway_of_the_client_and_one_that_accepts_all_change_nothing(script):
    script.send(CLIENT, goaway(0))
    script.send(SERVER, goaway(2**31 - 1))
    script.request()
    script.response()
    assert only_call(script).complete


# --- damage -------------------------------------------------------------------------------------------------------


def test_a_message_over_the_limit_is_a_problem_and_costs_no_memory(script):
    script.request(body=b"\0\xff\xff\xff\xff" + b"x" * 100)
    script.response()
    (message,) = messages(script.events)
    assert (message.data, message.wire, message.problem.code) == (None, b"", "message_limit")
    assert not only_call(script).complete


def test_bytes_with_a_flag_that_no_message_has_are_counted_on_their_call(script):
    script.request(body=grpc_message(b"abc", 0x42))
    script.response(body=TELL)
    assert said(script) == [("response", 0, b"answer")]
    assert codes(only_call(script).problems) != []
    assert not only_call(script).complete


@pytest.mark.parametrize("size", [1, 4, 5, 9])
def test_a_message_that_its_stream_cuts_off_is_truncated(script, size):
    script.request(body=ASK[:size])
    script.response()
    (message,) = messages(script.events)
    assert (message.data, message.problem.code) == (None, "message_truncated")
    assert only_call(script).requests == 1


def test_a_gap_within_a_message_damages_it_and_the_next_ones_are_right(script):
    script.request(end=False)
    raw = data(1, ASK) + data(1, grpc_message(b"second"))
    script.send(CLIENT, raw[:15])
    script.lose(CLIENT, 4)
    script.send(CLIENT, raw[19:])
    one, two = messages(script.events)
    assert (one.data, one.wire, one.problem.code) == (None, b"qion", "message_gap")
    assert (two.data, two.index) == (b"second", 1)
    script.data(CLIENT, 1, end=True)
    script.response()
    assert codes(only_call(script).problems) == ["message_gap"]


def test_bytes_lost_are_a_problem_of_the_calls_open_then_and_of_no_other(script):
    script.request(1)
    script.response(1)
    script.request(3)
    script.headers(CLIENT, 5, REQUEST)
    script.lose(CLIENT, 400)
    script.response(3)
    script.data(CLIENT, 5, end=True)
    script.response(5)
    script.request(7, body=ASK)
    script.response(7)
    assert [(call.stream, codes(call.problems)) for call in calls(script.events)] == [
        (1, []),
        (3, []),
        (5, ["bytes_lost"]),
        (7, ["hpack_unknown"]),
    ]
    assert codes(problems(script.events)) == ["bytes_lost"]


def test_messages_behind_lost_bytes_are_found_again(script):
    script.headers(CLIENT, 1, REQUEST)
    script.lose(CLIENT, 300)
    script.data(CLIENT, 1, ASK)
    script.data(CLIENT, 1, ASK, end=True)
    script.response()
    assert said(script) == [("request", 0, b"question"), ("request", 1, b"question")]


def test_hpack_damage_is_a_problem_of_its_call_and_the_others_go_on(script):
    script.headers(CLIENT, 1, REQUEST)
    script.send(CLIENT, frame(HEADERS, END_HEADERS, 3, b"\xfe"))
    script.encoders = hpack.Encoder(), script.encoders[SERVER]
    script.request(5, body=ASK)
    for stream in (1, 3):
        script.data(CLIENT, stream, ASK, end=True)
    for stream in (1, 3, 5):
        script.response(stream)
    found = {call.stream: call for call in calls(script.events)}
    assert {stream: codes(call.problems) for stream, call in found.items()} == {1: [], 3: ["hpack_index"], 5: []}
    assert (found[3].method, found[3].requests, found[3].complete) == (None, 1, False)
    assert (found[5].method, found[5].complete) == ("/pkg.Svc/Do", True)


def test_problems_of_one_call_are_bounded_and_the_rest_is_counted(script):
    script.request(body=grpc_message(b"x", 1) * (MAX_PROBLEMS + 50))
    script.response()
    found = only_call(script).problems
    assert len(found) == MAX_PROBLEMS + 1
    assert (found[-1].code, found[-1].message) == ("more_problems", "50 more problems")


def test_more_streams_than_are_kept_end_the_oldest(script):
    block = hpack.Encoder().encode(REQUEST)
    script.encoders[CLIENT].encode(REQUEST)
    script.send(CLIENT, frame(HEADERS, END_HEADERS, 1, block))
    rest = script.block(CLIENT, REQUEST)
    frames = [frame(HEADERS, END_HEADERS, 1 + 2 * at, rest) for at in range(1, MAX_STREAMS + 1)]
    script.send(CLIENT, b"".join(frames))
    call = only_call(script)
    assert (call.stream, codes(call.problems), call.complete) == (1, ["stream_limit"], False)
    script.finish("end")
    assert len(calls(script.events)) == MAX_STREAMS + 1


def test_bytes_held_go_down_when_messages_or_streams_end(script, counter):
    script.request(1, body=grpc_message(bytes(1000))[:505], end=False)
    script.request(3, body=grpc_message(bytes(1000))[:305], end=False)
    assert counter.held == 800
    script.data(CLIENT, 1, bytes(500))
    assert counter.held == 300
    script.send(CLIENT, reset(3))
    assert counter.held == 0


def test_bytes_held_over_all_streams_are_bounded(script, counter, monkeypatch, module):
    monkeypatch.setattr("inspector.limits.MAX_BUFFERED", 10_000)
    for stream in (1, 3, 5):
        script.request(stream, body=grpc_message(bytes(8000))[:4005], end=False)
    assert counter.held <= 10_000
    script.finish("end")
    assert [message.problem.code for message in messages(script.events)].count("message_limit") == 1
    assert counter.held == 0


# --- what is not gRPC ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["text/html", "application/json", None])
def test_streams_that_are_not_grpc_are_counted_and_not_reported(script, counter, content_type):
    script.request(1, body=b"name=value", fields=with_fields(REQUEST, content_type=content_type))
    script.response(1, body=b"<html>")
    script.request(3, body=ASK)
    script.response(3)
    assert [call.stream for call in calls(script.events)] == [3]
    assert [message.data for message in messages(script.events)] == [b"question"]
    assert counter.other_streams == 1


@pytest.mark.parametrize(
    "content_type", ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"]
)
def test_grpc_is_told_by_its_content_type(script, content_type):
    script.request(fields=with_fields(REQUEST, content_type=content_type))
    script.response()
    assert only_call(script).protocol == "grpc"


@pytest.mark.parametrize("content_type", ["application/grpc+json", "application/grpc+thrift;a=b"])
def test_messages_that_are_not_protobuf_say_so_and_keep_their_bytes(script, content_type):
    for stream, kind in enumerate((content_type, "application/grpc", content_type)):
        script.request(2 * stream + 1, ASK, fields=with_fields(REQUEST, content_type=kind))
        script.response(2 * stream + 1, TELL * 2, fields=with_fields(RESPONSE, content_type=kind))
    text = f"content-type {content_type.partition(';')[0]} is not protobuf"
    first, second, third = [[each for each in messages(script.events) if each.call == call] for call in (1, 2, 3)]
    for found in (first, third):
        assert [(each.wire, each.data) for each in found] == [(b"question", None)] + [(b"answer", None)] * 2
        assert [each.problem.message for each in found] == [text] * 3
    assert [(each.data, each.problem) for each in second] == [(b"question", None)] + [(b"answer", None)] * 2
    assert all(call.complete and not call.problems for call in calls(script.events))


def test_a_codec_that_is_not_known_may_be_protobuf(script):
    script.request(1, ASK, fields=with_fields(REQUEST, content_type="application/grpc+custom"))
    script.response()
    assert said(script) == [("request", 0, b"question")]


def test_grpc_web_has_its_trailers_in_a_frame(script):
    script.request(body=ASK, fields=with_fields(REQUEST, content_type="application/grpc-web+proto"))
    script.headers(SERVER, 1, with_fields(RESPONSE, content_type="application/grpc-web+proto"))
    block = b"grpc-status:5\r\ngrpc-message:no%20such\r\n"
    script.data(SERVER, 1, TELL + grpc_message(block, 0x80), end=True)
    call = only_call(script)
    assert (call.protocol, call.status) == ("grpc-web", Status(5, "NOT_FOUND", "no such"))
    assert call.trailers == (("grpc-status", "5"), ("grpc-message", "no%20such"))
    assert (call.responses, call.complete) == (1, True)


WEB, WEB_TEXT = "application/grpc-web+proto", "application/grpc-web-text"
ENDED = grpc_message(b"grpc-status:5\r\ngrpc-message:no\r\n", 0x80)


def web_call(script, request_type, asked, response_type, told, size=1000, stream=1):
    """A call of gRPC-Web, whose response has DATA of at most `size` bytes."""
    script.request(stream, body=asked, fields=with_fields(REQUEST, content_type=request_type))
    script.headers(SERVER, stream, with_fields(RESPONSE, content_type=response_type))
    for part in cut(told, range(size, len(told), size)):
        script.data(SERVER, stream, part)
    script.data(SERVER, stream, end=True)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_grpc_web_in_text_is_read_in_pieces_that_are_padded_each(script, size):
    told = b"".join(map(base64.b64encode, (TELL[:2], TELL[2:] + TELL + ENDED[:4], ENDED[4:])))
    web_call(script, WEB_TEXT, base64.b64encode(ASK), WEB_TEXT, told, size)
    call = only_call(script)
    assert said(script) == [("request", 0, b"question"), ("response", 0, b"answer"), ("response", 1, b"answer")]
    assert (call.protocol, call.status, call.problems) == ("grpc-web", Status(5, "NOT_FOUND", "no"), ())
    assert call.complete


def test_each_direction_of_grpc_web_may_be_in_text_and_other_calls_are_not(script, counter):
    """The header fields of a call are remembered for the next one: not so that it is read as text, or no more."""
    text = base64.b64encode
    for stream, (asked, told) in enumerate(((True, False), (False, True), (True, True), (False, False), (True, True))):
        types = [WEB_TEXT if is_text else WEB for is_text in (asked, told)]
        bodies = text(ASK) if asked else ASK, text(TELL + ENDED) if told else TELL + ENDED
        web_call(script, types[0], bodies[0], types[1], bodies[1], stream=2 * stream + 1)
    script.request(21, body=ASK)
    script.response(21, body=TELL)
    assert said(script) == [("request", 0, b"question"), ("response", 0, b"answer")] * 6
    assert not any(call.problems for call in calls(script.events))
    assert counter.held == 0


def test_text_that_is_no_base64_is_a_problem_with_its_place_and_what_came_before_is_kept(script):
    script.request(body=base64.b64encode(ASK), fields=with_fields(REQUEST, content_type=WEB_TEXT))
    script.headers(SERVER, 1, with_fields(RESPONSE, content_type=WEB_TEXT))
    before = script.offsets[SERVER]
    good = base64.b64encode(TELL + b"\0")
    script.data(SERVER, 1, good + b"AA!A" + base64.b64encode(TELL))
    script.data(SERVER, 1, base64.b64encode(TELL), end=True)
    call = only_call(script)
    assert said(script)[:2] == [("request", 0, b"question"), ("response", 0, b"answer")]
    damage = call.problems[-1]
    assert (damage.code, damage.offset, damage.packet) == (
        "grpc_web_text",
        before + 9 + len(good) + 2,
        script.packet - 1,
    )
    assert damage.message == "grpc-web-text has b'!' where base64 is due; 34 characters behind it are not read"
    assert not call.complete


def test_text_that_ends_within_a_group_of_four_is_a_problem(script):
    web_call(script, WEB_TEXT, base64.b64encode(ASK) + b"AA", WEB_TEXT, base64.b64encode(ENDED))
    (problem,) = only_call(script).problems
    assert problem.code == "grpc_web_text"
    assert "within a group of four characters" in problem.message
    assert said(script) == [("request", 0, b"question")]


def test_a_promised_header_block_makes_no_call(script, counter):
    block = script.block(SERVER, with_fields(REQUEST, x_pushed="1"))
    script.request()
    script.send(SERVER, frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + block))
    script.response()
    script.finish("end")
    assert only_call(script).complete
    assert counter.calls == 1


# --- captures that start late -------------------------------------------------------------------------------------


def test_a_call_whose_request_header_was_not_seen_is_reported_as_late(late):
    late.data(CLIENT, 1, ASK, end=True)
    late.response(body=TELL)
    call = only_call(late)
    assert (call.method, call.status.code, call.complete) == (None, 0, False)
    assert codes(call.problems) == ["started_late"]
    assert said(late) == [("request", 0, b"question"), ("response", 0, b"answer")]


def test_a_call_of_which_only_the_trailers_are_there_has_its_status(late):
    late.headers(SERVER, 7, (("grpc-status", "5"),), end=True)
    late.finish("end")
    assert (only_call(late).status.name, only_call(late).complete) == ("NOT_FOUND", False)


@pytest.mark.parametrize("client", [0, 1])
@pytest.mark.parametrize("swapped", [False, True])
def test_client_and_server_are_told_apart_on_whichever_side_a_late_capture_begins(module, client, swapped):
    ends = (SERVER_END, CLIENT_END) if swapped else (CLIENT_END, SERVER_END)
    script = Script(connection(module, True, *ends), begin=False)
    script.headers(client, 1, REQUEST)
    script.data(client, 1, ASK, end=True)
    script.headers(1 - client, 1, RESPONSE)
    script.data(1 - client, 1, TELL)
    script.headers(1 - client, 1, TRAILERS, end=True)
    call = only_call(script)
    named = "127.0.0.1:50000", "127.0.0.2:80"
    assert (call.client, call.server) == (named if (client == 0) != swapped else named[::-1])
    assert said(script) == [("request", 0, b"question"), ("response", 0, b"answer")]
    assert call.complete


def test_header_entries_from_before_the_capture_are_said_once_for_a_call(late):
    late.block(CLIENT, REQUEST)
    late.request(body=ASK)
    late.response(body=TELL)
    call = only_call(late)
    assert (call.method, call.requests, call.responses) == (None, 1, 1)
    assert codes(call.problems) == ["hpack_unknown"]
    assert call.problems[0].message.startswith("4 header fields")


def test_bytes_from_the_middle_of_a_message_are_skipped_and_counted(late):
    late.data(CLIENT, 1, b"\xfetail of a message")
    late.data(CLIENT, 1, ASK, end=True)
    late.response()
    assert said(late) == [("request", 0, b"question")]
    assert codes(only_call(late).problems) == ["started_late", "message_skipped"]
    assert not any(problem.is_damage for problem in only_call(late).problems)


def test_a_compressed_message_of_a_late_call_is_told_by_its_bytes(late):
    late.data(CLIENT, 1, grpc_message(COMPRESSED["gzip"], 1), end=True)
    assert [(message.encoding, message.data) for message in messages(late.events)] == [("gzip", b"question" * 9)]


# --- conversations of h2 ------------------------------------------------------------------------------------------


def conversation():
    """Calls of all kinds, some at the same time, with bodies that look like nothing else."""
    source = random.Random(11)
    made = Conversation()
    for stream in (1, 3, 5):
        made.headers(CLIENT, stream, (*REQUEST, ("x-request-id", f"id {stream}")))
        made.data(CLIENT, stream, b"".join(grpc_message(source.randbytes(90)) for _ in range(stream)), True, size=95)
        made.flush()
    for stream in (3, 1, 5):
        made.headers(SERVER, stream, (*RESPONSE, ("x-served-by", "somebody")))
        made.data(SERVER, stream, grpc_message(source.randbytes(300)), size=100)
        made.headers(SERVER, stream, (*TRAILERS, ("x-cost", f"{stream}")), end=True)
        made.flush()
    return made


def play(module, sent, mid=False):
    feeder = Feeder(connection(module, mid))
    for direction, raw in sent:
        feeder.send(direction, raw)
    feeder.finish("end")
    return feeder


def gist(events):
    """Calls and messages without times and places."""
    return [call._replace(started=None, duration=None) for call in calls(events)], [
        message._replace(time=None, pieces=()) for message in messages(events)
    ]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_chunks_of_any_size_give_the_same(module, size):
    made = conversation()
    whole = play(module, made.sent)
    pieces = play(module, [(way, part) for way, raw in made.sent for part in cut(raw, range(0, len(raw), size))])
    assert gist(pieces.events) == gist(whole.events)
    assert [call.complete for call in calls(whole.events)] == [True] * 3
    assert [call.requests for call in calls(whole.events)] == [3, 1, 5]


def test_pieces_hold_the_bytes_of_their_messages(module):
    made = conversation()
    raw = {"request": made.raw(CLIENT), "response": made.raw(SERVER)}
    for message in messages(play(module, made.sent).events):
        held = b"".join(raw[message.direction][at : at + length] for _, at, length in message.pieces)
        assert held == grpc_message(message.wire)


@pytest.mark.parametrize("way", [CLIENT, SERVER])
def test_each_lost_chunk_costs_only_what_it_carried(module, way):
    made = conversation()
    whole = messages(play(module, made.sent).events)
    true = {(message.direction, message.data) for message in whole}
    for lost in range(len(made.sent)):
        if made.sent[lost][0] != way:
            continue
        feeder = Feeder(connection(module))
        for at, (side, raw) in enumerate(made.sent):
            if at == lost:
                feeder.lose(side, len(raw))
            else:
                feeder.send(side, raw)
        feeder.finish("end")
        found = {(message.direction, message.data) for message in messages(feeder.events) if message.data is not None}
        carried = {message for message in true if message[1] in b"".join(raw for _, raw in made.sent[lost : lost + 1])}
        untouched = {m for m in true - carried if m[0] == ("response" if way == CLIENT else "request")}
        assert found <= true
        assert untouched <= found


@pytest.mark.parametrize("way", [CLIENT, SERVER])
def test_a_capture_that_begins_with_any_frame_has_the_messages_from_there(module, way):
    made = conversation()
    raw = made.raw(way)
    name = ("request", "response")[way]
    true = [message for message in messages(play(module, made.sent).events) if message.direction == name]
    for start, _ in frames_of(raw):
        feeder = Feeder(connection(module, mid=True))
        skip = start
        for side, part in made.sent:
            cut_off = min(skip, len(part)) if side == way else 0
            skip -= cut_off
            feeder.offsets[side] += cut_off
            if cut_off < len(part):
                feeder.send(side, part[cut_off:])
        feeder.finish("end")
        found = [message.data for message in messages(feeder.events) if message.direction == name and message.data]
        expected = [message.data for message in true if message.pieces[0].offset - 9 >= start]
        assert found[len(found) - len(expected) :] == expected, start
        assert set(found) <= {message.data for message in true}, start


# --- random conversations -----------------------------------------------------------------------------------------

payloads = st.binary(max_size=40)
sizes = st.integers(1, 50)


class Talk(RuleBasedStateMachine):
    """Two h2 connections talk; at every moment the messages found are those sent, the calls ended those ended."""

    module = None

    @initialize()
    def begin(self):
        self.talk = Conversation()
        self.feeder = Feeder(connection(self.module))
        self.open = {}  # stream -> [whether the client still sends, whether the server began]
        self.next = 1
        self.sent = []
        self.ended = []
        for direction, raw in self.talk.sent:
            self.feeder.send(direction, raw)

    def carry(self, size):
        """Everything that the two have to say goes over the wire in pieces; then both accounts must agree."""
        for direction, raw in self.talk.flush():
            for part in cut(raw, range(0, len(raw), size)):
                self.feeder.send(direction, part)
        found = [(message.call, message.direction, message.data) for message in messages(self.feeder.events)]
        assert sorted(found) == sorted(self.sent)
        assert [(call.stream, call.status and call.status[:3]) for call in calls(self.feeder.events)] == self.ended
        assert problems(self.feeder.events) == []

    def pick(self, data, want):
        return data.draw(st.sampled_from([stream for stream, state in self.open.items() if want(state)]))

    @rule(size=sizes, value=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20))
    def call(self, size, value):
        self.talk.headers(CLIENT, self.next, (*REQUEST, ("x-value", value)))
        self.open[self.next] = [True, False]
        self.next += 2
        self.carry(size)

    @precondition(lambda self: any(state[0] for state in self.open.values()))
    @rule(data=st.data(), texts=st.lists(payloads, max_size=3), end=st.booleans(), size=sizes, part=sizes)
    def ask(self, data, texts, end, size, part):
        stream = self.pick(data, lambda state: state[0])
        self.sent += [((stream + 1) // 2, "request", text) for text in texts]
        self.talk.data(
            CLIENT, stream, b"".join(map(grpc_message, texts)), end, part, data.draw(st.sampled_from([None, 3]))
        )
        self.open[stream][0] = not end
        self.carry(size)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), texts=st.lists(payloads, max_size=3), size=sizes, part=sizes, gzip=st.booleans())
    def answer(self, data, texts, size, part, gzip):
        stream = self.pick(data, lambda state: True)
        if not self.open[stream][1]:
            self.talk.headers(SERVER, stream, (*RESPONSE, ("grpc-encoding", "gzip")))
            self.open[stream][1] = True
        self.sent += [((stream + 1) // 2, "response", text) for text in texts]
        raw = [grpc_message(zlib.compress(text, wbits=31), 1) if gzip else grpc_message(text) for text in texts]
        self.talk.data(SERVER, stream, b"".join(raw), False, part)
        self.carry(size)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), code=st.integers(0, 16), size=sizes)
    def end(self, data, code, size):
        """The server ends the call; where the client still sends, it stops it by a reset."""
        stream = self.pick(data, lambda state: True)
        asking, begun = self.open.pop(stream)
        trailers = (("grpc-status", str(code)), ("grpc-message", f"status%20{code}"))
        self.talk.headers(SERVER, stream, trailers if begun else (*RESPONSE, *trailers), end=True)
        if asking:
            self.talk.server.reset_stream(stream, 0)
        self.ended.append((stream, (code, STATUS_NAMES[code], f"status {code}")))
        self.carry(size)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), size=sizes)
    def cancel(self, data, size):
        stream = self.pick(data, lambda state: True)
        del self.open[stream]
        self.talk.client.reset_stream(stream, 8)
        self.ended.append((stream, (1, "CANCELLED", "the client reset the stream: CANCEL")))
        self.carry(size)

    def teardown(self):
        if hasattr(self, "feeder"):
            self.feeder.finish("end")
            rest = [call.stream for call in calls(self.feeder.events)][len(self.ended) :]
            assert rest == list(self.open)


def test_random_conversations_are_found_as_they_were_held(module):
    machine = type("Talk", (Talk,), {"module": module})
    run_state_machine_as_test(
        machine, settings=hypothesis_settings(max_examples=40, stateful_step_count=20, deadline=None)
    )
