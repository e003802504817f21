"""Work spread over processes, results in the order of the work.

Processes rather than threads, as most of the work holds the interpreter's lock. They are forks: they have what the
work needs without being told. The caller works too, where all others have enough to do, so that nobody waits for
anybody as long as there is work. What goes between processes is `marshal`'s plain values: they are of one program.
"""

from __future__ import annotations

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

LARGEST_AHEAD = 256 * 1024
"""Bytes of a piece of work that is sent ahead, while its process is still busy. Two of them fit into a pipe, so neither
side waits for the other to read; larger ones are sent to a process that has nothing else to do."""

PIPE_SIZE = 1 << 20
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
            self._workers.append(_Worker(work, self._workers))

    def __enter__(self) -> OrderedWork:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self._workers:
            worker.close()
        self._workers = []

    def feed(self, value: Any) -> Iterator[Any]:
        """The results that are there, in the order of what was fed, when `value` is under way. Raises what `work`
        raises here, and InspectorError where another process failed."""
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
        self._results.append(_Ticket(None, self._work(value)))


class _Ticket:
    """A result that is there, or comes from a worker."""

    def __init__(self, worker: _Worker | None, value: Any = None) -> None:
        self.worker = worker
        self.value = value

    def is_there(self) -> bool:
        return self.worker is None

    def result(self) -> Any:
        while self.worker is not None:
            self.worker.collect(wait=True)
        return self.value


class _Worker:
    """Another process, seen from this one: tickets of what it was given, oldest first."""

    def __init__(self, work: Work, others: list[_Worker]) -> None:
        work_end, to_worker = os.pipe()
        from_worker, result_end = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            for descriptor in (to_worker, from_worker):
                os.close(descriptor)
            for other in others:  # their ends would keep them from seeing that this process is gone
                other.let_go()
            _serve(work, work_end, result_end)
        os.close(work_end)
        os.close(result_end)
        for descriptor in (to_worker, from_worker):
            _widen(descriptor)
        self._to = os.fdopen(to_worker, "wb", buffering=0)
        self._from = os.fdopen(from_worker, "rb", buffering=0)
        self.tickets: deque[_Ticket] = deque()

    def takes(self, size: int) -> bool:
        return not self.tickets or (len(self.tickets) < MOST_AHEAD and size <= LARGEST_AHEAD)

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
            is_good, value = _read(self._from) or (False, None)
            if not is_good:
                raise InspectorError(value) if value else _gone()
            ticket = self.tickets.popleft()
            ticket.worker, ticket.value = None, value
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
                try:
                    answer = True, work(value)
                except InspectorError as error:
                    answer = False, str(error)
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


def _widen(descriptor: int) -> None:
    """Makes room in a pipe, where the system allows it."""
    if sys.platform != "linux":
        return
    import fcntl  # noqa: PLC0415  # not on every system

    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    except OSError:
        return
