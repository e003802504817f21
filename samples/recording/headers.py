"""The capture for HPACK: header compression whose state matters from call to call."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence

import grpc
import h2.config
import h2.connection
import h2.events
from google.protobuf import message_factory
from google.protobuf.message import Message
from vision.v1.prediction_service_pb2 import GetPredictionRequest

from recording import data
from recording.client import Client, find_method, kind_of
from recording.dumpcap import Recording
from recording.journal import Call, Journal, pairs
from recording.scenarios import FRAMES, MODELS, PREDICTION, Stage, every_model_method
from recording.service import Server

SECRETS: list[tuple[str, str | bytes]] = [
    ("authorization", "Bearer example-token"),
    ("x-api-key", "example-key-0123456789"),
    ("cookie", "session=example-session"),
]
NAMES = {code.value[0]: code for code in grpc.StatusCode}


def hpack(stage: Stage) -> None:
    """Three connections: grpcio, grpcio with a small table, and a client that puts all its metadata in the table."""
    roomy = [("grpc.max_metadata_size", 65_536), ("grpc.absolute_max_metadata_size", 65_536)]
    with Recording(stage.port) as recording, Server(stage.journal, stage.port, options=[*roomy, *FRAMES]) as server:
        with Client(server.target, stage.journal, "plain", roomy) as client:
            _plain(client)
        small = [("grpc.http2.hpack_table_size.encoder", 192), ("grpc.http2.hpack_table_size.decoder", 64)]
        with Client(server.target, stage.journal, "small", small) as client:
            for _ in range(2):
                every_model_method(client, SECRETS[:1])
        with IndexingClient(server.target, stage.journal, "index") as indexing:
            _indexing(indexing)
    stage.save("hpack", recording.packets)


def _plain(client: Client) -> None:
    rng = random.Random(7)
    get = GetPredictionRequest(name="predictions/1")
    for number in range(6):
        changing: list[tuple[str, str | bytes]] = [
            ("x-tenant", "garden"),
            ("x-trace-bin", rng.randbytes(16)),
            ("x-step", str(number)),
        ]
        client.call(f"{PREDICTION}/GetPrediction", get, metadata=[*SECRETS, *changing], timeout=5)
    long: list[tuple[str, str | bytes]] = [("x-baggage", ",".join(f"k{n}={rng.random():.12f}" for n in range(1_200)))]
    client.call(f"{PREDICTION}/GetPrediction", get, metadata=long, note="HEADERS and CONTINUATION frames")
    client.call(f"{PREDICTION}/GetPrediction", get, metadata=[("x-empty", ""), ("x-twice", "a"), ("x-twice", "b")])
    client.call(f"{PREDICTION}/Predict", data.ask_text(1), metadata=[("x-blob-bin", rng.randbytes(700))])
    every_model_method(client, [("x-tenant", "garden")])


def _indexing(client: IndexingClient) -> None:
    rng = random.Random(8)
    get = GetPredictionRequest(name="predictions/1")
    for number in range(24):
        metadata = [("x-tenant", "garden"), ("x-step", str(number % 4)), ("x-trace-bin", rng.randbytes(16))]
        metadata.append((f"x-note-{number % 5}", f"{rng.randrange(10**30):030d}" * 6))
        client.call(f"{PREDICTION}/GetPrediction", get, [*SECRETS, *metadata])
    client.resize(256)
    client.call(f"{MODELS}/GetModel", _request(f"{MODELS}/GetModel", name=data.WILDLIFE), SECRETS)
    client.resize(4096)
    client.call(f"{PREDICTION}/GetPrediction", get, [*SECRETS, ("x-tenant", "garden")])
    client.call(f"{PREDICTION}/GetPrediction", get, [*SECRETS, ("x-tenant", "garden")])


def _request(path: str, **fields: object) -> Message:
    return message_factory.GetMessageClass(find_method(path).input_type)(**fields)


class IndexingClient:
    """Unary calls over the package h2, which puts metadata in the HPACK table (grpcio never does that)."""

    def __init__(self, target: str, journal: Journal, prefix: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target, self._journal, self._prefix = target, journal, prefix
        self._count = 0
        self._socket = socket.create_connection((host, int(port)), timeout=15)
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._http.initiate_connection()
        self._flush()

    def __enter__(self) -> IndexingClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close_connection()
        self._flush()
        self._socket.close()

    def resize(self, size: int) -> None:
        """Changes the size of the table that requests are compressed with."""
        self._http.encoder.header_table_size = size

    def call(self, path: str, request: Message, metadata: Sequence[tuple[str, str | bytes]]) -> None:
        """Makes one call and waits for its end."""
        self._count += 1
        method = find_method(path)
        sent = [("x-request-id", f"{self._prefix}-{self._count:03d}"), *metadata]
        types = (method.input_type.full_name, method.output_type.full_name)
        call = self._journal.begin(Call(sent[0][1], path, kind_of(method), types, pairs(sent)))
        stream = self._http.get_next_available_stream_id()
        self._http.send_headers(stream, self._headers(path, pairs(sent)))
        body = request.SerializeToString()
        self._http.send_data(stream, b"\0" + len(body).to_bytes(4) + body, end_stream=True)
        call.requests.append(request)
        self._flush()
        self._receive(call, message_factory.GetMessageClass(method.output_type))

    def _headers(self, path: str, metadata: list[list[str]]) -> list[tuple[str, str]]:
        fixed = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", self._target)]
        fixed += [("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "indexing-client/1.0")]
        return [*fixed, *((name, value.rstrip("=") if name.endswith("-bin") else value) for name, value in metadata)]

    def _receive(self, call: Call, kind: type[Message]) -> None:
        body, blocks, over = b"", [], False
        while not over:
            for event in self._http.receive_data(self._socket.recv(65_536)):
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                    self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                    blocks.append(dict(event.headers))
                over = over or isinstance(event, h2.events.StreamEnded)
            self._flush()
        call.responses.append(kind.FromString(body[5:]))
        initial, trailing = blocks
        code = NAMES[int(trailing.pop("grpc-status"))]
        hidden = {":status", "content-type"}
        shown = [(name, value) for name, value in initial.items() if name not in hidden]
        call.finish(code, trailing.get("grpc-message", ""), shown, trailing.items())

    def _flush(self) -> None:
        self._socket.sendall(self._http.data_to_send())
