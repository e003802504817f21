"""The command `inspector` as a process of its own, with its output captured or on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"
SCHEMA = SAMPLES / "vision.binpb"

PATIENCE = 60
"""Seconds after which a process counts as hung."""

_COMMAND = (sys.executable, "-m", "inspector")
_OURS = ("INSPECTOR_SCHEMA", "NO_COLOR", "TERM", "COLUMNS", "LINES")


class Result(NamedTuple):
    code: int
    out: bytes
    err: str

    @property
    def rows(self) -> list:
        """The lines of NDJSON."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(**variables: str) -> dict[str, str]:
    """That of this process, without what changes how the command works, and with `variables`."""
    inherited = {name: value for name, value in os.environ.items() if name not in _OURS}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return inherited | {"TERM": "xterm-256color", "PYTHONPATH": path} | variables


def run(*arguments: object, stdin: bytes = b"", cwd: Path | None = None, **variables: str) -> Result:
    """Runs it to its end."""
    done = subprocess.run(
        [*_COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=environment(**variables),
        cwd=cwd,
        timeout=PATIENCE,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr.decode("utf-8"))


def start(*arguments: object, **variables: str) -> subprocess.Popen[bytes]:
    """Starts it with a pipe at each end, from which no more is read than is asked for."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*_COMMAND, *map(str, arguments)],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=environment(**variables),
        bufsize=0,
    )


def on_terminal(*arguments: object, columns: int = 80, **variables: str) -> Result:
    """Runs it with its standard output on a terminal of that width; standard error is captured as usual."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*_COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=subprocess.PIPE,
        env=environment(**variables),
    )
    os.close(slave)
    out = _read_all(master)
    _, err = process.communicate(timeout=PATIENCE)
    return Result(process.returncode, out.replace(b"\r\n", b"\n"), err.decode("utf-8"))


def _read_all(descriptor: int) -> bytes:
    parts = []
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        while True:
            try:
                part = stream.read(65_536)
            except OSError:  # how Linux says that the other end of a terminal was closed
                break
            if not part:
                break
            parts.append(part)
    return b"".join(parts)
