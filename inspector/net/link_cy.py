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

NULL = 0
ETHERNET = 1
RAW_TYPES = frozenset((12, 14, 101, 228, 229))
LOOP = 108
LINUX_SLL = 113
LINUX_SLL2 = 276

# link type -> offset of the EtherType, length of the header
_HEADERS = {ETHERNET: (12, 14), LINUX_SLL: (14, 16), LINUX_SLL2: (0, 20)}

# The protocol families that systems give IPv6 in BSD loopback headers (Linux 10, BSDs 24 and 28, Darwin 30).
_FAMILIES = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}

SUPPORTED = frozenset((NULL, LOOP, *_HEADERS, *RAW_TYPES))


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
    header = _HEADERS.get(link_type)
    if header is not None:
        return _after_ethertype(data, *header)
    if link_type in RAW_TYPES:
        return _by_version(data), 0
    if link_type in (NULL, LOOP) and len(data) > 4:
        # LOOP is in network byte order, NULL in that of the machine that captured; families are below 256.
        family = data[0] or data[3]
        return (_FAMILIES[family], 4) if family in _FAMILIES else (0, 0)
    return 0, 0


def _after_ethertype(data: bytes, at: int, length: int) -> tuple[int, int]:
    for _ in range(limits.MAX_LINK_HEADERS + 1):
        if len(data) < length:
            return 0, 0
        kind = data[at] << 8 | data[at + 1]
        if kind not in VLAN_TAGS:
            return (kind, length) if kind in (IPV4, IPV6) else (0, 0)
        at, length = length + 2, length + 4
    return 0, 0


def _by_version(data: bytes) -> int:
    version = data[0] >> 4 if data else 0
    return {4: IPV4, 6: IPV6}.get(version, 0)
