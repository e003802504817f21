"""The well-known types that ProtoJSON prints as one value: times, masks, wrappers.

(https://protobuf.dev/reference/protobuf/google.protobuf/; Struct and Any, which nest, are with the printer.)
A value that its type does not allow gives None here, and is printed as the plain message that it is: someone who
looks for what is wrong wants to see it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

EPOCH = datetime(1970, 1, 1)
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
"""Years 1 to 9999 (timestamp.proto)."""

LONGEST_DURATION = 315_576_000_000
"""Seconds of 10,000 years (duration.proto)."""

_SECOND = 1_000_000_000

WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)

_I64, _I32, _STR, _MSG = (
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_INT32,
    FieldDescriptor.TYPE_STRING,
    FieldDescriptor.TYPE_MESSAGE,
)

_SHAPES = {
    "google.protobuf.Any": {"type_url": (_STR, False), "value": (FieldDescriptor.TYPE_BYTES, False)},
    "google.protobuf.Duration": {"seconds": (_I64, False), "nanos": (_I32, False)},
    "google.protobuf.FieldMask": {"paths": (_STR, True)},
    "google.protobuf.ListValue": {"values": (_MSG, True)},
    "google.protobuf.Struct": {"fields": (_MSG, True)},
    "google.protobuf.Timestamp": {"seconds": (_I64, False), "nanos": (_I32, False)},
    "google.protobuf.Value": {
        "null_value": (FieldDescriptor.TYPE_ENUM, False),
        "number_value": (FieldDescriptor.TYPE_DOUBLE, False),
        "string_value": (_STR, False),
        "bool_value": (FieldDescriptor.TYPE_BOOL, False),
        "struct_value": (_MSG, False),
        "list_value": (_MSG, False),
    },
}


def special_name(descriptor: Descriptor) -> str | None:
    """The full name of a type that is printed in its own way, else None.

    A schema from the network may define these names otherwise; then they are messages like any other.
    """
    name = descriptor.full_name
    if name in WRAPPERS:
        return name if list(descriptor.fields_by_name) == ["value"] else None
    shape = {field.name: (field.type, bool(field.is_repeated)) for field in descriptor.fields}
    return name if name in _SHAPES and shape == _SHAPES[name] else None


def timestamp_text(message: Any) -> str | None:
    """RFC 3339 in UTC with no, 3, 6 or 9 digits of a second."""
    seconds, nanos = message.seconds, message.nanos
    if not (FIRST_SECOND <= seconds <= LAST_SECOND and 0 <= nanos < _SECOND):
        return None
    return f"{(EPOCH + timedelta(0, seconds)).isoformat()}{_fraction(nanos)}Z"


def duration_text(message: Any) -> str | None:
    """Seconds with a suffix `s`; both parts carry the sign."""
    seconds, nanos = message.seconds, message.nanos
    if abs(seconds) > LONGEST_DURATION or abs(nanos) >= _SECOND or seconds * nanos < 0:
        return None
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos))}s"


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    digits = f".{nanos:09d}"
    if nanos % 1_000:
        return digits
    return digits[:7] if nanos % 1_000_000 else digits[:4]


def mask_text(message: Any) -> str | None:
    """Paths in lowerCamelCase, joined by commas; None where a path would not come back the same."""
    if any(map(_is_irreversible, message.paths)):
        return None
    return ",".join(re.sub("_[a-z]", lambda found: found[0][1].upper(), path) for path in message.paths)


def _is_irreversible(path: str) -> bool:
    return any(map(str.isupper, path)) or re.search("_(?![a-z])", path) is not None


TEXTS: dict[str, Callable[[Message], str | None]] = {
    "google.protobuf.Duration": duration_text,
    "google.protobuf.FieldMask": mask_text,
    "google.protobuf.Timestamp": timestamp_text,
}
