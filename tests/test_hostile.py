"""What is made to cost time costs little, whichever way it is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import hostile

ENOUGH = 300
"""Seconds: many times what it takes, and far less than it would where time grew with the square of the input."""


def test_hostile_input_is_read_in_bounded_time_and_never_raises_what_is_not_ours():
    script = Path(hostile.__file__)
    found = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=ENOUGH, cwd=script.parents[1]
    )
    assert found.stderr == ""
    assert len(found.stdout.splitlines()) == len(hostile.WIRE) + len(hostile.JSON)
