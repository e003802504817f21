"""IPv4 (RFC 791) and IPv6 (RFC 8200): header chains and fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector import limits
from inspector.model.make_cy import make
from inspector.model.packet import Datagram
from inspector.net.link_cy import IPV4

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython


TCP = 6
FRAGMENT = 44
AUTHENTICATION = 51
# Hop-by-hop, routing, destination options, mobility, HIP, shim6: a length in units of 8 bytes, the first not counted.
_OPTION_HEADERS = frozenset((0, 43, 60, 135, 139, 140))


class _Fragments:
    """A datagram in reassembly: its bytes, which of them are there (one bit for each 8 bytes), and its length once the
    last piece is there. The first copy of a byte is the one that counts."""

    __slots__ = ("data", "have", "length", "whole")

    def __init__(self) -> None:
        self.data = bytearray()
        self.have = 0
        self.length: int | None = None
        self.whole = False

    def add(self, offset: int, data: bytes, last: bool) -> bytes | None:
        """The whole payload, once it is all there."""
        if not last:
            data = data[: len(data) & ~7]
        first, count = offset >> 3, (len(data) + 7) >> 3
        piece = ((1 << count) - 1) << first
        self.data.extend(bytes(max(0, (first + count) * 8 - len(self.data))))
        if piece & self.have:
            for unit in range(count):
                if not self.have >> (first + unit) & 1:
                    self._put(offset + unit * 8, data[unit * 8 : unit * 8 + 8])
        else:
            self._put(offset, data)
        self.have |= piece
        if last and self.length is None:
            self.length = offset + len(data)
        if self.length is None or ~self.have & ((1 << (self.length + 7 >> 3)) - 1):
            return None
        self.whole = True
        return bytes(self.data[: self.length])

    def holds(self, offset: int, data: bytes) -> bool:
        return self.data[offset : offset + len(data)] == data

    def _put(self, offset: int, data: bytes) -> None:
        self.data[offset : offset + len(data)] = data


@cython.final
@cython.cclass
class IpLayer:
    """IP packets -> payloads of datagrams, fragments put together.

    `lost_fragments` counts datagrams of which some fragments were seen, but never all within the limit.
    """

    lost_fragments = cython.declare(cython.longlong, visibility="readonly")
    _fragmented: dict[tuple[bytes, int, int], _Fragments]

    def __init__(self) -> None:
        self._fragmented = {}
        self.lost_fragments = 0

    def feed(self, ethertype: int, data: bytes, at: int) -> Datagram | None:
        """The datagram that is complete with this packet, whose IP header begins at `at`; None where none is."""
        if ethertype == IPV4:
            return self._ipv4(data, at)
        return self._ipv6(data, at)

    def close(self) -> None:
        """The end of the capture: what is still in pieces is lost."""
        self.lost_fragments += sum(not pieces.whole for pieces in self._fragmented.values())
        self._fragmented.clear()

    @cython.cfunc
    def _ipv4(self, data: bytes, at: cython.Py_ssize_t) -> Datagram | None:
        size: cython.Py_ssize_t = len(data)
        if size - at < 20 or data[at] >> 4 != 4:
            return None
        header: cython.Py_ssize_t = (data[at] & 15) * 4
        total: cython.Py_ssize_t = data[at + 2] << 8 | data[at + 3]
        if not total:  # "whatever was captured", where the network card splits segments (TSO)
            total = size - at
        if header < 20 or total < header:
            return None
        end: cython.Py_ssize_t = min(at + total, size)
        start: cython.Py_ssize_t = min(at + header, end)
        missing: cython.Py_ssize_t = at + total - end
        addresses = data[at + 12 : at + 20]
        flags: cython.int = data[at + 6] << 8 | data[at + 7]
        if flags & 0x3FFF:
            identity = data[at + 4] << 8 | data[at + 5]
            more = bool(flags & 0x2000)
            payload = data[start:end]
            offset = (flags & 0x1FFF) * 8
            whole = self._fragment((addresses, identity, data[at + 9]), offset, payload, more, missing)
            return None if whole is None else Datagram(addresses, data[at + 9], whole, 0, len(whole), 0)
        return make(Datagram, (addresses, data[at + 9], data, start, end, missing))

    @cython.cfunc
    def _ipv6(self, data: bytes, at: int) -> Datagram | None:
        size = len(data)
        if size - at < 40 or data[at] >> 4 != 6:
            return None
        length = (data[at + 4] << 8 | data[at + 5]) or size - at - 40
        addresses = data[at + 8 : at + 40]
        protocol = data[at + 6]
        end = min(at + 40 + length, size)
        return self._chain(Datagram(addresses, protocol, data, at + 40, end, at + 40 + length - end))

    def _chain(self, datagram: Datagram) -> Datagram | None:
        """Follows IPv6 extension headers to what they precede."""
        addresses, protocol, data, at, end, missing = datagram
        for _ in range(limits.MAX_IPV6_EXTENSIONS):
            if end - at < 8:
                break
            if protocol in _OPTION_HEADERS:
                protocol, at = data[at], at + 8 * (data[at + 1] + 1)
            elif protocol == AUTHENTICATION:
                protocol, at = data[at], at + 4 * (data[at + 1] + 2)
            elif protocol == FRAGMENT:
                offset = data[at + 2] << 8 | data[at + 3]
                if not offset & ~6:  # an atomic fragment (RFC 6946)
                    protocol, at = data[at], at + 8
                    continue
                key = addresses, int.from_bytes(data[at + 4 : at + 8], "big"), data[at]
                whole = self._fragment(key, offset & ~7, data[at + 8 : end], bool(offset & 1), missing)
                if whole is None:
                    return None
                protocol, data, at, end, missing = key[2], whole, 0, len(whole), 0
            else:
                break
        return Datagram(addresses, protocol, data, at, end, missing) if at <= end else None

    def _fragment(
        self, key: tuple[bytes, int, int], offset: int, data: bytes, more: bool, missing: int
    ) -> bytes | None:
        """Adds a piece to the datagram that `key` (addresses, identification, protocol) names; the whole, if it is.

        One that is whole is remembered for a while: a copy of a piece of it does not begin another one.
        """
        if offset + len(data) > limits.MAX_DATAGRAM:
            return None
        pieces = self._fragmented.get(key)
        if pieces is not None and pieces.whole and not pieces.holds(offset, data):
            del self._fragmented[key]  # the identification is used again
            pieces = None
        if pieces is None:
            while len(self._fragmented) >= limits.MAX_FRAGMENTED:
                oldest = self._fragmented.pop(next(iter(self._fragmented)))
                self.lost_fragments += not oldest.whole
            pieces = self._fragmented[key] = _Fragments()
        if missing or pieces.whole:
            return None
        return pieces.add(offset, data, not more)
