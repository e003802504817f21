"""`inspector list`: what a schema has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from inspector.cli import output
from inspector.cli.completion import complete_symbols
from inspector.cli.connect_options import ConnectOptions, reflect_options
from inspector.cli.options import schema_options
from inspector.cli.schema_sources import require_schema
from inspector.views.rows import to_line
from inspector.views.safe_text import safe

if TYPE_CHECKING:
    from inspector.schema.symbols import Symbol, Symbols
    from inspector.views.spans import Line

KINDS = ("service", "method", "message", "enum", "extension", "file", "package")


@click.command(epilog="Examples: inspector list -s protos; inspector list pkg.Svc -l -s api.binpb")
@click.argument("symbols", metavar="[SYMBOL]...", nargs=-1, shell_complete=complete_symbols("service", "package"))
@schema_options
@reflect_options
@click.option("--kind", type=click.Choice(KINDS), help="List these. Default: services; of a service, its methods.")
@click.option("-l", "--long", "is_long", is_flag=True, help="Methods with streaming kind, request and response.")
@click.option(
    "--output", "form", type=click.Choice(["text", "json", "ndjson"]), default="text",
    help="text (the default): a name a line; json: a record a line.",
)  # fmt: skip
def list(  # the name of the command
    symbols: tuple[str, ...], schemas: tuple[str, ...], import_paths: tuple[str, ...], kind: str | None,
    is_long: bool, form: str, connect: ConnectOptions,
) -> int:  # fmt: skip
    """List what a schema has: services, or of a service its methods.

    SYMBOL is a service, a package or a file; without one everything in the sources is listed.
    """
    schema = require_schema(schemas, import_paths, symbols, connect)
    found = _unique(_within(schema.symbols, symbols, kind) if symbols else _all(schema.symbols, kind or "service"))
    if not found:
        output.note(f"the schema has no {kind or 'service'}{'' if not symbols else ' there'}")
    with output.opened(None) as out:
        if form == "text":
            lines = _long(found) if is_long else ([("method", safe(each.name))] for each in found)
            output.write_lines(lines, out, colour=output.has_colour())
        else:
            from inspector.views.description import summary_row  # noqa: PLC0415  # as options are not needed else

            out.writelines(to_line(summary_row(each)) + b"\n" for each in found)
    return 0


def _all(symbols: Symbols, kind: str) -> Iterable[Symbol]:
    if kind == "package":
        from inspector.schema.symbols import Symbol  # noqa: PLC0415  # loads protobuf

        return (Symbol("package", name) for name in symbols.names("package"))
    return symbols.all(kind)


def _within(symbols: Symbols, names: tuple[str, ...], kind: str | None) -> Iterator[Symbol]:
    """What is within each of the symbols: of a service its methods, else (all nested ones too) what has the kind."""
    for name in names:
        found = symbols.get(name, "service", "package", "file", *(("message",) if kind is not None else ()))
        if found.kind == "service" and kind in (None, "method"):
            yield from found.parts()
            continue
        yield from (each for each in _all(symbols, kind or "service") if _is_in(each, found))
        if found.kind == "package" and kind != "package":
            yield from symbols.all_in_package(found.name, kind or "service")


def _is_in(symbol: Symbol, scope: Symbol) -> bool:
    if scope.kind == "file":
        return symbol.file == scope.name
    return symbol.name == scope.name or symbol.name.startswith(f"{scope.name}.")


def _unique(found: Iterable[Symbol]) -> tuple[Symbol, ...]:
    """In the order of their names, each once."""
    by_name = {each.name: each for each in found}
    return tuple(by_name[name] for name in sorted(by_name))


def _long(found: Iterable[Symbol]) -> Iterator[Line]:
    """A line for each, in columns."""
    rows = tuple(map(_columns, found))
    widths = [max((len(row[at]) for row in rows if at < len(row)), default=0) for at in range(4)]
    for name, *others in rows:
        padded = [text.ljust(width) for text, width in zip(others, widths[1:], strict=False)]
        yield [("method", name.ljust(widths[0])), ("", "  " + "  ".join(padded))]


def _columns(symbol: Symbol) -> tuple[str, ...]:
    if symbol.kind != "method":
        count = f"{len(symbol.node.method)} methods" if symbol.kind == "service" else symbol.kind
        return safe(symbol.name), count, safe(symbol.file)
    from inspector.views.description import streaming, summary_row  # noqa: PLC0415  # as above

    row = summary_row(symbol)
    return safe(symbol.name), streaming(symbol), safe(str(row["request"])), safe(str(row["response"]))
