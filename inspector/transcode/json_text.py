"""JSON values as text."""

from __future__ import annotations

import orjson

from inspector.wire.guess import JsonValue


def dumps(value: JsonValue) -> bytes:
    """Compact JSON in UTF-8; keys keep their order, characters beyond ASCII stand as they are."""
    return orjson.dumps(value)


def dumps_indented(value: JsonValue) -> bytes:
    """The same for reading: two spaces a level, one member a line."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)
