"""Reads a capture into an index, a part at a time."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from inspector import cache, limits
from inspector.index import layout
from inspector.index.records import Tables
from inspector.index.spool import Spool, read_at
from inspector.index.writer_cy import IndexWriter
from inspector.model.problem import Problem
from inspector.sources.base import SourceEvent, SourceParser
from inspector.sources.captures import CaptureParser
from inspector.sources.input import Input


class Builder:
    """An index that is being built from an input. `file` is the same where it can be read at any place."""

    def __init__(self, source_input: Input, file: BinaryIO | None) -> None:
        self._input = source_input
        self.is_plain = file is not None and source_input.is_plain
        """Whether places in what is read are places in the file."""
        self._file = file if self.is_plain else None
        self._parser: SourceParser = source_input.source.open()
        if isinstance(self._parser, CaptureParser) and self._file is not None:
            self._parser.note_positions()
        self._pieces = source_input.pieces() if self._file is None else self._file_pieces(self._file)
        self._mark: tuple[Any, ...] | None = None
        self.bytes_read = 0
        self.complete = False
        self.spool = Spool(cache.folder())
        self.writer = IndexWriter(None if self._file is None else self._read)
        self.tables = Tables(self.writer.references, self.writer.kinds, self.writer.encodings)
        self.count = 0
        self.described: str | None = None

    def close(self) -> None:
        self._input.close()
        self.spool.close()

    # --- reading -------------------------------------------------------------------------------------------------

    def advance(self, budget: int) -> bool:
        """Reads about `budget` bytes more; whether there is more to be read."""
        if self.complete:
            if self._mark is None or not self._has_grown():
                return False
            self._go_on()
        until = self.bytes_read + budget
        while self.bytes_read < until:
            data = next(self._pieces, b"")
            if not data:
                self._end()
                return False
            self._take(self._parser, self._parser.feed(data), data)
            self.bytes_read += len(data)
            if self._file is None:
                break  # what came through a pipe is to be seen before more comes
        return True

    def _file_pieces(self, file: BinaryIO) -> Iterator[bytes]:
        """What the file has from here on, and again what it has then."""
        while True:
            yield read_at(file.fileno(), self.bytes_read, limits.READ_SIZE)

    def _read(self, place: int, size: int) -> bytes:
        assert self._file is not None
        return read_at(self._file.fileno(), place, size)

    def _take(self, parser: SourceParser, events: list[SourceEvent], data: bytes) -> None:
        positions = parser.take_positions() if isinstance(parser, CaptureParser) else []
        self.spool.append(self.writer.add(events, self.spool.size, data, self.bytes_read, positions))
        self.count = self.writer.count

    # --- the end, which may not be one ---------------------------------------------------------------------------

    def _has_grown(self) -> bool:
        return self._file is not None and os.fstat(self._file.fileno()).st_size > self.bytes_read

    def _end(self) -> None:
        """What the end of the input makes of what is open, worked out on a copy if there may be more of it."""
        parser = self._parser
        if self._file is not None:
            parser = copy.deepcopy(parser)
            self._mark = self.writer.mark()
        events = parser.close()
        self.described = parser.describe()
        if self._input.problem is not None:
            events.append(self._input.problem)
        self._take(parser, events, b"")
        if self.writer.more_problems:
            self.problems.append(Problem("more_problems", f"{self.writer.more_problems} more problems"))
        self.complete = True

    @property
    def settled(self) -> int:
        """How many calls stay as they are when reading goes on."""
        return self.count if self._mark is None else self._mark[0]

    def _go_on(self) -> None:
        assert self._mark is not None
        self.count = self.settled  # before the rest is gone: other threads ask meanwhile
        self.writer.go_back(self._mark)
        self._mark = None
        self.described = None
        self.complete = False

    # --- what it holds so far ------------------------------------------------------------------------------------

    @property
    def damaged(self) -> bool:
        return self.writer.damaged

    @property
    def problems(self) -> list[Problem]:
        return self.writer.problems

    def rows(self, first: int, count: int) -> bytes:
        """Rows of calls one behind the other."""
        found = bytearray()
        while count > 0:
            index, start = divmod(first, layout.CHUNK_ROWS)
            taken = min(count, layout.CHUNK_ROWS - start)
            found += self.writer.chunks[index][start * layout.CALL_SIZE : (start + taken) * layout.CALL_SIZE]
            first, count = first + taken, count - taken
        return bytes(found)

    def row_of(self, number: int) -> int:
        """The row of a call; -1 where there is none."""
        numbers = self.writer.numbers
        return int(numbers[number]) if 0 <= number < len(numbers) else -1

    def open_rows(self, number: int) -> tuple[str | None, bytes] | None:
        """The method and the rows of messages of a call that did not end."""
        found = self.writer.open_calls.get(number)
        return None if found is None else (found.method, bytes(found.rows))

    @property
    def memory(self) -> int:
        """Bytes of the arrays."""
        writer = self.writer
        words = writer.numbers.itemsize * len(writer.numbers) + writer.references.itemsize * len(writer.references)
        return words + writer.count * layout.CALL_SIZE
