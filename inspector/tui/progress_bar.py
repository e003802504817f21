"""How far something has come, as text that stands in a line beside other facts: `━━━╸──── 45 %`."""

from __future__ import annotations

CELLS = 8


def progress_bar(share: float) -> str:
    """The bar of a share from 0 to 1. Its halves are lines of two strengths, so that it is read without colours."""
    share = min(1.0, max(0.0, share))
    halves = int(2 * CELLS * share)
    bar = ("━" * (halves // 2) + "╸" * (halves % 2)).ljust(CELLS, "─")
    return f"{bar} {int(100 * share)} %"
