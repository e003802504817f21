"""`inspector infer`: a .proto file for payloads that have none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from inspector.cli import output
from inspector.cli.completion import complete_files
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.opening import open_session
from inspector.cli.options import hint_option, kind_option
from inspector.errors import InspectorError
from inspector.model.call import Message

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto


@click.command(no_args_is_help=True)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, shell_complete=complete_files)
@kind_option
@hint_option
@click.option("--package", default="", metavar="NAME", help="Package of bare messages; of a capture, the one to infer.")
@click.option("--message", "message_name", default="", metavar="NAME", help="Name of the type of bare messages.")
@click.option(
    "-o",
    "--out",
    "path",
    metavar="DIR|FILE",
    shell_complete=complete_files,
    help="Write to FILE, or one file for each package beneath DIR.",
)
def infer(
    inputs: tuple[str, ...], kind: str | None, hints: dict[str, str], package: str, message_name: str,
    path: str | None,
) -> int:  # fmt: skip
    """Infer a .proto file from payloads or captures, to be given to -s.

    Field numbers are certain, types are judged by all messages together, names are made up save those of methods.
    Comments tell the evidence. All bare messages are taken for one type; those of a capture are told by their methods.
    """
    from inspector.schema.infer import infer as infer_schema  # noqa: PLC0415  # loads protobuf
    from inspector.schema.proto_source import to_source  # noqa: PLC0415

    reader = _Reader(inputs, kind)
    inference = infer_schema(reader.messages(), hints, package=package, message_name=message_name)
    for note in inference.notes:
        output.note(note)
    sources = [(file, to_source(file).encode()) for file in inference.files]
    if path is not None and _is_folder(path):
        for file, source in sources:
            _write_beneath(path, file, source)
    else:
        _note_others(inference.files[1:])
        with output.opened(path) as out:
            out.write(sources[0][1])
    return DAMAGED if reader.damaged else 0


class _Reader:
    """The messages of all inputs, and whether any of them was damaged."""

    def __init__(self, inputs: tuple[str, ...], kind: str | None) -> None:
        self.damaged = False
        self._inputs = inputs
        self._kind = kind

    def messages(self) -> Iterator[Message]:
        for each in self._inputs:
            with open_session(each, kind=self._kind) as session:
                yield from session.messages()
                self.damaged |= session.damaged


def _is_folder(path: str) -> bool:
    """Whether -o names a folder: it is one, or could become one; files that are there, devices too, stay files."""
    if path == "-" or (os.path.exists(path) and not os.path.isdir(path)):
        return False
    return path.endswith(("/", os.sep)) or os.path.isdir(path) or not os.path.splitext(path)[1]


def _write_beneath(folder: str, file: FileDescriptorProto, source: bytes) -> None:
    target = os.path.join(folder, *file.name.split("/"))
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
    except OSError as error:
        raise InspectorError(f"cannot be made: {error.strerror}", where=os.path.dirname(target)) from None
    with output.opened(target) as out:
        out.write(source)


def _note_others(files: list[FileDescriptorProto]) -> None:
    if files:
        names = ", ".join(file.package or "none" for file in files)
        output.note(
            f"a .proto file has one package: calls of {names} are not in it (-o FOLDER writes a file for each, "
            "--package NAME takes another)"
        )
