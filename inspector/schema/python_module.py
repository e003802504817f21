"""Generated Python modules as a schema source: one module, or all `_pb2` modules of a package."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from inspector.errors import SchemaError
from inspector.schema.descriptor_set import DescriptorSet, parse_descriptor_set
from inspector.schema.wording import one_line

MAX_MODULES = 10_000
"""Modules of one package."""


def read_module(name: str, import_paths: Sequence[str] = ()) -> DescriptorSet:
    """Imports a generated module or a package, and takes the files it was made from, with their imports.

    Raises SchemaError if it cannot be imported or holds nothing generated.
    """
    label = one_line(f"python:{name}")
    with _on_search_path(import_paths):
        module = _import(name, label)
        modules = [module, *(_import(each, label) for each in _generated_in(module, name))]
    roots = [each.DESCRIPTOR for each in modules if isinstance(getattr(each, "DESCRIPTOR", None), FileDescriptor)]
    if not roots:
        raise SchemaError(
            "it holds no generated code",
            where=label,
            hint="give a module whose name ends in _pb2, or a package of them",
        )
    return parse_descriptor_set(_serialized(roots), label)


@contextmanager
def _on_search_path(import_paths: Sequence[str]) -> Iterator[None]:
    """Generated modules import each other by absolute names, from the folder that they were generated into."""
    before = list(sys.path)
    sys.path[:] = [*before, *import_paths, os.getcwd()]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def _import(name: str, label: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        hint = "is it on PYTHONPATH? -I FOLDER adds a folder" if error.name else None
        raise SchemaError(f"{one_line(str(error))}", where=label, hint=hint) from error
    except (Exception, SystemExit) as error:
        # The code of the user runs here, and may raise anything.
        reason = one_line(f"{type(error).__name__}: {error}", 500)
        hint = "the generated code may be older or newer than the installed protobuf, or define a file twice"
        raise SchemaError(f"importing {one_line(name)} failed: {reason}", where=label, hint=hint) from error


def _generated_in(module: ModuleType, name: str) -> Iterator[str]:
    """Names of the generated modules in a package and the packages in it, which need no `__init__.py`."""
    count = 0
    for root in getattr(module, "__path__", ()):
        for place, folders, files in os.walk(root):
            folders[:] = sorted(folder for folder in folders if folder.isidentifier())
            inner = ".".join((name, *Path(place).relative_to(root).parts))
            for file in sorted(files):
                if file.endswith("_pb2.py") and count < MAX_MODULES:
                    count += 1
                    yield f"{inner}.{file.removesuffix('.py')}"


def _serialized(roots: Sequence[FileDescriptor]) -> bytes:
    found: dict[str, FileDescriptor] = {}
    waiting = list(roots)
    while waiting:
        file = waiting.pop()
        if file.name not in found:
            found[file.name] = file
            waiting += file.dependencies
    collected = FileDescriptorSet()
    for file in found.values():
        collected.file.add().ParseFromString(file.serialized_pb)
    return collected.SerializeToString()
