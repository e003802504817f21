"""`inspector describe`: symbols of a schema, as source or as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from inspector.cli import output
from inspector.cli.completion import complete_files, complete_folders, complete_symbols
from inspector.cli.connect_options import ConnectOptions, reflect_options
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.options import schema_options
from inspector.cli.schema_sources import require_schema
from inspector.cli.source_files import write_set, write_sources
from inspector.errors import SchemaError
from inspector.views.rows import to_line

if TYPE_CHECKING:
    from inspector.schema import Schema
    from inspector.schema.symbols import Symbol
    from inspector.views.description import Describer


@click.command(epilog="Examples: inspector describe pkg.Svc -s protos; inspector describe pkg.Svc/Method --recursive")
@click.argument(
    "names", metavar="[SYMBOL]...", nargs=-1,
    shell_complete=complete_symbols("service", "method", "message", "enum", "extension", "package", "file"),
)  # fmt: skip
@schema_options
@reflect_options
@click.option("-r", "--recursive", is_flag=True, help="With all types that it refers to, each once.")
@click.option(
    "--output", "form", type=click.Choice(["text", "json", "ndjson"]), default="text",
    help="text (the default): .proto source; json: a record a line.",
)  # fmt: skip
@click.option("--msg-template", "with_template", is_flag=True, help="Messages with a JSON template to fill in.")
@click.option(
    "--protoset-out", "set_path", metavar="FILE", shell_complete=complete_files,
    help="Write the files of it, with all that they import, as a descriptor set.",
)  # fmt: skip
@click.option(
    "--proto-out-dir", "folder", metavar="DIR", shell_complete=complete_folders,
    help="Write the same as .proto files beneath DIR.",
)  # fmt: skip
def describe(
    names: tuple[str, ...], schemas: tuple[str, ...], import_paths: tuple[str, ...], recursive: bool, form: str,
    with_template: bool, set_path: str | None, folder: str | None, connect: ConnectOptions,
) -> int:  # fmt: skip
    """Describe services, methods, messages, enums, values, fields, oneofs, extensions, packages and files.

    SYMBOL is a full name; a method may be pkg.Svc/Method. Without one all files of the schema are described. With
    --protoset-out or --proto-out-dir files are written, and nothing is printed.
    """
    schema = require_schema(schemas, import_paths, names, connect)
    symbols = [schema.symbols.get(name) for name in names] if names else schema.symbols.files()
    if set_path is not None or folder is not None:
        return _write(schema, symbols, set_path, folder)
    if recursive:
        symbols = schema.symbols.reachable(symbols)
    return _print(schema, symbols, form, with_template=with_template)


def _write(schema: Schema, symbols: list[Symbol], set_path: str | None, folder: str | None) -> int:
    held = [part for each in symbols if each.kind == "package" for part in schema.symbols.in_package(each.name)]
    files = schema.symbols.imports([*symbols, *held])
    if set_path is not None:
        write_set(files, set_path)
    errors = []
    if folder is not None:
        errors = write_sources((each for each in files if not each.name.startswith("google/protobuf/")), folder)
    for error in errors:
        output.note(str(error))
    return DAMAGED if errors else 0


def _print(schema: Schema, symbols: list[Symbol], form: str, *, with_template: bool) -> int:
    from inspector.views.description import Describer  # noqa: PLC0415  # loads protobuf

    describer, failed = Describer(schema), 0
    with output.opened(None) as out:
        for index, symbol in enumerate(symbols):
            try:
                if form == "text":
                    _print_source(describer, symbol, out, is_first=not index)
                    if with_template and symbol.kind == "message":
                        out.write(b"\n// Template:\n" + _template(schema, symbol))
                else:
                    row = describer.row(symbol)
                    if with_template and symbol.kind == "message":
                        row["template"] = _template_value(schema, symbol)
                    out.write(to_line(row) + b"\n")
            except SchemaError as error:
                if len(symbols) == 1:
                    raise
                output.note(str(error))
                failed += 1
    return DAMAGED if failed else 0


def _print_source(describer: Describer, symbol: Symbol, out: BinaryIO, *, is_first: bool) -> None:
    from inspector.views.description import heading  # noqa: PLC0415  # as above
    from inspector.views.proto_lines import proto_lines  # noqa: PLC0415

    source = describer.source(symbol)
    lines = [[("", "")]] if not is_first else []
    output.write_lines(
        [*lines, [("dim", f"// {heading(symbol)}:")], *proto_lines(source)], out, colour=output.has_colour()
    )


def _template_value(schema: Schema, symbol: Symbol) -> object:
    from inspector.formats.template import to_value  # noqa: PLC0415  # rarely asked for
    from inspector.transcode.template import make  # noqa: PLC0415

    return to_value(make(schema, symbol.name, empty=True), schema)


def _template(schema: Schema, symbol: Symbol) -> bytes:
    from inspector.transcode.json_text import dumps  # noqa: PLC0415  # as above
    from inspector.views.safe_text import safe_json  # noqa: PLC0415

    return safe_json(dumps(_template_value(schema, symbol), 2)) + b"\n"  # type: ignore[arg-type]
