"""Everything that the files of a schema name: packages, files, services, methods, messages, enums, values, fields,
oneofs and extensions.

It works on descriptors as they are, without a pool, so that a file which cannot be built can still be looked at.
Invariant: `path` leads to `node` in `proto`, as in SourceCodeInfo (google/protobuf/descriptor.proto), and a symbol is
found by its full name in the file from which its type would be loaded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from inspector.errors import SchemaError
from inspector.schema.catalog import MAX_SYMBOL, Catalog
from inspector.schema.descriptor_set import FileEntry
from inspector.schema.loader import Loader
from inspector.schema.names import unknown
from inspector.schema.wording import one_line, text

Path = tuple[int, ...]

KINDS = ("service", "method", "message", "enum", "extension", "file", "package")
"""What can be listed."""

_OF_FILE = {4: "message", 5: "enum", 6: "service", 7: "extension"}
_OF_MESSAGE = {3: "message", 2: "field", 4: "enum", 6: "extension", 8: "oneof"}
_OF_ENUM = {2: "value"}
_OF_SERVICE = {2: "method"}
_PARTS = {"file": _OF_FILE, "message": _OF_MESSAGE, "enum": _OF_ENUM, "service": _OF_SERVICE}
"""What is declared within something: numbers of the fields of its descriptor."""


class Symbol(NamedTuple):
    """Something with a name. A package has neither file nor node; the node of a file is its descriptor."""

    kind: str
    name: str
    entry: FileEntry | None = None
    proto: FileDescriptorProto = FileDescriptorProto()
    node: Any = None
    path: Path = ()

    @property
    def file(self) -> str:
        return text(self.proto.name)

    def parts(self, *kinds: str) -> Iterator[Symbol]:
        """What is declared directly within it, of these kinds (else of all), in the order of the source."""
        prefix = text(self.proto.package) if self.kind == "file" else self.name
        prefix = f"{prefix}." if prefix else ""
        for number, kind in _PARTS.get(self.kind, {}).items():
            if kinds and kind not in kinds:
                continue
            nodes = getattr(self.node, self.node.DESCRIPTOR.fields_by_number[number].name)
            for index, node in enumerate(nodes):
                yield Symbol(kind, prefix + text(node.name), self.entry, self.proto, node, (*self.path, number, index))

    @property
    def is_map_entry(self) -> bool:
        return self.kind == "message" and bool(self.node.options.map_entry)


class Symbols:
    """The symbols of a catalog, whose files `loader` builds."""

    def __init__(self, catalog: Catalog, loader: Loader) -> None:
        self._catalog = catalog
        self._loader = loader
        self._protos: dict[FileEntry, FileDescriptorProto] = {}

    def find(self, name: str) -> Symbol | None:
        """The symbol with this full name, or None. It may begin with a dot; a method may be `pkg.Svc/Method`, a value
        of an enum `pkg.VALUE` or `pkg.Enum.VALUE`.

        Raises SchemaError where the sources disagree about it."""
        entry = self._catalog.file(name)
        if entry is not None:
            return self._file(entry)
        name = name.removeprefix("/").removeprefix(".").replace("/", ".")
        if not name or len(name) > MAX_SYMBOL:
            return None
        return self._declared(name) or self._value(name) or self._package(name)

    def get(self, name: str, *kinds: str) -> Symbol:
        """As `find`, but raises SchemaError with the names that are near if there is none, or none of these kinds."""
        found = self.find(name)
        if found is None:
            wanted = _one_of(kinds) or "symbol"
            raise unknown(wanted, name.removeprefix("."), self._known(kinds), self._catalog.always_known_messages())
        if kinds and found.kind not in kinds:
            article = "an" if found.kind[0] in "aeiou" else "a"
            raise SchemaError(
                f"{one_line(found.name)} is {article} {found.kind}, not a {_one_of(kinds)}",
                hint="inspector describe shows it",
            )
        return found

    def names(self, kind: str) -> list[str]:
        """Full names of all that the sources define of a kind, sorted."""
        if kind == "package":
            found: Iterable[str] = chain.from_iterable(source.packages() for source in self._catalog.sources)
        elif kind == "file":
            found = chain.from_iterable(source.names() for source in self._catalog.sources)
        else:
            found = (each.name for each in self.all(kind))
        return sorted(set(filter(None, found)))

    def all(self, kind: str) -> Iterator[Symbol]:
        """All of a kind (not `package`) that the sources define."""
        for entry in self._catalog.own_files():
            yield from self._of_kind(self._file(entry), kind)

    def all_in_package(self, package: str, kind: str) -> Iterator[Symbol]:
        """All of a kind (not `package`) that the files of a package define, of an always-known one too."""
        for entry in self._entries_in(package):
            yield from self._of_kind(self._file(entry), kind)

    def files(self) -> list[Symbol]:
        """The files of the sources, by name, without copies of the always-known ones."""
        return sorted(self.all("file"), key=lambda each: each.name)

    def in_package(self, package: str) -> Iterator[Symbol]:
        """What the files of a package declare, file by file."""
        for entry in self._entries_in(package):
            yield from self._file(entry).parts()

    def packages_beneath(self, package: str) -> list[str]:
        """Packages of the sources whose names begin with that of this one."""
        return [each for each in self.names("package") if each.startswith(f"{package}.")]

    def reachable(self, symbols: Iterable[Symbol]) -> list[Symbol]:
        """The symbols, and all types that they refer to, directly or by others: each once. What is declared within
        another one that is among them does not come by itself."""
        found: dict[str, Symbol] = {}
        waiting = list(symbols)
        for symbol in waiting:  # grows meanwhile
            if symbol.name in found and found[symbol.name].kind == symbol.kind:
                continue
            found[symbol.name] = symbol
            types = (self.find(f".{name}") for name in dict.fromkeys(self._references(symbol)) if name not in found)
            waiting += [each for each in types if each is not None]
        whole = {(id(each.proto), each.path) for each in found.values()}
        return [each for each in found.values() if not _is_within(each, whole)]

    def imports(self, symbols: Iterable[Symbol]) -> list[FileDescriptorProto]:
        """The files in which the symbols are, and all that these import, as far as it is there. A file has a name of
        its own: where two sources call different ones alike, the later one has a number."""
        waiting = [each.entry for each in symbols if each.entry is not None]
        found: dict[FileEntry, FileDescriptorProto] = {}
        for entry in waiting:  # grows meanwhile
            if entry in found:
                continue
            imported = [self._catalog.imported(entry, name) for name in entry.imports]
            found[entry] = self._named_apart(entry, imported)
            waiting += [each for each in imported if each is not None]
        return list(found.values())

    def load(self, symbol: Symbol) -> None:
        """Builds the file of a symbol with its imports, so that the options which these define are known to the pool.
        Where it cannot be built they stay unknown."""
        if symbol.entry is not None:
            with contextlib.suppress(SchemaError):
                self._loader.load(symbol.entry)

    def _named_apart(self, entry: FileEntry, imported: list[FileEntry | None]) -> FileDescriptorProto:
        proto = entry.proto()
        proto.name = self._catalog.unique_name(entry)
        for index, each in enumerate(imported):
            if each is not None and each.name == entry.imports[index]:
                proto.dependency[index] = self._catalog.unique_name(each)
        return proto

    def _known(self, kinds: tuple[str, ...]) -> Iterator[str]:
        for kind in kinds or KINDS:
            yield from self.names(kind)

    def _file(self, entry: FileEntry) -> Symbol:
        proto = self._protos.get(entry)
        if proto is None:
            proto = self._protos[entry] = entry.proto()
        return Symbol("file", entry.name, entry, proto, proto)

    def _declared(self, name: str) -> Symbol | None:
        entry = self._catalog.defining(name)
        scope = self._file(entry) if entry is not None else None
        while scope is not None:
            parts = [*scope.parts(), *(value for enum in scope.parts("enum") for value in _values_beside(enum))]
            scope = next((each for each in parts if _leads_to(each, name)), None)
            if scope is not None and scope.name == name:
                return scope
        return None

    def _value(self, name: str) -> Symbol | None:
        """A value of an enum of a package: its name is in the scope of its enum (C++)."""
        for entry in self._entries_in(name.rpartition(".")[0]):
            for enum in self._file(entry).parts("enum"):
                found = next((each for each in _values_beside(enum) if each.name == name), None)
                if found is not None:
                    return found
        return None

    def _entries_in(self, package: str) -> Iterator[FileEntry]:
        seen = set()
        for entry in chain.from_iterable(source.in_package(package) for source in self._catalog.with_known):
            if entry.name not in seen:
                seen.add(entry.name)
                yield entry

    def _package(self, name: str) -> Symbol | None:
        is_one = any(each == name or each.startswith(f"{name}.") for each in self._packages)
        return Symbol("package", name) if is_one else None

    @cached_property
    def _packages(self) -> frozenset[str]:
        return frozenset(chain.from_iterable(source.packages() for source in self._catalog.with_known))

    def _of_kind(self, file: Symbol, kind: str) -> Iterator[Symbol]:
        if kind == "file":
            yield file
        elif kind in ("service", "method"):
            services = file.parts("service")
            yield from services if kind == "service" else (each for one in services for each in one.parts())
        else:
            yield from (each for each in self._nested(file, kind) if not each.is_map_entry)

    @staticmethod
    def _nested(file: Symbol, kind: str) -> Iterator[Symbol]:
        waiting = [file]
        while waiting:
            scope = waiting.pop()
            yield from scope.parts(kind)
            waiting += reversed(list(scope.parts("message")))

    def _references(self, symbol: Symbol) -> Iterator[str]:
        """Full names of the types that a declaration refers to, with what is within it."""
        waiting = [symbol]
        while waiting:
            each = waiting.pop()
            waiting += reversed(list(each.parts()))
            if each.kind == "package":
                waiting += reversed(list(self.in_package(each.name)))
            elif each.kind in ("field", "extension"):
                names = each.node.type_name, each.node.extendee
                yield from (text(name).removeprefix(".") for name in names if name)
            elif each.kind == "method":
                yield from (text(name).removeprefix(".") for name in (each.node.input_type, each.node.output_type))


def _one_of(kinds: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(kinds[:-1]), *kinds[-1:])))


def _leads_to(symbol: Symbol, name: str) -> bool:
    return symbol.name == name or name.startswith(f"{symbol.name}.")


def _values_beside(enum: Symbol) -> Iterator[Symbol]:
    """The values of an enum by the names that they have in its scope."""
    scope = enum.name.rpartition(".")[0]
    for value in enum.parts():
        yield value._replace(name=f"{scope}.{text(value.node.name)}" if scope else text(value.node.name))


def _is_within(symbol: Symbol, whole: set[tuple[int, Path]]) -> bool:
    return any((id(symbol.proto), symbol.path[:end]) in whole for end in range(0, len(symbol.path), 2))
