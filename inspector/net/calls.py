"""HTTP/2 connections -> gRPC calls and their messages."""

from __future__ import annotations

import ipaddress
from collections import deque

from inspector import limits
from inspector.errors import DecodeError
from inspector.model.call import Call, Direction, Header, Message, Status
from inspector.model.packet import Chunk, Closed, Gap, Opened
from inspector.model.problem import Problem
from inspector.net import grpc
from inspector.net.compression import decompress
from inspector.net.grpc import Deframer, RawMessage
from inspector.net.http2 import (
    HTTP2,
    Body,
    BytesLost,
    Ended,
    GoAway,
    Headers,
    Http2Connection,
    Reset,
    StreamEvent,
)
from inspector.net.metadata import http_status, readable, status_of, trailer_block

CallEvent = Message | Call | Problem

class CallCounter:
    """What all connections of a capture share: the numbers of calls, and how many bytes they hold."""

    def __init__(self) -> None:
        self.calls = 0
        self.held = 0
        self.other_streams = 0
        """HTTP/2 streams that are not gRPC."""

    def next_call(self) -> int:
        self.calls += 1
        return self.calls


class _Way:
    """One direction of a call: its headers, its messages so far."""

    __slots__ = ("count", "deframer", "encoding", "ended", "headers", "size")

    def __init__(self) -> None:
        self.headers: tuple[Header, ...] | None = None
        self.encoding: str | None = None  # None: not known, as the header was not seen
        self.deframer: Deframer | None = None  # made with the first DATA
        self.count = 0
        self.size = 0
        self.ended = False


class _OpenCall:
    __slots__ = (
        "authority", "deadline", "ended_at", "http_status", "is_grpc", "late", "method", "more_problems", "number",
        "problems", "protocol", "started", "status", "stream", "trailers",
        "unknown_fields", "ways",
    )  # fmt: skip

    def __init__(self, number: int, stream: int, started: int | None, *, late: bool) -> None:
        self.number = number
        self.stream = stream
        self.started = started
        self.late = late  # its beginning was not seen
        self.method: str | None = None
        self.authority: str | None = None
        self.deadline: int | None = None
        self.protocol = "grpc"
        self.is_grpc = True
        self.http_status: int | None = None
        self.status: Status | None = None
        self.ended_at: int | None = None
        self.trailers: tuple[Header, ...] = ()
        self.ways = _Way(), _Way()  # by direction of the connection
        self.problems: list[Problem] = []
        self.more_problems = 0
        self.unknown_fields = 0  # header fields that refer to HPACK entries from before the capture

    def report(self, problem: Problem) -> None:
        if len(self.problems) < limits.MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1


class ConnectionCalls:
    """TCP events of one connection -> its messages as they become whole, its calls as they end."""

    def __init__(self, opened: Opened, counter: CallCounter) -> None:
        self._connection = opened.connection
        self._sides = format_endpoint(opened.client), format_endpoint(opened.server)
        self._http2 = Http2Connection(opened)
        self._counter = counter
        self._open: dict[int, _OpenCall] = {}
        self._closed: set[int] = set()
        self._closed_order: deque[int] = deque()
        self._last_accepted: int | None = None  # of a GOAWAY
        self.sides_ended = 0

    def _is_request(self, direction: int) -> bool:
        return direction == self._http2.client

    def _request(self, call: _OpenCall) -> _Way:
        return call.ways[self._http2.client]

    def _response(self, call: _OpenCall) -> _Way:
        return call.ways[1 - self._http2.client]

    @property
    def is_http2(self) -> bool:
        return self._http2.verdict == HTTP2

    def feed(self, event: Chunk | Gap | Closed) -> list[CallEvent]:
        """Messages and calls that are whole after `event`."""
        events: list[CallEvent] = []
        if type(event) is Closed:
            self.sides_ended += 1
        for item in self._http2.feed(event):
            kind = type(item)
            if kind is Headers:
                self._feed_headers(item, events)  # type: ignore[arg-type]
            elif kind is Body:
                self._feed_body(item, events)  # type: ignore[arg-type]
            elif isinstance(item, Problem):
                events.append(item)
            else:
                self._feed_rare(item, events)
        return events

    def _feed_rare(self, event: StreamEvent, events: list[CallEvent]) -> None:
        if isinstance(event, Reset):
            self._feed_reset(event, events)
        elif isinstance(event, Ended):
            self._feed_end(event, events)
        elif isinstance(event, BytesLost):
            self._feed_loss(event, events)
        elif isinstance(event, GoAway) and not self._is_request(event.direction):
            self._last_accepted = event.last

    # --- headers -------------------------------------------------------------------------------------------------

    def _feed_headers(self, event: Headers, events: list[CallEvent]) -> None:
        call = self._open.get(event.stream)
        if call is None:
            if event.stream in self._closed:
                return
            call = self._begin(event.stream, event.time, events, late=not self._is_request(event.direction))
        fields = readable(event.fields)
        if event.problem is not None:
            call.report(event.problem)
        call.unknown_fields += event.unknown
        if not self._is_request(event.direction):
            self._take_response_headers(call, event, fields)
        elif self._request(call).headers is None:
            self._take_request_headers(call, event, fields)
        if event.end:
            self._end_way(call, event.direction, event.packet, event.time, events)

    def _begin(self, stream: int, time: int | None, events: list[CallEvent], *, late: bool) -> _OpenCall:
        while len(self._open) >= limits.MAX_STREAMS:
            oldest = next(iter(self._open.values()))
            oldest.report(
                Problem("stream_limit", f"more than {limits.MAX_STREAMS} streams are open; this one is let go")
            )
            self._finish(oldest, 0, time, events)
        call = _OpenCall(self._counter.next_call(), stream, time, late=late)
        self._open[stream] = call
        return call

    def _take_request_headers(self, call: _OpenCall, event: Headers, fields: tuple[Header, ...]) -> None:
        way = self._request(call)
        way.headers = fields
        way.encoding = None if event.unknown or event.problem else "identity"
        content_type = None
        for name, value in fields:
            if value is None:
                continue
            if name == ":path":
                call.method = value
            elif name == "content-type":
                content_type = value
            elif name == ":authority":
                call.authority = value
            elif name == "grpc-encoding":
                way.encoding = value
            elif name == "grpc-timeout":
                call.deadline = grpc.parse_timeout(value)
                if call.deadline is None:
                    call.report(Problem("grpc_timeout", f"grpc-timeout {value!r} is malformed", event.packet))
        if content_type is not None:
            call.is_grpc = content_type.startswith("application/grpc")
            if content_type.startswith("application/grpc-web"):
                call.protocol = "grpc-web"
        else:
            call.is_grpc = bool(event.unknown or event.problem)

    def _take_response_headers(self, call: _OpenCall, event: Headers, fields: tuple[Header, ...]) -> None:
        way = self._response(call)
        if event.end:
            self._take_trailers(call, fields, event.time, first=way.headers is None)
            return
        if way.headers is not None:
            call.trailers += fields
            return
        code = http_status(fields)
        if code is not None and 100 <= code < 200:
            return  # an informational response: the real one follows
        way.headers = fields
        way.encoding = None if event.unknown or event.problem else "identity"
        call.http_status = code
        for name, value in fields:
            if name == "grpc-encoding" and value is not None:
                way.encoding = value

    def _take_trailers(
        self, call: _OpenCall, fields: tuple[Header, ...], time: int | None, *, first: bool = False
    ) -> None:
        call.trailers = fields
        call.ended_at = time
        if first:
            call.http_status = http_status(fields)
        call.status = status_of(fields, call.report)
        if call.status is None and call.http_status not in (None, 200):
            code = grpc.HTTP_STATUSES.get(call.http_status or 0, grpc.UNKNOWN)
            call.status = Status(code, grpc.status_name(code), f"HTTP status {call.http_status}", None, "http")

    # --- messages ------------------------------------------------------------------------------------------------

    def _feed_body(self, event: Body, events: list[CallEvent]) -> None:
        data = event.data
        call = self._open.get(data.stream)
        if call is None:
            if data.stream in self._closed:
                return
            call = self._begin(data.stream, data.time, events, late=True)
            call.report(Problem("started_late", "the beginning of this call is not in the capture", data.packet))
        way = call.ways[event.direction]
        if call.is_grpc and (self._is_request(event.direction) or call.http_status in (None, 200)):
            self._deframe(call, way, event, events)
        if data.end:
            self._end_way(call, event.direction, data.packet, data.time, events)

    def _deframe(self, call: _OpenCall, way: _Way, event: Body, events: list[CallEvent]) -> None:
        deframer = way.deframer
        if deframer is None:
            deframer = way.deframer = Deframer(in_step=way.headers is not None or not call.late)
        counter = self._counter
        counter.held -= deframer.held
        for raw in deframer.feed(event.data):
            self._take_message(call, event.direction, raw, events)
        counter.held += deframer.held
        if counter.held > limits.MAX_BUFFERED and deframer.held:
            counter.held -= deframer.held
            text = f"over {limits.MAX_BUFFERED} bytes of unfinished messages are held; this one is let go"
            deframer.abandon(Problem("message_limit", text, event.data.packet))

    def _take_message(self, call: _OpenCall, direction: int, raw: RawMessage, events: list[CallEvent]) -> None:
        way = call.ways[direction]
        if raw.flag & grpc.TRAILERS:
            fields = trailer_block(raw.payload)
            self._take_trailers(call, fields, raw.time)
            return
        problem = raw.problem
        data: bytes | None = raw.payload
        encoding = "identity"
        if raw.flag & grpc.COMPRESSED:
            encoding = _encoding_of(way.encoding, raw.payload)
            if problem is None:
                data, problem = _decompress(encoding, raw)
        if problem is not None:
            data = None
            call.report(problem)
        name: Direction = "request" if self._is_request(direction) else "response"
        way.size += len(raw.payload if data is None else data)
        events.append(
            Message(call.number, way.count, name, call.method, raw.time, encoding, data, raw.payload, problem,
                    raw.pieces)
        )  # fmt: skip
        way.count += 1

    # --- ends ----------------------------------------------------------------------------------------------------

    def _end_way(self, call: _OpenCall, direction: int, packet: int, time: int | None, events: list[CallEvent]) -> None:
        way = call.ways[direction]
        way.ended = True
        self._flush_way(call, direction, packet, time, "the stream ends", events)
        if not self._is_request(direction) and call.ended_at is None:
            call.ended_at = time
        if call.ways[0].ended and call.ways[1].ended:
            self._finish(call, packet, time, events)

    def _flush_way(
        self, call: _OpenCall, direction: int, packet: int, time: int | None, why: str, events: list[CallEvent]
    ) -> None:
        """Reports what is left of a message that never became whole."""
        way = call.ways[direction]
        if way.deframer is None:
            return
        self._counter.held -= way.deframer.held
        raw = way.deframer.close(packet, time, why)
        if raw is not None:
            self._take_message(call, direction, raw, events)
        if way.deframer.skipped:
            text = f"{way.deframer.skipped} bytes of messages cannot be told apart: their beginning is missing"
            call.report(Problem("message_skipped", text, packet))
        way.deframer = None

    def _feed_reset(self, event: Reset, events: list[CallEvent]) -> None:
        call = self._open.get(event.stream)
        if call is None:
            return
        if call.status is None:
            call.ended_at = event.time
            call.status = self._reset_status(call, event)
        self._finish(call, event.packet, event.time, events, "the stream is reset")

    def _reset_status(self, call: _OpenCall, event: Reset) -> Status:
        """The status that the two sides conclude from a RST_STREAM. A client that gives up at its deadline cancels."""
        is_request = self._is_request(event.direction)
        name = grpc.reset_name(event.code)
        if is_request and event.code == grpc.CANCEL and call.deadline is not None:
            took = 0 if event.time is None or call.started is None else event.time - call.started
            if took >= call.deadline - max(5_000_000, call.deadline // 50):
                code = grpc.DEADLINE_EXCEEDED
                return Status(code, grpc.status_name(code), "the client gave up at its deadline", None, "deadline")
        code = grpc.RESET_STATUSES.get(event.code, grpc.UNKNOWN)
        who = "client" if is_request else "server"
        return Status(code, grpc.status_name(code), f"the {who} reset the stream: {name}", None, "reset")

    def _feed_end(self, event: Ended, events: list[CallEvent]) -> None:
        if self.sides_ended < 2 and event.reason != "rst":
            return
        for call in list(self._open.values()):
            if call.status is None and event.reason != "end" and not self._response(call).ended:
                call.ended_at = event.time
                call.status = self._closing_status(call, event)
            why = "the capture ends" if event.reason == "end" else "the connection ends"
            self._finish(call, event.packet, event.time, events, why)

    def _closing_status(self, call: _OpenCall, event: Ended) -> Status:
        text = "the connection was reset" if event.reason == "rst" else "the connection was closed"
        if self._last_accepted is not None and call.stream > self._last_accepted:
            text = "the server went away before it accepted the call"
        return Status(grpc.UNAVAILABLE, grpc.status_name(grpc.UNAVAILABLE), text, None, "connection")

    def _feed_loss(self, event: BytesLost, events: list[CallEvent]) -> None:
        side = "request" if self._is_request(event.direction) else "response"
        problem = Problem("bytes_lost", f"{side} bytes of the connection are not in the capture", event.packet)
        events.append(problem)
        for call in self._open.values():
            way = call.ways[event.direction]
            if way.ended:
                continue
            call.report(problem)
            if way.deframer is None:
                way.deframer = Deframer(in_step=False)
            else:
                way.deframer.lose()

    def _finish(
        self, call: _OpenCall, packet: int, time: int | None, events: list[CallEvent], why: str = "the stream ends"
    ) -> None:
        self._flush_way(call, 0, packet, time, why, events)
        self._flush_way(call, 1, packet, time, why, events)
        del self._open[call.stream]
        self._remember_closed(call.stream)
        if not call.is_grpc:
            self._counter.other_streams += 1
            return
        events.append(self._call_record(call))

    def _remember_closed(self, stream: int) -> None:
        self._closed.add(stream)
        self._closed_order.append(stream)
        if len(self._closed_order) > limits.MAX_CLOSED_STREAMS:
            self._closed.discard(self._closed_order.popleft())

    def _call_record(self, call: _OpenCall) -> Call:
        if call.unknown_fields:
            text = f"{call.unknown_fields} header fields refer to HPACK table entries that are not in the capture"
            call.report(Problem("hpack_unknown", text))
        duration = None
        if call.started is not None and call.ended_at is not None:
            duration = call.ended_at - call.started
        if call.more_problems:
            call.problems.append(Problem("more_problems", f"{call.more_problems} more problems"))
        request, response = self._request(call), self._response(call)
        client, server = self._sides if self._http2.client == 0 else self._sides[::-1]
        damaged = any(problem.code != "hpack_unknown" for problem in call.problems)
        return Call(
            call.number, call.method, call.protocol, client, server, self._connection, call.stream, call.started,
            duration, call.authority, call.deadline, request.headers or (), response.headers or (),
            call.trailers, call.status, request.count, response.count, request.size, response.size,
            not call.late and call.status is not None and not damaged, tuple(call.problems),
        )  # fmt: skip


def format_endpoint(endpoint: tuple[bytes, int]) -> str:
    """`address:port`, with an IPv6 address in brackets."""
    address = ipaddress.ip_address(endpoint[0])
    return f"[{address}]:{endpoint[1]}" if address.version == 6 else f"{address}:{endpoint[1]}"


def _encoding_of(declared: str | None, payload: bytes) -> str:
    """The encoding of a message that is flagged as compressed; told by its first bytes where no header names it."""
    if declared is not None and declared != "identity":
        return declared
    return grpc.sniff_encoding(payload) or declared or "unknown"


def _decompress(encoding: str, raw: RawMessage) -> tuple[bytes | None, Problem | None]:
    if encoding == "identity":
        text = "a message is flagged as compressed, but no grpc-encoding says how"
        return None, Problem("compression_unknown", text, raw.packet)
    try:
        return decompress(encoding, raw.payload, limits.MAX_MESSAGE), None
    except DecodeError as error:
        return None, Problem(error.code, error.message, raw.packet, error.offset)
