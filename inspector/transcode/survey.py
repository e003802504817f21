"""What the protobuf runtime does not tell of a message: how much of it the schema does not know, and what is wrong.

upb's parser says "wire format was corrupt", without a place, and keeps unknown fields without their bytes. So where
one of the two is asked for, the message is walked again, here, with its descriptor. This is the exact and slow way:
the usual message, sound and known, never comes here.

(The runtime drops what a varint holds beyond 64 bits, as the encoding allows, so this does too.)

Invariant: a survey finds an error exactly where the runtime refuses to parse. It is one pass over the bytes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from inspector.errors import DecodeError
from inspector.limits import MAX_DEPTH
from inspector.transcode.content_length import read_content_length
from inspector.transcode.fields import (
    ELEMENT_SIZE,
    field_wire_type,
    find_field,
    fits,
    is_closed_enum,
    is_message_set,
)
from inspector.transcode.scalars import verifies_utf8
from inspector.wire.scan import (
    EGROUP,
    I32,
    LEN,
    SGROUP,
    find_group_end,
    read_tag,
    read_varint,
    reject_wire_type,
    scan_prefix,
    skip_value,
)

_TYPE_ID = 2
"""Of an item of a MessageSet."""


class Survey(NamedTuple):
    """`unknown_bytes` counts tags and values of the unknown fields up to `error`, or to the end."""

    unknown_bytes: int
    error: DecodeError | None


def survey(descriptor: Descriptor, data: bytes) -> Survey:
    """Walks a message of a type. The error has the codes of `wire.scan`, and `utf8`; its text begins with the field."""
    walk = _Walk(descriptor, data)
    try:
        walk.run()
    except DecodeError as error:
        place = walk.place()
        message = f"{place}: {error.message}" if place else error.message
        return Survey(walk.unknown(), DecodeError(message, code=error.code, offset=error.offset))
    return Survey(walk.unknown(), None)


class _Frame:
    """A message that is open; `start` is where its tag is. `group` is its number where an end tag closes it, else 0.

    `own` counts unknown bytes of the message itself, `unknown` those of messages within it too, `seen` repeated fields.
    """

    __slots__ = ("descriptor", "end", "group", "is_entry", "is_set", "own", "place", "seen", "start", "unknown")

    def __init__(self, descriptor: Descriptor, start: int, end: int, group: int, place: str) -> None:
        options = descriptor.GetOptions() if descriptor.has_options else None
        self.descriptor = descriptor
        self.start = start
        self.end = end
        self.group = group
        self.place = place
        self.is_entry = bool(options and options.map_entry)
        self.is_set = is_message_set(descriptor)
        self.own = 0
        self.unknown = 0
        self.seen: dict[int, int] = {}

    def name(self, field: FieldDescriptor) -> str:
        """The place of a field that is about to be read: `inputs[2].data.url`."""
        name = f"[{field.full_name}]" if field.is_extension else field.name
        if field.is_repeated:
            index = self.seen.get(field.number, 0)
            self.seen[field.number] = index + 1
            name = f"{name}[{index}]"
        return f"{self.place}.{name}" if self.place else name


class _Walk:
    """The walk over one message: open messages on a stack, innermost last."""

    def __init__(self, descriptor: Descriptor, data: bytes) -> None:
        self._data = data
        self._stack = [_Frame(descriptor, 0, len(data), 0, "")]
        self._field = ""

    def place(self) -> str:
        """The field that is being read, or the message where it is a tag."""
        return self._field or self._stack[-1].place

    def unknown(self) -> int:
        """Bytes of unknown fields so far."""
        return sum(frame.unknown for frame in self._stack)

    def run(self) -> None:
        """To the end, or to the first error."""
        offset = 0
        while True:
            frame = self._stack[-1]
            if offset < frame.end:
                offset = self._step(frame, offset)
            elif frame.group:
                raise DecodeError(f"group {frame.group} has no end", code="truncated", offset=offset)
            elif len(self._stack) == 1:
                return
            else:
                self._close(offset)

    def _step(self, frame: _Frame, start: int) -> int:
        """Reads one field, or the tag before a message. Returns the offset behind."""
        self._field = ""
        tag, offset = read_tag(self._data, start, frame.end)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == EGROUP:
            return self._end_group(frame, tag, start, offset)
        if wire_type > I32:
            reject_wire_type(tag, start)
        field = find_field(frame.descriptor, number)
        if field is None or not fits(field, wire_type):
            return self._skip(frame, tag, start, offset)
        self._field = frame.name(field)
        if field.message_type is not None:
            return self._open(field.message_type, frame, tag, start, offset)
        return self._scalar(frame, field, wire_type, start, offset)

    # --- messages ------------------------------------------------------------------------------------------------

    def _open(self, descriptor: Descriptor, frame: _Frame, tag: int, start: int, offset: int) -> int:
        if len(self._stack) > MAX_DEPTH:
            raise DecodeError(f"messages nested over {MAX_DEPTH} deep", code="depth", offset=offset)
        if tag & 7 == SGROUP:
            end, group = frame.end, tag >> 3
        else:
            length, offset = read_content_length(self._data, offset, frame.end)
            end, group = offset + length, 0
        self._stack.append(_Frame(descriptor, start, end, group, self._field))
        return offset

    def _end_group(self, frame: _Frame, tag: int, start: int, offset: int) -> int:
        if not frame.group:
            reject_wire_type(tag, start)
        if tag >> 3 != frame.group:
            raise DecodeError(f"group {frame.group} is ended as group {tag >> 3}", code="wire", offset=start)
        self._close(offset)
        return offset

    def _close(self, end: int) -> None:
        """Hands the count to the message around. (The runtime drops a map entry whole where it has unknown fields.)"""
        frame = self._stack.pop()
        dropped = frame.is_entry and frame.own
        self._stack[-1].unknown += end - frame.start if dropped else frame.unknown
        self._field = ""

    # --- values --------------------------------------------------------------------------------------------------

    def _skip(self, frame: _Frame, tag: int, start: int, offset: int) -> int:
        if tag & 7 == SGROUP:
            room = MAX_DEPTH + 1 - len(self._stack)
            close = find_group_end(self._data, offset, frame.end, tag >> 3, {}, room, read_varint)
            end = read_tag(self._data, close, frame.end)[1]
            if frame.is_set and tag >> 3 == 1 and self._has_type(frame.descriptor, offset, close):
                return end  # an item of a MessageSet: an extension in disguise
        elif tag & 7 == LEN:
            length, offset = read_content_length(self._data, offset, frame.end)
            end = offset + length
        else:
            end = skip_value(self._data, offset, frame.end, tag & 7, read_varint)
        self._note_unknown(frame, end - start)
        return end

    def _has_type(self, descriptor: Descriptor, start: int, end: int) -> bool:
        """Whether the schema has the extension whose number is the `type_id` of an item."""
        numbers = (field.value for field in scan_prefix(self._data, start, end)[0] if field.number == _TYPE_ID)
        return any(find_field(descriptor, number) is not None for number in numbers)

    def _note_unknown(self, frame: _Frame, size: int) -> None:
        frame.own += size
        frame.unknown += size

    def _scalar(self, frame: _Frame, field: FieldDescriptor, wire_type: int, start: int, offset: int) -> int:
        if wire_type == LEN:
            length, offset = read_content_length(self._data, offset, frame.end)
            self._content(frame, field, offset, offset + length)
            return offset + length
        end = skip_value(self._data, offset, frame.end, wire_type, read_varint)
        if is_closed_enum(field) and not self._knows(field.enum_type, offset, end):
            self._note_unknown(frame, end - start)
        return end

    def _content(self, frame: _Frame, field: FieldDescriptor, start: int, end: int) -> None:
        if field.type == FieldDescriptor.TYPE_STRING:
            self._check_utf8(field, start, end)
        elif field.type != FieldDescriptor.TYPE_BYTES:
            self._packed(frame, field, start, end)

    def _check_utf8(self, field: FieldDescriptor, start: int, end: int) -> None:
        try:
            self._data[start:end].decode()
        except UnicodeDecodeError as error:
            if verifies_utf8(field):
                raise DecodeError("invalid UTF-8", code="utf8", offset=start + error.start) from None

    def _packed(self, frame: _Frame, field: FieldDescriptor, start: int, end: int) -> None:
        size = ELEMENT_SIZE.get(field_wire_type(field))
        if size and (end - start) % size:
            raise DecodeError(f"packed values of {size} bytes in {end - start}", code="wire", offset=start)
        while not size and start < end:
            after = read_varint(self._data, start, end)[1]
            if is_closed_enum(field) and not self._knows(field.enum_type, start, after):
                self._note_unknown(frame, after - start)
            start = after

    def _knows(self, enum: Any, start: int, end: int) -> bool:
        """Whether a closed enum has the number; one that it has not is kept as an unknown field."""
        value = read_varint(self._data, start, end)[0] & 0xFFFF_FFFF
        return (value - (1 << 32) if value >> 31 else value) in enum.values_by_number
