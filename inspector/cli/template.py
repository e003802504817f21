"""`inspector template`: a message to fill in."""

from __future__ import annotations

import click

from inspector.cli import output
from inspector.cli.completion import complete_symbols, complete_words
from inspector.cli.connect_options import ConnectOptions, reflect_options
from inspector.cli.options import out_option, schema_options
from inspector.cli.payload_options import check_format, refuse_terminal
from inspector.cli.schema_sources import require_schema
from inspector.formats import registry as formats
from inspector.formats.base import Conversion
from inspector.formats.registry import JSON
from inspector.limits import MAX_TEMPLATE_DEPTH
from inspector.views.safe_text import safe, safe_json


@click.command(
    no_args_is_help=True,
    epilog="Examples: inspector template pkg.Svc/Method -s protos > request.json; "
    "inspector template pkg.Message -s api.binpb -o request.yaml",
)
@click.argument("symbol", metavar="SYMBOL", shell_complete=complete_symbols("method", "message"))
@schema_options
@reflect_options
@click.option(
    "--to", "to", metavar="FORMAT", callback=check_format, shell_complete=complete_words(*formats.names()),
    help=f"What to write: {', '.join(formats.names())}. Default: what the name of FILE tells, else JSON.",
)  # fmt: skip
@click.option("--response", "of_response", is_flag=True, help="Of a method the response, not the request.")
@click.option("--empty", is_flag=True, help="Defaults (0, empty text) instead of sample values.")
@click.option(
    "--depth", type=click.IntRange(0, MAX_TEMPLATE_DEPTH), default=8, show_default=True, metavar="N",
    help="Messages within messages that are filled in. A type within itself never is.",
)  # fmt: skip
@click.option(
    "--oneofs", "only_oneofs", is_flag=True, help="List oneofs with all their arms instead, the set one first."
)
@click.option("--proto-names", is_flag=True, help="Field names as in the .proto file, in JSON and YAML.")
@click.option("--indent", type=click.IntRange(0, 8), metavar="N", default=2, help="Indent by N spaces; 0: one line.")
@out_option
def template(
    symbol: str, schemas: tuple[str, ...], import_paths: tuple[str, ...], to: str | None, of_response: bool,
    empty: bool, depth: int, only_oneofs: bool, proto_names: bool, indent: int, path: str | None,
    connect: ConnectOptions,
) -> int:  # fmt: skip
    """Write a message to fill in and to encode or call with.

    SYMBOL is a message type, or a method (pkg.Svc/Method): then it is its request. Of each oneof one field is set; text
    and YAML name the others in comments. Sample values tell kinds: text is the name of its field, numbers are 1 or 1.5.
    """
    from inspector.formats.template import oneof_lines, write  # noqa: PLC0415  # loads protobuf
    from inspector.payload import message_of  # noqa: PLC0415
    from inspector.transcode.template import make  # noqa: PLC0415

    schema = require_schema(schemas, import_paths, (symbol,), connect)
    made = make(schema, message_of(schema, symbol, response=of_response), empty=empty, depth=depth)
    target = formats.find(to) if to is not None else (formats.by_suffix(path) if path else None) or JSON
    if only_oneofs:
        written = "".join(f"{safe(line)}\n" for line in oneof_lines(made)).encode()
    else:
        if not target.is_text:
            refuse_terminal(path)
        written = write(made, target, Conversion(schema, proto_names=proto_names, indent=indent or None))
    with output.opened(path) as out:
        out.write(safe_json(written) if target == JSON and not only_oneofs else written)
    return 0
