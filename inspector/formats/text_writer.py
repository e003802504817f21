"""Messages as text format, as protoc prints them (https://protobuf.dev/reference/protobuf/textformat-spec/).

Fields come in the order of their numbers, maps in that of their keys, an Any with its payload written out where its
type is known. After them come the fields that the schema lacks, by number, in the forms that `text_reader` lists.

Invariant: what is written is read back as the same message, unknown fields included, but for varints that took more
bytes than they need (and messages that lack required fields, which the reader refuses); brackets nest at most
limits.MAX_DEPTH deep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message

from inspector.errors import DecodeError
from inspector.formats.text_literals import double, quoted, quoted_bytes, single
from inspector.formats.text_names import field_name, is_any
from inspector.limits import MAX_DEPTH
from inspector.transcode.maps import WireMap, is_map, map_key, map_value
from inspector.transcode.resolver import Resolver
from inspector.transcode.unknown import unknown_bytes
from inspector.wire.guess import FieldShape, Shape
from inspector.wire.scan import I32, I64, LEN, SGROUP, VARINT, Field, GroupEnds, scan

F = FieldDescriptor

_DIGITS = {VARINT: "d", I32: "#010x", I64: "#018x"}
"""How numbers are written that are told by number: 0x and all digits of fixed fields."""

Literal = Callable[[Any], str]
"""A value of a field as text."""

Print = Callable[[Any, Any, int], None]
"""Prints a field: the message that it is in, its value, how deep it lies."""

_URL = re.compile(r"[A-Za-z0-9_.-]++/(?:[A-Za-z0-9_.-]++/)*+[A-Za-z_][A-Za-z0-9_]*+(?:\.[A-Za-z_][A-Za-z0-9_]*+)*+")
"""URLs of types that every reader takes between brackets."""

_LITERALS: dict[int, Literal] = {
    F.TYPE_BOOL: lambda value: "true" if value else "false",
    F.TYPE_BYTES: quoted_bytes,
    F.TYPE_DOUBLE: double,
    F.TYPE_FLOAT: single,
    F.TYPE_STRING: lambda value: quoted(value if isinstance(value, str) else _readable(value)),
}
"""What is not here is an integer."""


class _TooDeep(Exception):
    """Brackets nest over the limit: those of the wire do not, but an Any and a LEN field begin anew."""


class TextWriter:
    """Writes messages of any type. `resolver` finds the types in Any.

    The options are those of `formats.base.Conversion`; without `unknown_fields` these are left out.
    """

    def __init__(
        self,
        resolver: Resolver | None = None,
        *,
        unknown_fields: bool = True,
        enum_numbers: bool = False,
        indent: int = 2,
        hints: Mapping[str, str] | None = None,
    ) -> None:
        self._resolver = resolver
        self._unknown_fields = unknown_fields
        self._enum_numbers = enum_numbers
        self._indents = [" " * (indent * depth) for depth in range(MAX_DEPTH + 1)]
        self._hints = hints or {}
        self._prints: dict[FieldDescriptor, Print] = {}
        self._any_types: dict[Descriptor, bool] = {}
        self._lines: list[str] = []
        self._path: list[int] = []

    def message(self, message: Message) -> str:
        """A message of a type. Raises DecodeError with the code `depth` over limits.MAX_DEPTH."""
        return self._text(lambda: self._message(message, 0))

    def untyped(self, data: bytes) -> str:
        """A message whose type is not known. Raises DecodeError as `wire.scan` does, InputError for hints."""
        raw = _Raw(data, {})
        fields = scan(data, group_ends=raw.group_ends)
        return self._text(lambda: self._numbered(Shape.of([data], self._hints), raw, fields, 0))

    def _text(self, write: Callable[[], None]) -> str:
        self._lines, self._path = [], []
        try:
            write()
        except _TooDeep:
            raise DecodeError(f"messages nested over {MAX_DEPTH} deep", code="depth") from None
        return "".join(f"{line}\n" for line in self._lines)

    # --- fields of the schema ------------------------------------------------------------------------------------

    def _message(self, message: Any, depth: int) -> None:
        fields = message.ListFields()
        if self._is_any(message.DESCRIPTOR) and self._payload(message, depth):
            fields = ()
        for field, value in fields:
            self._print(field)(message, value, depth)
        if self._unknown_fields:
            unknown = unknown_bytes(message)
            if unknown:
                self._unknown(unknown, depth)

    def _nested(self, name: str, number: int, message: Any, depth: int) -> None:
        self._open(name, "{", depth)
        self._path.append(number)
        self._message(message, depth + 1)
        self._path.pop()
        self._line(f"{self._indents[depth]}}}")

    def _open(self, name: str, bracket: str, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise _TooDeep
        self._lines.append(f"{self._indents[depth]}{name} {bracket}")

    def _print(self, field: FieldDescriptor) -> Print:
        known = self._prints.get(field)
        if known is None:
            known = self._prints[field] = self._printer(field)
        return known

    def _printer(self, field: FieldDescriptor) -> Print:
        if is_map(field):
            return self._map_printer(field)
        one = self._one_printer(field)
        if not field.is_repeated:
            return one

        def print_each(message: Any, values: Iterable[Any], depth: int) -> None:
            for value in values:
                one(message, value, depth)

        return print_each

    def _one_printer(self, field: FieldDescriptor) -> Print:
        name = field_name(field)
        if field.message_type is not None:
            number = field.number
            return lambda _, value, depth: self._nested(name, number, value, depth)
        literal = self._literal(field)
        append, indents = self._line, self._indents
        return lambda _, value, depth: append(f"{indents[depth]}{name}: {literal(value)}")

    def _line(self, line: str) -> None:
        self._lines.append(line)

    def _map_printer(self, field: FieldDescriptor) -> Print:
        name, number = field_name(field), field.number
        print_key, print_value = map(self._one_printer, (map_key(field), map_value(field)))

        def print_map(message: Any, values: Any, depth: int) -> None:
            for key, value in _entries(message, field, values):
                self._open(name, "{", depth)
                self._path.append(number)
                print_key(message, key, depth + 1)
                print_value(message, value, depth + 1)
                self._path.pop()
                self._line(f"{self._indents[depth]}}}")

        return print_map

    def _literal(self, field: FieldDescriptor) -> Literal:
        if field.enum_type is None or self._enum_numbers:
            return _LITERALS.get(field.type, str)
        # Of aliases the first one counts.
        names = {value.number: value.name for value in reversed(field.enum_type.values)}
        return lambda number: names.get(number) or str(number)

    # --- Any -----------------------------------------------------------------------------------------------------

    def _is_any(self, descriptor: Descriptor) -> bool:
        known = self._any_types.get(descriptor)
        if known is None:
            known = self._any_types[descriptor] = is_any(descriptor)
        return known

    def _payload(self, message: Any, depth: int) -> bool:
        """Prints the payload of an Any. False where that cannot be done: nothing is printed then."""
        url = message.type_url
        if self._resolver is None or not isinstance(url, str) or not _URL.fullmatch(url):
            return False
        name = url.rpartition("/")[2]
        if self._resolver.find_message(name) is None:
            return False
        lines, steps = len(self._lines), len(self._path)
        try:
            payload = self._resolver.message_class(name).FromString(message.value)
            self._nested(f"[{url}]", message.DESCRIPTOR.fields_by_name["value"].number, payload, depth)
        except (_TooDeep, ProtobufDecodeError):
            del self._lines[lines:], self._path[steps:]
            return False
        return True

    # --- fields told by number -----------------------------------------------------------------------------------

    def _unknown(self, data: bytes, depth: int) -> None:
        path = ".".join(map(str, self._path))
        self._numbered(Shape.of_spans([(data, 0, len(data))], self._hints, path), _Raw(data, {}), scan(data), depth)

    def _numbered(self, shape: Shape, raw: _Raw, fields: Iterable[Field], depth: int) -> None:
        for field in fields:
            field_shape = shape.field(field.number, field.wire_type)
            if field.wire_type == SGROUP:
                self._numbered_message(field_shape, raw, field, depth)
            elif field.wire_type == LEN:
                self._length_delimited(field_shape, raw, field, depth)
            else:
                self._line(f"{self._indents[depth]}{field.number}: {field.value:{_DIGITS[field.wire_type]}}")

    def _numbered_message(self, shape: FieldShape, raw: _Raw, field: Field, depth: int) -> None:
        """Prints a group or a LEN field with what is in it. Raises DecodeError where that is no message."""
        bracket, closing = "<>" if field.wire_type == SGROUP else "{}"
        if shape.message is None:
            raise _TooDeep
        fields = scan(raw.data, field.value_start, field.value_end, raw.group_ends)
        self._open(str(field.number), bracket, depth)
        self._numbered(shape.message, raw, fields, depth + 1)
        self._line(f"{self._indents[depth]}{closing}")

    def _length_delimited(self, shape: FieldShape, raw: _Raw, field: Field, depth: int) -> None:
        if shape.kind == "message":
            before = len(self._lines)
            try:
                self._numbered_message(shape, raw, field, depth)
            except (_TooDeep, DecodeError):
                del self._lines[before:]
            else:
                return
        content = raw.data[field.value_start : field.end]
        literal = quoted(_readable(content)) if shape.kind == "string" else quoted_bytes(content)
        self._line(f"{self._indents[depth]}{field.number}: {literal}")


class _Raw(NamedTuple):
    """Bytes that are read without a type."""

    data: bytes
    group_ends: GroupEnds


def _entries(message: Message, field: FieldDescriptor, values: Any) -> list[tuple[Any, Any]]:
    """The entries of a map by key. Strings that are not UTF-8 (proto2) the runtime's maps do not give."""
    try:
        return sorted(values.items(), key=itemgetter(0))
    except UnicodeDecodeError:
        entries = WireMap(message, field).items()
        return sorted(entries, key=lambda entry: (str(type(entry[0])), entry[0]))


def _readable(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
