"""The client without asyncio: the same calls, on a loop in a thread of its own.

The invariant: everything of asyncio is touched in that thread alone.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine, Sequence
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from inspector.client.answer import Answer
from inspector.client.client import AsyncClient, AsyncStream
from inspector.client.codec import Sendable
from inspector.client.target import Target
from inspector.model.call import Header, Status
from inspector.schema import Schema
from inspector.wire.json_value import JsonValue

T = TypeVar("T")


class Client:
    """A server and its schema. Arguments, and errors, are those of AsyncClient; close it, or use it as a block. One
    that nobody holds any more is closed too."""

    def __init__(self, target: Target | str, **options: Any) -> None:
        """Raises InputError for a target or settings that contradict each other; connects later."""
        self._client = AsyncClient(target, **options)
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=_serve, args=(self._loop, self._client), name="inspector-client", daemon=True)
        thread.start()
        self._stop = weakref.finalize(self, _stop, self._loop, thread)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection, and ends the thread; calls of other threads end with an error. The client is of no
        use afterwards."""
        if self._stop.alive:
            self.run(self._client.close())
            self._stop()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return not self._stop.alive

    @property
    def schema(self) -> Schema:
        """The schema that was given, or that of the server. Raises SchemaError, ConnectError."""
        return self.run(self._client.schema())

    def call(self, method: str, messages: Sendable | Sequence[Sendable] = (), **options: Any) -> Answer:
        """See AsyncClient.call."""
        return self.run(self._client.call(method, messages, **options))

    def stream(self, method: str, **options: Any) -> Stream:
        """See AsyncClient.stream: `with client.stream(...) as stream`."""
        return Stream(self, self._client.stream(method, **options))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs it in the client's thread, and waits; it is cancelled where the wait is interrupted."""
        if self.is_closed:
            work.close()
            raise RuntimeError("the client is closed")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise RuntimeError("the client was closed meanwhile") from None
        except BaseException:
            future.cancel()
            raise


class Stream:
    """See AsyncStream."""

    def __init__(self, client: Client, stream: AsyncStream) -> None:
        self._client, self._stream = client, stream

    def __enter__(self) -> Stream:
        self._client.run(self._stream.__aenter__())
        return self

    def __exit__(self, *exception: object) -> None:
        self.cancel()

    def send(self, message: Sendable) -> bool:
        """Sends a message; False where the call is over. Raises EncodeError, InputError."""
        return self._client.run(self._stream.send(message))

    def end(self) -> None:
        """No more requests."""
        self._client.run(self._stream.end())

    def cancel(self) -> None:
        """Gives the call up, unless it is over; closing the client has ended it too."""
        if not self._client.is_closed:
            self._client.run(self._stream.__aexit__())

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> JsonValue:
        found: list[JsonValue] = self._client.run(_next(self._stream))
        if not found:
            raise StopIteration
        return found[0]

    @property
    def status(self) -> Status | None:
        """None before the end."""
        return self._stream.status

    @property
    def details(self) -> list[JsonValue]:
        return self._stream.details

    @property
    def headers(self) -> tuple[Header, ...]:
        return self._stream.headers

    @property
    def trailers(self) -> tuple[Header, ...]:
        return self._stream.trailers

    @property
    def data(self) -> bytes:
        """The last answer as bytes."""
        return self._stream.data


async def _next(stream: AsyncStream) -> list[JsonValue]:
    """The next answer; none at the end. (A future cannot carry StopIteration.)"""
    async for value in stream:
        return [value]
    return []


def _serve(loop: asyncio.AbstractEventLoop, client: AsyncClient) -> None:
    loop.run_forever()
    left = asyncio.all_tasks(loop)
    for task in left:  # somebody waits for each of them
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.run_until_complete(client.close())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    if thread is not threading.current_thread():
        thread.join()
