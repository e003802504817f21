"""The rows of a form: what there is to fill in, as far as it is open.

Invariant: what is within a value has rows only where that is open: so types that hold themselves end.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import lru_cache
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor

from inspector.schema import Schema
from inspector.transcode.maps import is_map, map_key
from inspector.transcode.message_writers import takes_null
from inspector.transcode.refusal import Key
from inspector.transcode.resolver import Resolver
from inspector.transcode.template import fields_of, real_oneof
from inspector.transcode.unknown import UNKNOWN
from inspector.views.form.items import Item, item_of, item_of_message
from inspector.views.form.values import ABSENT, Absent, Path
from inspector.views.safe_text import safe
from inspector.wire.json_value import BYTES, JsonValue

TYPE = "@type"


class FormRow(NamedTuple):
    """`path` is where its value is, or would be.

    `role`: `value` (a single one: a field, an element, the value of an entry), `list`, `map`, `oneof` (its value is the
    name of the arm that is set), `extensions` (where one may be added), `unknown` (fields that the schema lacks).
    `item` is what a single value is. `name` and `type` are safe to show.
    """

    path: Path
    depth: int
    role: str
    name: str
    type: str
    value: JsonValue | Absent
    item: Item | None = None
    field: FieldDescriptor | None = None
    oneof: OneofDescriptor | None = None
    owner: Descriptor | None = None
    is_open: bool = False

    @property
    def is_set(self) -> bool:
        return not isinstance(self.value, Absent)

    @property
    def can_open(self) -> bool:
        """Whether something may be within it."""
        return self.role in ("list", "map") or (self.role == "value" and self.item is not None and self.item.is_nested)

    @property
    def is_element(self) -> bool:
        return bool(self.path) and isinstance(self.path[-1], int)

    @property
    def is_entry(self) -> bool:
        return bool(self.path) and isinstance(self.path[-1], Key)

    @property
    def is_required(self) -> bool:
        return self.field is not None and bool(self.field.is_required) and not self.is_element and not self.is_entry


def key_of(field: FieldDescriptor) -> str:
    """What JSON calls a field."""
    return f"[{field.full_name}]" if field.is_extension else field.json_name


class Walk:
    """Makes rows. `opened` are the places that are open."""

    def __init__(self, resolver: Resolver, opened: Container[Path]) -> None:
        self._resolver = resolver
        self._opened = opened

    def rows(self, descriptor: Descriptor, value: JsonValue) -> Iterator[FormRow]:
        """The rows of a message."""
        item = item_of_message(descriptor)
        if item.kind == "message":
            yield from self._message(descriptor, value, (), 0)
        else:
            row = FormRow((), 0, "value", safe(descriptor.name), item.type, value, item, is_open=() in self._opened)
            yield row
            yield from self._within(row)

    def _message(self, descriptor: Descriptor, value: JsonValue, path: Path, depth: int) -> Iterator[FormRow]:
        held = value if isinstance(value, dict) else {}
        for field in plain_fields(descriptor):
            oneof = real_oneof(field)
            if oneof is None:
                yield from self._field(field, held, path, depth)
            elif oneof.fields[0] is field or oneof.fields[0].number == field.number:
                yield from self._oneof(oneof, held, path, depth)
        if descriptor.is_extendable and isinstance(self._resolver, Schema):
            self._resolver.load_extensions(descriptor.full_name)
        extensions = {key_of(field): field for field in extensions_of(descriptor)}
        for key in held:
            if key in extensions:
                yield from self._field(extensions[key], held, path, depth)
        if len(extensions) > sum(key in held for key in extensions):
            yield FormRow((*path, "(extensions)"), depth, "extensions", "extensions", "", ABSENT, owner=descriptor)
        if UNKNOWN in held:
            item = Item("json", None, None, "by number")
            yield FormRow((*path, UNKNOWN), depth, "unknown", "unknown fields", item.type, held[UNKNOWN], item)

    def _oneof(self, oneof: OneofDescriptor, held: dict[str, JsonValue], path: Path, depth: int) -> Iterator[FormRow]:
        arm = next((field for field in oneof.fields if is_there(field, held)), None)
        value = ABSENT if arm is None else safe(arm.name)
        yield FormRow((*path, f"({oneof.name})"), depth, "oneof", safe(oneof.name), "oneof", value, oneof=oneof)
        if arm is not None:
            yield from self._field(arm, held, path, depth + 1)

    def _field(self, field: FieldDescriptor, held: dict[str, JsonValue], path: Path, depth: int) -> Iterator[FormRow]:
        key, item = key_of(field), item_of(field)
        place = (*path, key)
        value = held[key] if is_there(field, held) else ABSENT
        role = "map" if is_map(field) else "list" if field.is_repeated else "value"
        type_ = item.type if role == "value" else f"{role} of {item.type}"
        if role == "map":
            type_ = f"map of {item_of(map_key(field)).type} to {item.type}"
        name = safe(f"[{field.full_name}]" if field.is_extension else field.name)
        row = FormRow(place, depth, role, name, type_, value, item, field, is_open=place in self._opened)
        yield row
        if not row.is_open:
            return
        if role == "value":
            yield from self._within(row)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                yield from self._one(row, (*place, index), f"[{index}]", each)
        elif isinstance(value, dict):
            for name, each in value.items():
                yield from self._one(row, (*place, Key(name)), f'"{safe(name)}"', each)

    def _one(self, around: FormRow, path: Path, name: str, value: JsonValue) -> Iterator[FormRow]:
        """An element of a list, an entry of a map."""
        assert around.item is not None
        row = FormRow(
            path, around.depth + 1, "value", name, around.item.type, value, around.item, around.field,
            is_open=path in self._opened,
        )  # fmt: skip
        yield row
        yield from self._within(row)

    def _within(self, row: FormRow) -> Iterator[FormRow]:
        """The rows of what a single value holds."""
        item = row.item
        if not row.is_open or item is None or isinstance(row.value, Absent):
            return
        if item.kind == "message" and item.message is not None:
            yield from self._message(item.message, row.value, row.path, row.depth + 1)
        elif item.kind == "any" and isinstance(row.value, dict):
            yield from self._payload(row.value, row.path, row.depth + 1)

    def _payload(self, value: dict[str, JsonValue], path: Path, depth: int) -> Iterator[FormRow]:
        """What an Any holds: fields of its type, one value, or bytes where the type is not known."""
        url = value.get(TYPE)
        if not isinstance(url, str):
            return
        descriptor = self._resolver.find_message(type_in(url))
        if descriptor is None or BYTES in value:
            key = BYTES if BYTES in value else "value"
            item = Item("bytes", None, None, "bytes")
            yield FormRow((*path, key), depth, "value", "value", "bytes", value.get(key, ABSENT), item)
            return
        item = item_of_message(descriptor)
        if item.kind == "message":
            yield from self._message(descriptor, {k: v for k, v in value.items() if k != TYPE}, path, depth)
            return
        place = (*path, "value")
        row = FormRow(place, depth, "value", "value", item.type, value.get("value", ABSENT), item,
                      is_open=place in self._opened)  # fmt: skip
        yield row
        yield from self._within(row)


def type_in(url: str) -> str:
    """The type that the URL of an Any names."""
    return url.rpartition("/")[2]


def is_there(field: FieldDescriptor, held: dict[str, JsonValue]) -> bool:
    """Whether a JSON object has the field."""
    key = key_of(field)
    return key in held and (held[key] is not None or takes_null(field))


@lru_cache(maxsize=1024)
def plain_fields(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields in the order of their declaration."""
    return tuple(descriptor.fields)


@lru_cache(maxsize=1024)
def extensions_of(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The extensions of a type that are loaded, by number."""
    return tuple(field for field in fields_of(descriptor) if field.is_extension)
