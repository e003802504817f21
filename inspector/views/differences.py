"""Differences between two messages as lines for people, and as rows for programs."""

from __future__ import annotations

import json

from inspector.transcode.compare import Difference
from inspector.views.safe_text import safe
from inspector.views.spans import Line

MOST_CHARACTERS = 200
"""Of a value that is shown in a line."""

_SIGNS = {
    "added": ("+", "good"), "removed": ("-", "bad"), "changed": ("~", "title"), "reordered": (">", "dim"),
    "same": ("=", "dim"),
}  # fmt: skip


def difference_line(difference: Difference) -> Line:
    """One difference: `~ inputs[2].name: "a" -> "b"`."""
    sign, style = _SIGNS[difference.change]
    place = f" (there {difference.to})" if difference.to and difference.change == "changed" else ""
    return [(style, f"{sign} "), ("key", safe(difference.path or "(message)")), ("dim", safe(place)), ("", ": "),
            ("", _what(difference))]  # fmt: skip


def _what(difference: Difference) -> str:
    before, after = _short(difference.before), _short(difference.after)
    if difference.change == "changed":
        return f"{before} -> {after}"
    if difference.change == "reordered":
        return f"moved to {safe(difference.to or '')}: {before}"
    return after if difference.change == "added" else before


def _short(value: object) -> str:
    text = safe(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}... ({len(text)} characters)"


def difference_row(difference: Difference, change: str = "change") -> dict[str, object]:
    """The NDJSON record: path, change (under that name), before and after (of what is there), `to` where the path
    differs."""
    row: dict[str, object] = {"path": difference.path, change: difference.change}
    if difference.to is not None:
        row["to"] = difference.to
    if difference.change != "added":
        row["before"] = difference.before
    if difference.change in ("added", "changed"):
        row["after"] = difference.after
    return row
