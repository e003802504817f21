"""Makes calls of all four kinds and writes down what really went over the wire."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from recording.dumpcap import Trouble
from recording.journal import Call, Journal, pairs

PATIENCE = 20.0
"""Seconds that a step which needs no waiting may take before something is wrong."""


def find_method(path: str) -> MethodDescriptor:
    """The method of a path such as `/vision.v1.PredictionService/Predict`."""
    service, name = path.strip("/").split("/")
    return descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]


def kind_of(method: MethodDescriptor) -> str:
    """`unary`, `server_streaming`, `client_streaming` or `bidi_streaming`."""
    return {
        (False, False): "unary",
        (False, True): "server_streaming",
        (True, False): "client_streaming",
        (True, True): "bidi_streaming",
    }[method.client_streaming, method.server_streaming]


class Client:
    """One channel, whose calls go to a journal. Ids of calls count up from `PREFIX-001`."""

    def __init__(self, target: str, journal: Journal, prefix: str, options: Sequence[tuple[str, Any]] = ()) -> None:
        own = ("grpc.use_local_subchannel_pool", 1)
        self.channel = grpc.insecure_channel(target, options=[own, *options])
        self.journal = journal
        self._ids = (f"{prefix}-{number:03d}" for number in itertools.count(1))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()

    def begin(self, path: str, metadata: Sequence[tuple[str, str | bytes]], **entry: Any) -> tuple[Call, list[Any]]:
        """A new entry in the journal, and the metadata to send with it."""
        sent: list[Any] = [("x-request-id", next(self._ids)), *metadata]
        method = find_method(path)
        types = (method.input_type.full_name, method.output_type.full_name)
        return self.journal.begin(Call(sent[0][1], path, kind_of(method), types, pairs(sent), **entry)), sent

    def call(
        self,
        path: str,
        *requests: Message,
        metadata: Sequence[tuple[str, str | bytes]] = (),
        timeout: float | None = None,
        compression: grpc.Compression | None = None,
        cancel_after: int | None = None,
        keep_open: bool = False,
        **entry: Any,
    ) -> Call:
        """Makes one call and waits for its end.

        `cancel_after` cancels a stream of responses after so many of them. `keep_open` does not end the stream of
        requests before the server ends the call. `entry` goes to the journal.
        """
        call, sent = self.begin(path, metadata, deadline=timeout, **entry)
        over = threading.Event()
        invoke = _invoker(self.channel, path, call)
        argument: Any = requests[0]
        if find_method(path).client_streaming:
            argument = _stream(requests, over if keep_open else None)
        if find_method(path).server_streaming:
            rpc = invoke(argument, timeout=timeout, metadata=sent, compression=compression)
            rpc.add_callback(over.set)
            _read(rpc, cancel_after)
        else:
            rpc = _await(invoke, argument, timeout=timeout, metadata=sent, compression=compression)
            over.set()
        return _finish(call, rpc)

    def unknown(self, path: str, **entry: Any) -> Call:
        """Calls a method that no schema has, with an empty message."""
        sent = [("x-request-id", next(self._ids))]
        types = ("google.protobuf.Empty", "google.protobuf.Empty")
        call = self.journal.begin(Call(sent[0][1], path, "unary", types, [list(sent[0])], **entry))
        rpc = _await(self.channel.unary_unary(path, _writer(call), _reader(call, Empty)), Empty(), metadata=sent)
        return _finish(call, rpc)

    def converse(self, path: str, metadata: Sequence[tuple[str, str | bytes]] = (), **options: Any) -> Dialogue:
        """Opens a bidirectional call that is led step by step."""
        compression = options.pop("compression", None)
        call, sent = self.begin(path, metadata, **options)
        return Dialogue(call, _invoker(self.channel, path, call), sent, compression)


class Dialogue:
    """A bidirectional call in which each request waits for the answers to the one before."""

    def __init__(self, call: Call, invoke: Any, metadata: list[Any], compression: grpc.Compression | None) -> None:
        self.call = call
        self._requests: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._rpc = invoke(iter(self._requests.get, None), metadata=metadata, compression=compression)

    def say(self, request: Message, answers: int) -> None:
        """Sends a request, reads so many answers."""
        self._requests.put(request)
        for _ in range(answers):
            next(self._rpc)

    def end(self) -> Call:
        """No more requests; waits for the end of the call."""
        self._requests.put(None)
        _read(self._rpc, None)
        return _finish(self.call, self._rpc)

    def cancel(self) -> Call:
        """Gives up."""
        self._rpc.cancel()
        self._requests.put(None)
        return _finish(self.call, self._rpc)


def _invoker(channel: grpc.Channel, path: str, call: Call) -> Any:
    method = find_method(path)
    make = {
        "unary": channel.unary_unary,
        "server_streaming": channel.unary_stream,
        "client_streaming": channel.stream_unary,
        "bidi_streaming": channel.stream_stream,
    }[call.kind]
    return make(path, _writer(call), _reader(call, message_factory.GetMessageClass(method.output_type)))


def _writer(call: Call) -> Callable[[Message], bytes]:
    def write(message: Message) -> bytes:
        call.requests.append(message)
        return message.SerializeToString()

    return write


def _reader(call: Call, kind: type[Message]) -> Callable[[bytes], Message]:
    def read(data: bytes) -> Message:
        message = kind.FromString(data)
        call.responses.append(message)
        return message

    return read


def _stream(requests: Sequence[Message], until: threading.Event | None) -> Iterator[Message]:
    yield from requests
    if until is not None:
        until.wait(PATIENCE)


def _await(invoke: Any, argument: Any, **options: Any) -> Any:
    try:
        return invoke.with_call(argument, **options)[1]
    except grpc.RpcError as error:
        return error


def _read(rpc: Any, cancel_after: int | None) -> None:
    try:
        for count, _ in enumerate(rpc, 1):
            if count == cancel_after:
                rpc.cancel()
    except grpc.RpcError:
        return


def _finish(call: Call, rpc: Any) -> Call:
    code = rpc.code()
    if not isinstance(code, grpc.StatusCode):
        raise Trouble(f"{call.id}: no status")
    call.finish(code, rpc.details() or "", rpc.initial_metadata() or (), rpc.trailing_metadata() or ())
    return call
