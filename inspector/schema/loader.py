"""Builds files of a catalog into a descriptor pool, each after what it needs, when one of its symbols is asked for.

The pool is given this loader as its descriptor database, so that a look-up in the pool itself (as `json_format` makes
for an `Any`) loads too. The pool would load imports by recursion; here they are put in order first, by iteration, as
the depth of imports is up to the input.

A file goes into the pool with three changes: what another file owns is taken out of it and that file imported instead
(the pool takes a symbol once), imports that are nowhere to be found are dropped if nothing of them is used, and its
name is made unique.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from inspector.errors import SchemaError
from inspector.schema.catalog import Catalog, copy_of
from inspector.schema.descriptor_set import FileEntry, all_messages
from inspector.schema.wording import listed, one_line, text

_OPTIONS = "google/protobuf/descriptor.proto"
"""Most schemas import it, and extend its option messages. No payload carries those: that is not followed."""

_POOL_PREFIX = "Couldn't build proto file into descriptor pool: "


class _Plan(NamedTuple):
    """How a file will go into the pool, and the files that must be there before."""

    proto: FileDescriptorProto
    needs: Sequence[FileEntry]


class Loader:
    """Fills `pool` on demand. Safe to use from several threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._built: set[FileEntry] = set()
        self._failed: dict[FileEntry, SchemaError] = {}
        self._handed_over: dict[str, FileDescriptorProto] = {}
        self._lock = threading.RLock()
        self.pool = DescriptorPool(self)

    def load(self, entry: FileEntry) -> None:
        """Builds a file, what it imports, and the files which extend the messages of these. Raises SchemaError."""
        if entry in self._built:
            return
        with self._lock:
            added = self._build(entry)
            while added:
                file = added.pop()
                if file is entry or file.name != _OPTIONS:
                    added += self._build_extensions(file)

    # The two methods by which a pool asks its descriptor database. None means: no file to add, look again.

    def FindFileByName(self, name: str) -> FileDescriptorProto | None:
        """For the pool. Raises KeyError if there is no such file."""
        if name in self._handed_over:
            return self._handed_over.pop(name)
        entry = self._catalog.file(name)
        if entry is None or entry in self._built:
            raise KeyError(name)
        self.load(entry)
        return None

    def FindFileContainingSymbol(self, symbol: str) -> None:
        """For the pool. Raises KeyError if there is no such symbol."""
        entry = self._catalog.defining(symbol)
        if entry is None or entry in self._built:
            raise KeyError(symbol)
        self.load(entry)

    def _build_extensions(self, entry: FileEntry) -> list[FileEntry]:
        added: list[FileEntry] = []
        for message in _extendable_messages(entry.proto()):
            for extending in self._catalog.extending(message):
                try:
                    added += self._build(extending)
                except SchemaError:
                    # What was asked for is there. The fields of this extension will be reported as unknown ones.
                    continue
        return added

    def _build(self, root: FileEntry) -> list[FileEntry]:
        """Builds a file after all it needs; returns those that were not there yet."""
        added: list[FileEntry] = []
        path: dict[FileEntry, tuple[_Plan, Iterator[FileEntry]]] = {}
        try:
            self._enter(root, path)
            while path:
                entry, (plan, needs) = next(reversed(path.items()))
                needed = next(needs, None)
                if needed is None:
                    self._add(entry, plan.proto)
                    added.append(entry)
                    del path[entry]
                else:
                    self._enter(needed, path)
        except SchemaError as error:
            # Whatever is on the path needs the file that failed.
            self._failed |= dict.fromkeys((root, *path), error)
            raise
        return added

    def _enter(self, entry: FileEntry, path: dict[FileEntry, tuple[_Plan, Iterator[FileEntry]]]) -> None:
        if entry in self._built:
            return
        if entry in self._failed:
            raise copy_of(self._failed[entry])
        if entry in path:
            files = list(path)
            raise _cycle((*files[files.index(entry) :], entry))
        plan = self._plan(entry)
        path[entry] = plan, iter(plan.needs)

    def _plan(self, entry: FileEntry) -> _Plan:
        proto = entry.proto()
        proto.ClearField("source_code_info")
        found = {name: self._catalog.imported(entry, name) for name in entry.imports}
        needs = dict.fromkeys(file for file in found.values() if file is not None)
        needs |= dict.fromkeys(self._take_out_borrowed(entry, proto))
        missing = [name for name, file in found.items() if file is None]
        if missing:
            needs |= dict.fromkeys(self._owners_of_used(entry, proto, missing))
        _set_imports(proto, [self._catalog.unique_name(file) for file in needs])
        proto.name = self._catalog.unique_name(entry)
        return _Plan(proto, list(needs))

    def _take_out_borrowed(self, entry: FileEntry, proto: FileDescriptorProto) -> Iterator[FileEntry]:
        """Takes the definitions that another file owns out of `proto`; yields their owners."""
        owners = self._catalog.own_owners(entry.package)
        prefix = f"{entry.package}." if entry.package else ""
        parts: tuple[Any, ...] = (proto.message_type, proto.enum_type, proto.service, proto.extension)
        for part in parts:
            for index in reversed(range(len(part))):
                owner = owners.get(prefix + text(part[index].name), entry)
                if owner is not entry:
                    del part[index]
                    yield owner

    def _owners_of_used(
        self, entry: FileEntry, proto: FileDescriptorProto, missing: Sequence[str]
    ) -> Iterator[FileEntry]:
        """The files which define what `proto` uses, where imports are missing: it may be there under another name."""
        for name in _used_names(proto):
            owner = self._catalog.defining(name)
            if owner is None:
                raise _missing_import(entry, missing, name)
            if owner is not entry:
                yield owner

    def _add(self, entry: FileEntry, proto: FileDescriptorProto) -> None:
        self._handed_over[proto.name] = proto
        try:
            self.pool.FindFileByName(proto.name)
        except (TypeError, ValueError, KeyError, DecodeError) as error:
            reason = one_line(str(error).removeprefix(_POOL_PREFIX))
            where = f"{one_line(entry.origin)}: {one_line(entry.name)}"
            raise SchemaError(f"the file is not valid: {reason}", where=where, hint="compile it anew") from error
        finally:
            self._handed_over.pop(proto.name, None)
        self._built.add(entry)


def _set_imports(proto: FileDescriptorProto, names: Sequence[str]) -> None:
    if list(proto.dependency) != names:
        proto.dependency[:] = names
        # These two are indexes into the list that is gone. Nothing is decoded otherwise without them.
        proto.ClearField("public_dependency")
        proto.ClearField("weak_dependency")


def _cycle(files: Sequence[FileEntry]) -> SchemaError:
    circle = listed((file.name for file in files), " imports ")
    where = f"{one_line(files[0].origin)}: {one_line(files[0].name)}"
    return SchemaError(f"imports go in a circle: {circle}", where=where, hint="no protoc makes that: compile it anew")


def _missing_import(entry: FileEntry, missing: Sequence[str], used: str) -> SchemaError:
    where = f"{one_line(entry.origin)}: {one_line(entry.name)}"
    message = f"it imports {listed(missing)}, which no source has, and uses {one_line(used)} from there"
    hint = (
        "add a source that has it with another -s, or make the set with --include_imports (for .proto files: -I FOLDER)"
    )
    return SchemaError(message, where=where, hint=hint)


def _used_names(proto: FileDescriptorProto) -> Iterator[str]:
    """Full names of the types that a file refers to. (A relative name is left to the pool.)"""
    for field in _all_fields(proto):
        yield from _absolute(field.type_name, field.extendee)
    for service in proto.service:
        for method in service.method:
            yield from _absolute(method.input_type, method.output_type)


def _absolute(*names: str | bytes) -> Iterator[str]:
    return (text(name)[1:] for name in names if text(name).startswith("."))


def _all_fields(proto: FileDescriptorProto) -> Iterator[Any]:
    yield from proto.extension
    for _, message in all_messages(proto):
        yield from message.field
        yield from message.extension


def _extendable_messages(proto: FileDescriptorProto) -> list[str]:
    return [name for name, message in all_messages(proto) if message.extension_range]
