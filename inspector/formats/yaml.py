"""YAML, by the same mapping as JSON (https://protobuf.dev/programming-guides/json/): a document is a message."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from inspector.formats import values
from inspector.formats.base import Conversion
from inspector.formats.yaml_reader import YamlSource
from inspector.formats.yaml_writer import dumps


def read(data: bytes, conversion: Conversion) -> Iterator[bytes]:
    """The messages that YAML documents stand for."""
    source = YamlSource(data)
    encode = values.encode(conversion)
    for value, number in source.documents():
        yield encode(value, partial(source.place, number))


def write(data: bytes, conversion: Conversion) -> bytes:
    """A message as a YAML document in block style."""
    return dumps(values.to_value(data, conversion)).encode()
