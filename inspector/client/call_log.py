"""What passes through a proxy -> the entries of a binary log, as it passes.

The bytes of both directions of a connection are read as those of a capture are (`net`): from its first byte on, and in
the order in which they were handed on. Each header, message and end is an entry as soon as it is whole.

Invariant: reading never changes what is read, and holds no more than limits.MAX_BUFFERED of unfinished messages; what
cannot be read is logged as what it is: a message without its bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from inspector import limits
from inspector.client import binlog_writer as writing
from inspector.client.binlog_writer import Parts
from inspector.errors import DecodeError
from inspector.model.call import Header, Status
from inspector.model.frames import BytesLost, Data, GoAway, Headers, RawMessage, Reset, StreamEvent
from inspector.model.packet import Chunk, Closed, Opened
from inspector.model.problem import Problem
from inspector.net import grpc_cy as grpc
from inspector.net import status as statuses
from inspector.net.calls_cy import CallCounter
from inspector.net.grpc_cy import Deframer
from inspector.net.grpc_web_text import TextDeframer, is_text
from inspector.net.http2_cy import OTHER, Http2Connection
from inspector.net.metadata_cy import OK, http_status, is_ok, readable, status_of, trailer_block
from inspector.sources import binlog_entry as log

CLIENT, SERVER = 0, 1
"""Directions: from the client, from the server."""

_NOWHERE = (bytes(4), 0)
_MESSAGES = (log.CLIENT_MESSAGE, log.SERVER_MESSAGE)
_NO_STATUS = Status(statuses.UNKNOWN, "UNKNOWN", "the response has no grpc-status")


class Sink(Protocol):
    """Where entries go."""

    def write(self, entries: Iterable[Parts]) -> None: ...


class Counts(NamedTuple):
    """What was seen so far. `left_out` are messages that are logged without their bytes."""

    calls: int
    open_calls: int
    messages: int
    left_out: int


class CallLog:
    """The log of all connections: call ids, and what there is in all."""

    def __init__(self, sink: Sink, *, max_message_bytes: int | None = None) -> None:
        self.sink = sink
        self.max_message_bytes = limits.MAX_MESSAGE if max_message_bytes is None else max_message_bytes
        self.room = CallCounter()
        self.held = 0
        """Bytes of unfinished messages."""
        self.calls = 0
        self.messages = 0
        self.left_out = 0
        self._open: dict[int, _Call] = {}

    @property
    def counts(self) -> Counts:
        return Counts(self.calls, len(self._open), self.messages, self.left_out)

    def begin(self, call: _Call) -> int:
        """Takes a call up; its id."""
        self.calls += 1
        self._open[self.calls] = call
        return self.calls

    def end(self, number: int) -> None:
        self._open.pop(number, None)

    def headers(self) -> list[bytes]:
        """The first entries of the calls that are open, for the beginning of another file."""
        return [part for call in self._open.values() for part in call.header]


class _Call:
    """A call that has not ended."""

    def __init__(self, stream: int, started: int) -> None:
        self.stream = stream
        self.started = started
        self.number = 0
        self.sequence = 0
        self.header: Parts = ()
        self.deadline: int | None = None
        self.deframers: list[Deframer | TextDeframer] = [Deframer(), Deframer()]
        self.encodings = ["identity", "identity"]
        self.held = [0, 0]
        self.is_answered = False
        self.http_status = 0


class ConnectionLog:
    """Bytes of a connection, both directions, in the order in which they were handed on -> entries of its calls.

    `client` and `server` are what `binlog_writer.address` gives. `tell` takes a line for people.
    """

    def __init__(self, calls: CallLog, client: bytes, server: bytes, tell: Callable[[str], None]) -> None:
        self._log = calls
        self._peers = client, server
        self._tell = tell
        self._http2 = Http2Connection(Opened(1, _NOWHERE, _NOWHERE, False, 0, None))
        self._offsets = [0, 0]
        self._calls: dict[int, _Call] = {}
        self._last_accepted: int | None = None
        self._first_ended: int | None = None
        self._ended = 0
        self._readable: dict[Header, Header] = {}
        self._out: list[Parts] = []
        self._time = 0
        self._told: set[str] = set()

    def feed(self, direction: int, data: bytes) -> None:
        """Takes bytes that were handed on. Raises InputError where the log cannot be written."""
        offset = self._offsets[direction]
        self._offsets[direction] += len(data)
        self._read(Chunk(1, direction, offset, data, 0, None))

    def end(self, direction: int, *, was_reset: bool = False) -> None:
        """A direction has ended. Raises InputError as above."""
        self._first_ended = direction if self._first_ended is None else self._first_ended
        self._ended += 1
        self._read(Closed(1, direction, "rst" if was_reset else "fin", 0, None))
        if self._ended == 2:
            for call in list(self._calls.values()):
                self._conclude(call)
            self._flush()

    def _read(self, event: Chunk | Closed) -> None:
        self._time = time.time_ns()
        self._log.room.begin_read()
        for item in self._http2.feed(event):
            self._take(item)
        if self._http2.verdict == OTHER:
            self._tell_once("this is no HTTP/2; it is handed on, but not logged")
        self._flush()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out:
            self._log.sink.write(out)

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)

    def _take(self, event: StreamEvent) -> None:
        if isinstance(event, Data):
            self._take_data(event)
        elif isinstance(event, Headers):
            self._take_headers(event)
        elif isinstance(event, Reset):
            self._take_reset(event)
        elif isinstance(event, GoAway):
            if event.direction == SERVER:
                self._last_accepted = event.last
        elif isinstance(event, BytesLost):
            self._lose(event.direction)
        elif isinstance(event, Problem):
            self._tell_once(event.message)

    def _lose(self, direction: int) -> None:
        self._tell_once("its frames cannot be told apart any more; what is logged of it has gaps")
        for call in self._calls.values():
            call.deframers[direction].lose()

    # --- headers -------------------------------------------------------------------------------------------------

    def _take_headers(self, event: Headers) -> None:
        call = self._calls.get(event.stream)
        if event.direction == CLIENT:
            if call is None:
                call = self._begin(event)
            if call is not None and event.end:
                self._add(call, log.CLIENT_HALF_CLOSE)
        elif call is not None:
            self._take_response_headers(call, event)

    def _begin(self, event: Headers) -> _Call | None:
        """Begins a call, if it is one of gRPC."""
        fields = dict(event.fields)
        method = fields.get(":path")
        if method is None or not (fields.get("content-type") or "").startswith("application/grpc"):
            return None
        call = _Call(event.stream, self._time)
        call.number = self._log.begin(call)
        call.encodings[CLIENT] = fields.get("grpc-encoding") or "identity"
        if is_text(fields.get("content-type")):
            call.deframers[CLIENT] = TextDeframer()
        call.deadline = grpc.parse_timeout(fields.get("grpc-timeout") or "")
        payload = writing.client_header(event.fields, method, fields.get(":authority"), call.deadline)
        call.header = self._add(
            call, log.CLIENT_HEADER, payload, truncated=event.problem is not None, peer=self._peers[CLIENT]
        )
        self._calls[event.stream] = call
        return call

    def _take_response_headers(self, call: _Call, event: Headers) -> None:
        if event.end:
            call.http_status = call.http_status or http_status(event.fields)
            self._end(call, event.fields, truncated=event.problem is not None)
            return
        code = http_status(event.fields)
        if call.is_answered or 100 <= code < 200:
            return  # an informational response, or one that is no part of gRPC
        call.is_answered, call.http_status = True, code
        fields = dict(event.fields)
        call.encodings[SERVER] = fields.get("grpc-encoding") or "identity"
        if is_text(fields.get("content-type")):
            call.deframers[SERVER] = TextDeframer()
        payload = writing.server_header(event.fields)
        truncated = event.problem is not None
        self._add(call, log.SERVER_HEADER, payload, truncated=truncated, peer=self._peers[SERVER])

    # --- messages ------------------------------------------------------------------------------------------------

    def _take_data(self, event: Data) -> None:
        call = self._calls.get(event.stream)
        if call is None:
            return
        direction = event.direction
        deframer = call.deframers[direction]
        length = deframer.length  # of the message that is the first to become whole
        for raw in deframer.feed(event):
            self._take_message(call, direction, raw, length)
        if deframer.bad_flag:
            self._tell_once(f"a message has the flags 0x{deframer.bad_flag:02x}, which gRPC does not have")
        if isinstance(deframer, TextDeframer) and deframer.damage is not None:
            self._tell_once(f"{deframer.damage.message}; what follows in that body is not logged")
        self._account(call, direction, deframer)
        if event.end:
            if direction == CLIENT:
                self._add(call, log.CLIENT_HALF_CLOSE)
            elif event.stream in self._calls:
                self._end(call, ())

    def _account(self, call: _Call, direction: int, deframer: Deframer | TextDeframer) -> None:
        """Keeps count of what unfinished messages hold, and lets go of this one where that is too much."""
        held, before = deframer.held, call.held[direction]
        if held == before:
            return
        if self._log.held + held - before > limits.MAX_BUFFERED:
            deframer.abandon(Problem("message_limit", f"over {limits.MAX_BUFFERED} bytes of messages are held"))
            held = 0
        self._log.held += held - before
        call.held[direction] = held

    def _take_message(self, call: _Call, direction: int, raw: RawMessage, announced: int) -> None:
        if raw.flag & grpc.TRAILERS:
            self._take_trailer_frame(call, direction, raw)
            return
        data: bytes | None = raw.payload if raw.problem is None else None
        if data is not None and raw.flag & grpc.COMPRESSED:
            data = self._decompress(call.encodings[direction], data)
        self._log.messages += 1
        call.sequence += 1
        if data is None:
            self._log.left_out += 1
            kept, length = b"", max(1, len(raw.payload) if raw.problem is None else announced)
        else:
            kept, length = data, len(data)
            if length > self._log.max_message_bytes:
                kept = data[: self._log.max_message_bytes]
        self._out.append(writing.message(_MESSAGES[direction], call.number, call.sequence, self._time, kept, length))

    def _decompress(self, encoding: str, payload: bytes) -> bytes | None:
        from inspector.net.compression import decompress  # noqa: PLC0415  # many connections do without

        if encoding == "identity" or not self._log.room.has_room():
            return None
        try:
            data = decompress(encoding, payload, limits.MAX_MESSAGE)
        except DecodeError as error:
            self._tell_once(f"a message cannot be decompressed: {error.message}")
            return None
        self._log.room.count_decompressed(len(payload), len(data), kept=True)
        return data

    def _take_trailer_frame(self, call: _Call, direction: int, raw: RawMessage) -> None:
        """Trailers in the body: gRPC-Web does that, in responses."""
        if direction == SERVER and raw.problem is None and call.stream in self._calls:
            self._end(call, trailer_block(raw.payload))

    # --- ends ----------------------------------------------------------------------------------------------------

    def _end(self, call: _Call, fields: tuple[Header, ...], *, truncated: bool = False) -> None:
        """The server has ended a call, with these trailers."""
        status: Status | None = OK
        if not is_ok(fields):
            fields_as_text = readable(fields, self._readable)
            status = status_of(fields_as_text, lambda problem: self._tell_once(problem.message))
            if status is None and call.http_status not in (0, 200):
                status = statuses.of_http(call.http_status)
        self._end_with(call, status or _NO_STATUS, fields, truncated=truncated)

    def _end_with(
        self, call: _Call, status: Status, fields: tuple[Header, ...] = (), *, truncated: bool = False
    ) -> None:
        payload = writing.trailer(fields, status)
        peer = b"" if call.is_answered else self._peers[SERVER]
        self._add(call, log.SERVER_TRAILER, payload, truncated=truncated, peer=peer)
        self._forget(call)

    def _take_reset(self, event: Reset) -> None:
        call = self._calls.get(event.stream)
        if call is None:
            return
        if event.direction == CLIENT:
            self._add(call, log.CANCEL)
            self._forget(call)
        else:
            took = self._time - call.started
            self._end_with(call, statuses.of_reset(event.code, by_client=False, took=took, deadline=call.deadline))

    def _conclude(self, call: _Call) -> None:
        """The connection has ended under a call."""
        if self._first_ended == CLIENT:
            self._add(call, log.CANCEL)
            self._forget(call)
        else:
            refused = self._last_accepted is not None and call.stream > self._last_accepted
            self._end_with(call, statuses.of_closing("fin", refused=refused))

    def _forget(self, call: _Call) -> None:
        del self._calls[call.stream]
        self._log.held -= sum(call.held)
        self._log.end(call.number)

    def _add(
        self, call: _Call, kind: int, payload: bytes = b"", *, truncated: bool = False, peer: bytes = b""
    ) -> Parts:
        call.sequence += 1
        made = writing.entry(kind, call.number, call.sequence, self._time, payload, truncated=truncated, peer=peer)
        self._out.append(made)
        return made
