"""Message bytes to JSON: by a schema, or by guessing where there is none.

Callers that want text ask for `decode_json`: how bytes become JSON text behind it may change to something faster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message

from inspector.errors import DecodeError, SchemaError
from inspector.transcode.json_tables import JsonTables
from inspector.transcode.json_text import dumps
from inspector.transcode.printer import JsonPrinter, Nested
from inspector.transcode.resolver import Resolver, message_descriptor
from inspector.transcode.survey import survey

if TYPE_CHECKING:
    from inspector.wire.guess import JsonValue, Shape

try:
    from inspector.transcode.wire_to_json_cy import WireToJson
except ImportError:
    WireToJson = None  # type: ignore[assignment, misc]  # not compiled

DecodedBy = Literal["schema", "guess"]


class Decoded(NamedTuple):
    """A message as a JSON value; None where a schema was given and the bytes do not follow it.

    `unknown_bytes` counts tags and values of fields that the schema does not have, in messages within it and in Any
    too. A guess has none, and keeps the fields before its `error`.
    """

    value: JsonValue
    unknown_bytes: int
    decoded_by: DecodedBy
    error: DecodeError | None


class DecodedJson(NamedTuple):
    """The same with the value as compact JSON text in UTF-8, `null` where there is none."""

    json: bytes
    unknown_bytes: int
    decoded_by: DecodedBy
    error: DecodeError | None


class _Type(NamedTuple):
    parse: Callable[[bytes], Message]
    descriptor: Descriptor
    print: Nested


class MessageDecoder:
    """Decodes messages of the types of a schema. The options are those of `JsonPrinter`.

    What it learns of a type it keeps, so one is made for many messages. It is for one thread at a time.
    """

    def __init__(
        self,
        resolver: Resolver | None = None,
        *,
        emit_defaults: bool = False,
        proto_names: bool = False,
        enum_numbers: bool = False,
        strict: bool = False,
        keep_unknown: bool = False,
    ) -> None:
        self._resolver = resolver
        self._types: dict[str, _Type] = {}
        self._unknown_in_payloads = 0
        self._printer = JsonPrinter(
            resolver,
            emit_defaults=emit_defaults,
            proto_names=proto_names,
            enum_numbers=enum_numbers,
            strict=strict,
            keep_unknown=keep_unknown,
            on_payload=self._count_payload,
        )
        self._tables = JsonTables(
            resolver, emit_defaults=emit_defaults, proto_names=proto_names, enum_numbers=enum_numbers
        )
        has_kernel = WireToJson is not None and not keep_unknown
        self._kernel = WireToJson(self._tables, strict=strict) if has_kernel else None

    def decode(self, type_name: str | None, data: bytes) -> Decoded:
        """Decodes one message; without a type name it guesses.

        Damage is in `error`, its offset counted from the start of the message: `truncated`, `wire`, `depth` or
        `utf8`, where it is strict also `json`. Raises SchemaError for a type that the schema lacks.
        """
        if type_name is None:
            return self.decode_unknown(data)
        kind = self._types.get(type_name) or self._load(type_name)
        try:
            message = kind.parse(data)
        except ProtobufDecodeError as refusal:
            found = survey(kind.descriptor, data)
            return Decoded(None, 0, "schema", found.error or DecodeError(str(refusal), code="wire"))
        self._unknown_in_payloads = 0
        try:
            value = kind.print(message, 0)
        except DecodeError as error:
            return Decoded(None, 0, "schema", error)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # A damaged descriptor: names that are not text, map entries without a key.
            return Decoded(
                None, 0, "schema", DecodeError(f"the schema of {type_name} is damaged: {error}", code="schema")
            )
        unknown = self._unknown_in_payloads + _unknown_bytes(message, kind.descriptor, data)
        return Decoded(value, unknown, "schema", None)

    def decode_unknown(self, data: bytes, shape: Shape | None = None) -> Decoded:
        """Decodes one message whose type is not known; `shape` is that of messages like it."""
        from inspector.wire.guess import guess  # noqa: PLC0415  # many modules, not needed where a schema tells

        value, error = guess(data, shape=shape)
        return Decoded(value, 0, "guess", error)

    def decode_json(self, type_name: str | None, data: bytes, shape: Shape | None = None) -> DecodedJson:
        """Like `decode` and `decode_unknown`, to JSON text."""
        if type_name is not None and self._kernel is not None:
            text = self._kernel.write(self._tables.type_index(type_name), data)
            if text is not None:
                return DecodedJson(text, self._kernel.unknown_bytes, "schema", None)
        found = self.decode_unknown(data, shape) if type_name is None else self.decode(type_name, data)
        return DecodedJson(dumps(found.value), found.unknown_bytes, found.decoded_by, found.error)

    def _load(self, type_name: str) -> _Type:
        descriptor = message_descriptor(self._resolver, type_name)
        parse = message_factory.GetMessageClass(descriptor).FromString
        try:
            printer = self._printer.printer(descriptor)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise SchemaError(f"the schema of {type_name} is damaged: {error}") from None
        kind = self._types[type_name] = _Type(parse, descriptor, printer)
        return kind

    def _count_payload(self, descriptor: Descriptor, message: Message, payload: bytes) -> None:
        self._unknown_in_payloads += _unknown_bytes(message, descriptor, payload)


def _unknown_bytes(message: Message, descriptor: Descriptor, data: bytes) -> int:
    """Bytes of unknown fields, without a walk in the usual case of none. Takes them out of the message."""
    size = len(message.SerializePartialToString())  # `ByteSize` raises where a required field is missing
    message.DiscardUnknownFields()
    return 0 if len(message.SerializePartialToString()) == size else survey(descriptor, data).unknown_bytes
