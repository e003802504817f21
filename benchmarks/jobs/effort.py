"""How much is done for a figure."""

from __future__ import annotations

from typing import NamedTuple


class Effort(NamedTuple):
    """Runs and sizes; QUICK is for trying the benchmarks themselves."""

    samples: int
    """Of a function."""

    runs: int
    """Of a process."""

    calls: int
    """In the capture that tshark reads too."""

    scale: float
    """Of the other inputs."""


FULL = Effort(samples=9, runs=5, calls=100_000, scale=1)
QUICK = Effort(samples=3, runs=2, calls=2_000, scale=0.02)
