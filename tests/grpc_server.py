"""A grpcio server with the services of protos/, in a process of its own. (pytest puts this folder on the path.)

It listens in plaintext, on a unix socket and with the certificates that it is given, and does what requests say.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from command import environment
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

import inspector

VISION = Path(__file__).parents[1] / "samples" / "vision.binpb"
PREDICTION = "vision.v1.PredictionService"


class GrpcServer:
    """The process. `addresses` has those of `plain` and `unix`, and one for each certificate."""

    def __init__(self, unix_path: str = "", certificates: dict[str, list[str]] | None = None) -> None:
        command = [sys.executable, __file__, unix_path, json.dumps(certificates or {})]
        self._process = subprocess.Popen(
            command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addresses: dict[str, str] = json.loads(self._process.stdout.readline())

    def __getitem__(self, name: str) -> str:
        return self.addresses[name]

    def close(self) -> None:
        with self._process:
            self._process.stdin.close()


def _main(unix_path: str, certificates: dict[str, list[str]]) -> None:
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(300), options=options, compression=grpc.Compression.NoCompression)
    server.add_generic_rpc_handlers((_Service(),))
    addresses = {"plain": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"}
    if unix_path:
        server.add_insecure_port(f"unix:{unix_path}")
        addresses["unix"] = f"unix:{unix_path}"
    for name, files in certificates.items():
        cert, key, *client_ca = (Path(path).read_bytes() for path in files)
        credentials = grpc.ssl_server_credentials(
            [(key, cert)], client_ca[0] if client_ca else None, require_client_auth=bool(client_ca)
        )
        addresses[name] = f"127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}"
    server.start()
    print(json.dumps(addresses), flush=True)
    sys.stdin.read()
    server.stop(0).wait()


class _Service(grpc.GenericRpcHandler):
    """The methods by their paths; messages by the schema."""

    def __init__(self) -> None:
        self._schema = inspector.Schema.from_files(VISION)
        self._gates: dict[str, threading.Event] = {}

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        name = details.method.rpartition("/")[2]
        method = self._schema.find_method(details.method)
        if method is None or not hasattr(self, name):
            return None
        made = {
            "Predict": grpc.unary_unary_rpc_method_handler,
            "WatchVideo": grpc.unary_stream_rpc_method_handler,
            "UploadDataset": grpc.stream_unary_rpc_method_handler,
            "Converse": grpc.stream_stream_rpc_method_handler,
        }[name]
        self.answer = {each: self._schema.message_class(f"vision.v1.{each}") for each in _ANSWERS}
        request = self._schema.message_class(method.input_type)
        return made(
            getattr(self, name),
            request_deserializer=request.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answers with the text of the request and its metadata; the name of the model says what goes wrong."""
        sent = [pair for pair in context.invocation_metadata() if pair[0].startswith("x-")]
        if request.model == "models/gzip":
            context.set_compression(grpc.Compression.Gzip)
        context.send_initial_metadata([*sent, ("x-served-by", "replica-2")])
        context.set_trailing_metadata([(f"{name.removesuffix('-bin')}-back-bin", bytes(value, "latin-1")
                                        if isinstance(value, str) else value) for name, value in sent])  # fmt: skip
        if request.model == "models/slow":
            _wait_for_end(context)
        if request.model == "models/strict":
            _abort(context)
        left = context.time_remaining()
        usage = {"input_bytes": request.ByteSize(), "input_tokens": round(left) if left and left < 1e6 else 0}
        return self.answer["PredictResponse"](name=request.text.content, model=request.model, usage=usage)

    def WatchVideo(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """A frame for each second; `models/endless` then waits, `models/large` gives frames of a megabyte."""
        large = request.model == "models/large"
        for number in range(request.video.length.seconds):
            image = {"uri": "x" * (1 << 20)} if large else {}
            yield self.answer["FrameResult"](frame={"number": number, "thumbnail": image})
        if request.model == "models/endless":
            _wait_for_end(context)
        if request.model == "models/damaged":
            context.abort(grpc.StatusCode.DATA_LOSS, "the film is damaged")

    def UploadDataset(self, parts: Iterator[Any], context: grpc.ServicerContext) -> Any:
        """Counts the pictures; a dataset called `closed` is refused at once."""
        dataset = next(parts).header.dataset
        if dataset == "closed":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the dataset is closed")
        return self.answer["UploadDatasetResponse"](dataset=dataset, stored=sum(1 for _ in parts))

    def Converse(self, turns: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        """Repeats what is said."""
        for number, turn in enumerate(turns, 1):
            yield self.answer["ConverseResponse"](turn=number, text=turn.text)


_ANSWERS = ("PredictResponse", "FrameResult", "UploadDatasetResponse", "ConverseResponse")


def _wait_for_end(context: grpc.ServicerContext) -> None:
    over = threading.Event()
    if context.add_callback(over.set):
        over.wait(30)


def _abort(context: grpc.ServicerContext) -> None:
    status = Status(code=3, message="the image is empty")
    status.details.add().Pack(ErrorInfo(reason="IMAGE_EMPTY", domain="vision.example"))
    context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString()), ("x-retry", "never")])
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the image is empty")


if __name__ == "__main__":
    _main(sys.argv[1], json.loads(sys.argv[2]))
