"""Gzip-compressed input, decompressed piece by piece so that memory stays bounded whatever it expands to."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from inspector.limits import READ_SIZE
from inspector.model.problem import Problem

MAGIC = b"\x1f\x8b"


class Decompressor(Protocol):
    """What `zlib.decompressobj` makes."""

    def decompress(self, data: bytes, /) -> bytes: ...


class Gunzip:
    """Bytes of a gzip file (RFC 1952, several members allowed) -> what it holds."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._fed = False
        self.problem: Problem | None = None
        """What is wrong with the file; nothing is decompressed after that."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` adds, in pieces of bounded size."""
        while data and self.problem is None:
            if self._stream.eof:
                if not data.startswith(MAGIC[:1]):
                    return  # padding after the last member
                self._stream = zlib.decompressobj(wbits=31)
            before = self._stream.copy()
            try:
                piece = self._stream.decompress(data, 4 * READ_SIZE)
            except zlib.error as error:
                self.problem = Problem("gzip_damaged", f"the gzip data is damaged: {error}")
                yield from _salvaged(before, data)
                return
            self._fed = True
            data = self._stream.unconsumed_tail or self._stream.unused_data
            if piece:
                yield piece

    def close(self) -> None:
        """No more bytes: sets `problem` where the file is cut off."""
        if self._fed and not self._stream.eof and self.problem is None:
            self.problem = Problem("gzip_truncated", "the gzip data ends early")


def _salvaged(stream: Decompressor, data: bytes) -> Iterator[bytes]:
    """What `data` holds before the place that cannot be read. (A call that meets it returns nothing.)"""
    parts: list[bytes] = []
    size = 0
    for at in range(len(data)):
        try:
            parts.append(stream.decompress(data[at : at + 1]))
        except zlib.error:
            break
        size += len(parts[-1])
        if size >= READ_SIZE:
            yield b"".join(parts)
            parts, size = [], 0
    if size:
        yield b"".join(parts)
