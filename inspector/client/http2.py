"""HTTP/2 (RFC 9113) from the client's side: one connection over an asyncio transport, many streams.

The states and frames are those of `h2`; this adds what it leaves to its user: when to read and write, flow control,
streams that wait until the server allows them, keepalive, the end of the connection. The invariant: a stream that was
opened is told its end exactly once, and what is held of its data is bounded by the window that it granted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Protocol

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import DenialOfServiceError, H2Error, StreamClosedError
from h2.settings import SettingCodes, Settings
from hpack import HPACKError
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import Frame, GoAwayFrame

from inspector import limits
from inspector.client.endings import hang_up, lost
from inspector.client.protocols.base import RawHeader
from inspector.errors import ConnectError
from inspector.limits import KIB, MIB
from inspector.net.status import RESET_NAMES

STREAM_WINDOW = 4 * MIB
"""Bytes that a server may send on a stream before they are read: enough for 40 MB/s over 100 ms."""

_CONNECTION_WINDOW = 64 * MIB
"""The same of all streams. It is granted anew as bytes arrive, so that streams nobody reads do not stop the others."""

_FRAME_SIZE = 256 * KIB
"""Longest frame taken, and sent: each costs the same, and this much takes no time worth noticing."""

_WRITE_AT_ONCE = 64 * KIB
"""Frames are written together when all that is ready now has been made, or when there is this much."""

_MOST_WRITTEN = 4 * MIB
"""Bytes that wait to be written, beyond which a server that does not read only makes us answer it."""

_BROKEN = (H2Error, HPACKError, HyperframeError, ValueError, KeyError)
"""What the libraries raise over frames that are not as they should be."""


class StreamHandler(Protocol):
    """Who is told what arrives on a stream. One of the last two is called last, unless `ended` was true before."""

    def headers_received(self, fields: list[RawHeader], ended: bool) -> None:
        """Response headers, or trailers where there were headers."""

    def data_received(self, data: bytes, granted: int, ended: bool) -> None:
        """DATA that took `granted` bytes of the window; those are granted again by Stream.grant."""

    def stream_reset(self, code: int) -> None:
        """The server gave the stream up."""

    def connection_lost(self, reason: str) -> None:
        """The connection is gone, or the server does not take the stream any more."""


class Stream:
    """One request and its response. `number` is 0 until the server has room for it."""

    __slots__ = ("_connection", "closed", "handler", "headers", "number", "received_all", "room", "sent_all")

    def __init__(self, connection: Connection, headers: list[RawHeader], handler: StreamHandler) -> None:
        self._connection = connection
        self.headers = headers
        self.handler = handler
        self.number = 0
        self.closed = False
        self.received_all = False
        self.sent_all = False
        self.room: asyncio.Future[None] | None = None

    async def send(self, data: bytes, *, last: bool) -> bool:
        """Sends data as the server makes room for it. False where the stream has ended and it is of no use."""
        return await self._connection.send_data(self, data, last=last)

    def grant(self, size: int) -> None:
        """Lets the server send so many bytes more."""
        self._connection.grant(self, size)

    def reset(self, code: int) -> None:
        """Gives the stream up; its handler hears no more of it."""
        self._connection.reset(self, code)

    def wake(self) -> None:
        """Lets `send` look again."""
        if self.room is not None and not self.room.done():
            self.room.set_result(None)


class Connection(asyncio.Protocol):
    """An HTTP/2 connection. `ready` is done when the server has shown that it speaks HTTP/2; it raises ConnectError."""

    def __init__(self, *, keepalive_time: float | None = None, keepalive_timeout: float = 20.0) -> None:
        self._loop = asyncio.get_running_loop()
        self._h2 = _Frames()
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, Stream] = {}
        self._waiting: deque[Stream] = deque()
        self._keepalive = keepalive_time, keepalive_timeout
        self._timer: asyncio.TimerHandle | None = None
        self._heard = False
        self._is_pinging = False
        self._paused = False
        self._flushing = False
        self._unwritten = 0
        self._idle_frames = 0
        self._ungranted = 0
        self._first = b""
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.ready.add_done_callback(_look_at)
        self.over: asyncio.Future[None] = self._loop.create_future()
        self.failure: str | None = None
        """Why the connection takes no more calls; None while it does."""

    # --- the transport ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=1 * MIB)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW - self._h2.inbound_flow_control_window)
        self._flush()
        if self._keepalive[0]:
            self._timer = self._loop.call_later(self._keepalive[0], self._ping)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._heard = True
        if not self.ready.done():
            self._first += data
            if not self._greeted():
                return
            data, self._first = self._first, b""
        try:
            events = self._h2.receive_data(data)
            for event in events:
                self._take(event)
        except _BROKEN as error:
            self._close(_protocol_failure(error))
            return
        self._flush()
        if self._idle_frames > limits.MAX_IDLE_FRAMES:
            self._close("the server floods the connection with frames that are for no call")

    def pause_writing(self) -> None:
        """Called by asyncio."""
        self._paused = True

    def resume_writing(self) -> None:
        """Called by asyncio."""
        self._paused = False
        self._wake_all()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        reason = lost(exc)
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionResetError(reason))
        self._end(reason)
        if not self.over.done():
            self.over.set_result(None)

    def close(self) -> None:
        """Says goodbye; calls that are open end as cancelled by their owner."""
        self._close("the channel was closed")

    # --- streams ---------------------------------------------------------------------------------------------------

    def open(self, headers: list[RawHeader], handler: StreamHandler) -> Stream:
        """A new stream; its headers are sent when the server has room for it."""
        stream = Stream(self, headers, handler)
        if self.failure is not None:
            self._loop.call_soon(self._lose, stream, self.failure)
        else:
            self._waiting.append(stream)
            self._begin_waiting()
        return stream

    async def send_data(self, stream: Stream, data: bytes, *, last: bool) -> bool:
        """See Stream.send."""
        with memoryview(data) as view:
            at = 0
            while not stream.closed and not stream.sent_all:
                size = self._room(stream, len(view) - at)
                if size < 0:
                    await self._wait_for_room(stream)
                    continue
                end = last and at + size == len(view)
                self._h2.send_data(stream.number, view[at : at + size], end_stream=end)
                at += size
                self._written(stream, size, end)
                if at == len(view):
                    return True
        return False

    def grant(self, stream: Stream, size: int) -> None:
        """See Stream.grant."""
        if not stream.closed and not stream.received_all and stream.number:
            self._h2.increment_flow_control_window(size, stream.number)
            self._flush_soon()

    def reset(self, stream: Stream, code: int) -> None:
        """See Stream.reset."""
        if not stream.closed:
            if stream.number in self._streams:
                self._h2.reset_if_open(stream.number, code)
                self._flush_soon()
            self._finish(stream)

    def _begin_waiting(self) -> None:
        while self._waiting and len(self._streams) < self._h2.remote_settings.max_concurrent_streams:
            stream = self._waiting.popleft()
            if not stream.closed:
                number = self._h2.get_next_available_stream_id()
                self._h2.send_headers(number, stream.headers)
                stream.number = number
                self._streams[number] = stream
                stream.wake()
                self._flush_soon()

    def _room(self, stream: Stream, left: int) -> int:
        """How many of `left` bytes can be sent now; -1 where there is nothing to do but wait."""
        if not stream.number or self._paused:
            return -1
        if not left:
            return 0
        window = self._h2.local_flow_control_window(stream.number)
        return min(left, window, self._h2.max_outbound_frame_size, _FRAME_SIZE) if window > 0 else -1

    async def _wait_for_room(self, stream: Stream) -> None:
        stream.room = self._loop.create_future()
        try:
            await stream.room
        finally:
            stream.room = None

    def _written(self, stream: Stream, size: int, end: bool) -> None:
        self._idle_frames = 0
        self._unwritten += size
        if end:
            stream.sent_all = True
            if stream.received_all:
                self._finish(stream)
        if self._unwritten >= _WRITE_AT_ONCE:
            self._flush()
        else:
            self._flush_soon()

    def _finish(self, stream: Stream) -> None:
        """The stream is over: room for another one."""
        stream.closed = True
        self._streams.pop(stream.number, None)
        stream.wake()
        self._begin_waiting()

    def _lose(self, stream: Stream, reason: str) -> None:
        if not stream.closed:
            stream.closed = True
            stream.wake()
            stream.handler.connection_lost(reason)

    # --- what arrives ----------------------------------------------------------------------------------------------

    def _greeted(self) -> bool:
        """Whether the server's first bytes are there, and those of HTTP/2: a SETTINGS frame."""
        first = self._first
        if first.startswith(b"HTTP/"):
            return self._refuse(
                "the server speaks HTTP/1.1, not HTTP/2", "gRPC needs HTTP/2; is the port the right one?"
            )
        if first.startswith(b"\x15\x03"):
            return self._refuse("the server speaks TLS, and this connection is plaintext", "leave --plaintext out")
        if len(first) < 9:
            return False
        if first[3] != 4:
            return self._refuse(f"the server does not speak HTTP/2: it says {first[:24]!r}", "is it a gRPC server?")
        self.ready.set_result(None)
        return True

    def _refuse(self, message: str, hint: str) -> bool:
        self.ready.set_exception(ConnectError(message, hint=hint))
        self._close(message)
        return False

    def _take(self, event: Event) -> None:
        kind = type(event)
        if kind is DataReceived:
            assert isinstance(event, DataReceived)
            self._take_data(event)
        elif isinstance(event, ResponseReceived | TrailersReceived):
            self._take_headers(event)
        elif isinstance(event, StreamReset):
            self._take_reset(event)
        elif isinstance(event, WindowUpdated):
            self._idle_frames += 1
            self._window_grew(event.stream_id)
        elif isinstance(event, RemoteSettingsChanged):
            self._idle_frames += 1
            self._wake_all()
            self._begin_waiting()
        elif isinstance(event, ConnectionTerminated):
            self._go_away(event)
        elif isinstance(event, PingAckReceived) and self._is_pinging:
            self._answered()
        else:
            self._idle_frames += 1

    def _take_data(self, event: DataReceived) -> None:
        size = event.flow_controlled_length
        self._ungranted += size
        if self._ungranted >= _CONNECTION_WINDOW // 2:
            self._h2.increment_flow_control_window(self._ungranted)
            self._ungranted = 0
        self._idle_frames = 0 if event.data else self._idle_frames + 1
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            ended = event.stream_ended is not None
            self._note_end(stream, ended)
            stream.handler.data_received(event.data, size, ended)

    def _take_headers(self, event: ResponseReceived | TrailersReceived) -> None:
        self._idle_frames = 0
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            ended = event.stream_ended is not None
            self._note_end(stream, ended)
            stream.handler.headers_received(event.headers, ended)  # octets, as configured

    def _note_end(self, stream: Stream, ended: bool) -> None:
        if ended:
            stream.received_all = True
            if not stream.sent_all:
                self._h2.reset_if_open(stream.number, 0)  # what we might still send is of no use to anyone
            self._finish(stream)

    def _take_reset(self, event: StreamReset) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            self._finish(stream)
            stream.handler.stream_reset(int(event.error_code) if event.remote_reset else 1)

    def _window_grew(self, number: int | None) -> None:
        stream = self._streams.get(number) if number else None
        if stream is not None:
            stream.wake()
        elif not number:
            self._wake_all()

    def _wake_all(self) -> None:
        for stream in self._streams.values():
            stream.wake()

    def _go_away(self, event: ConnectionTerminated) -> None:
        """No new calls. Those that the server says it does not serve end here, the others go on."""
        code, said = int(event.error_code or 0), (event.additional_data or b"")[:200].decode("utf-8", "replace")
        name = RESET_NAMES[code] if code < len(RESET_NAMES) else f"error code {code}"
        self.failure = f"the server went away: {name}" + (f" ({said})" if said else "")
        refused = [stream for number, stream in self._streams.items() if number > (event.last_stream_id or 0)]
        for stream in [*refused, *self._waiting]:
            self._streams.pop(stream.number, None)
            self._lose(stream, self.failure)
        self._waiting.clear()

    # --- keepalive, writing, the end -------------------------------------------------------------------------------

    def _ping(self) -> None:
        time, timeout = self._keepalive
        assert time is not None
        if self._heard:
            self._heard = False
            self._timer = self._loop.call_later(time, self._ping)
            return
        self._is_pinging = True
        self._h2.ping(b"inspect!")
        self._flush()
        self._timer = self._loop.call_later(timeout, self._check_pong)

    def _answered(self) -> None:
        """The ping was answered: the next one is due a keepalive time from now."""
        self._is_pinging = self._heard = False
        if self._timer is not None and self._keepalive[0]:
            self._timer.cancel()
            self._timer = self._loop.call_later(self._keepalive[0], self._ping)

    def _check_pong(self) -> None:
        self._is_pinging = False
        if self._heard:
            self._ping()
        else:
            self._close(f"the server did not answer a keepalive ping within {self._keepalive[1]:g} s")

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self._unwritten = 0
        data = self._h2.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            if self._transport.get_write_buffer_size() > _MOST_WRITTEN:
                self._close("the server does not read what it makes us answer", abort=True)

    def _close(self, reason: str, *, abort: bool = False) -> None:
        if self._transport is not None and not self._transport.is_closing():
            if not abort:
                self._h2.say_goodbye()
                self._flush()
            self._transport.abort() if abort or self._paused else hang_up(self._transport)
        if not self.ready.done():
            self.ready.set_exception(ConnectError(reason))
        self._end(reason)

    def _end(self, reason: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.failure = self.failure or reason
        lost = [*self._streams.values(), *self._waiting]
        self._streams.clear()
        self._waiting.clear()
        for stream in lost:
            self._lose(stream, reason)


class _Frames(H2Connection):
    """h2 with our settings in force from the start, and streams that outlive a GOAWAY, as RFC 9113 (6.8) has them."""

    def __init__(self) -> None:
        super().__init__(
            H2Configuration(
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=False,
            )
        )
        values = {
            SettingCodes.ENABLE_PUSH: 0,
            SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            SettingCodes.MAX_FRAME_SIZE: _FRAME_SIZE,
            SettingCodes.MAX_HEADER_LIST_SIZE: limits.MAX_HEADER_LIST,
        }
        self.local_settings = Settings(client=True, initial_values=values)
        self.max_inbound_frame_size = _FRAME_SIZE
        self.decoder.max_header_list_size = limits.MAX_HEADER_LIST

    def reset_if_open(self, number: int, code: int) -> None:
        """RST_STREAM. A frame that closed the stream may be known here before its event is looked at."""
        with contextlib.suppress(StreamClosedError):
            self.reset_stream(number, code)

    def say_goodbye(self) -> None:
        """A GOAWAY, unless the connection is beyond that."""
        try:
            self.close_connection()
        except H2Error:
            return

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        event = ConnectionTerminated()
        event.error_code = frame.error_code
        event.last_stream_id = frame.last_stream_id
        event.additional_data = frame.additional_data or None
        return [], [event]


def _look_at(future: asyncio.Future[None]) -> None:
    """Its exception is nothing to report where nobody waits for it."""
    if not future.cancelled():
        future.exception()


def _protocol_failure(error: Exception) -> str:
    if isinstance(error, DenialOfServiceError):
        return f"the server sent headers of more than {limits.MAX_HEADER_LIST} bytes"
    return f"the server broke HTTP/2: {str(error) or type(error).__name__}"
