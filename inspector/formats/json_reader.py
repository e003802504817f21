"""JSON read, in the ProtoJSON mapping (https://protobuf.dev/programming-guides/json/).

Several documents, as lines or one behind the other, are as many messages, and so is an array of them. Without a type, a
message has its field numbers for keys, as `inspector.wire.untyped` has it.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from functools import partial

from inspector.formats import values
from inspector.formats.base import Conversion
from inspector.transcode.encode import MessageEncoder
from inspector.transcode.json_source import Document, JsonSource
from inspector.transcode.refusal import Place, Step


def read(data: bytes, conversion: Conversion) -> Iterator[bytes]:
    """The messages that JSON documents stand for."""
    if conversion.type_name is None:
        source = JsonSource(data)
        encode = values.encode(conversion)
        for document in source.documents():
            yield from _messages(document, source, encode)
        return
    encoder = values.encoder(conversion)
    found = encoder.read_all(conversion.type_name, data, arrays=_has_arrays(conversion.type_name))
    if found is not None and found[1] == len(data):
        yield from found[0]
    else:
        yield from _documents(data, conversion.type_name, encoder)


_LISTS = ("google.protobuf.ListValue", "google.protobuf.Value")
"""Types of which one message may be an array in JSON."""


def _has_arrays(type_name: str) -> bool:
    """Whether an array is one of messages, rather than a message."""
    return type_name not in _LISTS


def _documents(data: bytes, type_name: str, encoder: MessageEncoder) -> Iterator[bytes]:
    """The messages of several documents; a document that needs a closer look gets it, and the next one not."""
    source = JsonSource(data)
    encode = partial(encoder.encode, type_name)
    arrays = _has_arrays(type_name)
    at = _Offset(data, source.text)
    at.to_character(source.skip_space(0))
    while at.characters < len(source.text):
        found = encoder.read_all(type_name, data, at.bytes, arrays=arrays)
        if found is not None:
            messages, end = found
            yield from messages
            at.to_byte(end)
        else:
            document, end = source.document_at(at.characters)
            yield from _messages(document, source, encode, arrays)
            at.to_character(end)


class _Offset:
    """A place in a text as bytes and as characters count it. It moves forward only, so that each is counted once."""

    def __init__(self, data: bytes, text: str) -> None:
        self._data = data
        self._text = text
        self.bytes = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
        self.characters = 0

    def to_byte(self, offset: int) -> None:
        self.characters += len(self._data[self.bytes : offset].decode())
        self.bytes = offset

    def to_character(self, offset: int) -> None:
        self.bytes += len(self._text[self.characters : offset].encode())
        self.characters = offset


def _messages(document: Document, source: JsonSource, encode: values.Encode, arrays: bool = True) -> Iterator[bytes]:
    value, start = document
    if isinstance(value, list) and arrays:
        for index, item in enumerate(value):
            yield encode(item, partial(_place_in, source, start, index))
    else:
        yield encode(value, partial(source.place, start))


def _place_in(source: JsonSource, start: int, index: int, steps: Sequence[Step], at_key: bool) -> Place:
    return source.place(start, [index, *steps], at_key)
