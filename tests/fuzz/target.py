"""What a fuzz target is, and how it reads a script out of the bytes that it is given.

A target is a function of bytes. It fails by any exception: an `InspectorError` is an answer and is returned as one, so
what escapes is a defect, and so is an AssertionError, by which a target says that two ways to the same result differ.
What it returns has a `repr` that is the same in every build of the kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Target(NamedTuple):
    """`seeds` are inputs to start from, `tokens` pieces to put into them; inputs are at most `longest` bytes."""

    name: str
    run: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    tokens: tuple[bytes, ...] = ()
    longest: int = 4096


class Script:
    """Bytes taken from the front, one decision after the other. Behind the end there are zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at >= len(self._data)

    def byte(self) -> int:
        return int.from_bytes(self.take(1), "big")

    def short(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def take(self, count: int) -> bytes:
        """The next `count` bytes, or as many as there are."""
        self._at += count
        return self._data[self._at - count : self._at]

    def text(self) -> bytes:
        """A byte with a length, and as many bytes."""
        return self.take(self.byte())

    def rest(self) -> bytes:
        return self.take(len(self._data))


def text(data: bytes) -> bytes:
    """What `Script.text` reads as `data`."""
    assert len(data) < 256
    return bytes((len(data),)) + data
