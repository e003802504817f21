"""TCP (RFC 9293): segments in whatever order the capture has them -> the bytes of each direction, in order.

A capture is not a connection's end point: it may begin late, miss packets, hold them twice or out of order. Two rules
put it right. Within a direction, a segment is delivered when all bytes before it are. Across directions, a segment is
delivered when all that it acknowledges is: its sender had read that before. So events come in an order that could have
happened, and a response never precedes its request, even where the capture has them so.

What does not come is given up after a number of further segments (`limits.REORDER_WINDOW` where the receiver has
acknowledged it, so that it will not be sent again; `limits.LOSS_WINDOW` otherwise). It becomes a `Gap` when there are
bytes after it. Sequence and acknowledgement numbers may be damaged, so neither alone moves a direction on.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, NamedTuple

from inspector import limits
from inspector.model.packet import Chunk, Closed, Datagram, Gap, Opened, Segment, Time

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

FIN, SYN, RST, ACK = 1, 2, 4, 16

# The same for C. (Cython takes a literal of more than 31 bits for a Python object.)
_MASK = cython.declare(cython.longlong, 0xFFFFFFFF)
_HALF = cython.declare(cython.longlong, 0x80000000)
_SYN = cython.declare(cython.int, SYN)
_SYN_FIN_RST = cython.declare(cython.int, SYN | FIN | RST)
_ACK = cython.declare(cython.int, ACK)
_MAX_ACK_AHEAD = cython.declare(cython.longlong, limits.MAX_ACK_AHEAD)

TcpEvent = Opened | Chunk | Gap | Closed


def parse_segment(packet: int, time: int | None, datagram: Datagram) -> Segment | None:
    """The segment in a datagram, or None where that holds no TCP header."""
    data: bytes
    start: cython.Py_ssize_t
    end: cython.Py_ssize_t
    addresses, _, data, start, end, missing = cython.cast(tuple, datagram)
    if end - start < 20 or end > len(data):
        return None
    body: cython.Py_ssize_t = start + (data[start + 12] >> 4) * 4
    if body < start + 20 or body > end:
        return None
    seq = _number(data, start + 4)
    ack = _number(data, start + 8)
    flow = addresses + data[start : start + 4]
    return make(Segment, (packet, time, flow, seq, ack, data[start + 13], data[body:end], missing))


@cython.cfunc
def _number(data: bytes, at: cython.Py_ssize_t) -> cython.longlong:
    high: cython.longlong = data[at] << 8 | data[at + 1]
    return high << 16 | data[at + 2] << 8 | data[at + 3]


def endpoints(flow: bytes) -> tuple[tuple[bytes, int], tuple[bytes, int]]:
    """Source and target of a flow, each as packed address and port."""
    size = (len(flow) - 4) // 2
    source = flow[:size], int.from_bytes(flow[-4:-2], "big")
    target = flow[size : 2 * size], int.from_bytes(flow[-2:], "big")
    return source, target


def reverse(flow: bytes) -> bytes:
    """The flow of the other direction."""
    size = (len(flow) - 4) // 2
    return flow[size : 2 * size] + flow[:size] + flow[-2:] + flow[-4:-2]


class _Held(NamedTuple):
    """A segment that waits, sorted by position."""

    position: int
    packet: int
    end: int
    segment: Segment
    clock: int


@cython.final
@cython.cclass
class Side:
    """One direction of a connection.

    Sequence numbers wrap; `position` unwraps them relative to the byte expected next, whose number is `seq` and whose
    position is `next`. Until `started` it is not known which byte comes first, and `seq` is merely a reference.
    """

    def __init__(self) -> None:
        self.seen = False
        self.started = False
        self.absent = False  # not started, and not waited for: perhaps only one direction was captured
        self.closed: str = ""  # why; empty until then
        self.referenced = False
        self.initial: int | None = None  # initial sequence number, where the SYN or its acknowledgement was seen
        self.seq = 0
        self.next = 0
        self.origin = 0
        self.pending: list[_Held] = []
        self.held_bytes = 0
        # What the other side acknowledged: up to where (kept only while something is pending), whether anything at all
        # since then, and up to where that was waited for in vain.
        self.acked = 0
        self.answered = False
        self.waived = 0
        # When, on the clock of the connection, this side last moved without giving up, and where it was after that.
        self.moved = 0
        self.moved_to = 0
        # Segments in a row that follow each other, but lie too far back to be sent again: from where, up to where.
        self.strays = 0
        self.strays_start = 0
        self.strays_end = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def position(self, seq: cython.longlong) -> cython.longlong:
        if not self.referenced:
            self.referenced = True
            self.seq = seq
        return self.next + ((seq - self.seq + _HALF) & _MASK) - _HALF

    @cython.cfunc
    def start(self, seq: cython.longlong) -> None:
        position: cython.longlong = self.position(seq)
        self.seq, self.next, self.origin, self.started = seq, position, position, True
        self.acked = self.waived = self.moved_to = position

    @cython.cfunc
    def advance(self, count: cython.longlong) -> None:
        self.next += count
        self.seq = (self.seq + count) & _MASK

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_ahead(self, ack: cython.longlong) -> cython.bint:
        """Whether `ack` acknowledges bytes that were not delivered yet. Absurd numbers do not count: damage."""
        if not self.started:
            return not self.absent
        ahead: cython.longlong = (ack - self.seq) & _MASK
        return 0 < ahead <= _MAX_ACK_AHEAD and self.next + ahead > self.waived and not self.closed


@cython.final
@cython.cclass
class Connection:
    """Both directions of a connection."""

    def __init__(self, flow: bytes) -> None:
        self.flow: bytes = flow  # of the first side
        self.first: Side = Side()
        self.second: Side = Side()
        self.client = 0  # index of the side that opened it
        self.mid = True  # neither SYN nor SYN-ACK was seen
        self.number = 0  # given when the first byte is delivered
        self.touched = 0  # number of its last packet
        self.clock = 0  # segments, not counting those of the common case

    @cython.cfunc
    def side(self, direction: cython.int) -> Side:
        return self.second if direction else self.first


@cython.final
@cython.cclass
class Flow:
    """One direction, as the addresses and ports of its packets name it."""

    def __init__(self, connection: Connection, direction: int) -> None:
        self.connection: Connection = connection
        self.direction = direction
        self.offset = 0  # where the bytes stand in their direction that `take_next` took last


@cython.cfunc
def _resets_other(side: Side, other: Side, flags: cython.int) -> cython.bint:
    """Whether a reset comes behind the FIN of its side: its sender takes no more of the other side either.
    (Where only one direction was captured, it tells nothing about what the other one said.)"""
    return flags & RST != 0 and side.closed == "fin" and other.seen and not other.closed


@cython.cfunc
def _waits_for_earlier(side: Side, other: Side, packet: cython.longlong) -> cython.bint:
    """Whether something captured before a segment still waits. A reset that acknowledges nothing tells only so what
    its sender had read: it answers a segment (RFC 9293, 3.10.7.1), and what came before that counts."""
    if side.pending[0].packet < packet:
        return True
    return len(other.pending) > 0 and other.pending[0].packet < packet


def _last_packet(connection: Connection) -> int:
    return connection.touched


@cython.final
@cython.cclass
class TcpReassembler:
    """Segments -> `Opened`, `Chunk`, `Gap` and `Closed` events of all connections in the capture."""

    def __init__(self) -> None:
        self._flows: dict[bytes, Flow] = {}
        self._half_open: dict[bytes, Connection] = {}
        self._live: dict[bytes, Connection] = {}
        self._count = 0
        self._held_bytes = 0

    def feed(self, segment: Segment) -> list[TcpEvent]:
        """What can be delivered now that `segment` is there."""
        events: list[TcpEvent] = []
        flags: cython.int
        seq: cython.longlong
        ack: cython.longlong
        packet, time, name, seq, ack, flags, data, missing = cython.cast(tuple, segment)
        flow: Flow | None = None if missing else self.take_next(name, seq, ack, flags, len(data), packet)
        if flow is not None:
            if data:
                events.append(
                    make(
                        Chunk,
                        (
                            flow.connection.number,
                            flow.direction ^ flow.connection.client,
                            flow.offset,
                            data,
                            packet,
                            time,
                        ),
                    )
                )
            return events
        flow = self._flows.get(name)
        if flow is None or flags & _SYN:
            flow = self._open(segment, flow, events)
            if flow is None:
                return events
        connection: Connection = flow.connection
        connection.touched = packet
        side: Side = connection.side(flow.direction)
        side.seen = True
        self._hold(connection, flow.direction, segment, events)
        self._advance(connection, events)
        self._give_up_overdue(connection, events)
        if self._held_bytes > limits.MAX_PENDING_TOTAL:
            self._relieve(events)
        return events

    @cython.cfunc
    def take_next(
        self,
        name: bytes,
        seq: cython.longlong,
        ack: cython.longlong,
        flags: cython.int,
        size: cython.longlong,
        packet: cython.longlong,
    ) -> Flow | None:
        """The common case, put first for speed: a segment of `size` bytes that is the next one of its flow, while
        nothing waits. It is taken as delivered, and its flow is returned. Otherwise None, and nothing has changed."""
        flow: Flow | None = self._flows.get(name)
        if flow is None or flags & _SYN_FIN_RST:
            return None
        connection: Connection = flow.connection
        side: Side = connection.side(flow.direction)
        other: Side = connection.side(1 - flow.direction)
        if seq != side.seq or not side.started or not connection.number or side.pending or other.pending or side.closed:
            return None
        if flags & _ACK and other.is_ahead(ack):
            return None
        connection.touched = packet
        side.seen = True
        flow.offset = side.next - side.origin
        side.advance(size)
        return flow

    def close(self) -> list[TcpEvent]:
        """The end of the capture: what waits is delivered with the gaps before it, and every connection ends."""
        events: list[TcpEvent] = []
        for connection in [*self._live.values(), *self._half_open.values()]:
            self._end(connection, events)
        self._flows.clear()
        self._live.clear()
        self._half_open.clear()
        return events

    # --- connections come and go --------------------------------------------------------------------------------

    def _open(self, segment: Segment, known: Flow | None, events: list[TcpEvent]) -> Flow | None:
        """The connection of a segment that is a SYN or whose flow is new. None where it tells nothing."""
        flags = segment.flags
        if known is not None and self._is_reused(known, segment):
            self._forget(known.connection, events)
            known = None
        if known is None:
            if not flags & SYN and (flags & RST or not (segment.data or segment.missing)):
                return None
            known = self._add(segment, events)
        if flags & SYN:
            self._synchronise(known, segment)
        return known

    def _is_reused(self, known: Flow, segment: Segment) -> bool:
        """Whether a SYN begins another connection between the same ports."""
        connection: Connection = known.connection
        side: Side = connection.side(known.direction)
        if not connection.number and (connection.first.closed or connection.second.closed):
            return True  # refused, and tried again
        if side.initial is not None:
            return side.initial != segment.seq
        return side.started and abs(side.position(segment.seq) - side.next) > limits.MAX_PENDING_BYTES

    def _add(self, segment: Segment, events: list[TcpEvent]) -> Flow:
        connection = Connection(segment.flow)
        flow = self._flows[segment.flow] = Flow(connection, 0)
        self._flows[reverse(segment.flow)] = Flow(connection, 1)
        if segment.data or segment.missing:
            self._make_room(events)
            self._live[segment.flow] = connection
        else:
            while len(self._half_open) >= limits.MAX_HALF_OPEN:
                self._forget(next(iter(self._half_open.values())), events)
            self._half_open[segment.flow] = connection
        return flow

    def _make_room(self, events: list[TcpEvent]) -> None:
        if len(self._live) < limits.MAX_CONNECTIONS:
            return
        idle = sorted(self._live.values(), key=_last_packet)
        for connection in idle[: max(1, len(idle) // 8)]:
            self._forget(connection, events)

    def _forget(self, connection: Connection, events: list[TcpEvent]) -> None:
        self._end(connection, events)
        flow = connection.flow
        self._flows.pop(flow, None)
        self._flows.pop(reverse(flow), None)
        self._live.pop(flow, None)
        self._half_open.pop(flow, None)

    def _synchronise(self, known: Flow, segment: Segment) -> None:
        """Takes the sequence numbers that a SYN or SYN-ACK announces."""
        connection: Connection = known.connection
        direction: cython.int = known.direction
        side: Side = connection.side(direction)
        other: Side = connection.side(1 - direction)
        answers = bool(segment.flags & ACK)
        if not connection.number:
            connection.mid = False
            connection.client = 1 - direction if answers else direction
        if not side.started:
            side.initial = segment.seq
            side.start((segment.seq + 1) & _MASK)
        if answers and not other.started:
            other.initial = (segment.ack - 1) & _MASK
            other.start(segment.ack)

    # --- segments wait, and are delivered ------------------------------------------------------------------------

    @cython.cfunc
    def _hold(self, connection: Connection, direction: cython.int, segment: Segment, events: list[TcpEvent]) -> None:
        side: Side = connection.side(direction)
        other: Side = connection.side(1 - direction)
        flags = segment.flags
        if flags & ACK and other.pending and other.started:
            other.answered = True
            if other.is_ahead(segment.ack):
                other.acked = max(other.acked, other.position(segment.ack))
        if flags & RST and (segment.data or segment.missing):
            segment = segment._replace(data=b"", missing=0)  # a text that says why (RFC 9293, 3.5.3)
        length = len(segment.data) + segment.missing
        if (side.closed and not _resets_other(side, other, flags)) or (not length and not flags & (FIN | RST)):
            return
        position = side.position(segment.seq) + (1 if flags & SYN else 0)
        end = position + length + (1 if flags & FIN else 0)
        if side.started and end <= side.next and not flags & RST:
            if side.next - end <= limits.MAX_PENDING_BYTES or not self._is_restart(side, position, end):
                return  # sent again, or a keep-alive
            self._gap(connection, direction, side.next + position - side.strays_start, segment, events)
            end += side.next - position
            position, side.seq = side.next, segment.seq
        if not side.pending:
            side.acked = max(side.next, side.waived)
            side.answered = False
            side.moved, side.moved_to = connection.clock, side.next
        insort(side.pending, _Held(position, segment.packet, end, segment, connection.clock))
        self._count_held(side, segment, 1)

    @cython.cfunc
    def _is_restart(self, side: Side, position: cython.longlong, end: cython.longlong) -> cython.bint:
        """Whether so many segments agree on another place in the sequence that the one known must be wrong."""
        if not side.strays or position != side.strays_end:
            side.strays = 0
            side.strays_start = position
        side.strays += 1
        side.strays_end = end
        if side.strays < limits.STRAY_SEGMENTS:
            return False
        side.strays = 0
        return True

    @cython.cfunc
    def _count_held(self, side: Side, segment: Segment, sign: cython.int) -> None:
        size: cython.longlong = sign * (len(segment.data) + limits.SEGMENT_OVERHEAD)
        side.held_bytes += size
        self._held_bytes += size

    @cython.cfunc
    def _advance(self, connection: Connection, events: list[TcpEvent]) -> None:
        moved = True
        while moved:
            moved = self._deliver(connection, 0, events)
            moved = self._deliver(connection, 1, events) or moved

    def _deliver(self, connection: Connection, direction: int, events: list[TcpEvent]) -> bool:
        side: Side = connection.side(direction)
        other: Side = connection.side(1 - direction)
        if not side.started:
            return False
        moved = False
        index = self._ready(side, other)
        while index >= 0:
            self._emit(connection, direction, index, events)
            moved = True
            index = self._ready(side, other)
        return moved

    @cython.cfunc
    def _ready(self, side: Side, other: Side) -> cython.Py_ssize_t:
        """Which waiting segment need not wait any longer; -1 where none. (It may be another one than the first: bytes
        sent again have other borders, and acknowledge more.)"""
        index: cython.Py_ssize_t
        for index in range(len(side.pending)):
            held = side.pending[index]
            if held.position > side.next:
                break
            flags = held.segment.flags
            if flags & RST and not flags & ACK and _waits_for_earlier(side, other, held.packet):
                continue
            if not (flags & ACK and other.is_ahead(held.segment.ack)) or (held.end <= side.next and not flags & RST):
                return index
        return -1

    @cython.cfunc
    def _emit(
        self, connection: Connection, direction: cython.int, index: cython.Py_ssize_t, events: list[TcpEvent]
    ) -> None:  # fmt: skip
        """Delivers a segment that waits, less what was delivered before."""
        side: Side = connection.side(direction)
        position, packet, end, segment, _ = side.pending.pop(index)
        self._count_held(side, segment, -1)
        if segment.flags & RST and side.next - position > limits.MAX_PENDING_BYTES:
            return  # out of any window: the receiver does not believe it either
        data = segment.data[max(0, side.next - position) :]
        if data and not side.closed:
            self._announce(connection, segment.packet, segment.time, events)
            offset = side.next - side.origin
            events.append(
                Chunk(connection.number, direction ^ connection.client, offset, data, packet, segment.time)
            )  # fmt: skip
            side.advance(len(data))
        captured_end = position + len(segment.data) + segment.missing
        if segment.missing and captured_end > side.next:
            self._gap(connection, direction, captured_end, segment, events)
        if segment.flags & FIN and end > side.next:
            side.advance(1)
        if _resets_other(side, connection.side(1 - direction), segment.flags):
            self._tell_lost(connection, 1 - direction, segment.packet, events)
            self._close_side(connection, 1 - direction, "rst", segment, events)
        elif segment.flags & (FIN | RST):
            self._close_side(connection, direction, "rst" if segment.flags & RST else "fin", segment, events)

    @cython.cfunc
    def _announce(self, connection: Connection, packet: cython.longlong, time: Time, events: list[TcpEvent]) -> None:
        if connection.number:
            return
        self._count += 1
        connection.number = self._count
        if self._half_open.pop(connection.flow, None):
            self._make_room(events)
            self._live[connection.flow] = connection
        source, target = endpoints(connection.flow)
        client, server = (target, source) if connection.client else (source, target)
        events.append(Opened(connection.number, client, server, connection.mid, packet, time))
        direction: cython.int
        for direction in range(2):
            reason = connection.side(direction).closed
            if reason:  # one side closed before the other sent anything
                events.append(Closed(connection.number, direction ^ connection.client, reason, packet, time))

    @cython.cfunc
    def _gap(
        self, connection: Connection, direction: cython.int, end: cython.longlong, cause: Segment,
        events: list[TcpEvent],
    ) -> None:  # fmt: skip
        side: Side = connection.side(direction)
        length = end - side.next
        if not side.closed:
            self._announce(connection, cause.packet, cause.time, events)
            offset = side.next - side.origin
            events.append(Gap(connection.number, direction ^ connection.client, offset, length, cause.packet))
        side.advance(length)

    def _close_side(
        self, connection: Connection, direction: int, reason: str, cause: Segment, events: list[TcpEvent]
    ) -> None:
        side: Side = connection.side(direction)
        if connection.number and not side.closed:
            events.append(
                Closed(connection.number, direction ^ connection.client, reason, cause.packet, cause.time)
            )  # fmt: skip
        side.closed = side.closed or reason

    # --- what does not come is given up --------------------------------------------------------------------------

    @cython.cfunc
    def _give_up_overdue(self, connection: Connection, events: list[TcpEvent]) -> None:
        first: Side = connection.first
        second: Side = connection.second
        if not (first.pending or second.pending):
            return
        connection.clock += 1
        if first.next != first.moved_to:
            first.moved, first.moved_to = connection.clock, first.next
        if second.next != second.moved_to:
            second.moved, second.moved_to = connection.clock, second.next
        while self._is_overdue(connection, 0) or self._is_overdue(connection, 1):
            self._skip(connection, events)
            self._advance(connection, events)
            first.moved_to, second.moved_to = first.next, second.next

    @cython.cfunc
    def _is_overdue(self, connection: Connection, direction: cython.int) -> cython.bint:
        side: Side = connection.side(direction)
        if not side.pending:
            return False
        if side.held_bytes > limits.MAX_PENDING_BYTES:
            return True
        if not side.started:
            return connection.clock - side.moved > limits.OPENING_WINDOW
        head = side.pending[0]
        if head.position <= side.next:  # it waits for what it acknowledges
            other: Side = connection.side(1 - direction)
            since = max(head.clock, other.moved)
            return connection.clock - since > (limits.REORDER_WINDOW if other.started else limits.OPENING_WINDOW)
        since = max(head.clock, side.moved)
        return connection.clock - since > (limits.REORDER_WINDOW if side.acked > side.next else limits.LOSS_WINDOW)

    @cython.cfunc
    def _skip(self, connection: Connection, events: list[TcpEvent]) -> None:
        """Gives up one thing that a side waits for: its beginning, the bytes before its first segment, or bytes of
        the other side that this segment acknowledges."""
        first: Side = connection.first
        second: Side = connection.second
        if (first.pending and not first.started) or (second.pending and not second.started):
            self._start_late(connection)
            return
        # The side whose first waiting segment was captured first; it cannot wait for what the other one waits for.
        direction: cython.int = 0 if first.pending else 1
        if first.pending and second.pending and second.pending[0].packet < first.pending[0].packet:
            direction = 1
        side: Side = connection.side(direction)
        other: Side = connection.side(1 - direction)
        head = side.pending[0]
        if head.position > side.next:
            if self._is_stray(connection, side):
                self._count_held(side, side.pending.pop(0).segment, -1)
            else:
                self._gap(connection, direction, head.position, head.segment, events)
        elif other.pending and other.pending[0].position > other.next:
            acked: cython.longlong = other.position(head.segment.ack)
            self._gap(connection, 1 - direction, min(acked, other.pending[0].position), head.segment, events)
        elif other.started:
            other.waived = other.position(head.segment.ack)
        else:
            other.absent = True

    @cython.cfunc
    def _is_stray(self, connection: Connection, side: Side) -> cython.bint:
        """Whether the first waiting segment of a side has a damaged sequence number: it lies too far off, or the
        receiver goes on without it; and there are not several that agree."""
        head = side.pending[0]
        if len(side.pending) >= limits.STRAY_SEGMENTS:
            return False
        if head.position - side.next > limits.MAX_GAP:
            return True
        waited: cython.longlong = connection.clock - head.clock
        return side.answered and side.acked <= side.next and waited > limits.LOSS_WINDOW

    def _start_late(self, connection: Connection) -> None:
        """The beginning was not captured: each direction starts with the lowest byte seen, or, where none was seen,
        with the one that the other direction expected."""
        direction: cython.int
        side: Side
        other: Side
        for direction in range(2):
            side = connection.side(direction)
            other = connection.side(1 - direction)
            if side.started:
                continue
            if side.pending:
                side.start(side.pending[0].segment.seq)
                side.moved = connection.clock
            elif side.seen and other.pending and other.pending[0].segment.flags & ACK:
                side.start(other.pending[0].segment.ack)

    def _flush(self, connection: Connection, events: list[TcpEvent]) -> None:
        self._advance(connection, events)
        while connection.first.pending or connection.second.pending:
            self._skip(connection, events)
            self._advance(connection, events)

    def _relieve(self, events: list[TcpEvent]) -> None:
        """Too much waits, over all connections: those idle longest wait no more."""
        for connection in sorted([*self._live.values(), *self._half_open.values()], key=_last_packet):
            self._flush(connection, events)
            if self._held_bytes <= limits.MAX_PENDING_TOTAL // 2:
                return

    def _end(self, connection: Connection, events: list[TcpEvent]) -> None:
        self._flush(connection, events)
        direction: cython.int
        side: Side
        for direction in range(2):
            side = connection.side(direction)
            if connection.number and not side.closed:
                self._tell_lost(connection, direction, connection.touched, events)
                way = direction ^ connection.client
                events.append(Closed(connection.number, way, "end", connection.touched, None))
            side.closed = side.closed or "end"

    @cython.cfunc
    def _tell_lost(
        self, connection: Connection, direction: cython.int, packet: cython.longlong, events: list[TcpEvent]
    ) -> None:
        """A direction ends: what the other one acknowledged, and never came, is a gap."""
        side: Side = connection.side(direction)
        lost = side.waived - side.next
        if lost > 1 and connection.number and not side.closed:  # one is a FIN
            way = direction ^ connection.client
            events.append(Gap(connection.number, way, side.next - side.origin, lost, packet))
            side.advance(lost)
