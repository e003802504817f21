"""`inspector diff`: what differs between two payloads."""

from __future__ import annotations

import click

from inspector import payload
from inspector.cli import output
from inspector.cli.completion import complete_files
from inspector.cli.exit_codes import DIFFERENT
from inspector.cli.options import NUMBER, hint_option, out_option, schema_options
from inspector.cli.payload_options import conversion_of, form_option, type_option
from inspector.sources.payloads import name_of, read_payload
from inspector.views.differences import difference_line, difference_row
from inspector.views.rows import to_line


@click.command(no_args_is_help=True)
@click.argument("first", metavar="A", shell_complete=complete_files)
@click.argument("second", metavar="B", shell_complete=complete_files)
@form_option
@schema_options
@type_option
@hint_option
@click.option(
    "--tolerance",
    type=NUMBER,
    default=0.0,
    metavar="X",
    help="Numbers with a fraction are the same up to this, absolutely or as a share.",
)
@click.option(
    "--output", "style", type=click.Choice(["text", "ndjson"]), help="Default: text on a terminal, else ndjson."
)
@out_option
def diff(
    first: str, second: str, form: str | None, schemas: tuple[str, ...], import_paths: tuple[str, ...],
    type_name: str | None, hints: dict[str, str], tolerance: float, style: str | None, path: str | None,
) -> int:  # fmt: skip
    """Compare two payloads field by field.

    A and B may be in any form each. Order of fields and of map entries does not matter; elements of repeated fields
    are aligned. Exits with 0 if they are the same, with 1 if they differ.
    """
    if first == second == "-":
        raise click.UsageError("only one of the two can be standard input")
    conversion = conversion_of(schemas, import_paths, type_name, hints)
    a, b = (read_payload(name, form, conversion) for name in (first, second))
    differences = payload.diff(
        a,
        b,
        type_name,
        schema=conversion.resolver,
        hints=hints,
        tolerance=tolerance,
        names=(name_of(first), name_of(second)),
    )
    as_text = style == "text" or (style is None and path is None and output.is_terminal())
    with output.opened(path, first, second) as out:
        if as_text:
            output.write_lines(map(difference_line, differences), out, colour=output.has_colour() and path is None)
        else:
            out.writelines(to_line(difference_row(each)) + b"\n" for each in differences)
    if not differences and a != b:
        output.note(
            "the values are the same, their bytes are not: order, longer forms of numbers, or the sign of a zero"
        )
    return DIFFERENT if differences else 0
