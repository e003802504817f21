"""JSON, in the ProtoJSON mapping (https://protobuf.dev/programming-guides/json/).

Several documents, as lines or one behind the other, are as many messages, and so is an array of them. Without a type, a
message has its field numbers for keys, as `inspector.wire.untyped` has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from inspector.formats import values
from inspector.formats.base import Conversion
from inspector.transcode.json_text import dumps, indented

if TYPE_CHECKING:
    from inspector.transcode.json_source import JsonSource
    from inspector.transcode.refusal import Place, Step


def read(data: bytes, conversion: Conversion) -> Iterator[bytes]:
    """The messages that JSON documents stand for."""
    from inspector.transcode.json_source import JsonSource  # noqa: PLC0415  # not needed to write

    source = JsonSource(data)
    encode = values.encode(conversion)
    is_list = conversion.type_name in _LISTS
    for value, start in source.documents():
        if isinstance(value, list) and not is_list:
            for index, item in enumerate(value):
                yield encode(item, partial(_place_in, source, start, index))
        else:
            yield encode(value, partial(source.place, start))


_LISTS = ("google.protobuf.ListValue", "google.protobuf.Value")
"""Types of which one message may be an array in JSON."""


def _place_in(source: JsonSource, start: int, index: int, steps: Sequence[Step], at_key: bool) -> Place:
    return source.place(start, [index, *steps], at_key)


def write(data: bytes, conversion: Conversion) -> bytes:
    """A message as a line of JSON, or as lines where an indent is set."""
    return write_telling(data, conversion)[0]


def write_telling(data: bytes, conversion: Conversion) -> tuple[bytes, bool]:
    """The same, and whether it may leave out something that the message holds. (False is sure.)"""
    if conversion.type_name is None:
        return dumps(values.to_value(data, conversion), conversion.indent) + b"\n", False
    decoded = values.decoder(conversion).decode_json(conversion.type_name, data)
    if decoded.error is not None:
        raise decoded.error
    may_leave_out = decoded.unknown_bytes > 0 or _REPLACEMENT in decoded.json
    return indented(decoded.json, conversion.indent) + b"\n", may_leave_out


_REPLACEMENT = "\ufffd".encode()
"""What stands for bytes of a string that are not UTF-8."""
