"""A real gRPC server (grpcio) of the sample service `vision.v1.PredictionService`, and what reached it."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import json_format
from grpc_reflection.v1alpha import reflection

from inspector.schema import Schema

ROOT = "vision.v1."
SERVICE = f"{ROOT}PredictionService"
PATIENCE = 30


class Predictions(grpc.GenericRpcHandler):
    """Answers all kinds of calls, and remembers metadata and messages as JSON values."""

    def __init__(self, schema):
        self._schema = schema
        self.metadata = []
        self.requests = []
        self.asked = []  # metadata of what is asked by reflection
        self.cancelled = threading.Event()

    def service(self, details):
        path, name = details.method.split("/")[1:]
        method = path == SERVICE and self._schema.find_method(f"{path}/{name}")
        if not method or not hasattr(self, name):
            return None
        kind = "stream" if method.client_streaming else "unary", "stream" if method.server_streaming else "unary"
        make = getattr(grpc, f"{kind[0]}_{kind[1]}_rpc_method_handler")
        reader = self._schema.message_class(method.input_type).FromString

        def read(data):
            message = reader(data)
            self.requests.append(json_format.MessageToDict(message))
            return message

        def noting(request, context):
            self.metadata.append(dict(context.invocation_metadata()))
            return getattr(self, name)(request, context)

        return make(noting, request_deserializer=read, response_serializer=lambda message: message.SerializeToString())

    def _new(self, type_name, **fields):
        return json_format.ParseDict(fields, self._schema.message_class(ROOT + type_name)())

    def Predict(self, request, context):
        context.send_initial_metadata((("x-served-by", "test"),))
        context.set_trailing_metadata((("x-trace-bin", b"\0\1"),))
        if request.model == "fail":
            self._fail(context)
        if request.model == "wait":
            context.add_callback(self.cancelled.set)
            self.cancelled.wait(PATIENCE)
        return self._new("PredictResponse", name=request.context.request_id, model=request.model)

    def _fail(self, context):
        details = self._schema.message_class("google.rpc.BadRequest")
        status = self._schema.message_class("google.rpc.Status")(code=3, message="no")
        reason = details()
        reason.field_violations.add(field="image", description="empty \x1b[31m")
        status.details.add().Pack(reason)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the image is \x1b[31m empty")

    def WatchVideo(self, request, context):
        context.add_callback(self.cancelled.set)
        for number in range(5):
            yield self._new("FrameResult", progress=number / 4)
        if request.model == "forever":
            self.cancelled.wait(PATIENCE)

    def UploadDataset(self, requests, _):
        return self._new("UploadDatasetResponse", stored=str(sum(1 for _ in requests)))

    def Converse(self, requests, _):
        for turn, request in enumerate(requests, 1):
            yield self._new("ConverseResponse", turn=turn, text=request.text.upper())


class _Noting(grpc.ServerInterceptor):
    def __init__(self, handler):
        self._handler = handler

    def intercept_service(self, continuation, details):
        if "reflection" in details.method:
            self._handler.asked.append(dict(details.invocation_metadata))
        return continuation(details)


@contextlib.contextmanager
def serving(schema_source, address="127.0.0.1:0", credentials=None):
    """A server: where it listens, and its handler."""
    schema = Schema.from_source(str(schema_source))
    schema.method(f"{SERVICE}/Predict")  # loads the file, so that reflection finds it
    handler = Predictions(schema)
    server = grpc.server(ThreadPoolExecutor(16), (handler,), (_Noting(handler),), options=(("grpc.so_reuseport", 0),))
    reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), server, pool=schema.pool)
    if credentials is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, credentials)
    server.start()
    try:
        yield (address if address.startswith("unix:") else f"127.0.0.1:{port}"), handler
    finally:
        server.stop(None).wait()
