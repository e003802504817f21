"""The Escape key, which terminals send as the first byte of other keys too."""

from __future__ import annotations

import os

from textual import constants

DELAY = 0.05
"""Seconds without more bytes after which it is Escape. The toolkit's 0.1 are seen where Escape stops something; keys come
in one piece, also over a network."""


def answer_soon() -> None:
    """Waits no longer for the rest of a key, unless the user said how long (ESCDELAY, in milliseconds)."""
    if "ESCDELAY" not in os.environ:
        constants.ESCAPE_DELAY = DELAY  # type: ignore[misc]  # Textual reads it for each key
