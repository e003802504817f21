"""Work spread over processes, results in the order of the work.

Processes rather than threads, as most of the work holds the interpreter's lock. They are forks: they have what the
work needs without being told. The caller works too, where all others have enough to do, so that nobody waits for
anybody as long as there is work.

What goes between processes stands in memory that both have, so that it is copied once; pipes tell that it is there. (A
pipe alone copies it twice, page by page.) It is `marshal`'s plain values, as they are of one program, and a text that
the caller can read where it stands.
"""

from __future__ import annotations

import itertools
import marshal
import mmap
import os
import select
import struct
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

from inspector.errors import InspectorError

Text = bytes | bytearray | memoryview
Work = Callable[[Any], tuple[Text, Any]]
"""Makes a text, and a plain value (of numbers, text, bytes, tuples, lists, None)."""

Packing = Callable[[Any], Any]
"""Makes a plain value of what is to be worked on, which the work takes as well."""

MOST_AHEAD = 4
"""Pieces of work that a process has at a time: one that it does, and the next ones, while the caller has its own."""

MOST_WAITING = 8
"""Results held, for each process, because one before them is not there yet."""

WORK_ROOM = 1 << 20
RESULT_ROOM = 1 << 22
"""Shared memory for each piece of work and its result. Memory is only taken where something was written. What is larger
goes through the pipe, to a process that has nothing else to do: so neither side waits for the other to read."""

_FORMAT = 2
"""Of `marshal`: the last one that does not look for values that are the same, which takes longer than to write them."""

_HEAD = struct.Struct("=?QQ")
"""What comes through a pipe: whether the rest stands in shared memory, and the sizes of text and value."""


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_possible() -> bool:
    """Whether this system can fork, and does it well."""
    return hasattr(os, "fork") and sys.platform != "darwin"


class OrderedWork:
    """Does `work` in this process and in `jobs - 1` others. To be closed, also after an error.

    Results are a text and a value. The text is to be used before anything else is asked for here.
    """

    def __init__(self, work: Work, jobs: int, packing: Packing) -> None:
        self._work = work
        self._packing = packing
        self._workers: list[_Worker] = []
        self._results: deque[_Ticket] = deque()
        self._most_waiting = MOST_WAITING * jobs
        _keep_freed_memory()
        for _ in range(jobs - 1):
            try:
                self._workers.append(_Worker(work, self._workers))
            except OSError:  # the system has no more processes, files or memory to give: fewer do it too
                break

    def __enter__(self) -> OrderedWork:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self._workers:
            worker.close()
        self._workers = []

    def feed(self, value: Any) -> Iterator[tuple[Text, Any]]:
        """Puts `value` to work, and yields results that are there, in the order of what was fed. Raises an
        InspectorError of `work` in the place of its result, wherever it was done, and one where another process has
        ended."""
        for worker in self._workers:
            worker.collect(wait=False)
        while self._results and self._results[0].is_there():  # before their room is needed for more
            yield self._results.popleft().result()
        self._give(value)
        while len(self._results) > self._most_waiting:
            yield self._results.popleft().result()

    def rest(self) -> Iterator[tuple[Text, Any]]:
        """All results that are still to come."""
        while self._results:
            yield self._results.popleft().result()

    def _give(self, value: Any) -> None:
        worker = min(self._workers, key=_load, default=None)
        if worker is not None and worker.has_room():
            data = marshal.dumps(self._packing(value), _FORMAT)
            if worker.takes(len(data)):
                self._results.append(worker.give(data))
                return
        ticket = _Ticket(None)
        try:
            ticket.text, ticket.value = self._work(value)
        except InspectorError as error:
            ticket.error = error
        self._results.append(ticket)


class _Ticket:
    """A result, or an error in its place, that is there or comes from a worker."""

    def __init__(self, worker: _Worker | None) -> None:
        self.worker = worker
        self.text: Text = b""
        self.value: Any = None
        self.error: InspectorError | None = None

    def is_there(self) -> bool:
        return self.worker is None

    def result(self) -> tuple[Text, Any]:
        while self.worker is not None:
            self.worker.collect(wait=True)
        if self.error is not None:
            raise self.error
        text, self.text = self.text, b""
        return text, self.value

    def keep(self) -> None:
        """Its room is given to other work: a text that is still to be asked for is copied."""
        self.text = bytes(self.text)


class _Room(NamedTuple):
    """Memory that two processes have: for a piece of work and for its result."""

    work: memoryview
    result: memoryview


class _Worker:
    """Another process, seen from this one: tickets of what it was given, oldest first."""

    def __init__(self, work: Work, others: list[_Worker]) -> None:
        rooms = _rooms()
        work_end, to_worker, from_worker, result_end = ends = _pipes()
        try:
            self._process = os.fork()
        except OSError:
            for descriptor in ends:
                os.close(descriptor)
            raise
        if self._process == 0:
            for descriptor in (to_worker, from_worker):
                os.close(descriptor)
            for other in others:  # their ends would keep them from seeing that this process is gone
                other.let_go()
            _serve(work, work_end, result_end, rooms)
        os.close(work_end)
        os.close(result_end)
        self._to, self._from = to_worker, from_worker
        self._rooms = rooms  # by turns
        self._last = [_Ticket(None) for _ in rooms]  # who had each of them last
        self._given = 0
        self.tickets: deque[_Ticket] = deque()

    def has_room(self) -> bool:
        return len(self.tickets) < MOST_AHEAD

    def takes(self, size: int) -> bool:
        return not self.tickets or (self.has_room() and size <= WORK_ROOM)

    def give(self, data: bytes) -> _Ticket:
        number = self._given % MOST_AHEAD
        self._last[number].keep()
        ticket = self._last[number] = _Ticket(self)
        try:
            _send(self._to, self._rooms[number].work, b"", data)
        except OSError:
            raise _gone() from None
        self._given += 1
        self.tickets.append(ticket)
        return ticket

    def collect(self, *, wait: bool) -> None:
        """Takes the results that are there; where it waits, the next one at least."""
        while self.tickets and (wait or select.select([self._from], [], [], 0)[0]):
            number = (self._given - len(self.tickets)) % MOST_AHEAD
            answer = _receive(self._from, self._rooms[number].result)
            if answer is None:
                raise _gone()
            ticket = self.tickets.popleft()
            ticket.text, (error, ticket.value) = answer
            ticket.error = None if error is None else InspectorError(error)
            ticket.worker = None
            wait = False

    def let_go(self) -> None:
        os.close(self._to)
        os.close(self._from)

    def close(self) -> None:
        """Ends the process: it finds nothing more to do, or nobody who wants its results."""
        self.let_go()
        os.waitpid(self._process, 0)


def _keep_freed_memory() -> None:
    """Results are large and held for a while: glibc would give the memory of each back to the system, and take it anew
    page by page, which took a sixth of all time. It keeps what is smaller than the largest piece that was freed."""
    bytes(RESULT_ROOM)


def _load(worker: _Worker) -> int:
    return len(worker.tickets)


def _gone() -> InspectorError:
    return InspectorError("a worker process has ended", hint="--jobs 1 does without others")


def _serve(work: Work, work_end: int, result_end: int, rooms: list[_Room]) -> NoReturn:
    """What the other process does, until nothing more comes."""
    code = 1
    try:
        for room in itertools.cycle(rooms):
            given = _receive(work_end, room.work)
            if given is None:
                break
            text: Text = b""
            error: str | None = None
            value: Any = None
            try:
                text, value = work(given[1])
            except InspectorError as refused:
                error = str(refused)
            _send(result_end, room.result, text, marshal.dumps((error, value), _FORMAT))
        code = 0
    except (OSError, KeyboardInterrupt):
        pass  # nobody wants the results any more
    finally:
        os._exit(code)  # not through what the parent would do at its end


def _send(descriptor: int, room: memoryview, text: Text, data: bytes) -> None:
    """Text and value, in the room where they fit. Raises OSError where nobody reads."""
    middle, end = len(text), len(text) + len(data)
    fits = end <= len(room)
    head = _HEAD.pack(fits, middle, len(data))
    if fits:
        room[:middle] = text
        room[middle:end] = data
        _write(descriptor, head)
    else:
        for part in (head, text, data):
            _write(descriptor, part)


def _receive(descriptor: int, room: memoryview) -> tuple[memoryview, Any] | None:
    """The next text, where it stands, and value; None where the other side has closed."""
    head = _read(descriptor, _HEAD.size)
    if head is None:
        return None
    fits, middle, length = _HEAD.unpack(head)
    body = room if fits else _read(descriptor, middle + length)
    if body is None:
        return None
    found = memoryview(body)
    return found[:middle], marshal.loads(found[middle : middle + length])


def _write(descriptor: int, data: Text) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read(descriptor: int, count: int) -> bytearray | None:
    data = bytearray(count)
    rest = memoryview(data)
    while rest:
        taken = os.readv(descriptor, [rest])
        if not taken:
            return None
        rest = rest[taken:]
    return data


def _rooms() -> list[_Room]:
    """Raises OSError."""
    shared = memoryview(mmap.mmap(-1, MOST_AHEAD * (WORK_ROOM + RESULT_ROOM)))
    starts = range(0, len(shared), WORK_ROOM + RESULT_ROOM)
    return [
        _Room(shared[start : start + WORK_ROOM], shared[start + WORK_ROOM : start + WORK_ROOM + RESULT_ROOM])
        for start in starts
    ]


def _pipes() -> tuple[int, int, int, int]:
    """Both ends of two pipes. Raises OSError."""
    first = os.pipe()
    try:
        return *first, *os.pipe()
    except OSError:
        for descriptor in first:
            os.close(descriptor)
        raise
