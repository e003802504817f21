"""The index of a capture of 1,000,000 calls: how soon it is built, a message read, the file opened again.

Times are those of the clock on the wall, in this process: reading the file is part of the work. The peak memory is that
of a process that does nothing but build it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from unittest.mock import patch

import inputs
import measure as measuring
import paths
from measure import Command
from report import Figure, seconds

import inspector
from inspector.index.capture_index import CaptureIndex
from jobs.effort import Effort

CALLS = 1_000_000
LABELS = 3
"""Of a response, which so has some 150 bytes."""

MESSAGES = 1_000
"""Read at random."""


def measure(effort: Effort) -> Iterator[Figure]:
    """Speed and size of the index, then messages at random, then the same file opened anew."""
    capture = inputs.capture(round(CALLS * effort.scale), labels=LABELS)
    empty = tempfile.TemporaryDirectory(dir=paths.DATA)
    with empty as cache, patch.dict(os.environ, {"INSPECTOR_CACHE": cache}):
        yield from _built(capture, Path(cache))
        yield _opened_again(capture)
    yield _peak_memory(capture)


def _built(capture: Path, cache: Path) -> Iterator[Figure]:
    start = time.perf_counter()
    with inspector.open(capture).index() as index:
        index.advance()
        index.call_at(0)
        first = time.perf_counter() - start
        index.build()
        taken = time.perf_counter() - start
        size = f"{len(index):,} calls, {capture.stat().st_size / 1e6:,.0f} MB"
        yield Figure(f"built: {size}", "", seconds(taken), "", len(index) / taken, 100_000, " calls/s")
        yield Figure("first calls are there", "", "", "", first * 1000, None, " ms")
        yield Figure("memory of a call", "", "", "", index.memory / len(index), 200, " bytes", at_most=True)
        kept = sum(file.stat().st_size for file in cache.rglob("*") if file.is_file())
        yield Figure("of a call in the cache folder", "", "", "", kept / len(index), 200, " bytes", at_most=True)
        source = Random(1)
        times = [_read(index, source.randrange(len(index)) + 1) for _ in range(MESSAGES)]
    job = f"a message at random, slowest of {MESSAGES:,}"
    yield Figure(job, "", f"median {seconds(median(times))}", "", max(times) * 1000, 1, " ms", at_most=True)


def _read(index: CaptureIndex, number: int) -> float:
    start = time.perf_counter()
    message = index.message(number, "response", 0)
    taken = time.perf_counter() - start
    if not message.data:
        raise SystemExit(f"the index lost the response of call {number}")
    return taken


def _opened_again(capture: Path) -> Figure:
    start = time.perf_counter()
    with inspector.open(capture).index() as index:
        index.call(1)
        index.message(len(index), "response", 0)
        taken = time.perf_counter() - start
        if not index.complete:
            raise SystemExit("the index was not kept")
    return Figure("opened again: a call and a message", "", seconds(taken), "", taken, 0.3, " s", at_most=True)


def _peak_memory(capture: Path) -> Figure:
    build = "import sys, inspector; inspector.open(sys.argv[1]).index(keep=False).build()"
    run = measuring.run(Command([sys.executable, "-c", build, str(capture)]))
    return Figure("peak memory while it is built", "", "", "", run.peak_memory / 1e6, None, " MB")
