"""What archives hold: zip (also jar, wheel, apk), tar, gzip; and gzip in the midst of other bytes, as in Go programs.

Invariant: no more is unpacked than the budget (limits.MAX_UNPACKED) allows, whatever the archive claims about itself,
and one damaged member costs only itself.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple, cast

from inspector.limits import MAX_SEARCHED_FILES, MAX_UNPACKED, MAX_UNPACKED_MEMBER, MIB
from inspector.schema.extract_finder import Buffer
from inspector.schema.wording import one_line

_GZIP = b"\x1f\x8b\x08"
_ZIP = b"PK\x03\x04"
_ZIP_END, _ZIP_END_REACH = b"PK\x05\x06", 22 + 65_535
"""The record that ends a zip, and how far before the end of the file it may begin (APPNOTE.TXT, 4.3.16)."""

_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257

_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
    MemoryError, OverflowError, AttributeError,
)  # fmt: skip
"""What the libraries raise for damaged archives, or encrypted ones."""


class Member(NamedTuple):
    """A member of an archive. `problem` says what is wrong where `content` is not all of it."""

    name: str
    content: bytes
    problem: str | None = None


class Budget:
    """How much may still be unpacked and searched."""

    def __init__(self, size: int = MAX_UNPACKED, files: int = MAX_SEARCHED_FILES) -> None:
        self.size = size
        self.files = files

    @property
    def room(self) -> int:
        """Bytes that the next member may have."""
        return min(self.size, MAX_UNPACKED_MEMBER)


def is_archive(data: Buffer) -> bool:
    """Whether the bytes as a whole are an archive."""
    return data[:4] == _ZIP or data[:3] == _GZIP or _is_tar(data)


def has_archive(data: Buffer) -> bool:
    """Whether they are one, or end in a zip, as programs do that bring their data along."""
    return is_archive(data) or data.rfind(_ZIP_END, max(0, len(data) - _ZIP_END_REACH)) >= 0


def members(data: Buffer, budget: Budget) -> Iterator[Member]:
    """The members of an archive, one after the other."""
    if data[:3] == _GZIP:
        content, _, problem = _gunzip(data, 0, budget)
        yield Member("gzip", content, problem)
        return
    unpack = _tar_members if _is_tar(data) else _zip_members
    try:
        yield from unpack(data, budget)
    except _DAMAGE as error:
        if is_archive(data):  # else it only looked as if a zip were at its end
            yield Member("", b"", f"the archive is damaged: {one_line(str(error))}")


def embedded_gzip(data: Buffer, budget: Budget) -> Iterator[tuple[int, bytes]]:
    """Whole gzip streams in the midst of other bytes: their offset, and what they hold."""
    at = data.find(_GZIP)
    while at >= 0:
        content, end, problem = _gunzip(data, at, budget)
        if problem is None:
            yield at, content
            at = end - 1
        at = data.find(_GZIP, at + 1)


def _is_tar(data: Buffer) -> bool:
    return data[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == _TAR_MAGIC


def _gunzip(data: Buffer, start: int, budget: Budget) -> tuple[bytes, int, str | None]:
    """What a gzip stream holds, where it ends, and what is wrong with it."""
    inflater, pieces, position = zlib.decompressobj(31), list[bytes](), start
    room = budget.room
    try:
        while not inflater.eof and position < len(data) and room > 0:
            chunk = inflater.unconsumed_tail or data[position : position + MIB]
            position += 0 if inflater.unconsumed_tail else len(chunk)
            pieces.append(inflater.decompress(chunk, room))
            room -= len(pieces[-1])
            budget.size -= len(pieces[-1])
    except zlib.error as error:
        return b"".join(pieces), position, f"damaged gzip: {error}"
    problem = None
    if not inflater.eof:
        problem = "more than is unpacked" if room <= 0 else "gzip that is cut off"
    return b"".join(pieces), position - len(inflater.unused_data), problem


def _zip_members(data: Buffer, budget: Budget) -> Iterator[Member]:
    with zipfile.ZipFile(_as_file(data)) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            if _exhausted(budget):
                yield Member(info.filename, b"", "not looked at: more than is unpacked")
                return
            try:
                with archive.open(info) as file:
                    yield _read(info.filename, cast(io.BufferedIOBase, file), budget)
            except _DAMAGE as error:
                yield Member(info.filename, b"", f"cannot be unpacked: {one_line(str(error))}")


def _tar_members(data: Buffer, budget: Budget) -> Iterator[Member]:
    with tarfile.open(fileobj=_as_file(data), mode="r:") as archive:
        for info in archive:
            file = archive.extractfile(info) if info.isreg() else None
            if file is None:
                continue
            if _exhausted(budget):
                yield Member(info.name, b"", "not looked at: more than is unpacked")
                return
            yield _read(info.name, cast(io.BufferedIOBase, file), budget)


def _exhausted(budget: Budget) -> bool:
    budget.files -= 1
    return budget.size <= 0 or budget.files < 0


def _read(name: str, file: io.BufferedIOBase, budget: Budget) -> Member:
    room = budget.room
    content = file.read(room + 1)
    budget.size -= len(content)
    return Member(name, content[:room], "more than is unpacked" if len(content) > room else None)


class _MappedFile(io.RawIOBase):
    """A mapped file as one to read from, without a copy of it."""

    def __init__(self, data: mmap) -> None:
        self._data = data
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._data)}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        piece = self._data[self._position : self._position + len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def _as_file(data: Buffer) -> io.BufferedIOBase:
    return io.BytesIO(data) if isinstance(data, bytes) else io.BufferedReader(_MappedFile(data))
