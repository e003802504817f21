"""Names from schema files, made fit for an error message: one line, bounded, no control characters."""

from __future__ import annotations

from collections.abc import Iterable

MAX_SHOWN = 200
"""Characters of one name or message that are shown. A damaged file can hold names of megabytes."""

MAX_LISTED = 5
"""Names of a list that are shown; the rest is counted."""


def text(value: str | bytes) -> str:
    """A string field of a descriptor. (Where the bytes are not UTF-8, protobuf hands them over as bytes.)"""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def one_line(text: str, limit: int = MAX_SHOWN) -> str:
    """`text` without control characters or surrogates (they become escapes), cut off at `limit` characters."""
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)


def listed(names: Iterable[str], separator: str = ", ") -> str:
    """The first few names, and how many more there are."""
    shown = [one_line(name) for name in names]
    more = len(shown) - MAX_LISTED
    return separator.join(shown[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
