"""Descriptors written to disk: a tree of .proto sources beneath a folder, or a descriptor set."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from inspector.cli import output
from inspector.errors import InspectorError, SchemaError

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto


def write_sources(files: Iterable[FileDescriptorProto], folder: str) -> list[SchemaError]:
    """Writes a .proto file for each beneath the folder; returns why there is none where no source can say it."""
    from inspector.schema.extract_output import source_tree  # noqa: PLC0415  # loads protobuf

    errors = []
    for source in source_tree(files):
        if source.error is not None:
            errors.append(source.error)
            continue
        target = os.path.join(folder, *source.path.split("/"))
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
        except OSError as error:
            raise InspectorError(f"cannot be made: {error.strerror}", where=os.path.dirname(target)) from None
        with output.opened(target) as out:
            out.write(source.source.encode())
    return errors


def write_set(files: Iterable[FileDescriptorProto], path: str) -> None:
    """Writes a descriptor set with what the files import; what of that is not there is told."""
    from inspector.schema.extract_output import descriptor_set, missing_imports  # noqa: PLC0415  # as above

    made = descriptor_set(files)
    missing = missing_imports(made)
    if missing:
        output.note(
            f"{len(missing)} imported files were not found: {', '.join(missing[:3])}" + ", ..." * (len(missing) > 3)
        )
    with output.opened(path) as out:
        out.write(made.SerializeToString())
