"""The bytes of an index that is being built: an anonymous file which only grows, so that what was written stays valid
while other threads read it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO, Protocol

from inspector.errors import InputError


class DamagedIndexError(Exception):
    """An index is not what was written: it is to be built anew."""


class Bytes(Protocol):
    """Bytes that are named by their place."""

    size: int

    def read(self, place: int, size: int) -> bytes:
        """Just these bytes. Raises DamagedIndexError where they are not all there."""


class Spool:
    """Bytes in a file without a name, in `folder` (or where temporary files go)."""

    def __init__(self, folder: Path | None) -> None:
        self.file: BinaryIO = _temporary_file(folder)
        self.size = 0

    def append(self, data: bytes | bytearray) -> None:
        """Raises InputError where there is no room."""
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self.file.fileno(), view, self.size)
                self.size += written
                view = view[written:]
        except OSError as error:
            raise InputError(
                f"the index of the capture cannot be written: {error.strerror}",
                hint="make room, or have TMPDIR name a folder that has some",
            ) from None

    def read(self, place: int, size: int) -> bytes:
        if place < 0 or size < 0 or place + size > self.size:
            raise DamagedIndexError
        return read_at(self.file.fileno(), place, size)

    def close(self) -> None:
        self.file.close()


def _temporary_file(folder: Path | None) -> BinaryIO:
    try:
        return tempfile.TemporaryFile(dir=folder, buffering=0)
    except OSError:
        return tempfile.TemporaryFile(buffering=0)


def read_at(descriptor: int, place: int, size: int) -> bytes:
    """The bytes of a file from `place` on; fewer where it ends."""
    data = os.pread(descriptor, size, place)
    while 0 < len(data) < size:
        more = os.pread(descriptor, size - len(data), place + len(data))
        if not more:
            break
        data += more
    return data
