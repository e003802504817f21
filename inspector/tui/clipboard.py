"""Text to the clipboard, by the first way that there is; and what can be known of how that went.

A program of the desktop takes it where there is a desktop. tmux takes it for itself, and passes it on where its
terminal lets it. Else the terminal is asked by an escape sequence (OSC 52), to which it gives no answer, and which many
take only up to a size. What is larger, or has no other way, goes into a file of which the user is told.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from inspector.tui.private_files import keep

MOST_BY_TERMINAL = 74_994
"""Characters of base64 in an OSC 52 sequence: more is cut or dropped by terminals that are in use."""

PATIENCE = 5.0
"""Seconds that a program may take for it: one whose display is gone may wait for ever."""


class Program(NamedTuple):
    """A program that takes text for the clipboard from its standard input."""

    command: tuple[str, ...]
    encoding: str = "utf-8"


def programs(environment: Mapping[str, str]) -> list[Program]:
    """Those that may work in such an environment, the likeliest first."""
    found = []
    if environment.get("WAYLAND_DISPLAY"):
        found.append(Program(("wl-copy",)))
    if environment.get("DISPLAY"):
        found += [Program(("xclip", "-selection", "clipboard")), Program(("xsel", "--clipboard", "--input"))]
    if sys.platform == "darwin" and not environment.get("SSH_CONNECTION"):
        found.append(Program(("pbcopy",)))
    if environment.get("WSL_DISTRO_NAME"):
        found.append(Program(("clip.exe",), "utf-16"))
    if environment.get("TMUX"):
        found.append(Program(("tmux", "load-buffer", "-w", "-")))
    return [each for each in found if shutil.which(each.command[0])]


def copy(text: str, to_terminal: Callable[[str], object] | None) -> str:
    """Copies a text; what to tell the user. `to_terminal` sends an escape sequence; None where that leads nowhere.

    Raises InputError where not even a file can be written."""
    for program in programs(os.environ):
        if _run(program, text):
            return f"copied with {program.command[0]}{_SAID.get(program.command[0], '')}"
    encoded = base64.b64encode(text.encode("utf-8", "backslashreplace")).decode()
    if to_terminal is not None and len(encoded) <= MOST_BY_TERMINAL and not os.environ.get("STY"):
        to_terminal(f"\x1b]52;c;{encoded}\a")
        return "sent to the terminal (OSC 52), which does not say whether it took it"
    return f"written to {keep(text.encode('utf-8', 'backslashreplace'), 'copied.txt')}"


_SAID = {"tmux": ": in its buffer, and in the clipboard if its terminal lets it"}


def _run(program: Program, text: str) -> bool:
    """Whether the program took it. What it leaves in the background holds the clipboard, and gets no pipe of ours."""
    try:
        done = subprocess.run(
            program.command,
            input=text.encode(program.encoding, "backslashreplace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
