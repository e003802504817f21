"""Compiles .proto files, or finds them in the cache as they were compiled before."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from inspector.errors import SchemaError
from inspector.schema import compile_cache
from inspector.schema.descriptor_set import DescriptorSet, parse_descriptor_set
from inspector.schema.import_roots import roots_of_file, roots_of_folder
from inspector.schema.proto_copies import without_copies
from inspector.schema.wording import one_line

MAX_FILES = 10_000
"""Files of one folder: googleapis has 7,000. More is a folder that was not meant (a home, a disk)."""

MAX_ENTRIES = 200_000
"""Directory entries looked at for them."""


def compile_file(path: Path, import_paths: Sequence[Path]) -> DescriptorSet:
    """One file and what it imports. Raises SchemaError."""
    return _compile([path], roots_of_file(path, import_paths, known_folders()), str(path))


def compile_folder(folder: Path, import_paths: Sequence[Path]) -> DescriptorSet:
    """All .proto files beneath a folder, compiled in one run."""
    paths = _proto_files(folder)
    if not paths:
        raise SchemaError("there is no .proto file in this folder", where=one_line(str(folder)), hint="nor beneath it")
    roots = roots_of_folder(folder, paths, import_paths, known_folders())
    return _compile(without_copies(paths, roots), roots, str(folder))


def known_folders() -> list[Path]:
    """Where google/protobuf, google/api and google/rpc lie as .proto files."""
    tools, common = importlib.util.find_spec("grpc_tools"), importlib.util.find_spec("google.api")
    folders = [Path(place) / "_proto" for place in (tools and tools.submodule_search_locations) or ()]
    return folders + [Path(place).parent.parent for place in (common and common.submodule_search_locations) or ()]


def _proto_files(folder: Path) -> list[Path]:
    """All .proto files beneath a folder, sorted; hidden folders are passed over, links to folders not followed."""
    found: list[Path] = []
    looked_at = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        looked_at += len(folders) + len(names)
        found += [Path(place, name) for name in sorted(names) if name.endswith(".proto")]
        if len(found) > MAX_FILES or looked_at > MAX_ENTRIES:
            where = one_line(str(folder))
            raise SchemaError(
                "too many files beneath this folder", where=where, hint="give the folder of the .proto files"
            )
    return found


def _compile(paths: Sequence[Path], roots: Sequence[Path], label: str) -> DescriptorSet:
    compilation = compile_cache.compilation_of(paths, roots)
    kept = None if compilation is None else compile_cache.read(compilation)
    if kept is not None:
        return parse_descriptor_set(kept, one_line(label))
    from inspector.schema.protoc import run_protoc  # noqa: PLC0415  # starts processes: not needed where it was kept

    data = run_protoc(paths, roots, label)
    compiled = parse_descriptor_set(data, one_line(label))
    if compilation is not None:
        compile_cache.keep(compilation, data, compiled.names(), paths, roots)
    return compiled
