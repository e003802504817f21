"""JSON, in the ProtoJSON mapping (https://protobuf.dev/programming-guides/json/). Without a type, a message has
its field numbers for keys, as `inspector.wire.untyped` has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inspector.formats import values
from inspector.formats.base import Conversion
from inspector.transcode.json_text import dumps, indented


def read(data: bytes, conversion: Conversion) -> Iterator[bytes]:
    """The messages that JSON documents stand for (`json_reader`)."""
    from inspector.formats import json_reader  # noqa: PLC0415  # not needed to write

    return json_reader.read(data, conversion)


def write(data: bytes, conversion: Conversion) -> bytes:
    """A message as a line of JSON, or as lines where an indent is set."""
    return write_telling(data, conversion).text + b"\n"


class Written(NamedTuple):
    """JSON without the end of its line, and whether it may leave out something that the message holds (False is sure).

    `is_seen` as in `DecodedJson`.
    """

    text: bytes
    may_leave_out: bool
    is_seen: bool


def write_telling(data: bytes, conversion: Conversion) -> Written:
    """A message as `write` has it."""
    if conversion.type_name is None:
        return Written(dumps(values.to_value(data, conversion), conversion.indent), False, False)
    decoded = values.decoder(conversion).decode_json(conversion.type_name, data)
    if decoded.error is not None:
        raise decoded.error
    may_leave_out = decoded.unknown_bytes > 0 or (not decoded.is_seen and _REPLACEMENT in decoded.json)
    return Written(indented(decoded.json, conversion.indent), may_leave_out, decoded.is_seen)


_REPLACEMENT = "\ufffd".encode()
"""What stands for bytes of a string that are not UTF-8."""
