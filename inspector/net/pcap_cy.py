"""The classic capture file (draft-ietf-opsawg-pcap): a 24-byte header, then records of 16 bytes and a packet each."""

from __future__ import annotations

import struct

from inspector import limits
from inspector.model.packet import Packet
from inspector.model.problem import Problem
from inspector.net.buffer import Buffer

FILE_HEADER = 24
SECONDS_APART = 7 * 86_400
"""How far the time of a believable record may lie from the one before, when the parser looks for where to go on."""

# magic number as it stands in the file -> byte order, nanoseconds per unit, length of a record header.
# The last two are the variant of 1999 with 8 more bytes a record.
MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1_000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1_000, 24),
    b"\xa1\xb2\xcd\x34": (">", 1_000, 24),
}

PcapEvent = Packet | Problem


class PcapParser:
    """Bytes of a pcap file -> packets. The bytes must begin with one of `MAGICS`."""

    def __init__(self) -> None:
        self._buffer = Buffer()
        self._buffer.keep(b"", FILE_HEADER)
        self._offset = 0  # of the first byte not consumed, in the file
        self._number = 0
        self._link_type: int | None = None
        self._record = struct.Struct("<IIII")
        self._order = "<"
        self._unit = 1_000
        self._header_size = 16
        self._last_second: int | None = None
        self._searching = False

    def feed(self, data: bytes) -> list[PcapEvent]:
        """Packets that are complete after `data`."""
        held = self._buffer.feed(data)
        if not held:
            return []
        events: list[PcapEvent] = []
        start = 0
        if self._link_type is None:
            self._read_file_header(held)
            start = FILE_HEADER
        used, needed = self._read_records(held, start, events)
        self._offset += used
        self._buffer.keep(held[used:], needed)
        return events

    def close(self) -> list[PcapEvent]:
        """What the file ends with: nothing, or a packet that is cut off."""
        rest = self._buffer.take()
        if self._link_type is None:
            return [Problem("capture_truncated", "the file ends within its header", offset=len(rest))]
        if not rest:
            return []
        events: list[PcapEvent] = []
        if not self._searching and len(rest) > self._header_size:
            seconds, fraction, _, original = self._record.unpack_from(rest)
            events.append(self._packet(seconds, fraction, rest[self._header_size :], original))
        text = f"the file ends within packet {self._number or 1}: {len(rest)} bytes of it are there"
        events.append(Problem("capture_truncated", text, packet=self._number or None, offset=self._offset))
        return events

    def _read_file_header(self, held: bytes) -> None:
        order, self._unit, self._header_size = MAGICS[held[:4]]
        self._order = order
        self._record = struct.Struct(order + "IIII")
        # The upper half of the field tells of a frame check sequence, which the link layer ignores as padding.
        self._link_type = struct.unpack_from(order + "I", held, 20)[0] & 0xFFFF

    def _read_records(self, held: bytes, at: int, events: list[PcapEvent]) -> tuple[int, int]:
        """Reads on from `at`. Returns how many bytes are used up, and how many more records need at least."""
        size = len(held)
        header_size = self._header_size
        unpack = self._record.unpack_from
        while size - at >= header_size:
            if self._searching:
                at = self._find_record(held, at)
                if self._searching:
                    return at, header_size * 2
                continue
            seconds, fraction, captured, original = unpack(held, at)
            if captured > limits.MAX_PACKET:
                text = f"a packet of {captured} bytes is claimed; looking for the next believable one"
                events.append(Problem("capture_damaged", text, self._number + 1, self._offset + at))
                self._searching = True
                at += 1
                continue
            end = at + header_size + captured
            if end > size:
                return at, end - at
            events.append(self._packet(seconds, fraction, held[at + header_size : end], original))
            at = end
        return at, header_size

    def _packet(self, seconds: int, fraction: int, data: bytes, original: int) -> Packet:
        self._number += 1
        self._last_second = seconds
        time = seconds * 1_000_000_000 + fraction * self._unit
        return Packet(self._number, time, self._link_type or 0, data, original)

    def _find_record(self, held: bytes, at: int) -> int:
        """First place from `at` where two records in a row are believable; clears `_searching` when found."""
        last = len(held) - self._header_size
        while at <= last:
            end = self._believable(held, at)
            if end and (end == len(held) or (end <= last and self._believable(held, end))):
                self._searching = False
                return at
            if end > last and end - at < limits.READ_SIZE:
                return at  # more bytes will tell
            at += 1
        return at

    def _believable(self, held: bytes, at: int) -> int:
        """End of the record at `at`, or 0 where it cannot be one."""
        seconds, fraction, captured, original = self._record.unpack_from(held, at)
        if not 0 < captured <= original <= limits.MAX_PACKET or fraction * self._unit >= 1_000_000_000:
            return 0
        if self._last_second is not None and abs(seconds - self._last_second) > SECONDS_APART:
            return 0
        return int(at + self._header_size + captured)
