"""Reading that waits, so that what is seen meanwhile can be looked at."""

from __future__ import annotations

import threading

from inspector.index.capture_index import CaptureIndex

WAITS_AT = 400_000
"""Bytes: two fifths of `large.pcapng`."""


def hold_reading(monkeypatch) -> threading.Event:
    """Reading goes on in small steps, and waits behind WAITS_AT until the event is set."""
    opened, advance = threading.Event(), CaptureIndex.advance

    def step(index: CaptureIndex, budget: int = 0) -> bool:
        if index.bytes_read > WAITS_AT:
            opened.wait(20)
        return advance(index, 1)

    monkeypatch.setattr(CaptureIndex, "advance", step)
    return opened
