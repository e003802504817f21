"""Ethernet, IPv4 or IPv6, and TCP read in one go, where nothing about them is out of the ordinary.

Nearly all packets are of this kind, and going through the layers (`link_cy`, `ip_cy`, `tcp_cy`) costs three times as
much. What it reads is what the layers read (a test holds it to that); whatever else there is, it leaves to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector.model.make_cy import make
from inspector.model.packet import Packet, Segment

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython


def read_segment(packet: Packet) -> Segment | None:
    """The TCP segment in an Ethernet frame with an IPv4 header without options or an IPv6 header without extensions,
    whole and not fragmented; None for anything else."""
    data: bytes
    link_type: cython.int
    number, time, link_type, data, _ = cython.cast(tuple, packet)
    size: cython.Py_ssize_t = len(data)
    if link_type != 1 or size < 54:
        return None
    at: cython.Py_ssize_t  # of the TCP header
    end: cython.Py_ssize_t
    if data[12] == 0x08 and data[13] == 0x00 and data[14] == 0x45 and data[23] == 6:
        end = 14 + (data[16] << 8 | data[17])
        at = 34
        if (data[20] & 0x3F) != 0 or data[21] != 0:
            return None  # a fragment
        flow = _cut(data, 26, 38)  # addresses and ports stand side by side, where no options come between
    elif data[12] == 0x86 and data[13] == 0xDD and data[14] >> 4 == 6 and data[20] == 6 and size >= 74:
        end = 54 + (data[18] << 8 | data[19])
        at = 54
        flow = _cut(data, 22, 58)
    else:
        return None
    if end > size or end - at < 20:
        return None
    body: cython.Py_ssize_t = at + (data[at + 12] >> 4) * 4
    if body < at + 20 or body > end:
        return None
    seq: cython.longlong = _number(data, at + 4)
    ack: cython.longlong = _number(data, at + 8)
    return make(Segment, (number, time, flow, seq, ack, data[at + 13], _cut(data, body, end), 0))


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
