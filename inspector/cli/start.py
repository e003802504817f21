"""Where the process of the command `inspector` begins and ends; what lies between is imported in between.

Both ends count, as most runs are short: modules hold many objects, which need not be searched for garbage while they
are loaded, nor be freed one by one where the process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line and ends the process."""
    # Records live briefly and hold no cycles: looking for cycles after every 700 of them costs a fifth of the time.
    gc.set_threshold(50_000, 20, 100)
    try:
        if sys.argv[1:2] == ["convert"]:
            from inspector.cli.plain import plain_text  # noqa: PLC0415  # after the above

            text = plain_text(sys.argv[2:])
            if text is not None:
                _end(_written(text))
        from inspector.cli.main import main as run  # noqa: PLC0415  # with click

        gc.freeze()
        run()
    except KeyboardInterrupt:
        _end(130)
    except SystemExit as ending:
        if not isinstance(ending.code, int | None):
            raise
        _end(ending.code or 0)


def _written(text: bytes) -> int:
    """Writes a line to standard output. Returns the exit code."""
    try:
        sys.stdout.buffer.writelines((text, b"\n"))
        sys.stdout.buffer.flush()
    except OSError as error:
        from inspector.cli.main import end_unwritten  # noqa: PLC0415  # as above

        end_unwritten(error)
    return 0


def _end(code: int) -> NoReturn:
    """Ends the process as the interpreter does, but for freeing its memory."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(code)
