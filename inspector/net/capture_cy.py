"""Packets of a capture -> gRPC calls and messages: the protocols of this folder, composed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector.model.packet import Closed, Opened, Packet, Segment
from inspector.model.problem import Problem
from inspector.net.calls_cy import CallEvent
from inspector.net.ip_cy import TCP, IpLayer
from inspector.net.link_cy import network_layer
from inspector.net.tcp_cy import TcpEvent, parse_segment
from inspector.net.tunnels_cy import innermost

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

if TYPE_CHECKING or not cython.compiled:
    from inspector.net.calls_cy import CallCounter, ConnectionCalls
    from inspector.net.common_case_cy import SegmentReader
    from inspector.net.tcp_cy import Flow, TcpReassembler
else:
    from cython.cimports.inspector.net.calls_cy import CallCounter, ConnectionCalls
    from cython.cimports.inspector.net.common_case_cy import SegmentReader
    from cython.cimports.inspector.net.tcp_cy import Flow, TcpReassembler

_TCP = cython.declare(cython.int, TCP)


class CaptureSummary:
    """What was in a capture, and what of it was passed over."""

    def __init__(self) -> None:
        self.packets = 0
        self.not_ip = 0
        self.not_tcp = 0
        self.connections = 0
        self.http2_connections = 0
        self.tls_connections = 0
        self.http1_connections = 0
        self.other_streams = 0
        self.calls = 0
        self.cut_packets = 0
        """TCP packets of which the capture has less than was sent."""

    def describe(self) -> str:
        """One line for people."""
        other = self.connections - self.http2_connections - self.tls_connections - self.http1_connections
        parts = (
            _count(self.packets, "packet"),
            _count(self.http2_connections, "HTTP/2 connection"),
            _count(self.calls, "call"),
            f"passed over: {_count(self.tls_connections, 'TLS connection')}, to be captured on the plaintext side"
            if self.tls_connections
            else "",
            f"passed over: {_count(self.http1_connections, 'HTTP/1.1 connection')}" if self.http1_connections else "",
            f"passed over: {_count(other, 'other TCP connection')}" if other else "",
            f"passed over: {_count(self.other_streams, 'stream')} not gRPC" if self.other_streams else "",
            f"passed over: {_count(self.not_tcp, 'packet')} not TCP" if self.not_tcp else "",
            f"passed over: {_count(self.not_ip, 'packet')} not IP" if self.not_ip else "",
        )
        return ", ".join(filter(None, parts))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@cython.final
@cython.cclass
class CaptureDecoder:
    """Packets -> messages as they become whole, calls as they end, and problems that belong to no call."""

    _summary: CaptureSummary
    _ip: IpLayer
    _tcp: TcpReassembler
    _reader: SegmentReader
    _counter: CallCounter
    _connections: dict[int, ConnectionCalls]
    _packets: cython.longlong
    _with_messages: cython.bint

    def __init__(self, with_messages: bool = True) -> None:
        self._with_messages = with_messages
        self._summary = CaptureSummary()
        self._ip = IpLayer()
        self._tcp = TcpReassembler()
        self._reader = SegmentReader()
        self._counter = CallCounter()
        self._connections = {}
        self._packets = 0

    @property
    def summary(self) -> CaptureSummary:
        """What was seen so far."""
        self._summary.packets = self._packets
        self._summary.calls = self._counter.calls
        self._summary.other_streams = self._counter.other_streams
        return self._summary

    def feed(self, items: list[Packet | Problem]) -> list[CallEvent]:
        """What is whole after these packets. Problems of the capture file pass through in their place."""
        events: list[CallEvent] = []
        self._counter.begin_read()
        for item in items:
            if type(item) is Packet:
                self._packets += 1
                if self._feed_common(item, events):
                    continue
                segment = self._segment(item)
                if segment is not None:
                    for event in self._tcp.feed(segment):
                        self._feed_connection(event, events)
            elif type(item) is Problem:
                events.append(item)
        return events

    def close(self) -> list[CallEvent]:
        """The end of the capture: calls that are still open are reported as they are."""
        events: list[CallEvent] = []
        self._ip.close()
        for event in self._tcp.close():
            self._feed_connection(event, events)
        if self._summary.cut_packets > 1:  # one may be the last of a file that is cut off, which is told already
            text = f"{self._summary.cut_packets} packets were captured only in part (snapshot length)"
            events.append(Problem("packets_cut", text))
        if self._ip.lost_fragments:
            text = f"{self._ip.lost_fragments} fragmented IP datagrams are not whole in the capture"
            events.append(Problem("ip_fragments", text))
        return events

    @cython.cfunc
    def _feed_common(self, packet: Packet, events: list[CallEvent]) -> cython.bint:
        """The common case, in one go: the next segment of a connection. False where it is not that."""
        data: bytes
        link_type: cython.int
        number: cython.longlong
        number, time, link_type, data, _ = cython.cast(tuple, packet)
        reader: SegmentReader = self._reader
        if not reader.read(link_type, data):
            return False
        size: cython.Py_ssize_t = reader.end - reader.start
        flow: Flow | None = self._tcp.take_next(reader.flow, reader.seq, reader.ack, reader.flags, size, number)
        if flow is None:
            return False
        if size:
            calls: ConnectionCalls = self._connections[flow.connection.number]
            direction: cython.int = flow.direction ^ flow.connection.client
            calls.feed_part(direction, flow.offset, data, reader.start, reader.end, number, time, events)
        return True

    @cython.cfunc
    def _segment(self, packet: Packet) -> Segment | None:
        number, time, link_type, data, _ = cython.cast(tuple, packet)
        ethertype, at = network_layer(link_type, data)
        if not ethertype:
            self._summary.not_ip += 1
            return None
        datagram = innermost(self._ip, self._ip.feed(ethertype, data, at))
        if datagram is None:
            return None
        if datagram.protocol != _TCP:
            self._summary.not_tcp += 1
            return None
        self._summary.cut_packets += datagram.missing > 0
        return parse_segment(number, time, datagram)

    @cython.cfunc
    def _feed_connection(self, event: TcpEvent, events: list[CallEvent]) -> None:
        if type(event) is Opened:
            self._summary.connections += 1
            self._connections[event.connection] = ConnectionCalls(event, self._counter, self._with_messages)
            return
        calls = self._connections[event.connection]
        events += calls.feed(event)  # type: ignore[arg-type]
        if type(event) is Closed and calls.sides_ended == 2:
            self._summary.http2_connections += calls.is_http2
            self._summary.tls_connections += calls.is_tls
            self._summary.http1_connections += calls.is_http1
            del self._connections[event.connection]
