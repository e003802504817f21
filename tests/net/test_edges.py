"""Edge cases of HTTP/2 and gRPC: where the layers meet, and where implementations go wrong."""

from __future__ import annotations

import gzip
import struct
import tracemalloc

import kernels
import pytest
from http2_traffic import (
    CLIENT,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PREFACE,
    REQUEST,
    RESPONSE,
    SERVER,
    TRAILERS,
    WINDOW_UPDATE,
    Feeder,
    Script,
    calls,
    codes,
    data,
    frame,
    grpc_message,
    messages,
    of,
    opened,
    problems,
    reset,
    settings,
    with_fields,
)

from inspector.limits import MAX_BUFFERED, MAX_HEADER_BLOCK, MAX_HEADER_LIST, MIB
from inspector.model.call import Status
from inspector.model.frames import Data, Frame, Headers
from inspector.model.packet import Chunk, Gap

frames = kernels.fixture("inspector.net.http2_frames_cy")
http2 = kernels.fixture("inspector.net.http2_cy")
grpc = kernels.fixture("inspector.net.grpc_cy")
metadata = kernels.fixture("inspector.net.metadata_cy")
module = kernels.fixture("inspector.net.calls_cy")

ASK, TELL = grpc_message(b"question"), grpc_message(b"answer")


@pytest.fixture
def counter(module):
    return module.CallCounter()


@pytest.fixture
def script(module, counter):
    return Script(module.ConnectionCalls(opened(), counter))


@pytest.fixture
def late(module, counter):
    return Script(module.ConnectionCalls(opened(True), counter), begin=False)


def only_call(script):
    (call,) = calls(script.events)
    return call


# --- the usual error page of a proxy ------------------------------------------------------------------------------


def test_an_http_error_with_a_body_and_no_trailers_gives_a_status(script):
    script.request(body=ASK)
    script.headers(SERVER, 1, ((":status", "503"), ("content-type", "text/html")))
    script.data(SERVER, 1, b"<html>overloaded</html>", end=True)
    assert only_call(script).status == Status(14, "UNAVAILABLE", "HTTP status 503", None, "http")


# --- fields dropped in silence ------------------------------------------------------------------------------------


def test_a_header_list_over_the_limit_is_a_problem(script):
    fields = (*REQUEST, *[("x-long", "v" * 4000)] * (MAX_HEADER_LIST // 4000 + 1))
    script.request(fields=fields)
    script.response()
    assert len(only_call(script).request_headers) < len(fields)
    assert only_call(script).problems != ()
    assert not only_call(script).complete


# --- frames that are not there ------------------------------------------------------------------------------------


def test_the_tail_of_a_window_update_is_no_data_frame(frames):
    raw = (
        frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 100))
        + data(1, b"x" * 90)
        + frame(HEADERS, END_HEADERS, 3, b"\x82")
    )
    for start in range(1, 9):
        reader = Feeder(frames.FrameReader(False))
        reader.send(CLIENT, raw[start:])
        assert [event.stream for event in of(Data, reader.events)] == [1], start


def test_a_chunk_that_ends_within_a_data_header_is_no_data_frame(frames):
    raw = data(1, b"\1\xcc\x76\x36" * 30) + frame(HEADERS, END_HEADERS, 3, b"\x82")
    reader = Feeder(frames.FrameReader(False))
    reader.send(CLIENT, raw[3:12])
    reader.send(CLIENT, raw[12:])
    assert of(Data, reader.events) == []
    assert [event.stream for event in of(Frame, reader.events)] == [3]


def test_a_capture_that_begins_within_a_window_update_has_no_call_of_its_increment(late):
    raw = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 100))
    late.send(
        SERVER, raw[3:] + data(1, TELL) + frame(HEADERS, END_HEADERS | END_STREAM, 1, late.block(SERVER, TRAILERS))
    )
    late.finish("end")
    assert [call.stream for call in calls(late.events)] == [1]


# --- a frame of which the first bytes are lost --------------------------------------------------------------------


def test_data_behind_a_gap_does_not_begin_with_the_first_byte_of_its_frame(frames):
    reader = frames.FrameReader()
    reader.feed(Chunk(1, 0, 0, data(3, b"0123456789")[:9], 1, None))
    reader.gap(Gap(1, 0, 9, 4, 2))
    (event,) = reader.feed(Chunk(1, 0, 13, b"456789", 3, None))
    assert (event.missing, event.data, event.start) == (4, b"456789", False)


def test_bytes_from_within_a_message_are_never_a_message(script):
    inner = grpc_message(b"a message within a message")
    script.request(end=False)
    raw = data(1, grpc_message(b"1234" + inner))
    script.send(CLIENT, raw[:9])
    script.lose(CLIENT, 9)
    script.send(CLIENT, raw[18:])
    script.finish("end")
    assert [message.data for message in messages(script.events) if message.data] == []


# --- other traffic taken for HTTP/2 -------------------------------------------------------------------------------

MYSQL = (
    bytes.fromhex("0100000101 17000002036465660000000140400c3f000b000000fd0100000000".replace(" ", ""))
    + b"row of a table"
)


TLS = b"\x17\x03\x03\x01\x04\x00" + bytes(range(200))


@pytest.mark.parametrize("raw", [MYSQL, TLS, b"\1" * 5000], ids=["mysql", "tls", "ones"])
def test_one_header_that_could_be_a_frame_does_not_make_a_connection_http2(module, raw):
    feeder = Feeder(module.ConnectionCalls(opened(True), module.CallCounter()))
    feeder.send(SERVER, raw)
    feeder.finish()
    assert not feeder.target.is_http2


# --- streams that are not gRPC, taken for calls -------------------------------------------------------------------


def test_a_late_response_that_is_not_grpc_is_counted_and_not_reported(late, counter):
    late.headers(SERVER, 1, ((":status", "200"), ("content-type", "text/html")))
    late.data(SERVER, 1, b"<html>", end=True)
    late.finish("end")
    assert calls(late.events) == []
    assert messages(late.events) == []
    assert counter.other_streams == 1


def test_a_pushed_stream_is_no_call(script, counter):
    script.request(1, fields=with_fields(REQUEST, content_type=None, p_method="GET"))
    promise = struct.pack(">I", 2) + script.block(SERVER, with_fields(REQUEST, content_type=None, p_method="GET"))
    script.send(SERVER, frame(5, END_HEADERS, 1, promise))
    script.headers(SERVER, 2, ((":status", "200"), ("content-type", "text/css")))
    script.data(SERVER, 2, b"body {}", end=True)
    script.response(1, fields=((":status", "200"), ("content-type", "text/html")), trailers=(("x", "y"),))
    script.finish("end")
    assert calls(script.events) == []


def test_streams_that_are_not_grpc_take_no_call_number(script):
    script.request(1, fields=with_fields(REQUEST, content_type="text/html"))
    script.response(1)
    script.request(3)
    script.response(3)
    assert only_call(script).number == 1


# --- damage that is called normal ---------------------------------------------------------------------------------


def test_a_flag_that_no_message_has_is_damage(script):
    script.request(body=grpc_message(b"abc", 0x42))
    script.response()
    assert any(problem.is_damage for problem in only_call(script).problems)


# --- gRPC-Web trailers where none can be --------------------------------------------------------------------------


def test_a_request_cannot_carry_trailers(script):
    script.headers(CLIENT, 1, with_fields(REQUEST, content_type="application/grpc-web"))
    script.data(CLIENT, 1, grpc_message(b"grpc-status: 7\r\n", 0x80), end=True)
    script.finish("end")
    assert only_call(script).status is None


def test_messages_in_the_trailers_frame_of_plain_grpc_are_damage(script):
    script.request()
    script.headers(SERVER, 1, RESPONSE)
    script.data(SERVER, 1, grpc_message(b"grpc-status: 7\r\n", 0x80))
    script.headers(SERVER, 1, TRAILERS, end=True)
    assert any(problem.is_damage for problem in only_call(script).problems)


def test_compressed_trailers_of_grpc_web_are_decompressed(script):
    fields = with_fields(RESPONSE, content_type="application/grpc-web", grpc_encoding="gzip")
    script.request(fields=with_fields(REQUEST, content_type="application/grpc-web"))
    script.headers(SERVER, 1, fields)
    script.data(SERVER, 1, grpc_message(gzip.compress(b"grpc-status: 7\r\n"), 0x81), end=True)
    assert only_call(script).status.code == 7


# --- time and memory ----------------------------------------------------------------------------------------------


def test_continuations_without_bytes_cost_no_memory(http2):
    script = Script(http2.Http2Connection(opened()))
    script.send(CLIENT, frame(HEADERS, 0, 1, b"\x82"))
    thousand = frame(CONTINUATION, 0, 1, b"") * 1000
    tracemalloc.start()
    try:
        for _ in range(200):
            script.send(CLIENT, thousand)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < MIB // 2


# --- header blocks -----------------------------------------------------------------------------------------------


def test_a_block_of_too_many_fields_is_read_for_what_it_adds_to_the_table(http2):
    script = Script(http2.Http2Connection(opened()))
    script.headers(CLIENT, 1, (("x-old", "entry"),))
    part = frame(CONTINUATION, 0, 3, b"\0\x01a\x7f\x81\x01" + b"v" * 256)  # literals that are not indexed
    script.send(CLIENT, frame(HEADERS, 0, 3, b"\x82") + part * (2 * MAX_HEADER_LIST // 262))
    script.send(CLIENT, frame(CONTINUATION, END_HEADERS, 3, b""))
    found = of(Headers, script.headers(CLIENT, 5, (("x-old", "entry"),)))[0]
    assert found.fields == (("x-old", "entry"),)


def test_after_a_block_over_the_limit_nothing_is_taken_as_known(http2):
    script = Script(http2.Http2Connection(opened()))
    script.headers(CLIENT, 1, (("x-old", "entry"),))
    part = frame(CONTINUATION, 0, 3, b"\0\x01a\x7f\x81\x01" + b"v" * 256)
    script.send(CLIENT, frame(HEADERS, 0, 3, b"\x82") + part * (MAX_HEADER_BLOCK // 262 + 1))
    found = of(Headers, script.send(CLIENT, frame(CONTINUATION, END_HEADERS, 3, b"")))[0]
    assert found.problem.code == "http2_header_block"
    found = of(Headers, script.headers(CLIENT, 5, (("x-old", "entry"),)))[0]
    assert found.fields == ((None, None),)


@pytest.mark.parametrize("flags", [END_HEADERS, 0])
def test_a_header_frame_may_be_empty(http2, flags):
    script = Script(http2.Http2Connection(opened()))
    raw = frame(HEADERS, flags | END_STREAM, 1)
    if not flags:
        raw += frame(CONTINUATION, END_HEADERS, 1, script.block(CLIENT, TRAILERS))
    found = script.send(CLIENT, raw)
    assert problems(found) == []
    assert [(event.stream, tuple(event.fields), event.end) for event in of(Headers, found)] == [
        (1, () if flags else TRAILERS, True)
    ]


def test_data_within_a_header_block_is_damage(http2):
    script = Script(http2.Http2Connection(opened()))
    block = script.block(CLIENT, REQUEST)
    raw = frame(HEADERS, 0, 1, block[:3]) + data(3, b"x") + frame(CONTINUATION, END_HEADERS, 1, block[3:])
    assert codes(problems(script.send(CLIENT, raw))) == ["http2_continuation"]


def test_a_damaged_promise_is_a_problem(http2):
    script = Script(http2.Http2Connection(opened()))
    found = script.send(SERVER, frame(5, END_HEADERS, 1, b"\0\0\0\2\xfe"))
    assert codes(problems(found)) == ["hpack_index"]


def test_a_table_size_that_the_server_announced_before_a_late_preface_is_in_force(http2):
    script = Script(http2.Http2Connection(opened(True)), begin=False)
    script.send(SERVER, settings((1, 65_536)))
    script.send(CLIENT, PREFACE + settings())
    script.encoders[CLIENT].header_table_size = 65_536
    found = of(Headers, script.headers(CLIENT, 1, REQUEST))[0]
    assert found.problem is None


@pytest.mark.parametrize(
    "raw", [frame(DATA, 0, 1 << 31 | 1, b"abc"), frame(0x0C, 0, 1, b"\0\0")], ids=["reserved bit", "origin"]
)
def test_what_receivers_must_ignore_is_no_damage(frames, raw):
    """The reserved bit (RFC 9113, 4.1), ORIGIN on a stream (RFC 8336, 2.1)."""
    reader = Feeder(frames.FrameReader())
    assert problems(reader.send(CLIENT, raw)) == []


# --- smaller ones ------------------------------------------------------------------------------------------------


def test_a_timeout_has_ascii_digits(grpc):
    assert grpc.parse_timeout("٣S") is None


def test_a_short_deadline_is_not_over_at_once(script):
    script.request(fields=with_fields(REQUEST, grpc_timeout="4m"), time=1_000_000_000)
    script.send(CLIENT, reset(1), time=1_000_050_000)
    assert only_call(script).status.name == "CANCELLED"


def test_messages_of_a_response_that_begins_behind_lost_bytes_are_found(script):
    script.request()
    script.lose(SERVER, 100)
    script.headers(SERVER, 1, RESPONSE)
    for part in (TELL[:3], TELL[3:]):
        script.data(SERVER, 1, part)
    script.headers(SERVER, 1, TRAILERS, end=True)
    assert [message.data for message in messages(script.events)] == [b"answer"]


def test_a_frame_of_two_empty_messages_is_found_behind_lost_bytes(grpc):
    deframer = grpc.Deframer(False)
    found = deframer.feed(Data(0, 1, bytes(10), 0, True, False, 0, 1, None))
    assert [message.payload for message in found] == [b"", b""]


# --- what a hostile reviewer found -----------------------------------------------------------------------------------


def test_a_status_that_may_have_been_lost_is_not_concluded(script):
    script.request(body=ASK)
    script.lose(SERVER, 100)
    script.finish("fin")
    call = only_call(script)
    assert call.status is None
    assert not call.complete


@pytest.mark.parametrize("kept", [True, False])
def test_compression_without_measure_is_stopped_and_told(module, kept):
    counter = module.CallCounter()
    script = Script(module.ConnectionCalls(opened(), counter, kept))
    bomb = grpc_message(gzip.compress(bytes(MIB), 9), 1)  # a thousandfold, which is allowed; but not for ever at once
    script.request(fields=with_fields(REQUEST, grpc_encoding="gzip"), body=bomb, end=False)
    for _ in range(MAX_BUFFERED // MIB + 2):
        script.data(CLIENT, 1, bomb)
    script.response()
    script.data(CLIENT, 1, end=True)
    assert ("compression_limit" in codes(only_call(script).problems)) == kept


def test_after_a_read_there_is_room_again(module):
    counter = module.CallCounter()
    counter.count_decompressed(MIB, MAX_BUFFERED + 1, kept=True)
    assert not counter.has_room()
    counter.begin_read()
    assert counter.has_room()


def test_amplification_over_all_is_bounded(module):
    counter = module.CallCounter()
    counter.count_decompressed(10, 2 * MAX_BUFFERED, kept=False)
    assert not counter.has_room()


def test_header_blocks_between_the_first_and_the_trailers_are_left_out_and_told(script):
    script.request()
    script.headers(SERVER, 1, RESPONSE)
    for _ in range(3):
        script.headers(SERVER, 1, (("x-again", "1"),))
    script.headers(SERVER, 1, TRAILERS, end=True)
    call = only_call(script)
    assert call.trailers == TRAILERS
    assert codes(call.problems) == ["http2_headers"] * 3


def test_bytes_of_messages_that_never_become_whole_are_given_back(script, counter):
    for stream in range(1, 20, 2):
        script.lose(SERVER, 50)
        script.headers(CLIENT, stream, REQUEST)
        script.data(CLIENT, stream, grpc_message(bytes(5000))[:4000])
        script.lose(CLIENT, 10)
        script.headers(CLIENT, stream + 100, REQUEST, end=True)
        script.send(CLIENT, reset(stream))
    script.finish("fin")
    assert counter.held == 0


def test_the_server_alone_is_enough(module):
    script = Script(module.ConnectionCalls(opened(), module.CallCounter()), begin=False)
    script.send(SERVER, settings())
    for stream in (1, 3):
        script.response(stream, TELL)
    script.finish("fin")
    assert [message.data for message in messages(script.events)] == [b"answer", b"answer"]
    assert [call.status.name for call in calls(script.events)] == ["OK", "OK"]


def test_streams_are_numbered_anew_behind_another_preface(script):
    script.request(body=ASK)
    script.response(body=TELL)
    script.lose(CLIENT, 40)
    script.encoders = Script(None, begin=False).encoders
    script.send(CLIENT, PREFACE + settings())
    script.request(body=ASK)
    script.response(body=TELL)
    script.finish("fin")
    assert [call.stream for call in calls(script.events)] == [1, 1]


def test_a_table_size_is_not_refused_where_settings_may_be_lost(http2):
    script = Script(http2.Http2Connection(opened()), begin=False)
    script.send(CLIENT, PREFACE + settings())
    script.lose(SERVER, 15)
    script.encoders[CLIENT].header_table_size = 65_536
    found = of(Headers, script.headers(CLIENT, 1, REQUEST))[0]
    assert (found.problem, tuple(found.fields)) == (None, REQUEST)


def test_fields_before_the_damage_of_a_block_are_kept(http2):
    script = Script(http2.Http2Connection(opened()))
    found = of(Headers, script.send(CLIENT, frame(HEADERS, END_HEADERS, 1, b"\x82\x86\xff\xff\xff\xff\x7f")))[0]
    assert found.problem is not None
    assert found.fields == ((":method", "GET"), (":scheme", "http"))
