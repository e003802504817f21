"""Message bytes to JSON values through messages of the protobuf runtime: the exact way, for all that follows a schema.

Invariant: what the runtime refuses to parse has an error and no value; all else has a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message

from inspector.errors import DecodeError, SchemaError
from inspector.transcode.decoded import Decoded
from inspector.transcode.printer import JsonPrinter, Nested
from inspector.transcode.resolver import Resolver, message_descriptor
from inspector.transcode.survey import survey

DISCARDED_DEPTH = 60
"""Levels of messages from which the runtime discards unknown fields; below its 63rd it leaves them, without a word."""


class _Type(NamedTuple):
    parse: Callable[[bytes], Message]
    descriptor: Descriptor
    print: Nested


class ExactDecoder:
    """Decodes messages of the types of a schema. The options are those of `JsonPrinter`."""

    def __init__(
        self,
        resolver: Resolver | None,
        *,
        emit_defaults: bool,
        proto_names: bool,
        enum_numbers: bool,
        strict: bool,
        keep_unknown: bool,
    ) -> None:
        self._resolver = resolver
        self._types: dict[str, _Type] = {}
        self._nesting: dict[Descriptor, bool] = {}
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

    def decode(self, type_name: str, data: bytes) -> Decoded:
        """Decodes one message, as `MessageDecoder.decode` has it."""
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
        unknown = self._unknown_in_payloads + self._unknown_bytes(message, kind.descriptor, data)
        return Decoded(value, unknown, "schema", None)

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
        self._unknown_in_payloads += self._unknown_bytes(message, descriptor, payload)

    def _unknown_bytes(self, message: Message, descriptor: Descriptor, data: bytes) -> int:
        """Bytes of unknown fields, without a walk in the usual case of none. Takes them out of the message."""
        if len(data) > 2 * DISCARDED_DEPTH and self._may_nest(descriptor):
            return survey(descriptor, data).unknown_bytes
        size = len(message.SerializePartialToString())  # `ByteSize` raises where a required field is missing
        message.DiscardUnknownFields()
        return 0 if len(message.SerializePartialToString()) == size else survey(descriptor, data).unknown_bytes

    def _may_nest(self, descriptor: Descriptor) -> bool:
        """Whether messages of the type may nest deeper than the runtime discards: most types do not hold themselves."""
        if descriptor not in self._nesting:
            self._nesting[descriptor] = nests_deep(descriptor)
        return self._nesting[descriptor]


def nests_deep(descriptor: Descriptor) -> bool:
    """Whether messages of the type may nest deeper than DISCARDED_DEPTH: as one holds itself, or as there are so many
    types in it. (False is sure.)"""
    seen: set[Descriptor] = set()
    return _returns(descriptor, set(), seen) or len(seen) > DISCARDED_DEPTH


def _returns(descriptor: Descriptor, above: set[Descriptor], seen: set[Descriptor]) -> bool:
    """Whether a type that stands above in the same chain comes again; no more types are looked at than are of use."""
    if descriptor in above:
        return True
    if descriptor in seen or len(seen) > DISCARDED_DEPTH:
        return False
    seen.add(descriptor)
    inner = {field.message_type for field in descriptor.fields if field.message_type is not None}
    return any(_returns(each, above | {descriptor}, seen) for each in inner)
