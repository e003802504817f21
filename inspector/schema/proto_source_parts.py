"""One declaration of a file as .proto source: a message, a method, a field, ...

Invariant: it is the text that the declaration has in the source of its file (`proto_source`), but that types have their
full names and no lines of other declarations stand between.
"""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from inspector.errors import SchemaError
from inspector.schema.proto_source import FilePrinter, Scope, members_of_oneofs
from inspector.schema.proto_source_comments import Path
from inspector.schema.proto_source_text import SourceLines
from inspector.schema.proto_source_types import Types
from inspector.schema.wording import one_line, text


class PartPrinter(FilePrinter):
    """Writes declarations of one file, which their paths (SourceCodeInfo) name. `types` as in `to_source`."""

    def __init__(self, file: FileDescriptorProto, types: Types) -> None:
        super().__init__(file, types, full_names=True)

    def part(self, path: Path) -> str:
        """The source of the declaration at a path. Raises SchemaError where no source can say it."""
        self._out = SourceLines()
        try:
            self._part(path)
        except SchemaError as error:
            raise SchemaError(error.message, where=one_line(text(self._file.name)), hint=error.hint) from None
        return self._out.text()

    def _part(self, path: Path) -> None:
        if path[0] == 5:
            self._of_enum(path[2:], self._file.enum_type[path[1]], self._package, path)
        elif path[0] == 6:
            self._of_service(path)
        else:
            self._of_message(path)

    def _of_service(self, path: Path) -> None:
        service = self._file.service[path[1]]
        if len(path) == 2:
            self._service(service, path)
        else:
            self._method(service.method[path[3]], _within(self._package, text(service.name)), path)

    def _of_enum(self, rest: Path, enum: EnumDescriptorProto, scope: str, path: Path) -> None:
        """An enum, or a value of it, which `rest` then leads to."""
        if rest:
            self._enum_value(enum.value[rest[1]], scope, path)
        else:
            self._enum(enum, scope, path)

    def _of_message(self, path: Path) -> None:
        """A message, or what is in it; an extension."""
        if path[0] != 4 or len(path) == 2:
            self._of_file(path)
            return
        holder, name, at = self._file.message_type[path[1]], self._package, 2
        name = _within(name, text(holder.name))
        while path[at] == 3 and len(path) > at + 2:
            holder, at = holder.nested_type[path[at + 1]], at + 2
            name = _within(name, text(holder.name))
        scope = Scope(name, holder.nested_type, [*holder.field, *holder.extension])
        scope.declared_before(len(scope.messages))  # they are not asked for
        self._within_message(holder, scope, path, at)

    def _of_file(self, path: Path) -> None:
        scope = Scope(self._package, self._file.message_type, self._file.extension)
        scope.declared_before(len(scope.messages))
        if path[0] == 4:
            self._messages(scope, path[1:], (4,))
        else:
            self._extension(self._file.extension[path[1]], scope, path, (4,))

    def _within_message(self, holder: DescriptorProto, scope: Scope, path: Path, at: int) -> None:
        before, number, index = path[:at], path[at], path[at + 1]
        if number == 3:
            self._messages(scope, [index], (*before, 3))
        elif number == 4:
            self._of_enum(path[at + 2 :], holder.enum_type[index], scope.name, path)
        elif number == 6:
            self._extension(holder.extension[index], scope, path, (*before, 3))
        elif number == 8:
            self._oneof(holder, index, members_of_oneofs(holder).get(index, ()), scope, before)
        else:
            field = holder.field[index]
            is_member = field.HasField("oneof_index") and field.oneof_index in members_of_oneofs(holder)
            self._field(field, scope, path, (*before, 3), "" if is_member else self._label(field))

    def _extension(self, field: FieldDescriptorProto, scope: Scope, path: Path, messages: Path) -> None:
        with self._out.block(f"extend {self._type_name(field.extendee, scope.name)}"):
            self._field(field, scope, path, messages, self._label(field))


def _within(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
