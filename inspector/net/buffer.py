"""Collects bytes until as many are there as a parser asked for; joins them once, so that feeding stays linear."""

from __future__ import annotations


class Buffer:
    """Bytes that were fed and not yet consumed."""

    __slots__ = ("_chunks", "_missing")

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._missing = 0

    def feed(self, data: bytes) -> bytes:
        """All bytes held, once there are as many as asked for; until then nothing."""
        self._chunks.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return b""
        return self.take()

    def take(self) -> bytes:
        """All bytes held, which are no longer held after that."""
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        self._missing = 0
        return data

    def keep(self, rest: bytes, needed: int) -> None:
        """Puts `rest` back; the next `feed` that brings it to `needed` bytes returns it."""
        if rest:
            self._chunks.append(rest)
        self._missing = needed - len(rest)
