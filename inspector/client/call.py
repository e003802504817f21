"""One call over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md): messages out, events back.

The invariant: iterating ends with one Ended, at the latest at the deadline; bytes that nobody has read are bounded by
the stream's window, as messages are cut out, and decompressed, only when they are asked for.
"""

from __future__ import annotations

import asyncio

from inspector import limits
from inspector.client.events import CallEvent, Ended, ResponseHeaders, ResponseMessage, now
from inspector.client.http2 import STREAM_WINDOW, Connection, RawHeader
from inspector.errors import DecodeError
from inspector.model.call import Header, Status
from inspector.net import metadata_cy, status
from inspector.net.compression import compress, decompress
from inspector.net.grpc_cy import CANCEL, COMPRESSED, PREFIX_SIZE, status_name

_GRANT_STEP = STREAM_WINDOW // 4
"""Bytes that are granted at once: fewer would be many small frames."""


class ClientCall:
    """A call that has begun. Iterate over it for what comes back; send at the same time.

    `fields` are the request headers, `encoding` is that of the requests. `started`, `ended`, `last_sent` (the last
    request) and `first_byte` (of the response) are in nanoseconds since 1970; `wire_sent` counts the bytes of messages
    as carried, with their prefixes.
    """

    def __init__(
        self,
        connection: Connection,
        headers: list[RawHeader],
        *,
        encoding: str,
        timeout: float | None,
        max_message: int,
    ) -> None:
        self.fields = _readable(headers)
        self.encoding = encoding
        self.started = now()
        self.ended: int | None = None
        self.last_sent: int | None = None
        self.first_byte: int | None = None
        self.wire_sent = 0
        self.sent = 0
        self._max_message = max_message
        self._response_encoding = "identity"
        self._buffer = bytearray()
        self._ungranted = 0
        self._headers: ResponseHeaders | None = None
        self._has_headers = False
        self._end: Ended | None = None
        self._over = False
        self._not_grpc: Status | None = None
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
        flag = 0
        if self.encoding != "identity":
            flag, data = COMPRESSED, compress(self.encoding, data)
        if not await self._stream.send(bytes((flag,)) + len(data).to_bytes(4, "big") + data, last=last):
            return False
        self.last_sent = now()
        self.sent += 1
        self.wire_sent += PREFIX_SIZE + len(data)
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
        if self._not_grpc is None and len(self._buffer) >= PREFIX_SIZE and not self._over:
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
        size = int.from_bytes(buffer[1:PREFIX_SIZE], "big")
        if buffer[0] > COMPRESSED:
            self._refuse(status.INTERNAL, f"the server sent a message with flag 0x{buffer[0]:02x}")
            return None
        if size > self._max_message:
            self._refuse_long(f"{size} bytes")
            return None
        whole = PREFIX_SIZE + size
        if len(buffer) < whole:
            self._grant(held=0)
            return None
        with memoryview(buffer) as view:
            data = bytes(view[PREFIX_SIZE:whole])
        is_compressed = bool(buffer[0])
        del buffer[:whole]
        self._grant(held=len(buffer))
        return self._decompressed(data) if is_compressed else ResponseMessage(data, size, "identity", self._last_data)

    def _decompressed(self, data: bytes) -> ResponseMessage | None:
        encoding = self._response_encoding
        if encoding == "identity":
            self._refuse(status.INTERNAL, "a compressed message, but the response names no encoding")
            return None
        try:
            message = decompress(encoding, data, self._max_message)
        except DecodeError as error:
            if error.code == "compression_limit":
                self._refuse_long(f"{len(data)} bytes that decompress to more")
            else:
                self._refuse(status.INTERNAL, f"a message of the server: {error}")
            return None
        return ResponseMessage(message, len(data), encoding, self._last_data)

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
        if self._has_headers:
            return False
        if ended and (any(name == "grpc-status" for name, _ in fields) or metadata_cy.http_status(fields) == 200):
            return False
        self._has_headers = True
        self._headers = ResponseHeaders(fields, now())
        self._response_encoding = next((value or "" for name, value in fields if name == "grpc-encoding"), "identity")
        self._not_grpc = _not_grpc(fields)
        if ended:
            self._conclude(())
        return True

    def data_received(self, data: bytes, granted: int, ended: bool) -> None:
        """See StreamHandler."""
        self._note_first()
        self._last_data = now()
        if self._not_grpc is None or len(self._buffer) < limits.MAX_HTTP_BODY:
            self._buffer += data
        self._ungranted += granted
        if ended:
            self._conclude(())
        elif self._not_grpc is not None and len(self._buffer) >= limits.MAX_HTTP_BODY:
            self._conclude(())
            self._stream.reset(CANCEL)
        self._wake()

    def stream_reset(self, code: int) -> None:
        """See StreamHandler."""
        self._finish((), status.of_reset(code, by_client=False, took=None, deadline=None))

    def connection_lost(self, reason: str) -> None:
        """See StreamHandler."""
        self._finish((), Status(status.UNAVAILABLE, "UNAVAILABLE", reason, None, "connection"))

    def _conclude(self, trailers: tuple[Header, ...]) -> None:
        """The stream has ended: what its trailers say, or what can be said without."""
        found = metadata_cy.status_of(trailers, lambda _: None)
        if found is None and self._not_grpc is not None:
            found = self._not_grpc._replace(message=self._not_grpc.message + _body_text(self._buffer))
        if found is None and trailers and not self._has_headers:
            found = _not_grpc(trailers)
        if found is None:
            code = status.UNKNOWN
            found = Status(code, status_name(code), "the server ended the response without a status", None, "http")
        self._finish(trailers, found)

    def _finish(self, trailers: tuple[Header, ...], found: Status) -> None:
        if self._end is not None:
            return
        if found.code == 0 and self._is_cut_off():
            text = "the server ended the response within a message"
            found = Status(status.INTERNAL, "INTERNAL", text, None, "client")
        self.ended = now()
        self._end = Ended(trailers, found, self.ended)
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    def _is_cut_off(self) -> bool:
        at, buffer = 0, self._buffer
        while len(buffer) - at >= PREFIX_SIZE:
            at += PREFIX_SIZE + int.from_bytes(buffer[at + 1 : at + PREFIX_SIZE], "big")
        return at != len(buffer)

    # --- the client gives up ---------------------------------------------------------------------------------------

    def _expire(self) -> None:
        took = (now() - self.started) / 1e9
        text = f"no status from the server within {took:.3g} s"
        self._give_up(Status(status.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", text, None, "deadline"))

    def _refuse_long(self, size: str) -> None:
        text = f"the server sent a message of {size}: the limit is {self._max_message} (--max-msg-sz)"
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


def _not_grpc(fields: tuple[Header, ...]) -> Status | None:
    """What a response that is not one of gRPC means; None where it is one."""
    code = metadata_cy.http_status(fields)
    content_type = next((value or "" for name, value in fields if name == "content-type"), "")
    if code == 200 and content_type.startswith("application/grpc"):
        return None
    found = status.of_http(code)
    return found._replace(message=f"{found.message}, content-type {content_type[:80] or 'missing'}, not gRPC")


def _body_text(body: bytearray) -> str:
    text = " ".join(body[: limits.MAX_HTTP_BODY].decode("utf-8", "replace").split())
    return f": {text}" if text else ""
