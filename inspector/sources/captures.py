"""What the capture files have in common: a file parser in front of the protocol stack."""

from __future__ import annotations

from typing import Protocol

from inspector.model.packet import Packet
from inspector.model.problem import Problem
from inspector.net.capture_cy import CaptureDecoder
from inspector.sources.base import SourceEvent


class PacketParser(Protocol):
    """Bytes of a capture file -> packets."""

    def note_positions(self) -> None: ...

    def take_positions(self) -> list[int]: ...

    def feed(self, data: bytes) -> list[Packet | Problem]: ...

    def close(self) -> list[Packet | Problem]: ...


class CaptureParser:
    """Bytes of a capture file -> calls and messages."""

    def __init__(self, packets: PacketParser, *, with_messages: bool = True) -> None:
        self._packets = packets
        self._decoder = CaptureDecoder(with_messages)

    def note_positions(self) -> None:
        """From here on it is noted where packets are in the file."""
        self._packets.note_positions()

    def take_positions(self) -> list[int]:
        """Where those of the packets are that were read since it was asked last: one for each packet number."""
        return self._packets.take_positions()

    def feed(self, data: bytes) -> list[SourceEvent]:
        return self._decoder.feed(self._packets.feed(data))

    def close(self) -> list[SourceEvent]:
        events = self._decoder.feed(self._packets.close())
        events += self._decoder.close()
        return events

    def describe(self) -> str | None:
        return self._decoder.summary.describe()
