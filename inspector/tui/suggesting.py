"""Names that are completed while they are typed: paths and profiles."""

from __future__ import annotations

import os
from collections.abc import Iterator

from textual.suggester import Suggester

from inspector.client import profiles

MOST_LISTED = 2_000
"""Names in a folder that are looked through for one that begins as what was typed."""


class SourceSuggester(Suggester):
    """Completes the last word: a path, or a profile."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        start = value.rfind(" ") + 1
        start += 2 * value.startswith("-I", start)
        word = value[start:]
        found = min(_completed(word), default=None) if word else None
        return None if found is None or found == word else value[:start] + found


def _completed(word: str) -> Iterator[str]:
    if word.startswith("@"):
        yield from (f"@{name}" for name in profiles.names() if f"@{name}".startswith(word))
    else:
        yield from _paths(word)


def _paths(word: str) -> Iterator[str]:
    folder, _, head = word.rpartition("/")
    place = f"{folder}/" if "/" in word else ""
    try:
        with os.scandir(os.path.expanduser(place) or ".") as entries:
            for _, entry in zip(range(MOST_LISTED), entries, strict=False):
                if entry.name.startswith(head) and (head or not entry.name.startswith(".")):
                    yield f"{place}{entry.name}{'/' if entry.is_dir() else ''}"
    except OSError:
        return


class PathSuggester(Suggester):
    """Completes a path, blanks in it too."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        found = min(_paths(value), default=None) if value else None
        return None if found == value else found
