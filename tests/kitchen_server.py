"""A real gRPC server (grpcio) of `kitchen.v1.KitchenService`, which gives back what it gets, and what reached it."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from grpc_reflection.v1alpha import reflection

from inspector.schema import Schema

PROTOS = Path(__file__).parents[1] / "protos"
SERVICE = "kitchen.v1.KitchenService"
PATIENCE = 30


class Kitchen(grpc.GenericRpcHandler):
    """Remembers the bytes of requests, and the metadata of calls."""

    def __init__(self, schema):
        self._schema = schema
        self.requests = []
        self.metadata = []
        self.cancelled = threading.Event()

    def service(self, details):
        path, name = details.method.split("/")[1:]
        if path != SERVICE or not hasattr(self, name):
            return None
        method = self._schema.method(f"{path}/{name}")
        kind = "stream" if method.client_streaming else "unary", "stream" if method.server_streaming else "unary"
        make = getattr(grpc, f"{kind[0]}_{kind[1]}_rpc_method_handler")

        if "x-none" in dict(details.invocation_metadata):  # OK without an answer, which a unary handler cannot give
            return grpc.unary_stream_rpc_method_handler(lambda request, context: iter(()))

        def noting(request, context):
            self.metadata.append(list(context.invocation_metadata()))
            self.remaining = context.time_remaining()
            return getattr(self, name)(request, context)

        return make(noting, request_deserializer=self._read, response_serializer=None)

    def _read(self, data):
        self.requests.append(data)
        return data

    def Echo(self, request, context):
        asked = dict(context.invocation_metadata())
        context.send_initial_metadata((("x-served-by", "kitchen"),))
        context.set_trailing_metadata((("x-count", "1"),))
        if "x-fail" in asked:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, asked["x-fail"])
        if "x-wait" in asked:
            context.add_callback(self.cancelled.set)
            self.cancelled.wait(PATIENCE)
        return request

    def Repeat(self, request, context):
        for _ in range(3):
            yield request

    def Collect(self, requests, context):
        return b"".join(requests)

    def Talk(self, requests, context):
        context.add_callback(self.cancelled.set)
        yield from requests


@contextlib.contextmanager
def serving(address="127.0.0.1:0"):
    """A server: where it listens (with `grpc://`, or `unix:`), and its handler."""
    schema = Schema.from_source(str(PROTOS))
    schema.method(f"{SERVICE}/Echo")  # loads the file, so that reflection finds it
    handler = Kitchen(schema)
    server = grpc.server(ThreadPoolExecutor(16), handlers=(handler,), options=(("grpc.so_reuseport", 0),))
    reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), server, pool=schema.pool)
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield address if address.startswith("unix:") else f"grpc://127.0.0.1:{port}", handler
    finally:
        server.stop(None).wait()
