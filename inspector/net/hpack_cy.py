"""HPACK: header blocks to header fields (RFC 7541), also where the start of the stream is missing.

The invariant: a field is reported as the encoder meant it, or as None where it rests on bytes that were not seen;
never as something else. What makes this possible is that dynamic table indices count from the newest entry. Whatever
the capacity of the encoder's table, its content is a prefix of the history of insertions, newest first: eviction takes
from the far end only, and an entry larger than the table (RFC 7541, 4.4) takes everything, itself included, which is
the prefix of length zero. Later insertions push on in front of it as if it were there, and an encoder does not refer
to what it has evicted. So a decoder that keeps too much is right about every index an encoder can send, and needs
the capacity for two things only: to know that an index beyond the history is an error, and to bound its memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector.errors import DecodeError
from inspector.limits import MAX_HEADER_LIST, MAX_HPACK_TABLE
from inspector.model.call import Header
from inspector.net.hpack_tables import CODE_LENGTHS, END_OF_STRING, STATIC_TABLE

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

# What `declare` makes at module level are C variables: Python code outside sees them only where it is interpreted.

DEFAULT_TABLE_SIZE = 4096
"""Capacity of the dynamic table until the encoder changes it (RFC 9113, 6.5.2: SETTINGS_HEADER_TABLE_SIZE)."""

_OVERHEAD = cython.declare(cython.Py_ssize_t, 32)
"""Octets that an entry counts besides its name and value (RFC 7541, 4.1): no entry is smaller."""

_MAX_INTEGER = cython.declare(cython.Py_ssize_t, 0x7FFF_FFFF)
_MAX_SHIFT = cython.declare(cython.Py_ssize_t, 35)
"""RFC 7541, 5.1 leaves the limits of integers open. Six octets after the prefix leave room for padding with zeros."""

_UNKNOWN = cython.declare(cython.Py_ssize_t, -1)

_FIELDS = cython.declare(cython.Py_ssize_t, MAX_HEADER_LIST)
_TABLE = cython.declare(cython.Py_ssize_t, MAX_HPACK_TABLE)
_SHORT = cython.declare(cython.Py_ssize_t, 24)
"""Octets of a block that is worth to be remembered; longer ones have ids in them, or come once."""
_MOST_KNOWN = cython.declare(cython.Py_ssize_t, 16)
_LONGEST_KEPT = cython.declare(cython.Py_ssize_t, 256)
_STATIC_COUNT = cython.declare(cython.Py_ssize_t, len(STATIC_TABLE))


class HpackError(DecodeError):
    """A damaged header block. `partial` holds the fields that came before the damage."""

    def __init__(self, message: str, *, code: str, offset: int, partial: list[Header]) -> None:
        super().__init__(message, code=code, offset=offset)
        self.partial = partial


# --- the Huffman code (RFC 7541, 5.2 and Appendix B) --------------------------------------------------------------
#
# Codes of up to 8 bits (all letters, digits and common marks) are looked up by the next 8 bits. For longer ones it is
# used that the code is canonical: among codes padded to 30 bits, those of one length are a range, ranges go up with
# the length, and within a range the code counts up with the position in the order of (length, symbol).

_ONES = cython.declare(cython.Py_ssize_t, (1 << 30) - 1)
# (a name, because Cython takes a literal of more than 32 bits for a Python object)
_FORTY_BITS = cython.declare(cython.Py_ssize_t, (1 << 40) - 1)
_END_OF_STRING = cython.declare(cython.Py_ssize_t, END_OF_STRING)


def _code_order() -> list[int]:
    return sorted(range(len(CODE_LENGTHS)), key=lambda symbol: (CODE_LENGTHS[symbol], symbol))


def _short_codes() -> tuple[bytes, bytes]:
    """By the next eight bits: the symbol, and the length of its code, or 0 where the code is longer."""
    symbols, lengths = bytearray(), bytearray()
    for symbol in _code_order():
        if CODE_LENGTHS[symbol] <= 8:
            span = 1 << (8 - CODE_LENGTHS[symbol])
            symbols += bytes([symbol]) * span
            lengths += bytes([CODE_LENGTHS[symbol]]) * span
    return bytes(symbols.ljust(256, b"\0")), bytes(lengths.ljust(256, b"\0"))


def _long_codes() -> list[tuple[int, int, int]]:
    """For each length over eight: the length, the end of its range of 30-bit windows, and code to position."""
    ranges: dict[int, tuple[int, int, int]] = {}
    window = 0
    for position, symbol in enumerate(_code_order()):
        length = CODE_LENGTHS[symbol]
        _, _, shift = ranges.get(length, (0, 0, position - (window >> (30 - length))))
        window += 1 << (30 - length)
        ranges[length] = (length, window, shift)
    return [ranges[length] for length in sorted(ranges) if length > 8]


_SHORT_SYMBOLS = cython.declare(bytes, _short_codes()[0])
_SHORT_LENGTHS = cython.declare(bytes, _short_codes()[1])
_LONG_LENGTHS = cython.declare(list, [length for length, _, _ in _long_codes()])
_LONG_ENDS = cython.declare(list, [end for _, end, _ in _long_codes()])
_LONG_SHIFTS = cython.declare(list, [shift for _, _, shift in _long_codes()])
_ORDER = cython.declare(list, _code_order())


# --- the tables (RFC 7541, 2.3 and 4) ----------------------------------------------------------------------------


@cython.final
@cython.cclass
class Entry:
    """A table entry. The sizes count octets and are lower bounds where the name is unknown. `is_used` where a block
    referred to it."""

    field: tuple[str | None, str | None]
    name_size: cython.Py_ssize_t
    size: cython.Py_ssize_t
    is_used: cython.bint

    def __init__(
        self, field: tuple[str | None, str | None], name_size: cython.Py_ssize_t, size: cython.Py_ssize_t
    ) -> None:
        self.field = field
        self.name_size = name_size
        self.size = size
        self.is_used = False


_STATIC = cython.declare(
    list, [Entry(field, len(field[0]), len(field[0]) + len(field[1]) + 32) for field in STATIC_TABLE]
)
_UNSEEN = cython.declare(Entry, Entry((None, None), 0, 32))


@cython.final
@cython.cclass
class HpackDecoder:
    """Decodes the header blocks of one direction of a connection, in their order.

    `from_start=False` is for a stream that is joined in the middle. `unknown` counts the fields of the last block of
    which the name or the value is None; `truncated` says that fields of it were dropped: it held more than
    limits.MAX_HEADER_LIST (counted as in RFC 9113, 6.5.2: 32 octets and the name and the value, for each field).

    Fields are octets; their text here has a character for each (Latin-1), so that nothing is lost. `has_octets` tells
    that some so far were not ASCII, or had a zero byte, so that what they mean has to be looked at.
    """

    def __init__(self, *, from_start: bool = True) -> None:
        self.unknown = 0
        self.truncated = False
        self.has_octets = False
        # The block that is being decoded.
        self._block: bytes = b""
        self._start = 0
        self._end = 0
        self._at = 0
        self._fields: list[Header] = []
        self._room = 0  # what is left of limits.MAX_HEADER_LIST
        self._octets = 0  # length of the last string, decoded but not yet text
        self._scratch: bytearray = bytearray()
        # The dynamic table: its newest entry is the last one, those before _first are gone.
        self._entries: list[Entry] = []
        self._first = 0
        self._held = 0  # the sum of their sizes
        self._capacity = _UNKNOWN  # of the encoder's table
        self._limit = _UNKNOWN  # to the capacity
        self._complete = False  # the encoder's table holds nothing that is not in _entries
        # Short blocks that were decoded since the table changed the last time, and their fields: those of responses
        # and trailers are mostly the same from call to call.
        self._known: dict[bytes, tuple[Header, ...]] = {}
        self._changes = 0
        # Fields that were used and then evicted: when they come again they are the same objects, so that whoever
        # looks them up or compares them need not look into them.
        self._kept: dict[Header, Header] = {}
        if from_start:
            self._capacity = self._limit = DEFAULT_TABLE_SIZE
            self._complete = True

    def decode(self, block: bytes) -> list[Header]:
        """The fields of a block as (name, value): both None where the entry referred to was not seen, the name alone
        where a literal borrows it from there.

        Octets become text as UTF-8, or as Latin-1 where they are not valid UTF-8.

        Raises HpackError (codes `hpack_index`, `hpack_integer`, `hpack_huffman`, `hpack_table_size`,
        `hpack_truncated`) for damage. The table cannot be relied upon after that, and is forgotten.
        """
        return [*self.decode_part(block, 0, len(block))]

    @cython.cfunc
    def decode_part(self, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> tuple[Header, ...]:
        """The same of a block that stands within other bytes, from `start` to `end`."""
        if start < 0 or end < start or end > len(data):
            raise IndexError("out of bounds")
        self.unknown = 0
        self.truncated = False
        fields: tuple[Header, ...] | None
        if end - start > _SHORT:
            return self._decode(data, start, end)
        block: bytes = _cut(data, start, end)
        fields = self._known.get(block)
        if fields is None:
            changes: cython.longlong = self._changes
            fields = self._decode(data, start, end)
            if changes == self._changes and not (self.unknown or self.truncated) and len(self._known) < _MOST_KNOWN:
                self._known[block] = fields
        return fields

    @cython.cfunc
    def _decode(self, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> tuple[Header, ...]:
        self._block = data
        self._start = self._at = start
        self._end = end
        self._fields = []
        self._room = _FIELDS
        octets: cython.p_uchar = data
        octet: cython.Py_ssize_t
        while self._at < end:
            octet = octets[self._at]
            if 0x80 < octet < 0xFF:  # the common case, put first for speed: an index in one octet
                self._at += 1
                self._emit(self._entry(octet & 0x7F))
            else:
                self._representation(octet)
        return tuple(self._release())

    @cython.cfunc
    def _change(self) -> None:
        """The table is about to change: what blocks said before does not hold any more."""
        self._changes += 1
        if self._known:
            self._known.clear()

    def forget(self) -> None:
        """Bytes of the stream were lost: any number of entries may have come in between, and the capacity may be
        another one. A limit that is still in force has to be told again."""
        self._change()
        self._entries = []
        self._first = 0
        self._held = 0
        self._capacity = _UNKNOWN
        self._limit = _UNKNOWN
        self._complete = False

    def limit_table(self, size: int) -> None:
        """The peer's SETTINGS_HEADER_TABLE_SIZE, in force from the next block on: the encoder acknowledged it.

        It bounds what the encoder may choose; the table itself changes by an update in the stream (RFC 7541, 4.2).
        """
        self._limit = size

    # --- representations (RFC 7541, 6) ---------------------------------------------------------------------------

    @cython.cfunc
    def _representation(self, octet: cython.Py_ssize_t) -> None:
        if octet & 0x80:
            self._indexed()
        elif octet & 0x40:
            entry: Entry = self._literal(0x3F)
            self._insert(entry)
            self._emit(entry)
        elif octet & 0x20:
            self._resize()
        else:  # without indexing, or never indexed
            self._emit(self._literal(0x0F))

    @cython.cfunc
    def _indexed(self) -> None:
        entry: Entry = self._entry(self._integer(0x7F))
        self._emit(entry)

    @cython.cfunc
    def _literal(self, prefix: cython.Py_ssize_t) -> Entry:
        index: cython.Py_ssize_t = self._integer(prefix)
        name: str | None
        name_size: cython.Py_ssize_t
        if index:
            named: Entry = self._entry(index)
            name, name_size = named.field[0], named.name_size
        else:
            name = self._string()
            name_size = self._octets
        value: str = self._string()
        return Entry((name, value), name_size, _OVERHEAD + name_size + self._octets)

    @cython.cfunc
    def _resize(self) -> None:
        if self._fields or self.truncated:
            raise self._damaged("hpack_table_size", "dynamic table size update after a header field (RFC 7541, 4.2)")
        self._change()
        size: cython.Py_ssize_t = self._integer(0x1F)
        if self._limit != _UNKNOWN and size > self._limit:
            raise self._damaged("hpack_table_size", f"dynamic table size {size} is over the limit {self._limit}")
        self._capacity = size
        self._evict()

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.wraparound(False)
    def _emit(self, entry: Entry) -> None:
        self._room -= entry.size
        if self._room < 0:
            self.truncated = True
            return
        if entry.field[0] is None:
            self.unknown += 1
        self._fields.append(entry.field)

    # --- the dynamic table (RFC 7541, 4) -------------------------------------------------------------------------

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.wraparound(False)
    def _entry(self, index: cython.Py_ssize_t) -> Entry:
        """The entry at an index (RFC 7541, 2.3.3: the static table comes first)."""
        entry: Entry
        if 0 < index <= _STATIC_COUNT:
            return cython.cast(Entry, _STATIC[index - 1])
        position: cython.Py_ssize_t = len(self._entries) - (index - _STATIC_COUNT)
        if index and position >= self._first:
            entry = cython.cast(Entry, self._entries[position])
            entry.is_used = True
            return entry
        if index == 0 or self._complete:
            raise self._damaged("hpack_index", f"index {index} is beyond the table")
        return _UNSEEN

    @cython.cfunc
    def _insert(self, entry: Entry) -> None:
        self._change()
        if self._kept:
            entry.field = self._kept.get(entry.field, entry.field)
        self._entries.append(entry)
        self._held += entry.size
        self._evict()

    @cython.cfunc
    def _evict(self) -> None:
        """Drops what the encoder's table cannot hold any more, or what is too much for us.

        A stream that was joined late becomes completely known here: when the entries seen leave no room in the
        capacity for an older one.
        """
        if self._capacity != _UNKNOWN and self._held + _OVERHEAD > self._capacity:
            self._complete = True
        bound: cython.Py_ssize_t = self._capacity
        if bound == _UNKNOWN or bound > _TABLE:
            bound = _TABLE
            if self._held > bound:
                self._complete = False
        while self._held > bound:
            oldest: Entry = self._entries[self._first]
            if oldest.is_used and oldest.size <= _LONGEST_KEPT:
                if len(self._kept) >= _MOST_KNOWN:
                    self._kept.clear()
                self._kept[oldest.field] = oldest.field
            self._held -= oldest.size
            self._first += 1
        if self._first > 32 and self._first * 2 > len(self._entries):  # seldom, so that the cost per entry is constant
            del self._entries[: self._first]
            self._first = 0

    # --- primitives (RFC 7541, 5) --------------------------------------------------------------------------------

    @cython.cfunc
    def _integer(self, prefix: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """RFC 7541, 5.1. `prefix` is the mask of the bits that belong to the integer in its first octet."""
        block: bytes = self._block
        at: cython.Py_ssize_t = self._at
        if at >= self._end:
            raise self._damaged("hpack_truncated", "the block ends before an integer")
        value: cython.Py_ssize_t = block[at] & prefix
        self._at = at + 1
        if value < prefix:
            return value
        return self._long_integer(value)

    @cython.cfunc
    def _long_integer(self, value: cython.Py_ssize_t) -> cython.Py_ssize_t:
        block: bytes = self._block
        octet: cython.Py_ssize_t = 0x80
        shift: cython.Py_ssize_t = 0
        while octet & 0x80:
            if self._at >= self._end:
                raise self._damaged("hpack_truncated", "the block ends within an integer")
            if shift > _MAX_SHIFT:
                raise self._damaged("hpack_integer", "integer of too many octets")
            octet = block[self._at]
            self._at += 1
            value += (octet & 0x7F) << shift
            shift += 7
        if value > _MAX_INTEGER:
            raise self._damaged("hpack_integer", f"integer {value} is too large")
        return value

    @cython.cfunc
    def _string(self) -> str:
        """RFC 7541, 5.2."""
        block: bytes = self._block
        huffman: cython.bint = self._at < self._end and block[self._at] >= 0x80
        size: cython.Py_ssize_t = self._integer(0x7F)
        start: cython.Py_ssize_t = self._at
        if size > self._end - start:
            raise self._damaged("hpack_truncated", f"string of {size} octets, of which {self._end - start} are there")
        octets: bytes = self._huffman(start, start + size) if huffman else _cut(block, start, start + size)
        self._at = start + size
        self._octets = len(octets)
        if not _is_ascii(octets):
            self.has_octets = True
        return octets.decode("latin-1")

    @cython.cfunc
    def _huffman(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> bytes:
        """RFC 7541, 5.2. `bits` holds `count` bits that are not decoded yet.

        Behind its end the string is read as if ones followed. Padding then reads as the end-of-string code, cut off.
        """
        octets: bytes = self._block
        out: bytearray = self._scratch
        if len(out) < (end - at) * 8 // 5:  # the shortest code has five bits
            out = self._scratch = bytearray(2 * (end - at))
        text: cython.p_char = out  # type: ignore[assignment]
        symbols: bytes = _SHORT_SYMBOLS
        lengths: bytes = _SHORT_LENGTHS
        size: cython.Py_ssize_t = 0
        bits: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t = 0
        window: cython.Py_ssize_t = 0
        while True:
            while count < 30 and at < end:
                bits = ((bits << 8) | octets[at]) & _FORTY_BITS
                count += 8
                at += 1
            if count >= 30:
                window = (bits >> (count - 30)) & _ONES
            else:
                window = _padded(bits, count)
                if window == _ONES and count < 8:  # nothing is left, or only padding
                    break
            symbol: cython.Py_ssize_t = symbols[window >> 22]
            length: cython.Py_ssize_t = lengths[window >> 22]
            if not length:
                rank: cython.Py_ssize_t = _rank(window)
                length = _LONG_LENGTHS[rank]
                symbol = _ORDER[(window >> (30 - length)) + _LONG_SHIFTS[rank]]
            if length > count:
                break
            if symbol == _END_OF_STRING:
                raise self._damaged("hpack_huffman", "end-of-string symbol in a Huffman-coded string")
            text[size] = symbol  # type: ignore[index]
            size += 1
            count -= length
        if window != _ONES or count > 7:
            raise self._damaged("hpack_huffman", "Huffman-coded string with wrong padding")
        return text[:size] if cython.compiled else bytes(text[:size])

    @cython.cfunc
    def _release(self) -> list[Header]:
        """Hands over the fields, and keeps no hold on the block."""
        fields: list[Header] = self._fields
        self._fields = []
        self._block = b""
        return fields

    @cython.cfunc
    def _damaged(self, code: str, message: str) -> HpackError:
        error = HpackError(message, code=code, offset=self._at - self._start, partial=self._release())
        self.forget()
        return error


@cython.cfunc
def _is_ascii(octets: bytes) -> cython.bint:
    """Whether they are ASCII other than zero."""
    octet: cython.uchar
    for octet in octets:  # noqa: SIM110  # a generator is slow, compiled
        if octet == 0 or octet > 127:
            return False
    return True


@cython.cfunc
@cython.inline
def _cut(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> bytes:
    """`data[start:end]` without a slice object, which takes twice as long as the copy."""
    if start < 0 or end < start or end > len(data):
        raise IndexError("out of bounds")
    octets: cython.p_char = data
    return octets[start:end]


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _padded(bits: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The last `count` bits, filled up with ones to thirty."""
    missing: cython.Py_ssize_t = 30 - count
    one: cython.Py_ssize_t = 1
    return (bits & ((one << count) - 1)) << missing | ((one << missing) - 1)


@cython.cfunc
def _rank(window: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Which of the long code lengths a window begins with. (The last range ends behind the largest window.)"""
    rank: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = _LONG_ENDS[0]
    while window >= end:
        rank += 1
        end = _LONG_ENDS[rank]
    return rank
