"""Names found by some of their letters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

Named = TypeVar("Named")

MOST_LETTERS = 100
"""Letters of what is looked for that count."""


def ranked(query: str, items: Iterable[Named], text_of: Callable[[Named], str]) -> list[Named]:
    """The items whose text has all words of the query, each with its letters in order; best ones first, those that are
    equally good in their own order."""
    words = query[:MOST_LETTERS].casefold().split()
    if not words:
        return list(items)
    patterns = [(word, re.compile(".*?".join(map(re.escape, word)), re.DOTALL)) for word in words]
    found: list[tuple[int, int, Named]] = []
    for item in items:
        cost = _cost(text_of(item).casefold(), patterns)
        if cost is not None:
            found.append((cost, len(found), item))
    found.sort(key=lambda each: each[:2])
    return [item for _, _, item in found]


def _cost(text: str, patterns: Iterable[tuple[str, re.Pattern[str]]]) -> int | None:
    """How far the text is from what is looked for; None where a word is not in it."""
    total = 0
    for word, pattern in patterns:
        at = text.rfind(word)
        if at >= 0:
            # The end of a name tells more than the package that it is in.
            total += (0 if at == 0 or not text[at - 1].isalnum() else 2) + (len(text) - at > 40)
            continue
        match = pattern.search(text)
        if match is None:
            return None
        total += 10 + match.end() - match.start() - len(word)
    return total
