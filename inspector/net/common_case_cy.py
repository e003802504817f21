"""Ethernet, IPv4 or IPv6, and TCP read in one go, where nothing about them is out of the ordinary.

Nearly all packets are of this kind, and going through the layers (`link_cy`, `ip_cy`, `tcp_cy`) costs three times as
much. What it reads is what the layers read (a test holds it to that); whatever else there is, it leaves to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython


@cython.final
@cython.cclass
class SegmentReader:
    """Reads the headers of one packet after another: `flow` to `flags` are those of a `Segment`, whose data stand from
    `start` to `end` of the packet's."""

    def __init__(self) -> None:
        self.flow: bytes = b""
        self.seq = 0
        self.ack = 0
        self.flags = 0
        self.start = 0
        self.end = 0

    @cython.ccall
    def read(self, link_type: cython.int, data: bytes) -> cython.bint:
        """Whether `data` is a TCP segment in an Ethernet frame with an IPv4 header without options or an IPv6 header
        without extensions, whole and not fragmented."""
        size: cython.Py_ssize_t = len(data)
        if link_type != 1 or size < 54:
            return False
        at: cython.Py_ssize_t  # of the TCP header
        end: cython.Py_ssize_t
        if data[12] == 0x08 and data[13] == 0x00 and data[14] == 0x45 and data[23] == 6:
            end = 14 + (data[16] << 8 | data[17])
            at = 34
            if (data[20] & 0x3F) != 0 or data[21] != 0:
                return False  # a fragment
        elif data[12] == 0x86 and data[13] == 0xDD and data[14] >> 4 == 6 and data[20] == 6 and size >= 74:
            end = 54 + (data[18] << 8 | data[19])
            at = 54
        else:
            return False
        if end > size or end - at < 20:
            return False
        body: cython.Py_ssize_t = at + (data[at + 12] >> 4) * 4
        if body < at + 20 or body > end:
            return False
        # Addresses and ports stand side by side, where no options come between.
        self.flow = _cut(data, 26, 38) if at == 34 else _cut(data, 22, 58)
        self.seq = _number(data, at + 4)
        self.ack = _number(data, at + 8)
        self.flags = data[at + 13]
        self.start = body
        self.end = end
        return True


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _number(data: bytes, at: cython.Py_ssize_t) -> cython.longlong:
    high: cython.longlong = data[at]
    return high << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]


@cython.cfunc
@cython.inline
def _cut(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> bytes:
    """`data[start:end]` without a slice object, which takes twice as long as the copy."""
    if start < 0 or end < start or end > len(data):
        raise IndexError("out of bounds")
    octets: cython.p_char = data
    return octets[start:end]
