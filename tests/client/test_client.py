"""The clients that take and give values, against a server of grpcio."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

import odd_servers
import pytest
from command import environment

import inspector
from inspector.errors import DecodeError, EncodeError, InputError, SchemaError

SERVICE = "vision.v1.PredictionService"
PREDICT, WATCH = f"{SERVICE}/Predict", f"{SERVICE}/WatchVideo"
UPLOAD, CONVERSE = f"{SERVICE}/UploadDataset", f"{SERVICE}/Converse"


@pytest.fixture
def client(server, schema):
    with inspector.Client(server["plain"], schema=schema, plaintext=True) as made:
        yield made


def text(content, model="models/any"):
    return {"model": model, "text": {"content": content}}


def test_a_call_takes_a_value_and_gives_one(client):
    answer = client.call(PREDICT, text("fox"), metadata={"x-tag": "a"}, timeout=20)
    assert answer.message["name"] == "fox"
    assert answer.messages == [answer.message]
    assert inspector.decode(answer.data[0], "vision.v1.PredictResponse", schema=client.schema) == answer.message
    assert (answer.status.name, answer.details) == ("OK", [])
    assert ("x-tag", "a") in answer.headers
    assert dict(answer.trailers)["grpc-status"] == "0"


def test_a_message_may_be_given_in_any_form(client):
    request = client.schema.message_class("vision.v1.PredictRequest")(text={"content": "fox"})
    for form in (request, request.SerializeToString(), '{"text": {"content": "fox"}}', {"text": {"content": "fox"}}):
        assert client.call(PREDICT, form).message["name"] == "fox"
        assert client.call(PREDICT, [form]).message["name"] == "fox"


def test_all_kinds_of_calls(client):
    assert len(client.call(WATCH, {"video": {"length": "3s"}}).messages) == 3
    stored = client.call(UPLOAD, [{"header": {"dataset": "garden"}}, {"example": {}}])
    assert stored.message == {"dataset": "garden", "stored": "1"}
    assert [each["text"] for each in client.call(CONVERSE, [{"text": "a"}, {"text": "b"}]).messages] == ["a", "b"]
    assert client.call(PREDICT).message["usage"] == {}  # no message: an empty one


def test_a_stream_goes_turn_by_turn(client):
    with client.stream(CONVERSE) as stream:
        for turn in (1, 2, 3):
            assert stream.send({"text": str(turn)})
            assert next(stream) == {"turn": turn, "text": str(turn)}
        assert stream.status is None
        stream.end()
        assert list(stream) == []
        assert stream.status.name == "OK"


def test_a_stream_that_is_left_is_cancelled(client):
    with client.stream(WATCH) as stream:
        stream.send({"model": "models/endless", "video": {"length": "1s"}})
        stream.end()
        next(stream)
    assert list(client.stream(CONVERSE).__enter__()._client.call(PREDICT).messages)


def test_a_failed_status_raises_with_all_that_is_known(client):
    with pytest.raises(inspector.CallError, match="INVALID_ARGUMENT: the image is empty") as caught:
        client.call(PREDICT, text("", "models/strict"))
    error = caught.value
    assert isinstance(error, inspector.InspectorError)
    assert error.status.code == 3
    assert error.details[0]["reason"] == "IMAGE_EMPTY"
    assert ("x-retry", "never") in error.trailers
    answer = client.call(PREDICT, text("", "models/strict"), check=False)
    assert (answer.status.code, answer.message, answer.details) == (3, None, error.details)


def test_a_failed_stream_gives_what_came_before(client):
    with client.stream(WATCH) as stream:
        stream.send({"model": "models/damaged", "video": {"length": "2s"}})
        stream.end()
        assert [next(stream), next(stream)]
        with pytest.raises(inspector.CallError, match="DATA_LOSS"):
            next(stream)
    assert stream.status.name == "DATA_LOSS"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((PREDICT, {"nope": 1}), EncodeError),
        ((PREDICT, [{}, {}]), InputError),
        ((f"{SERVICE}/Predikt", {}), SchemaError),
        ((PREDICT, inspector.Schema.empty().message_class("google.protobuf.Empty")()), InputError),
    ],
)
def test_mistakes_are_found_before_anything_is_sent(client, arguments, error):
    with pytest.raises(error):
        client.call(*arguments)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e300, "5"])
def test_a_time_that_is_none_is_refused(client, server, seconds):
    with pytest.raises(InputError, match="is not a number of seconds"):
        client.call(PREDICT, timeout=seconds)
    for name in ("connect_timeout", "keepalive_time"):
        with pytest.raises(InputError, match=f"{name} is not a number of seconds"):
            inspector.Client(server["plain"], plaintext=True, **{name: seconds})


@pytest.mark.parametrize("name", ["user_agent", "authority"])
@pytest.mark.parametrize("value", ["a\nb", "\u00e9", "a\x1b"])
def test_a_name_that_a_header_cannot_carry_is_refused(server, name, value):
    with pytest.raises(InputError, match=f"{name} cannot be sent"):
        inspector.Client(server["plain"], plaintext=True, **{name: value})


@pytest.mark.parametrize("value", [1, None, ["1"]])
def test_a_header_that_is_no_text_is_refused(client, value):
    with pytest.raises(InputError, match="the value of the header x-a is neither text nor bytes"):
        client.call(PREDICT, metadata={"x-a": value})


def test_the_same_with_asyncio(server, schema):
    async def main():
        async with inspector.AsyncClient(server["plain"], schema=schema, plaintext=True) as client:
            answers = await asyncio.gather(*(client.call(PREDICT, text(str(number))) for number in range(20)))
            assert [answer.message["name"] for answer in answers] == [str(number) for number in range(20)]
            async with client.stream(CONVERSE) as stream:
                await stream.send({"text": "fox"})
                assert (await anext(stream))["text"] == "fox"
            assert (await client.schema()) is schema

    asyncio.run(main())


def test_a_client_connects_again_after_its_connection_is_gone(server, schema):
    async def main():
        async with inspector.AsyncClient(server["plain"], schema=schema, plaintext=True) as client:
            first = await client.channel()
            await first.close()
            assert (await client.call(PREDICT, text("fox"))).message["name"] == "fox"
            assert await client.channel() is not first

    asyncio.run(main())


def test_a_client_that_is_forgotten_closes_its_connection(server, schema):
    client = inspector.Client(server["plain"], schema=schema, plaintext=True)
    assert client.call(PREDICT, text("fox")).message["name"] == "fox"
    channel = client.run(client._client.channel())
    assert channel.failure is None
    del client
    gc.collect()
    assert channel.failure == "the channel was closed"


def test_a_unary_method_takes_one_message_of_a_stream_too(client):
    with client.stream(PREDICT) as stream:
        assert stream.send(text("fox"))
        with pytest.raises(InputError, match="takes one message"):
            stream.send(text("fox"))


def test_options_that_contradict_each_other_are_refused_at_once():
    with pytest.raises(InputError, match="plaintext"):
        inspector.Client("grpcs://localhost:1", plaintext=True)


def test_importing_the_package_loads_nothing_of_the_network():
    code = "import sys, inspector; print(*{'h2', 'ssl', 'asyncio', 'grpc'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(("bodies", "came"), [((), "no answer"), ((b"", b""), "2 answers")])
def test_an_ok_without_exactly_one_answer_is_an_error(bodies, came, schema):
    with (
        odd_servers.serving(odd_servers.answering(*bodies)) as address,
        inspector.Client(address, schema=schema, plaintext=True) as client,
        pytest.raises(DecodeError, match=f"Predict: OK, but {came} came; the method gives one"),
    ):
        client.call(PREDICT)
    with (
        odd_servers.serving(odd_servers.answering(*bodies)) as address,
        inspector.Client(address, schema=schema, plaintext=True) as client,
    ):
        assert len(client.call(PREDICT, check=False).messages) == len(bodies)
    with (
        odd_servers.serving(odd_servers.answering(*bodies)) as address,
        inspector.Client(address, schema=schema, plaintext=True) as client,
    ):
        assert len(client.call(WATCH).messages) == len(bodies)
