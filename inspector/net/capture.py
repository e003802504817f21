"""Packets of a capture -> gRPC calls and messages: the protocols of this folder, composed."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.model.packet import Closed, Opened, Packet, Segment
from inspector.model.problem import Problem
from inspector.net.calls import CallCounter, CallEvent, ConnectionCalls
from inspector.net.ip import TCP, IpLayer
from inspector.net.link import network_layer
from inspector.net.tcp import TcpEvent, TcpReassembler, parse_segment


@dataclass(slots=True)
class CaptureSummary:
    """What was in a capture, and what of it was passed over."""

    packets: int = 0
    not_ip: int = 0
    not_tcp: int = 0
    connections: int = 0
    http2_connections: int = 0
    other_streams: int = 0
    calls: int = 0

    def describe(self) -> str:
        """One line for people."""
        other = self.connections - self.http2_connections
        parts = [
            f"{self.packets:,} packets",
            f"{self.http2_connections:,} HTTP/2 connections",
            f"{self.calls:,} calls",
            f"{other:,} other TCP connections passed over" if other else "",
            f"{self.other_streams:,} HTTP/2 streams that are not gRPC passed over" if self.other_streams else "",
            f"{self.not_tcp:,} packets not TCP" if self.not_tcp else "",
            f"{self.not_ip:,} packets not IP" if self.not_ip else "",
        ]
        return ", ".join(filter(None, parts))


class CaptureDecoder:
    """Packets -> messages as they become whole, calls as they end, and problems that belong to no call."""

    def __init__(self) -> None:
        self.summary = CaptureSummary()
        self._ip = IpLayer()
        self._tcp = TcpReassembler()
        self._counter = CallCounter()
        self._connections: dict[int, ConnectionCalls] = {}

    def feed(self, packet: Packet) -> list[CallEvent]:
        """What is whole after `packet`."""
        segment = self._segment(packet)
        if segment is None:
            return []
        events: list[CallEvent] = []
        for event in self._tcp.feed(segment):
            self._feed_connection(event, events)
        return events

    def close(self) -> list[CallEvent]:
        """The end of the capture: calls that are still open are reported as they are."""
        events: list[CallEvent] = []
        self._ip.close()
        for event in self._tcp.close():
            self._feed_connection(event, events)
        if self._ip.lost_fragments:
            text = f"{self._ip.lost_fragments} fragmented IP datagrams are not whole in the capture"
            events.append(Problem("ip_fragments", text))
        self.summary.other_streams = self._counter.other_streams
        self.summary.calls = self._counter.calls
        return events

    def _segment(self, packet: Packet) -> Segment | None:
        self.summary.packets += 1
        data = packet.data
        ethertype, at = network_layer(packet.link_type, data)
        if not ethertype:
            self.summary.not_ip += 1
            return None
        datagram = self._ip.feed(ethertype, data, at)
        if datagram is None:
            return None
        addresses, protocol, data, start, end, missing = datagram
        if protocol != TCP:
            self.summary.not_tcp += 1
            return None
        return parse_segment(packet.number, packet.time, addresses, data, start, end, missing)

    def _feed_connection(self, event: TcpEvent, events: list[CallEvent]) -> None:
        if isinstance(event, Opened):
            self.summary.connections += 1
            self._connections[event.connection] = ConnectionCalls(event, self._counter)
            return
        calls = self._connections[event.connection]
        events += calls.feed(event)
        if type(event) is Closed and calls.sides_ended == 2:
            self.summary.http2_connections += calls.is_http2
            del self._connections[event.connection]
