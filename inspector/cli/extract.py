"""`inspector extract`: the descriptors in programs, packages and generated code."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from inspector.cli import output
from inspector.cli.completion import complete_files
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.source_files import write_set, write_sources
from inspector.errors import InspectorError
from inspector.limits import MAX_SCHEMA
from inspector.views.found_descriptors import descriptor_lines, descriptor_row
from inspector.views.rows import to_line

if TYPE_CHECKING:
    from inspector.schema.extract import Extraction

_SET_SUFFIXES = (".binpb", ".protoset", ".desc", ".pb", ".bin")


@click.command(no_args_is_help=True)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_files)
@click.option(
    "-o",
    "--out",
    "path",
    metavar="DIR|FILE",
    shell_complete=complete_files,
    help="Write .proto sources beneath DIR, or a descriptor set to FILE (.binpb .protoset .desc .pb .bin).",
)
def extract(files: tuple[str, ...], path: str | None) -> int:
    """Find the protobuf schemas that are embedded in programs and packages.

    FILE is of any kind: a program or shared library, a jar, zip or wheel, a Python package, generated code, a memory
    dump; a folder is searched with all that is in it; - is standard input. Without -o the descriptors are listed.
    """
    from inspector.schema.extract import extract as extract_descriptors  # noqa: PLC0415  # loads protobuf

    found = extract_descriptors(_standard_input() if each == "-" else each for each in files)
    _require_any(found, files)
    if path is None or path == "-":
        _list(found)
    elif path.endswith(_SET_SUFFIXES):
        write_set(found.files, path)
    else:
        found = _write_sources(found, path)
    _warn(found)
    return DAMAGED if any(problem.code != "versions" for problem in found.problems) else 0


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise InspectorError("standard input is closed", where="standard input")
    return sys.stdin.buffer.read(MAX_SCHEMA)


def _require_any(found: Extraction, files: Iterable[str]) -> None:
    if found.descriptors:
        return
    _warn(found)
    looked = f"{found.searched} files" if found.searched != 1 else "one file"
    raise InspectorError(
        f"no descriptors were found: looked at {looked}, {found.searched_bytes:,} bytes",
        where=", ".join(files) if len(tuple(files)) <= 3 else None,
        hint="code built for a lite runtime has none",
    )


def _list(found: Extraction) -> None:
    with output.opened(None) as out:
        if output.is_terminal():
            output.write_lines(descriptor_lines(found.descriptors), out, colour=output.has_colour())
        else:
            out.writelines(to_line(descriptor_row(each)) + b"\n" for each in found.descriptors)


def _write_sources(found: Extraction, folder: str) -> Extraction:
    """Writes a tree of sources; what cannot be written as source becomes a problem."""
    from inspector.model.problem import Problem  # noqa: PLC0415  # as above

    errors = write_sources(found.files, folder)
    return found._replace(problems=(*found.problems, *(Problem("no_source", str(error)) for error in errors)))


def _warn(found: Extraction) -> None:
    warnings = output.Warnings()
    for problem in found.problems:
        warnings.add(problem._replace(offset=None))
    warnings.close()
