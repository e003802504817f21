"""Options that several commands share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from inspector.cli import output
from inspector.cli.completion import complete_files, complete_folders, complete_words
from inspector.errors import InputError, InspectorError
from inspector.sources.dump import DUMPS
from inspector.sources.registry import find, kinds

if TYPE_CHECKING:
    from inspector.schema import Schema
    from inspector.schema.descriptor_set import DescriptorSet
    from inspector.views.where import Where

Command = TypeVar("Command", bound=Callable[..., Any])

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
        help="Ask servers for their schema anew.",
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
        shell_complete=complete_files,
        help="Descriptor set, .proto file, folder of them, python:MODULE, grpc://HOST:PORT (grpcs://) for server "
        "reflection, program or package with descriptors in it; repeatable. Default: $INSPECTOR_SCHEMA.",
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
    command = click.option("--proto-names", is_flag=True, help="Field names as in the .proto file.")(command)
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


def load_schema(schemas: tuple[str, ...], import_paths: tuple[str, ...]) -> Schema | None:
    """The schema of the options, or of INSPECTOR_SCHEMA (sources joined as in PATH); None where neither names one."""
    sources = schemas or _default_sources()
    if not sources:
        return None
    from inspector.schema import Schema  # noqa: PLC0415  # loads protobuf, which listing calls can do without

    schema = Schema.from_sources(sources, import_paths, _reflect)
    for note in schema.notes:
        output.note(note)
    return schema


def _reflect(address: str) -> DescriptorSet:
    from inspector.client.reflection import open_reflection  # noqa: PLC0415  # with asyncio and h2, for servers only

    return open_reflection(address, use_cache=is_cache_used())


def _default_sources() -> tuple[str, ...]:
    """INSPECTOR_SCHEMA holds one source per item, separated like PATH; `python:` and `grpc:` keep their colon."""
    found: list[str] = []
    for item in os.environ.get("INSPECTOR_SCHEMA", "").split(os.pathsep):
        if found and found[-1] in ("python", "grpc", "grpcs"):
            found[-1] += f":{item}"
        elif item:
            found.append(item)
    return tuple(found)


def require_schema(schemas: tuple[str, ...], import_paths: tuple[str, ...], symbols: tuple[str, ...] = ()) -> Schema:
    """The schema of the options; where none is named, that of google/protobuf, google/rpc and google/api, if it is
    these that are asked for. Raises InspectorError, and click.UsageError where there is no schema."""
    from inspector.schema import Schema  # noqa: PLC0415  # as above

    schema = load_schema(schemas, import_paths)
    if schema is None:
        schema = Schema.empty()
        if not symbols or any(schema.symbols.find(each) is None for each in symbols):
            target = next((each for each in symbols if _ADDRESS.fullmatch(each)), None)
            hint = f"to ask a server: -s grpc://{target}" if target else "name a schema with -s"
            raise click.UsageError(f"there is no schema to look in: {hint}")
    return schema


_ADDRESS = re.compile(r"[\w.-]+:[0-9]+")
"""A host and a port, which stand before the command in other tools."""


def require_type(schema: Schema | None, type_name: str) -> Schema:
    """The schema, or where none is named that of google/protobuf, google/rpc and google/api; it has the type.

    Raises SchemaError where a schema lacks it, click.UsageError where there is none."""
    from inspector.schema import Schema  # noqa: PLC0415  # as above

    if schema is None:
        schema = Schema.empty()
        if schema.find_message(type_name) is None:
            raise click.UsageError(f"-t {type_name} needs a schema: name it with -s")
    schema.message(type_name)
    return schema
