"""The fields of a message that its type does not have."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from inspector.transcode.field_writers import message_set_item
from inspector.transcode.fields import is_message_set
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.scan import EGROUP, I32, LEN, SGROUP, VARINT

UNKNOWN = "$unknown"
"""The key that has them in the JSON of a message, as `inspector.wire.untyped` writes them. No field has such a name."""


def unknown_bytes(message: Message) -> bytes:
    """The unknown fields of a message itself as they are on the wire; varints that were longer than needed are not."""
    unknown: Any = UnknownFieldSet(message)
    if not len(unknown):
        return b""
    descriptor: Any = message.DESCRIPTOR
    return _items(unknown) if is_message_set(descriptor) else _wire(unknown)


def _items(unknown: Any) -> bytes:
    """The fields of a MessageSet: the runtime lists its items as what they stand for."""
    return b"".join(
        message_set_item(field.field_number, field.data) if field.wire_type == LEN else _wire_field(field)
        for field in unknown
    )


def _wire(unknown: Any) -> bytes:
    return b"".join(map(_wire_field, unknown))


def _wire_field(field: Any) -> bytes:
    number, wire_type, data = field.field_number, field.wire_type, field.data
    if wire_type == LEN:
        return length_delimited(number, data)
    if wire_type == SGROUP:
        return tag(number, SGROUP) + _wire(data) + tag(number, EGROUP)
    if wire_type == VARINT:
        return tag(number, VARINT) + varint(data)
    size = 4 if wire_type == I32 else 8
    return tag(number, wire_type) + int(data).to_bytes(size, "little")
