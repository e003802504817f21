"""The shell's side of completion: what it asks for, and the scripts by which it asks.

Source: https://click.palletsprojects.com/en/stable/shell-completion/. Invariant: nothing but completions is printed.
"""

from __future__ import annotations

import os

import click
from click.shell_completion import BashComplete, add_completion_class, shell_complete


class Bash(BashComplete):
    """bash breaks words at `:` and `=`, too: `-s grpc://host:50051` comes as five. They are joined again."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        *words, last = _joined([*args, incomplete])
        return words, last


def _joined(words: list[str]) -> list[str]:
    found: list[str] = []
    is_open = False
    for word in words:
        if found and (is_open or word in _BREAKS):
            found[-1] += word
        else:
            found.append(word)
        is_open = word in _BREAKS
    return found


_BREAKS = (":", "=")


def answer(cli: click.Command, variable: str) -> int:
    """Prints what the variable asks for: completions, or the script of a shell. Returns an exit code."""
    add_completion_class(Bash, "bash")
    try:
        return shell_complete(cli, {}, "inspector", variable, os.environ[variable])
    except Exception:  # whatever it is, the line that is being typed must not be disturbed
        return 1
