"""Text cut to a number of terminal cells."""

from __future__ import annotations

import unicodedata


def cells(character: str) -> int:
    """How many cells a character takes: two for the wide ones of East Asia and for emoji, none for what combines."""
    if character.isascii():
        return 1
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells_of(text: str) -> int:
    """How many cells a text takes."""
    return len(text) if text.isascii() else sum(map(cells, text))


def clip(text: str, width: int) -> str:
    """The beginning of `text` that fits, with an ellipsis where it does not fit whole."""
    if cells_of(text) <= width:
        return text
    taken = 0
    for index, character in enumerate(text):
        taken += cells(character)
        if taken > width - 1:
            return text[:index] + "…" * (width > 0)
    return text
