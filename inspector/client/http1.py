"""HTTP/1.1 (RFC 9112) from the client's side, with the face of `http2.Connection`.

The states are those of `h11`. A connection serves one call at a time, so each call that finds none idle gets one of its
own. The invariant: a call that was opened is told its end exactly once, and what is held of its data is bounded by the
window that it granted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import h11

from inspector import limits
from inspector.client.endings import hang_up, lost
from inspector.client.http2 import STREAM_WINDOW, StreamHandler
from inspector.client.protocols.base import RawHeader
from inspector.errors import InspectorError
from inspector.limits import MIB

_MOST_IDLE = 1.0
"""Seconds after which an idle connection is not used again: servers close those, perhaps at this moment."""

Dial = Callable[[], Awaitable["Wire"]]


class Exchange:
    """One request and its response."""

    def __init__(self, pool: Pool, headers: list[RawHeader], handler: StreamHandler) -> None:
        self._pool = pool
        self.headers = headers
        self.handler = handler
        self.wire: Wire | None = None
        self.closed = False
        self.sent_head = False
        self.sent_all = False
        self.held = 0
        self.news = asyncio.Event()
        """There is a connection, or room on it, or the end."""

    async def send(self, data: bytes, *, last: bool) -> bool:
        """Sends data as the server reads it. False where the exchange has ended and it is of no use. The head of the
        request goes out with the first data."""
        while not self.closed and not self.sent_all:
            if self.wire is not None and not self.wire.is_paused:
                self.wire.write(self, data, last=last)
                return True
            self.news.clear()
            await self.news.wait()
        return False

    def grant(self, size: int) -> None:
        """Lets the server send so many bytes more."""
        self.held -= size
        if self.wire is not None and not self.closed:
            self.wire.listen(self.held < STREAM_WINDOW)

    def reset(self, code: int) -> None:
        """Gives the exchange up; its handler hears no more of it. With code 0 only the end of the body is missing."""
        if not self.closed:
            self.end()
            self._pool.give_up(self, is_over=code == 0)

    def end(self) -> None:
        """There is nothing more to come, or to send."""
        self.closed = True
        self.news.set()

    def lose(self, reason: str) -> None:
        """The connection is gone, or there is none to be had."""
        if not self.closed:
            self.end()
            self.handler.connection_lost(reason)


class Pool:
    """The connections to one server: `first`, and others as `dial` makes them (it raises InspectorError)."""

    def __init__(self, first: Wire, dial: Dial) -> None:
        self._dial = dial
        self._idle = [first]
        self._live = {first}
        self._dialing: dict[Exchange, asyncio.Task[None]] = {}
        self.failure: str | None = None
        """Why no more calls are taken; None while they are."""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        first.pool = self

    def open(self, headers: list[RawHeader], handler: StreamHandler) -> Exchange:
        """A new call. Its request begins with the first data that is sent."""
        exchange = Exchange(self, headers, handler)
        if self.failure is not None:
            asyncio.get_running_loop().call_soon(exchange.lose, self.failure)
        elif (wire := self._take_idle()) is not None:
            wire.serve(exchange)
        else:
            self._dialing[exchange] = asyncio.create_task(self._connect(exchange))
        return exchange

    def close(self) -> None:
        """Ends all connections; calls that are open end as lost."""
        self.failure = self.failure or "the channel was closed"
        for exchange, task in self._dialing.items():
            task.cancel()
            exchange.lose(self.failure)
        for wire in list(self._live):
            wire.close(self.failure)
        self._note_end()

    def give_up(self, exchange: Exchange, *, is_over: bool) -> None:
        """See Exchange.reset."""
        if (task := self._dialing.pop(exchange, None)) is not None:
            task.cancel()
        if exchange.wire is not None:
            exchange.wire.drain() if is_over else exchange.wire.abort()

    def freed(self, wire: Wire) -> None:
        """The connection has served its call, and may serve another one."""
        self._idle.append(wire)

    def gone(self, wire: Wire) -> None:
        """The connection is lost, or closed."""
        self._live.discard(wire)
        if wire in self._idle:
            self._idle.remove(wire)
        self._note_end()

    def _take_idle(self) -> Wire | None:
        while self._idle:
            wire = self._idle.pop()
            if wire.is_fresh:
                return wire
            wire.close("it was idle")
        return None

    async def _connect(self, exchange: Exchange) -> None:
        try:
            wire = await self._dial()
        except InspectorError as error:
            exchange.lose(str(error))
            return
        finally:
            self._dialing.pop(exchange, None)
        wire.pool = self
        self._live.add(wire)
        wire.serve(exchange)

    def _note_end(self) -> None:
        if self.failure is not None and not self._live and not self.over.done():
            self.over.set_result(None)


class Wire(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.MAX_HEADER_LIST)
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._drained = 0
        self._announced = 0
        self._first = True
        self._freed = self._loop.time()
        self._served = 0
        self.is_paused = False
        self.pool: Pool | None = None

    # --- the transport ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=1 * MIB)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._first:
            self._first = False
            if (other := _other_protocol(data)) is not None:
                self._fail(other)
                return
        self._feed(data)

    def eof_received(self) -> None:
        """Called by asyncio. A body without a length ends here."""
        self._feed(b"")

    def pause_writing(self) -> None:
        """Called by asyncio."""
        self.is_paused = True

    def resume_writing(self) -> None:
        """Called by asyncio."""
        self.is_paused = False
        if self._exchange is not None:
            self._exchange.news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._end(lost(exc))

    # --- calls -----------------------------------------------------------------------------------------------------

    @property
    def is_fresh(self) -> bool:
        """Whether it may serve a call: the server can be expected to take it."""
        assert self._transport is not None
        is_recent = not self._served or self._loop.time() - self._freed < _MOST_IDLE
        return is_recent and not self._transport.is_closing()

    def serve(self, exchange: Exchange) -> None:
        """Takes a call."""
        self._exchange = exchange
        self._drained = self._announced = 0
        self._served += 1
        exchange.wire = self
        exchange.news.set()
        assert self._transport is not None
        if self._transport.is_closing():
            self._end("the server closed the connection")

    def write(self, exchange: Exchange, data: bytes, *, last: bool) -> None:
        """A part of the body. The whole of it has a length, parts of it are chunks."""
        assert self._transport is not None
        events: list[h11.Event] = []
        if not exchange.sent_head:
            exchange.sent_head = True
            events.append(_head(exchange.headers, len(data) if last else None))
        if data:
            events.append(h11.Data(data=data))
        if last:
            exchange.sent_all = True
            events.append(h11.EndOfMessage())
        for event in events:
            self._transport.write(self._h11.send(event) or b"")

    def listen(self, is_open: bool) -> None:
        """Reads on, or not until there is room."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading() if is_open else self._transport.pause_reading()

    def drain(self) -> None:
        """The call is over, but for the end of the body: it is waited for, so that the connection can serve on."""
        self.listen(True)

    def abort(self) -> None:
        """Ends the connection, as its call was given up."""
        if self._transport is not None:
            self._transport.abort()
        self._end("the call was given up")

    def close(self, reason: str) -> None:
        """Ends the connection."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort() if self._exchange is not None else hang_up(self._transport)
        self._end(reason)

    # --- what arrives ----------------------------------------------------------------------------------------------

    def _feed(self, data: bytes) -> None:
        try:
            self._h11.receive_data(data)
            for event in self._events():
                self._take(event)
        except h11.RemoteProtocolError as error:
            self._fail(_broken(error, is_cut=not data))

    def _events(self) -> Iterator[h11.Event]:
        assert self._transport is not None
        while not self._transport.is_closing():
            if self._exchange is None and self._h11.trailing_data[0]:
                raise h11.RemoteProtocolError("it said something without being asked")
            event = self._h11.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                return
            assert not isinstance(event, type)
            yield event

    def _take(self, event: h11.Event) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if isinstance(event, h11.InformationalResponse):
            self._announced += 1
            if self._announced > limits.MAX_INFORMATIONAL:
                self._fail("the server announces an answer without end")
        elif isinstance(event, h11.Data):
            self._take_data(exchange, bytes(event.data))
        elif isinstance(event, h11.Response):
            if not exchange.closed:
                exchange.handler.headers_received(
                    [(b":status", b"%d" % event.status_code), *event.headers], ended=False
                )
        elif isinstance(event, h11.EndOfMessage):
            self._take_end(exchange, list(event.headers))

    def _take_data(self, exchange: Exchange, data: bytes) -> None:
        if exchange.closed:
            self._drained += len(data)
            if self._drained > limits.MAX_DRAINED:
                self.abort()
            return
        exchange.held += len(data)
        self.listen(exchange.held < STREAM_WINDOW)
        exchange.handler.data_received(data, len(data), ended=False)

    def _take_end(self, exchange: Exchange, trailers: list[RawHeader]) -> None:
        self._exchange = None
        is_open = not exchange.closed
        exchange.end()
        if is_open and trailers:
            exchange.handler.headers_received(trailers, ended=True)
        elif is_open:
            exchange.handler.data_received(b"", 0, ended=True)
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            self._freed = self._loop.time()
            self.listen(True)
            if self.pool is not None:
                self.pool.freed(self)
        else:
            self.close("it serves one call only")

    def _fail(self, reason: str) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._end(reason)

    def _end(self, reason: str) -> None:
        exchange, self._exchange = self._exchange, None
        if self.pool is not None:
            self.pool.gone(self)
        if exchange is not None:
            exchange.lose(reason)


def _head(headers: list[RawHeader], size: int | None) -> h11.Request:
    """The head of a request, by its fields as HTTP/2 has them; its body has `size` bytes, or comes in chunks."""
    pseudo = {name: value for name, value in headers if name.startswith(b":")}
    length = (b"transfer-encoding", b"chunked") if size is None else (b"content-length", b"%d" % size)
    fields = [(b"host", pseudo[b":authority"]), *(each for each in headers if not each[0].startswith(b":")), length]
    return h11.Request(method=pseudo[b":method"], target=pseudo[b":path"], headers=fields)


def _other_protocol(first: bytes) -> str | None:
    """What the server speaks instead of HTTP/1.1, by the first bytes that it sent."""
    if first.startswith(b"\x15\x03"):
        return "the server speaks TLS, and this connection is plaintext (https:// in the address, or no --plaintext)"
    if first[:2] == b"\0\0" and first[3:4] == b"\x04":
        return "the server speaks HTTP/2, not HTTP/1.1 (--http 2)"
    return None if b"HTTP/".startswith(first[:5]) else f"the server does not speak HTTP: it says {first[:24]!r}"


def _broken(error: h11.RemoteProtocolError, *, is_cut: bool) -> str:
    if is_cut:
        return "the server closed the connection before the end of its response"
    if error.error_status_hint == 431:
        return f"the server sent headers of more than {limits.MAX_HEADER_LIST} bytes"
    return f"the server broke HTTP/1.1: {error}"
