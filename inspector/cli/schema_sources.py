"""The schema that a command line names: sources of `-s`, of profiles and of INSPECTOR_SCHEMA, and what servers say."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from inspector.cli import output
from inspector.cli.connect_options import Connection, ConnectOptions, Way, connection
from inspector.cli.options import is_cache_used

if TYPE_CHECKING:
    from inspector.schema import Schema
    from inspector.schema.descriptor_set import DescriptorSet


def load_schema(schemas: tuple[str, ...], import_paths: tuple[str, ...], way: Way = connection) -> Schema | None:
    """The schema of the options, or of INSPECTOR_SCHEMA (sources joined as in PATH); None where neither names one.
    Servers among the sources are asked in this way. Raises InspectorError."""
    sources = schemas or _default_sources()
    if not sources:
        return None
    if any(each.startswith("@") for each in sources):
        from inspector.client.profiles import schema_sources  # noqa: PLC0415  # few sources are of a profile

        sources, own_paths = schema_sources(sources)
        import_paths = (*import_paths, *own_paths)
    from inspector.schema import Schema  # noqa: PLC0415  # loads protobuf, which listing calls can do without

    distinct = tuple(dict.fromkeys(sources))
    return told(Schema.from_sources(distinct, import_paths, lambda address: _ask(way(address))))


def reflected_schema(reached: Connection, symbols: tuple[str, ...] = ()) -> Schema:
    """The schema of a server, or what the symbols need of it. Raises SchemaError, ConnectError, InputError."""
    from inspector.schema import Schema  # noqa: PLC0415  # as above

    return Schema((_ask(reached, symbols),))


def told(schema: Schema) -> Schema:
    """The schema, when what a user should know of its sources is on standard error."""
    for note in schema.notes:
        output.note(note)
    return schema


def _ask(reached: Connection, symbols: tuple[str, ...] = ()) -> DescriptorSet:
    from inspector.client.reflection import open_reflection  # noqa: PLC0415  # with asyncio and h2, for servers only

    return open_reflection(
        str(reached.target),
        settings=reached.settings,
        metadata=reached.reflect_metadata,
        symbols=symbols,
        use_cache=is_cache_used(),
    )


def _default_sources() -> tuple[str, ...]:
    """INSPECTOR_SCHEMA holds one source per item, separated like PATH; those with a colon in them keep it."""
    text = os.environ.get("INSPECTOR_SCHEMA", "")
    if os.pathsep != ":":
        return tuple(filter(None, text.split(os.pathsep)))
    return tuple(match[0] for match in _SOURCE.finditer(text))


_SOURCE = re.compile(r"(?:python|unix|unix-abstract):[^:]+|grpcs?://(?:\[[^\]]*\]|[^:\[])*(?::[0-9]+(?![^:]))?|[^:]+")
"""A source in INSPECTOR_SCHEMA."""


def require_schema(
    schemas: tuple[str, ...], import_paths: tuple[str, ...], symbols: tuple[str, ...], connect: ConnectOptions
) -> Schema:
    """The schema of the options; where none is named, that of google/protobuf, google/rpc and google/api, if it is
    these that are asked for. Raises InspectorError, and click.UsageError where there is no schema."""
    from inspector.schema import Schema  # noqa: PLC0415  # as above

    schema = load_schema(schemas, import_paths, lambda address: connection(address, connect))
    if schema is None:
        schema = Schema.empty()
        if not symbols or any(schema.symbols.find(each) is None for each in symbols):
            hint = next(filter(None, map(_as_source, symbols)), "name a schema with -s")
            raise click.UsageError(f"there is no schema to look in: {hint}")
    return schema


def _as_source(symbol: str) -> str | None:
    """What to write instead of a target, which stands before the command in other tools."""
    from inspector.schema.sources import HOST_PORT, SERVERS  # noqa: PLC0415  # as above

    if symbol.startswith(SERVERS):
        return f"to ask a server: -s {symbol}"
    return f"to ask a server: -s grpc://{symbol}" if HOST_PORT.fullmatch(symbol) else None


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
