"""The next-generation capture file (draft-ietf-opsawg-pcapng): sections of blocks, with interfaces of their own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

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

if TYPE_CHECKING or not cython.compiled:
    from inspector.model.make_cy import make
else:
    from cython.cimports.inspector.model.make_cy import make

SECTION_HEADER = 0x0A0D0D0A
INTERFACE = 1
OLD_PACKET = 2
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6
PACKETS = frozenset((OLD_PACKET, SIMPLE_PACKET, ENHANCED_PACKET))
KNOWN_TYPES = frozenset((SECTION_HEADER, *range(1, 11), 0x0BAD, 0x40000BAD))
"""Block types believed when the parser looks for where to go on after damage."""

BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
SHORTEST_BLOCK = 12

OPTION_END = 0
OPTION_TIME_RESOLUTION = 9
OPTION_TIME_OFFSET = 14


class Interface(NamedTuple):
    """What an interface description says: LINKTYPE_ value, ticks per second, seconds added to every time."""

    link_type: int
    snap_length: int
    ticks: int
    offset: int


PcapngEvent = Packet | Problem

_DAMAGED = Interface(-1, 0, 1_000_000, 0)

_UNITS = {1_000_000_000: 1, 1_000_000: 1_000}
"""Ticks per second -> nanoseconds per tick, of the usual resolutions."""
# Upper halves of times from here on are over 63 bits as nanoseconds: after the year 2112.
_FAR_MICROSECONDS = cython.declare(cython.longlong, 1 << 20)
_FAR_NANOSECONDS = cython.declare(cython.longlong, 1 << 30)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _little(data: cython.p_uchar, at: cython.Py_ssize_t) -> cython.longlong:
    high: cython.longlong = data[at + 3]
    return high << 24 | data[at + 2] << 16 | data[at + 1] << 8 | data[at]


@cython.cfunc
@cython.exceptval(-1)
def _big(data: bytes, at: cython.Py_ssize_t) -> cython.longlong:
    high: cython.longlong = data[at]
    return high << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]


@cython.final
@cython.cclass
class PcapngParser:
    """Bytes of a pcapng file -> packets. The bytes must begin with a section header block.

    It notes where in the file the bytes of each packet begin, where that is asked for.
    """

    _buffer: Buffer
    _offset: int  # of the first byte not consumed, in the file
    _number: int
    _positions: list[int] | None
    _interfaces: list[Interface]
    _link_types: list[int]  # of the interfaces
    _units: list[int]  # nanoseconds per tick of the interfaces; 0 where that takes more than a multiplication
    _searching: cython.bint
    _order: str
    _two: str  # formats, not `struct.Struct`s: a parser can be copied
    _enhanced: str

    def __init__(self) -> None:
        self._buffer = Buffer()
        self._offset = 0
        self._number = 0
        self._positions = None
        self._searching = False
        self._forget_interfaces()
        self._set_order("<")

    def _forget_interfaces(self) -> None:
        self._interfaces = []
        self._link_types = []
        self._units = []

    def _set_order(self, order: str) -> None:
        self._order = order
        self._two = order + "II"
        self._enhanced = order + "IIIII"

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

    def feed(self, data: bytes) -> list[PcapngEvent]:
        """Packets that are complete after `data`."""
        held = self._buffer.feed(data)
        if not held:
            return []
        events: list[PcapngEvent] = []
        used, needed = self._read_blocks(held, events, False)
        self._offset += used
        self._buffer.keep(held[used:], needed)
        return events

    def close(self) -> list[PcapngEvent]:
        """What the file ends with: nothing, or a block that is cut off (of a packet, what is there is kept)."""
        rest = self._buffer.take()
        events: list[PcapngEvent] = []
        used, _ = self._read_blocks(rest, events, True)
        self._offset += used
        rest = rest[used:]
        if rest:
            if not self._searching and len(rest) > 28 and struct.unpack_from(self._two, rest)[0] in PACKETS:
                self._read_block(rest, 0, len(rest) + 4, struct.unpack_from(self._two, rest)[0], events, cut=True)
            text = f"the file ends within a block: {len(rest)} bytes of it are there"
            events.append(Problem("capture_truncated", text, self._number or None, self._offset))
        return events

    def _read_blocks(self, held: bytes, events: list[PcapngEvent], final: bool) -> tuple[int, int]:
        """Reads all whole blocks; `final` when no more bytes will come. Returns how many bytes are used up, and how
        many the next block needs."""
        at: cython.Py_ssize_t = 0
        size: cython.Py_ssize_t = len(held)
        end: cython.Py_ssize_t
        length: cython.Py_ssize_t
        while size - at >= SHORTEST_BLOCK:
            if self._order == "<" and held[at] == 6 and not (held[at + 1] or held[at + 2] or held[at + 3]):
                end = self._read_common(held, at, size, events)
                if end:
                    at = end
                    continue
            if self._searching:
                at, needed = self._find_block(held, at, final)
                if self._searching:
                    return at, needed
            kind, length = self._block_header(held, at)
            if length < SHORTEST_BLOCK or length % 4 or length > limits.MAX_BLOCK:
                self._damaged(f"a block of {length} bytes is claimed", at, events)
                at += 4
                continue
            end = at + length
            if end > size:
                if final and self._is_followed(held, at + 4):
                    self._damaged(f"a block of {length} bytes is claimed", at, events)
                    at += 4
                    continue
                return at, length
            if struct.unpack_from(self._two, held, end - 8)[1] != length:
                self._damaged("a block does not end with its length", at, events)
                at += 4
                continue
            self._read_block(held, at, end, kind, events)
            at = end
        return at, SHORTEST_BLOCK

    @cython.cfunc
    @cython.exceptval(-1)
    def _read_common(
        self, held: bytes, at: cython.Py_ssize_t, size: cython.Py_ssize_t, events: list[PcapngEvent]
    ) -> cython.Py_ssize_t:
        """The common case made quick: a whole enhanced packet block with nothing odd about it. Its end, or 0."""
        if self._searching or size - at < 32:
            return 0
        block: cython.p_uchar = held  # every index is within the block, and that within what is held
        length: cython.Py_ssize_t = _little(block, at + 4)
        number: cython.Py_ssize_t = _little(block, at + 8)
        captured: cython.Py_ssize_t = _little(block, at + 20)
        if length < 32 or length % 4 or length > size - at or captured > length - 32:
            return 0
        if _little(block, at + length - 4) != length or number >= len(self._units):
            return 0
        unit: cython.longlong = self._units[number]
        if not unit:
            return 0
        high: cython.longlong = _little(block, at + 12)
        if high >= (_FAR_NANOSECONDS if unit == 1 else _FAR_MICROSECONDS):
            return 0  # left to Python's integers, which do not overflow
        ticks: cython.longlong = high << 32 | _little(block, at + 16)
        self._number += 1
        if self._positions is not None:
            self._positions.append(self._offset + at + 28)
        octets: cython.p_char = held  # sliced without a slice object; the bounds were checked above
        data: bytes = octets[at + 28 : at + 28 + captured]
        events.append(
            make(Packet, (self._number, ticks * unit, self._link_types[number], data, _little(block, at + 24)))
        )
        return at + length

    def _block_header(self, held: bytes, at: int) -> tuple[int, int]:
        """Type and length of the block at `at`. A section header also sets the byte order (its type reads the same
        in both), and the interfaces begin anew."""
        kind, length = struct.unpack_from(self._two, held, at)
        if kind == SECTION_HEADER:
            order = BYTE_ORDERS.get(held[at + 8 : at + 12])
            if order is None:
                return kind, 0
            self._set_order(order)
            self._forget_interfaces()
            kind, length = struct.unpack_from(self._two, held, at)
        return kind, length

    def _damaged(self, what: str, at: int, events: list[PcapngEvent]) -> None:
        text = f"{what}; looking for the next believable block"
        events.append(Problem("capture_damaged", text, self._number or None, self._offset + at))
        self._searching = True

    def _find_block(self, held: bytes, at: cython.Py_ssize_t, final: bool) -> tuple[int, int]:
        """First place from `at` where a whole block of a known type stands; clears `_searching` when found. Otherwise
        where to search on, and how many bytes that needs at least.

        Blocks are aligned to four bytes, but damage may have removed some, so every offset is tried. A block that is
        not whole yet is waited for if it is not longer than what is read at once.
        """
        last: cython.Py_ssize_t = len(held) - SHORTEST_BLOCK
        length: cython.Py_ssize_t
        is_big: cython.bint
        while at <= last:
            is_big = self._order == ">"
            # Types are numbers with a zero on one side, at least, or palindromes: most places are ruled out by that.
            if not held[at] or not held[at + 3] or held[at] == held[at + 3]:
                kind = _big(held, at) if is_big else _little(held, at)
                if kind in KNOWN_TYPES:
                    if kind == SECTION_HEADER:
                        is_big = BYTE_ORDERS.get(held[at + 8 : at + 12]) == ">"
                    length = _big(held, at + 4) if is_big else _little(held, at + 4)
                    if SHORTEST_BLOCK <= length <= limits.MAX_SOUGHT_RECORD and length % 4 == 0:
                        if at + length > len(held):
                            if not final:
                                return at, length
                        elif (_big(held, at + length - 4) if is_big else _little(held, at + length - 4)) == length:
                            self._searching = False
                            return at, 0
            at += 1
        return at, SHORTEST_BLOCK

    def _is_followed(self, held: bytes, at: int) -> bool:
        """Whether a whole block stands somewhere in these last bytes of the file: one that ends beyond them is then not
        cut off, but has a damaged length."""
        self._searching = True
        self._find_block(held, at, True)
        found = not self._searching
        self._searching = False
        return found

    def _read_block(
        self, held: bytes, at: int, end: int, kind: int, events: list[PcapngEvent], cut: bool = False
    ) -> None:  # fmt: skip
        if kind == ENHANCED_PACKET:
            self._read_enhanced(held, at, end, events, cut)
        elif kind == SIMPLE_PACKET:
            self._read_simple(held, at, end, events)
        elif kind == OLD_PACKET:
            self._read_old(held, at, end, events, cut)
        elif kind == INTERFACE:
            self._read_interface(held, at, end, events)

    def _read_interface(self, held: bytes, at: int, end: int, events: list[PcapngEvent]) -> None:
        if len(self._interfaces) >= limits.MAX_INTERFACES:
            text = f"more than {limits.MAX_INTERFACES} interfaces"
            events.append(Problem("capture_damaged", text, self._number or None, self._offset + at))
            return
        if end - at < 20:
            self._short_block(at, events)
            self._add_interface(_DAMAGED)  # so that those after it keep their numbers
            return
        link_type, _, snap_length = struct.unpack_from(self._order + "HHI", held, at + 8)
        ticks, offset = 1_000_000, 0
        for code, value in self._options(held, at + 16, end - 4):
            if code == OPTION_TIME_RESOLUTION and len(value) >= 1:
                power = value[0] & 0x7F
                ticks = 1 << power if value[0] & 0x80 else 10 ** min(power, 30)
            elif code == OPTION_TIME_OFFSET and len(value) == 8:
                offset = struct.unpack(self._order + "q", value)[0]
        self._add_interface(Interface(link_type, snap_length, ticks, offset))

    def _add_interface(self, interface: Interface) -> None:
        self._interfaces.append(interface)
        self._link_types.append(interface.link_type)
        self._units.append(0 if interface.offset else _UNITS.get(interface.ticks, 0))

    def _options(self, held: bytes, at: int, end: int) -> list[tuple[int, bytes]]:
        found = []
        while end - at >= 4:
            code, length = struct.unpack_from(self._order + "HH", held, at)
            if code == OPTION_END or at + 4 + length > end:
                break
            found.append((code, held[at + 4 : at + 4 + length]))
            at += 4 + (length + 3 & ~3)
        return found

    def _read_enhanced(
        self, held: bytes, at: int, end: int, events: list[PcapngEvent], cut: bool
    ) -> None:  # fmt: skip
        if end - at < 32:
            self._short_block(at, events)
            return
        number, high, low, captured, original = struct.unpack_from(self._enhanced, held, at + 8)
        body = self._body(held, at, end, captured, events, cut)
        self._add_packet(number, high << 32 | low, body, original, at, events)

    def _read_old(self, held: bytes, at: int, end: int, events: list[PcapngEvent], cut: bool) -> None:
        if end - at < 32:
            self._short_block(at, events)
            return
        number, _, high, low, captured, original = struct.unpack_from(self._order + "HHIIII", held, at + 8)
        body = self._body(held, at, end, captured, events, cut)
        self._add_packet(number, high << 32 | low, body, original, at, events)

    def _body(self, held: bytes, at: int, end: int, captured: int, events: list[PcapngEvent], cut: bool) -> bytes:
        body = held[at + 28 : end - 4]
        if captured > len(body) and not cut:
            text = "a packet is longer than its block"
            events.append(Problem("capture_damaged", text, self._number + 1, self._offset + at))
        return body[:captured]

    def _read_simple(self, held: bytes, at: int, end: int, events: list[PcapngEvent]) -> None:
        """A simple packet block has no time and no captured length: that is the lesser of snap and original length."""
        if end - at < 16:
            self._short_block(at, events)
            return
        original = struct.unpack_from(self._two, held, at + 4)[1]
        captured = min(original, end - at - 16)
        if self._interfaces and self._interfaces[0].snap_length:
            captured = min(captured, self._interfaces[0].snap_length)
        self._add_packet(0, None, held[at + 12 : at + 12 + captured], original, at, events, 12)

    def _add_packet(
        self,
        number: int,
        ticks: int | None,
        data: bytes,
        original: int,
        at: int,
        events: list[PcapngEvent],
        header: int = 28,
    ) -> None:
        self._number += 1
        if self._positions is not None:
            self._positions.append(self._offset + at + header)
        if number >= len(self._interfaces):
            text = f"a packet of interface {number}, which is not described"
            events.append(Problem("capture_damaged", text, self._number, self._offset + at))
            return
        interface = self._interfaces[number]
        time = None
        if ticks is not None:
            time = ticks * 1_000_000_000 // interface.ticks + interface.offset * 1_000_000_000
        events.append(Packet(self._number, time, interface.link_type, data, original))

    def _short_block(self, at: int, events: list[PcapngEvent]) -> None:
        events.append(
            Problem("capture_damaged", "a block is too short for its type", self._number or None, self._offset + at)
        )
