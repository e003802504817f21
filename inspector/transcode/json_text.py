"""JSON values as text."""

from __future__ import annotations

import orjson

from inspector.wire.guess import JsonValue


def dumps(value: JsonValue) -> bytes:
    """Compact JSON in UTF-8; keys keep their order, characters beyond ASCII stand as they are."""
    return orjson.dumps(value)
