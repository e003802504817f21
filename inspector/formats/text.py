"""Protobuf text format (https://protobuf.dev/reference/protobuf/textformat-spec/): what protoc prints and reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from inspector.errors import DecodeError, SchemaError
from inspector.formats.base import Conversion
from inspector.formats.text_reader import TextReader
from inspector.formats.text_writer import TextWriter
from inspector.transcode.resolver import message_descriptor
from inspector.transcode.survey import survey


def read(text: bytes, conversion: Conversion) -> Iterator[bytes]:
    """The one message that a text holds. Raises EncodeError with the path, line and column of what is wrong."""
    with _damage_told(conversion.type_name):
        reader = TextReader(conversion.resolver, conversion.type_name, ignore_unknown=conversion.ignore_unknown)
        message = reader.read(text)
    yield message


def write(data: bytes, conversion: Conversion) -> bytes:
    """A message as text. Raises DecodeError, and SchemaError where the schema lacks the type."""
    return write_text(data, conversion)


def write_text(data: bytes, conversion: Conversion, *, unknown_fields: bool = True) -> bytes:
    """Like `write`; without `unknown_fields`, what the schema lacks is left out."""
    writer = TextWriter(
        conversion.resolver,
        unknown_fields=unknown_fields,
        enum_numbers=conversion.enum_numbers,
        indent=2 if conversion.indent is None else conversion.indent,
        hints=conversion.hints,
    )
    if conversion.type_name is None:
        return writer.untyped(data).encode()
    with _damage_told(conversion.type_name):
        descriptor = message_descriptor(conversion.resolver, conversion.type_name)
        return writer.message(_parse(descriptor, data)).encode()


@contextmanager
def _damage_told(type_name: str | None) -> Iterator[None]:
    """Damaged descriptors show as errors of all sorts: names that are not text, or hide the methods of messages."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise SchemaError(f"the schema of {type_name} is damaged: {error}") from None


def _parse(descriptor: Descriptor, data: bytes) -> Message:
    try:
        return GetMessageClass(descriptor).FromString(data)
    except ProtobufDecodeError as refusal:
        raise survey(descriptor, data).error or DecodeError(str(refusal), code="wire") from None
