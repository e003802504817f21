"""How a value of text format gets into a field of a message: by the type of the field.

The message is one of the protobuf runtime, which knows best what becomes of it on the wire: packing, presence, oneofs.

Invariant: a value that is put is of the field's type and in its range, or TextProblem was raised at its token.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from inspector.formats.text_literals import read_bool, read_float, read_integer, read_string
from inspector.formats.text_names import field_name, find_extension, find_field, is_any, reserved_names
from inspector.formats.text_tokens import NAME, NUMBER, TextProblem, Tokens
from inspector.schema.names import did_you_mean, near
from inspector.schema.wording import one_line
from inspector.transcode.maps import is_map
from inspector.transcode.scalars import verifies_utf8
from inspector.wire.encode import length_delimited

F = FieldDescriptor

Read = Callable[[Tokens], Any]
"""Reads a value of a field; None stands for one to be ignored."""

Put = Callable[[Any, Any], None]
"""Sets or appends: message, value."""

_INTEGERS = {
    **dict.fromkeys((F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32, F.TYPE_ENUM), (-(1 << 31), (1 << 31) - 1)),
    **dict.fromkeys((F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64), (-(1 << 63), (1 << 63) - 1)),
    **dict.fromkeys((F.TYPE_UINT32, F.TYPE_FIXED32), (0, (1 << 32) - 1)),
    **dict.fromkeys((F.TYPE_UINT64, F.TYPE_FIXED64), (0, (1 << 64) - 1)),
}
"""Least and greatest value of the types of integers."""

_READERS: dict[int, Read] = {
    F.TYPE_BOOL: read_bool,
    F.TYPE_BYTES: read_string,
    F.TYPE_DOUBLE: read_float,
    F.TYPE_FLOAT: read_float,
}


class FieldPlan:
    """A field: `read` is None where it holds messages, whose type is `child`. `oneof` is the name of its oneof."""

    __slots__ = ("child", "field", "is_map", "name", "number", "oneof", "put", "read", "repeated")

    def __init__(self, field: FieldDescriptor, child: MessagePlan | None, ignore_unknown: bool) -> None:
        self.field = field
        self.name = field_name(field)
        self.number = field.number
        self.repeated = bool(field.is_repeated)
        self.is_map = is_map(field)
        self.oneof = None if field.containing_oneof is None else field.containing_oneof.full_name
        self.child = child
        self.read = _reader(field, ignore_unknown) if child is None else None
        self.put = _put_text(field) if field.type == F.TYPE_STRING else _put(field)

    def new_child(self, message: Any) -> Any:
        """A message of the field, set in the one that it belongs to."""
        current = _current(message, self.field)
        if self.repeated:
            return current.add()
        current.SetInParent()
        return current


class MessagePlan:
    """A message type: its fields by name, made when they are first met. `required` has names by number."""

    def __init__(self, descriptor: Descriptor, plans: MessagePlans) -> None:
        self.descriptor = descriptor
        self.new = GetMessageClass(descriptor)
        self.is_any = is_any(descriptor)
        self.required = {field.number: field_name(field) for field in descriptor.fields if field.is_required}
        self._plans = plans
        self._fields: dict[str, FieldPlan | None] = {}

    def field(self, name: str) -> FieldPlan | None:
        """The field of that name, or None."""
        if name not in self._fields:
            self._fields[name] = self._plan(find_field(self.descriptor, name))
        return self._fields[name]

    def extension(self, name: str) -> FieldPlan | None:
        """The extension of that full name, or None."""
        bracketed = f"[{name}]"
        if bracketed not in self._fields:
            self._fields[bracketed] = self._plan(find_extension(self.descriptor, name))
        return self._fields[bracketed]

    @cached_property
    def reserved(self) -> frozenset[str]:
        """Names to be skipped with their values."""
        return reserved_names(self.descriptor)

    def near(self, name: str) -> str | None:
        """A hint which field may be meant."""
        names = near(name, map(field_name, self.descriptor.fields))
        return did_you_mean([one_line(each) for each in names]) if names else None

    def _plan(self, field: FieldDescriptor | None) -> FieldPlan | None:
        if field is None:
            return None
        child = field.message_type
        return FieldPlan(field, None if child is None else self._plans[child], self._plans.ignore_unknown)


class MessagePlans(dict[Descriptor, MessagePlan]):
    """Message types, made when they are first met. With `ignore_unknown` names of enum values may be unknown."""

    def __init__(self, ignore_unknown: bool) -> None:
        self.ignore_unknown = ignore_unknown

    def __missing__(self, descriptor: Descriptor) -> MessagePlan:
        plan = self[descriptor] = MessagePlan(descriptor, self)
        return plan


# --- readers -----------------------------------------------------------------------------------------------------


def _reader(field: FieldDescriptor, ignore_unknown: bool) -> Read:
    if field.enum_type is not None:
        return _enum_reader(field.enum_type, ignore_unknown)
    if field.type == F.TYPE_STRING:
        return _text_reader(field)
    if field.type in _INTEGERS:
        low, high = _INTEGERS[field.type]
        return lambda tokens: read_integer(tokens, low, high)
    return _READERS[field.type]


def _text_reader(field: FieldDescriptor) -> Read:
    def read(tokens: Tokens) -> str | bytes:
        start = tokens.start
        raw = read_string(tokens)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            if verifies_utf8(field):
                raise TextProblem(
                    "the string is not valid UTF-8", start, "its escapes have to make up characters"
                ) from None
            return raw

    return read


def _enum_reader(enum: EnumDescriptor, ignore_unknown: bool) -> Read:
    numbers = {value.name: value.number for value in enum.values}
    known = frozenset(numbers.values())
    low, high = _INTEGERS[F.TYPE_ENUM]

    def read(tokens: Tokens) -> int | None:
        if tokens.kind == NAME:
            return _named(enum, numbers, tokens, ignore_unknown)
        if tokens.kind != NUMBER and tokens.text != "-":
            raise tokens.unexpected(f"a value of {enum.full_name}")
        start = tokens.start
        number = read_integer(tokens, low, high)
        if number in known or not enum.is_closed:
            return number
        if ignore_unknown:
            return None
        raise TextProblem(f"{enum.full_name} is a closed enum, and has no value {number}", start)

    return read


def _named(enum: EnumDescriptor, numbers: dict[str, int], tokens: Tokens, ignore_unknown: bool) -> int | None:
    number = numbers.get(tokens.text)
    if number is None and not ignore_unknown:
        names = near(tokens.text, numbers)
        hint = did_you_mean([one_line(each) for each in names]) if names else None
        raise tokens.problem(f"{enum.full_name} has no value {tokens.found()}", hint)
    tokens.advance()
    return number


# --- setting -----------------------------------------------------------------------------------------------------


def _current(message: Any, field: FieldDescriptor) -> Any:
    return message.Extensions[field] if field.is_extension else getattr(message, field.name)


def _put(field: FieldDescriptor) -> Put:
    name = field.name
    if field.is_extension:
        if field.is_repeated:
            return lambda message, value: message.Extensions[field].append(value)
        return lambda message, value: message.Extensions.__setitem__(field, value)
    if field.is_repeated:
        return lambda message, value: getattr(message, name).append(value)
    return lambda message, value: setattr(message, name, value)


def _put_text(field: FieldDescriptor) -> Put:
    """Strings; the runtime takes those that are not UTF-8 (proto2 allows them) only from the wire."""
    put = _put(field)
    number = field.number

    def put_text(message: Message, value: str | bytes) -> None:
        if isinstance(value, bytes):
            message.MergeFromString(length_delimited(number, value))
        else:
            put(message, value)

    return put_text
