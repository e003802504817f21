"""Compiled .proto files, kept in the cache folder under a digest of all that their compilation reads.

That is what the files say and all they import, each found along the import paths as protoc finds it, which files and
import paths there are, and which protoc it is. Whatever changes one of these changes the digest, so that there is
nothing to invalidate; times of files are not looked at.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from inspector import __version__, cache
from inspector.schema.import_roots import find, imports_of

_KIND = "schema"

_FORMAT = "1"
"""Another number where entries of another form, or other options of protoc, must not be mixed with those before."""


class Compilation(NamedTuple):
    """What is to be compiled: `key` stands for all that goes into it, `files` are the files that are read."""

    key: str
    files: frozenset[str]


def compilation_of(paths: Sequence[Path], roots: Sequence[Path]) -> Compilation | None:
    """What the compilation of some files with these import paths reads; None where it is not kept, as there is no cache
    folder, or as a file cannot be read."""
    if cache.folder() is None:
        return None
    digest = hashlib.sha256()
    files = set[str]()
    try:
        for part in (_FORMAT, __version__, *_compiler(), *map(str, roots), "", *map(str, paths), "", os.getcwd()):
            digest.update(_framed(os.fsencode(part)))
        for name, place in _closure(paths, roots):
            digest.update(_framed(os.fsencode(f"{name}\n{place}")))
            if place is not None:
                files.add(_absolute(place))
                digest.update(_content(place))
    except OSError:
        return None
    return Compilation(digest.hexdigest(), frozenset(files))


def read(compilation: Compilation) -> bytes | None:
    """The descriptor set that was kept, or None. One that is damaged is removed."""
    entry = cache.read(_KIND, compilation.key)
    if entry is None:
        return None
    checksum, data = entry[:_CHECKSUM_SIZE], entry[_CHECKSUM_SIZE:]
    if checksum == _checksum(data):
        return data
    cache.forget(_KIND, compilation.key)
    return None


def keep(
    compilation: Compilation, data: bytes, names: Sequence[str], paths: Sequence[Path], roots: Sequence[Path]
) -> None:
    """Keeps the descriptor set `data`, whose files have these `names`, unless a file may have changed meanwhile, or
    protoc read one that was not foreseen."""
    found = [find(name, roots) for name in names]
    is_foreseen = all(place is not None and _absolute(place) in compilation.files for place in found)
    if is_foreseen and compilation_of(paths, roots) == compilation:
        cache.write(_KIND, compilation.key, _checksum(data), data)


def _closure(paths: Sequence[Path], roots: Sequence[Path]) -> Iterator[tuple[str, Path | None]]:
    """The files and all that they import, directly or not, by the names by which they are imported; None for those
    that are not found."""
    seen, waiting = set[str](), list[str]()
    for path in paths:
        yield "", path
        waiting += imports_of(path)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            place = find(name, roots)
            yield name, place
            if place is not None:
                waiting += imports_of(place)


def _absolute(path: Path) -> str:
    return os.path.abspath(path)


def _content(path: Path) -> bytes:
    """A digest of what a file says. Raises OSError, also for what is no file (a pipe would never end)."""
    if not path.is_file():
        raise OSError(f"{path} is no file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _compiler() -> list[str]:
    """What tells one protoc from another: the extension module that it is, as another installation replaces it."""
    found = importlib.util.find_spec("grpc_tools")
    stated = []
    for folder in (found and found.submodule_search_locations) or ():
        for entry in os.scandir(folder):
            if entry.name.startswith("_protoc_compiler"):
                state = entry.stat()
                stated.append(f"{entry.path} {state.st_size} {state.st_mtime_ns}")
    return sorted(stated)


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


_CHECKSUM_SIZE = len(_checksum(b""))
