"""Link layers: where the IP packet begins in a captured frame (LINKTYPE_ values of tcpdump.org)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector import limits

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

IPV4 = 0x0800
IPV6 = 0x86DD
VLAN_TAGS = frozenset((0x8100, 0x88A8, 0x9100, 0x9200))
"""EtherTypes of 802.1Q, 802.1ad (QinQ) and its forerunners: four bytes, the last two an EtherType again."""

BRIDGED = 0x6558
"""What GRE and Geneve call an Ethernet frame (RFC 1701, "transparent Ethernet bridging")."""

_MPLS = frozenset((0x8847, 0x8848))
_PPPOE_SESSION = 0x8864
_PPP_PROTOCOLS = {0x0021: IPV4, 0x0057: IPV6}

NULL = 0
ETHERNET = 1
RAW_TYPES = frozenset((12, 14, 101, 228, 229))
LOOP = 108
LINUX_SLL = 113
LINUX_SLL2 = 276
PKTAP_TYPES = frozenset((149, 258))
"""What macOS captures from several interfaces (DLT_PKTAP, and the number given to it later): a header that tells the
link type of the frame behind it."""

# link type -> offset of the EtherType, length of the header
_HEADERS = {ETHERNET: (12, 14), LINUX_SLL: (14, 16), LINUX_SLL2: (0, 20)}

# The protocol families that systems give IPv6 in BSD loopback headers (Linux 10, BSDs 24 and 28, Darwin 30).
_FAMILIES = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}

SUPPORTED = frozenset((NULL, LOOP, *_HEADERS, *RAW_TYPES, *PKTAP_TYPES))


_ETHERNET = cython.declare(cython.int, ETHERNET)
_ETHERNET_IPV4 = (IPV4, 14)
_ETHERNET_IPV6 = (IPV6, 14)


def network_layer(link_type: cython.int, data: bytes) -> tuple[int, int]:
    """EtherType of what the frame carries, and the offset where that begins. (0, 0) where it is not IP."""
    if link_type == _ETHERNET and len(data) > 14:  # the common case, put first for speed
        if data[12] == 0x08 and data[13] == 0x00:
            return _ETHERNET_IPV4
        if data[12] == 0x86 and data[13] == 0xDD:
            return _ETHERNET_IPV6
    return _frame(link_type, data, 0)


def ethernet(data: bytes, at: cython.Py_ssize_t) -> tuple[int, int]:
    """The same of an Ethernet frame that begins at `at`."""
    return after_ethertype(data, at + 12, at + 14)


def after_ethertype(data: bytes, at: cython.Py_ssize_t, start: cython.Py_ssize_t) -> tuple[int, int]:
    """The same where an EtherType stands at `at`, and what it is of at `start`: VLAN tags, MPLS labels and PPPoE are
    passed over."""
    size: cython.Py_ssize_t = len(data)
    for _ in range(limits.MAX_LINK_HEADERS + 1):
        if size < start:
            return 0, 0
        kind: cython.int = data[at] << 8 | data[at + 1]
        if kind in (IPV4, IPV6):
            return kind, start
        if kind in VLAN_TAGS:
            at, start = start + 2, start + 4
        elif kind == BRIDGED:
            at, start = start + 12, start + 14
        elif kind in _MPLS:
            start = _after_labels(data, start)
            if start >= size or data[start] >> 4:
                return _by_version(data, start)
            at, start = start + 16, start + 18  # a control word (RFC 4385), and an Ethernet frame
        elif kind == _PPPOE_SESSION:
            if size < start + 8:
                return 0, 0
            kind = _PPP_PROTOCOLS.get(data[start + 6] << 8 | data[start + 7], 0)
            return kind, start + 8 if kind else 0
        else:
            break
    return 0, 0


def _after_labels(data: bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Where a stack of MPLS labels ends (RFC 3032), or the data."""
    size: cython.Py_ssize_t = len(data)
    for _ in range(limits.MAX_LINK_HEADERS):
        if at + 4 > size:
            return size
        at += 4
        if data[at - 2] & 1:
            return at
    return size


def _frame(link_type: int, data: bytes, at: int) -> tuple[int, int]:
    header = _HEADERS.get(link_type)
    if header is not None:
        return after_ethertype(data, at + header[0], at + header[1])
    if link_type in RAW_TYPES:
        return _by_version(data, at)
    if link_type in (NULL, LOOP) and len(data) > at + 4:
        # LOOP is in network byte order, NULL in that of the machine that captured; families are below 256.
        family = data[at] or data[at + 3]
        return (_FAMILIES[family], at + 4) if family in _FAMILIES else (0, 0)
    if link_type in PKTAP_TYPES and len(data) >= 12:
        length, inner = (int.from_bytes(data[place : place + 4], "little") for place in (0, 8))
        return _frame(inner, data, length) if length >= 12 and inner not in PKTAP_TYPES else (0, 0)
    return 0, 0


def _by_version(data: bytes, at: int) -> tuple[int, int]:
    kind = {4: IPV4, 6: IPV6}.get(data[at] >> 4) if at < len(data) else None
    return (kind, at) if kind else (0, 0)
