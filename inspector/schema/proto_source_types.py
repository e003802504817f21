"""What the files of a schema define, by full name, as far as source text must know it: to shorten the names of types,
and to spell options.

It works on descriptors as they are, without a descriptor pool: files that were found in a binary often lack some of
their imports, and a pool takes no such file. Name resolution is that of the language guide ("Packages and name
resolution"): the innermost scope which has the first part of a name decides.
Invariant: a shortened name resolves to the type that it was made from, or the name is not shortened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from inspector.schema.catalog import MAX_SYMBOL
from inspector.schema.descriptor_set import all_messages
from inspector.schema.wellknown import AlwaysKnown
from inspector.schema.wording import text

OPTIONS_FILE = "google/protobuf/descriptor.proto"

_WORDS = frozenset((
    "double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32",
    "sfixed64", "bool", "string", "bytes", "group", "map", "optional", "required", "repeated", "oneof", "message",
    "enum", "service", "extend", "extensions", "reserved", "option", "rpc", "returns", "stream", "syntax", "edition",
    "import", "package", "export", "local",
))  # fmt: skip
"""Words which mean something else where a type is expected."""


class Extension(NamedTuple):
    """An extension field, its full name, and the file that it is in."""

    name: str
    field: FieldDescriptorProto
    file: str


class _Imports(NamedTuple):
    all: tuple[str, ...] = ()
    public: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: FileDescriptorProto) -> _Imports:
        names = [text(name) for name in file.dependency]
        public = tuple(names[index] for index in file.public_dependency if 0 <= index < len(names))
        return cls((*names, *map(text, file.option_dependency)), public)


class Types:
    """Definitions of `files` and of those always-known ones that they import. The first of a name wins."""

    def __init__(self, files: Iterable[FileDescriptorProto] = ()) -> None:
        self.messages: dict[str, DescriptorProto] = {}
        self.enums: dict[str, EnumDescriptorProto] = {}
        self._extensions: dict[tuple[str, int], list[Extension]] = {}
        self._scopes: set[str] = set()
        self._imports: dict[str, _Imports] = {}
        given = list(files)
        for file in given:
            self._add(file)
        self._add_known(OPTIONS_FILE, *(name for file in given for name in self._imports[text(file.name)].all))

    def _add(self, file: FileDescriptorProto) -> None:
        if text(file.name) not in self._imports:
            self._imports[text(file.name)] = _Imports.of(file)
            self._add_definitions(file)

    def _add_known(self, *names: str) -> None:
        known, waiting = AlwaysKnown(), list(names)
        while waiting:
            name = waiting.pop()
            entry = None if name in self._imports else known.file(name)
            if entry is not None:
                self._add(entry.proto())
                waiting += entry.imports

    def _add_definitions(self, file: FileDescriptorProto) -> None:
        package = text(file.package)
        if len(package) > MAX_SYMBOL:
            return
        prefix = f"{package}." if package else ""
        self._scopes.update(outer for outer in _outward(package) if outer)
        self._add_scope(prefix, file.enum_type, file.extension, text(file.name))
        self._scopes.update(prefix + text(service.name) for service in file.service)
        for name, message in all_messages(file):
            self._scopes.add(name)
            self.messages.setdefault(name, message)
            self._add_scope(f"{name}.", message.enum_type, message.extension, text(file.name))

    def _add_scope(
        self,
        prefix: str,
        enums: Iterable[EnumDescriptorProto],
        extensions: Iterable[FieldDescriptorProto],
        file: str,
    ) -> None:
        for enum in enums:
            self._scopes.add(prefix + text(enum.name))
            self.enums.setdefault(prefix + text(enum.name), enum)
        for field in extensions:
            key = text(field.extendee).removeprefix("."), field.number
            self._extensions.setdefault(key, []).append(Extension(prefix + text(field.name), field, file))

    def extension(self, extendee: str, number: int, visible: frozenset[str]) -> Extension | None:
        """The extension of a message by that number, of one of the files `visible`."""
        found = self._extensions.get((extendee, number), ())
        return next((each for each in found if each.file in visible), None)

    def visible_from(self, file: FileDescriptorProto) -> frozenset[str]:
        """The files whose definitions a file may use: itself, its imports, and what those import publicly."""
        seen, waiting = {text(file.name)}, list(_Imports.of(file).all)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += self._imports.get(name, _Imports()).public
        return frozenset(seen)

    def knows(self, files: Iterable[str]) -> bool:
        """Whether the definitions of all these files are here."""
        return all(name in self._imports for name in files)

    def is_scope(self, name: str) -> bool:
        """Whether it is the full name of a package, message, enum or service."""
        return name in self._scopes


class TypeNames:
    """Spells the types that one file refers to; `full_names` are those that can be looked up elsewhere, too."""

    def __init__(self, types: Types, file: FileDescriptorProto, *, full_names: bool = False) -> None:
        self._full_names = full_names
        self._types = types
        self._package = text(file.package)
        self._sees_all = types.knows(types.visible_from(file))

    def shorten(self, name: str, scope: str) -> str:
        """The shortest name by which the type `name` (a full name) is found from within `scope`, without its package
        cut into; `.` and the full name where there is none."""
        for candidate in self._candidates(name, scope):
            first = candidate.partition(".")[0]
            if first not in _WORDS and self._resolves(first, name.removesuffix(candidate), scope):
                return candidate
        return f".{name}"

    def extension(self, name: str, scope: str) -> str:
        """How the extension `name` (a full name) is named in an option of `scope`. It is always written out: here any
        symbol counts, also a field, so that a short name is easily taken for another."""
        hidden = not self._resolves(name.partition(".")[0], "", scope)
        return f".{name}" if hidden or ("." not in name and scope) else name

    def _candidates(self, name: str, scope: str) -> Iterator[str]:
        for outer in _outward(scope) if not self._full_names else ():
            if len(outer) >= len(self._package) and name.startswith(f"{outer}."):
                yield name[len(outer) + 1 :]
        if self._sees_all or not self._package:
            yield name

    def _resolves(self, first: str, wanted: str, scope: str) -> bool:
        """Whether `first` is found in the scope `wanted` (it ends in a dot, or is empty), and in none before."""
        for outer in _outward(scope):
            prefix = f"{outer}." if outer else ""
            if prefix == wanted:
                return True
            if self._types.is_scope(prefix + first):
                return False
        return False


def _outward(scope: str) -> Iterator[str]:
    """The scope, those around it, and at last the empty one."""
    while scope:
        yield scope
        scope = scope.rpartition(".")[0]
    yield ""
