"""A message to start from: every field has a value, so that what is there can be seen and edited.

Of a oneof the first arm is set that can be; a repeated field has one element, a map one entry. A type within itself is
left out, as is what lies deeper than asked for; required fields are always there. Messages are filled breadth first,
without recursion, and at most MAX_TEMPLATE_FIELDS fields in all: types that hold each other in many ways would take
forever.

Invariant: the message is complete, and its bytes, JSON and text come back as the same bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.message import Message

from inspector.errors import SchemaError
from inspector.limits import MAX_TEMPLATE_DEPTH, MAX_TEMPLATE_FIELDS
from inspector.transcode.maps import is_map, map_key, map_value
from inspector.transcode.resolver import Resolver, message_descriptor
from inspector.transcode.well_known import special_name

F = FieldDescriptor

DEFAULT_DEPTH = 8
"""Messages within messages that are filled in, unless told otherwise."""

_SAMPLES: dict[int, Any] = {F.TYPE_BOOL: True, F.TYPE_DOUBLE: 1.5, F.TYPE_FLOAT: 1.5}
"""Values that tell the kind of a field; what is neither here nor text is the number 1."""

_NEW_YEAR = 1_767_225_600
"""2026-01-01T00:00:00Z, as a time that shows its form."""

_ANY_TYPE = "google.protobuf.StringValue"
"""What an Any holds: of the types that every reader knows the one that says most."""


class Template(NamedTuple):
    """A message, and whether fields are left at their defaults (`empty`)."""

    message: Message
    empty: bool


class Shown(NamedTuple):
    """A field that a template shows. `left_out` is a message that could be there, or the first arm of a oneof that has
    none; `others` are what the oneof of the field could have instead."""

    field: FieldDescriptor
    left_out: bool = False
    others: tuple[FieldDescriptor, ...] = ()


def make(resolver: Resolver, type_name: str, *, empty: bool = False, depth: int = DEFAULT_DEPTH) -> Template:
    """The template of a message type. `empty` gives each field its default instead of a sample; `depth` bounds how far
    messages lie within each other. Raises SchemaError for a type that the schema lacks, or that requires itself."""
    descriptor = message_descriptor(resolver, type_name)
    if not _Completable().holds(descriptor):
        raise SchemaError(f"{type_name} requires itself: no message of it is ever complete")
    message: Message = resolver.message_class(type_name)()
    _Filling(resolver, empty=empty, depth=min(depth, MAX_TEMPLATE_DEPTH)).fill(message)
    return Template(message, empty)


def shown(message: Any) -> Iterator[Shown]:
    """The fields of a message of a template, in the order of their declaration, extensions last."""
    for field in fields_of(message.DESCRIPTOR):
        oneof = real_oneof(field)
        if oneof is not None:
            arms = oneof.fields
            chosen = next((each for each in arms if is_set(message, each)), None)
            if field is (chosen or arms[0]):
                yield Shown(field, chosen is None, tuple(each for each in arms if each is not field))
        elif is_set(message, field):
            yield Shown(field)
        elif field.message_type is not None:
            yield Shown(field, True)
        elif not field.has_presence and not field.is_repeated:
            yield Shown(field)


def is_set(message: Any, field: FieldDescriptor) -> bool:
    """Whether the field is there: as a message, as a value that is not the default one where that counts."""
    if field.is_repeated:
        return len(value_of(message, field)) > 0
    if field.has_presence:
        return bool(message.HasExtension(field) if field.is_extension else message.HasField(field.name))
    return bool(value_of(message, field))


def value_of(message: Any, field: FieldDescriptor) -> Any:
    """The value of a field or an extension."""
    return message.Extensions[field] if field.is_extension else getattr(message, field.name)


def fields_of(descriptor: Descriptor) -> list[FieldDescriptor]:
    """The fields of a message type and, by number, its extensions."""
    fields = list(descriptor.fields)
    if descriptor.is_extendable:
        pool: Any = descriptor.file.pool
        fields += sorted(pool.FindAllExtensions(descriptor), key=lambda field: field.number)
    return fields


def real_oneof(field: FieldDescriptor) -> OneofDescriptor | None:
    """The oneof that the field is an arm of; not that which stands for the word `optional`."""
    oneof = field.containing_oneof
    return None if oneof is None or (len(oneof.fields) == 1 and oneof.name == f"_{field.name}") else oneof


class _Place(NamedTuple):
    """A message that is to be filled: the types around it, itself included, and how deep it lies."""

    message: Any
    around: frozenset[str]
    depth: int


class _Filling:
    """Fills one message, with all that is in it."""

    def __init__(self, resolver: Resolver, *, empty: bool, depth: int) -> None:
        self._resolver = resolver
        self._empty = empty
        self._depth = depth
        self._left = MAX_TEMPLATE_FIELDS
        self._completable = _Completable()
        self._waiting: deque[_Place] = deque()

    def fill(self, message: Message) -> None:
        name = message.DESCRIPTOR.full_name
        self._waiting.append(_Place(message, frozenset((name,)), 0))
        while self._waiting:
            place = self._waiting.popleft()
            special = _SPECIAL.get(special_name(place.message.DESCRIPTOR) or "")
            if special is not None:
                special(place.message, self._empty, self._resolver)
            else:
                self._fields(place)

    def _fields(self, place: _Place) -> None:
        done = set()
        for field in fields_of(place.message.DESCRIPTOR):
            oneof = real_oneof(field)
            if oneof is not None and oneof.name in done:
                continue
            if self._field(place, field) and oneof is not None:
                done.add(oneof.name)

    def _field(self, place: _Place, field: FieldDescriptor) -> bool:
        """Sets a field; False where it is left out."""
        value = map_value(field) if is_map(field) else field
        if value.message_type is not None and not self._goes_into(place, field, value.message_type):
            return False
        self._left -= 1
        if self._left < -MAX_TEMPLATE_FIELDS:
            raise SchemaError("so many fields are required that no template can be made")
        if is_map(field):
            self._entry(place, field, value)
        elif value.message_type is None:
            self._scalar(place.message, field)
        else:
            held = value_of(place.message, field)
            self._enter(place, held.add() if field.is_repeated else held)
        return True

    def _goes_into(self, place: _Place, field: FieldDescriptor, inner: Descriptor) -> bool:
        if not self._completable.holds(inner):
            return False
        if field.is_required:
            return True
        if special_name(inner) is not None:
            return self._left > 0
        return self._left > 0 and place.depth < self._depth and inner.full_name not in place.around

    def _enter(self, place: _Place, message: Any) -> None:
        if place.depth >= 2 * MAX_TEMPLATE_DEPTH:
            raise SchemaError(f"required messages nest over {2 * MAX_TEMPLATE_DEPTH} deep: there is no template of it")
        message.SetInParent()
        name = message.DESCRIPTOR.full_name
        self._waiting.append(_Place(message, place.around | {name}, place.depth + 1))

    def _entry(self, place: _Place, field: FieldDescriptor, value: FieldDescriptor) -> None:
        held = value_of(place.message, field)
        key = self._value(map_key(field))
        if value.message_type is None:
            held[key] = self._value(value)
        else:
            self._enter(place, held[key])

    def _scalar(self, message: Any, field: FieldDescriptor) -> None:
        value = self._value(field)
        if field.is_repeated:
            value_of(message, field).append(value)
        elif field.is_extension:
            message.Extensions[field] = value
        else:
            setattr(message, field.name, value)

    def _value(self, field: FieldDescriptor) -> Any:
        if self._empty:
            return _default(field)
        if field.enum_type is not None:
            numbers = [value.number for value in field.enum_type.values]
            return next(filter(None, numbers), numbers[0])
        if field.type == F.TYPE_STRING:
            return field.name
        return field.name.encode() if field.type == F.TYPE_BYTES else _SAMPLES.get(field.type, 1)


def _default(field: FieldDescriptor) -> Any:
    """The default of a single value of the field."""
    if not field.is_repeated:
        return field.default_value
    if field.enum_type is not None:
        return field.enum_type.values[0].number
    empty: dict[int, Any] = {F.TYPE_STRING: "", F.TYPE_BYTES: b"", F.TYPE_BOOL: False}
    return empty.get(field.type, 0)


class _Completable:
    """Which types can have complete messages: those that do not require themselves."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def holds(self, descriptor: Descriptor) -> bool:
        """Whether a message of the type can be complete. Goes through required fields by iteration."""
        path: list[tuple[Descriptor, Iterator[Descriptor]]] = []
        entered: set[str] = set()
        entering: Descriptor | None = descriptor
        while True:
            if entering is not None and entering.full_name not in self._known:
                if entering.full_name in entered:
                    self._known |= dict.fromkeys((each.full_name for each, _ in path), False)
                    return self._known[descriptor.full_name]
                entered.add(entering.full_name)
                path.append((entering, _required(entering)))
            elif entering is not None and path and not self._known[entering.full_name]:
                self._known |= dict.fromkeys((each.full_name for each, _ in path), False)
                return False
            if not path:
                return self._known[descriptor.full_name]
            entering = next(path[-1][1], None)
            if entering is None:
                self._known[path.pop()[0].full_name] = True


def _required(descriptor: Descriptor) -> Iterator[Descriptor]:
    return (field.message_type for field in descriptor.fields if field.is_required and field.message_type is not None)


# --- well-known types: values that their ProtoJSON forms can say ---


def _fill_any(message: Any, empty: bool, resolver: Resolver) -> None:
    if not empty and resolver.find_message(_ANY_TYPE) is not None:
        held: Any = resolver.message_class(_ANY_TYPE)()
        held.value = "value"
        message.type_url, message.value = f"type.googleapis.com/{_ANY_TYPE}", held.SerializeToString()


def _fill_timestamp(message: Any, empty: bool, _: Resolver) -> None:
    message.seconds = 0 if empty else _NEW_YEAR


def _fill_duration(message: Any, empty: bool, _: Resolver) -> None:
    message.seconds, message.nanos = (0, 0) if empty else (1, 500_000_000)


def _fill_mask(message: Any, empty: bool, _: Resolver) -> None:
    message.paths.extend([] if empty else ["path"])


def _fill_value(message: Any, empty: bool, _: Resolver) -> None:
    if empty:
        message.null_value = 0
    else:
        message.string_value = "value"


def _fill_list(message: Any, empty: bool, resolver: Resolver) -> None:
    if not empty:
        _fill_value(message.values.add(), empty, resolver)


def _fill_struct(message: Any, empty: bool, resolver: Resolver) -> None:
    if not empty:
        _fill_value(message.fields["key"], empty, resolver)


_SPECIAL: dict[str, Callable[[Any, bool, Resolver], None]] = {
    "google.protobuf.Any": _fill_any,
    "google.protobuf.Duration": _fill_duration,
    "google.protobuf.FieldMask": _fill_mask,
    "google.protobuf.ListValue": _fill_list,
    "google.protobuf.Struct": _fill_struct,
    "google.protobuf.Timestamp": _fill_timestamp,
    "google.protobuf.Value": _fill_value,
}
"""Wrappers are filled like other messages."""
