"""Descriptors that were found, made into one set or a tree of .proto sources.

Invariant: a path of the tree stays beneath its root, whatever the name of the file is, and no two are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from inspector.errors import SchemaError
from inspector.schema.proto_source import to_source
from inspector.schema.proto_source_types import Types
from inspector.schema.wellknown import AlwaysKnown
from inspector.schema.wording import text

_MAX_COMPONENT = 200
"""Characters of a file or folder name; common file systems allow 255 bytes."""

_UNSAFE = re.compile(r"[^\w.+@=,~()\[\]-]|^[-.~]+|[. ]+$")
"""What does not belong into the name of a file or folder, or means something else there."""


class SourceFile(NamedTuple):
    """A .proto source: its path in the tree, and its text, or why there is none."""

    path: str
    source: str
    error: SchemaError | None = None


def descriptor_set(files: Iterable[FileDescriptorProto]) -> FileDescriptorSet:
    """The files as a set: each behind those which it imports, always-known imports (google/protobuf/...) added."""
    by_name = {text(file.name): file for file in files}
    known, ordered, entered = AlwaysKnown(), FileDescriptorSet(), set[str]()
    for root in list(by_name):
        path = [root] if root not in entered else []
        entered.add(root)
        waiting = {root: iter(by_name[root].dependency)}
        while path:
            name = text(next(waiting[path[-1]], ""))
            if not name:
                ordered.file.append(by_name[path.pop()])
            elif name not in entered:
                entered.add(name)
                if name not in by_name:
                    entry = known.file(name)
                    if entry is None:
                        continue
                    by_name[name] = entry.proto()
                path.append(name)
                waiting[name] = iter(by_name[name].dependency)
    return ordered


def missing_imports(files: FileDescriptorSet) -> list[str]:
    """What the files of a set import that is not in it."""
    there = {text(file.name) for file in files.file}
    return sorted({text(name) for file in files.file for name in file.dependency} - there)


def source_tree(files: Iterable[FileDescriptorProto]) -> Iterator[SourceFile]:
    """The sources of files, each with a path that is safe to write beneath a folder."""
    files = list(files)
    types, taken = Types(files), set[str]()
    for file in files:
        path = _unique(_safe_path(text(file.name)), taken)
        try:
            yield SourceFile(path, to_source(file, types))
        except SchemaError as error:
            yield SourceFile(path, "", error)


def _safe_path(name: str) -> str:
    parts = [_UNSAFE.sub("_", part)[:_MAX_COMPONENT] for part in re.split(r"[/\\]", name) if part not in ("", ".")]
    # No folder has a name that a file could have.
    folders = [f"{part}_" if part.casefold().endswith(".proto") else part for part in parts[-20:-1]]
    path = "/".join([*folders, *parts[-1:]]) or "unnamed"
    return path if path.endswith(".proto") else f"{path}.proto"


def _unique(path: str, taken: set[str]) -> str:
    """The path, with a number where another file (or, on some systems, one in other letters) has it."""
    stem, number, unique = path.removesuffix(".proto"), 2, path
    while unique.casefold() in taken:
        unique, number = f"{stem}_{number}.proto", number + 1
    taken.add(unique.casefold())
    return unique
