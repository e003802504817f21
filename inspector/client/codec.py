"""Messages of a method, from what callers have to bytes, and back to JSON values.

The invariant: what is sent is of the method's type, unless the caller gave bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import orjson
from google.protobuf.message import EncodeError as UnsetError
from google.protobuf.message import Message

from inspector.client.protocols.base import Kind
from inspector.errors import InputError
from inspector.schema import Schema
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from inspector.wire.json_value import JsonValue

Sendable = JsonValue | bytes | bytearray | memoryview | Message
"""A message: a JSON value, JSON text (str), a protobuf Message, or the bytes of one."""


class Method(NamedTuple):
    """`path` is that of HTTP/2: `/pkg.Svc/Method`."""

    path: str
    request: str
    response: str
    kind: Kind


class Codec:
    """Encodes and decodes by a schema. It is for one thread at a time."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._encoder = MessageEncoder(schema)
        self._decoder = MessageDecoder(schema)

    def method(self, name: str) -> Method:
        """The method with this name, in any of its forms. Raises SchemaError."""
        found = self.schema.method(name)
        path = f"/{found.containing_service.full_name}/{found.name}"
        kind = Kind(found.client_streaming, found.server_streaming)
        return Method(path, found.input_type.full_name, found.output_type.full_name, kind)

    def requests(self, method: Method, given: Sendable | Sequence[Sendable]) -> list[bytes]:
        """The messages to send: a list or a tuple is one of messages. A unary method without one sends an empty one.

        Raises InputError for a number of messages, or a type, that the method does not take; EncodeError.
        """
        several = cast("list[Sendable]", list(given) if isinstance(given, list | tuple) else [given])
        if not several and not method.kind.takes_stream:
            return [b""]
        if len(several) != 1 and not method.kind.takes_stream:
            raise InputError(f"{method.path} takes one message, and there are {len(several)}")
        return [self.encode(method, message) for message in several]

    def encode(self, method: Method, message: Sendable) -> bytes:
        """A request as bytes. Raises EncodeError, InputError."""
        if isinstance(message, bytes | bytearray | memoryview):
            return bytes(message)
        if isinstance(message, Message):
            return _serialized(method, message)
        if isinstance(message, str):
            return self._encoder.encode_json(method.request, message.encode("utf-8", "surrogatepass"))
        return self._encoder.encode(method.request, message)

    def decode(self, method: Method, data: bytes) -> JsonValue:
        """A response as a JSON value. Raises DecodeError."""
        found = self._decoder.decode_json(method.response, data)
        if found.error is not None:
            raise found.error
        value: JsonValue = orjson.loads(found.json)
        return value

    def details(self, status: bytes | None) -> list[JsonValue]:
        """The details in a serialized google.rpc.Status; none where it is damaged."""
        found = self._decoder.status_details(status) if status else None
        return cast("list[JsonValue]", found or [])


def _serialized(method: Method, message: Message) -> bytes:
    name = message.DESCRIPTOR.full_name
    if name != method.request:
        raise InputError(f"{method.path} takes {method.request}, not {name}")
    try:
        return message.SerializeToString()
    except UnsetError as error:
        raise InputError(f"the message cannot be sent: {error}") from None
