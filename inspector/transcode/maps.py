"""Map fields, which the wire has as repeated messages of a key and a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from inspector.transcode.scalars import text, verifies_utf8

Items = Callable[[Any], Iterable[tuple[str, Any]]]
"""Keys, as JSON has them, and values of a map container."""


def is_map(field: FieldDescriptor) -> bool:
    """Whether the field is a map."""
    entry = field.message_type
    return entry is not None and entry.has_options and bool(entry.GetOptions().map_entry)


def map_key(field: FieldDescriptor) -> FieldDescriptor:
    """The field that keys of a map are."""
    entry: Any = field.message_type
    key: FieldDescriptor = entry.fields_by_name["key"]
    return key


def map_value(field: FieldDescriptor) -> FieldDescriptor:
    """The field that values of a map are."""
    entry: Any = field.message_type
    value: FieldDescriptor = entry.fields_by_name["value"]
    return value


def map_items(field: FieldDescriptor) -> Items:
    """How to read the containers of a map field. Its keys are always strings in JSON."""
    key = map_key(field)
    if key.type == FieldDescriptor.TYPE_STRING and verifies_utf8(key):
        return _in_order
    return lambda values: [(_key_text(key), value) for key, value in _in_order(values)]


def _in_order(values: Any) -> list[tuple[Any, Any]]:
    """By key: the runtime's order differs from run to run, and output that differs cannot be compared."""
    return list(values.items()) if isinstance(values, WireMap) else sorted(values.items(), key=itemgetter(0))


def _key_text(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return text(key) if isinstance(key, str | bytes) else str(key)


class WireMap:
    """Stands in for a map container with strings that are not UTF-8 (proto2): the runtime's raises UnicodeDecodeError
    at one. Its messages do not, so the entries are read as messages, by way of the wire."""

    def __init__(self, message: Message, field: FieldDescriptor) -> None:
        self._data = message.SerializePartialToString(deterministic=True)  # by key
        self._field = field

    def items(self) -> Iterable[tuple[str | bytes, Any]]:
        """Keys and values, strings that are not UTF-8 as bytes."""
        from google.protobuf import message_factory  # noqa: PLC0415  # with much else, which kernels do without

        from inspector.wire.scan import LEN, scan  # noqa: PLC0415  # rarely needed

        entry: Any = self._field.message_type
        parse = message_factory.GetMessageClass(entry).FromString
        for item in scan(self._data):
            if (item.number, item.wire_type) == (self._field.number, LEN):  # others of that number are unknown fields
                made: Any = parse(self._data[item.value_start : item.end])
                yield made.key, made.value
