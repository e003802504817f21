"""Text cut to a number of terminal cells."""

from __future__ import annotations

import re
from functools import lru_cache

_BEYOND_ASCII = re.compile("[^\x00-\x7f]")


@lru_cache(maxsize=4096)
def cells(character: str) -> int:
    """How many cells a character takes: two for the wide ones of East Asia and for emoji, none for what combines with
    others. The terminal UI lays its lines out by the same table."""
    if character.isascii():
        return 1
    from rich.cells import get_character_cell_size  # noqa: PLC0415  # 10 ms that only what is not ASCII costs

    return get_character_cell_size(character)


def cells_of(text: str) -> int:
    """How many cells a text takes."""
    if text.isascii():
        return len(text)
    others = _BEYOND_ASCII.findall(text)
    return len(text) - len(others) + sum(map(cells, others))


def clip(text: str, width: int) -> str:
    """The beginning of `text` that fits, with an ellipsis where it does not fit whole."""
    if cells_of(text) <= width:
        return text
    if text.isascii():
        return text[: max(0, width - 1)] + "…" * (width > 0)
    taken = 0
    for index, character in enumerate(text):
        taken += cells(character)
        if taken > width - 1:
            return text[:index] + "…" * (width > 0)
    return text


def clip_start(text: str, width: int) -> str:
    """The end of `text` that fits, behind an ellipsis where it does not fit whole."""
    if cells_of(text) <= width:
        return text
    if text.isascii():
        return "…" * (width > 0) + text[len(text) - max(0, width - 1) :]
    return clip(text[::-1], width)[::-1]


def fitted(text: str, width: int) -> str:
    """The beginning of `text` that fits, filled up with spaces."""
    text = clip(text, width)
    return text + " " * (width - cells_of(text))
