"""HTTP/2 connections -> gRPC calls and their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector import limits
from inspector.errors import DecodeError
from inspector.model.call import Call, Direction, Header, Message, Piece, Status
from inspector.model.frames import (
    BytesLost,
    Data,
    Ended,
    GoAway,
    Headers,
    RawMessage,
    Reset,
    Restarted,
    StreamEvent,
)
from inspector.model.packet import Chunk, Closed, Gap, Opened, Time
from inspector.model.problem import Problem
from inspector.net import grpc_cy as grpc
from inspector.net import http2_frames_cy as frames
from inspector.net import status
from inspector.net.grpc_cy import Deframer
from inspector.net.grpc_web_text import TextDeframer, is_text
from inspector.net.http2_cy import HTTP2
from inspector.net.metadata_cy import OK, http_status, is_ok, readable, status_of, trailer_block

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

if TYPE_CHECKING or not cython.compiled:
    from inspector.model.make_cy import make
    from inspector.net.hpack_cy import HpackDecoder
    from inspector.net.http2_cy import Half, Http2Connection
else:
    from cython.cimports.inspector.model.make_cy import make
    from cython.cimports.inspector.net.hpack_cy import HpackDecoder
    from cython.cimports.inspector.net.http2_cy import Half, Http2Connection

CallEvent = Message | Call | Problem

_MAX_MESSAGE = cython.declare(cython.longlong, limits.MAX_MESSAGE)
_COMPRESSED = cython.declare(cython.int, grpc.COMPRESSED)
_TRAILERS = cython.declare(cython.int, grpc.TRAILERS)

# The fields of a request that tell something here. (To look a name up takes less time than to compare it with each.)
_REQUEST_FIELDS = cython.declare(
    dict, {":path": 1, "content-type": 2, ":authority": 3, "grpc-encoding": 4, "grpc-timeout": 5}
)

_MAX_CLOSED = cython.declare(cython.Py_ssize_t, limits.MAX_CLOSED_STREAMS)
_USUAL_FRAME = cython.declare(cython.Py_ssize_t, limits.DEFAULT_FRAME_SIZE)
_DATA = cython.declare(cython.int, frames.DATA)
_HEADERS = cython.declare(cython.int, frames.HEADERS)
_PING = cython.declare(cython.int, frames.PING)
_WINDOW_UPDATE = cython.declare(cython.int, frames.WINDOW_UPDATE)
_PADDED = cython.declare(cython.int, frames.PADDED)
_END_HEADERS = cython.declare(cython.int, frames.END_HEADERS)
# Of a HEADERS frame that is a whole block, neither padded nor with a priority, only END_HEADERS of these is set.
_WHOLE_BLOCK = cython.declare(cython.int, frames.END_HEADERS | frames.PADDED | frames.HAS_PRIORITY)


@cython.final
@cython.cclass
class CallCounter:
    """What all connections of a capture share: the numbers of calls, and how many bytes they hold.

    `other_streams` counts HTTP/2 streams that are not gRPC.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.held = 0
        self.other_streams = 0
        self._compressed = 0  # bytes that were decompressed so far, and what they became
        self._decompressed = 0
        self._at_once = 0  # of these, since `begin_read`

    def begin_read(self) -> None:
        """What was decompressed before is consumed."""
        self._at_once = 0

    def has_room(self) -> bool:
        """Whether more may be decompressed: neither without measure, nor more at once than memory should hold."""
        allowed = limits.MAX_BUFFERED + limits.MAX_COMPRESSION_RATIO * self._compressed
        return self._decompressed <= allowed and self._at_once <= limits.MAX_BUFFERED

    def count_decompressed(self, before: int, after: int, *, kept: bool) -> None:
        self._compressed += before
        self._decompressed += after
        if kept:
            self._at_once += after


@cython.final
@cython.freelist(64)
@cython.cclass
class _Way:
    """One direction of a call: its headers, its messages so far."""

    def __init__(self) -> None:
        self.headers: tuple[Header, ...] | None = None
        self.encoding: str | None = None  # None: not known, as the header was not seen
        self.deframer: Deframer | TextDeframer | None = None  # made with the first DATA; for base64, with the headers
        self.foreign: Problem | None = None  # of each of its messages, which are not protobuf
        self.count = 0
        self.size = 0
        self.ended = False
        self.held = 0  # bytes of its unfinished message, as the counter has them
        self.lost = False  # bytes of its connection are missing that may have been its own


@cython.final
@cython.freelist(32)
@cython.cclass
class _OpenCall:
    """A call that has not ended."""

    def __init__(self) -> None:
        self.number = 0
        self.stream = 0
        self.started: int | None = None
        self.late = False  # its beginning was not seen
        self.method: str | None = None
        self.authority: str | None = None
        self.deadline: int | None = None
        self.knows_deadline = False  # whether the request headers are all known, so that one would have been seen
        self.protocol: str = "grpc"
        self.is_grpc = True
        self.http_status = 0  # 0: not known
        self.foreign: str | None = None  # the content-type of the response, where that is not gRPC
        self.status: Status | None = None
        self.hides_status = False  # its trailers may hold one that cannot be read
        self.ended_at: int | None = None
        self.trailers: tuple[Header, ...] = ()
        self.first: _Way = _Way()  # by direction of the connection
        self.second: _Way = _Way()
        self.problems: list[Problem] = []
        self.more_problems = 0
        self.may_be_reset = False  # bytes of its connection are missing, of either side, that may have ended it
        self.unknown_fields = 0  # header fields that refer to HPACK entries from before the capture

    def report(self, problem: Problem) -> None:
        if len(self.problems) < limits.MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1

    @cython.cfunc
    def way(self, direction: cython.int) -> _Way:
        return self.second if direction else self.first


@cython.final
@cython.cclass
class _Asked:
    """What a request's header fields tell, all of them known and in order."""

    def __init__(self) -> None:
        self.fields: tuple[Header, ...] = ()
        self.timeout_at = -1  # which of them is the timeout (the last one, which counts)
        self.method: str | None = None
        self.authority: str | None = None
        self.deadline: int | None = None
        self.encoding: str | None = None
        self.protocol: str = "grpc"
        self.is_grpc = True

    @cython.cfunc
    def take(self, call: _OpenCall, way: _Way) -> None:
        self.fields = () if way.headers is None else way.headers
        self.timeout_at = max((at for at, field in enumerate(self.fields) if field[0] == "grpc-timeout"), default=-1)
        self.encoding = way.encoding
        self.method, self.authority, self.deadline = call.method, call.authority, call.deadline
        self.protocol, self.is_grpc = call.protocol, call.is_grpc

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.wraparound(False)
    def give(self, call: _OpenCall, way: _Way, fields: tuple[Header, ...]) -> cython.bint:
        """Puts into a call what its `fields` tell; False, and nothing done, where they differ by more than the timeout
        and the values of fields that tell nothing here, such as ids."""
        others: tuple[Header, ...] = self.fields
        count: cython.Py_ssize_t = len(fields)
        deadline = self.deadline
        if not count or count != len(others):
            return False
        index: cython.Py_ssize_t
        for index in range(count):
            if fields[index] is not others[index]:
                name, value = cython.cast(tuple, fields[index])
                if name != others[index][0]:
                    return False
                if index == self.timeout_at and value is not None:
                    deadline = grpc.parse_timeout(value)
                    if deadline is None:
                        return False
                elif name in _REQUEST_FIELDS:
                    return False
        way.encoding = self.encoding
        call.method, call.authority, call.deadline = self.method, self.authority, deadline
        call.protocol, call.is_grpc = self.protocol, self.is_grpc
        return True


@cython.final
@cython.cclass
class ConnectionCalls:
    """TCP events of one connection -> its messages as they become whole, its calls as they end.

    `sides_ended` counts the directions that were closed. Without `with_messages` the messages that are whole and not
    compressed are counted, but not made.
    """

    def __init__(self, opened: Opened, counter: CallCounter, with_messages: bool = True) -> None:
        self._connection = opened.connection
        self._sides = format_endpoint(opened.client), format_endpoint(opened.server)
        self._http2: Http2Connection = Http2Connection(opened)
        self._counter: CallCounter = counter
        self._open: dict[int, _OpenCall] = {}
        self._recent: _OpenCall | None = None  # of these, the one asked for last
        self._closed: set[int] = set()
        self._closed_order: list[int] = []  # the same, as they closed; those before the first are forgotten
        self._closed_first = 0
        self._last_accepted: int | None = None  # of a GOAWAY
        self.sides_ended = 0
        self._with_messages = with_messages
        self._out_of_step = 3 if opened.mid else 0  # a bit per direction: frames were lost, and none were found since
        # What the last header lists said: most calls of a connection have the same, often as the same objects.
        self._asked: _Asked = _Asked()
        self._answered: tuple[Header, ...] | None = None
        self._answered_encoding: str | None = None
        self._answered_status = 0
        self._ok_trailers: tuple[Header, ...] | None = None
        self._readable: dict[Header, Header] = {}  # octets of header fields -> their text, of those seen lately

    @cython.cfunc
    @cython.exceptval(check=False)
    def _is_request(self, direction: cython.int) -> cython.bint:
        return direction == self._http2.client

    @cython.cfunc
    def _request(self, call: _OpenCall) -> _Way:
        return call.way(self._http2.client)

    @cython.cfunc
    def _response(self, call: _OpenCall) -> _Way:
        return call.way(1 - self._http2.client)

    @property
    def is_http2(self) -> bool:
        return self._http2.verdict == HTTP2

    @property
    def is_tls(self) -> bool:
        return self._http2.verdict != HTTP2 and self._http2.is_tls

    @property
    def is_http1(self) -> bool:
        """A tunnel of CONNECT is what is in it, where that is known."""
        return self._http2.verdict != HTTP2 and self._http2.is_http1 and not self._http2.is_tls

    def feed(self, event: Chunk | Gap | Closed) -> list[CallEvent]:
        """Messages and calls that are whole after `event`."""
        events: list[CallEvent] = []
        if type(event) is Closed:
            self.sides_ended += 1
        for item in self._http2.feed(event):
            kind = type(item)
            if kind is Headers:
                self._feed_headers(item, events)  # type: ignore[arg-type]
            elif kind is Data:
                self._feed_body(item, events)  # type: ignore[arg-type]
            elif isinstance(item, Problem):
                events.append(item)
            else:
                self._feed_rare(item, events)
        return events

    @cython.cfunc
    def feed_part(
        self,
        direction: cython.int,
        offset: cython.longlong,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        packet: cython.longlong,
        time: Time,
        events: list[CallEvent],
    ) -> None:
        """The same for the bytes of a `Chunk` that stand from `start` to `end` in others. Whole frames of the common
        kinds are read where they stand; the rest is cut out and goes the ordinary way."""
        at: cython.Py_ssize_t = start
        half: Half | None = self._http2.ready_half(direction)
        if half is not None:
            at = self._read_frames(half, direction, offset - start, data, start, end, packet, time, events)
        if at < end:
            rest = (self._connection, direction, offset + at - start, _cut(data, at, end), packet, time)
            events += self.feed(make(Chunk, rest))

    @cython.cfunc
    def _read_frames(
        self,
        half: Half,
        direction: cython.int,
        base: cython.longlong,
        data: bytes,
        at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        packet: cython.longlong,
        time: Time,
        events: list[CallEvent],
    ) -> cython.Py_ssize_t:
        """Reads whole frames of the common kinds; where it stops. `base` is the offset of the first byte of `data`."""
        if at < 0 or end > len(data):
            raise IndexError("out of bounds")
        decoder: HpackDecoder = half.decoder
        while end - at >= 9:
            length: cython.Py_ssize_t = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
            kind: cython.int = data[at + 3]
            flags: cython.int = data[at + 4]
            stream: cython.longlong = (
                (data[at + 5] & 0x7F) << 24 | data[at + 6] << 16 | data[at + 7] << 8 | data[at + 8]
            )
            body: cython.Py_ssize_t = at + 9
            if length > _USUAL_FRAME or length > end - body:
                break
            if kind == _DATA and stream and not flags & _PADDED:
                self._take_data(
                    direction, stream, flags & 1 != 0, data, body, body + length, base + body, packet, time, events
                )
            elif kind == _HEADERS and stream and flags & _WHOLE_BLOCK == _END_HEADERS:
                fields = self._http2.decode_block(direction, half, True, data, body, body + length, base + at, packet)
                if decoder.has_octets:
                    fields = readable(fields, self._readable)
                self._take_headers(
                    direction,
                    stream,
                    fields,
                    flags & 1 != 0,
                    decoder.unknown,
                    self._http2.problem,
                    packet,
                    time,
                    events,
                )
            elif not (kind == _WINDOW_UPDATE and length == 4) and not (kind == _PING and length == 8 and not stream):
                break
            at = body + length
        return at

    @cython.cfunc
    def _feed_rare(self, event: StreamEvent, events: list[CallEvent]) -> None:
        if isinstance(event, Reset):
            self._feed_reset(event, events)
        elif isinstance(event, Ended):
            self._feed_end(event, events)
        elif isinstance(event, BytesLost):
            self._feed_loss(event, events)
        elif isinstance(event, Restarted):
            self._feed_restart(event, events)
        elif isinstance(event, GoAway) and not self._is_request(event.direction):
            self._last_accepted = event.last

    @cython.cfunc
    def _feed_restart(self, event: Restarted, events: list[CallEvent]) -> None:
        """Another connection between the same ports: its streams are numbered anew."""
        call: _OpenCall
        for call in list(self._open.values()):
            self._finish(call, event.packet, None, events, "the connection begins anew")
        self._closed.clear()
        self._closed_order.clear()
        self._closed_first = 0

    # --- headers -------------------------------------------------------------------------------------------------

    @cython.cfunc
    def _feed_headers(self, event: Headers, events: list[CallEvent]) -> None:
        direction: cython.int
        has_octets: cython.bint
        end: cython.bint
        unknown: cython.longlong
        packet: cython.longlong
        direction, stream, fields, has_octets, end, unknown, problem, packet, time = cython.cast(tuple, event)
        if has_octets:
            fields = readable(fields, self._readable)
        self._take_headers(direction, stream, fields, end, unknown, problem, packet, time, events)

    @cython.cfunc
    def _take_headers(
        self,
        direction: cython.int,
        stream: cython.longlong,
        fields: tuple[Header, ...],
        end: cython.bint,
        unknown: cython.longlong,
        problem: Problem | None,
        packet: cython.longlong,
        time: Time,
        events: list[CallEvent],
    ) -> None:
        is_request: cython.bint = self._is_request(direction)
        self._out_of_step &= ~(1 << direction)
        call: _OpenCall | None = self._find(stream)
        if call is None:
            if stream in self._closed:
                return
            call = self._begin(stream, time, events, not is_request)
        if problem is not None:
            call.report(problem)
        call.unknown_fields += unknown
        whole: cython.bint = not unknown and problem is None
        if not is_request:
            self._take_response_headers(call, fields, whole, end, time)
        elif self._request(call).headers is None:
            self._take_request_headers(call, fields, whole, packet)
        self._number(call)
        if end:
            self._end_way(call, direction, packet, time, events)

    @cython.cfunc
    def _begin(self, stream: cython.longlong, time: Time, events: list[CallEvent], late: cython.bint) -> _OpenCall:
        while len(self._open) >= limits.MAX_STREAMS:
            oldest: _OpenCall = next(iter(self._open.values()))
            oldest.report(
                Problem("stream_limit", f"more than {limits.MAX_STREAMS} streams are open; this one is let go")
            )
            self._finish(oldest, 0, time, events)
        call: _OpenCall = _OpenCall()
        call.stream, call.started, call.late = stream, time, late
        # Clients open streams of odd numbers; even ones are pushed, which gRPC does not do.
        call.is_grpc = stream % 2 == 1
        call.first.lost = self._out_of_step & 1 != 0
        call.second.lost = self._out_of_step & 2 != 0
        self._open[stream] = self._recent = call
        return call

    @cython.cfunc
    def _find(self, stream: cython.longlong) -> _OpenCall | None:
        """The open call of a stream: mostly the one asked for last."""
        call: _OpenCall | None = self._recent
        if call is None or call.stream != stream:
            call = self._open.get(stream)
            self._recent = call
        return call

    @cython.cfunc
    def _number(self, call: _OpenCall) -> None:
        """Gives a call its number, once it is known to be one."""
        if not call.number and call.is_grpc:
            self._counter.calls += 1
            call.number = self._counter.calls

    @cython.cfunc
    def _take_request_headers(
        self, call: _OpenCall, fields: tuple[Header, ...], whole: cython.bint, packet: cython.longlong
    ) -> None:
        """`whole` where every field is known."""
        way: _Way = self._request(call)
        way.headers = fields
        way.encoding = "identity" if whole else None
        call.knows_deadline = whole
        self._drop_deframer(way)  # whatever was lost before, here messages begin
        if whole and self._asked.give(call, way, fields):
            return
        content_type: str | None = None
        what: cython.int
        for name, value in fields:
            what = _REQUEST_FIELDS.get(name, 0)
            if not what or value is None:
                continue
            if what == 1:
                call.method = value
            elif what == 2:
                content_type = value
            elif what == 3:
                call.authority = value
            elif what == 4:
                way.encoding = value
            else:
                call.deadline = grpc.parse_timeout(value)
                if call.deadline is None:
                    call.report(Problem("grpc_timeout", f"grpc-timeout {value!r} is malformed", packet))
        if content_type is not None:
            call.is_grpc = content_type.startswith("application/grpc")
            if content_type.startswith("application/grpc-web"):
                call.protocol = "grpc-web"
        else:
            call.is_grpc = not whole
        if content_type is not None and content_type != "application/grpc":
            _note_type(way, content_type)
        if way.deframer is None and whole and not call.problems:
            self._asked.take(call, way)

    @cython.cfunc
    def _take_response_headers(
        self, call: _OpenCall, fields: tuple[Header, ...], whole: cython.bint, end: cython.bint, time: Time
    ) -> None:
        way: _Way = self._response(call)
        if end:
            self._take_trailers(call, fields, time, way.headers is None)
            call.hides_status = call.status is None and not (whole and _lacks_status(fields))
            return
        if way.headers is not None:
            # Only trailers may follow, and they end the stream (RFC 9113, 8.1).
            call.report(Problem("http2_headers", "a header block that is neither the first nor the last is left out"))
            return
        if fields is self._answered and whole and not call.late:
            way.headers, way.encoding, call.http_status = fields, self._answered_encoding, self._answered_status
            self._drop_deframer(way)
            return
        code: cython.int = http_status(fields)
        if 100 <= code < 200:
            return  # an informational response: the real one follows
        way.headers = fields
        way.encoding = "identity" if whole else None
        self._drop_deframer(way)  # whatever was lost before, here messages begin
        call.http_status = code
        for name, value in fields:
            if name == "grpc-encoding" and value is not None:
                way.encoding = value
            elif name == "content-type" and value is not None:
                call.foreign = None if value.lower().startswith("application/grpc") else value
                if call.late and not call.number:
                    call.is_grpc = call.foreign is None
                if value != "application/grpc":
                    _note_type(way, value)
        if whole and way.deframer is None and call.foreign is None:
            self._answered, self._answered_encoding, self._answered_status = fields, way.encoding, code

    @cython.cfunc
    def _take_trailers(self, call: _OpenCall, fields: tuple[Header, ...], time: Time, first: cython.bint) -> None:
        call.trailers = fields
        call.ended_at = time
        if first:
            call.http_status = http_status(fields)
        if fields is self._ok_trailers:
            call.status = OK
        elif is_ok(fields):
            call.status = OK
            self._ok_trailers = fields
        else:
            call.status = status_of(fields, call.report)
        self._conclude_from_http(call)

    @cython.cfunc
    def _conclude_from_http(self, call: _OpenCall) -> None:
        if call.status is None and call.http_status and call.http_status != 200:
            call.status = status.of_http(call.http_status)

    @cython.cfunc
    def _conclude_from_end(self, call: _OpenCall, response: _Way) -> None:
        """A response that ended, and had no status: not one that was lost, or could not be read."""
        if call.status is not None or call.http_status != 200 or call.hides_status or response.lost:
            return
        if call.problems and call.foreign is None and (call.late or call.protocol == "grpc-web"):
            return  # the status may stand in the part of the body that is damaged
        call.status = status.of_ending(call.foreign)

    # --- messages ------------------------------------------------------------------------------------------------

    @cython.cfunc
    def _feed_body(self, event: Data, events: list[CallEvent]) -> None:
        direction: cython.int
        end: cython.bint
        packet: cython.longlong
        direction, stream, _, _, _, end, _, packet, time = cython.cast(tuple, event)
        call: _OpenCall | None = self._call_of_data(direction, stream, packet, time, events)
        if call is None:
            return
        if self._has_messages(call, direction):
            self._deframe(call, direction, event, events)
        if end:
            self._end_way(call, direction, packet, time, events)

    @cython.cfunc
    def _take_data(
        self,
        direction: cython.int,
        stream: cython.longlong,
        ends: cython.bint,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        packet: cython.longlong,
        time: Time,
        events: list[CallEvent],
    ) -> None:
        """A whole DATA frame, whose bytes stand from `start` to `end`; `offset` is that of its first byte."""
        call: _OpenCall | None = self._call_of_data(direction, stream, packet, time, events)
        if call is None:
            return
        if self._has_messages(call, direction) and not self._take_whole(
            call, direction, data, start, end, offset, packet, time, events
        ):
            event = (direction, stream, _cut(data, start, end), 0, True, ends, offset, packet, time)
            self._deframe(call, direction, make(Data, event), events)
        if ends:
            self._end_way(call, direction, packet, time, events)

    @cython.cfunc
    def _call_of_data(
        self,
        direction: cython.int,
        stream: cython.longlong,
        packet: cython.longlong,
        time: Time,
        events: list[CallEvent],
    ) -> _OpenCall | None:
        """The call that DATA belongs to; None where that has ended."""
        self._out_of_step &= ~(1 << direction)
        call: _OpenCall | None = self._find(stream)
        if call is None:
            if stream in self._closed:
                return None
            call = self._begin(stream, time, events, True)
            call.report(Problem("started_late", "the beginning of this call is not in the capture", packet))
        self._number(call)
        return call

    @cython.cfunc
    def _has_messages(self, call: _OpenCall, direction: cython.int) -> cython.bint:
        """Whether DATA of this direction is gRPC messages: what is not is a page for people, most often."""
        if not call.is_grpc or self._is_request(direction):
            return call.is_grpc
        return call.foreign is None and (call.http_status == 0 or call.http_status == 200)

    @cython.cfunc
    def _deframe(self, call: _OpenCall, direction: cython.int, event: Data, events: list[CallEvent]) -> None:
        way: _Way = call.way(direction)
        deframer = way.deframer
        if deframer is None:
            body: bytes = event.data
            packet: cython.longlong = event.packet
            if not event.missing and self._take_whole(
                call, direction, body, 0, len(body), event.offset, packet, event.time, events
            ):
                return
            deframer = way.deframer = Deframer(way.headers is not None or not call.late)
        for raw in deframer.feed(event):
            self._take_message(call, direction, raw, events)
        held: cython.longlong = deframer.held
        if held or way.held:
            self._account(way, deframer, event.packet)

    @cython.cfunc
    def _take_whole(
        self,
        call: _OpenCall,
        direction: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        packet: cython.longlong,
        time: Time,
        events: list[CallEvent],
    ) -> cython.bint:
        """The common case made quick: the data is just one message, not compressed. False where it is not."""
        way: _Way = call.way(direction)
        if way.deframer is not None or (way.headers is None and call.late):
            return False
        size: cython.Py_ssize_t = end - start - 5
        if size < 0 or data[start] or size > _MAX_MESSAGE:
            return False
        length: cython.Py_ssize_t = data[start + 1]  # as a byte it would be shifted in a C int, and out of that
        length = length << 24 | data[start + 2] << 16 | data[start + 3] << 8 | data[start + 4]
        if length != size:
            return False
        if self._with_messages:
            body = _cut(data, start + 5, end)
            name: Direction = "request" if self._is_request(direction) else "response"
            pieces = (make(Piece, (packet, offset, size + 5)),)
            message = (call.number, way.count, name, call.method, time, "identity", body, body, None, pieces)
            events.append(make(Message, message))
        way.size += size
        way.count += 1
        return True

    @cython.cfunc
    def _account(self, way: _Way, deframer: Deframer | TextDeframer, packet: cython.longlong) -> None:
        """Keeps count of what all unfinished messages hold, and lets go of this one where that is too much."""
        if self._counter.held + deframer.held - way.held > limits.MAX_BUFFERED:
            text = f"over {limits.MAX_BUFFERED} bytes of unfinished messages are held; this one is let go"
            deframer.abandon(Problem("message_limit", text, packet))
        self._counter.held += deframer.held - way.held
        way.held = deframer.held

    @cython.cfunc
    def _take_message(self, call: _OpenCall, direction: cython.int, raw: RawMessage, events: list[CallEvent]) -> None:
        way: _Way = call.way(direction)
        flag: cython.int
        wire: bytes
        flag, wire, problem, pieces, _, time = cython.cast(tuple, raw)
        if flag & _TRAILERS:
            self._take_trailer_frame(call, direction, way, raw)
            return
        data: bytes | None = wire
        encoding = "identity"
        if flag & _COMPRESSED:
            encoding = _encoding_of(way.encoding, wire)
            if problem is None:
                data, problem = self._decompress(encoding, raw)
        if problem is not None:
            data = None
            call.report(problem)
        elif way.foreign is not None:
            data, problem = None, way.foreign
        if self._with_messages:
            name: Direction = "request" if self._is_request(direction) else "response"
            message = (call.number, way.count, name, call.method, time, encoding, data, wire, problem, pieces)
            events.append(make(Message, message))
        way.size += len(wire) if data is None else len(data)
        way.count += 1

    @cython.cfunc
    def _decompress(self, encoding: str, raw: RawMessage) -> tuple[bytes | None, Problem | None]:
        if encoding == "identity":
            text = "a message is flagged as compressed, but no grpc-encoding says how"
            return None, Problem("compression_unknown", text, raw.packet)
        if not self._counter.has_room():
            text = "messages are compressed beyond all measure; this one is not decompressed"
            return None, Problem("compression_limit", text, raw.packet)
        from inspector.net.compression import decompress  # noqa: PLC0415  # many captures do without

        try:
            data = decompress(encoding, raw.payload, limits.MAX_MESSAGE)
        except DecodeError as error:
            return None, Problem(error.code, error.message, raw.packet, error.offset)
        self._counter.count_decompressed(len(raw.payload), len(data), kept=self._with_messages)
        return data, None

    @cython.cfunc
    def _take_trailer_frame(self, call: _OpenCall, direction: cython.int, way: _Way, raw: RawMessage) -> None:
        """Trailers in the body: gRPC-Web does that, in responses."""
        if self._is_request(direction) or (call.protocol != "grpc-web" and not call.late):
            text = f"a message has the flags 0x{raw.flag:02x}, which gRPC does not have here"
            call.report(Problem("grpc_flag", text, raw.packet))
            return
        block: bytes | None = raw.payload
        problem = raw.problem
        if raw.flag & _COMPRESSED and problem is None:
            block, problem = self._decompress(_encoding_of(way.encoding, raw.payload), raw)
        if problem is not None or block is None:
            call.report(problem or Problem("grpc_trailers", "the trailers are damaged", raw.packet))
            return
        self._take_trailers(call, trailer_block(block), raw.time, False)

    # --- ends ----------------------------------------------------------------------------------------------------

    @cython.cfunc
    def _end_way(
        self, call: _OpenCall, direction: cython.int, packet: cython.longlong, time: Time, events: list[CallEvent]
    ) -> None:
        way: _Way = call.way(direction)
        way.ended = True
        self._flush_way(call, direction, packet, time, "the stream ends", events)
        if not self._is_request(direction):
            self._conclude_from_http(call)
            self._conclude_from_end(call, way)
            if call.ended_at is None:
                call.ended_at = time
        if call.first.ended and call.second.ended:
            self._finish(call, packet, time, events)

    @cython.cfunc
    def _flush_way(
        self,
        call: _OpenCall,
        direction: cython.int,
        packet: cython.longlong,
        time: Time,
        why: str,
        events: list[CallEvent],
    ) -> None:
        """Reports what is left of a message that never became whole."""
        way: _Way = call.way(direction)
        if way.deframer is None:
            return
        raw = way.deframer.close(packet, time, why)
        if raw is not None:
            self._take_message(call, direction, raw, events)
        if way.deframer.bad_flag:
            text = f"a message has the flags 0x{way.deframer.bad_flag:02x}, which gRPC does not have; "
            call.report(Problem("grpc_flag", text + f"{way.deframer.skipped} bytes behind it are not read", packet))
        elif isinstance(way.deframer, TextDeframer) and way.deframer.damage is not None:
            call.report(way.deframer.damage)
        elif way.deframer.skipped:
            text = f"{way.deframer.skipped} bytes of messages cannot be told apart: their beginning is missing"
            call.report(Problem("message_skipped", text, packet))
        self._drop_deframer(way)

    @cython.cfunc
    def _drop_deframer(self, way: _Way) -> None:
        way.deframer = None
        self._counter.held -= way.held
        way.held = 0

    @cython.cfunc
    def _feed_reset(self, event: Reset, events: list[CallEvent]) -> None:
        call: _OpenCall | None = self._open.get(event.stream)
        if call is None:
            return
        response: _Way = self._response(call)
        if call.status is None and not (response.ended or response.lost):
            call.ended_at = event.time
            is_request: cython.bint = self._is_request(event.direction)
            if is_request and event.code == grpc.CANCEL and not call.knows_deadline:
                call.status = None  # cancelled, or given up at a deadline that was not seen
            elif is_request and event.code != grpc.CANCEL and self._is_refused(call):
                call.status = status.of_closing("end", refused=True)  # the code repeats that of the GOAWAY
            else:
                took = None if event.time is None or call.started is None else event.time - call.started
                call.status = status.of_reset(event.code, by_client=is_request, took=took, deadline=call.deadline)
        self._finish(call, event.packet, event.time, events, "the stream is reset")

    @cython.cfunc
    def _is_refused(self, call: _OpenCall) -> cython.bint:
        """Whether a GOAWAY said that the server does not take this call any more (RFC 9113, 6.8)."""
        return self._last_accepted is not None and call.stream > self._last_accepted

    @cython.cfunc
    def _feed_end(self, event: Ended, events: list[CallEvent]) -> None:
        if self.sides_ended < 2 and event.reason != "rst":
            return
        call: _OpenCall
        for call in list(self._open.values()):
            response: _Way = self._response(call)
            is_known: cython.bint = not (response.ended or response.lost or call.may_be_reset)
            if call.status is None and event.reason != "end" and is_known:
                call.ended_at = event.time
                call.status = status.of_closing(event.reason, refused=self._is_refused(call))
            why = "the capture ends" if event.reason == "end" else "the connection ends"
            self._finish(call, event.packet, event.time, events, why)

    @cython.cfunc
    def _feed_loss(self, event: BytesLost, events: list[CallEvent]) -> None:
        side = "request" if self._is_request(event.direction) else "response"
        problem = Problem("bytes_lost", f"{side} bytes of the connection are not in the capture", event.packet)
        events.append(problem)
        call: _OpenCall
        way: _Way
        self._out_of_step |= 1 << event.direction
        for call in self._open.values():
            call.may_be_reset = True
            way = call.way(event.direction)
            if way.ended:
                continue
            way.lost = True
            call.report(problem)
            if way.deframer is None:
                way.deframer = Deframer(False)
            else:
                way.deframer.lose()

    @cython.cfunc
    def _finish(
        self,
        call: _OpenCall,
        packet: cython.longlong,
        time: Time,
        events: list[CallEvent],
        why: str = "the stream ends",
    ) -> None:
        self._flush_way(call, 0, packet, time, why, events)
        self._flush_way(call, 1, packet, time, why, events)
        del self._open[call.stream]
        if self._recent is call:
            self._recent = None
        self._remember_closed(call.stream)
        if not call.is_grpc:
            self._counter.other_streams += 1
            return
        self._number(call)
        events.append(self._call_record(call))

    @cython.cfunc
    def _remember_closed(self, stream: cython.longlong) -> None:
        self._closed.add(stream)
        self._closed_order.append(stream)
        if len(self._closed_order) - self._closed_first > _MAX_CLOSED:
            self._closed.discard(self._closed_order[self._closed_first])
            self._closed_first += 1
            if self._closed_first > _MAX_CLOSED:
                del self._closed_order[: self._closed_first]
                self._closed_first = 0

    @cython.cfunc
    def _call_record(self, call: _OpenCall) -> Call:
        if call.unknown_fields:
            fields = (
                "1 header field refers" if call.unknown_fields == 1 else f"{call.unknown_fields} header fields refer"
            )
            text = f"{fields} to HPACK table entries that are not in the capture"
            call.report(Problem("hpack_unknown", text))
        duration = None
        if call.started is not None and call.ended_at is not None:
            duration = call.ended_at - call.started
        if call.more_problems:
            call.problems.append(Problem("more_problems", f"{call.more_problems} more problems"))
        request, response = self._request(call), self._response(call)
        client, server = self._sides
        if self._http2.client:
            client, server = server, client
        damaged: cython.bint = len(call.problems) > 0 and _is_damaged(call.problems)
        return make(
            Call,
            (
                call.number,
                call.method,
                call.protocol,
                client,
                server,
                self._connection,
                call.stream,
                call.started,
                duration,
                call.authority,
                call.deadline,
                request.headers or (),
                response.headers or (),
                call.trailers,
                call.status,
                request.count,
                response.count,
                request.size,
                response.size,
                not call.late and call.status is not None and not damaged,
                tuple(call.problems) if call.problems else (),
            ),
        )


def _note_type(way: _Way, content_type: str) -> None:
    """What is not just messages of protobuf has a deframer from the start, and so does not go the quick way."""
    way.foreign = grpc.not_protobuf(content_type)
    if is_text(content_type):
        way.deframer = TextDeframer()
    elif way.foreign is not None:
        way.deframer = Deframer()


def _lacks_status(trailers: tuple[Header, ...]) -> bool:
    return all(name != "grpc-status" for name, _ in trailers)


def _is_damaged(problems: list[Problem]) -> bool:
    return any(problem.code != "hpack_unknown" for problem in problems)


def format_endpoint(endpoint: tuple[bytes, int]) -> str:
    """`address:port`, with an IPv6 address in brackets."""
    packed, port = endpoint
    if len(packed) == 4:
        return f"{packed[0]}.{packed[1]}.{packed[2]}.{packed[3]}:{port}"
    import ipaddress  # noqa: PLC0415  # not needed to read IPv4, and slow to load

    return f"[{ipaddress.IPv6Address(packed)}]:{port}"


def _encoding_of(declared: str | None, payload: bytes) -> str:
    """The encoding of a message that is flagged as compressed; told by its first bytes where no header names it."""
    if declared is not None and declared != "identity":
        return declared
    return grpc.sniff_encoding(payload) or declared or "unknown"


@cython.cfunc
@cython.inline
def _cut(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> bytes:
    """`data[start:end]` without a slice object, which takes twice as long as the copy."""
    if start < 0 or end < start or end > len(data):
        raise IndexError("out of bounds")
    octets: cython.p_char = data
    return octets[start:end]
