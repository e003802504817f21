"""`inspector tui`: the terminal UI."""

from __future__ import annotations

import sys

import click

from inspector.cli.completion import complete_files, complete_symbols
from inspector.cli.options import hint_option, kind_option, schema_options
from inspector.cli.schema_sources import load_schema, require_type
from inspector.deferred import deferred

_run = deferred("inspector.tui.app", "run")
"""The program, by name: command line and terminal UI know nothing of each other, and Textual takes long to load."""

_serve = deferred("inspector.tui.web", "serve")
_is_served = deferred("inspector.tui.web", "is_served")


@click.command()
@click.argument("inputs", metavar="[INPUT]...", nargs=-1, type=str, shell_complete=complete_files)
@kind_option
@schema_options
@click.option(
    "-t", "--type", "type_name", metavar="TYPE", shell_complete=complete_symbols("message"),
    help="The message type of INPUT, where no method tells it.",
)  # fmt: skip
@hint_option
@click.option("--target", metavar="TARGET", help="Where requests go: host:port, grpc://host:port, @NAME of a profile.")
@click.option("--theme", metavar="NAME", help="Colours: textual-dark, textual-light, nord, ...")
@click.option("--no-state", is_flag=True, help="Forget where you are in INPUT, and do not look where you were.")
@click.option("--web", is_flag=True, help="Serve it to browsers of this machine, at an address that is printed.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="The port of --web, else one that is free.")
def tui(
    inputs: tuple[str, ...], kind: str | None, schemas: tuple[str, ...], import_paths: tuple[str, ...],
    type_name: str | None, hints: dict[str, str], target: str | None, theme: str | None, no_state: bool, web: bool,
    port: int | None,
) -> int:  # fmt: skip
    """Browse captures and payloads in the terminal: calls, messages, each field beside its bytes.

    Without INPUT it composes requests: a method of -s, or of the server itself, a form to fill in, and the answer."""
    schema = load_schema(schemas, import_paths)
    if type_name is not None:
        schema = require_type(schema, type_name)
    if port is not None and not web:
        raise click.UsageError("--port is for --web")
    if web and not _is_served():
        code = _serve(inputs, sys.argv[1:], port=port or 0)
    else:
        code = _run(
            inputs, schema=schema, kind=kind, type_name=type_name, hints=hints, theme=theme, sources=schemas,
            import_paths=import_paths, remembers=not no_state, target=target,
        )  # fmt: skip
    assert isinstance(code, int)
    return code
