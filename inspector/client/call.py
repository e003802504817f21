"""One call: messages out, events back. What they look like on the way is in the rules of its protocol.

The invariant: iterating ends with one Ended, at the latest at the deadline; bytes that nobody has read are bounded by
the stream's window, as messages are cut out, and decompressed, only when they are asked for.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from inspector import limits
from inspector.client.events import CallEvent, Ended, ResponseHeaders, ResponseMessage, now
from inspector.client.http2 import STREAM_WINDOW, StreamHandler
from inspector.client.protocols.base import Part, RawHeader, Rules
from inspector.errors import DecodeError
from inspector.model.call import Header, Status
from inspector.net import metadata_cy, status
from inspector.net.compression import decompress
from inspector.net.grpc_cy import CANCEL, status_name

_GRANT_STEP = STREAM_WINDOW // 4
"""Bytes that are granted at once: fewer would be many small frames."""


_NO_ERROR = 0


class Stream(Protocol):
    """A request and its response, over any version of HTTP."""

    async def send(self, data: bytes, *, last: bool) -> bool:
        """See http2.Stream."""

    def grant(self, size: int) -> None:
        """See http2.Stream."""

    def reset(self, code: int) -> None:
        """See http2.Stream."""


class Opener(Protocol):
    """What requests are made on: a connection of HTTP/2, or several of HTTP/1.1."""

    def open(self, headers: list[RawHeader], handler: StreamHandler) -> Stream:
        """A new request."""


class ClientCall:
    """A call that has begun. Iterate over it for what comes back; send at the same time.

    `fields` are the request headers, `encoding` is that of the requests. `started`, `ended`, `last_sent` (the last
    request) and `first_byte` (of the response) are in nanoseconds since 1970; `wire_sent` counts the bytes of messages
    as carried, with their prefixes.
    """

    def __init__(
        self,
        connection: Opener,
        headers: list[RawHeader],
        *,
        rules: Rules,
        timeout: float | None,
        max_message: int,
    ) -> None:
        self.fields = _readable(headers)
        self.encoding = rules.encoding
        self.started = now()
        self.ended: int | None = None
        self.last_sent: int | None = None
        self.first_byte: int | None = None
        self.wire_sent = 0
        self.sent = 0
        self._max_message = max_message
        self._rules = rules
        self._is_whole = False
        self._has_ended_itself = False
        self._buffer = bytearray()
        self._ungranted = 0
        self._headers: ResponseHeaders | None = None
        self._has_headers = False
        self._end: Ended | None = None
        self._over = False
        self._refused_room: int | None = None
        self._last_data = self.started
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stream = connection.open(headers, self)
        if timeout is not None:
            self._timer = asyncio.get_running_loop().call_later(max(timeout, 0.0), self._expire)

    # --- out -------------------------------------------------------------------------------------------------------

    async def send(self, data: bytes, *, last: bool = False) -> bool:
        """Sends a message, when the server has room for it; `last` ends the requests with it. False where the call is
        over, and what is sent of no use."""
        carried = self._rules.message(data)
        if not await self._stream.send(carried, last=last or self._rules.ends_with_first):
            return False
        self.last_sent = now()
        self.sent += 1
        self.wire_sent += len(carried)
        return True

    async def end(self) -> None:
        """No more requests."""
        await self._stream.send(b"", last=True)

    def cancel(self) -> None:
        """Gives the call up; it ends as CANCELLED, unless it has ended."""
        self._give_up(Status(status.CANCELLED, "CANCELLED", "the call was cancelled", None, "client"))

    # --- back ------------------------------------------------------------------------------------------------------

    def __aiter__(self) -> ClientCall:
        return self

    async def __anext__(self) -> CallEvent:
        while True:
            event = self._next()
            if event is not None:
                return event
            if self._over:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _next(self) -> CallEvent | None:
        if self._headers is not None:
            headers, self._headers = self._headers, None
            return headers
        if self._refused_room is None and not self._over and not self._has_ended_itself:
            message = self._next_message()
            if message is not None:
                return message
        if self._end is not None and not self._over:
            self._over = True
            self._buffer.clear()
            return self._end
        return None

    def _next_message(self) -> ResponseMessage | None:
        """The next message, where it is there; otherwise the window that the rest of it needs is granted."""
        buffer = self._buffer
        part = self._next_part()
        if part is None:
            return None
        limit = limits.MAX_STATUS_DOCUMENT if part.is_end else self._max_message
        if part.size > limit:
            self._refuse_long(f"{part.size} bytes", limit)
            return None
        whole = part.start + part.size
        if len(buffer) < whole:
            self._grant(held=0)
            return None
        with memoryview(buffer) as view:
            data = bytes(view[part.start : whole])
        del buffer[:whole]
        self._grant(held=len(buffer))
        message = self._decompressed(data, limit) if part.is_compressed else data
        if message is not None and part.is_end:
            self._take_end(message)
        elif message is not None:
            encoding = self._rules.response_encoding if part.is_compressed else "identity"
            return ResponseMessage(message, len(data), encoding, self._last_data)
        return None

    def _next_part(self) -> Part | None:
        try:
            return self._rules.part(self._buffer, 0, is_whole=self._is_whole)
        except DecodeError as error:
            self._refuse(status.INTERNAL, error.message)
            return None

    def _take_end(self, data: bytes) -> None:
        """What a part of the body says of the end counts, whatever the end of the body itself seemed to be."""
        try:
            trailers, found = self._rules.end(data)
        except DecodeError as error:
            self._refuse(status.INTERNAL, error.message)
            return
        self._has_ended_itself = True
        self._end = None
        self._finish(trailers, found)
        self._stream.reset(_NO_ERROR)

    def _decompressed(self, data: bytes, limit: int) -> bytes | None:
        encoding = self._rules.response_encoding
        if encoding == "identity":
            self._refuse(status.INTERNAL, "a compressed message, but the response names no encoding")
            return None
        try:
            return decompress(encoding, data, limit)
        except DecodeError as error:
            if error.code == "compression_limit":
                self._refuse_long(f"{len(data)} bytes that decompress to more", limit)
            else:
                self._refuse(status.INTERNAL, f"a message of the server: {error}")
            return None

    def _grant(self, *, held: int) -> None:
        """Lets the server send on: as much as arrived, but for what is held beyond the message that is asked for."""
        allowed = self._ungranted - held
        if allowed >= _GRANT_STEP:
            self._ungranted -= allowed
            self._stream.grant(allowed)

    # --- what the stream tells -------------------------------------------------------------------------------------

    def headers_received(self, fields: list[RawHeader], ended: bool) -> None:
        """See StreamHandler."""
        self._note_first()
        readable = _readable(fields)
        if not self._take_headers(readable, ended) and ended:
            self._conclude(readable)
        self._wake()

    def _take_headers(self, fields: tuple[Header, ...], ended: bool) -> bool:
        """Takes response headers; False where `fields` are trailers."""
        if self._has_headers or self._rules.is_trailers(fields, ended):
            return False
        self._has_headers = True
        self._headers = ResponseHeaders(fields, now())
        self._refused_room = self._rules.begin(fields)
        if ended:
            self._conclude(())
        return True

    def data_received(self, data: bytes, granted: int, ended: bool) -> None:
        """See StreamHandler."""
        self._note_first()
        self._last_data = now()
        self._ungranted += granted
        if self._refused_room is not None:
            self._take_refusal(data, self._refused_room, ended)
        elif self._take_body(data) and ended:
            self._conclude(())
        self._wake()

    def _take_body(self, data: bytes) -> bool:
        try:
            self._buffer += self._rules.plain(data)
        except DecodeError as error:
            self._refuse(status.INTERNAL, error.message)
            return False
        return True

    def _take_refusal(self, data: bytes, room: int, ended: bool) -> None:
        """A body that is no messages, but says what is wrong."""
        self._buffer += data[: max(0, room - len(self._buffer))]
        if ended or len(self._buffer) >= room:
            self._conclude(())
        if not ended and len(self._buffer) >= room:
            self._stream.reset(CANCEL)

    def stream_reset(self, code: int) -> None:
        """See StreamHandler."""
        self._finish((), status.of_reset(code, by_client=False, took=None, deadline=None))

    def connection_lost(self, reason: str) -> None:
        """See StreamHandler."""
        self._finish((), Status(status.UNAVAILABLE, "UNAVAILABLE", reason, None, "connection"))

    def _conclude(self, trailers: tuple[Header, ...]) -> None:
        """The response has ended: what it says of the call, or what can be said without."""
        self._is_whole = True
        refused = None if self._refused_room is None else self._buffer
        told, found = self._rules.conclude(trailers, refused)
        if found is None:
            code = status.UNKNOWN
            found = Status(code, status_name(code), "the server ended the response without a status", None, "http")
        self._finish(told, found)

    def _finish(self, trailers: tuple[Header, ...], found: Status) -> None:
        if self._end is not None:
            return
        if self._is_whole and self._is_cut_off(found):
            text = "the server ended the response within a message"
            found = Status(status.INTERNAL, "INTERNAL", text, None, "client")
        self.ended = now()
        self._end = Ended(trailers, found, self.ended)
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    def _is_cut_off(self, found: Status) -> bool:
        if self._refused_room is not None or self._has_ended_itself:
            return False
        is_open = found.code == 0 or (self._rules.has_status_in_body and found.source == "http")
        return is_open and self._rules.is_cut_off(self._buffer)

    # --- the client gives up ---------------------------------------------------------------------------------------

    def _expire(self) -> None:
        took = (now() - self.started) / 1e9
        text = f"no status from the server within {took:.3g} s"
        self._give_up(Status(status.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", text, None, "deadline"))

    def _refuse_long(self, size: str, limit: int) -> None:
        text = f"the server sent a message of {size}: the limit is {limit} (--max-msg-sz)"
        if limit != self._max_message:
            text = f"the server told the end of the call in {size}: the limit is {limit}"
        self._refuse(status.RESOURCE_EXHAUSTED, text)

    def _refuse(self, code: int, text: str) -> None:
        """What the server sent cannot be read: the call ends with the client's own status, whatever came after."""
        self._buffer.clear()
        self._end = None
        self._give_up(Status(code, status_name(code), text, None, "client"))

    def _give_up(self, found: Status) -> None:
        if self._end is None:
            self._finish((), found)
            self._stream.reset(CANCEL)

    def _note_first(self) -> None:
        if self.first_byte is None:
            self.first_byte = now()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _readable(fields: list[RawHeader]) -> tuple[Header, ...]:
    text: tuple[Header, ...] = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
    return metadata_cy.readable(text, {})
