"""An index that is kept in the user's cache folder: written once, read a page at a time.

A header, the bytes of the spool, rows of calls and lists of numbers behind them, and a footer of JSON that says where
things are. The footer and each page (`limits.INDEX_PAGE`) have a checksum, and nothing is believed that does not lie
within the file: what is not as it was written raises `DamagedIndexError`, whether it was damaged or made up.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any, BinaryIO

import orjson

from inspector import cache, limits
from inspector.index import layout
from inspector.index.builder import Builder
from inspector.index.records import Tables, problem
from inspector.index.spool import DamagedIndexError, read_at
from inspector.model.problem import Problem
from inspector.user_folder import FileBytes, Part, pieces_of

KIND = "index"
MAGIC = b"\x89INSPIDX"
VERSION = 2
"""Of the format, and of what the capture path makes of a capture: an index of another version is not read."""

_HEADER = struct.Struct("<8sIIQQ")
"""Magic, version, checksum of the footer, sizes of pages and footer."""

_SAMPLES = 16
_SAMPLE_SIZE = 4 * limits.KIB
_PAGES_HELD = 64


def key_of(path: str, kind: str | None, file: BinaryIO) -> str:
    """What an index is kept by: path, size, time and samples of the content of a file, and what it is read as."""
    found = os.fstat(file.fileno())
    digest = hashlib.sha256(repr((os.path.abspath(path), kind, found.st_size, found.st_mtime_ns, VERSION)).encode())
    last = max(0, found.st_size - _SAMPLE_SIZE)
    for index in range(_SAMPLES):
        digest.update(read_at(file.fileno(), last * index // (_SAMPLES - 1), _SAMPLE_SIZE))
    return digest.hexdigest()


def save(key: str, built: Builder) -> None:
    """Keeps an index that is complete."""
    spool, writer = built.spool, built.writer
    parts: list[Part] = [FileBytes(spool.file.fileno(), spool.size)]
    sizes = [spool.size]

    def add(part: bytes | bytearray) -> int:
        parts.append(part)
        sizes.append(len(part))
        return sum(sizes[:-1])

    loose = [[number, call.method, len(call.rows)] for number, call in writer.open_calls.items()]
    footer: dict[str, object] = {
        "bytes_read": built.bytes_read,
        "is_plain": built.is_plain,
        "described": built.described,
        "damaged": built.damaged,
        "count": writer.count,
        "rows": sum(sizes),
        "kinds": writer.kinds,
        "encodings": writer.encodings,
        "problems": [tuple(each) for each in writer.problems],
    }
    parts += writer.chunks
    sizes.append(writer.count * layout.CALL_SIZE)
    footer["numbers"] = [add(_little(writer.numbers)), len(writer.numbers)]
    footer["references"] = [add(_little(writer.references)), len(writer.references)]
    footer["loose"] = [[*each, add(call.rows)] for each, call in zip(loose, writer.open_calls.values(), strict=True)]
    footer["checksums"] = _checksums(parts)
    text = orjson.dumps(footer)
    header = _HEADER.pack(MAGIC, VERSION, zlib.crc32(text), sum(sizes), len(text))
    cache.write(KIND, key, header, *parts, text)


def _little(numbers: array[int]) -> bytes:
    """A list of numbers as it is kept."""
    if sys.byteorder == "big":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()


def _checksums(parts: Sequence[Part]) -> list[int]:
    """Of each page of the parts, put one behind the other."""
    found: list[int] = []
    running, room = 0, limits.INDEX_PAGE
    for view in chain.from_iterable(map(pieces_of, parts)):
        while view:
            running = zlib.crc32(view[:room], running)
            taken = min(room, len(view))
            view, room = view[taken:], room - taken
            if not room:
                found.append(running)
                running, room = 0, limits.INDEX_PAGE
    return [*found, running] if room < limits.INDEX_PAGE else found


class _Pages:
    """The bytes between header and footer, checked when they are read."""

    def __init__(self, file: BinaryIO, size: int, checksums: list[int]) -> None:
        self.size = size
        self._file = file
        self._checksums = checksums
        self._held: dict[int, bytes] = {}

    def read(self, place: int, size: int) -> bytes:
        if place < 0 or size < 0 or place + size > self.size:
            raise DamagedIndexError
        first, last = place // limits.INDEX_PAGE, max(place, place + size - 1) // limits.INDEX_PAGE
        start = place - first * limits.INDEX_PAGE
        if first == last:
            return self._page(first)[start : start + size]
        return b"".join([self._page(index) for index in range(first, last + 1)])[start : start + size]

    def _page(self, index: int) -> bytes:
        found = self._held.get(index)
        if found is None:
            start = index * limits.INDEX_PAGE
            size = min(limits.INDEX_PAGE, self.size - start)
            found = read_at(self._file.fileno(), _HEADER.size + start, size)
            if len(found) != size or zlib.crc32(found) != self._checksums[index]:
                raise DamagedIndexError
            if len(self._held) >= _PAGES_HELD:
                self._held.clear()
            self._held[index] = found
        return found


class _Words(Sequence[int]):
    """A list of numbers in the pages."""

    def __init__(self, pages: _Pages, code: str, place: Any, count: Any) -> None:
        self._pages = pages
        self._code = struct.Struct("<" + code)
        self._place = _within(place, pages.size)
        self._count = _within(count, (pages.size - self._place) // self._code.size)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._count:
            raise IndexError
        size = self._code.size
        return self._code.unpack(self._pages.read(self._place + index * size, size))[0]


class SavedIndex:
    """An index that was kept. Raises DamagedIndexError where it is none."""

    complete = True
    memory = 0

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115  # it stays open
        except OSError as error:
            raise DamagedIndexError from error
        try:
            self._read_footer(self._footer())
        except (ValueError, TypeError, KeyError, IndexError, OSError) as error:
            self._file.close()
            raise DamagedIndexError from error
        except DamagedIndexError:
            self._file.close()
            raise

    def close(self) -> None:
        self._file.close()

    def rows(self, first: int, count: int) -> bytes:
        """Rows of calls one behind the other."""
        return self.spool.read(self._rows + first * layout.CALL_SIZE, count * layout.CALL_SIZE)

    def row_of(self, number: int) -> int:
        """The row of a call; -1 where there is none."""
        return self._numbers[number] if 0 <= number < len(self._numbers) else -1

    def open_rows(self, number: int) -> tuple[str | None, bytes] | None:
        """The method and the rows of messages that belong to no call that is known."""
        found = self._loose.get(number)
        return None if found is None else (found[0], self.spool.read(found[2], found[1]))

    def _footer(self) -> dict[str, Any]:
        header = read_at(self._file.fileno(), 0, _HEADER.size)
        if len(header) != _HEADER.size:
            raise DamagedIndexError
        magic, version, checksum, pages, footer = _HEADER.unpack(header)
        size = os.fstat(self._file.fileno()).st_size
        if (magic, version) != (MAGIC, VERSION) or _HEADER.size + pages + footer != size:
            raise DamagedIndexError
        text = read_at(self._file.fileno(), _HEADER.size + pages, footer)
        if zlib.crc32(text) != checksum:
            raise DamagedIndexError
        self._size = pages
        return orjson.loads(text)  # type: ignore[no-any-return]

    def _read_footer(self, footer: dict[str, Any]) -> None:
        checksums = [_within(each, 1 << 32) for each in footer["checksums"]]
        if len(checksums) != -(-self._size // limits.INDEX_PAGE):
            raise DamagedIndexError
        self.spool = _Pages(self._file, self._size, checksums)
        self.bytes_read = _within(footer["bytes_read"], 1 << 63)
        self.is_plain = bool(footer["is_plain"])
        self.described = _text(footer["described"])
        self.damaged = bool(footer["damaged"])
        self._rows = _within(footer["rows"], self._size)
        self.count = _within(footer["count"], (self._size - self._rows) // layout.CALL_SIZE)
        self._numbers = _Words(self.spool, "i", *footer["numbers"])
        self.tables = Tables(
            _Words(self.spool, "q", *footer["references"]),
            [None, *(_kind(*each) for each in footer["kinds"][1:])],
            [str(encoding) for encoding in footer["encodings"]],
        )
        self.problems: list[Problem] = [problem(each) for each in footer["problems"]]
        self._loose = {
            _within(number, 1 << 31): (_text(method), _within(size, self._size), _within(place, self._size))
            for number, method, size, place in footer["loose"]
        }


def _kind(method: Any, protocol: Any, authority: Any) -> tuple[str | None, str, str | None]:
    return _text(method), str(protocol), _text(authority)


def _within(value: Any, most: int) -> int:
    if type(value) is int and 0 <= value <= most:
        return value
    raise ValueError


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError
