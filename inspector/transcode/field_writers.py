"""Fields of a JSON object as they are on the wire: tags, lengths, packing, presence.

A writer takes the value of a field, and how deep the message that it stands in lies; it gives all bytes of the field.
Depth is counted as the wire nests (the entry of a map is a message too), so that what is written can be read again.
"""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.descriptor import FieldDescriptor

from inspector.limits import MAX_DEPTH
from inspector.transcode.fields import ELEMENT_SIZE, field_wire_type
from inspector.transcode.refusal import Key, Refusal, refuse
from inspector.transcode.scalar_readers import SKIPPED, Read
from inspector.wire.encode import tag, varint
from inspector.wire.json_value import JsonValue
from inspector.wire.scan import EGROUP, LEN, SGROUP, VARINT

Write = Callable[[JsonValue, int], bytes]
"""Writes a field."""

Body = Callable[[JsonValue, int], bytes]
"""Writes the content of a message that lies so deep."""

_TYPE_ID, _MESSAGE = tag(2, VARINT), tag(3, LEN)
_ITEM, _ITEM_END = tag(1, SGROUP), tag(1, EGROUP)
"""Of the items of a MessageSet."""


def scalar_writer(field: FieldDescriptor, read: Read) -> Write:
    """The writer of a field of scalars. Without presence, it is left out at zero."""
    if field.is_repeated:
        return _packed(field, read) if field.is_packed else _each(field, present_scalar_writer(field, read))
    return present_scalar_writer(field, read) if field.has_presence else _unless_zero(field, read)


def message_writer(field: FieldDescriptor, body: Body, in_message_set: bool = False) -> Write:
    """The writer of a field of messages or groups; `in_message_set` tells that it is an item of a MessageSet."""
    if in_message_set:
        return _item(field, body)
    one = _group(field, body) if field_wire_type(field) == SGROUP else _message(field, body)
    return _each(field, one) if field.is_repeated else one


def map_writer(field: FieldDescriptor, key_field: FieldDescriptor, read_key: Read, write_value: Write) -> Write:
    """The writer of a map; `write_value` writes the field `value` of an entry. Entries keep the order of the object."""
    key_tag = tag(key_field.number, field_wire_type(key_field))
    start = tag(field.number, LEN)

    def write(value: JsonValue, depth: int) -> bytes:
        if not isinstance(value, dict):
            refuse("an object (a map)", value)
        inner = deeper(depth) if value else depth
        pieces = []
        seen: dict[bytes, str] = {}
        for key, item in value.items():
            try:
                key_bytes = _read_key(read_key, key, seen)
                written = write_value(item, inner)
            except Refusal as refusal:
                refusal.steps.append(Key(key))
                raise
            if written:
                pieces.append(_prefixed(start, key_tag + key_bytes + written))
        return b"".join(pieces)

    return write


def _read_key(read: Read, key: str, seen: dict[bytes, str]) -> bytes:
    try:
        made = read(key)
    except Refusal as refusal:
        refusal.at_key = True
        raise
    if seen.setdefault(made, key) is not key:
        raise Refusal(f'the same key as "{seen[made]}"', at_key=True)
    return made


def present_scalar_writer(field: FieldDescriptor, read: Read) -> Write:
    """The writer of one scalar that is there at zero too, such as the value of a map entry."""
    start = tag(field.number, field_wire_type(field))

    def write(value: JsonValue, _: int) -> bytes:
        made = read(value)
        return start + made if made else SKIPPED

    return write


def _unless_zero(field: FieldDescriptor, read: Read) -> Write:
    start = tag(field.number, field_wire_type(field))
    zero = bytes(ELEMENT_SIZE.get(field_wire_type(field), 1))

    def write(value: JsonValue, _: int) -> bytes:
        made = read(value)
        return start + made if made and made != zero else b""

    return write


def _packed(field: FieldDescriptor, read: Read) -> Write:
    start = tag(field.number, LEN)

    def write(value: JsonValue, _: int) -> bytes:
        content = b"".join(_elements(value, lambda item, _: read(item), 0))
        return _prefixed(start, content) if content else b""

    return write


def _each(field: FieldDescriptor, one: Write) -> Write:
    return lambda value, depth: b"".join(_elements(value, one, depth))


def _elements(value: JsonValue, one: Write, depth: int) -> list[bytes]:
    if not isinstance(value, list):
        refuse("an array", value)
    made: list[bytes] = []
    try:
        for item in value:
            made.append(one(item, depth))
    except Refusal as refusal:
        refusal.steps.append(len(made))
        raise
    return made


def _message(field: FieldDescriptor, body: Body) -> Write:
    start = tag(field.number, LEN)
    return lambda value, depth: _prefixed(start, body(value, deeper(depth)))


def _group(field: FieldDescriptor, body: Body) -> Write:
    start, end = tag(field.number, SGROUP), tag(field.number, EGROUP)
    return lambda value, depth: start + body(value, deeper(depth)) + end


def _item(field: FieldDescriptor, body: Body) -> Write:
    return lambda value, depth: message_set_item(field.number, body(value, deeper(depth)))


def message_set_start(number: int) -> tuple[bytes, bytes]:
    """What stands around the length and content of an item of a MessageSet."""
    return _ITEM + _TYPE_ID + varint(number) + _MESSAGE, _ITEM_END


def message_set_item(number: int, content: bytes) -> bytes:
    """What the wire of a MessageSet has in the place of a LEN field."""
    start, end = message_set_start(number)
    return _prefixed(start, content) + end


def _prefixed(start: bytes, content: bytes) -> bytes:
    return start + varint(len(content)) + content


def deeper(depth: int) -> int:
    """How deep a message within one lies. Raises Refusal where that is too deep."""
    if depth >= MAX_DEPTH:
        raise Refusal(f"messages nested over {MAX_DEPTH} deep")
    return depth + 1
