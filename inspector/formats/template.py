"""Templates (`transcode.template`) in the formats.

Comments in text and YAML tell the other arms of a oneof, the names of an enum, and messages that are left out.
Invariant: what is written is read back as the bytes of the template.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from inspector.formats.base import Conversion, Format
from inspector.formats.registry import JSON, TEXT, YAML
from inspector.formats.text_writer import TextWriter
from inspector.formats.yaml_writer import Noted, dumps
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.json_text import dumps as json_dumps
from inspector.transcode.maps import is_map, map_key, map_value
from inspector.transcode.resolver import Resolver
from inspector.transcode.template import Shown, Template, real_oneof, shown, value_of
from inspector.transcode.well_known import WRAPPERS, special_name
from inspector.wire.json_value import JsonValue

_MOST_NAMES = 12
"""Names of an enum that a comment has."""


def write(template: Template, target: Format, conversion: Conversion) -> bytes:
    """A template in a format. Of the conversion `resolver`, `indent` and `proto_names` count."""
    assert conversion.resolver is not None
    data = template.message.SerializeToString(deterministic=True)
    if target == TEXT:
        return TemplateWriter(conversion).message(template.message).encode()
    if target in (JSON, YAML):
        value = to_value(template, conversion.resolver, proto_names=conversion.proto_names)
        if target == JSON:
            return json_dumps(value, conversion.indent) + b"\n"
        return dumps(value).encode()
    return target.write(data, conversion._replace(type_name=template.message.DESCRIPTOR.full_name))


def to_value(template: Template, resolver: Resolver, *, proto_names: bool = False) -> JsonValue:
    """The JSON value of a template, in the order of declaration; comments go with it."""
    decoder = MessageDecoder(resolver, emit_defaults=True, proto_names=proto_names)
    data = template.message.SerializeToString(deterministic=True)
    decoded = decoder.decode(template.message.DESCRIPTOR.full_name, data)
    if decoded.error is not None:
        raise decoded.error
    return _noted(template.message, decoded.value, proto_names=proto_names)


def oneof_lines(template: Template) -> Iterator[str]:
    """A line for each oneof of a template: its path, and its arms, first the one that is set, if one is."""
    yield from _oneofs(template.message, "")


def _oneofs(message: Any, path: str) -> Iterator[str]:
    if special_name(message.DESCRIPTOR):
        return
    for each in shown(message):
        field, oneof = each.field, real_oneof(each.field)
        if oneof is not None:
            yield f"{path}{oneof.name}: {_arms((field, *each.others), ' | ')}"
        if not each.left_out:
            for inner, step in _inner(message, field):
                yield from _oneofs(inner, f"{path}{field.name}{step}.")


def _inner(message: Any, field: FieldDescriptor) -> Iterator[tuple[Any, str]]:
    """The messages that a field holds, and how a path leads into it."""
    held = value_of(message, field)
    if is_map(field):
        if map_value(field).message_type is not None:
            yield from ((value, "{}") for value in held.values())
    elif field.message_type is not None:
        yield from ((each, "[]") for each in held) if field.is_repeated else [(held, "")]


def comments(each: Shown) -> Iterator[str]:
    """What a comment before a field says of it."""
    oneof = real_oneof(each.field)
    if each.left_out and oneof is not None:
        yield f"one of {oneof.name}, left out here: {_arms((each.field, *each.others), ', ')}"
    elif each.left_out:
        yield f"{each.field.name}: {_type(each.field)}, left out here"
    if each.left_out:
        return
    if oneof is not None and each.others:
        yield f"one of {oneof.name}; instead of it: {_arms(each.others, ', ')}"
    value = map_value(each.field) if is_map(each.field) else each.field
    if value.enum_type is not None:
        names = [each.name for each in value.enum_type.values]
        more = f", ... ({len(names)})" if len(names) > _MOST_NAMES else ""
        yield ", ".join(names[:_MOST_NAMES]) + more


def _arms(fields: Iterable[FieldDescriptor], separator: str) -> str:
    return separator.join(f"{field.name} ({_type(field)})" for field in fields)


def _type(field: FieldDescriptor) -> str:
    """The type of a field, as source has it."""
    if is_map(field):
        return f"map<{_type(map_key(field))}, {_type(map_value(field))}>"
    own: Any = field.message_type or field.enum_type
    name = own.full_name if own is not None else _SCALARS[field.type]
    return f"repeated {name}" if field.is_repeated else name


_SCALARS = {
    number: name.removeprefix("TYPE_").lower() for name, number in vars(FieldDescriptor).items() if name[:5] == "TYPE_"
}


class TemplateWriter(TextWriter):
    """Text format with comments, and with fields at their default."""

    def __init__(self, conversion: Conversion) -> None:
        super().__init__(conversion.resolver, indent=2 if conversion.indent is None else conversion.indent)

    def _message(self, message: Any, depth: int) -> None:
        if special_name(message.DESCRIPTOR) not in (None, *WRAPPERS):
            super()._message(message, depth)
            return
        for each in shown(message):
            for comment in comments(each):
                self._line(f"{self._indents[depth]}# {comment}")
            if not each.left_out:
                self._print(each.field)(message, value_of(message, each.field), depth)


def _noted(message: Any, value: JsonValue, *, proto_names: bool) -> JsonValue:
    """The JSON value of a message, in the order of its declaration and with comments at its keys."""
    if not isinstance(value, dict) or special_name(message.DESCRIPTOR):
        return value
    notes: dict[str, tuple[str, ...]] = {}
    made: dict[str, JsonValue] = {}
    ahead: list[str] = []
    for each in shown(message):
        name = _key(each.field, proto_names=proto_names)
        ahead += comments(each)
        if name in value:
            notes[name], ahead = tuple(ahead), []
            inner = value[name]
            made[name] = inner if each.left_out else _noted_field(message, each.field, inner, proto_names=proto_names)
    return Noted(made | {name: each for name, each in value.items() if name not in made}, notes, tuple(ahead))


def _noted_field(message: Any, field: FieldDescriptor, value: JsonValue, *, proto_names: bool) -> JsonValue:
    inner = [each for each, _ in _inner(message, field)]
    if not inner:
        return value
    if is_map(field) and isinstance(value, dict):
        pairs = zip(inner, value.items(), strict=True)
        return {key: _noted(each, item, proto_names=proto_names) for each, (key, item) in pairs}
    if field.is_repeated and isinstance(value, list):
        return [_noted(each, item, proto_names=proto_names) for each, item in zip(inner, value, strict=True)]
    return _noted(inner[0], value, proto_names=proto_names)


def _key(field: FieldDescriptor, *, proto_names: bool) -> str:
    if field.is_extension:
        return f"[{field.full_name}]"
    return field.name if proto_names else field.json_name
