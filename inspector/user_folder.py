"""Folders of the user in which things are kept from one process to the next, as files of bytes: KIND/KEY and a suffix.

Nothing depends on them: where one cannot be used, nothing is found and nothing kept, without a word. An entry is whole,
as it gets its name last, but a crash of the system or a failing disk may damage it: who reads one checks it. What other
users could have written is not read, and nobody else can read what is written.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_UNFINISHED = ".part"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

_ABANDONED = 3600
"""Seconds after which an entry that is still being written has lost its writer."""

_AT_ONCE = 1 << 20
"""Bytes of another file that are copied at once."""


class FileBytes(NamedTuple):
    """The first bytes of an open file, which are copied without being held in memory."""

    descriptor: int
    size: int

    def pieces(self) -> Iterator[bytes]:
        """They in order; fewer where the file was cut."""
        for place in range(0, self.size, _AT_ONCE):
            yield os.pread(self.descriptor, min(_AT_ONCE, self.size - place), place)


Part = bytes | bytearray | memoryview | FileBytes
Parts = tuple[Part, ...]


class UserFolder(NamedTuple):
    """Where a folder is: what `variable` of the environment says (nothing, or `off`: there is none), else `inspector`
    in what `xdg` says, in `home`, or on macOS in `mac`. Its entries have the suffix."""

    variable: str
    xdg: str
    home: str
    mac: str
    suffix: str

    def place(self) -> Path | None:
        """Where it is, or would be; None where the user wants none, or has no home."""
        given = os.environ.get(self.variable)
        if given is not None:
            return None if given in ("", "off") else Path(os.path.abspath(given))
        home = os.environ.get(self.xdg, "")
        if not os.path.isabs(home):  # the specification of XDG has such a value ignored
            home = os.path.expanduser(self.mac if sys.platform == "darwin" else self.home)
        return Path(home, "inspector") if os.path.isabs(home) else None

    def path(self, kind: str, key: str) -> Path | None:
        """The file of an entry, to be mapped or read; None where there is none. It counts as used now.

        It may be removed at any time: who has it open keeps what is in it. Kind and key are made of letters, digits,
        `-` and `_`, at most 100 (ValueError)."""
        place = self._entry(kind, key)
        if place is None or not (_is_ours(place.parent.parent) and _is_ours(place.parent)):
            return None
        try:
            found = place.lstat()
            if not stat.S_ISREG(found.st_mode) or not _is_safe(found):
                return None
            os.utime(place)
        except OSError:
            return None
        return place

    def read(self, kind: str, key: str) -> bytes | None:
        """The bytes of an entry; None where there is none."""
        place = self.path(kind, key)
        try:
            return None if place is None else place.read_bytes()
        except OSError:
            return None

    def write(self, kind: str, key: str, parts: Parts, *, most_entries: int, most_bytes: int) -> None:
        """Keeps an entry, whose bytes may come in several parts, in place of the one that was there. Then removes the
        oldest used where there are more than so many, or so many bytes."""
        place = self._entry(kind, key)
        if place is None or sum(map(_size, parts)) > most_bytes:
            return
        with contextlib.suppress(OSError):
            for each in (place.parent.parent, place.parent):
                each.mkdir(0o700, parents=True, exist_ok=True)
                if not _is_ours(each):
                    return
            _write_whole(place, parts)
            self._remove_oldest(place.parent.parent, place, most_entries, most_bytes)

    def keys(self, kind: str) -> list[str]:
        """The keys of the entries of a kind that there are, in no order."""
        place = self._entry(kind, "all")
        if place is None:
            return []
        with contextlib.suppress(OSError):
            names = [name.removesuffix(self.suffix) for name in os.listdir(place.parent) if name.endswith(self.suffix)]
            return [name for name in names if _NAME.fullmatch(name)]
        return []

    def forget(self, kind: str, key: str) -> None:
        """Removes an entry, if it is there."""
        place = self.path(kind, key)
        if place is not None:
            with contextlib.suppress(OSError):
                place.unlink()

    def _entry(self, kind: str, key: str) -> Path | None:
        if not (_NAME.fullmatch(kind) and _NAME.fullmatch(key)):
            raise ValueError(f"{kind!r} and {key!r} are to name a file")
        base = self.place()
        return base and base / kind / (key + self.suffix)

    def _remove_oldest(self, base: Path, keep: Path, most_entries: int, most_bytes: int) -> None:
        size = 0
        for count, (_, length, name) in enumerate(sorted(self._entries(base), reverse=True), 1):
            size += length
            if (count > most_entries or size > most_bytes) and name != str(keep):
                with contextlib.suppress(OSError):
                    os.unlink(name)

    def _entries(self, base: Path) -> Iterator[tuple[float, int, str]]:
        """When each was last used, its size and its name. Files left by writers that are gone are removed."""
        now = time.time()
        with os.scandir(base) as kinds:
            folders = [kind.path for kind in kinds if kind.is_dir(follow_symlinks=False)]
        for place in folders:
            with os.scandir(place) as files:
                for file in files:
                    if file.name.endswith((self.suffix, _UNFINISHED)):
                        with contextlib.suppress(OSError):  # another process may have removed it
                            found = file.stat(follow_symlinks=False)
                            if file.name.endswith(self.suffix):
                                yield found.st_mtime, found.st_size, file.path
                            elif now - found.st_mtime > _ABANDONED:
                                os.unlink(file.path)


def _is_ours(place: Path) -> bool:
    """Whether it is a folder, and no other user can have written in it."""
    try:
        found = place.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and _is_safe(found)


def _is_safe(found: os.stat_result) -> bool:
    return found.st_uid == os.getuid() and not found.st_mode & _WRITABLE_BY_OTHERS


def pieces_of(part: Part) -> Iterator[memoryview]:
    """The bytes of a part, a piece at a time."""
    pieces = part.pieces() if isinstance(part, FileBytes) else (part,)
    return (memoryview(piece).cast("B") for piece in pieces)


def _size(part: Part) -> int:
    return part.size if isinstance(part, FileBytes) else memoryview(part).nbytes


def _write_whole(place: Path, parts: Parts) -> None:
    """Several may write one entry at once: each has a file of its own, and the last to be done stays."""
    unfinished = place.with_name(f"{place.name}.{os.getpid()}-{os.urandom(4).hex()}{_UNFINISHED}")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as file:
            for part in parts:
                for piece in pieces_of(part):
                    _write_all(file.fileno(), piece)
        os.replace(unfinished, place)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def _write_all(descriptor: int, rest: memoryview) -> None:
    while rest:
        rest = rest[os.write(descriptor, rest) :]
