"""`inspector encode`: readable to binary."""

from __future__ import annotations

import click

from inspector.cli import output
from inspector.cli.completion import complete_files
from inspector.cli.options import hint_option, out_option, schema_options
from inspector.cli.payload_options import (
    conversion_of,
    form_option,
    ignore_unknown_option,
    refuse_terminal,
    type_option,
)
from inspector.errors import InputError
from inspector.net.compression import ENCODINGS
from inspector.sources.framing import FRAMINGS, frame
from inspector.sources.payloads import name_of, read_payloads


@click.command(no_args_is_help=output.is_typed())
@click.argument("input_", metavar="[INPUT]", default="-", shell_complete=complete_files)
@form_option
@schema_options
@type_option
@hint_option
@ignore_unknown_option
@click.option("--frame", "framing", type=click.Choice(FRAMINGS), default="none", help="What stands around a message.")
@click.option(
    "--compress", "encoding", type=click.Choice(ENCODINGS), default="identity", help="How gRPC frames are compressed."
)
@out_option
def encode(
    input_: str, form: str | None, schemas: tuple[str, ...], import_paths: tuple[str, ...], type_name: str | None,
    hints: dict[str, str], ignore_unknown: bool, framing: str, encoding: str, path: str | None,
) -> int:  # fmt: skip
    """Encode a readable message to binary: JSON, YAML, text format, protoscope, hex or base64.

    INPUT is a file, or - (the default) for standard input, which is JSON unless --from tells otherwise. Several JSON or
    YAML documents become several messages, each in its frame.
    """
    refuse_terminal(path)
    conversion = conversion_of(schemas, import_paths, type_name, hints, ignore_unknown=ignore_unknown)
    messages = list(read_payloads(input_, form or ("json" if input_ == "-" else None), conversion))
    if framing == "none" and len(messages) != 1:
        hint = "put each in a frame: --frame delimited" if messages else None
        raise InputError(f"it holds {len(messages)} messages, not one", where=name_of(input_), hint=hint)
    framed = [frame(framing, message, encoding) for message in messages]
    with output.opened(path, input_) as out:
        out.writelines(framed)
    return 0
