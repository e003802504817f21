"""Where one field lies on the wire, read as the runtime reads it: the ground under the field tree.

`inspector.wire.scan` is strict, and takes a group for one field, whole or not at all. Here a varint may hold more than
64 bits (the runtime drops what is above, as the encoding guide allows), and a group without an end reaches to the end
of the message around it, so that what is in it can still be read.

Invariant: a field that is read ends within its message, behind where it begins.
"""

from __future__ import annotations

import contextlib

from inspector.errors import DecodeError
from inspector.limits import MAX_DEPTH
from inspector.transcode.content_length import read_content_length
from inspector.transcode.fields import ELEMENT_SIZE
from inspector.wire import scan_cy
from inspector.wire.field import WireField as WireField
from inspector.wire.scan import (
    EGROUP,
    I32,
    I64,
    LEN,
    SGROUP,
    VARINT,
    WIRE_TYPE_NAMES,
    GroupEnds,
    find_group_end,
    read_tag,
    read_varint,
    reject_wire_type,
    skip_value,
)


class Groups:
    """Where the groups of an input end: each is searched for once."""

    def __init__(self) -> None:
        self.ends: GroupEnds = {}  # shared with walks, which read it
        self._endless: dict[int, DecodeError] = {}

    def find_end(self, data: bytes, start: int, end: int, number: int, around: DecodeError | None) -> int | None:
        """The offset of the end tag of the group whose content begins at `start`; None where it has none.

        `around` is why the group around has no end: the search for that one came by here, and found what there is.
        """
        close = self.ends.get(start)
        if close is None and start not in self._endless:
            if around is not None:
                self._endless[start] = around
                return None
            try:
                return find_group_end(data, start, end, number, self.ends, MAX_DEPTH, read_varint)
            except DecodeError as error:
                self._endless[start] = error
        return close

    def error(self, start: int) -> DecodeError | None:
        """Why the group whose content begins there has no end."""
        return self._endless.get(start)


def read_field(data: bytes, start: int, end: int, groups: Groups, around: DecodeError | None = None) -> WireField:
    """The field whose tag begins at `start`, in a message that ends at `end`. Raises DecodeError.

    `around` is why the group that the field is in has no end, where that is so.
    """
    return scan_cy.read_field(data, start, end) or _read_unusual(data, start, end, groups, around)


def _read_unusual(data: bytes, start: int, end: int, groups: Groups, around: DecodeError | None) -> WireField:
    """A group, a field that is not in its shortest form, or damage."""
    tag, value_start = read_tag(data, start, end)
    wire_type = tag & 7
    if wire_type == LEN:
        length, content = read_content_length(data, value_start, end)
        return WireField(tag >> 3, LEN, start, value_start, content, content + length, content + length)
    if wire_type == SGROUP:
        return _read_group(data, tag >> 3, WireField(tag >> 3, SGROUP, start, value_start, value_start, end, end),
                           groups, around)  # fmt: skip
    if wire_type == EGROUP or wire_type > I32:
        reject_wire_type(tag, start)
    after = skip_value(data, value_start, end, wire_type, read_varint)
    return WireField(tag >> 3, wire_type, start, value_start, value_start, after, after)


def _read_group(
    data: bytes, number: int, open_field: WireField, groups: Groups, around: DecodeError | None
) -> WireField:
    close = groups.find_end(data, open_field.value_start, open_field.end, number, around)
    if close is None:
        return open_field
    return open_field._replace(value_end=close, end=read_tag(data, close, open_field.end)[1])


def read_damage(data: bytes, start: int, end: int) -> WireField:
    """What can be told of a field that cannot be read, and so reaches to the end of its message: tag, length."""
    try:
        tag, tag_end = read_tag(data, start, end)
    except DecodeError:
        return WireField(0, 0, start, start, start, end, end)
    wire_type = tag & 7
    if wire_type not in (VARINT, I64, LEN, I32):
        return WireField(tag >> 3, wire_type, start, start, start, end, end)
    value_start = tag_end
    if wire_type == LEN:
        with contextlib.suppress(DecodeError):
            value_start = read_varint(data, tag_end, end)[1]
    return WireField(tag >> 3, wire_type, start, tag_end, value_start, end, end)


def read_unsigned(data: bytes, wire: WireField) -> int:
    """The number that a varint (of up to 70 bits) or fixed field holds."""
    if wire.wire_type in ELEMENT_SIZE:
        return int.from_bytes(data[wire.value_start : wire.value_end], "little")
    return read_varint(data, wire.value_start, wire.value_end)[0]


def wire_type_name(wire_type: int) -> str:
    """The name of a wire type; the number of one that does not exist."""
    return WIRE_TYPE_NAMES[wire_type] if wire_type < len(WIRE_TYPE_NAMES) else str(wire_type)


def varint_size(value: int) -> int:
    """Bytes of the shortest varint of a number that is not negative."""
    return max(1, (value.bit_length() + 6) // 7)


def count_elements(data: bytes, start: int, end: int, wire_type: int) -> int:
    """How many whole elements a packed field holds in `data[start:end]`."""
    size = ELEMENT_SIZE.get(wire_type)
    if size:
        return (end - start) // size
    return scan_cy.count_varints(data, start, end)
