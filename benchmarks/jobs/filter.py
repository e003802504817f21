"""Filters over the calls of a capture of 1,000,000, and their order by a column: in this process, as the TUI does it.

How long the interpreter's lock is held meanwhile is what a thread beside it sees: one that sleeps for a millisecond,
again and again, and notes how late it wakes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import inputs
from report import Figure, seconds

import inspector
from inspector.index.capture_index import CaptureIndex
from inspector.session import Session
from inspector.views.call_order import CallOrder
from inspector.views.where import Where
from jobs.effort import Effort
from jobs.index import CALLS, LABELS

FAST = (
    ("status.code != 0 && duration > 0.05", 1.0),
    ('method.endsWith("Predict") && response_bytes > 100', 1.0),
    ('started >= "2026" && !(requests in [0, 2]) || problems.size() > 0', 1.0),
)
"""Expressions over what the index has columns of, and the most seconds that each may take."""

SLOW = ('client.startsWith("10.") && duration > 0.0', "response.labels.exists(l, l.score > 2.0)", "nowhere to be found")
"""Of these, calls or messages are read."""

SLOW_ROWS = 20_000


def measure(effort: Effort) -> Iterator[Figure]:
    """Fast filters, slow ones by the second, then sorting."""
    capture = inputs.capture(round(CALLS * effort.scale), labels=LABELS)
    with inspector.open(capture, schema=inspector.Schema.from_source("protos")) as session, session.index() as index:
        index.build()
        count = len(index)
        for expression, most in FAST:
            yield _filtered(index, session, expression, most * count / CALLS)
        for text in SLOW:
            yield _by_call(index, session, text)
        yield from _sorted(index)


def _filtered(index: CaptureIndex, session: Session, expression: str, most: float) -> Figure:
    taken, late, found = _timed(lambda: _found(index, session, expression, len(index)))
    job = f"filter: {expression}"
    return Figure(job, "", f"{found:,} found, lock held {late * 1000:.0f} ms", "", taken, most, " s", at_most=True)


def _by_call(index: CaptureIndex, session: Session, text: str) -> Figure:
    rows = min(SLOW_ROWS, len(index))
    taken, _, _ = _timed(lambda: _found(index, session, text, rows))
    return Figure(f"filter: {text}", "", seconds(taken), "", rows / taken, None, " calls/s")


def _found(index: CaptureIndex, session: Session, expression: str, rows: int) -> int:
    return sum(len(found) for found, _ in Where(expression).find(index, session, 0, rows))


def _sorted(index: CaptureIndex) -> Iterator[Figure]:
    order = CallOrder(index)
    order.arrange()
    for column in ("duration", "status"):
        order.sort(column, descending=True)
        taken, late, _ = _timed(order.arrange)
        yield Figure(f"sort by {column}", "", f"lock held {late * 1000:.0f} ms", "", taken, None, " s")


def _timed(work: Callable[[], int | None]) -> tuple[float, float, int]:
    """Seconds that it took, the longest that another thread had to wait, and what came of it."""
    with _watched() as late:
        start = time.perf_counter()
        found = work()
        taken = time.perf_counter() - start
    return taken, max(late, default=0.0), found or 0


@contextmanager
def _watched() -> Iterator[list[float]]:
    late: list[float] = []
    is_over = threading.Event()

    def watch() -> None:
        while True:
            start = time.perf_counter()
            if is_over.wait(0.001):
                return
            late.append(time.perf_counter() - start - 0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield late
    finally:
        is_over.set()
        watcher.join()
