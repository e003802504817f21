"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from inspector.cli.completion import complete_files, complete_folders, complete_sources, complete_words
from inspector.errors import InputError, InspectorError
from inspector.limits import MAX_SECONDS
from inspector.sources.dump import DUMPS
from inspector.sources.registry import find, kinds

if TYPE_CHECKING:
    from inspector.views.where import Where

Command = TypeVar("Command", bound=Callable[..., Any])


class _Number(click.FloatRange):
    """A number in a range. (To click, nan and inf are in any.)"""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(click.FLOAT.convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number of this kind", param, ctx)
        return float(super().convert(number, param, ctx))


NUMBER = _Number(0)
"""From 0 on."""

POSITIVE = _Number(0, MAX_SECONDS, min_open=True)
"""Over 0, as times are in which something must happen."""

input_argument = click.argument("input_", metavar="INPUT", type=str, shell_complete=complete_files)


_NO_CACHE = "inspector.no_cache"
"""Where the context keeps whether servers are to be asked anew."""


def _note_no_cache(context: click.Context, _: click.Parameter, value: bool) -> None:
    context.meta[_NO_CACHE] = value


def is_cache_used() -> bool:
    """Whether the command may take what a server said minutes ago."""
    context = click.get_current_context(silent=True)
    return context is None or not context.meta.get(_NO_CACHE)


def schema_options(command: Command) -> Command:
    """-s/--schema, -I/--import-path and --no-cache. Commands get no value of the last one: see `is_cache_used`."""
    command = click.option(
        "--no-cache",
        is_flag=True,
        expose_value=False,
        callback=_note_no_cache,
        help="Ask servers for their schema anew; else what one said is used for 10 minutes.",
    )(command)
    command = click.option(
        "-I",
        "--import-path",
        "import_paths",
        metavar="DIR",
        multiple=True,
        shell_complete=complete_folders,
        help="Where .proto files find their imports.",
    )(command)
    return click.option(
        "-s",
        "--schema",
        "--proto",
        "--protoset",
        "schemas",
        metavar="SOURCE",
        multiple=True,
        shell_complete=complete_sources,
        help="Descriptor set, .proto file, folder of them, python:MODULE, grpc://HOST:PORT (grpcs://, unix:PATH) for "
        "server reflection, @NAME of a profile, program or package with descriptors in it; repeatable. Default: "
        "$INSPECTOR_SCHEMA.",
    )(command)


def _check_kind(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        kind, _plus, form = value.partition("+")
        if kind in DUMPS and not form:
            raise click.BadParameter(f"{kind} needs the kind of what it shows: message+{kind}, for example")
        try:
            find(kind)
            if form and form not in DUMPS:
                raise InputError(f"there is no textual form named {form!r}", hint=f"known are {', '.join(DUMPS)}")
        except InputError as error:
            raise click.BadParameter(str(error)) from None
    return value


def kind_option(command: Command) -> Command:
    """--from."""
    return click.option(
        "--from",
        "kind",
        metavar="KIND",
        callback=_check_kind,
        shell_complete=complete_words(*kinds()),
        help=f"What INPUT is, where not detected: {', '.join(kinds())}; followed by +hex or +base64, a dump of it.",
    )(command)


def _no_dash(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    return None if value == "-" else value


out_option = click.option(
    "-o",
    "--out",
    "path",
    metavar="FILE",
    callback=_no_dash,
    shell_complete=complete_files,
    help="Write to FILE instead of standard output.",
)


def _parse_hints(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    if not values:
        return {}
    from inspector.wire.hints import parse_hint  # noqa: PLC0415  # with the kinds of fields; hints are rarely given

    try:
        return dict(map(parse_hint, values))
    except InspectorError as error:
        raise click.BadParameter(str(error)) from None


hint_option = click.option(
    "--hint",
    "hints",
    metavar="PATH=KIND",
    multiple=True,
    callback=_parse_hints,
    help="How to read a field that the schema does not tell: 3.1=string. Repeatable.",
)


def json_options(command: Command) -> Command:
    """How messages are printed."""
    command = click.option(
        "--keep-unknown", is_flag=True, help="Print fields that the schema does not know too, guessed, by number."
    )(command)
    command = click.option("--enum-numbers", is_flag=True, help="Enum values as numbers.")(command)
    command = click.option(
        "--proto-names", "--keep-proto-names", "proto_names", is_flag=True, help="Field names as in the .proto file."
    )(command)
    return click.option("--emit-defaults", is_flag=True, help="Print fields at their default value too.")(command)


def where_option(what: str) -> Callable[[Command], Command]:
    """--where, for calls or messages."""
    return click.option(
        "--where",
        metavar="EXPR",
        help=f"Only {what} that match: an expression of CEL over records and messages, or words (docs/filter.md).",
    )


def load_where(text: str | None) -> Where | None:
    """The filter that --where names. Raises InspectorError for one that is none."""
    if text is None:
        return None
    from inspector.views.where import Where  # noqa: PLC0415  # its library is an extra, and not needed otherwise

    return Where(text)


secrets_option = click.option(
    "--show-secrets", is_flag=True, help="Print credentials in headers instead of masking them."
)
