"""The Escape key, which terminals send as the first byte of other keys too."""

from __future__ import annotations

import os
import selectors
import types

from textual import constants
from textual.drivers import linux_driver

DELAY = 0.03
"""Seconds without more bytes after which it is Escape. (Keys come in one piece, also over a network.) The toolkit waits
for 0.1, and looks only each 0.1 s whether they are over."""


class _OftenSelector(selectors.SelectSelector):
    """Comes back in time to see that they are."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(DELAY if timeout is None else min(timeout, DELAY))


def answer_soon() -> None:
    """Waits no longer for the rest of a key, unless the user said how long (ESCDELAY, in milliseconds)."""
    if "ESCDELAY" in os.environ:
        return
    constants.ESCAPE_DELAY = DELAY  # type: ignore[misc]  # Textual reads it for each key
    often = types.ModuleType("selectors")
    often.__dict__.update(selectors.__dict__, SelectSelector=_OftenSelector)
    vars(linux_driver)["selectors"] = often
