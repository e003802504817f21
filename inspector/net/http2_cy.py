"""An HTTP/2 connection (RFC 9113) seen from beside it: both directions' bytes -> what happens on its streams.

Events tell the direction they came in; which one is the client's (`Http2Connection.client`) may be a guess until a
header block is seen.

Which TCP connections are HTTP/2 is told from their bytes: the client's preface, perhaps behind the handshake of a
proxy, an upgrade from HTTP/1.1, or, where the beginning is not in the capture, frames that follow one another.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from inspector import limits
from inspector.errors import DecodeError
from inspector.model.call import Header
from inspector.model.frames import (
    BytesLost,
    Data,
    Ended,
    Frame,
    GoAway,
    Headers,
    Lost,
    Reset,
    Restarted,
    StreamEvent,
)
from inspector.model.packet import Chunk, Closed, Gap, Opened
from inspector.model.problem import Problem
from inspector.net import handshakes, http1
from inspector.net import http2_frames_cy as http2_frames
from inspector.net.hpack_cy import DEFAULT_TABLE_SIZE, HpackDecoder
from inspector.net.http2_frames_cy import PREFACE, FrameReader

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

if TYPE_CHECKING or not cython.compiled:
    from inspector.model.make_cy import make
else:
    from cython.cimports.inspector.model.make_cy import make

_HEADERS = cython.declare(cython.int, http2_frames.HEADERS)
_CONTINUATION = cython.declare(cython.int, http2_frames.CONTINUATION)
_END_HEADERS = cython.declare(cython.int, http2_frames.END_HEADERS)
# Of a HEADERS frame that is a whole block, neither padded nor with a priority, only END_HEADERS of these is set.
_WHOLE_BLOCK = cython.declare(cython.int, http2_frames.END_HEADERS | http2_frames.PADDED | http2_frames.HAS_PRIORITY)

SETTINGS_HEADER_TABLE_SIZE = 1
SETTINGS_MAX_FRAME_SIZE = 5

UNDECIDED, HTTP2, OTHER = "undecided", "http2", "other"

_REQUEST_FIELDS = frozenset((":method", ":path", ":scheme", ":authority", "te", "grpc-timeout"))
_RESPONSE_FIELDS = frozenset((":status", "grpc-status", "grpc-message", "grpc-status-details-bin"))


@cython.final
@cython.cclass
class Half:
    """One direction: its frames, its header compression, and a header block in progress.

    `known` where it is followed from its first frame on.
    """

    def __init__(self, known: bool) -> None:
        self.known = known
        self.reader: FrameReader = FrameReader(known)
        self.decoder: HpackDecoder = HpackDecoder(from_start=known)
        self.block: list[bytes] = []
        self.block_frame: Frame | None = None
        self.block_size = 0
        self.table_limit = DEFAULT_TABLE_SIZE  # the largest header table that the other side ever allowed


@cython.final
@cython.cclass
class Http2Connection:
    """TCP events of one connection -> stream events, or nothing where it is not HTTP/2.

    `verdict` is `undecided`, `http2` or `other`; `client` the index of the client's direction; `is_tls` and
    `is_http1` tell whether what is not HTTP/2 looks like TLS or HTTP/1.1.
    """

    def __init__(self, opened: Opened) -> None:
        self.verdict: str = UNDECIDED
        # Clients use high ports; this guess holds until a header block tells.
        self.client = 0 if opened.client[1] >= opened.server[1] or not opened.mid else 1
        self.is_tls = False
        self.is_http1 = False
        self.problem: Problem | None = None  # of the last header block
        self._found = False  # the verdict is `http2`
        self._late = opened.mid  # the beginning is not in the capture
        self._held: list[Chunk] = []
        self._prefixes = [bytearray(), bytearray()]  # what came first in each direction, while undecided
        self._seen = 0  # bytes looked at while undecided
        self._looks = 0
        self._next_look = 0
        self._first: Half | None = None
        self._second: Half | None = None

    def feed(self, event: Chunk | Gap | Closed) -> list[StreamEvent]:
        """What happens on the connection's streams with `event`."""
        events: list[StreamEvent] = []
        if self._found:
            self._feed_half(event, events)
        elif self.verdict == UNDECIDED:
            if isinstance(event, Chunk):
                self.is_tls = self.is_tls or _is_tls(event.data)
                self.is_http1 = self.is_http1 or http1.begins(event.data)
            if self._late:
                self._feed_late(event, events)
            else:
                self._feed_early(event, events)
        return events

    # --- is it HTTP/2? -------------------------------------------------------------------------------------------

    def _feed_early(self, event: Chunk | Gap | Closed, events: list[StreamEvent]) -> None:
        """Until the client's first bytes have told: a preface, a request that asks for an upgrade, or neither."""
        if isinstance(event, Chunk):
            self._held.append(event)
            self._seen += len(event.data)
            self._prefixes[event.direction] += event.data
            if not self._is_worth_a_look(event.data):
                return
            skips = self._recognise()
            if skips is not None:
                self._begin(skips, events)
            elif self._is_only_server() and self._seen > 2 * len(PREFACE):
                self._go_late(events)
            elif self._seen > limits.DETECT_BYTES or self._looks > limits.DETECT_LOOKS or self._is_other():
                self._let_go()
        elif isinstance(event, Gap) or self._is_only_server():
            self._go_late(events)
            self._feed_late(event, events)
        elif event.direction == self.client or event.reason != "fin":
            self._let_go()

    def _is_only_server(self) -> bool:
        """Whether the server sends, in what may be frames, and the client's packets are not in the capture."""
        first, second = self._prefixes
        return not first and len(second) >= http2_frames.HEADER_SIZE and second[3] == http2_frames.SETTINGS

    def _go_late(self, events: list[StreamEvent]) -> None:
        """The beginning is not all there: frames are looked for instead."""
        self._late = True
        held, self._held = self._held, []
        for chunk in held:
            self._feed_late(chunk, events)

    def _is_worth_a_look(self, data: bytes) -> bool:
        """Whether these bytes may have decided it: a preface that is whole or a line that ended; and now and then."""
        worth = len(self._prefixes[0]) <= 2 * len(PREFACE) or b"\n" in data or self._seen >= self._next_look
        if worth:
            self._looks += 1
            self._next_look = 2 * self._seen
        return worth

    def _accept(self) -> None:
        self.verdict = HTTP2
        self._found = True

    def _let_go(self) -> None:
        self.verdict = OTHER
        self._held = []
        self._prefixes = [bytearray(), bytearray()]
        self._first = self._second = None

    def _feed_late(self, event: Chunk | Gap | Closed, events: list[StreamEvent]) -> None:
        """Until frames are found in either direction."""
        if self.verdict == HTTP2:
            self._feed_half(event, events)
            return
        if isinstance(event, Chunk):
            self._seen += len(event.data)
        before = len(events)
        self._feed_half(event, events)
        first: Half | None = self._first
        second: Half | None = self._second
        if (first is not None and first.reader.in_step) or (second is not None and second.reader.in_step):
            self._accept()
            return
        del events[before:]
        if self._seen > limits.DETECT_LATE_BYTES:
            self._let_go()

    def _recognise(self) -> tuple[int, int] | None:
        """How many bytes each direction has before its first frame; None where it is not (yet) HTTP/2."""
        first, second = self._prefixes
        if first.startswith(PREFACE):
            return len(PREFACE), 0
        before = handshakes.skips(first, second)
        if before is None:
            return None
        if before != handshakes.NONE:
            there, back = before
            return (there + len(PREFACE), back) if first.startswith(PREFACE, there) else None
        if not http1.looks_like_request(first):
            return None
        request = http1.parse_head(first)
        response = http1.parse_head(second) if second.startswith(b"HTTP/1.1 101") else None
        if request is None or response is None or not http1.asks_for_http2(request):
            return None
        end = request.end + http1.content_length(request)
        return (end + len(PREFACE), response.end) if first.startswith(PREFACE, end) else None

    def _is_other(self) -> bool:
        """Whether the client's first bytes rule HTTP/2 out."""
        first, second = self._prefixes
        before = handshakes.skips(first, second)
        if not first or before is None:
            return False
        there = before[0]
        start = bytes(first[there : there + len(PREFACE)])
        return not (PREFACE.startswith(start) or (not there and http1.looks_like_request(first)))

    def _begin(self, skips: tuple[int, int], events: list[StreamEvent]) -> None:
        """Feeds what was held, without what comes before the first frames."""
        self._accept()
        self._first, self._second = Half(True), Half(True)
        self._begin_upgraded_stream(skips, events)
        left = list(skips)
        held, self._held = self._held, []
        self._prefixes = [bytearray(), bytearray()]
        for event in held:
            skip = min(left[event.direction], len(event.data))
            left[event.direction] -= skip
            if skip < len(event.data):
                rest = event._replace(offset=event.offset + skip, data=event.data[skip:])
                self._feed_half(rest, events)

    @cython.cfunc
    def _first_half(self, direction: cython.int, event: Chunk | Gap | Closed) -> Half:
        """The state of a direction, made with its first event."""
        other: Half | None = self._first if direction else self._second
        known: cython.bint = (
            other is not None
            and other.known
            and isinstance(event, Chunk)
            and len(event.data) >= http2_frames.HEADER_SIZE
            and event.data[3] == http2_frames.SETTINGS
            and not event.data[4] & http2_frames.ACK
        )
        return self._set_half(direction, known)

    @cython.cfunc
    def _set_half(self, direction: cython.int, known: cython.bint) -> Half:
        half = Half(known)
        if direction:
            self._second = half
        else:
            self._first = half
        return half

    def _begin_upgraded_stream(self, skips: tuple[int, int], events: list[StreamEvent]) -> None:
        """The request that asked for the upgrade is stream 1."""
        data = bytes(self._prefixes[0][: skips[0]])
        head = http1.parse_head(data) if skips[0] > len(PREFACE) else None
        if head is None or not self._held or handshakes.skips(*self._prefixes) != handshakes.NONE:
            return
        chunk = self._held[0]
        self._apply_settings(0, http1.upgrade_settings(head))
        body = data[head.end : skips[0] - len(PREFACE)]
        fields: tuple[Header, ...] = ((":method", head.words[0]), (":path", head.words[1]), *head.fields)
        events.append(Headers(0, 1, fields, True, not body, 0, None, chunk.packet, chunk.time))
        if body:
            events.append(Data(0, 1, body, 0, True, True, head.end, chunk.packet, chunk.time))

    # --- frames --------------------------------------------------------------------------------------------------

    @cython.cfunc
    def _feed_half(self, event: Chunk | Gap | Closed, events: list[StreamEvent]) -> None:
        direction = event.direction
        half: Half | None = self._second if direction else self._first
        if half is None:
            half = self._first_half(direction, event)
        if type(event) is Chunk:
            found = half.reader.feed(event)
        elif isinstance(event, Gap):
            found = half.reader.gap(event)
        else:
            found = half.reader.close()
        for item in found:
            if type(item) is Data:
                if half.block_frame is not None:
                    self._break_block(half, item.packet, item.offset, events)
                events.append(item)
            elif type(item) is Frame:
                self._feed_frame(direction, half, item, events)
            elif type(item) is Lost:
                half.decoder.forget()
                half.block_frame = None
                # SETTINGS may have been among what was lost: the other side may go by a table of any size.
                other: Half | None = self._first if direction else self._second
                if other is not None:
                    other.table_limit = limits.MAX_HPACK_TABLE
                    other.decoder.limit_table(limits.MAX_HPACK_TABLE)
                events.append(BytesLost(direction, item.packet))
            elif type(item) is Restarted:
                self.client = direction
                half.known = True
                half.decoder = HpackDecoder(from_start=True)
                half.decoder.limit_table(half.table_limit)
                events.append(item)
            elif type(item) is Problem:
                events.append(item)
        if isinstance(event, Closed):
            events.append(Ended(direction, event.reason, event.packet, event.time))

    @cython.cfunc
    def _feed_frame(self, direction: cython.int, half: Half, frame: Frame, events: list[StreamEvent]) -> None:
        kind: cython.int
        flags: cython.int
        payload: bytes
        kind, flags, stream, payload, offset, packet, time = cython.cast(tuple, frame)
        if half.block_frame is not None and kind != _CONTINUATION:
            self._break_block(half, packet, offset, events)
        if kind == _HEADERS:
            if flags & _WHOLE_BLOCK == _END_HEADERS:  # the common case, put first for speed
                self._end_block(direction, half, frame, payload, events)
            else:
                self._begin_block(direction, half, frame, events)
        elif kind == http2_frames.WINDOW_UPDATE or kind == http2_frames.PING or kind == http2_frames.PRIORITY:
            return
        elif kind == http2_frames.PUSH_PROMISE:
            self._begin_block(direction, half, frame, events)
        elif kind == _CONTINUATION:
            self._continue_block(direction, half, frame, events)
        elif kind == http2_frames.RST_STREAM:
            events.append(Reset(direction, stream, int.from_bytes(payload, "big"), packet, time))
        elif kind == http2_frames.SETTINGS and not flags & http2_frames.ACK:
            self._apply_settings(direction, payload)
        elif kind == http2_frames.GOAWAY:
            last, code = struct.unpack_from(">II", payload)
            events.append(GoAway(direction, last & 0x7FFFFFFF, code, payload[8:], packet, time))

    def _apply_settings(self, direction: int, payload: bytes) -> None:
        """What one side announces binds the other: its header table, the size of its frames."""
        other: Half | None = self._first if direction else self._second
        if other is None:
            other = self._set_half(1 - direction, False)
        for at in range(0, len(payload) - 5, 6):
            name, value = struct.unpack_from(">HI", payload, at)
            if name == SETTINGS_HEADER_TABLE_SIZE:
                # The encoder may go by an older, larger value until it has seen this one.
                other.table_limit = max(other.table_limit, min(value, limits.MAX_HPACK_TABLE))
                other.decoder.limit_table(other.table_limit)
            elif name == SETTINGS_MAX_FRAME_SIZE:
                other.reader.allow(value)

    # --- header blocks -------------------------------------------------------------------------------------------

    @cython.cfunc
    def _begin_block(self, direction: cython.int, half: Half, frame: Frame, events: list[StreamEvent]) -> None:
        fragment = _fragment(frame)
        if fragment is None:
            text = f"a header frame of stream {frame.stream} has more padding than bytes"
            half.decoder.forget()
            events.append(Problem("http2_padding", text, frame.packet, frame.offset))
        elif frame.flags & http2_frames.END_HEADERS:
            self._end_block(direction, half, frame, fragment, events)
        else:
            half.block_frame = frame
            half.block = [fragment]
            half.block_size = len(fragment)

    @cython.cfunc
    def _continue_block(self, direction: cython.int, half: Half, frame: Frame, events: list[StreamEvent]) -> None:
        first = half.block_frame
        if first is None or first.stream != frame.stream:
            # Its beginning lies before the capture or in a gap: what it adds to the table is not known.
            half.decoder.forget()
            half.block_frame = None
            return
        half.block_size += len(frame.payload)
        if half.block_size > limits.MAX_HEADER_BLOCK:
            half.block = []
        elif frame.payload:
            half.block.append(frame.payload)
        if frame.flags & http2_frames.END_HEADERS:
            half.block_frame = None
            block = b"".join(half.block)
            half.block = []
            if half.block_size > limits.MAX_HEADER_BLOCK:
                text = f"a header block of {half.block_size} bytes is over the limit of {limits.MAX_HEADER_BLOCK}"
                half.decoder.forget()
                problem = Problem("http2_header_block", text, frame.packet, first.offset)
                end = bool(first.flags & http2_frames.END_STREAM)
                events.append(Headers(direction, first.stream, (), False, end, 0, problem, frame.packet, frame.time))
            else:
                self._end_block(direction, half, first, block, events)

    def _break_block(self, half: Half, packet: int, offset: int, events: list[StreamEvent]) -> None:
        first, half.block_frame = half.block_frame, None
        half.block = []
        half.decoder.forget()
        stream = first.stream if first else 0
        text = f"the header block of stream {stream} is broken off by another frame"
        events.append(Problem("http2_continuation", text, packet, offset))

    @cython.cfunc
    def _end_block(
        self, direction: cython.int, half: Half, frame: Frame, block: bytes, events: list[StreamEvent]
    ) -> None:
        kind: cython.int
        flags: cython.int
        kind, flags, stream, _, offset, packet, time = cython.cast(tuple, frame)
        decoder: HpackDecoder = half.decoder
        fields = self.decode_block(direction, half, kind == _HEADERS, block, 0, len(block), offset, packet)
        if kind != _HEADERS:  # a promise: decoded for what it does to the table
            if self.problem is not None:
                events.append(self.problem)
            return
        end: bool = flags & 1 != 0
        header = (direction, stream, fields, decoder.has_octets, end, decoder.unknown, self.problem, packet, time)
        events.append(make(Headers, header))

    @cython.cfunc
    def decode_block(
        self,
        direction: cython.int,
        half: Half,
        tells_client: cython.bint,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        packet: cython.longlong,
    ) -> tuple[Header, ...]:
        """The fields of the header block from `start` to `end`; those before the damage, if there is any. What is
        wrong is in `problem`. `offset` is that of its first frame."""
        decoder: HpackDecoder = half.decoder
        fields: tuple[Header, ...]
        self.problem = None
        try:
            fields = decoder.decode_part(data, start, end)
        except DecodeError as error:
            fields = tuple(getattr(error, "partial", ()))
            self.problem = Problem(error.code, error.message, packet, offset)
        if decoder.truncated and self.problem is None:
            text = f"more than {limits.MAX_HEADER_LIST} bytes of header fields; the rest is left out"
            self.problem = Problem("http2_header_list", text, packet, offset)
        if self._late and tells_client:
            self._learn_client(direction, fields)
        return fields

    @cython.cfunc
    def ready_half(self, direction: cython.int) -> Half | None:
        """The state of a direction whose next byte is known to begin a frame, of no header block in progress."""
        half: Half | None = self._second if direction else self._first
        if self._found and half is not None and half.block_frame is None and half.reader.is_between_frames():
            return half
        return None

    @cython.cfunc
    def _learn_client(self, direction: cython.int, fields: tuple[Header, ...]) -> None:
        for name, _ in fields:
            if name in _REQUEST_FIELDS:
                self.client = direction
                return
            if name in _RESPONSE_FIELDS:
                self.client = 1 - direction
                return


def _is_tls(data: bytes) -> bool:
    """Whether `data` begins with a TLS record (RFC 8446, 5.1)."""
    return len(data) >= 3 and 20 <= data[0] <= 24 and data[1] == 3 and data[2] <= 4


def _fragment(frame: Frame) -> bytes | None:
    """The header block fragment of a HEADERS or PUSH_PROMISE frame; None where its padding is wrong."""
    payload = frame.payload
    flags = frame.flags
    start, end = 0, len(payload)
    if flags & http2_frames.PADDED:
        if not payload:
            return None
        start, end = 1, end - payload[0]
    if frame.kind == http2_frames.PUSH_PROMISE:
        start += 4
    elif flags & http2_frames.HAS_PRIORITY:
        start += 5
    if start == 0 and end == len(payload):
        return payload
    return payload[start:end] if start <= end else None
