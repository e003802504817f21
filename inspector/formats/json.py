"""JSON, in the ProtoJSON mapping (https://protobuf.dev/programming-guides/json/).

Several documents, as lines or one behind the other, are as many messages. Without a type, a message has its field
numbers for keys, as `inspector.wire.untyped` has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from inspector.formats import values
from inspector.formats.base import Conversion, Format
from inspector.transcode.json_source import JsonSource
from inspector.transcode.json_text import dumps


def read(data: bytes, conversion: Conversion) -> Iterator[bytes]:
    """The messages that JSON documents stand for."""
    source = JsonSource(data)
    encode = values.encode(conversion)
    for value, start in source.documents():
        yield encode(value, partial(source.place, start))


def write(data: bytes, conversion: Conversion) -> bytes:
    """A message as a line of JSON, or as lines where an indent is set."""
    return dumps(values.to_value(data, conversion), conversion.indent) + b"\n"


JSON = Format("json", read, write, (".json", ".ndjson", ".jsonl"), separator=b"")
