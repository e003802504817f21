"""Options of the commands that take one payload in any form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from inspector.cli.completion import complete_symbols, complete_words
from inspector.cli.output import is_terminal, note
from inspector.cli.schema_sources import load_schema, require_type
from inspector.formats import registry as formats
from inspector.formats.base import Conversion
from inspector.sources.dump import DUMPS
from inspector.sources.payloads import forms

Command = TypeVar("Command", bound=Callable[..., Any])


def check_form(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    form, _plus, dump = (value or "").partition("+")
    if value is not None and (form not in forms() or (dump and dump not in DUMPS)):
        raise click.BadParameter(f"there is no form {value!r}; known are {', '.join(forms())}")
    return value


def form_option(command: Command) -> Command:
    """--from."""
    return click.option(
        "--from",
        "form",
        metavar="FORMAT",
        callback=check_form,
        shell_complete=complete_words(*forms()),
        help=f"What INPUT is, where neither its name nor its content tells: {', '.join(forms())}.",
    )(command)


def check_format(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and value not in formats.names():
        raise click.BadParameter(f"there is no format {value!r}; known are {', '.join(formats.names())}")
    return value


def to_option(command: Command) -> Command:
    """--to."""
    return click.option(
        "--to",
        "to",
        metavar="FORMAT",
        callback=check_format,
        shell_complete=complete_words(*formats.names()),
        help=f"What to write: {', '.join(formats.names())}. Default: what the name of FILE tells, else JSON from "
        "binary, and binary from the rest.",
    )(command)


type_option = click.option(
    "-t",
    "--type",
    "type_name",
    metavar="TYPE",
    shell_complete=complete_symbols("message"),
    help="Message type, as pkg.Message.",
)

ignore_unknown_option = click.option(
    "--ignore-unknown",
    "--allow-unknown-fields",
    "ignore_unknown",
    is_flag=True,
    help="Skip fields of JSON, YAML or text that the type does not have.",
)

indent_option = click.option(
    "--indent", type=click.IntRange(0, 8), metavar="N", help="Indent JSON by N spaces; 0 puts it on one line."
)


def refuse_terminal(path: str | None) -> None:
    """Raises click.UsageError where binary would go to a terminal."""
    if path is None and is_terminal():
        raise click.UsageError("binary does not go to a terminal: name a file with -o, or write text, as in --to hex")


def conversion_of(
    schemas: tuple[str, ...],
    import_paths: tuple[str, ...],
    type_name: str | None,
    hints: Mapping[str, str],
    **options: Any,
) -> Conversion:
    """What a conversion depends on, as the options of a command say. Raises InspectorError."""
    schema = load_schema(schemas, import_paths)
    if type_name is not None:
        type_name = type_name.removeprefix(".")
        schema = require_type(schema, type_name)
    elif schemas:
        note("a schema is given, but no type (-t): fields go by their numbers")
    return Conversion(schema, type_name, hints=hints, **options)
