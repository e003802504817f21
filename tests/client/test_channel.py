"""Calls over a channel, against a server of grpcio."""

from __future__ import annotations

import asyncio
import base64

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from inspector.client.channel import Channel
from inspector.client.events import Ended, ResponseHeaders, ResponseMessage
from inspector.client.protocols.base import timeout_text
from inspector.client.settings import ConnectSettings
from inspector.errors import ConnectError, InputError

PREDICT = "/vision.v1.PredictionService/Predict"
WATCH = "/vision.v1.PredictionService/WatchVideo"
UPLOAD = "/vision.v1.PredictionService/UploadDataset"
CONVERSE = "/vision.v1.PredictionService/Converse"
PATIENCE = 20
"""Seconds after which a test counts as hung."""

PLAINTEXT = ConnectSettings(plaintext=True)


class Talk:
    """Calls by their JSON values over one channel."""

    def __init__(self, channel, schema):
        self.channel, self._schema = channel, schema

    def request(self, path, value):
        return ParseDict(value, self._schema.message_class(self._schema.method(path).input_type)()).SerializeToString()

    def answers(self, path, events):
        kind = self._schema.message_class(self._schema.method(path).output_type)
        messages = [event for event in events if isinstance(event, ResponseMessage)]
        return [MessageToDict(kind.FromString(message.data)) for message in messages]

    async def call(self, path, *values, **settings):
        call = self.channel.start(path, **settings)
        for value in values:
            await call.send(self.request(path, value))
        await call.end()
        return [event async for event in call]


@pytest.fixture
def talk(server, schema):
    """Runs `body(Talk)` with a channel to the server."""

    def run(body, address="plain", settings=PLAINTEXT):
        async def main():
            async with asyncio.timeout(PATIENCE), await Channel.open(server[address], settings) as channel:
                return await body(Talk(channel, schema))

        return asyncio.run(main())

    return run


def text(content, model="models/any"):
    return {"model": model, "text": {"content": content}}


def film(frames, model="models/any"):
    return {"model": model, "video": {"length": f"{frames}s"}}


def test_a_unary_call_gives_headers_the_answer_and_the_status(talk):
    async def body(talk):
        events = await talk.call(PREDICT, text("fox"))
        assert [type(event) for event in events] == [ResponseHeaders, ResponseMessage, Ended]
        assert talk.answers(PREDICT, events)[0]["name"] == "fox"
        assert ("x-served-by", "replica-2") in events[0].fields
        assert events[0].fields[0] == (":status", "200")
        assert (events[2].status.code, events[2].status.source) == (0, "trailers")
        assert events[0].time <= events[1].time <= events[2].time

    talk(body)


@pytest.mark.parametrize("door", ["plain", "unix"])
def test_all_kinds_of_calls(talk, door):
    async def body(talk):
        frames = await talk.call(WATCH, film(5))
        assert [each["frame"].get("number", "0") for each in talk.answers(WATCH, frames)] == ["0", "1", "2", "3", "4"]
        stored = await talk.call(UPLOAD, {"header": {"dataset": "garden"}}, {"example": {}}, {"example": {}})
        assert talk.answers(UPLOAD, stored) == [{"dataset": "garden", "stored": "2"}]
        turns = await talk.call(CONVERSE, {"text": "one"}, {"text": "two"})
        assert talk.answers(CONVERSE, turns) == [{"turn": 1, "text": "one"}, {"turn": 2, "text": "two"}]

    talk(body, door)


def test_a_conversation_goes_turn_by_turn(talk):
    async def body(talk):
        call = talk.channel.start(CONVERSE)
        for number in range(1, 20):
            await call.send(talk.request(CONVERSE, {"text": str(number)}))
            event = await anext(call)
            while not isinstance(event, ResponseMessage):
                event = await anext(call)
            assert talk.answers(CONVERSE, [event]) == [{"turn": number, "text": str(number)}]
        await call.end()
        assert [event.status.name async for event in call] == ["OK"]

    talk(body)


def test_metadata_goes_both_ways(talk):
    async def body(talk):
        octets = bytes(range(256))
        sent = (
            ("x-tag", "a, b"),
            ("x-tag", "c"),
            ("X-Trace-Bin", octets),
            ("x-b64-bin", base64.b64encode(b"\xff\xfe").decode()),
        )
        headers, _, end = await talk.call(PREDICT, text("fox"), metadata=sent)
        received = [field for field in headers.fields if field[0].startswith("x-")]
        assert received[:2] == [("x-tag", "a, b"), ("x-tag", "c")]
        assert base64.b64decode(dict(received)["x-trace-bin"] + "==") == octets
        assert dict(received)["x-b64-bin"].rstrip("=") == "//4"
        assert base64.b64decode(dict(end.trailers)["x-trace-back-bin"] + "==") == octets

    talk(body)


def test_an_error_has_its_details(talk):
    async def body(talk):
        end = (await talk.call(PREDICT, text("", "models/strict")))[-1]
        assert (end.status.code, end.status.name, end.status.message) == (3, "INVALID_ARGUMENT", "the image is empty")
        assert b"IMAGE_EMPTY" in end.status.details
        assert ("x-retry", "never") in end.trailers

    talk(body)


def test_an_error_after_messages_comes_after_them(talk):
    async def body(talk):
        events = await talk.call(WATCH, film(3, "models/damaged"))
        assert len(talk.answers(WATCH, events)) == 3
        assert (events[-1].status.name, events[-1].status.message) == ("DATA_LOSS", "the film is damaged")

    talk(body)


def test_an_unknown_method_is_unimplemented(talk):
    async def body(talk):
        call = talk.channel.start("/no.Such/Method")
        await call.end()
        assert [event async for event in call][-1].status.name == "UNIMPLEMENTED"

    talk(body)


def test_a_deadline_ends_the_call(talk):
    async def body(talk):
        end = (await talk.call(PREDICT, text("", "models/slow"), timeout=0.05))[-1]
        assert end.status.name == "DEADLINE_EXCEEDED"
        events = await talk.call(PREDICT, text("fox"), timeout=100)
        assert 90 <= talk.answers(PREDICT, events)[0]["usage"]["inputTokens"] <= 100

    talk(body)


def test_a_cancelled_call_ends_and_the_channel_goes_on(talk):
    async def body(talk):
        call = talk.channel.start(WATCH)
        await call.send(talk.request(WATCH, film(2, "models/endless")), last=True)
        events = [await anext(call) for _ in range(3)]
        assert len(talk.answers(WATCH, events)) == 2
        call.cancel()
        assert [(event.status.name, event.status.source) async for event in call] == [("CANCELLED", "client")]
        assert (await talk.call(PREDICT, text("fox")))[-1].status.code == 0

    talk(body)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_requests_are_compressed_where_that_is_asked_for(talk, encoding):
    async def body(talk):
        call = talk.channel.start(PREDICT, compress=encoding)
        await call.send(talk.request(PREDICT, text("fox " * 10_000)), last=True)
        events = [event async for event in call]
        assert talk.answers(PREDICT, events)[0]["name"] == "fox " * 10_000
        assert call.wire_sent < 1_000

    talk(body)


def test_compressed_answers_are_read(talk):
    async def body(talk):
        _, message, end = await talk.call(PREDICT, text("fox " * 10_000, "models/gzip"))
        assert (message.encoding, end.status.code) == ("gzip", 0)
        assert message.wire_size < 1_000 < 40_000 < len(message.data)

    talk(body)


def test_an_encoding_that_the_server_lacks_is_refused(talk):
    async def body(talk):
        assert (await talk.call(PREDICT, text("fox"), compress="zstd"))[-1].status.name in ("UNIMPLEMENTED", "INTERNAL")
        with pytest.raises(InputError, match="br"):
            talk.channel.start(PREDICT, compress="br")

    talk(body)


def test_a_server_that_refuses_early_ends_a_client_that_still_sends(talk):
    async def body(talk):
        call = talk.channel.start(UPLOAD)
        assert await call.send(talk.request(UPLOAD, {"header": {"dataset": "closed"}}))
        events = [event async for event in call]
        assert events[-1].status.message == "the dataset is closed"
        assert not await call.send(talk.request(UPLOAD, {"example": {}}))

    talk(body)


def test_long_messages_go_both_ways_where_that_is_allowed(talk):
    content = "x" * (30 << 20)

    async def body(talk):
        events = await talk.call(PREDICT, text(content), max_message=64 << 20)
        assert talk.answers(PREDICT, events)[0]["name"] == content
        end = (await talk.call(PREDICT, text(content)))[-1]
        assert end.status.name == "RESOURCE_EXHAUSTED"
        assert "the limit is 4194304" in end.status.message

    talk(body)


def test_many_calls_at_once(talk):
    async def body(talk):
        found = await asyncio.gather(*(talk.call(PREDICT, text(str(number))) for number in range(200)))
        assert [talk.answers(PREDICT, events)[0]["name"] for events in found] == [str(number) for number in range(200)]

    talk(body)


def test_a_reader_that_does_not_read_holds_no_more_than_the_window(talk):
    async def body(talk):
        slow = talk.channel.start(WATCH)
        await slow.send(talk.request(WATCH, film(30, "models/large")), last=True)
        assert isinstance(await anext(slow), ResponseHeaders)
        for _ in range(30):  # meanwhile other calls go on, and the stream fills up
            assert (await talk.call(PREDICT, text("x" * 100_000)))[-1].status.code == 0
        assert len(slow._buffer) <= 4 << 20
        events = [event async for event in slow]
        assert len(talk.answers(WATCH, events)) == 30
        assert events[-1].status.code == 0

    talk(body)


def test_a_closed_channel_ends_its_calls(talk):
    async def body(talk):
        call = talk.channel.start(WATCH)
        await call.send(talk.request(WATCH, film(1, "models/endless")), last=True)
        await anext(call)
        await talk.channel.close()
        assert [event async for event in call][-1].status.name == "UNAVAILABLE"
        late = talk.channel.start(PREDICT)
        assert not await late.send(b"")
        assert [event async for event in late][-1].status.message == "the channel was closed"

    talk(body)


def test_a_channel_tells_how_it_came_about(talk):
    async def body(talk):
        assert [step.name for step in talk.channel.steps] == ["resolve", "connect", "HTTP/2"]
        assert all(step.started <= step.ended for step in talk.channel.steps)
        assert talk.channel.peer == talk.channel.target.address

    talk(body)


def test_a_port_where_nothing_listens():
    with pytest.raises(ConnectError, match="connection refused"):
        asyncio.run(Channel.open("grpc://127.0.0.1:1"))


def test_a_socket_that_is_not_there(tmp_path):
    with pytest.raises(ConnectError, match="no such file"):
        asyncio.run(Channel.open(f"unix:{tmp_path}/none"))


@pytest.mark.parametrize(
    ("seconds", "header"),
    [(0.0, b"0n"), (0.05, b"50000000n"), (1.5, b"1500000u"), (150, b"150000m"), (2e5, b"200000S"), (1e9, b"277778H")],
)
def test_deadlines_as_headers(seconds, header):
    assert timeout_text(seconds) == header
