"""A real gRPC server (grpcio) of raw messages, with methods of all kinds, and what a client of it sees of a call."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent import futures
from typing import NamedTuple

import grpc

SERVICE = "pkg.Echo"
OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.so_reuseport", 0),  # or a port may be that of two servers at a time
)
DETAILS = b"\x08\x05\x12\x04gone"


class Echo(grpc.GenericRpcHandler):
    """Answers with what it was sent, with metadata, and in trouble if asked for it. Messages are bytes as they are."""

    def __init__(self):
        self.cancelled = threading.Event()

    def service(self, details):
        name = details.method.rpartition("/")[2]
        kinds = {
            "Unary": grpc.unary_unary_rpc_method_handler,
            "ServerStream": grpc.unary_stream_rpc_method_handler,
            "ClientStream": grpc.stream_unary_rpc_method_handler,
            "Bidi": grpc.stream_stream_rpc_method_handler,
            "Fail": grpc.unary_unary_rpc_method_handler,
            "Wait": grpc.unary_stream_rpc_method_handler,
            "Many": grpc.unary_stream_rpc_method_handler,
        }
        return kinds[name](getattr(self, name)) if name in kinds else None

    def Unary(self, request, context):
        _greet(context)
        return request

    def ServerStream(self, request, context):
        _greet(context)
        for index in range(3):
            yield request + bytes([index])

    def ClientStream(self, requests, context):
        _greet(context)
        return b"".join(requests)

    def Bidi(self, requests, context):
        _greet(context)
        for request in requests:
            yield request
            yield request[::-1]

    def Fail(self, request, context):
        context.set_trailing_metadata((("x-trailer", "sad"), ("grpc-status-details-bin", DETAILS)))
        context.abort(grpc.StatusCode.NOT_FOUND, "keine Größe %")

    def Wait(self, request, context):
        """Says one thing, and then nothing until the client goes."""
        context.add_callback(self.cancelled.set)
        yield request
        while context.is_active():
            time.sleep(0.005)

    def Many(self, request, context):
        """`count size` in text: so many messages of that size."""
        count, size = map(int, request.split())
        body = bytes(size)
        for _ in range(count):
            yield body


def _greet(context):
    asked = dict(context.invocation_metadata())
    if "x-gzip" in asked:
        context.set_compression(grpc.Compression.Gzip)
    back = [(f"{name.removesuffix('-bin')}-back" + "-bin" * name.endswith("-bin"), value)
            for name, value in asked.items() if name.startswith("x-")]  # fmt: skip
    context.send_initial_metadata(back)
    context.set_trailing_metadata((("x-trailer", "end"), ("x-trailer-bin", b"\0\x01\xff")))


@contextlib.contextmanager
def serving(address="127.0.0.1:0", credentials=None, register=lambda server: None):
    """A server; where it listens, and its handler."""
    echo = Echo()
    server = grpc.server(futures.ThreadPoolExecutor(32), handlers=(echo,), options=OPTIONS)
    register(server)
    if credentials is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, credentials)
    server.start()
    try:
        yield (address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"), echo
    finally:
        server.stop(None).wait()


class Seen(NamedTuple):
    """What a client sees of a call."""

    messages: tuple[bytes, ...]
    headers: tuple
    trailers: tuple
    code: str
    details: str


def channel(address, credentials=None, **options):
    more = tuple((name.replace("_", "."), value) for name, value in options.items())
    if credentials is None:
        return grpc.insecure_channel(address, options=(*OPTIONS, *more))
    return grpc.secure_channel(address, credentials, options=(*OPTIONS, *more))


def call(channel, method, requests, metadata=(), **options):
    """Makes a call of any kind, as one of streams both ways, which are the same on the wire."""
    made = channel.stream_stream(f"/{SERVICE}/{method}")(iter(requests), metadata=metadata, **options)
    messages, code = [], None
    try:
        for message in made:
            messages.append(message)
    except grpc.RpcError:
        pass
    code = made.code()
    return Seen(tuple(messages), _plain(made.initial_metadata()), _plain(made.trailing_metadata()),
                code.name, made.details())  # fmt: skip


def _plain(metadata):
    return tuple((name, value) for name, value in metadata or ())
