"""Measures whole processes on a capture of 20,000 calls, ours and tshark's alternately, and prints medians and ratios.

    python benchmarks/captures.py [--calls N] [--runs N] [--write]

`--write` puts the table into docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from traffic import ROOT, SCHEMA, write_capture

DATA = ROOT / "benchmarks" / "data"
REPORT = ROOT / "docs" / "performance.md"
INSPECTOR = Path(sys.executable).with_name("inspector")
MARK = "<!-- figures -->"


class Job(NamedTuple):
    """A job, how we do it, how the peer does, and how many times as fast we have to be."""

    name: str
    ours: list[str]
    peer: list[str]
    wanted: float


def jobs(capture: Path) -> list[Job]:
    # The port has to be told: tshark does not look for HTTP/2 on ports that it does not know. The status of a gRPC
    # call is a header field like any other to it.
    tshark = ["tshark", "-r", str(capture), "-d", "tcp.port==50051,http2"]
    method_and_status = ["-e", "http2.headers.path", "-e", "http2.header.name", "-e", "http2.header.value"]
    return [
        Job("calls: method, status", [str(INSPECTOR), "calls", str(capture)],
            [*tshark, "-T", "fields", *method_and_status], 8),
        Job("decode: all messages to JSON", [str(INSPECTOR), "decode", str(capture), "-s", str(SCHEMA)],
            [*tshark, "-T", "ek"], 1),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if not shutil.which("tshark"):
        raise SystemExit("tshark is missing: install the package tshark")
    DATA.mkdir(exist_ok=True)
    capture = DATA / f"calls-{options.calls}.pcapng"
    write_capture(capture, options.calls)
    size = capture.stat().st_size / 1e6
    lines = [
        f"{options.calls:,} unary calls, {size:.0f} MB of pcapng; {options.runs} runs each, alternately; medians.",
        "",
        "| job | inspector | tshark | ratio | aim |",
        "| --- | --: | --: | --: | --: |",
        *(_row(job, options.runs) for job in jobs(capture)),
        "",
        f"{_machine()}; {_version([str(INSPECTOR), '--version'])}; {_version(['tshark', '--version'])}.",
    ]
    print("\n".join(lines))
    if options.write:
        text = REPORT.read_text(encoding="utf-8")
        before, _, after = text.split(MARK)
        REPORT.write_text("\n".join([before + MARK, *lines, MARK + after]), encoding="utf-8")


def _row(job: Job, runs: int) -> str:
    ours, peer = [], []
    for _ in range(runs):
        ours.append(_seconds(job.ours))
        peer.append(_seconds(job.peer))
    mine, theirs = statistics.median(ours), statistics.median(peer)
    return f"| {job.name} | {mine:.2f} s | {theirs:.2f} s | {theirs / mine:.1f} | {job.wanted:g} |"


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def _version(command: list[str]) -> str:
    return (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip().rstrip(".")
    )


def _machine() -> str:
    return f"{os.cpu_count()} CPUs, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
