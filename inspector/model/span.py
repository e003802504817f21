"""A part of a sequence of bytes."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """The bytes `data[start:end]`."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes these are."""
        return self.end - self.start
