"""What a SOURCE on the command line stands for, and opening it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence

from inspector.deferred import deferred
from inspector.errors import ConnectError, InputError, SchemaError
from inspector.limits import MAX_SCHEMA, MIB
from inspector.schema.descriptor_set import DescriptorSet, parse_descriptor_set
from inspector.schema.wording import one_line

_KINDS = (
    "a .proto file, a folder of them, a descriptor set (.binpb .protoset .desc .pb .bin), a program or package that "
    "holds descriptors, python:MODULE, or grpc://HOST:PORT (grpcs://, unix:PATH) for what the server there tells"
)

_PROGRAMS = (
    b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa",
    b"PK\x03\x04", b"\x1f\x8b\x08", b"dex\n", b"!<arch>\n",
)  # fmt: skip
"""How files begin in which descriptors are searched: ELF, PE, Java class and Mach-O, zip, gzip, Android, ar."""

_GENERATED = (".py", ".pyc", ".go", ".java", ".cc", ".cs", ".rb", ".php", ".js", ".ts", ".rs", ".tar", ".dmp", ".core")
"""What the names of other such files end in: generated sources, and memory."""

SERVERS = ("grpc://", "grpcs://", "unix:", "unix-abstract:", "@")
"""How sources begin that are servers; `@` is a name for one, which `reflect` may know."""

HOST_PORT = re.compile(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):[0-9]{1,5}")
"""What is a server to people, and no source: it does not say whether with TLS."""

Reflect = Callable[[str], DescriptorSet]
"""Asks the server with an address for its schema; raises SchemaError, ConnectError, InputError."""

REFLECT: Callable[..., DescriptorSet] = deferred("inspector.client.reflection", "open_reflection")


def open_sources(
    sources: Iterable[str], import_paths: Sequence[str] = (), reflect: Reflect = REFLECT
) -> list[DescriptorSet]:
    """Opens each SOURCE. One that is a server may fail where another one is there: that is a note then.

    Raises SchemaError, and what `reflect` raises."""
    opened, failed = list[DescriptorSet](), list[ConnectError | SchemaError]()
    for source in sources:
        try:
            opened.append(open_source(source, import_paths, reflect))
        except (ConnectError, SchemaError) as error:
            if not source.startswith(SERVERS):
                raise
            failed.append(error)
            opened.append(DescriptorSet(one_line(source), b"", (), (), notes=(str(error),), gives_way=True))
    if failed and len(failed) == len(opened):
        raise failed[0]
    return opened


def open_source(source: str, import_paths: Sequence[str] = (), reflect: Reflect = REFLECT) -> DescriptorSet:
    """Opens a SOURCE as the command line takes it. Raises SchemaError, and what `reflect` raises."""
    if source.startswith("python:"):
        return open_module(source.removeprefix("python:"), import_paths)
    if source.startswith(SERVERS):
        return reflect(source)
    if source.endswith(".proto") or os.path.isdir(source):
        return open_protos(source, import_paths)
    if _may_hold_descriptors(source):
        return open_embedded(source)
    return open_descriptor_set(source)


def open_module(name: str, import_paths: Sequence[str] = ()) -> DescriptorSet:
    """Imports a generated module or a package of them; from the import paths and the current folder too."""
    from inspector.schema.python_module import read_module  # noqa: PLC0415  # most sources are files

    return read_module(name, import_paths)


def open_protos(path: str, import_paths: Sequence[str] = ()) -> DescriptorSet:
    """Compiles a .proto file or a folder of them."""
    for folder in import_paths:
        if not os.path.isdir(folder):
            raise SchemaError(
                "the import path is not a folder", where=one_line(folder), hint="-I takes existing folders"
            )
    from pathlib import Path  # noqa: PLC0415  # with what follows, not needed for a descriptor set

    from inspector.schema.proto_files import compile_file, compile_folder  # noqa: PLC0415

    compiler = compile_folder if os.path.isdir(path) else compile_file
    _refuse_unreadable(path)
    return compiler(Path(path), [Path(folder) for folder in import_paths])


def open_embedded(path: str) -> DescriptorSet:
    """Reads the descriptors that are embedded in a program, a package or generated code. Raises SchemaError."""
    from inspector.schema.extract import extract  # noqa: PLC0415  # with archives and source text, needed here only
    from inspector.schema.extract_output import descriptor_set  # noqa: PLC0415

    label = one_line(path)
    try:
        files = extract([path]).files
    except InputError as error:
        raise SchemaError(error.message, where=label) from error
    if not files:
        damaged = "the gzip may be damaged; " if _head(path).startswith(b"\x1f\x8b") else ""
        hint = f"{damaged}code built for a lite runtime has none; a schema is {_KINDS}"
        raise SchemaError("this is not a descriptor set, and no descriptors are in it", where=label, hint=hint)
    return parse_descriptor_set(descriptor_set(files).SerializeToString(), label)


def _may_hold_descriptors(path: str) -> bool:
    return _head(path).startswith(_PROGRAMS) or (path.endswith(_GENERATED) and os.path.isfile(path))


def _head(path: str) -> bytes:
    try:
        if not os.path.isfile(path):  # a pipe gives what it holds to the first who opens it
            return b""
        with open(path, "rb") as file:
            return file.read(8)
    except (OSError, ValueError):
        return b""


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
    if HOST_PORT.fullmatch(path):
        return f"to ask a server: grpcs://{path}, or grpc://{path} where it does without TLS"
    if re.match(r"[a-z][a-z0-9+.-]*:", path):
        return f"a schema is {_KINDS}"
    return f"paths are relative to the current folder, {one_line(os.getcwd())}"
