"""The files that need no source: google/protobuf, google/rpc, google/api and their kin, from the installed packages.

They are the generated modules of `protobuf` and `googleapis-common-protos`, imported when a symbol of their package or
one of their files is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator, Sequence

from inspector.schema.descriptor_set import FileEntry, file_entry
from inspector.schema.known_packages import KNOWN_PACKAGES

LABEL = "the always-known types"

_OTHER_NAMES = {"google/longrunning/operations.proto": "google/longrunning/operations_proto.proto"}
"""The Python package renamed this file; schemas import it by its own name."""

_WRAPPERS = ("google.longrunning.operations_pb2", "google.longrunning.operations_grpc_pb2")
"""These modules only re-export another one, and import grpc for it."""


class AlwaysKnown:
    """A source like a DescriptorSet, whose files are read when asked for."""

    label = LABEL
    gives_way = True

    def __init__(self) -> None:
        self._files: dict[str, FileEntry | None] = {}

    def packages(self) -> Sequence[str]:
        return KNOWN_PACKAGES

    def file(self, name: str) -> FileEntry | None:
        name = _OTHER_NAMES.get(name, name)
        if name not in self._files:
            self._files[name] = self._load(name)
        return self._files[name]

    def in_package(self, package: str) -> Sequence[FileEntry]:
        if package not in KNOWN_PACKAGES:
            return ()
        found = (self.file(name) for name in _file_names(package))
        return [entry for entry in found if entry is not None]

    def extending(self, message: str) -> Iterator[FileEntry]:
        """None: what these files extend is options, which no payload carries."""
        return iter(())

    def _load(self, name: str) -> FileEntry | None:
        module = name.removesuffix(".proto").replace("/", ".") + "_pb2"
        if module.rpartition(".")[0] not in KNOWN_PACKAGES or not name.endswith(".proto"):
            return None
        try:
            content = importlib.import_module(module).DESCRIPTOR.serialized_pb
        except (ImportError, TypeError):
            # Not in this release of the package; or a generated module of the user put another version of the file
            # into protobuf's default pool, which takes no second one.
            return None
        return file_entry(LABEL, memoryview(content))


def _file_names(package: str) -> Iterator[str]:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for name in sorted(os.listdir(folder)):
            module = name.removesuffix(".py")
            if name.endswith("_pb2.py") and f"{package}.{module}" not in _WRAPPERS:
                yield f"{package.replace('.', '/')}/{module.removesuffix('_pb2')}.proto"
