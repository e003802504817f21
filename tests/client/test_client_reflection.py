"""The clients without a schema: they ask the server for it, and work as with one."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import odd_servers
import pytest
from command import SCHEMA
from typed_server import SERVICE, serving

import inspector
from inspector.errors import ConnectError, SchemaError

PREDICT, WATCH = f"{SERVICE}/Predict", f"{SERVICE}/WatchVideo"
UPLOAD, CONVERSE = f"{SERVICE}/UploadDataset", f"{SERVICE}/Converse"


@pytest.fixture(scope="module")
def listening():
    with serving(SCHEMA) as made:
        yield made


@pytest.fixture
def client(listening):
    with inspector.Client(f"grpc://{listening[0]}") as made:
        yield made


def test_all_kinds_of_calls(client):
    assert client.call(PREDICT, {"model": "m"}).message == {"model": "m"}
    assert len(client.call(WATCH).messages) == 5
    assert client.call(UPLOAD, [{}, {}, {}]).message == {"stored": "3"}
    assert [each["text"] for each in client.call(CONVERSE, [{"text": "a"}, {"text": "b"}]).messages] == ["A", "B"]


@pytest.mark.parametrize(
    ("method", "requests", "count"), [(PREDICT, [{}], 1), (WATCH, [{}], 5), (UPLOAD, [{}, {}], 1), (CONVERSE, [{}], 1)]
)
def test_all_kinds_of_streams(client, method, requests, count):
    with client.stream(method) as stream:
        for request in requests:
            assert stream.send(request)
        stream.end()
        assert len(list(stream)) == count
    assert stream.status.code == 0


def test_the_schema_is_that_of_the_server(client):
    assert client.schema.method(PREDICT).input_type.full_name == "vision.v1.PredictRequest"
    assert client.schema is client.schema


def test_details_of_a_status_are_read_by_the_schema_of_the_server(client):
    with pytest.raises(inspector.CallError, match="INVALID_ARGUMENT: the image is") as caught:
        client.call(PREDICT, {"model": "fail"})
    assert "\x1b" not in str(caught.value)
    assert caught.value.where == f"/{PREDICT}"


def test_a_deadline_ends_a_call_and_the_server_knows():
    with serving(SCHEMA) as (address, handler), inspector.Client(f"grpc://{address}") as client:
        with pytest.raises(inspector.CallError, match="DEADLINE_EXCEEDED"):
            client.call(PREDICT, {"model": "wait"}, timeout=0.1)
        assert handler.cancelled.wait(30)


def test_a_deadline_ends_a_stream():
    with serving(SCHEMA) as (address, _), inspector.Client(f"grpc://{address}") as client:
        client.call(PREDICT)
        with client.stream(WATCH, timeout=0.5) as stream:
            stream.send({"model": "forever"})
            stream.end()
            with pytest.raises(inspector.CallError, match="DEADLINE_EXCEEDED"):
                list(stream)


def test_an_unknown_method_is_told(client):
    with pytest.raises(SchemaError, match="Predikt"):
        client.call(f"{SERVICE}/Predikt")


def test_several_threads_share_a_client(client):
    start = threading.Barrier(8)

    def ask(number):
        start.wait(30)
        return client.call(PREDICT, {"model": str(number)}).message["model"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [str(number) for number in range(8)]


def test_a_closed_client_is_of_no_use_and_closes_twice(listening):
    client = inspector.Client(f"grpc://{listening[0]}")
    with client.stream(CONVERSE) as stream:
        stream.send({"text": "a"})
        assert next(stream)["text"] == "A"
    client.close()
    client.close()
    for use in (lambda: client.call(PREDICT), lambda: client.schema, lambda: next(stream)):
        with pytest.raises(RuntimeError, match="the client is closed"):
            use()


def test_a_client_that_is_closed_within_a_stream_leaves_its_block_in_peace(listening):
    client = inspector.Client(f"grpc://{listening[0]}")
    with client.stream(CONVERSE) as stream:
        stream.send({"text": "a"})
        client.close()
    assert stream.status is None


def test_closing_a_client_ends_the_calls_of_other_threads():
    with serving(SCHEMA) as (address, handler), ThreadPoolExecutor(1) as pool:
        client = inspector.Client(f"grpc://{address}")
        with client.stream(WATCH) as stream:
            stream.send({"model": "forever"})
            stream.end()
            assert [next(stream) for _ in range(5)]
            waiting = pool.submit(lambda: next(stream))
            client.close()
            with pytest.raises((inspector.CallError, RuntimeError), match="closed"):
                waiting.result(30)
        assert handler.cancelled.wait(30)


def test_closing_a_client_ends_a_call_that_still_connects():
    asked = threading.Event()

    def behave(peer):
        asked.set()
        odd_servers.silent(peer)

    with odd_servers.serving(behave) as address, ThreadPoolExecutor(1) as pool:
        client = inspector.Client(f"grpc://{address}", connect_timeout=60)
        waiting = pool.submit(client.call, PREDICT)
        assert asked.wait(30)
        client.close()
        with pytest.raises(RuntimeError, match="closed"):
            waiting.result(30)


def test_a_server_that_is_gone_is_a_connect_error():
    with serving(SCHEMA) as (address, _):
        pass
    with inspector.Client(f"grpc://{address}") as client, pytest.raises(ConnectError, match="connection refused"):
        client.call(PREDICT)


def test_an_async_client_asks_once_for_all_its_calls(listening):
    async def main():
        async with inspector.AsyncClient(f"grpc://{listening[0]}") as client:
            answers = await asyncio.gather(*(client.call(PREDICT, {"model": str(n)}) for n in range(5)))
            assert await client.schema() is await client.schema()
            return [answer.message["model"] for answer in answers]

    assert asyncio.run(main()) == ["0", "1", "2", "3", "4"]


def test_a_stream_is_used_as_a_block(client):
    with pytest.raises(RuntimeError, match="a stream begins with its block"):
        next(client.stream(CONVERSE))
