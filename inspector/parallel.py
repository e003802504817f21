"""Work spread over processes, results in the order of the work.

Processes rather than threads, as most of the work holds the interpreter's lock. They are forks: they have what the
work needs without being told. The caller works too, where all others have enough to do, so that nobody waits for
anybody as long as there is work. What goes between processes is `marshal`'s plain values: they are of one program.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import struct
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NoReturn

from inspector.errors import InspectorError

Work = Callable[[Any], Any]
"""Makes a plain value (of numbers, text, bytes, tuples, lists, None) of another."""

PIPE_SIZE = 1 << 20
AHEAD = 4
"""Work is sent ahead, while its process is still busy, where it fills no more than this part of the pipe. So neither
side waits for the other to read; what is larger is sent to a process that has nothing else to do."""

MOST_AHEAD = 2
MOST_WAITING = 8
"""Results held, for each process, because one before them is not there yet."""

_SIZE = struct.Struct("=Q")


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_possible() -> bool:
    """Whether this system can fork, and does it well."""
    return hasattr(os, "fork") and sys.platform != "darwin"


class OrderedWork:
    """Does `work` in this process and in `jobs - 1` others. To be closed, also after an error."""

    def __init__(self, work: Work, jobs: int) -> None:
        self._work = work
        self._workers: list[_Worker] = []
        self._results: deque[_Ticket] = deque()
        for _ in range(jobs - 1):
            try:
                self._workers.append(_Worker(work, self._workers))
            except OSError:  # the system has no more processes or files to give: fewer do it too
                break

    def __enter__(self) -> OrderedWork:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self._workers:
            worker.close()
        self._workers = []

    def feed(self, value: Any) -> Iterator[Any]:
        """The results that are there, in the order of what was fed, when `value` is under way. Raises an InspectorError
        of `work` in the place of its result, wherever it was done, and one where another process has ended."""
        self._give(value)
        while self._results and (self._results[0].is_there() or len(self._results) > MOST_WAITING * len(self._workers)):
            yield self._results.popleft().result()

    def rest(self) -> Iterator[Any]:
        """All results that are still to come."""
        while self._results:
            yield self._results.popleft().result()

    def _give(self, value: Any) -> None:
        if self._workers:
            for worker in self._workers:
                worker.collect(wait=False)
            data = marshal.dumps(value)
            worker = min(self._workers, key=_load)
            if worker.takes(len(data)):
                self._results.append(worker.give(data))
                return
        ticket = _Ticket(None)
        try:
            ticket.value = self._work(value)
        except InspectorError as error:
            ticket.error = error
        self._results.append(ticket)


class _Ticket:
    """A result, or an error in its place, that is there or comes from a worker."""

    def __init__(self, worker: _Worker | None) -> None:
        self.worker = worker
        self.value: Any = None
        self.error: InspectorError | None = None

    def is_there(self) -> bool:
        return self.worker is None

    def result(self) -> Any:
        while self.worker is not None:
            self.worker.collect(wait=True)
        if self.error is not None:
            raise self.error
        return self.value


class _Worker:
    """Another process, seen from this one: tickets of what it was given, oldest first."""

    def __init__(self, work: Work, others: list[_Worker]) -> None:
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
            _serve(work, work_end, result_end)
        os.close(work_end)
        os.close(result_end)
        _widen(from_worker)
        self._largest_ahead = _widen(to_worker) // AHEAD
        self._to = os.fdopen(to_worker, "wb", buffering=0)
        self._from = os.fdopen(from_worker, "rb", buffering=0)
        self.tickets: deque[_Ticket] = deque()

    def takes(self, size: int) -> bool:
        return not self.tickets or (len(self.tickets) < MOST_AHEAD and size <= self._largest_ahead)

    def give(self, data: bytes) -> _Ticket:
        try:
            _write(self._to, data)
        except OSError:
            raise _gone() from None
        ticket = _Ticket(self)
        self.tickets.append(ticket)
        return ticket

    def collect(self, *, wait: bool) -> None:
        """Takes the results that are there; where it waits, the next one at least."""
        while self.tickets and (wait or select.select([self._from], [], [], 0)[0]):
            answer = _read(self._from)
            if answer is None:
                raise _gone()
            error, value = answer
            ticket = self.tickets.popleft()
            ticket.worker, ticket.value = None, value
            ticket.error = None if error is None else InspectorError(error)
            wait = False

    def let_go(self) -> None:
        self._to.close()
        self._from.close()

    def close(self) -> None:
        """Ends the process: it finds nothing more to do, or nobody who wants its results."""
        self.let_go()
        os.waitpid(self._process, 0)


def _load(worker: _Worker) -> int:
    return len(worker.tickets)


def _gone() -> InspectorError:
    return InspectorError("a worker process has ended", hint="--jobs 1 does without others")


def _serve(work: Work, work_end: int, result_end: int) -> NoReturn:
    """What the other process does, until nothing more comes."""
    code = 1
    try:
        with os.fdopen(work_end, "rb", buffering=0) as todo, os.fdopen(result_end, "wb", buffering=0) as done:
            while (value := _read(todo)) is not None:
                answer: tuple[str | None, Any]
                try:
                    answer = None, work(value)
                except InspectorError as error:
                    answer = str(error), None
                _write(done, marshal.dumps(answer))
        code = 0
    except (OSError, KeyboardInterrupt):
        pass  # nobody wants the results any more
    finally:
        os._exit(code)  # not through what the parent would do at its end


def _write(stream: BinaryIO, data: bytes) -> None:
    rest = memoryview(_SIZE.pack(len(data)) + data)
    while rest:
        rest = rest[stream.write(rest) :]


def _read(stream: BinaryIO) -> Any:
    """The next value; None where the other side has closed."""
    head = _read_exactly(stream, _SIZE.size)
    if head is None:
        return None
    data = _read_exactly(stream, _SIZE.unpack(head)[0])
    return None if data is None else marshal.loads(data)


def _read_exactly(stream: BinaryIO, count: int) -> bytearray | None:
    data = bytearray(count)
    rest = memoryview(data)
    while rest:
        taken = stream.readinto(rest)  # type: ignore[attr-defined]
        if not taken:
            return None
        rest = rest[taken:]
    return data


def _pipes() -> tuple[int, int, int, int]:
    """Both ends of two pipes. Raises OSError."""
    first = os.pipe()
    try:
        return *first, *os.pipe()
    except OSError:
        for descriptor in first:
            os.close(descriptor)
        raise


def _widen(descriptor: int) -> int:
    """Makes room in a pipe, where the system allows it; how many bytes it holds at least."""
    if sys.platform != "linux":
        return select.PIPE_BUF
    import fcntl  # noqa: PLC0415  # not on every system

    with contextlib.suppress(OSError):  # a user who has many wide pipes gets no more of them
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
