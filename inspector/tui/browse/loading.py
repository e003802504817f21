"""Reading a capture while its first calls are on the screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from inspector.errors import InspectorError
from inspector.index.capture_index import CaptureIndex
from inspector.tui.browse.turns import Turns
from inspector.tui.memory import give_back_large

STEP = 256 * 1024
"""Bytes read at once."""

SMALL_STEP = 64 * 1024
"""The same while the user is pressing keys: less than a millisecond, for which a key may have to wait."""

BETWEEN_REPORTS = 0.1
"""Seconds: the screen is told that often."""

BETWEEN_REPORTS_BUSY = 0.3
"""The same while the user is pressing keys: what is drawn then keeps the next key waiting."""


class Progress(NamedTuple):
    """How far reading came, and of how many bytes where that is known; `error` where it ended for that."""

    calls: int
    bytes_read: int
    is_complete: bool
    bytes_in_all: int | None = None
    error: InspectorError | None = None


def read_to_end(
    index: CaptureIndex, report: Callable[[Progress], object], is_cancelled: Callable[[], bool],
    turns: Turns, lock: threading.Lock,
) -> None:  # fmt: skip
    """Reads the input, in a thread of its own, and reports. `lock` keeps others from rows that reading on undoes."""
    reported = 0.0
    give_back_large()
    try:
        with lock:
            index.advance(1)
        more = True
        while more and not is_cancelled():
            more = index.advance(SMALL_STEP if turns.is_busy else STEP)
            now = time.monotonic()
            if more and now - reported >= (BETWEEN_REPORTS_BUSY if turns.is_busy else BETWEEN_REPORTS):
                reported = now
                report(Progress(len(index), index.bytes_read, False, index.bytes_in_all))
            turns.give_way()
    except InspectorError as error:
        report(Progress(len(index), index.bytes_read, True, error=error))
        return
    report(Progress(len(index), index.bytes_read, not more, index.bytes_in_all))
