"""Walks over the fields of a message, over many at a time: where they lie, how many there are, by tag.

The format is that of `inspector.wire.scan`, and of it what all readers agree on: varints of at most 64 bits, lengths in
at most five bytes. What is beside that, groups, and what is damaged, these walks leave to their caller: they stop in
front of it. So they raise nothing, and there is one place that knows what is wrong with a field.

Invariant: a walk ends where a field begins that it did not take, and never passes `end`.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from inspector.model.make_cy import make
from inspector.wire.field import Field, WireField

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython

# What `declare` makes at module level are C variables: Python code outside sees them only where it is interpreted.

_VARINT = cython.declare(cython.Py_ssize_t, 0)
_I64 = cython.declare(cython.Py_ssize_t, 1)
_LEN = cython.declare(cython.Py_ssize_t, 2)
_SGROUP = cython.declare(cython.Py_ssize_t, 3)
_I32 = cython.declare(cython.Py_ssize_t, 5)

_STOP = cython.declare(cython.Py_ssize_t, -1)
_MAX_TAG = cython.declare(cython.Py_ssize_t, (1 << 32) - 1)
_MAX_LENGTH = cython.declare(cython.Py_ssize_t, (1 << 31) - 1)

MARK_EVERY = 1024
"""Fields or elements from one mark to the next: few enough to walk, many enough for the marks to take no room."""
_MARK_EVERY = cython.declare(cython.Py_ssize_t, MARK_EVERY)

_BLOCK = cython.declare(cython.Py_ssize_t, 64)
"""Bytes that are looked at together. (Loops over them have the number itself, so that a compiler knows it, and takes
many bytes at once.)"""

_LONGEST = cython.declare(cython.Py_ssize_t, 10)
"""Bytes of the longest varint."""

_SHORT_TAGS = cython.declare(cython.Py_ssize_t, 0x80)
_FULL = cython.declare(cython.Py_ssize_t, 0xFF)


# --- one field ---------------------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-2, check=False)
def _varint_end(data: bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The offset behind a varint of 64 bits, or _STOP."""
    last: cython.Py_ssize_t = at + 9
    while at < end and at < last:
        if data[at] < 0x80:
            return at + 1
        at += 1
    return at + 1 if at < end and data[at] <= 1 else _STOP


@cython.cfunc
@cython.exceptval(-2, check=False)
def _small_varint(data: bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The value of a varint in at most five bytes; _STOP where it has more."""
    value: cython.Py_ssize_t = 0
    shift: cython.Py_ssize_t = 0
    byte: cython.Py_ssize_t
    while at < end and shift < 35:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        at += 1
        shift += 7
    return _STOP


@cython.cfunc
@cython.exceptval(-2, check=False)
def _value_end(
    data: bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t, wire_type: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """The offset behind the value that begins at `at`, or _STOP."""
    length: cython.Py_ssize_t
    if wire_type == _VARINT:
        return _varint_end(data, at, end)
    if wire_type == _LEN:
        length = _small_varint(data, at, end)
        if length < 0 or length > _MAX_LENGTH:
            return _STOP
        at = _varint_end(data, at, end)
    elif wire_type == _I64:
        length = 8
    elif wire_type == _I32:
        length = 4
    else:
        return _STOP
    return at + length if length <= end - at else _STOP


@cython.cfunc
@cython.exceptval(-2, check=False)
def _tag(data: bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The tag at `at`, or _STOP."""
    tag: cython.Py_ssize_t = _small_varint(data, at, end)
    return tag if 8 <= tag <= _MAX_TAG else _STOP


@cython.cfunc
@cython.exceptval(-2, check=False)
def _field_end(data: bytes, at: cython.Py_ssize_t, end: cython.Py_ssize_t, tag: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The offset behind the field that begins at `at` with that tag, or _STOP."""
    if tag < 0:
        return _STOP
    return _value_end(data, at + 1 if data[at] < 0x80 else _varint_end(data, at, end), end, tag & 7)


@cython.cfunc
def _number(data: bytes, at: cython.Py_ssize_t, after: cython.Py_ssize_t, wire_type: cython.Py_ssize_t) -> int:
    """The number that a whole varint or fixed field has, unsigned."""
    value: cython.ulonglong = 0
    byte: cython.ulonglong
    shift: cython.Py_ssize_t = 0
    if wire_type == _VARINT and data[at] < 0x80:
        return data[at]
    mask: cython.ulonglong = 0x7F if wire_type == _VARINT else 0xFF
    bits: cython.Py_ssize_t = 7 if wire_type == _VARINT else 8
    while at < after:
        byte = data[at]
        value |= (byte & mask) << shift
        shift += bits
        at += 1
    return value


def read_field(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> WireField | None:
    """The places of the field at `start`; None for one that is left to the caller."""
    if not 0 <= start < end <= len(data):
        return None
    tag: cython.Py_ssize_t = _tag(data, start, end)
    after: cython.Py_ssize_t = _field_end(data, start, end, tag)
    if after < 0:
        return None
    tag_end: cython.Py_ssize_t = _varint_end(data, start, end)
    value_start: cython.Py_ssize_t = _varint_end(data, tag_end, end) if tag & 7 == _LEN else tag_end
    return make(WireField, (tag >> 3, tag & 7, start, tag_end, value_start, after, after))


# --- many --------------------------------------------------------------------------------------------------------


def scan_into(
    fields: list[Field], data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> int:
    """Appends the fields from `start` on that begin before `stop`, and returns where the next one begins."""
    if not (0 <= start <= end <= len(data) and stop <= end):
        raise ValueError(f"span {start}:{end} is not within {len(data)} bytes")
    tag: cython.Py_ssize_t
    after: cython.Py_ssize_t
    value_start: cython.Py_ssize_t
    wire_type: cython.Py_ssize_t
    while start < stop:
        tag = _tag(data, start, end)
        after = _field_end(data, start, end, tag)
        if after < 0:
            break
        wire_type = tag & 7
        value_start = _varint_end(data, start, end)
        if wire_type == _LEN:
            value_start = _varint_end(data, value_start, end)
            value: object = after - value_start
        else:
            value = _number(data, value_start, after, wire_type)
        fields.append(make(Field, (tag >> 3, wire_type, start, value_start, after, value)))
        start = after
    return start


def skip_fields(
    data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, most: cython.Py_ssize_t, group_ends: dict[int, int]
) -> tuple[int, int]:
    """Steps over `most` fields, also over groups of which `group_ends` has where their content begins, and their end
    tag: where the next one begins, and how many they were."""
    if not 0 <= start <= end <= len(data):
        raise ValueError(f"span {start}:{end} is not within {len(data)} bytes")
    count: cython.Py_ssize_t = 0
    after: cython.Py_ssize_t
    while start < end and count < most:
        after = _end_of(data, start, end, _tag(data, start, end), group_ends)
        if after < 0:
            break
        start = after
        count += 1
    return start, count


@cython.cfunc
@cython.exceptval(-2)
def _end_of(
    data: bytes,
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    tag: cython.Py_ssize_t,
    group_ends: dict[int, int],
) -> cython.Py_ssize_t:
    """The offset behind a field, a known group too, or _STOP."""
    if tag < 0 or tag & 7 != _SGROUP:
        return _field_end(data, at, end, tag)
    close: cython.Py_ssize_t = group_ends.get(_varint_end(data, at, end), _STOP)
    return _varint_end(data, close, end) if at < close < end else _STOP


def count_tagged(
    data: bytes,
    start: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    most: cython.Py_ssize_t,
    group_ends: dict[int, int],
    tag: cython.Py_ssize_t,
) -> tuple[int, int, int]:
    """The same as `skip_fields`, and how many of the fields have that tag."""
    if not 0 <= start <= end <= len(data):
        raise ValueError(f"span {start}:{end} is not within {len(data)} bytes")
    count: cython.Py_ssize_t = 0
    tagged: cython.Py_ssize_t = 0
    after: cython.Py_ssize_t
    found: cython.Py_ssize_t
    while start < end and count < most:
        found = _tag(data, start, end)
        after = _end_of(data, start, end, found, group_ends)
        if after < 0:
            break
        tagged += found == tag
        start = after
        count += 1
    return start, count, tagged


@cython.cfunc
@cython.exceptval(-2, check=False)
def _are_short(data: cython.p_uchar, at: cython.Py_ssize_t, tag: cython.uchar, mask: cython.uchar) -> cython.bint:
    """Whether the _BLOCK bytes from `at` on, which are there, are fields of that tag and a byte that has none of the
    bits of `mask`."""
    other: cython.uchar = 0
    index: cython.Py_ssize_t
    for index in range(32):
        other |= (data[at + 2 * index] ^ tag) | (data[at + 2 * index + 1] & mask)
    return other == 0


@cython.final
@cython.cclass
class FieldIndex:
    """The fields of the message in `data[start:end]`: how many come up to `at`, how many of each tag, and where every
    MARK_EVERY-th of them begins."""

    at = cython.declare(cython.Py_ssize_t, visibility="readonly")
    count = cython.declare(cython.Py_ssize_t, visibility="readonly")
    _marks: array[int]
    _data: bytes
    _end: cython.Py_ssize_t
    _next_mark: cython.Py_ssize_t
    _short: bytearray  # counts of one-byte tags up to 255, which then go to _counts
    _counts: dict[int, int]

    def __init__(self, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> None:
        if not 0 <= start <= end <= len(data):
            raise ValueError(f"span {start}:{end} is not within {len(data)} bytes")
        self._data = data
        self.at = start
        self._end = end
        self.count = 0
        self._next_mark = 0
        self._marks = array("Q")
        self._short = bytearray(_SHORT_TAGS)
        self._counts = {}

    @property
    def marks(self) -> array[int]:
        """The offsets of every MARK_EVERY-th field, and perhaps of the one at `at`."""
        return self._marks

    def run(self) -> bool:
        """Goes on to the end, or up to a field that is left to the caller: False."""
        data: bytes = self._data
        at: cython.Py_ssize_t = self.at
        end: cython.Py_ssize_t = self._end
        tag: cython.Py_ssize_t
        after: cython.Py_ssize_t
        same: cython.Py_ssize_t
        while at < end:
            if self.count == self._next_mark:
                self._mark(at)
            tag = data[at]
            if tag >= 0x80 or tag < 8:
                tag = _tag(data, at, end)
            after = _field_end(data, at, end, tag)
            if after < 0:
                self.at = at
                return False
            same = 1
            if after - at == 2 and tag < _SHORT_TAGS:
                same += self._run_of_short(after, tag)
                after += 2 * (same - 1)
            self._add(tag, same)
            at = after
        self.at = at
        return True

    @cython.cfunc
    @cython.exceptval(-2, check=False)
    def _run_of_short(self, at: cython.Py_ssize_t, tag: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """How many fields of two bytes with the same tag follow, up to the next mark."""
        data: bytes = self._data
        start: cython.Py_ssize_t = at
        most: cython.Py_ssize_t = self._next_mark - self.count - 1
        stop: cython.Py_ssize_t = min(self._end - 1, at + 2 * most)
        least: cython.Py_ssize_t = 0x80 if tag & 7 == _VARINT else 1
        while stop - at > _BLOCK and data[at] == tag and _are_short(data, at, tag, 0x100 - least):
            at += _BLOCK
        while at < stop and data[at] == tag and data[at + 1] < least:
            at += 2
        return (at - start) >> 1

    def add(self, tag: cython.Py_ssize_t, after: cython.Py_ssize_t) -> None:
        """Counts a field that the caller found where `run` stopped; it ends at `after`."""
        if not self.at < after <= self._end:
            raise ValueError(f"a field at {self.at} does not end at {after}")
        if self.count == self._next_mark:
            self._mark(self.at)
        self._add(tag, 1)
        self.at = after

    @cython.cfunc
    def _mark(self, at: cython.Py_ssize_t) -> None:
        self._marks.append(at)
        self._next_mark += _MARK_EVERY

    @cython.cfunc
    def _add(self, tag: cython.Py_ssize_t, fields: cython.Py_ssize_t) -> None:
        total: cython.Py_ssize_t
        self.count += fields
        if tag < _SHORT_TAGS:
            total = self._short[tag] + fields
            if total <= _FULL:
                self._short[tag] = total
                return
            self._short[tag] = 0
            fields = total
        self._counts[tag] = self._counts.get(tag, 0) + fields

    def total(self, tag: cython.Py_ssize_t) -> int:
        """How many fields there are with that tag."""
        short: cython.Py_ssize_t = self._short[tag] if 0 <= tag < _SHORT_TAGS else 0
        known: int = self._counts.get(tag, 0)
        return known + short


# --- varints side by side ----------------------------------------------------------------------------------------


def index_varints(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> tuple[int, int, array[int]]:
    """Of the varints in `data[start:end]`: how many are whole and hold 70 bits at most, where the next one begins
    (`end`, or damage), and where every MARK_EVERY-th of them begins."""
    if not 0 <= start <= end <= len(data):
        raise ValueError(f"span {start}:{end} is not within {len(data)} bytes")
    marks: array[int] = array("Q", (start,))
    raw: cython.p_uchar = data
    at: cython.Py_ssize_t = start
    count: cython.Py_ssize_t = 0
    next_mark: cython.Py_ssize_t = _MARK_EVERY
    ends: cython.Py_ssize_t
    while end - at >= _BLOCK + _LONGEST:
        ends = _varints_in_block(raw, at)
        if ends == _STOP:
            break
        if count + ends >= next_mark:
            marks.append(skip_varints(data, at, end, next_mark - count))
            next_mark += _MARK_EVERY
        count += ends
        at += _BLOCK
    while at > start and data[at - 1] >= 0x80:  # back to where a varint begins
        at -= 1
    begins: cython.Py_ssize_t = at
    while at < end and at - begins < _LONGEST:
        at += 1
        if data[at - 1] < 0x80:
            begins = at
            count += 1
            if count == next_mark:
                marks.append(at)
                next_mark += _MARK_EVERY
    if count + _MARK_EVERY == next_mark:  # nothing whole begins at the last mark
        marks.pop()
    return count, begins, marks


@cython.cfunc
@cython.exceptval(-2, check=False)
def _varints_in_block(data: cython.p_uchar, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """How many varints end in the _BLOCK bytes from `at` on; _STOP where one that begins in them is too long. (The
    caller sees to it that there are _LONGEST more bytes.)"""
    ends: cython.uchar = 0
    high: cython.uchar = 0
    four: cython.uchar = 0
    index: cython.Py_ssize_t
    for index in range(64):
        high |= data[at + index]
    if high < 0x80:
        return _BLOCK
    for index in range(64):
        ends += data[at + index] < 0x80
        four |= data[at + index] & data[at + index + 1] & data[at + index + 2] & data[at + index + 3]
    return _STOP if four >= 0x80 and _is_long_in_block(data, at) else ends


@cython.cfunc
@cython.exceptval(-2, check=False)
def _is_long_in_block(data: cython.p_uchar, at: cython.Py_ssize_t) -> cython.bint:
    """Whether a varint of over _LONGEST bytes begins in the _BLOCK bytes from `at` on."""
    long: cython.uchar = 0
    index: cython.Py_ssize_t
    for index in range(64):
        long |= (
            data[at + index] & data[at + index + 1] & data[at + index + 2] & data[at + index + 3] & data[at + index + 4]
            & data[at + index + 5] & data[at + index + 6] & data[at + index + 7] & data[at + index + 8]
            & data[at + index + 9]
        )  # fmt: skip
    return long >= 0x80


def skip_varints(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, most: cython.Py_ssize_t) -> int:
    """The offset behind `most` varints, or behind all."""
    if not 0 <= start <= end <= len(data):
        raise ValueError(f"span {start}:{end} is not within {len(data)} bytes")
    while start < end and most > 0:
        if data[start] < 0x80:
            most -= 1
        start += 1
    return start


def count_varints(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> int:
    """How many varints end in `data[start:end]`."""
    if not 0 <= start <= end <= len(data):
        raise ValueError(f"span {start}:{end} is not within {len(data)} bytes")
    count: cython.Py_ssize_t = 0
    while end - start >= _BLOCK:
        count += _ends_in_block(data, start)
        start += _BLOCK
    while start < end:
        if data[start] < 0x80:
            count += 1
        start += 1
    return count


@cython.cfunc
@cython.exceptval(-2, check=False)
def _ends_in_block(data: cython.p_uchar, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """How many of the _BLOCK bytes from `at` on, which are there, end a varint."""
    ends: cython.uchar = 0
    index: cython.Py_ssize_t
    for index in range(64):
        ends += data[at + index] < 0x80
    return ends
