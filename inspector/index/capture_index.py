"""Each call and message of a capture of any size, by number, at once.

The capture is read once, a part at a time (`advance`), and what was read so far can be asked for meanwhile, from other
threads too: an index only grows. It holds a row of 64 bytes for each call and 4 more for its number; the rest (header
blocks, rows of messages) stands in a file, the bytes of messages in the capture itself. Where that cannot be read at
any place (a pipe, a compressed file), they are copied to that file, which lies in the cache folder while it is in use.

The end of the file is not the end of a capture that is still being written: what its end makes of calls that are open
is worked out on a copy of the parser, and undone when the file has grown. So reading goes on where it stopped.

A large capture's index is kept in the user's cache folder. There it is found by the path, size and time of the file and
samples of its content: of a file that grew since (or changed in any other way) a new one is made, from its beginning,
since what the parsers knew at its end is not kept.
"""

from __future__ import annotations

import os
import stat
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, TypeVar

from inspector import cache, limits
from inspector.errors import InputError
from inspector.index import layout, saved
from inspector.index.builder import Builder
from inspector.index.records import MessageRow, Records, read_row
from inspector.index.saved import SavedIndex
from inspector.index.spool import DamagedIndexError, read_at
from inspector.model.call import Call, Direction, Message
from inspector.model.problem import Problem
from inspector.sources.input import Input

Store = Builder | SavedIndex

_Found = TypeVar("_Found")


class _Column(NamedTuple):
    """Where in a row a column stands. `none` and `elsewhere` are what stands for None, and for what only the record
    tells: then `layout.NONE` and `layout.ELSEWHERE` are told."""

    word: int
    shift: int = 0
    mask: int = -1
    none: int | None = None
    elsewhere: int | None = None


_HALF = 0xFFFFFFFF

COLUMNS = {
    "number": _Column(3, 32),
    "kind": _Column(3, 0, _HALF),
    "started": _Column(0),
    "duration": _Column(1),
    "status": _Column(2, 0, 0xFF, layout.NO_CODE, layout.OTHER_CODE),
    "complete": _Column(2, 8, layout.COMPLETE),
    "has_problems": _Column(2, 9, 1),
    "connection": _Column(4, 32),
    "stream": _Column(4, 0, _HALF),
    "requests": _Column(5, 32),
    "responses": _Column(5, 0, _HALF),
    "request_bytes": _Column(6),
    "response_bytes": _Column(7),
}


class CaptureIndex:
    """The calls and messages of an input. Calls stand in rows, in the order in which they end; their numbers are in the
    order in which they begin.

    Raises InputError where the input cannot be read, or where the file was changed other than by growing.
    """

    def __init__(self, path: str, kind: str | None = None, *, opened: Input | None = None, keep: bool = True) -> None:
        """`opened` is the input where it is open already, `keep` False where no index is taken from the cache folder
        or put there."""
        self.path = path
        self._kind = kind
        self._input = opened
        self._keep = keep
        self._file = _open_file(path)
        self._capture = _CaptureBytes(self._file)
        self._use(self._kept() or self._begin())

    def __enter__(self) -> CaptureIndex:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the files. An index cannot be used after that."""
        self._store.close()
        if self._input is not None:
            self._input.close()
        if self._file is not None:
            self._file.close()

    # --- building ------------------------------------------------------------------------------------------------

    def advance(self, budget: int = limits.MIB) -> bool:
        """Reads about `budget` bytes more of the input. False where it ended; of a file that grows since then, True
        again. Only one thread may do so."""
        store = self._store
        if self._file is not None and store.is_plain:
            size = os.fstat(self._file.fileno()).st_size
            if size < store.bytes_read or (isinstance(store, SavedIndex) and size > store.bytes_read):
                store = self._rebuild()
        if isinstance(store, SavedIndex):
            return False
        was_complete = store.complete
        more = store.advance(budget)
        if store.complete and not was_complete:
            self._save(store)
        return more

    def build(self) -> CaptureIndex:
        """Reads the input to its end."""
        while self.advance():
            pass
        return self

    @property
    def has_changed(self) -> bool:
        """Whether the file has grown since it was read to its end, or is another one: `advance` reads on."""
        store = self._store
        if self._file is None or not (store.complete and store.is_plain):
            return False
        return os.fstat(self._file.fileno()).st_size != store.bytes_read

    @property
    def has_shrunk(self) -> bool:
        """Whether the file is shorter than what was read of it: it was cut, or begun anew."""
        return self._file is not None and os.fstat(self._file.fileno()).st_size < self._store.bytes_read

    @property
    def settled(self) -> int:
        """How many rows, from the first on, stay as they are when reading goes on: what the end of a file that grows
        made of open calls does not."""
        store = self._store
        if isinstance(store, Builder) and not self.has_shrunk:
            return store.settled
        return 0 if self.has_changed else store.count

    @property
    def complete(self) -> bool:
        """Whether all was read that there was."""
        return self._store.complete

    @property
    def bytes_read(self) -> int:
        """How far the input was read."""
        return self._store.bytes_read

    @property
    def bytes_in_all(self) -> int | None:
        """How many there are to read now; None where that is not known: of a pipe, and of what is compressed."""
        if self._file is None or not self._store.is_plain:
            return None
        return os.fstat(self._file.fileno()).st_size

    # --- what it holds -------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Calls that ended so far."""
        return self._store.count

    def call(self, number: int) -> Call:
        """The call of that number. Raises IndexError where there is none."""
        return self._answer(lambda store, records: records.call(_row(store, _row_of(store, number))))

    def call_at(self, row: int) -> Call:
        """The call in a row. Raises IndexError where there is none."""
        return self._answer(lambda store, records: records.call(_row(store, row)))

    def row_of(self, number: int) -> int:
        """The row of a call. Raises IndexError where there is none."""
        return self._answer(lambda store, records: _row_of(store, number))

    def message(self, number: int, direction: Direction | None, index: int) -> Message:
        """A message of a call, which need not have ended. Raises IndexError where there is none."""
        return self._answer(lambda store, records: _Messages(store, records, number).find(direction, index))

    def messages_of(self, number: int) -> list[Message]:
        """All messages of a call, in the order of the capture. Those of none (call 0) stand by themselves."""
        return self._answer(lambda store, records: list(_Messages(store, records, number)))

    def each_message(self, number: int, direction: Direction | None = None) -> Iterator[Message]:
        """All messages of a call one by one, or those of one direction: each is read when it is taken."""
        found = self._answer(lambda store, records: _Messages(store, records, number))
        try:
            yield from found.of(direction)
        except DamagedIndexError:
            raise self._changed() from None

    def message_count(self, number: int) -> int:
        """How many messages a call has, or has so far. Raises IndexError where there is no such call."""
        return self._answer(lambda store, records: len(_Messages(store, records, number)))

    def message_at(self, number: int, place: int) -> Message:
        """The message at a place among all of a call, in the order of the capture. Raises IndexError."""
        return self._answer(lambda store, records: _Messages(store, records, number).at(place))

    def column(self, name: str, first: int = 0, last: int | None = None) -> array[int]:
        """One value for each row from `first` on, up to (not with) `last`: one of `COLUMNS`. Times are in nanoseconds,
        a method or authority is a place in `kinds` (0 where only the call tells), `layout.NONE` stands for None and
        `layout.ELSEWHERE` for what only the call tells."""
        column = COLUMNS[name]
        return self._answer(lambda store, records: _column(store, column, first, last))

    @property
    def kinds(self) -> Sequence[tuple[str | None, str, str | None] | None]:
        """(method, protocol, authority) by what the column `kind` has. 0 is for those that only the call tells."""
        return self._store.tables.kinds

    @property
    def problems(self) -> Sequence[Problem]:
        """Problems that belong to no call."""
        return self._store.problems

    @property
    def damaged(self) -> bool:
        """Whether damage was met so far."""
        return self._store.damaged

    @property
    def passed_over(self) -> str | None:
        """One line on what the input held, known when it was read to its end."""
        return self._store.described

    @property
    def memory(self) -> int:
        """Bytes of memory that rows and numbers take."""
        return self._store.memory

    # --- within --------------------------------------------------------------------------------------------------

    def _answer(self, ask: Callable[[Store, Records], _Found]) -> _Found:
        """Asks the index; where it turns out to be damaged, a new one is made first."""
        try:
            return ask(self._store, self._records)
        except DamagedIndexError:
            if self._file is None or not self.complete:
                raise self._changed() from None
        self._rebuild()
        self.build()
        try:
            return ask(self._store, self._records)
        except DamagedIndexError:
            raise self._changed() from None

    def _changed(self) -> InputError:
        return InputError("this has changed since it was read", where=self.path, hint="open it again")

    def _use(self, store: Store) -> Store:
        self._store = store
        self._records = Records(store.spool, self._capture, store.tables)
        return store

    def _begin(self) -> Builder:
        opened = self._input or Input(self.path, self._kind)
        self._input = None
        return Builder(opened, self._file)

    def _rebuild(self) -> Store:
        self._store.close()
        return self._use(self._begin())

    def _kept(self) -> SavedIndex | None:
        if not self._keep or self._file is None or os.fstat(self._file.fileno()).st_size < limits.MIN_INDEX_CACHED:
            return None
        place = cache.path(saved.KIND, saved.key_of(self.path, self._kind, self._file))
        try:
            return None if place is None else SavedIndex(place)
        except DamagedIndexError:
            return None

    def _save(self, store: Builder) -> None:
        if not self._keep or self._file is None:
            return
        found = os.fstat(self._file.fileno())
        if found.st_size >= limits.MIN_INDEX_CACHED:
            saved.save(saved.key_of(self.path, self._kind, self._file), store)


class _CaptureBytes:
    """The file of the capture, as it stands."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self.size = layout.MAX_PLACE

    def read(self, place: int, size: int) -> bytes:
        if self._file is None or not 0 <= place <= self.size or not 0 <= size <= limits.MAX_MESSAGE:
            raise DamagedIndexError
        data = read_at(self._file.fileno(), place, size)
        if len(data) != size:
            raise DamagedIndexError
        return data


class _Messages:
    """The rows of the messages of a call. Those of one direction are found by bisection: each row has its number among
    those of its direction, which tells how many came before it in the other."""

    def __init__(self, store: Store, records: Records, number: int) -> None:
        self._records = records
        self._number = number
        self._store = store
        self._rows = b""
        row = store.row_of(number)
        if row >= 0:
            self._method, self._place, self._count = records.message_rows(store.rows(row, 1))
            return
        found = store.open_rows(number)
        if found is None:
            raise IndexError(f"there is no call {number}")
        self._method, self._rows = found
        self._place, self._count = -1, len(self._rows) // layout.MESSAGE_SIZE

    def __iter__(self) -> Iterator[Message]:
        return (self._message(self._row(at)) for at in range(self._count))

    def __len__(self) -> int:
        return self._count

    def of(self, direction: Direction | None) -> Iterator[Message]:
        """Those of a direction; None: all."""
        wanted = layout.RESPONSE if direction == "response" else 0
        for row in map(self._row, range(self._count)):
            if direction is None or row.flags & layout.RESPONSE == wanted:
                yield self._message(row)

    def at(self, place: int) -> Message:
        if not 0 <= place < self._count:
            raise IndexError(f"call {self._number} has no message at {place}")
        return self._message(self._row(place))

    def find(self, direction: Direction | None, index: int) -> Message:
        wanted = layout.RESPONSE if direction == "response" else 0
        before = bisect_left(range(self._count), index + 1, key=lambda at: self._numbered(at, wanted))
        if index >= 0 and before < self._count:
            row = self._row(before)
            if row.flags & layout.RESPONSE == wanted and row.index == index:
                return self._message(row)
        raise IndexError(f"call {self._number} has no {direction or 'message'} {index}")

    def _numbered(self, at: int, wanted: int) -> int:
        """How many messages of a direction there are up to the one at `at`."""
        row = self._row(at)
        return row.index + 1 if row.flags & layout.RESPONSE == wanted else at - row.index

    def _row(self, at: int) -> MessageRow:
        start = at * layout.MESSAGE_SIZE
        if self._place < 0:
            return read_row(self._rows[start : start + layout.MESSAGE_SIZE])
        return read_row(self._store.spool.read(self._place + start, layout.MESSAGE_SIZE))

    def _message(self, row: MessageRow) -> Message:
        return self._records.message(self._number, self._method, row)


def _row_of(store: Store, number: int) -> int:
    row = store.row_of(number)
    if row < 0:
        raise IndexError(f"there is no call {number}")
    return row


def _row(store: Store, row: int) -> bytes:
    if not 0 <= row < store.count:
        raise IndexError(f"there is no row {row}")
    return store.rows(row, 1)


def _column(store: Store, column: _Column, first: int, last: int | None) -> array[int]:
    found = array("q")
    word, shift, mask, none, elsewhere = column
    last = store.count if last is None else min(last, store.count)
    for start in range(first, last, layout.CHUNK_ROWS):
        words = array("q")
        words.frombytes(store.rows(start, min(layout.CHUNK_ROWS, last - start)))
        if sys.byteorder == "big":
            words.byteswap()
        values = words[word :: layout.CALL_WORDS]
        if shift or mask != -1:
            values = array("q", [value >> shift & mask for value in values])
        if none is not None:
            special = {none: layout.NONE, elsewhere: layout.ELSEWHERE}
            values = array("q", [special.get(value, value) for value in values])
        found += values
    return found


def _open_file(path: str) -> BinaryIO | None:
    """A regular file, to be read at any place."""
    try:
        if path != "-" and stat.S_ISREG(os.stat(path).st_mode):
            return open(path, "rb", buffering=0)
    except OSError:
        pass  # told when the input is opened
    return None
