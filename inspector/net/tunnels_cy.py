"""Packets that carry packets: overlay networks of clusters and data centres, mirrored ports.

IP in IP (RFC 2003, RFC 4213), GRE (RFC 2784, RFC 2890), ERSPAN in GRE (draft-foschiano-erspan), VXLAN (RFC 7348) and
Geneve (RFC 8926) over UDP. What is in them is read as if it had been captured by itself: the same segment in a tunnel
and outside of it, as a capture of all interfaces of a host has it, counts once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector import limits
from inspector.model.packet import Datagram
from inspector.net.ip_cy import TCP, IpLayer
from inspector.net.link_cy import IPV4, IPV6, after_ethertype, ethernet

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

_IPV4_IN_IP, _UDP, _IPV6_IN_IP, _GRE = 4, 17, 41, 47

VXLAN_PORTS = frozenset((4789, 8472))
"""That of IANA, and the one that Linux took before there was one."""

GENEVE_PORT = 6081

_ERSPAN_2, _ERSPAN_3 = 0x88BE, 0x22EB
_CHECKSUM, _ROUTING, _KEY, _SEQUENCE, _VERSION = 0x8000, 0x4000, 0x2000, 0x1000, 0x0007


def innermost(ip: IpLayer, datagram: Datagram | None) -> Datagram | None:
    """What a datagram carries, through tunnels in tunnels: itself where it is none. None where what it carries is not
    whole yet, or not IP as `ip` reads it."""
    for _ in range(limits.MAX_TUNNELS):
        if datagram is None or datagram.protocol == TCP:
            break
        ethertype, at = inner(datagram)
        if not ethertype:
            break
        datagram = ip.feed(ethertype, datagram.data, at)
    return datagram


def inner(datagram: Datagram) -> tuple[int, int]:
    """EtherType of the IP packet that a datagram carries, and where in its data that begins. (0, 0) where it carries
    none."""
    protocol: cython.int = datagram.protocol
    at: cython.Py_ssize_t = datagram.start
    data = datagram.data
    if protocol == _UDP:
        return _udp(data, at)
    if protocol == _GRE:
        return _gre(data, at)
    if protocol == _IPV4_IN_IP:
        return IPV4, at
    if protocol == _IPV6_IN_IP:
        return IPV6, at
    return 0, 0


def _udp(data: bytes, at: cython.Py_ssize_t) -> tuple[int, int]:
    if len(data) < at + 16:
        return 0, 0
    port: cython.int = data[at + 2] << 8 | data[at + 3]
    at += 8
    if port in VXLAN_PORTS and data[at] & 0x08:  # the flag that there is a network identifier
        return ethernet(data, at + 8)
    if port == GENEVE_PORT and not data[at] >> 6:
        return after_ethertype(data, at + 2, at + 8 + 4 * (data[at] & 0x3F))
    return 0, 0


def _gre(data: bytes, at: cython.Py_ssize_t) -> tuple[int, int]:
    if len(data) < at + 4:
        return 0, 0
    flags: cython.int = data[at] << 8 | data[at + 1]
    if flags & (_ROUTING | _VERSION):  # source routes, which nobody sends, and PPTP
        return 0, 0
    start: cython.Py_ssize_t = at + 4 + 4 * (bool(flags & _CHECKSUM) + bool(flags & _KEY) + bool(flags & _SEQUENCE))
    kind: cython.int = data[at + 2] << 8 | data[at + 3]
    if kind == _ERSPAN_2:  # type I has neither a sequence number nor a header of its own
        return ethernet(data, start + 8 if flags & _SEQUENCE else start)
    if kind == _ERSPAN_3:
        has_more = len(data) > start + 11 and data[start + 11] & 1
        return ethernet(data, start + (20 if has_more else 12))
    return after_ethertype(data, at + 2, start)
