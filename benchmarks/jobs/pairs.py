"""A command of ours and one of a peer, as a row."""

from __future__ import annotations

import measure
from measure import Command
from report import Figure, seconds

from jobs.effort import Effort


def compared(
    job: str, against: str, ours: Command, peer: Command, aim: float, effort: Effort, peer_runs: int | None = None
) -> Figure:
    """Times of whole processes. A peer that fails is told as such: then there is nothing to compare."""
    runs = effort.runs if peer_runs is None else min(effort.runs, peer_runs)
    try:
        times = measure.processes(ours, peer, effort.runs, runs)
    except measure.Failed as failure:
        return Figure(job, against, "", "", None, aim, why_not=str(failure).replace("|", "\\|"))
    return Figure(job, against, seconds(times.ours), seconds(times.peer), times.ratio, aim, "×")
