"""The clients that take and give values, by Connect and gRPC-Web, against a server of @connectrpc/connect-node."""

from __future__ import annotations

import asyncio

import node_peer
import pytest
import typed_server
from command import SCHEMA

import inspector

SERVICE = "vision.v1.PredictionService"
PREDICT, WATCH = f"{SERVICE}/Predict", f"{SERVICE}/WatchVideo"
UPLOAD, CONVERSE = f"{SERVICE}/UploadDataset", f"{SERVICE}/Converse"
DETAILS = [
    {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": "image", "description": "empty"}],
    }
]


@pytest.fixture(scope="module")
def ports():
    with node_peer.serving_web(SCHEMA) as (http1, h2c):
        yield {"1.1": http1, "2": h2c}


@pytest.fixture(params=["1.1", "2"])
def options(request, ports, schema):
    """The first argument of a client, and others, for each version of HTTP."""
    return {"target": f"http://{ports[request.param]}", "http": request.param, "schema": schema}


@pytest.mark.parametrize("protocol", ["grpc-web", "connect"])
def test_a_call_takes_a_value_and_gives_one(options, protocol):
    with inspector.Client(protocol=protocol, **options) as client:
        answer = client.call(PREDICT, {"model": "m"}, metadata={"x-tag": "a", "x-data-bin": b"\0\1"}, timeout=20)
        with pytest.raises(inspector.CallError, match="INVALID_ARGUMENT: the image is empty") as caught:
            client.call(PREDICT, {"model": "fail"})
    assert (answer.message, answer.status.name) == ({"model": "m"}, "OK")
    assert dict(answer.headers)["x-seen"].startswith("a|AAE|")
    assert dict(answer.trailers)["x-cost"] == "7"
    assert caught.value.details == DETAILS


@pytest.mark.parametrize("protocol", ["grpc-web", "connect"])
def test_calls_run_beside_each_other(options, protocol):
    with inspector.Client(protocol=protocol, **options) as client, client.stream(WATCH) as stream:
        assert stream.send({"model": "wait"})
        assert [next(stream) for _ in range(5)][-1] == {"progress": 1.0}
        assert client.call(PREDICT, {"model": "m"}).message == {"model": "m"}
        assert stream.status is None


def test_many_calls_at_once(options):
    async def make():
        async with inspector.AsyncClient(protocol="connect", **options) as client:
            return await asyncio.gather(*(client.call(PREDICT, {"model": str(number)}) for number in range(20)))

    assert [each.message["model"] for each in asyncio.run(make())] == [str(number) for number in range(20)]


def test_a_stream_of_requests(options):
    with inspector.Client(protocol="connect", **options) as client:
        assert client.call(UPLOAD, [{}, {}]).message == {"stored": "2"}
        with client.stream(UPLOAD) as stream:
            assert stream.send({})
            stream.end()
            assert list(stream) == [{"stored": "1"}]


def test_a_stream_goes_turn_by_turn_over_http2(ports, schema):
    with (
        inspector.Client(f"http://{ports['2']}", protocol="connect", http="2", schema=schema) as client,
        client.stream(CONVERSE) as stream,
    ):
        for turn in (1, 2, 3):
            assert stream.send({"text": f"t{turn}"})
            assert next(stream) == {"turn": turn, "text": f"T{turn}"}
        stream.end()
        assert list(stream) == []


@pytest.mark.parametrize("path", ["", "/base"])
def test_a_server_that_speaks_grpc_too_is_asked_for_its_schema(path):
    with (
        typed_server.serving(SCHEMA) as (address, _),
        inspector.Client(f"http://{address}{path}", protocol="connect") as client,
    ):
        assert client.schema.method(PREDICT).name == "Predict"


def test_a_message_larger_than_the_window_is_sent_and_received(options):
    model = "m" * (6 << 20)
    with inspector.Client(protocol="connect", max_message=8 << 20, **options) as client:
        assert client.call(PREDICT, {"model": model}).message == {"model": model}
