"""One payload, in any form: what the command line does with single messages, as functions.

A `schema` is a Schema, or what names one (`"protos"`, `"api.binpb"`, `"python:shop.v1.order_pb2"`). Without a type a
message goes by its field numbers, and what the fields are is guessed; `hints` then say better (`{"3.1": "string"}`).
All raise InspectorError: SchemaError for a type that is not there, DecodeError (with an offset) for bytes that do not
follow their type, EncodeError (with line and column) for text that does not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from inspector.errors import InputError, SchemaError
from inspector.formats import registry as formats
from inspector.formats.base import Conversion
from inspector.formats.template import to_value as template_value
from inspector.model.call import Message
from inspector.schema import Schema
from inspector.schema.infer import infer as infer_files
from inspector.schema.proto_source import to_source
from inspector.session import Session
from inspector.sources.payloads import holds_binary, messages_of, tell
from inspector.transcode.compare import Difference
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from inspector.transcode.message_differences import guessed_differences, sure, typed_differences
from inspector.transcode.resolver import Resolver
from inspector.transcode.template import DEFAULT_DEPTH
from inspector.transcode.template import make as make_template
from inspector.transcode.tree import FieldTree
from inspector.views.explanation import Explanation
from inspector.wire import untyped
from inspector.wire.guess import guess
from inspector.wire.json_value import JsonValue

SchemaLike = Resolver | str | os.PathLike[str] | Sequence[str] | None
Bytes = bytes | bytearray | memoryview
_NO_HINTS: Mapping[str, str] = {}


def decode(
    data: Bytes,
    type_name: str | None = None,
    *,
    schema: SchemaLike = None,
    hints: Mapping[str, str] = _NO_HINTS,
    emit_defaults: bool = False,
    proto_names: bool = False,
    enum_numbers: bool = False,
    keep_unknown: bool = False,
) -> JsonValue:
    """A message as a JSON value (https://protobuf.dev/programming-guides/json/).

    `keep_unknown` adds the fields that the type does not have, under `$unknown`."""
    data = _bytes(data)
    if type_name is None:
        sure(*guess(data, hints))
        return untyped.to_value(data, hints)
    decoder = MessageDecoder(
        _typed(schema, type_name),
        emit_defaults=emit_defaults,
        proto_names=proto_names,
        enum_numbers=enum_numbers,
        keep_unknown=keep_unknown,
    )
    found = decoder.decode(type_name, data)
    return sure(found.value, found.error)


def encode(
    value: JsonValue,
    type_name: str | None = None,
    *,
    schema: SchemaLike = None,
    hints: Mapping[str, str] = _NO_HINTS,
    ignore_unknown: bool = False,
) -> bytes:
    """A JSON value (or JSON text, as a str) as a message; without a type one that has field numbers for keys."""
    if isinstance(value, str):
        conversion = Conversion(_schema(schema), type_name, ignore_unknown=ignore_unknown, hints=hints)
        return _only(formats.find("json").read(value.encode("utf-8", "surrogatepass"), conversion))
    if type_name is None:
        return untyped.from_value(value, hints)
    return MessageEncoder(_typed(schema, type_name), ignore_unknown=ignore_unknown).encode(type_name, value)


def convert(
    data: Bytes | str,
    to: str | None = None,
    *,
    form: str | None = None,
    type_name: str | None = None,
    schema: SchemaLike = None,
    hints: Mapping[str, str] = _NO_HINTS,
    indent: int | None = 2,
    emit_defaults: bool = False,
    proto_names: bool = False,
    enum_numbers: bool = False,
    ignore_unknown: bool = False,
    keep_unknown: bool = False,
) -> bytes | str:
    """A message in another form: `binary` as bytes; `json`, `text`, `yaml`, `protoscope`, `hex`, `base64` as text.

    `form` is the one that it has, where its content does not tell. `to` is JSON for binary, else binary."""
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else _bytes(data)
    conversion = Conversion(
        _schema(schema),
        type_name,
        emit_defaults,
        proto_names,
        enum_numbers,
        indent,
        ignore_unknown,
        keep_unknown,
        hints,
    )
    if to is None:
        to = "json" if holds_binary(tell(data, form or "", "")) else "binary"
    target = formats.find(to)
    written = target.write(_only(messages_of(data, form, conversion)), conversion)
    return written.decode() if target.is_text else written


def explain(
    data: Bytes,
    type_name: str | None = None,
    *,
    schema: SchemaLike = None,
    hints: Mapping[str, str] = _NO_HINTS,
) -> Explanation:
    """Every byte of a message accounted for; shows itself as text, in a notebook and in a rich terminal. Damage does
    not raise: it is in the tree."""
    resolver = _schema(schema) if type_name is None else _typed(schema, type_name)
    return Explanation(FieldTree(_bytes(data), resolver=resolver, type_name=type_name, hints=hints))


def diff(
    first: Bytes,
    second: Bytes,
    type_name: str | None = None,
    *,
    schema: SchemaLike = None,
    hints: Mapping[str, str] = _NO_HINTS,
    tolerance: float = 0.0,
    names: tuple[str, str] = ("first", "second"),
) -> list[Difference]:
    """The differences between two messages, by field path. Fields that the type does not have count too, and so do
    strings that are not UTF-8.

    `names` are what errors call the two. Raises InputError for a tolerance that is none."""
    if not tolerance >= 0:
        raise InputError(f"a tolerance is a number from 0 on, not {tolerance}")
    first, second = _bytes(first), _bytes(second)
    if type_name is None:
        return guessed_differences(first, second, hints=hints, tolerance=tolerance, names=names)
    resolver = _typed(schema, type_name)
    return typed_differences(first, second, type_name, resolver, hints=hints, tolerance=tolerance, names=names)


def template(
    symbol: str,
    *,
    schema: SchemaLike = None,
    response: bool = False,
    empty: bool = False,
    depth: int = DEFAULT_DEPTH,
    proto_names: bool = False,
) -> JsonValue:
    """A message to fill in, as a JSON value that `encode` takes: of a message type, or of a method (`pkg.Svc/Method`)
    the request, or the response.

    Every field has a sample value (`empty`: its default), of a oneof the first; a type within itself, and messages
    more than `depth` within each other, are left out. Raises SchemaError."""
    found = _schema(schema)
    type_name = symbol.removeprefix(".")
    if response or found.find_message(type_name) is None:
        if not isinstance(found, Schema):
            raise SchemaError(f"no message type {type_name} in the schema", hint="name its source: schema=...")
        type_name = message_of(found, symbol, response=response)
    return template_value(make_template(found, type_name, empty=empty, depth=depth), found, proto_names=proto_names)


def message_of(schema: Schema, symbol: str, *, response: bool = False) -> str:
    """The message type that a symbol stands for: itself, or that of the request (or response) of a method. Raises
    SchemaError, also for the `response` of what is no method."""
    kinds = ("method",) if response else ("method", "message")
    found = schema.symbols.get(symbol, *kinds)
    if found.kind == "message":
        return found.name
    method = schema.method(found.name)
    return (method.output_type if response else method.input_type).full_name


def infer(
    messages: Bytes | Session | Iterable[Message | bytes],
    *,
    hints: Mapping[str, str] = _NO_HINTS,
    package: str = "",
    message_name: str = "",
) -> str:
    """A .proto file that decodes the messages, with the evidence in comments: bytes are all of one type, messages of a
    session have the types of their methods. Of several packages it is the one with most messages."""
    if isinstance(messages, Session):
        messages = messages.messages()
    elif isinstance(messages, Bytes):
        messages = [bytes(messages)]
    return to_source(infer_files(messages, hints, package=package, message_name=message_name).files[0])


def _schema(schema: SchemaLike) -> Resolver:
    if schema is None:
        return Schema.empty()
    if isinstance(schema, str | os.PathLike):
        return Schema.from_source(os.fspath(schema))
    return Schema.from_sources(schema) if isinstance(schema, Sequence) else schema


def _bytes(data: Bytes) -> bytes:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"a message is bytes, this is {type(data).__name__}", hint="inspector.encode makes bytes")
    return bytes(data)


def _typed(schema: SchemaLike, type_name: str) -> Resolver:
    """The schema, where it has the type. Raises SchemaError."""
    found = _schema(schema)
    if found.find_message(type_name) is None:
        if isinstance(found, Schema):
            found.message(type_name)
        raise SchemaError(f"no message type {type_name} in the schema", hint="name its source: schema=...")
    return found


def _only(messages: Iterable[bytes]) -> bytes:
    found = list(messages)
    if len(found) != 1:
        raise InputError(f"there are {len(found)} messages, not one")
    return found[0]
