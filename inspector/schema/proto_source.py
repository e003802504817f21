"""A .proto source out of a file descriptor.

Source: https://protobuf.dev/reference/protobuf/edition-2023-spec/ (and those of proto2 and proto3); google/protobuf/
descriptor.proto. Invariant: protoc makes the same descriptor of the source again, comments of SourceCodeInfo and a
`json_name` that is the default one aside; a descriptor that no source can make is refused with a SchemaError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from textwrap import indent

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    EnumValueDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    ServiceDescriptorProto,
    SymbolVisibility,
)

from inspector.errors import SchemaError
from inspector.limits import MAX_DEPTH
from inspector.schema.catalog import MAX_SYMBOL
from inspector.schema.conflicts import camel_case
from inspector.schema.proto_source_comments import Comments, Path
from inspector.schema.proto_source_options import Option, OptionSpeller
from inspector.schema.proto_source_text import NO_COMMENT, Comment, SourceLines, dotted, identifier, quoted
from inspector.schema.proto_source_types import TypeNames, Types
from inspector.schema.wording import one_line, text
from inspector.wire.scan import MAX_FIELD_NUMBER

F = FieldDescriptorProto

MAX_WIDTH = 120
"""Columns of a field with its options in one line."""

_TYPE_NAMES = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in F.Type.items()
    if number not in (F.TYPE_MESSAGE, F.TYPE_ENUM, F.TYPE_GROUP)
}
_LABELS = {F.LABEL_OPTIONAL: "optional ", F.LABEL_REQUIRED: "required ", F.LABEL_REPEATED: "repeated "}

_END_OF_NUMBERS = MAX_FIELD_NUMBER + 1
_END_OF_MESSAGE_SET = (1 << 31) - 1
_MAX_ENUM_NUMBER = (1 << 31) - 1
"""What the word `max` stands for in ranges: of fields and of a message set (both exclusive), of enum values."""

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|inf|nan)")
_ESCAPED = re.compile(r'(?:[^"\\\x00-\x1f\x7f-\U0010ffff]|\\[ -~])*')

_STRIPPED = [
    Option((50, 7), "features.enforce_naming_style", "STYLE_LEGACY"),
    Option((50, 8), "features.default_symbol_visibility", "EXPORT_ALL"),
]
"""Features since edition 2024 which compilers take out of descriptors: all that is left of them is that there were
features. These values let everything pass."""

_NOT_VALUE_NAMES = ("option", "reserved")
"""Names with which the statements of an enum that are no values begin."""


def to_source(file: FileDescriptorProto, types: Types | None = None) -> str:
    """The source text of a file. `types` has the definitions of its imports: without them custom options become
    comments, and names of other packages stand in full.

    Raises SchemaError for what no source can express, such as names that are no identifiers.
    """
    try:
        return FilePrinter(file, Types([file]) if types is None else types).text()
    except SchemaError as error:
        raise SchemaError(error.message, where=one_line(text(file.name)), hint=error.hint) from None


class Scope:
    """The messages of one scope (a file or a message), and which of them are no declarations of their own.

    A group and a map field bring their message with them: it is printed as a part of the field. The order of messages
    is kept, so a field waits for the messages which stand before its own.
    """

    def __init__(self, name: str, messages: Sequence[DescriptorProto], fields: Iterable[FieldDescriptorProto]) -> None:
        self.name = name
        self.messages = messages
        prefix = f".{name}." if name else "."
        self._by_name = {prefix + text(message.name): index for index, message in enumerate(messages)}
        tied = [index for field in fields if (index := self.message_of(field)) is not None]
        self._tied = set(tied)
        self._next = self._blocks = 0
        if len(tied) > len(self._tied):
            raise SchemaError("two fields share one group or map entry", hint="the descriptor is made by hand")
        self._refuse_stray_entries()

    def _refuse_stray_entries(self) -> None:
        for index, message in enumerate(self.messages):
            if message.options.map_entry and index not in self._tied:
                name = one_line(text(message.name))
                raise SchemaError(f"{name} is the entry of a map that is not there", hint="the descriptor is damaged")

    def message_of(self, field: FieldDescriptorProto) -> int | None:
        """The index of the message that a field brings with it."""
        index = self._by_name.get(text(field.type_name))
        if field.type == F.TYPE_GROUP or (index is not None and self._is_map(field, self.messages[index])):
            return index
        return None

    def block_of(self, extension: tuple[int, FieldDescriptorProto]) -> tuple[str, int]:
        """What the `extend` block of an extension is told by: the message that is extended, and how many blocks must
        have ended before, as the group of one stands behind a message of the scope."""
        brought = self.message_of(extension[1])
        if brought is not None and brought - 1 not in self._tied:
            self._blocks += 1
        return text(extension[1].extendee), self._blocks

    @staticmethod
    def _is_map(field: FieldDescriptorProto, entry: DescriptorProto) -> bool:
        return (
            entry.options.map_entry
            and field.label == F.LABEL_REPEATED
            and not field.extendee
            and [each.number for each in entry.field] == [1, 2]
        )

    def declared_before(self, index: int | None = None) -> Iterable[int]:
        """The messages before that one (None: before the first that a field brings) which are still to be printed."""
        end = min(self._tied, default=len(self.messages)) if index is None else index
        waiting = range(self._next, end)
        self._next = max(self._next, end)
        return [each for each in waiting if each not in self._tied]


class FilePrinter:
    """Writes the declarations of one file. A `path` is the place of a declaration in it (SourceCodeInfo)."""

    def __init__(self, file: FileDescriptorProto, types: Types, *, full_names: bool = False) -> None:
        self._file = file
        self._package = dotted(file.package, "a package") if file.package else ""
        self._names = TypeNames(types, file, full_names=full_names)
        self._speller = OptionSpeller(types, self._names, types.visible_from(file))
        self._comments = Comments(file.source_code_info)
        self._out = SourceLines()
        self._syntax = text(file.syntax) or "proto2"

    def text(self) -> str:
        self._head()
        scope = Scope(self._package, self._file.message_type, self._file.extension)
        self._enums(self._file.enum_type, self._package, (5,))
        self._messages(scope, scope.declared_before(), (4,))
        self._extensions(self._file.extension, scope, (7,), (4,))
        self._messages(scope, scope.declared_before(len(scope.messages)), (4,))
        for index, service in enumerate(self._file.service):
            self._service(service, (6, index))
        return self._out.text()

    # --- the head of the file ---

    def _head(self) -> None:
        statement = _syntax_statement(self._file)
        self._out.statement(statement, self._comments.at((12,)))
        if self._package:
            self._out.blank()
            self._out.statement(f"package {self._package};", self._comments.at((2,)))
        self._imports()
        self._out.blank()
        options = self._speller.options(self._file.options, self._package)
        if self._file.edition >= Edition.EDITION_2024 and self._file.options.HasField("features"):
            given = [option.name for option in options]
            options += [option for option in _STRIPPED if option.name not in given]
        self._options(options, (8,))

    def _imports(self) -> None:
        self._out.blank()
        public, weak = set(self._file.public_dependency), set(self._file.weak_dependency)
        for index, name in enumerate(self._file.dependency):
            modifier = "public " if index in public else "weak " if index in weak else ""
            self._out.statement(f"import {modifier}{quoted(text(name))};", self._comments.at((3, index)))
        for index, name in enumerate(self._file.option_dependency):
            self._out.statement(f"import option {quoted(text(name))};", self._comments.at((15, index)))

    def _options(self, options: Iterable[Option], path: Path) -> None:
        for option in options:
            self._out.statement(option.statement().split("\n"), self._comments.at((*path, *option.path)))

    # --- messages ---

    def _messages(self, scope: Scope, indexes: Iterable[int], path: Path) -> None:
        for index in indexes:
            message, place = scope.messages[index], (*path, index)
            name = identifier(message.name, "a message")
            self._out.blank()
            with self._out.block(f"{_visibility(message)}message {name}", self._comments.at(place)):
                self._message_body(message, _joined(scope.name, name), place)
            self._out.blank()

    def _message_body(self, message: DescriptorProto, name: str, path: Path) -> None:
        if len(path) > 2 * MAX_DEPTH:
            raise SchemaError(f"messages nested over {MAX_DEPTH} deep", hint="the descriptor is made by hand")
        scope = Scope(name, message.nested_type, [*message.field, *message.extension])
        self._options(self._speller.options(message.options, name), (*path, 7))
        self._reserved(message, path)
        self._extension_ranges(message, name, path)
        self._enums(message.enum_type, name, (*path, 4))
        self._messages(scope, scope.declared_before(), (*path, 3))
        self._fields(message, scope, path)
        self._extensions(message.extension, scope, (*path, 6), (*path, 3))
        self._messages(scope, scope.declared_before(len(scope.messages)), (*path, 3))

    def _reserved(self, message: DescriptorProto, path: Path) -> None:
        ranges = [_range(each.start, each.end - 1, _END_OF_NUMBERS - 1) for each in message.reserved_range]
        self._reserved_statements(ranges, message.reserved_name, (*path, 9), (*path, 10))

    def _reserved_statements(
        self, ranges: Sequence[str], names: Iterable[str], range_path: Path, name_path: Path
    ) -> None:
        if ranges:
            self._out.statement(f"reserved {', '.join(ranges)};", self._comments.at(range_path))
        spell: Callable[[str], str] = quoted
        if self._syntax == "editions":
            spell = _reserved_identifier
        spelled = [spell(text(name)) for name in names]
        if spelled:
            self._out.statement(f"reserved {', '.join(spelled)};", self._comments.at(name_path))

    def _extension_ranges(self, message: DescriptorProto, name: str, path: Path) -> None:
        last = (_END_OF_MESSAGE_SET if message.options.message_set_wire_format else _END_OF_NUMBERS) - 1
        for index, each in enumerate(message.extension_range):
            place = (*path, 5, index)
            comment = self._comments.at((*path, 5), place) if index == 0 else self._comments.at(place)
            options = self._speller.options(each.options, name)
            self._bracketed(f"extensions {_range(each.start, each.end - 1, last)}", options, comment)

    # --- fields ---

    def _fields(self, message: DescriptorProto, scope: Scope, path: Path) -> None:
        oneofs = members_of_oneofs(message)
        for index, field in enumerate(message.field):
            members = oneofs.get(field.oneof_index) if field.HasField("oneof_index") else None
            if members is None:
                self._field(field, scope, (*path, 2, index), (*path, 3), self._label(field))
            elif members[0] == index:
                self._oneof(message, field.oneof_index, members, scope, path)
        for index, members in oneofs.items():
            if not members:
                self._oneof(message, index, (), scope, path)

    def _oneof(self, message: DescriptorProto, index: int, members: Sequence[int], scope: Scope, path: Path) -> None:
        oneof, place = message.oneof_decl[index], (*path, 8, index)
        name = identifier(oneof.name, "a oneof")
        # What members bring with them comes out before the block, where messages may stand.
        for member in members:
            brought = scope.message_of(message.field[member])
            if brought is not None:
                self._messages(scope, scope.declared_before(brought), (*path, 3))
        with self._out.block(f"oneof {name}", self._comments.at(place)):
            self._options(self._speller.options(oneof.options, _joined(scope.name, name)), (*place, 2))
            for member in members:
                self._field(message.field[member], scope, (*path, 2, member), (*path, 3), "")

    def _label(self, field: FieldDescriptorProto) -> str:
        if field.label == F.LABEL_OPTIONAL and self._syntax != "proto2":
            return "optional " if field.proto3_optional else ""
        return _LABELS[field.label]

    def _field(self, field: FieldDescriptorProto, scope: Scope, path: Path, messages: Path, label: str) -> None:
        """Writes a field. `messages` is the path of the messages beside it."""
        name = identifier(field.name, "a field")
        options = self._field_options(field, scope.name)
        comment = self._comments.at(path)
        brought = scope.message_of(field)
        if brought is not None:
            self._messages(scope, scope.declared_before(brought), messages)
        if field.type == F.TYPE_GROUP:
            self._group(field, scope, brought, options, path, (*messages, brought or 0), label)
        elif brought is not None:
            entry = scope.messages[brought]
            key, value = (self._type(each, scope.name) for each in entry.field)
            self._bracketed(f"map<{key}, {value}> {name} = {field.number}", options, comment)
        else:
            self._bracketed(f"{label}{self._type(field, scope.name)} {name} = {field.number}", options, comment)

    def _group(
        self, field: FieldDescriptorProto, scope: Scope, brought: int | None, options: Sequence[Option], path: Path,
        message_path: Path, label: str,
    ) -> None:  # fmt: skip
        message = None if brought is None else scope.messages[brought]
        if self._syntax == "editions" or message is None or text(message.name).lower() != field.name:
            raise SchemaError(
                f"the group {one_line(text(field.name))} cannot be written", hint="the descriptor is made by hand"
            )
        name = identifier(message.name, "a group")
        brackets = self._brackets(options)
        comment = self._comments.at(path, message_path)
        with self._out.block(f"{label}group {name} = {field.number}{brackets}", comment):
            self._message_body(message, _joined(scope.name, name), message_path)

    def _extensions(self, extensions: Sequence[FieldDescriptorProto], scope: Scope, path: Path, messages: Path) -> None:
        for (extendee, _), numbered in groupby(enumerate(extensions), key=scope.block_of):
            fields = list(numbered)
            brought = scope.message_of(fields[0][1])
            if brought is not None:
                self._messages(scope, scope.declared_before(brought), messages)
            self._out.blank()
            comment = self._comments.at(path) if fields[0][0] == 0 else NO_COMMENT
            with self._out.block(f"extend {self._type_name(extendee, scope.name)}", comment):
                for index, field in fields:
                    self._field(field, scope, (*path, index), messages, self._label(field))
            self._out.blank()

    def _type(self, field: FieldDescriptorProto, scope: str) -> str:
        if field.type in _TYPE_NAMES and field.HasField("type"):
            return _TYPE_NAMES[field.type]
        return self._type_name(field.type_name, scope)

    def _type_name(self, name: str, scope: str) -> str:
        spelled = dotted(text(name).removeprefix("."), "a type")
        # A relative name, which a compiler would have resolved, is left to the next one.
        return self._names.shorten(spelled, scope) if text(name).startswith(".") else spelled

    def _field_options(self, field: FieldDescriptorProto, scope: str) -> list[Option]:
        options = self._speller.options(field.options, _joined(scope, text(field.name)))
        if field.HasField("json_name") and field.json_name != camel_case(field.name):
            options.insert(0, Option((10,), "json_name", quoted(text(field.json_name))))
        if field.HasField("default_value"):
            options.insert(0, Option((7,), "default", _default(field)))
        return options

    def _bracketed(self, declaration: str, options: Sequence[Option], comment: Comment) -> None:
        """A declaration that ends in options in brackets."""
        for option in options:
            if option.value is None:
                self._out.line(option.as_comment())
        self._out.statement(f"{declaration}{self._brackets(options)};".split("\n"), comment)

    def _brackets(self, options: Sequence[Option]) -> str:
        spelled = [f"{option.name} = {option.value}" for option in options if option.value is not None]
        one_line = ", ".join(spelled)
        if not spelled:
            return ""
        if len(one_line) < MAX_WIDTH - 40 and "\n" not in one_line:
            return f" [{one_line}]"
        return " [\n" + indent(",\n".join(spelled), "  ") + "\n]"

    # --- enums and services ---

    def _enums(self, enums: Iterable[EnumDescriptorProto], scope: str, path: Path) -> None:
        for index, enum in enumerate(enums):
            self._enum(enum, scope, (*path, index))

    def _enum(self, enum: EnumDescriptorProto, scope: str, path: Path) -> None:
        name = identifier(enum.name, "an enum")
        self._out.blank()
        with self._out.block(f"{_visibility(enum)}enum {name}", self._comments.at(path)):
            self._enum_body(enum, _joined(scope, name), path)
        self._out.blank()

    def _enum_body(self, enum: EnumDescriptorProto, name: str, path: Path) -> None:
        self._options(self._speller.options(enum.options, name), (*path, 3))
        ranges = [_range(each.start, each.end, _MAX_ENUM_NUMBER) for each in enum.reserved_range]
        self._reserved_statements(ranges, enum.reserved_name, (*path, 4), (*path, 5))
        for index, value in enumerate(enum.value):
            self._enum_value(value, name.rpartition(".")[0], (*path, 2, index))

    def _enum_value(self, value: EnumValueDescriptorProto, scope: str, path: Path) -> None:
        name = identifier(value.name, "an enum value")
        if name in _NOT_VALUE_NAMES:
            raise SchemaError(f"an enum value named {name} cannot be written", hint="protoc knows none either")
        options = self._speller.options(value.options, _joined(scope, name))
        self._bracketed(f"{name} = {value.number}", options, self._comments.at(path))

    def _service(self, service: ServiceDescriptorProto, path: Path) -> None:
        name = identifier(service.name, "a service")
        scope = _joined(self._package, name)
        self._out.blank()
        with self._out.block(f"service {name}", self._comments.at(path)):
            self._options(self._speller.options(service.options, scope), (*path, 3))
            for index, method in enumerate(service.method):
                self._method(method, scope, (*path, 2, index))
        self._out.blank()

    def _method(self, method: MethodDescriptorProto, scope: str, path: Path) -> None:
        name = identifier(method.name, "a method")
        request = ("stream " if method.client_streaming else "") + self._type_name(method.input_type, scope)
        response = ("stream " if method.server_streaming else "") + self._type_name(method.output_type, scope)
        head, comment = f"rpc {name}({request}) returns ({response})", self._comments.at(path)
        options = self._speller.options(method.options, _joined(scope, name))
        if not method.HasField("options"):
            self._out.statement(f"{head};", comment)
            return
        with self._out.block(head, comment):
            self._options(options, (*path, 4))


def _joined(scope: str, name: str) -> str:
    """A full name. Bounded, as it is made anew for each name within it."""
    if len(scope) + len(name) > MAX_SYMBOL:
        raise SchemaError(f"the name {one_line(name, 80)} is too long", hint="the descriptor is made by hand")
    return f"{scope}.{name}" if scope else name


def _syntax_statement(file: FileDescriptorProto) -> str:
    """The first statement of a file. (An edition, too, has its comments at the place of `syntax`.)"""
    syntax = text(file.syntax) or "proto2"
    if syntax in ("proto2", "proto3"):
        return f'syntax = "{syntax}";'
    is_known = file.edition in Edition.values() and file.edition >= Edition.EDITION_2023
    name = Edition.Name(file.edition).removeprefix("EDITION_") if is_known else ""
    if syntax != "editions" or not name:
        shown = f"edition {file.edition}" if syntax == "editions" else one_line(syntax)
        raise SchemaError(f"the syntax {shown} is not known", hint="known are proto2, proto3 and editions")
    return f'edition = "{name}";'


def _visibility(node: DescriptorProto | EnumDescriptorProto) -> str:
    if node.visibility == SymbolVisibility.VISIBILITY_UNSET:
        return ""
    return "local " if node.visibility == SymbolVisibility.VISIBILITY_LOCAL else "export "


def _range(first: int, last: int, most: int) -> str:
    """A range with both its ends."""
    if first == last:
        return str(first)
    return f"{first} to {'max' if last == most else last}"


def _reserved_identifier(name: str) -> str:
    return identifier(name, "a reserved name")


def members_of_oneofs(message: DescriptorProto) -> dict[int, list[int]]:
    """Indexes of the fields of each oneof, without those that only stand for the word `optional`.

    Raises SchemaError for a field in a oneof that is not there."""
    found: dict[int, list[int]] = {index: [] for index in range(len(message.oneof_decl))}
    for index, field in enumerate(message.field):
        if field.HasField("oneof_index"):
            if field.oneof_index not in found:
                name = one_line(text(field.name))
                raise SchemaError(f"{name} is in a oneof that is not there", hint="the descriptor is damaged")
            found[field.oneof_index].append(index)
    return {
        oneof: members
        for oneof, members in found.items()
        if len(members) != 1 or not message.field[members[0]].proto3_optional
    }


def _default(field: FieldDescriptorProto) -> str:
    value = text(field.default_value)
    if field.type == F.TYPE_STRING:
        return quoted(value)
    if field.type == F.TYPE_BYTES:
        form, spelled = _ESCAPED, f'"{value}"'
    elif field.type in (F.TYPE_ENUM, F.TYPE_BOOL):
        return identifier(value, "a default")
    else:
        form, spelled = _NUMBER, value
    if not form.fullmatch(value):
        raise SchemaError(f"{one_line(value)!r} is no default of {one_line(text(field.name))}", hint="it is damaged")
    return spelled
