"""What a schema says of a method, a type or a field, for who composes a request."""

from __future__ import annotations

from functools import lru_cache

from inspector.errors import InspectorError
from inspector.schema import Schema
from inspector.views.description import Describer
from inspector.views.proto_lines import proto_lines
from inspector.views.safe_text import safe
from inspector.views.spans import Line

MOST_LINES = 2_000


@lru_cache(maxsize=8)
def _describer(schema: Schema) -> Describer:
    return Describer(schema)


@lru_cache(maxsize=256)
def source_lines(schema: Schema, name: str) -> tuple[Line, ...]:
    """The .proto source of a symbol, with its comments."""
    try:
        source = _describer(schema).source(schema.symbols.get(name))
    except InspectorError as error:
        return ([("bad", safe(str(error)))],)
    return tuple(proto_lines(source))[:MOST_LINES]


@lru_cache(maxsize=4096)
def comment_of(schema: Schema, name: str) -> str:
    """The comment of a symbol in one line; empty where it has none."""
    try:
        found = schema.symbols.find(name)
        comment = _describer(schema).row(found).get("comment", "") if found is not None else ""
    except InspectorError:
        return ""
    return safe(" ".join(str(comment or "").split()))
