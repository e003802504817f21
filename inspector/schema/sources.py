"""What a SOURCE on the command line stands for, and opening it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from inspector.errors import SchemaError
from inspector.limits import MAX_SCHEMA, MIB
from inspector.schema.descriptor_set import DescriptorSet, parse_descriptor_set
from inspector.schema.proto_files import compile_file, compile_folder
from inspector.schema.python_module import read_module
from inspector.schema.wording import one_line

_KINDS = "a .proto file, a folder of them, a descriptor set (.binpb .protoset .desc .pb .bin) or python:MODULE"

_REFLECTION = ("grpc://", "grpcs://")


def open_source(source: str, import_paths: Sequence[str] = ()) -> DescriptorSet:
    """Opens a SOURCE as the command line takes it. Raises SchemaError."""
    if source.startswith("python:"):
        return open_module(source.removeprefix("python:"), import_paths)
    if source.startswith(_REFLECTION):
        raise SchemaError(
            "server reflection is not supported in this version yet",
            where=one_line(source),
            hint="save the schema of the server to a file, as with `grpcurl -protoset-out FILE`",
        )
    if source.endswith(".proto") or os.path.isdir(source):
        return open_protos(source, import_paths)
    return open_descriptor_set(source)


def open_module(name: str, import_paths: Sequence[str] = ()) -> DescriptorSet:
    """Imports a generated module or a package of them; from the import paths and the current folder too."""
    return read_module(name, import_paths)


def open_protos(path: str, import_paths: Sequence[str] = ()) -> DescriptorSet:
    """Compiles a .proto file or a folder of them."""
    for folder in import_paths:
        if not os.path.isdir(folder):
            raise SchemaError(
                "the import path is not a folder", where=one_line(folder), hint="-I takes existing folders"
            )
    compiler: Callable[[Path, Sequence[Path]], bytes] = compile_folder if os.path.isdir(path) else compile_file
    _refuse_unreadable(path)
    data = compiler(Path(path), [Path(folder) for folder in import_paths])
    return parse_descriptor_set(data, one_line(path))


def open_descriptor_set(path: str) -> DescriptorSet:
    """Reads a descriptor set."""
    label = one_line(path)
    _refuse_unreadable(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_SCHEMA + 1)
    except OSError as error:
        raise SchemaError(f"it cannot be read: {error.strerror}", where=label, hint=f"a schema is {_KINDS}") from error
    if len(data) > MAX_SCHEMA:
        raise SchemaError(f"it is larger than {MAX_SCHEMA // MIB} MiB", where=label, hint="is this a descriptor set?")
    return parse_descriptor_set(data, label)


def _refuse_unreadable(path: str) -> None:
    if not path:
        raise SchemaError("the name of the schema source is empty", hint=f"a schema is {_KINDS}")
    if "\0" in path or not os.path.exists(path):
        raise SchemaError("there is no such file or folder", where=one_line(path), hint=_hint_for_missing(path))
    if not os.access(path, os.R_OK):
        raise SchemaError("it cannot be read: Permission denied", where=one_line(path), hint="check who may read it")


def _hint_for_missing(path: str) -> str:
    if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", path) and not path.endswith((".pb", ".binpb", ".desc", ".bin")):
        return f"for a Python module write python:{path}; else a schema is {_KINDS}"
    if re.match(r"[a-z][a-z0-9+.-]*:", path):
        return f"a schema is {_KINDS}"
    return f"paths are relative to the current folder, {one_line(os.getcwd())}"
