"""How long things take and how much memory, ours and the peer's by turns, so that what else runs hits both alike.

Whole processes are measured by the clock on the wall, start to end, their output written to nowhere. Functions are
measured by the time of the processor, which does not count while others have it, in loops of at least LOOP_SECONDS
(that clock may tick as slowly as each millisecond); the garbage collector runs as it always does.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import NamedTuple

LOOP_SECONDS = 0.02
ENOUGH = 30.0
"""Seconds spent on one row of whole processes, after which no further turn is begun."""

LAUNCH = str(Path(__file__).with_name("launch.py"))


class Command(NamedTuple):
    """A program with its arguments, and the file that it reads as standard input."""

    words: Sequence[str]
    stdin: Path | None = None


class Failed(Exception):
    """A command that is measured ended with an error."""


class Run(NamedTuple):
    """What a process took. The peak memory is that of the largest process, in bytes."""

    seconds: float
    processor_seconds: float
    peak_memory: int


class Times(NamedTuple):
    """Medians, in seconds."""

    ours: float
    peer: float

    @property
    def ratio(self) -> float:
        """How many times as fast we are."""
        return self.peer / self.ours


def run(command: Command) -> Run:
    """One run of a command. Raises Failed with the end of what it wrote to standard error."""
    launched = [sys.executable, "-I", "-S", LAUNCH, *command.words]
    with open(command.stdin or os.devnull, "rb") as stdin:
        ended = subprocess.run(launched, stdin=stdin, capture_output=True, text=True)
    if ended.returncode:
        raise Failed(f"{' '.join(command.words)}: exit code {ended.returncode}: {ended.stderr[-500:].strip()}")
    seconds, processor_seconds, kibibytes = ended.stdout.split()
    return Run(float(seconds), float(processor_seconds), int(kibibytes) * 1024)


def processes(ours: Command, peer: Command, runs: int, peer_runs: int) -> Times:
    """Medians of both, by turns, after a run of each that does not count: what is kept for later runs (byte code,
    caches, pages of files) is there for both. A slow peer may run fewer times, on the first turns, and without the
    run before. No turn begins after ENOUGH."""
    for command in (ours, peer) if peer_runs == runs else (ours,):
        run(command)
    mine: list[float] = []
    theirs: list[float] = []
    for turn in range(runs):
        if sum(mine) + sum(theirs) > ENOUGH:
            break
        mine.append(run(ours).seconds)
        if turn < peer_runs:
            theirs.append(run(peer).seconds)
    return Times(median(mine), median(theirs))


def functions(ours: Callable[[], object], peer: Callable[[], object], samples: int) -> Times:
    """Medians of both for one call, by turns."""
    my_loops, their_loops = _loops(ours), _loops(peer)
    mine, theirs = [], []
    for _ in range(samples):
        mine.append(_timed(ours, my_loops))
        theirs.append(_timed(peer, their_loops))
    return Times(median(mine), median(theirs))


def in_new_memory(body: Callable[[], object], samples: int) -> float:
    """Median of one call, in seconds of the processor, each in a process that was forked for it."""
    return median(_in_fork(body) for _ in range(samples))


def within(path: Path, body: Callable[[bytes], object], most_seconds: int, most_memory: int) -> float | None:
    """Seconds on the wall of one call with the content of a file, in a process of its own that has read it before; None
    where that needs more seconds of the processor, or more bytes of memory.

    (Memory that a process has from the one that it was forked from takes a microsecond or two for each page at the
    first look, which nobody waits for who has read a file.)"""
    reader, writer = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_bounded, args=(path, body, most_seconds, most_memory, writer))
    child.start()
    writer.close()
    try:
        taken: float | None = reader.recv()
    except EOFError:
        taken = None
    child.join()
    return taken


def _in_fork(body: Callable[[], object]) -> float:
    reader, writer = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=lambda: writer.send(_timed(body, 1)))
    child.start()
    writer.close()
    taken: float = reader.recv()
    child.join()
    return taken


_FORK = multiprocessing.get_context("fork")


def _bounded(
    path: Path, body: Callable[[bytes], object], most_seconds: int, most_memory: int, result: Connection
) -> None:
    data = path.read_bytes()
    resource.setrlimit(resource.RLIMIT_CPU, (most_seconds, most_seconds + 1))  # then a signal ends the process
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + most_memory,) * 2)
    with suppress(MemoryError):
        start = time.perf_counter()
        body(data)
        result.send(time.perf_counter() - start)


def _loops(body: Callable[[], object]) -> int:
    if _timed(body, 1) > 1:
        return 1
    once = _timed(body, 1)  # what is built on first use, such as tables of a type, counts for neither
    return max(1, round(LOOP_SECONDS / once))


def _timed(body: Callable[[], object], loops: int) -> float:
    start = time.process_time_ns()
    for _ in range(loops):
        body()
    return (time.process_time_ns() - start) / loops / 1e9
