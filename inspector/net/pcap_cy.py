"""The classic capture file (draft-ietf-opsawg-pcap): a 24-byte header, then records of 16 bytes and a packet each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector import limits
from inspector.model.packet import Packet
from inspector.model.problem import Problem
from inspector.net.buffer import Buffer

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

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

_MAX_PACKET = cython.declare(cython.longlong, limits.MAX_PACKET)
_MAX_SOUGHT = cython.declare(cython.longlong, limits.MAX_SOUGHT_RECORD)
_SECONDS_APART = cython.declare(cython.longlong, SECONDS_APART)


@cython.cfunc
@cython.exceptval(-1)
def _little(data: bytes, at: cython.Py_ssize_t) -> cython.longlong:
    high: cython.longlong = data[at + 3]
    return high << 24 | data[at + 2] << 16 | data[at + 1] << 8 | data[at]


@cython.cfunc
@cython.exceptval(-1)
def _big(data: bytes, at: cython.Py_ssize_t) -> cython.longlong:
    high: cython.longlong = data[at]
    return high << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]


@cython.final
@cython.cclass
class PcapParser:
    """Bytes of a pcap file -> packets. The bytes must begin with one of `MAGICS`.

    It notes where in the file the bytes of each packet begin, where that is asked for.
    """

    _buffer: Buffer
    _offset: int  # of the first byte not consumed, in the file
    _number: int
    _positions: list[int] | None
    _link_type: int
    _begun: cython.bint  # the file header was read
    _is_big: cython.bint
    _unit: cython.longlong  # nanoseconds
    _header_size: cython.Py_ssize_t
    _last_second: cython.longlong  # of the packet before; -1 where there is none
    _searching: cython.bint

    def __init__(self) -> None:
        self._buffer = Buffer()
        self._buffer.keep(b"", FILE_HEADER)
        self._offset = 0
        self._number = 0
        self._positions = None
        self._link_type = 0
        self._begun = False
        self._is_big = False
        self._unit = 1_000
        self._header_size = 16
        self._last_second = -1
        self._searching = False

    def note_positions(self) -> None:
        """From here on it is noted where packets are."""
        self._positions = []

    def take_positions(self) -> list[int]:
        """Where those of the packets are that were read since it was asked last: one for each packet number."""
        found = self._positions
        if found is None:
            return []
        self._positions = []
        return found

    def feed(self, data: bytes) -> list[PcapEvent]:
        """Packets that are complete after `data`."""
        held = self._buffer.feed(data)
        if not held:
            return []
        events: list[PcapEvent] = []
        start = 0
        if not self._begun:
            self._read_file_header(held)
            start = FILE_HEADER
        used, needed = self._read_records(held, start, events, False)
        self._offset += used
        self._buffer.keep(held[used:], needed)
        return events

    def close(self) -> list[PcapEvent]:
        """What the file ends with: nothing, or a packet that is cut off (of which what is there is kept)."""
        rest = self._buffer.take()
        if not self._begun:
            return [Problem("capture_truncated", "the file ends within its header", offset=len(rest))]
        events: list[PcapEvent] = []
        used, _ = self._read_records(rest, 0, events, True)
        self._offset += used
        rest = rest[used:]
        if rest:
            number = self._number + 1
            text = f"the file ends within packet {number}: {len(rest)} bytes of it are there"
            if not self._searching and len(rest) > self._header_size and self._believable(rest, 0, self._last_second):
                events.append(self._packet(rest, 0, len(rest)))
            events.append(Problem("capture_truncated", text, number, self._offset))
        return events

    def _read_file_header(self, held: bytes) -> None:
        order, self._unit, self._header_size = MAGICS[held[:4]]
        self._is_big = order == ">"
        # The upper half of the field tells of a frame check sequence, which the link layer ignores as padding.
        self._link_type = self._field(held, 20) & 0xFFFF
        self._begun = True

    @cython.cfunc
    @cython.exceptval(-1)
    def _field(self, held: bytes, at: cython.Py_ssize_t) -> cython.longlong:
        return _big(held, at) if self._is_big else _little(held, at)

    def _read_records(
        self, held: bytes, at: cython.Py_ssize_t, events: list[PcapEvent], final: bool
    ) -> tuple[int, int]:
        """Reads on from `at`; `final` when no more bytes will come. Returns how many bytes are used up, and how many
        the next record needs at least."""
        size: cython.Py_ssize_t = len(held)
        header_size: cython.Py_ssize_t = self._header_size
        end: cython.Py_ssize_t
        found: cython.Py_ssize_t
        while size - at >= header_size:
            if self._searching:
                at, needed = self._find_record(held, at, final)
                if self._searching:
                    return at, needed
            captured: cython.longlong = self._field(held, at + 8)
            end = at + header_size + captured
            odd = not self._believable(held, at, self._last_second)
            # An odd record is believed where a good one follows, so its header has to be there, too.
            if not final and captured <= _MAX_PACKET and end + (header_size if odd else 0) > size:
                return at, end + (header_size if odd else 0) - at
            if captured > _MAX_PACKET or (odd and not self._is_followed(held, at, end)):
                self._damaged(f"a packet of {captured} bytes is claimed", at, events)
                at += 1
            elif end > size:  # cut off, or its length is damaged and others follow
                self._searching = True
                if self._last_second < 0:
                    self._last_second = self._field(held, at)
                found = self._find_record(held, at + 1, True)[0]
                if self._searching:
                    self._searching = False
                    return at, end - at
                self._damaged(f"a packet of {captured} bytes is claimed", at, events)
                self._searching = False
                at = found
            else:
                events.append(self._packet(held, at, end))
                at = end
        return at, header_size

    def _damaged(self, what: str, at: int, events: list[PcapEvent]) -> None:
        text = f"{what}; looking for the next believable one"
        events.append(Problem("capture_damaged", text, self._number + 1, self._offset + at))
        self._searching = True

    def _packet(self, held: bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> Packet:
        self._number += 1
        if self._positions is not None:
            self._positions.append(self._offset + at + self._header_size)
        self._last_second = self._field(held, at)
        time = self._last_second * 1_000_000_000 + self._field(held, at + 4) * self._unit
        return Packet(
            self._number, time, self._link_type, held[at + self._header_size : end], self._field(held, at + 12)
        )

    def _find_record(self, held: bytes, at: cython.Py_ssize_t, final: bool) -> tuple[int, int]:
        """First place from `at` where two records in a row are believable (or one that ends the file); clears
        `_searching` when found. Otherwise where to search on, and how many bytes that needs at least."""
        last: cython.Py_ssize_t = len(held) - self._header_size
        end: cython.Py_ssize_t
        while at <= last:
            if 0 < self._field(held, at + 8) <= _MAX_SOUGHT and self._believable(held, at, self._last_second):
                end = at + self._header_size + self._field(held, at + 8)
                if end > last and not final:
                    return at, end + self._header_size - at
                if self._believable(held, end, self._last_second) if end <= last else end == len(held):
                    self._searching = False
                    return at, 0
            at += 1
        return at, self._header_size

    def _is_followed(self, held: bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> bool:
        """Whether an odd record may be one all the same: good ones follow, or the end of the file. (A clock was set, or
        a tool wrote strange numbers. But nothing at all is no packet: that is a run of zeros.)"""
        if not self._field(held, at + 12):
            return False
        if len(held) - end < self._header_size:
            return True
        return self._believable(held, end, self._field(held, at)) or self._believable(held, end, self._last_second)

    @cython.cfunc
    @cython.exceptval(-1)
    def _believable(self, held: bytes, at: cython.Py_ssize_t, near: cython.longlong) -> cython.bint:
        """Whether there is nothing odd about the record header at `at`; its time is near that second, if not -1."""
        captured: cython.longlong = self._field(held, at + 8)
        original: cython.longlong = self._field(held, at + 12)
        if not 0 <= captured <= original <= _MAX_PACKET or not original:
            return False
        if self._field(held, at + 4) * self._unit >= 1_000_000_000:
            return False
        return near < 0 or abs(self._field(held, at) - near) <= _SECONDS_APART
