"""The program in a browser: whether it can be served, and whether this process is the one that is."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from collections.abc import Sequence

from inspector.deferred import deferred
from inspector.errors import InputError, InspectorError

_serve = deferred("inspector.tui.web_server", "serve")

_SERVED = "_INSPECTOR_SERVED"
"""The variable that is set for a process whose terminal is a page."""


def is_served() -> bool:
    """Whether the terminal of this process is a page in a browser."""
    return _SERVED in os.environ


def serve(paths: Sequence[str], arguments: Sequence[str], *, port: int) -> int:
    """Serves the program to browsers of this machine until a signal ends it; the exit code. `arguments` are those of
    the command line, as each page is a process that is started by it. Port 0 is any that is free.

    Raises InspectorError where it cannot be served, InputError where an input is none."""
    if importlib.util.find_spec("textual_serve") is None:
        raise InspectorError("the page needs a library", hint="pip install 'payload-inspector[web]'")
    for path in paths:
        if path == "-":
            raise InputError("a page cannot be served from a pipe", hint="save it in a file first")
        try:
            os.stat(path)
        except (OSError, ValueError) as error:
            raise InputError(getattr(error, "strerror", None) or str(error), where=path) from error
    os.environ[_SERVED] = "1"
    # -P: not what is by chance called inspector in the working folder. exec: the shell does not stay in between.
    code = _serve("exec " + shlex.join([sys.executable, "-P", "-m", "inspector", *arguments]), port)
    assert isinstance(code, int)
    return code
