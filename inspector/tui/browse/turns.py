"""Whose turn it is: keys go first. Threads that work beside the screen share the interpreter's lock with it, so they
rest while a key is being answered."""

from __future__ import annotations

import sys
import time

SWITCH = 0.0005
"""Seconds after which a thread that works hands the interpreter's lock over, if it is asked to. A key goes through
three threads, and waits for the lock at each turn of the event loop; Python's own 5 ms would be seen."""

QUIET = 0.025
"""Seconds after a key in which others rest: in that time most keys are answered. A key that is held comes some 30 times
a second, so work goes on between."""

BUSY = 0.3
"""Seconds after a key in which the next one may come any moment."""

REST = 0.002
"""Seconds of rest between two steps of work then: no key waits for more than a step."""


class Turns:
    """One for a screen. Any thread may use it."""

    def __init__(self) -> None:
        sys.setswitchinterval(SWITCH)
        self._last_key = -BUSY

    def key_pressed(self) -> None:
        """The user did something."""
        self._last_key = time.monotonic()

    @property
    def is_busy(self) -> bool:
        """Whether the user is pressing keys."""
        return time.monotonic() - self._last_key < BUSY

    def give_way(self) -> None:
        """Rests where that is due. To be called between steps of a few milliseconds, by another thread than that of
        the screen."""
        since = time.monotonic() - self._last_key
        if since < BUSY:
            time.sleep(max(REST, QUIET - since))
