"""Captures of many calls: against tshark, and by themselves in memory and on two cores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import inputs
import measure
import paths
import peers
import traffic
from measure import Command
from report import Figure, seconds

from jobs.effort import Effort
from jobs.pairs import compared

METHOD_AND_STATUS = ("-e", "http2.headers.path", "-e", "http2.header.name", "-e", "http2.header.value")
"""The status of a gRPC call is a header field like any other to tshark."""

LABELS_OF_8_KB = 255
GIGABYTE = 1_000_000_000
BYTES_A_CALL = 8_900


def decode(capture: Path, *options: str) -> Command:
    """Every message as JSON."""
    return Command([*peers.INSPECTOR, "decode", str(capture), "-s", str(paths.SCHEMA), *options])


def calls(capture: Path) -> Command:
    """The record of every call, piped: one line of JSON each."""
    return Command([*peers.INSPECTOR, "calls", str(capture)])


def against_tshark(effort: Effort) -> Iterator[Figure]:
    """`decode` and `calls` on captures as gRPC core sends, and with all header fields in the dynamic table."""
    for kind, count in ((traffic.GRPC_CORE, effort.calls), (traffic.INDEXED, effort.calls)):
        capture = inputs.capture(count, kind=kind)
        size = f"{count:,} calls, {kind}, {capture.stat().st_size / 1e6:.0f} MB"
        tshark = [*peers.TSHARK, "-r", str(capture), *peers.TSHARK_PORT]
        fields = Command([*tshark, "-T", "fields", *METHOD_AND_STATUS])
        yield compared(
            f"decode: {size}", "tshark -T ek", decode(capture), Command([*tshark, "-T", "ek"]), 50, effort, 1
        )
        yield compared(f"calls: {size}", "tshark -T fields", calls(capture), fields, 25, effort, 2)


def large(effort: Effort) -> Iterator[Figure]:
    """Peak memory of `decode`, and what a second process brings."""
    number = round(GIGABYTE * effort.scale / BYTES_A_CALL)
    quarter, whole = (inputs.capture(count, labels=LABELS_OF_8_KB) for count in (number // 4, number))
    runs = [measure.run(decode(path)) for path in (quarter, whole)]
    for path, run in zip((quarter, whole), runs, strict=True):
        job = f"peak memory of decode, {path.stat().st_size / 1e6:,.0f} MB"
        yield Figure(job, "", seconds(run.seconds), "", run.peak_memory / 1e6, 150, " MB", at_most=True)
    growth = runs[1].peak_memory / runs[0].peak_memory
    yield Figure("peak memory of four times the capture", "a quarter of it", "", "", growth, 1.1, "×", at_most=True)
    yield _two_processes(whole, effort)


def _two_processes(capture: Path, effort: Effort) -> Figure:
    job = "decode --jobs 2"
    turns = min(3, effort.runs)
    taken: dict[str, list[float]] = {"1": [], "2": []}
    for _ in range(turns):
        for jobs, seconds_taken in taken.items():
            run = measure.run(decode(capture, "--jobs", jobs))
            seconds_taken.append(run.seconds)
    one, two = median(taken["1"]), median(taken["2"])
    return Figure(job, "--jobs 1", seconds(two), seconds(one), one / two, 1.6, "×")
