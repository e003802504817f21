"""Where the fields of a protobuf message lie, by its wire format alone.

The format is that of https://protobuf.dev/programming-guides/encoding/: a message is a run of records, each a tag
(field number and wire type as a varint) and a value of which the wire type tells the length.

Invariant: a scan either returns fields that cover its bytes without a gap, or raises DecodeError. It is linear in
the bytes that it walks, steps over what is nested in a LEN field, and never recurses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from inspector.errors import DecodeError
from inspector.limits import MAX_DEPTH
from inspector.wire.field import EGROUP as EGROUP
from inspector.wire.field import I32 as I32
from inspector.wire.field import I64 as I64
from inspector.wire.field import LEN as LEN
from inspector.wire.field import SGROUP as SGROUP
from inspector.wire.field import VARINT as VARINT
from inspector.wire.field import WIRE_TYPE_NAMES as WIRE_TYPE_NAMES
from inspector.wire.field import Field as Field
from inspector.wire.scan_cy import scan_into

MAX_FIELD_NUMBER = (1 << 29) - 1
MAX_VARINT_BYTES = 10
MAX_TAG_BYTES = 5

_FIXED_SIZE = {I64: 8, I32: 4}

GroupEnds = dict[int, int]
"""Where groups end: offset of the first byte of their content -> offset of their end tag. Shared by the scans of one
input it spares a nested group from being walked again at each level."""

ReadVarint = Callable[[bytes, int, int], tuple[int, int]]


def scan(data: bytes, start: int = 0, end: int | None = None, group_ends: GroupEnds | None = None) -> list[Field]:
    """The fields of the message in `data[start:end]`, in the order of the wire. Offsets are those of `data`.

    Raises DecodeError with the code `truncated`, `wire` or `depth` (groups nested over limits.MAX_DEPTH).
    """
    fields: list[Field] = []
    end = len(data) if end is None else end
    _scan_into(fields, data, start, end, {} if group_ends is None else group_ends, end)
    return fields


def scan_prefix(
    data: bytes,
    start: int = 0,
    end: int | None = None,
    group_ends: GroupEnds | None = None,
    stop: int | None = None,
) -> tuple[list[Field], DecodeError | None]:
    """Like `scan`, but damage costs only what follows it: the fields before it, and the error. Fields that begin at
    `stop` or behind it are not looked at."""
    fields: list[Field] = []
    end = len(data) if end is None else end
    try:
        _scan_into(fields, data, start, end, {} if group_ends is None else group_ends, end if stop is None else stop)
    except DecodeError as error:
        return fields, error
    return fields, None


def _scan_into(fields: list[Field], data: bytes, start: int, end: int, group_ends: GroupEnds, stop: int) -> None:
    while True:
        start = scan_into(fields, data, start, end, stop)
        if start >= stop:
            return
        field = _read_field(data, start, end, group_ends)  # what the walk leaves: a group, damage, an odd length
        fields.append(field)
        start = field.end


def _read_field(data: bytes, start: int, end: int, group_ends: GroupEnds) -> Field:
    # One-byte tags and values are nearly all there is in practice, so they are read in place.
    tag = data[start]
    value_start = start + 1
    if tag >= 0x80 or tag < 8:
        tag, value_start = read_tag(data, start, end)
    wire_type = tag & 7
    if wire_type == LEN:
        length, value_start = read_length(data, value_start, end)
        return Field(tag >> 3, LEN, start, value_start, value_start + length, length)
    if wire_type == VARINT:
        value, after = read_uint64(data, value_start, end)
        return Field(tag >> 3, VARINT, start, value_start, after, value)
    if wire_type in _FIXED_SIZE:
        after = skip_value(data, value_start, end, wire_type)
        return Field(tag >> 3, wire_type, start, value_start, after, int.from_bytes(data[value_start:after], "little"))
    if wire_type == SGROUP:
        close = group_ends.get(value_start)
        if close is None:
            close = find_group_end(data, value_start, end, tag >> 3, group_ends)
        return Field(tag >> 3, SGROUP, start, value_start, read_tag(data, close, end)[1], close - value_start)
    reject_wire_type(tag, start)


def read_varint(data: bytes, start: int, end: int) -> tuple[int, int]:
    """A varint and the offset behind it. Its ten bytes hold 70 bits: what is above 64 is left to the caller."""
    value = shift = 0
    for offset in range(start, min(end, start + MAX_VARINT_BYTES)):
        byte = data[offset]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset + 1
        shift += 7
    if end - start < MAX_VARINT_BYTES:
        raise DecodeError("the bytes end within a varint", code="truncated", offset=start)
    raise DecodeError(f"varint of more than {MAX_VARINT_BYTES} bytes", code="wire", offset=start)


def read_uint64(data: bytes, start: int, end: int) -> tuple[int, int]:
    """A varint of at most 64 bits, and the offset behind it."""
    if start < end and data[start] < 0x80:
        return data[start], start + 1
    value, after = read_varint(data, start, end)
    if value >> 64:
        raise DecodeError("varint of more than 64 bits", code="wire", offset=start)
    return value, after


def read_tag(data: bytes, start: int, end: int) -> tuple[int, int]:
    """A tag, its field number checked, and the offset behind it. A tag is a varint of 32 bits in at most 5 bytes."""
    tag, after = read_varint(data, start, end)
    if tag < 8:
        raise DecodeError("field number 0", code="wire", offset=start)
    if tag >> 3 > MAX_FIELD_NUMBER or after - start > MAX_TAG_BYTES:
        raise DecodeError("field number over 2^29-1", code="wire", offset=start)
    return tag, after


def read_length(data: bytes, start: int, end: int) -> tuple[int, int]:
    """The length of a LEN field, checked against the bytes there are, and the offset of its content."""
    length, after = read_uint64(data, start, end)
    if length > end - after:
        raise DecodeError(f"{length} bytes announced, {end - after} present", code="truncated", offset=start)
    return length, after


def skip_value(data: bytes, start: int, end: int, wire_type: int, read: ReadVarint = read_uint64) -> int:
    """The offset behind a value that is not a group. `read` says how long its varints may be."""
    if wire_type == VARINT:
        return read(data, start, end)[1]
    if wire_type == LEN:
        length, after = read_length(data, start, end)
        return after + length
    size = _FIXED_SIZE[wire_type]
    if size > end - start:
        raise DecodeError(f"{size} bytes needed, {end - start} present", code="truncated", offset=start)
    return start + size


def find_group_end(
    data: bytes,
    start: int,
    end: int,
    number: int,
    group_ends: GroupEnds,
    room: int = MAX_DEPTH,
    read: ReadVarint = read_uint64,
) -> int:
    """The offset of the end tag of group `number` whose content begins at `start`; those within it are noted too.

    `room` bounds the nesting, the group itself counted; `read` says how long varints may be.
    """
    open_groups = [(number, start)]
    while open_groups:
        if len(open_groups) > room:
            raise DecodeError(f"groups nested over {MAX_DEPTH} deep", code="depth", offset=start)
        if start >= end:
            raise DecodeError(f"group {open_groups[-1][0]} has no end", code="truncated", offset=end)
        tag_start = start
        tag, start = read_tag(data, start, end)
        if tag & 7 == SGROUP:
            open_groups.append((tag >> 3, start))
        elif tag & 7 == EGROUP:
            _close_group(open_groups, tag >> 3, tag_start, group_ends)
        elif tag & 7 > I32:
            reject_wire_type(tag, tag_start)
        else:
            start = skip_value(data, start, end, tag & 7, read)
    return tag_start


def _close_group(open_groups: list[tuple[int, int]], number: int, tag_start: int, group_ends: GroupEnds) -> None:
    opened, content = open_groups.pop()
    if opened != number:
        raise DecodeError(f"group {opened} is ended as group {number}", code="wire", offset=tag_start)
    group_ends[content] = tag_start


def reject_wire_type(tag: int, offset: int) -> NoReturn:
    """Raises DecodeError for a tag that cannot begin a field."""
    if tag & 7 == EGROUP:
        raise DecodeError(f"end of group {tag >> 3}, which is not open", code="wire", offset=offset)
    raise DecodeError(f"wire type {tag & 7} does not exist", code="wire", offset=offset)
