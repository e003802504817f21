"""What two definitions of one symbol disagree about, said so that a person can settle it.

Compared is what decides how bytes are read and how JSON is written. Comments, the presence of a `json_name` that is
the default one, reserved ranges and custom options are not: sets made by protoc, by buf and by the Python generator
differ in them for one and the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

from inspector.schema.wording import text

_MISSING = "missing"


class Definition(NamedTuple):
    """A top-level definition: its kind (as a person would say it), full name, descriptor, and the file's dialect."""

    kind: str
    name: str
    node: DescriptorProto | EnumDescriptorProto | ServiceDescriptorProto | FieldDescriptorProto
    dialect: str


class Difference(NamedTuple):
    """`place` (such as "message shop.v1.Item: field 3") is `first` in one and `second` in the other."""

    place: str
    first: str
    second: str


def definitions(proto: FileDescriptorProto) -> Iterator[Definition]:
    """The top-level definitions of a file."""
    prefix = f"{text(proto.package)}." if proto.package else ""
    dialect = _dialect(proto)
    kinds = ("message", proto.message_type), ("enum", proto.enum_type), ("service", proto.service)
    for kind, nodes in (*kinds, ("extension", proto.extension)):
        for node in nodes:
            yield Definition(kind, prefix + text(node.name), node, dialect)


def difference(first: Definition, second: Definition) -> Difference | None:
    """The first difference between two definitions of one name, or None where they mean the same."""
    if first.kind != second.kind:
        return Difference(first.name, _kind(first), _kind(second))
    place = f"{first.kind} {first.name}"
    if first.dialect != second.dialect:
        return Difference(place, first.dialect, second.dialect)
    if first.node == second.node:
        return None
    return next(_COMPARE[first.kind](place, first.node, second.node), None)


def _kind(definition: Definition) -> str:
    return f"{'an' if definition.kind[0] in 'aeiou' else 'a'} {definition.kind}"


def _dialect(proto: FileDescriptorProto) -> str:
    if proto.syntax != "editions":
        return text(proto.syntax) or "proto2"
    edition = proto.edition
    name = Edition.Name(edition) if edition in Edition.values() else str(edition)
    return f"{name.replace('_', ' ').lower()} with features {_features(proto)}"


def _features(node: FileDescriptorProto | FieldDescriptorProto | EnumDescriptorProto) -> str:
    """The edition features set on one element, as one line."""
    return str(node.options.features).replace("\n", " ").strip() or "none"


def _messages(place: str, first: DescriptorProto, second: DescriptorProto) -> Iterator[Difference]:
    yield from _fields(place, first.field, second.field)
    yield from _properties(f"{place}: ", _message_properties(first), _message_properties(second))
    yield from _by_name(place, "message", first.nested_type, second.nested_type, _messages)
    yield from _by_name(place, "enum", first.enum_type, second.enum_type, _enums)
    yield from _by_name(place, "extension", first.extension, second.extension, _field)


def _fields(
    place: str, first: Iterable[FieldDescriptorProto], second: Iterable[FieldDescriptorProto]
) -> Iterator[Difference]:
    ours, theirs = ({field.number: field for field in fields} for fields in (first, second))
    for number in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(number), theirs.get(number)
        if here is None or there is None:
            yield Difference(f"{place}: field {number}", _quoted(here), _quoted(there))
        else:
            yield from _field(f"{place}: field {number}", here, there)


def _field(place: str, first: FieldDescriptorProto, second: FieldDescriptorProto) -> Iterator[Difference]:
    if first.name != second.name:
        yield Difference(place, _quoted(first), _quoted(second))
    ours, theirs = text(first.type_name), text(second.type_name)
    if ours != theirs and not ours.endswith("." + theirs) and not theirs.endswith("." + ours):
        yield Difference(place, _type(first), _type(second))
    yield from _properties(f"{place}: ", _field_properties(first), _field_properties(second))


def _field_properties(field: FieldDescriptorProto) -> dict[str, str]:
    return {
        "number": str(field.number),
        "type": _type(field) if not field.type_name else FieldDescriptorProto.Type.Name(field.type)[5:].lower(),
        "label": FieldDescriptorProto.Label.Name(field.label)[6:].lower(),
        "extended message": text(field.extendee).lstrip("."),
        "default": repr(field.default_value),
        "oneof": str(field.oneof_index) if field.HasField("oneof_index") else "none",
        "JSON name": text(field.json_name) or camel_case(text(field.name)),
        "presence": "explicit" if field.proto3_optional else "as the syntax has it",
        "features": _features(field),
    }


def _message_properties(message: DescriptorProto) -> dict[str, str]:
    return {
        "oneof names": ", ".join(text(oneof.name) for oneof in message.oneof_decl) or "none",
        "extension ranges": ", ".join(f"{each.start} to {each.end - 1}" for each in message.extension_range) or "none",
        "map entry": str(message.options.map_entry),
        "message-set format": str(message.options.message_set_wire_format),
    }


def _enums(place: str, first: EnumDescriptorProto, second: EnumDescriptorProto) -> Iterator[Difference]:
    ours, theirs = ({text(value.name): str(value.number) for value in enum.value} for enum in (first, second))
    yield from _properties(f"{place}: value ", ours, theirs)
    yield from _properties(f"{place}: ", {"features": _features(first)}, {"features": _features(second)})


def _services(place: str, first: ServiceDescriptorProto, second: ServiceDescriptorProto) -> Iterator[Difference]:
    ours, theirs = ({text(method.name): _signature(method) for method in service.method} for service in (first, second))
    yield from _properties(f"{place}: method ", ours, theirs)


def _properties(place: str, first: dict[str, str], second: dict[str, str]) -> Iterator[Difference]:
    for name in first | second:
        ours, theirs = first.get(name, _MISSING), second.get(name, _MISSING)
        if ours != theirs:
            yield Difference(place + name, ours, theirs)


def _by_name(
    place: str, kind: str, first: Iterable[Any], second: Iterable[Any], compare: Callable[..., Iterator[Difference]]
) -> Iterator[Difference]:
    ours, theirs = ({text(node.name): node for node in nodes} for nodes in (first, second))
    for name in ours | theirs:
        if name in ours and name in theirs:
            yield from compare(f"{place}: {kind} {name}", ours[name], theirs[name])
        else:
            yield Difference(f"{place}: {kind} {name}", _presence(name in ours), _presence(name in theirs))


def _presence(there: bool) -> str:
    return "there" if there else _MISSING


def _quoted(field: FieldDescriptorProto | None) -> str:
    return _MISSING if field is None else f"'{text(field.name)}'"


def _type(field: FieldDescriptorProto) -> str:
    return text(field.type_name).lstrip(".") or FieldDescriptorProto.Type.Name(field.type)[5:].lower()


def _signature(method: Any) -> str:
    request, response = text(method.input_type).lstrip("."), text(method.output_type).lstrip(".")
    streams = ("stream " if method.client_streaming else "", "stream " if method.server_streaming else "")
    return f"({streams[0]}{request}) returns ({streams[1]}{response})"


def camel_case(name: str) -> str:
    """The default `json_name` (protobuf's ToJsonName)."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


_COMPARE: dict[str, Callable[..., Iterator[Difference]]] = {
    "message": _messages,
    "enum": _enums,
    "service": _services,
    "extension": _field,
}
