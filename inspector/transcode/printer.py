"""Messages as JSON values, in the ProtoJSON mapping (https://protobuf.dev/programming-guides/json/).

The result is that of `google.protobuf.json_format.MessageToDict`. Only where that raises, or would lose what a
reader of captured traffic looks for, does it differ:

- an Any whose type is unknown: `{"@type": url, "value": base64}`;
- an Any whose payload does not parse, or nests too deep: `{"@type": url, "$bytes": base64}`, which no field is called;
- a Timestamp, Duration or FieldMask out of its range: its plain fields;
- NaN and infinities in a Value: the strings that double fields have; an unknown number of a closed enum: the number;
- proto2 strings that are not UTF-8: U+FFFD in place of what cannot be read.

With `strict`, the first four of these raise DecodeError with the code `json`, as the mapping has it.

Printing compiles each message type once into a plan: the converters of its fields by their descriptors. upb keeps one
descriptor object a field for as long as something holds it, so that it serves as a dictionary key.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from operator import itemgetter
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message

from inspector.errors import DecodeError
from inspector.limits import MAX_DEPTH
from inspector.schema.wording import one_line
from inspector.transcode.maps import WireMap, is_map, map_items, map_value
from inspector.transcode.resolver import Resolver
from inspector.transcode.scalars import (
    Convert,
    base64_text,
    double,
    repeated_converter,
    scalar_converter,
    text,
)
from inspector.transcode.unknown import UNKNOWN, unknown_bytes
from inspector.transcode.well_known import TEXTS, WRAPPERS, special_name
from inspector.wire import untyped
from inspector.wire.json_value import BYTES, JsonValue

Object = dict[str, JsonValue]

Nested = Callable[[Any, int], JsonValue]
"""Prints a value that holds messages; the number is how deep they lie."""

OnPayload = Callable[[Descriptor, Message, bytes], None]
"""Told of each payload of an Any that was resolved: its type, and itself as a message and as it came."""


class Entry(NamedTuple):
    """How a field is printed: by `nested` where it holds messages, by `scalar`, or, with neither, as it is."""

    name: str
    scalar: Convert | None
    nested: Nested | None

    def print(self, value: Any, depth: int) -> JsonValue:
        """Prints a value of the field (the loop over a message has this in place)."""
        if self.nested is not None:
            return self.nested(value, depth)
        return _same(value) if self.scalar is None else self.scalar(value)


class JsonPrinter:
    """Prints messages of any type; plans are kept for its lifetime. `resolver` finds the types in Any.

    The options are those of `json_format.MessageToDict`: `emit_defaults` (always_print_fields_with_no_presence),
    `proto_names` (preserving_proto_field_name), `enum_numbers` (use_integers_for_enums); and `strict`, see above.
    With `keep_unknown` the fields that a type does not have are there too, under the key `$unknown`.
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
        on_payload: OnPayload | None = None,
    ) -> None:
        self._resolver = resolver
        self._emit_defaults = emit_defaults
        self._proto_names = proto_names
        self._enum_numbers = enum_numbers
        self._strict = strict
        self._keep_unknown = keep_unknown
        self._on_payload = on_payload
        self._printers: dict[Descriptor, Nested] = {}

    def to_value(self, message: Message) -> JsonValue:
        """The JSON value of a message. Raises DecodeError with the code `depth` over limits.MAX_DEPTH.

        (A message that came from bytes is never so deep: the runtime's parser has the same limit.)
        """
        descriptor: Any = message.DESCRIPTOR
        try:
            return self.printer(descriptor)(message, 0)
        except _TooDeep:
            raise DecodeError(f"messages nested over {MAX_DEPTH} deep", code="depth") from None

    def printer(self, descriptor: Descriptor) -> Nested:
        """The plan of a message type."""
        known = self._printers.get(descriptor)
        if known is None:
            known = self._printers[descriptor] = self._compile(descriptor)
        return known

    def _compile(self, descriptor: Descriptor) -> Nested:
        special = special_name(descriptor)
        if special is None:
            return self._plain(descriptor)
        if special in WRAPPERS:
            return self._wrapper(descriptor)
        if special in TEXTS:
            return _one_text(TEXTS[special], _no_text(special) if self._strict else self._plain(descriptor))
        values = _Values(_finite if self._strict else double)
        return {
            "google.protobuf.Any": self._any,
            "google.protobuf.ListValue": values.list_value,
            "google.protobuf.Struct": values.struct,
            "google.protobuf.Value": values.value,
        }[special]

    # --- plain messages ------------------------------------------------------------------------------------------

    def _plain(self, descriptor: Descriptor) -> Nested:
        entries = _Entries(self.entry)
        defaults = self._defaults(descriptor) if self._emit_defaults else ()
        keep_unknown = self._keep_unknown

        def print_message(message: Message, depth: int) -> JsonValue:
            if depth > MAX_DEPTH:
                raise _TooDeep
            result: Object = {}
            for field, value in message.ListFields():
                name, scalar, nested = entries[field]
                try:
                    if nested is not None:
                        result[name] = nested(value, depth + 1)
                    else:
                        result[name] = value if scalar is None else scalar(value)
                except UnicodeDecodeError:
                    if not is_map(field):
                        raise
                    result[name] = entries[field].print(WireMap(message, field), depth + 1)
            for name, make in defaults:
                if name not in result:
                    result[name] = make()
            if keep_unknown:
                unknown = unknown_bytes(message)
                if unknown:
                    result[UNKNOWN] = untyped.to_value(unknown)
            return result

        return print_message

    def entry(self, field: FieldDescriptor) -> Entry:
        """How a field is printed."""
        if field.message_type is None:
            scalar = scalar_converter(field, self._enum_numbers)
            return Entry(self._name(field), repeated_converter(scalar) if field.is_repeated else scalar, None)
        if is_map(field):
            return Entry(self._name(field), *self._map(field))
        one = self.printer(field.message_type)
        return Entry(self._name(field), None, _each(one) if field.is_repeated else one)

    def _name(self, field: FieldDescriptor) -> str:
        if field.is_extension:
            return f"[{field.full_name}]"
        return field.name if self._proto_names else field.json_name

    def _map(self, field: FieldDescriptor) -> tuple[Convert | None, Nested | None]:
        items = map_items(field)
        value = map_value(field)
        if value.message_type is not None:
            one = self.printer(value.message_type)
            return None, lambda values, depth: {key: one(item, depth) for key, item in items(values)}
        scalar = scalar_converter(value, self._enum_numbers)
        if scalar is None:
            return lambda values: dict(items(values)), None
        return lambda values: {key: scalar(item) for key, item in items(values)}, None

    def _defaults(self, descriptor: Descriptor) -> list[tuple[str, Callable[[], JsonValue]]]:
        without = [field for field in descriptor.fields if not field.has_presence]
        return [(self._name(field), self._default(field)) for field in without]

    def _default(self, field: FieldDescriptor) -> Callable[[], JsonValue]:
        if field.is_repeated:
            return dict if is_map(field) else list
        scalar = scalar_converter(field, self._enum_numbers)
        return partial(scalar or _same, field.default_value)

    # --- types with a form of their own --------------------------------------------------------------------------

    def _wrapper(self, descriptor: Descriptor) -> Nested:
        scalar = scalar_converter(descriptor.fields_by_name["value"], self._enum_numbers) or _same
        return lambda message, _: scalar(message.value)

    def _any(self, message: Any, depth: int) -> JsonValue:
        url, payload = text(message.type_url), message.value
        if not url and not payload:
            return {}
        try:
            return self._resolved(url, payload, depth + 1)
        except (_Unresolved, _TooDeep, ProtobufDecodeError):
            if self._strict:
                raise DecodeError(
                    f"an Any of {one_line(url)} has no form in JSON: it cannot be read", code="json"
                ) from None
            return {"@type": url, BYTES if self._payload_type(url) else "value": base64_text(payload)}

    def _resolved(self, url: str, payload: bytes, depth: int) -> JsonValue:
        descriptor = self._payload_type(url)
        if self._resolver is None or descriptor is None or depth > MAX_DEPTH:
            raise _Unresolved
        message = self._resolver.message_class(descriptor.full_name).FromString(payload)
        value = self.printer(descriptor)(message, depth)
        if self._on_payload:
            self._on_payload(descriptor, message, payload)
        if special_name(descriptor) is None and isinstance(value, dict):
            return {"@type": url, **value}
        return {"@type": url, "value": value}

    def _payload_type(self, url: str) -> Descriptor | None:
        return self._resolver.find_message(url.rpartition("/")[2]) if self._resolver else None


class _TooDeep(Exception):
    """Messages nest over the limit, counted through Any."""


class _Unresolved(Exception):
    """No type for an Any."""


class _Entries(dict[FieldDescriptor, Entry]):
    """Entries, made when a field is first met: extensions come at any time, and types refer to themselves."""

    def __init__(self, make: Callable[[FieldDescriptor], Entry]) -> None:
        self._make = make

    def __missing__(self, field: FieldDescriptor) -> Entry:
        entry = self[field] = self._make(field)
        return entry


def _each(one: Nested) -> Nested:
    return lambda values, depth: [one(value, depth) for value in values]


def _same(value: Any) -> JsonValue:
    return value  # type: ignore[no-any-return]


def _one_text(make: Callable[[Message], str | None], plain: Nested) -> Nested:
    def print_text(message: Message, depth: int) -> JsonValue:
        made = make(message)
        return plain(message, depth) if made is None else made

    return print_text


def _no_text(name: str) -> Nested:
    def refuse(_: Message, __: int) -> JsonValue:
        raise DecodeError(f"a {name} out of its range has no form in JSON", code="json")

    return refuse


def _finite(value: float) -> JsonValue:
    if not isfinite(value):
        raise DecodeError(f"{value} in a google.protobuf.Value has no form in JSON", code="json")
    return value


class _Values:
    """Prints Value, Struct and ListValue, which hold each other; their numbers by `number`."""

    def __init__(self, number: Callable[[float], JsonValue]) -> None:
        self._kinds: dict[str | None, Nested] = {
            "bool_value": lambda value, _: value,
            "list_value": self.list_value,
            "number_value": lambda value, _: number(value),
            "string_value": lambda value, _: text(value),
            "struct_value": self.struct,
        }

    def struct(self, message: Any, depth: int) -> JsonValue:
        return {key: self.value(value, depth + 1) for key, value in sorted(message.fields.items(), key=itemgetter(0))}

    def list_value(self, message: Any, depth: int) -> JsonValue:
        return [self.value(value, depth + 1) for value in message.values]

    def value(self, message: Any, depth: int) -> JsonValue:
        if depth > MAX_DEPTH:
            raise _TooDeep
        kind = message.WhichOneof("kind")
        return self._kinds[kind](getattr(message, kind), depth + 1) if kind in self._kinds else None
