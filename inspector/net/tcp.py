"""TCP (RFC 9293): segments in whatever order the capture has them -> the bytes of each direction, in order.

A capture is not a connection's end point: it may begin late, miss packets, hold them twice or out of order. Two rules
put it right. Within a direction, a segment is delivered when all bytes before it are. Across directions, a segment is
delivered when all that it acknowledges is: its sender had read that before. So events come in an order that could have
happened, and a response never precedes its request, even where the capture has them so.

What does not come is given up after a number of further segments (`limits.REORDER_WINDOW` where the receiver has
acknowledged it, so that it will not be sent again; `limits.LOSS_WINDOW` otherwise) and becomes a `Gap`.
"""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple

from inspector import limits
from inspector.model.packet import Chunk, Closed, Gap, Opened, Segment

FIN, SYN, RST, ACK = 1, 2, 4, 16
MASK = 0xFFFFFFFF
HALF = 0x80000000

TcpEvent = Opened | Chunk | Gap | Closed


def parse_segment(
    packet: int, time: int | None, addresses: bytes, data: bytes, start: int, end: int, missing: int
) -> Segment | None:
    """The segment in `data[start:end]`, or None where that is no TCP header. `missing`: payload bytes not captured."""
    if end - start < 20:
        return None
    body = start + (data[start + 12] >> 4) * 4
    if body < start + 20 or body > end:
        return None
    seq = data[start + 4] << 24 | data[start + 5] << 16 | data[start + 6] << 8 | data[start + 7]
    ack = data[start + 8] << 24 | data[start + 9] << 16 | data[start + 10] << 8 | data[start + 11]
    flow = addresses + data[start : start + 4]
    return Segment(packet, time, flow, seq, ack, data[start + 13], data[body:end], missing)


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


class _Side:
    """One direction of a connection.

    Sequence numbers wrap; `position` unwraps them relative to the byte expected next, whose number is `seq` and whose
    position is `next`. Until `started` it is not known which byte comes first, and `seq` is merely a reference.
    """

    __slots__ = (
        "acked", "closed", "held_bytes", "initial", "next", "origin", "pending", "referenced", "seen", "seq", "stalled",
        "started",
    )  # fmt: skip

    def __init__(self) -> None:
        self.seen = False
        self.started = False
        self.closed = False
        self.referenced = False
        self.initial: int | None = None  # initial sequence number, where the SYN or its acknowledgement was seen
        self.seq = 0
        self.next = 0
        self.origin = 0
        self.acked = 0  # position acknowledged by the other side (kept only while something is pending)
        self.stalled = 0  # segments of the connection since this side last moved, while something is pending
        self.pending: list[_Held] = []
        self.held_bytes = 0

    def position(self, seq: int) -> int:
        if not self.referenced:
            self.referenced = True
            self.seq = seq
        return self.next + ((seq - self.seq + HALF) & MASK) - HALF

    def start(self, seq: int) -> None:
        position = self.position(seq)
        self.seq, self.next, self.origin, self.started = seq, position, position, True

    def advance(self, count: int) -> None:
        self.next += count
        self.seq = (self.seq + count) & MASK

    def is_ahead(self, ack: int) -> bool:
        """Whether `ack` acknowledges bytes that were not delivered yet. Absurd numbers do not count: damage."""
        return self.started and not self.closed and 0 < ((ack - self.seq) & MASK) <= limits.MAX_ACK_AHEAD


class _Connection:
    __slots__ = ("client", "flow", "mid", "number", "sides", "touched")

    def __init__(self, flow: bytes) -> None:
        self.flow = flow  # of side 0
        self.sides = (_Side(), _Side())
        self.client = 0  # index of the side that opened it
        self.mid = True  # neither SYN nor SYN-ACK was seen
        self.number = 0  # given when the first byte is delivered
        self.touched = 0


class TcpReassembler:
    """Segments -> `Opened`, `Chunk`, `Gap` and `Closed` events of all connections in the capture."""

    def __init__(self) -> None:
        self._flows: dict[bytes, tuple[_Connection, int]] = {}
        self._half_open: dict[bytes, _Connection] = {}
        self._live: dict[bytes, _Connection] = {}
        self._count = 0

    def feed(self, segment: Segment) -> list[TcpEvent]:
        """What can be delivered now that `segment` is there."""
        events: list[TcpEvent] = []
        known = self._flows.get(segment.flow)
        flags = segment.flags
        if known is None or flags & SYN:
            known = self._open(segment, known, events)
            if known is None:
                return events
        connection, direction = known
        connection.touched = segment.packet
        side, other = connection.sides[direction], connection.sides[1 - direction]
        side.seen = True
        if (
            segment.seq == side.seq
            and side.started
            and connection.number
            and not (flags & (SYN | FIN | RST) or segment.missing or side.pending or other.pending or side.closed)
            and not (flags & ACK and other.is_ahead(segment.ack))
        ):  # the common case, put first for speed: the next segment, and nothing waits
            if segment.data:
                events.append(
                    Chunk(connection.number, direction ^ connection.client, side.next - side.origin, segment.data,
                          segment.packet, segment.time)
                )  # fmt: skip
                side.advance(len(segment.data))
            return events
        self._hold(side, other, segment)
        self._advance(connection, events)
        self._give_up_overdue(connection, events)
        return events

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

    def _open(
        self, segment: Segment, known: tuple[_Connection, int] | None, events: list[TcpEvent]
    ) -> tuple[_Connection, int] | None:
        """The connection of a segment that is a SYN or whose flow is new. None where it tells nothing."""
        flags = segment.flags
        if known is not None and self._is_reused(known, segment):
            self._forget(known[0], events)
            known = None
        if known is None:
            if not flags & SYN and (flags & RST or not (segment.data or segment.missing)):
                return None
            known = self._add(segment, events), 0
        if flags & SYN:
            self._synchronise(known, segment)
        return known

    def _is_reused(self, known: tuple[_Connection, int], segment: Segment) -> bool:
        """Whether a SYN begins another connection between the same ports."""
        connection, direction = known
        side = connection.sides[direction]
        if side.initial is not None:
            return side.initial != segment.seq
        return side.started

    def _add(self, segment: Segment, events: list[TcpEvent]) -> _Connection:
        connection = _Connection(segment.flow)
        self._flows[segment.flow] = connection, 0
        self._flows[reverse(segment.flow)] = connection, 1
        if segment.data or segment.missing:
            self._make_room(events)
            self._live[segment.flow] = connection
        else:
            while len(self._half_open) >= limits.MAX_HALF_OPEN:
                self._forget(next(iter(self._half_open.values())), events)
            self._half_open[segment.flow] = connection
        return connection

    def _make_room(self, events: list[TcpEvent]) -> None:
        if len(self._live) < limits.MAX_CONNECTIONS:
            return
        idle = sorted(self._live.values(), key=lambda connection: connection.touched)
        for connection in idle[: max(1, len(idle) // 8)]:
            self._forget(connection, events)

    def _forget(self, connection: _Connection, events: list[TcpEvent]) -> None:
        self._end(connection, events)
        flow = connection.flow
        self._flows.pop(flow, None)
        self._flows.pop(reverse(flow), None)
        self._live.pop(flow, None)
        self._half_open.pop(flow, None)

    def _synchronise(self, known: tuple[_Connection, int], segment: Segment) -> None:
        """Takes the sequence numbers that a SYN or SYN-ACK announces."""
        connection, direction = known
        side, other = connection.sides[direction], connection.sides[1 - direction]
        answers = bool(segment.flags & ACK)
        if not connection.number:
            connection.mid = False
            connection.client = 1 - direction if answers else direction
        if not side.started:
            side.initial = segment.seq
            side.start((segment.seq + 1) & MASK)
        if answers and not other.started:
            other.initial = (segment.ack - 1) & MASK
            other.start(segment.ack)

    # --- segments wait, and are delivered ------------------------------------------------------------------------

    def _hold(self, side: _Side, other: _Side, segment: Segment) -> None:
        flags = segment.flags
        if flags & ACK and other.pending and other.started:
            other.acked = max(other.acked, other.position(segment.ack))
        length = len(segment.data) + segment.missing
        if side.closed or (not length and not flags & (FIN | RST)):
            return
        position = side.position(segment.seq) + (1 if flags & SYN else 0)
        end = position + length + (1 if flags & FIN else 0)
        if side.started and end <= side.next and not flags & RST:
            return  # sent again, or a keep-alive
        if not side.pending:
            side.stalled = 0
            side.acked = side.next
        insort(side.pending, _Held(position, segment.packet, end, segment))
        side.held_bytes += len(segment.data)

    def _advance(self, connection: _Connection, events: list[TcpEvent]) -> None:
        moved = True
        while moved:
            moved = self._deliver(connection, 0, events)
            moved = self._deliver(connection, 1, events) or moved

    def _deliver(self, connection: _Connection, direction: int, events: list[TcpEvent]) -> bool:
        side, other = connection.sides[direction], connection.sides[1 - direction]
        if not side.started:
            return False
        moved = False
        while side.pending:
            head = side.pending[0]
            if head.position > side.next or (head.segment.flags & ACK and other.is_ahead(head.segment.ack)):
                break
            self._emit_head(connection, direction, events)
            moved = True
        if moved:
            side.stalled = 0
        return moved

    def _emit_head(self, connection: _Connection, direction: int, events: list[TcpEvent]) -> None:
        """Delivers the first segment that waits, less what was delivered before."""
        side = connection.sides[direction]
        position, packet, end, segment = side.pending.pop(0)
        side.held_bytes -= len(segment.data)
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
        if segment.flags & (FIN | RST):
            self._close_side(connection, direction, "rst" if segment.flags & RST else "fin", segment, events)

    def _announce(self, connection: _Connection, packet: int, time: int | None, events: list[TcpEvent]) -> None:
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

    def _gap(self, connection: _Connection, direction: int, end: int, cause: Segment, events: list[TcpEvent]) -> None:
        side = connection.sides[direction]
        length = end - side.next
        if not side.closed:
            self._announce(connection, cause.packet, cause.time, events)
            offset = side.next - side.origin
            events.append(Gap(connection.number, direction ^ connection.client, offset, length, cause.packet))
        side.advance(length)

    def _close_side(
        self, connection: _Connection, direction: int, reason: str, cause: Segment, events: list[TcpEvent]
    ) -> None:
        side = connection.sides[direction]
        if connection.number and not side.closed:
            events.append(
                Closed(connection.number, direction ^ connection.client, reason, cause.packet, cause.time)
            )  # fmt: skip
        side.closed = True

    # --- what does not come is given up --------------------------------------------------------------------------

    def _give_up_overdue(self, connection: _Connection, events: list[TcpEvent]) -> None:
        for side in connection.sides:
            if side.pending:
                side.stalled += 1
        while any(map(self._is_overdue, connection.sides)):
            self._skip(connection, events)
            self._advance(connection, events)

    def _is_overdue(self, side: _Side) -> bool:
        if not side.pending:
            return False
        if side.held_bytes > limits.MAX_PENDING_BYTES:
            return True
        if not side.started:
            return side.stalled > limits.OPENING_WINDOW
        waits_for_bytes = side.pending[0].position > side.next
        unacknowledged = waits_for_bytes and side.acked <= side.next
        return side.stalled > (limits.LOSS_WINDOW if unacknowledged else limits.REORDER_WINDOW)

    def _skip(self, connection: _Connection, events: list[TcpEvent]) -> None:
        """Gives up one thing that a side waits for: its beginning, the bytes before its first segment, or bytes of
        the other side that this segment acknowledges."""
        if any(side.pending and not side.started for side in connection.sides):
            self._start_late(connection)
            return
        waiting = [index for index in (0, 1) if connection.sides[index].pending]
        direction = min(waiting, key=lambda index: connection.sides[index].pending[0].packet)
        side, other = connection.sides[direction], connection.sides[1 - direction]
        side.stalled = other.stalled = 0
        head = side.pending[0]
        if head.position > side.next:
            if head.position - side.next > limits.MAX_GAP and len(side.pending) < limits.STRAY_SEGMENTS:
                side.held_bytes -= len(side.pending.pop(0).segment.data)  # a damaged sequence number
            else:
                self._gap(connection, direction, head.position, head.segment, events)
            return
        target = other.position(head.segment.ack)
        if other.pending:
            target = min(target, other.pending[0].position)
        if other.is_ahead(head.segment.ack) and target > other.next:
            self._gap(connection, 1 - direction, target, head.segment, events)
        else:  # each side waits for the other: no real connection does that
            self._emit_head(connection, direction, events)

    def _start_late(self, connection: _Connection) -> None:
        """The beginning was not captured: each direction starts with the lowest byte seen, or, where none was seen,
        with the one that the other direction expected."""
        for direction in (0, 1):
            side, other = connection.sides[direction], connection.sides[1 - direction]
            if side.started:
                continue
            if side.pending:
                side.start(side.pending[0].segment.seq)
                side.stalled = 0
            elif side.seen and other.pending and other.pending[0].segment.flags & ACK:
                side.start(other.pending[0].segment.ack)

    def _end(self, connection: _Connection, events: list[TcpEvent]) -> None:
        self._advance(connection, events)
        while any(side.pending for side in connection.sides):
            self._skip(connection, events)
            self._advance(connection, events)
        for direction in (0, 1):
            side = connection.sides[direction]
            if connection.number and not side.closed:
                events.append(
                    Closed(connection.number, direction ^ connection.client, "end", connection.touched, None)
                )  # fmt: skip
            side.closed = True
