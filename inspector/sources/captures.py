"""What the capture files have in common: a file parser in front of the protocol stack."""

from __future__ import annotations

from typing import Protocol

from inspector.model.packet import Packet
from inspector.model.problem import Problem
from inspector.net.capture_cy import CaptureDecoder
from inspector.sources.base import SourceEvent


class PacketParser(Protocol):
    """Bytes of a capture file -> packets. `positions` may be set to a list, which gets for each packet number where the
    packet's bytes begin in the file."""

    positions: list[int] | None

    def feed(self, data: bytes) -> list[Packet | Problem]: ...

    def close(self) -> list[Packet | Problem]: ...


class CaptureParser:
    """Bytes of a capture file -> calls and messages."""

    def __init__(self, packets: PacketParser, *, with_messages: bool = True) -> None:
        self._packets = packets
        self._decoder = CaptureDecoder(with_messages)

    def note_positions(self) -> None:
        """From here on it is noted where packets are in the file."""
        self._packets.positions = []

    def take_positions(self) -> list[int]:
        """Where those packets are that were read since it was asked last."""
        found = self._packets.positions
        if found is None:
            return []
        self._packets.positions = []
        return found

    def feed(self, data: bytes) -> list[SourceEvent]:
        return self._decoder.feed(self._packets.feed(data))

    def close(self) -> list[SourceEvent]:
        events = self._decoder.feed(self._packets.close())
        events += self._decoder.close()
        return events

    def describe(self) -> str | None:
        return self._decoder.summary.describe()
