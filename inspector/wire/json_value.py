"""JSON as Python values, and the one form that it lacks: bytes."""

from __future__ import annotations

JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None
"""What json can hold."""

BYTES = "$bytes"
"""The one key of an object that stands for bytes, which it has as base64."""
