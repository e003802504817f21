"""Other programs in the terminal while ours stands aside: an editor, a pager."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from inspector.errors import InputError

EDITORS = ("sensible-editor", "vi", "nano", "emacs")
PAGERS = ("less", "more")


def editor() -> list[str]:
    """The command of $VISUAL, of $EDITOR, or of an editor that is there. Raises InputError where there is none."""
    return _command(("VISUAL", "EDITOR"), EDITORS)


def pager() -> list[str]:
    """The command of $PAGER, or of a pager that is there. Raises InputError where there is none."""
    return _command(("PAGER",), PAGERS)


def _command(variables: Sequence[str], others: Sequence[str]) -> list[str]:
    for variable in variables:
        given = os.environ.get(variable, "").strip()
        if given:
            try:
                return shlex.split(given)
            except ValueError as error:
                raise InputError(f"${variable} is no command: {error}", where=given) from error
    for each in others:
        if shutil.which(each):
            return [each]
    raise InputError(f"there is no {others[0]}", hint=f"${variables[-1]} names one")


def run(app: App[Any], command: Sequence[str], path: Path) -> None:
    """Runs a command over a file in the terminal, and comes back when it has ended. Raises InputError."""
    wrong = ""
    try:
        with app.suspend():  # what leaves this block as an exception would leave the terminal to nobody
            wrong = _run([*command, str(path)])
    except SuspendNotSupported as error:
        raise InputError("other programs cannot be started here", hint="they need a terminal of their own") from error
    app.refresh(layout=True)
    if wrong:
        raise InputError(wrong)


def _run(command: list[str]) -> str:
    """Runs it to its end; what went wrong. Ctrl-C meanwhile is for the program alone."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # a handler, as to ignore it would be inherited
    try:
        code = subprocess.run(command, check=False).returncode
    except (OSError, ValueError) as error:
        return f"{command[0]} cannot be started: {error}"
    finally:
        signal.signal(signal.SIGINT, before)
    return f"{command[0]} ended with exit code {code}" if code else ""
