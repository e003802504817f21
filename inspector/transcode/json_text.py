"""JSON values as text."""

from __future__ import annotations

import json

import orjson

from inspector.wire.guess import JsonValue


def dumps(value: JsonValue, indent: int | None = None) -> bytes:
    """JSON in UTF-8, compact or indented by so many spaces; keys keep their order, characters beyond ASCII stand as
    they are."""
    if indent is None or indent == 2:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    return json.dumps(value, indent=indent, ensure_ascii=False).encode()
