"""Servers that flood, fall silent, go away or boast: a call ends with a status that says so, and memory is bounded."""

from __future__ import annotations

import asyncio
import gzip
import struct

import odd_servers
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from hpack import Encoder

from inspector import limits
from inspector.client.channel import Channel
from inspector.client.events import ResponseMessage
from inspector.client.settings import ConnectSettings

PATIENCE = 30
HEADERS = [(":status", "200"), ("content-type", "application/grpc")]
OK = [("grpc-status", "0")]
GOAWAY = 7


def frame(kind, flags, stream, body=b""):
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + struct.pack(">I", stream) + body


def goaway(last, code, text=b""):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + text)


def answering(*steps):
    """A server that does these steps once it has a request: functions of the connection and the stream, or bytes to
    send as they are. Then it reads until the client hangs up."""

    def behave(peer):
        connection, stream = requested(peer)
        for step in steps:
            if callable(step):
                step(connection, stream)
            else:
                peer.sendall(connection.data_to_send() + step)
        peer.sendall(connection.data_to_send())
        odd_servers.silent(peer)

    return behave


def requested(peer):
    connection = H2Connection(H2Configuration(client_side=False))
    connection.initiate_connection()
    peer.sendall(connection.data_to_send())
    while data := peer.recv(65_536):
        for event in connection.receive_data(data):
            if isinstance(event, RequestReceived):
                return connection, event.stream_id
    raise ConnectionError


def headers(*more):
    return lambda connection, stream: connection.send_headers(stream, [*HEADERS, *more])


def trailers(connection, stream):
    connection.send_headers(stream, OK, end_stream=True)


def message(body, flag=0):
    return lambda connection, stream: connection.send_data(stream, bytes((flag,)) + len(body).to_bytes(4, "big") + body)


def flooding(*chunks):
    """A server that, after a request, sends these bytes over and over; it does not read."""

    def behave(peer):
        connection, _ = requested(peer)
        peer.sendall(connection.data_to_send() + chunks[0])
        while True:
            peer.sendall(chunks[-1])

    return behave


def called(behave, **options):
    """The messages and the end of a call of such a server."""

    async def main(address):
        settings = ConnectSettings(plaintext=True, **{name: options.pop(name) for name in CONNECT & set(options)})
        async with asyncio.timeout(PATIENCE), await Channel.open(address, settings) as channel:
            call = channel.start("/pkg.Svc/Method", **options)
            await call.send(b"", last=True)
            events = [event async for event in call]
        return [event.data for event in events if isinstance(event, ResponseMessage)], events[-1].status

    with odd_servers.serving(behave) as address:
        return asyncio.run(main(address))


CONNECT = {"keepalive_time", "keepalive_timeout"}
BLOCK = Encoder().encode(HEADERS)
PADDED = frame(0, 0x8, 1, b"\xff" + bytes(255))
LITERAL = b"\x00\x01a\x7f\x80\x7f" + bytes(16_000)


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ([frame(6, 0, 0, bytes(8)) * 100], "floods the connection"),
        ([frame(6, 1, 0, bytes(8)) * 100], "floods the connection"),
        ([frame(4, 0, 0) * 100], "floods the connection"),
        ([frame(4, 0, 0, struct.pack(">HI", 3, 100)) * 100], "floods the connection"),
        ([frame(4, 1, 0) * 100], "floods the connection"),
        ([frame(2, 0, 1, bytes(3) + b"\x01\x00") * 100], "floods the connection|broke HTTP/2"),
        ([frame(0xFE, 0, 0, b"?") * 100], "floods the connection"),
        ([frame(8, 0, 1, struct.pack(">I", 1)) * 100], "floods the connection"),
        ([frame(1, 4, 1, BLOCK), frame(0, 0, 1) * 100], "floods the connection"),
        ([frame(1, 4, 1, BLOCK), PADDED * 100], "floods the connection|broke HTTP/2"),
        ([frame(1, 4, 1, BLOCK) * 100], "broke HTTP/2"),
        ([frame(1, 4, 1, Encoder().encode([(":status", "103")])) * 100], "floods the connection"),
        ([frame(1, 0, 1, BLOCK), frame(9, 0, 1)], "broke HTTP/2"),
        ([frame(1, 0, 1, BLOCK), frame(9, 0, 1, bytes(16_000))], "broke HTTP/2"),
        ([frame(5, 4, 1, struct.pack(">I", 2) + BLOCK)], "broke HTTP/2"),
        ([frame(1, 4, 7, BLOCK)], "broke HTTP/2"),
        ([b"\xff" * 4096], "broke HTTP/2"),
    ],
    ids=["PING", "answers to no PING", "SETTINGS", "SETTINGS that say something", "acknowledgements", "PRIORITY",
         "unknown frames", "WINDOW_UPDATE", "empty DATA", "DATA of padding alone", "HEADERS", "interim responses",
         "CONTINUATION", "long CONTINUATION", "PUSH_PROMISE", "an unasked stream", "junk"],
)  # fmt: skip
def test_a_flood_ends_the_call(chunks, said):
    messages, status = called(flooding(*chunks))
    assert (messages, status.name) == ([], "UNAVAILABLE")
    assert any(part in status.message for part in said.split("|"))


def test_headers_beyond_the_limit_end_the_call():
    steps = headers(*(("x-long", "y" * 4000) for _ in range(limits.MAX_HEADER_LIST // 4000 + 1)))
    messages, status = called(answering(steps, trailers))
    assert (messages, status.name) == ([], "UNAVAILABLE")
    assert f"headers of more than {limits.MAX_HEADER_LIST} bytes" in status.message


def test_a_header_table_that_unfolds_is_bounded():
    """One long entry of the table, named thousands of times by a byte each."""
    entry = b"\x40\x01a" + b"\x7f\xa1\x1e" + b"y" * 4000
    messages, status = called(answering(frame(1, 4, 1, BLOCK + entry + b"\xbe" * 10_000)))
    assert (messages, status.name) == ([], "UNAVAILABLE")
    assert "headers of more than" in status.message


def test_large_headers_below_the_limit_are_read():
    messages, status = called(answering(headers(("x-long", "y" * 100_000)), message(b"ab"), trailers))
    assert (messages, status.code) == ([b"ab"], 0)


def test_a_message_that_unfolds_beyond_the_limit_is_refused():
    bomb = gzip.compress(bytes(10_000_000))
    messages, status = called(answering(headers(("grpc-encoding", "gzip")), message(bomb, 1), trailers))
    assert (messages, status.name) == ([], "RESOURCE_EXHAUSTED")
    assert "that decompress to more: the limit is 4194304 (--max-msg-sz)" in status.message


def test_a_message_of_just_the_limit_is_read_and_a_longer_one_is_not():
    steps = [headers(), message(bytes(1000)), message(bytes(1001)), trailers]
    messages, status = called(answering(*steps), max_message=1000)
    assert (messages, status.name) == ([bytes(1000)], "RESOURCE_EXHAUSTED")
    assert "a message of 1001 bytes: the limit is 1000 (--max-msg-sz)" in status.message


def test_compressed_junk_is_told():
    messages, status = called(answering(headers(("grpc-encoding", "gzip")), message(b"junk", 1), trailers))
    assert (messages, status.name) == ([], "INTERNAL")
    assert status.message.startswith("a message of the server: ")


def test_a_silent_server_is_noticed():
    messages, status = called(mute, keepalive_time=0.05, keepalive_timeout=0.05)
    assert (messages, status.name) == ([], "UNAVAILABLE")
    assert "did not answer a keepalive ping within 0.05 s" in status.message


def mute(peer):
    """Takes a request, and says nothing."""
    requested(peer)
    odd_servers.silent(peer)


def test_a_server_that_answers_pings_is_waited_for():
    """It answers three pings, and the call only then."""

    def behave(peer):
        connection, stream = requested(peer)
        peer.sendall(connection.data_to_send())
        pings = 0
        while pings < 3 and (data := peer.recv(65_536)):
            pings += sum(type(event).__name__ == "PingReceived" for event in connection.receive_data(data))
            peer.sendall(connection.data_to_send())
        headers()(connection, stream)
        trailers(connection, stream)
        peer.sendall(connection.data_to_send())
        odd_servers.silent(peer)

    assert called(behave, keepalive_time=0.02, keepalive_timeout=PATIENCE)[1].code == 0


def test_a_call_that_the_server_still_serves_outlives_its_goodbye():
    steps = [headers(), message(b"a"), goaway(1, 0), message(b"b"), trailers]
    messages, status = called(answering(*steps))
    assert (messages, status.code) == ([b"a", b"b"], 0)


def test_a_call_that_the_server_does_not_serve_any_more_ends_with_what_it_said():
    messages, status = called(answering(goaway(0, 11, b"too_many_pings")))
    assert (messages, status.name) == ([], "UNAVAILABLE")
    assert status.message == "the server went away: ENHANCE_YOUR_CALM (too_many_pings)"


def test_no_call_begins_after_a_goodbye():
    async def main(address):
        async with asyncio.timeout(PATIENCE), await Channel.open(address, ConnectSettings(plaintext=True)) as channel:
            first = channel.start("/pkg.Svc/Method")
            events = [event async for event in first]
            assert events[-1].status.code == 0
            assert channel.failure == "the server went away: NO_ERROR (bye)"
            return [event async for event in channel.start("/pkg.Svc/Method")]

    steps = [headers(), goaway(1, 0, b"bye"), trailers]
    with odd_servers.serving(answering(*steps)) as address:
        (ended,) = asyncio.run(main(address))
    assert (ended.status.name, ended.status.message) == ("UNAVAILABLE", "the server went away: NO_ERROR (bye)")
