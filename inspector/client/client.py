"""Calls with values: JSON in, JSON out, over a channel that is opened when it is needed, and anew after it failed.

The invariant: a call that is left, by an exception or by the end of its block, is over at the server too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence

from inspector.client.answer import Answer, CallError
from inspector.client.call import ClientCall
from inspector.client.channel import Channel
from inspector.client.codec import Codec, Method, Sendable
from inspector.client.endings import cardinality
from inspector.client.events import Ended, ResponseHeaders, ResponseMessage
from inspector.client.settings import DEFAULT_MAX_MESSAGE, CallSettings, ConnectSettings, HeaderValue
from inspector.client.target import Target
from inspector.deferred import deferred
from inspector.errors import DecodeError, InputError
from inspector.model.call import Header, Status
from inspector.schema import Schema
from inspector.wire.json_value import JsonValue

Headers = Mapping[str, HeaderValue] | Iterable[tuple[str, HeaderValue]]
SchemaLike = Schema | str | os.PathLike[str] | Sequence[str] | None

_reflect = deferred("inspector.client.reflection", "reflect")
_ask = deferred("inspector.client.reflection", "ask")


class AsyncClient:
    """A server and its schema, for asyncio and one event loop. Without a `schema` the server is asked for it
    (reflection).

    Other arguments are those of ConnectSettings; `max_message` is the most bytes of one answer.
    """

    def __init__(
        self,
        target: Target | str,
        *,
        schema: SchemaLike = None,
        plaintext: bool | None = None,
        insecure: bool = False,
        cacert: str | None = None,
        cert: str | None = None,
        key: str | None = None,
        authority: str | None = None,
        servername: str | None = None,
        connect_timeout: float = 10.0,
        keepalive_time: float | None = None,
        user_agent: str | None = None,
        protocol: str = "grpc",
        http: str | None = None,
        max_message: int = DEFAULT_MAX_MESSAGE,
    ) -> None:
        """Raises InputError for a target or settings that contradict each other; connects later."""
        self.target = Target.parse(target) if isinstance(target, str) else target
        self.settings = ConnectSettings(
            plaintext=plaintext, insecure=insecure, cacert=cacert, cert=cert, key=key, authority=authority,
            servername=servername, connect_timeout=connect_timeout, keepalive_time=keepalive_time,
            user_agent=user_agent, protocol=protocol, http=http,
        )  # fmt: skip
        self.settings.check(self.target)
        self._max_message = max_message
        self._schema = schema
        self._codec: Codec | None = None
        self._channel: Channel | None = None
        self._opening = asyncio.Lock()
        self._learning = asyncio.Lock()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; the next call opens another one."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def schema(self) -> Schema:
        """The schema that was given, or that of the server. Raises SchemaError, ConnectError."""
        return (await self.codec()).schema

    async def call(
        self,
        method: str,
        messages: Sendable | Sequence[Sendable] = (),
        *,
        metadata: Headers = (),
        timeout: float | None = None,
        compress: str = "identity",
        check: bool = True,
    ) -> Answer:
        """Makes a call (`pkg.Svc/Method`) and waits for its end. A list is one of messages; `timeout` is in seconds.

        Raises CallError for a status other than OK, DecodeError for OK without exactly one answer where the method
        gives no stream, both unless `check` is False; ConnectError, SchemaError, InputError, EncodeError for what
        cannot be sent, DecodeError for an answer that is not of its type.
        """
        codec = await self.codec()
        requests = codec.requests(codec.method(method), messages)
        values: list[JsonValue] = []
        data: list[bytes] = []
        async with self.stream(method, metadata=metadata, timeout=timeout, compress=compress, check=check) as stream:
            feeding = asyncio.ensure_future(stream.send_all(requests))
            try:
                async for value in stream:
                    values.append(value)
                    data.append(stream.data)
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
        assert stream.status is not None
        return Answer(values, data, stream.status, stream.details, stream.headers, stream.trailers)

    def stream(
        self,
        method: str,
        *,
        metadata: Headers = (),
        timeout: float | None = None,
        compress: str = "identity",
        check: bool = True,
    ) -> AsyncStream:
        """A call to send to and read from, turn by turn: `async with client.stream(...) as stream`. Errors are those
        of `call`."""
        pairs = metadata.items() if isinstance(metadata, Mapping) else metadata
        settings = CallSettings(tuple(pairs), timeout, self._max_message, compress)
        return AsyncStream(self, method, settings, check=check)

    async def codec(self) -> Codec:
        """What encodes and decodes by the schema. Raises SchemaError, ConnectError."""
        async with self._learning:
            if self._codec is None:
                self._codec = Codec(await self._load_schema())
            return self._codec

    async def channel(self) -> Channel:
        """The connection; another one where it failed. Raises ConnectError, InputError."""
        async with self._opening:
            if self._channel is not None and self._channel.failure is not None:
                await self.close()
            if self._channel is None:
                self._channel = await Channel.open(self.target, self.settings)
            return self._channel

    async def _load_schema(self) -> Schema:
        given = self._schema
        if isinstance(given, Schema):
            return given
        if given is None:
            by_grpc = self.settings.protocol == "grpc"
            asked = _reflect(await self.channel()) if by_grpc else _ask(self.target, self.settings)
            return Schema((await asked,))
        sources = [os.fspath(given)] if isinstance(given, str | os.PathLike) else given
        return Schema.from_sources(sources)


class AsyncStream:
    """A call in progress. Iterating gives answers as JSON values; `data` is the last one as bytes.

    `status`, `details` and `trailers` are there after the end. Leaving its block cancels what is not over.
    """

    def __init__(self, client: AsyncClient, method: str, settings: CallSettings, *, check: bool) -> None:
        self.headers: tuple[Header, ...] = ()
        self.trailers: tuple[Header, ...] = ()
        self.status: Status | None = None
        self.details: list[JsonValue] = []
        self.data = b""
        self._received = 0
        self._client, self._name, self._settings, self._check = client, method, settings, check
        self._begun: tuple[Codec, Method, ClientCall] | None = None

    async def __aenter__(self) -> AsyncStream:
        codec = await self._client.codec()
        method = codec.method(self._name)
        channel = await self._client.channel()
        chosen = self._settings
        call = channel.start(
            method.path,
            metadata=chosen.metadata,
            timeout=chosen.max_time,
            compress=chosen.compress,
            max_message=chosen.max_message,
            kind=method.kind,
        )
        self._begun = codec, method, call
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.cancel()

    async def send(self, message: Sendable) -> bool:
        """Sends a message; False where the call is over. Raises EncodeError, InputError also for a second message of
        a method that takes one."""
        codec, method, call = self._started
        if call.sent and not method.kind.takes_stream:
            raise InputError(f"{method.path} takes one message, and one was sent")
        return await call.send(codec.encode(method, message))

    async def send_all(self, requests: Sequence[bytes]) -> None:
        """Sends messages that are encoded, and ends the requests."""
        _, _, call = self._started
        for data in requests[:-1]:
            if not await call.send(data):
                return
        await (call.send(requests[-1], last=True) if requests else call.end())

    async def end(self) -> None:
        """No more requests."""
        await self._started[2].end()

    def cancel(self) -> None:
        """Gives the call up, unless it is over."""
        self._started[2].cancel()

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> JsonValue:
        codec, method, call = self._started
        async for event in call:
            if isinstance(event, ResponseMessage):
                self.data = event.data
                self._received += 1
                return codec.decode(method, event.data)
            if isinstance(event, ResponseHeaders):
                self.headers = event.fields
            else:
                self._take_end(codec, method, event)
        raise StopAsyncIteration

    def _take_end(self, codec: Codec, method: Method, event: Ended) -> None:
        self.status, self.trailers = event.status, event.trailers
        self.details = codec.details(event.status.details)
        if self._check and event.status.code:
            raise CallError(method.path, event.status, self.details, self.headers, self.trailers)
        if self._check and not method.kind.returns_stream and (text := cardinality(event.status, self._received)):
            raise DecodeError(f"{method.path}: {text}", code="cardinality")

    @property
    def _started(self) -> tuple[Codec, Method, ClientCall]:
        if self._begun is None:
            raise RuntimeError("a stream begins with its block: async with client.stream(...) as stream")
        return self._begun
