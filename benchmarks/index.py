"""Measures the index of a capture of many small calls: building, calls and messages at random, opening it again.

python benchmarks/index.py [--calls N]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from traffic import ROOT, write_capture

DATA = ROOT / "benchmarks" / "data"
ASKED = 1_000

_BUILD = """
import resource, sys, time
start = time.perf_counter()
import inspector
index = inspector.open(sys.argv[1]).index()
index.advance()
index.call_at(0)
first = time.perf_counter() - start
index.build()
taken = time.perf_counter() - start
print(len(index), first, taken, index.memory, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
_REOPEN = """
import sys, time
start = time.perf_counter()
import inspector
index = inspector.open(sys.argv[1]).index()
assert index.complete
calls = [index.call_at(row) for row in range(50)]
message = index.messages_of(calls[-1].number)[0]
print(time.perf_counter() - start)
"""


class Figures(NamedTuple):
    """Times in seconds of whole processes without the start of the interpreter, but for those of questions."""

    calls: int
    first: float  # until the first calls are there
    build: float
    memory_per_call: float
    kept_per_call: float
    peak_memory: int
    reopen: float  # with the first 50 calls and a message
    message_median: float
    message_most: float
    call_median: float
    call_most: float
    column: float

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.build


def measure(capture: Path, runs: int = 3) -> Figures:
    """Builds the index of a capture in a cache folder of its own; medians."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "INSPECTOR_CACHE": folder, "PYTHONPATH": str(ROOT)}
        built = []
        for _ in range(runs):
            for kept in Path(folder).glob("index/*"):
                kept.unlink()
            built.append(_run(_BUILD, capture, environment))
        calls, first, build, memory, peak = (statistics.median(each) for each in zip(*built, strict=True))
        sizes = [kept.stat().st_size for kept in Path(folder).glob("index/*")]
        reopen = statistics.median(_run(_REOPEN, capture, environment)[0] for _ in range(runs)) if sizes else 0.0
        answers = _ask(capture, folder)
    return Figures(int(calls), first, build, memory / calls, sum(sizes) / calls, int(peak), reopen, *answers)


def _run(program: str, capture: Path, environment: dict[str, str]) -> list[float]:
    command = [sys.executable, "-c", program, str(capture)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def _ask(capture: Path, folder: str) -> tuple[float, float, float, float, float]:
    import inspector  # noqa: PLC0415  # after the cache folder is set

    os.environ["INSPECTOR_CACHE"] = folder
    source = random.Random(1)
    with inspector.open(capture).index().build() as index:
        numbers = [source.randrange(1, len(index) + 1) for _ in range(ASKED)]
        messages = [_seconds(lambda number=number: index.message(number, "response", 0)) for number in numbers]
        calls = [_seconds(lambda number=number: index.call(number)) for number in numbers]
        column = _seconds(lambda: index.column("status"))
    return statistics.median(messages), max(messages), statistics.median(calls), max(calls), column


def _seconds(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def lines(found: Figures) -> list[str]:
    """The figures for people."""
    return [
        f"index of {found.calls:,} calls: {found.rate:,.0f} calls/s, the first after {found.first:.2f} s",
        f"{found.memory_per_call:.0f} bytes a call in memory, {found.kept_per_call:.0f} kept; "
        f"peak {found.peak_memory / 1e6:.0f} MB",
        f"opened again, with 50 calls and a message: {found.reopen:.3f} s",
        f"any message: median {found.message_median * 1e6:.0f} µs, at most {found.message_most * 1e6:.0f} µs",
        f"any call: median {found.call_median * 1e6:.0f} µs, at most {found.call_most * 1e6:.0f} µs",
        f"a column of all calls: {found.column:.3f} s",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    options = parser.parse_args()
    DATA.mkdir(exist_ok=True)
    capture = DATA / f"calls-{options.calls}.pcapng"
    if not capture.exists():
        write_capture(capture, options.calls)
    print("\n".join(lines(measure(capture))))


if __name__ == "__main__":
    main()
