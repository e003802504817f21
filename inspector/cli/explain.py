"""`inspector explain`: every byte of a message accounted for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import BinaryIO

import click

from inspector.cli import output
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.options import hint_option, input_argument, out_option, schema_options
from inspector.cli.payload_options import conversion_of, form_option, type_option
from inspector.sources.payloads import read_payload
from inspector.transcode.tree import FieldNode, FieldTree
from inspector.views.explanation import Explanation

_PIPED_WIDTH = 160
"""Cells of a line that does not go to a terminal."""


@click.command(no_args_is_help=True)
@input_argument
@form_option
@schema_options
@type_option
@hint_option
@click.option("--depth", type=click.IntRange(1), metavar="N", help="Leave out what is nested deeper than N levels.")
@click.option("--output", "shown_as", type=click.Choice(("text", "json")), default="text", help="Default: text.")
@out_option
def explain(
    input_: str, form: str | None, schemas: tuple[str, ...], import_paths: tuple[str, ...], type_name: str | None,
    hints: Mapping[str, str], depth: int | None, shown_as: str, path: str | None,
) -> int:  # fmt: skip
    """Show what every byte of a message is: offset, bytes, tag, type, field and value.

    INPUT is one message in any format; - is standard input. Without a schema fields are guessed: other readings that
    come into question stand beside them, and --hint settles them.
    """
    conversion = conversion_of(schemas, import_paths, type_name, hints)
    data = read_payload(input_, form, conversion)
    tree = FieldTree(data, resolver=conversion.resolver, type_name=conversion.type_name, hints=hints)
    damage = _Damage()
    explanation = Explanation(tree, depth=depth, on_problem=damage.note)
    with output.opened(path, input_) as out:
        if shown_as == "json":
            _write_json(explanation, out)
        else:
            width = shutil.get_terminal_size((_PIPED_WIDTH, 24)).columns
            output.write_lines(explanation.lines(width), out, colour=path is None and output.has_colour())
    damage.report()
    return DAMAGED if damage.first else 0


def _write_json(explanation: Explanation, out: BinaryIO) -> None:
    for chunk in explanation.json_chunks():
        out.write(chunk)
    out.write(b"\n")


class _Damage:
    """What could not be read: the first place, and how many there are."""

    def __init__(self) -> None:
        self.first: FieldNode | None = None
        self._count = 0

    def note(self, node: FieldNode) -> None:
        if node.is_damaged:
            self.first = self.first or node
            self._count += 1

    def report(self) -> None:
        """Says it on standard error."""
        if self.first is None or self.first.problem is None:
            return
        problem = self.first.problem
        place = ": ".join(filter(None, (self.first.path, f"offset {problem.offset}")))
        more = f" (and {self._count - 1} more)" if self._count > 1 else ""
        output.note(f"{place}: {problem.message}{more}")
