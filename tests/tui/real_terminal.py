"""The program in a terminal of its own (a pty), as a shell starts it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60
"""Seconds after which what does not come will not."""

ENTERS, LEAVES = b"\x1b[?1049h", b"\x1b[?1049l"
"""The alternate screen."""


class RealTerminal:
    """A process, and what it wrote so far."""

    def __init__(
        self, *arguments: str, program: tuple[str, ...] = ("-m", "inspector"), columns: int = 80, lines: int = 24,
        **variables: str,
    ) -> None:  # fmt: skip
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.settings = termios.tcgetattr(theirs)
        self._theirs = theirs
        # A session of its own with the pty as its terminal: only then do Ctrl-C and Ctrl-Z arrive.
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": "", "XDG_CONFIG_HOME": "/nowhere",
                 **variables},
        )  # fmt: skip
        self.output = b""
        self._at = 0

    def __enter__(self) -> RealTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._theirs)
        if self._ours >= 0:
            os.close(self._ours)

    def wait_for(self, text: bytes) -> None:
        """Reads until a text comes that did not come before the last one waited for."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.output.find(text, self._at)) < 0:
            ready, _, _ = select.select([self._ours], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{text!r} did not come, but {self.output[self._at :]!r}"
            self.output += os.read(self._ours, 65536)
        self._at = found + len(text)

    def send(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def hang_up(self) -> int:
        """Closes the terminal, as closing its window does; the exit code of the process."""
        os.close(self._ours)
        self._ours = -1
        return self.process.wait(PATIENCE)

    def end(self) -> int:
        """Reads what comes until the process ends; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self._ours], [], [], 0.05)[0]:
                self.output += os.read(self._ours, 65536)
        while select.select([self._ours], [], [], 0)[0]:
            self.output += os.read(self._ours, 65536)
        return self.process.wait(timeout=1)

    def is_as_before(self) -> bool:
        """Whether the terminal is set as it was when the program began."""
        return termios.tcgetattr(self._theirs) == self.settings
