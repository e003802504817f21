"""The shell's side of completion: what it asks for, and the scripts by which it asks.

Source: https://click.palletsprojects.com/en/stable/shell-completion/. Invariant: nothing but completions is printed.
"""

from __future__ import annotations

import os

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, shell_complete


class Bash(BashComplete):
    """bash breaks words at `:`, `=` and `@`, too: `-s grpc://host:50051` comes as five. They are joined again, and what
    is offered is for the part that bash replaces: the last one, with an `@` before it."""

    _lead = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, part = super().get_completion_args()
        *words, last = _joined([*args, part])
        replaced = part.lstrip(":=") if _is_break(part) else part
        self._lead = last.removesuffix(replaced).removesuffix("@")
        return words, last

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type},{item.value.removeprefix(self._lead)}"


def _joined(words: list[str]) -> list[str]:
    """An `@` belongs to what follows: it is how a word begins."""
    found: list[str] = []
    is_open = False
    for word in words:
        if found and (is_open or (_is_break(word) and not word.startswith("@"))):
            found[-1] += word
        else:
            found.append(word)
        is_open = _is_break(word)
    return found


def _is_break(word: str) -> bool:
    return word != "" and not word.strip(_BREAKS)


_BREAKS = ":=@"


def answer(cli: click.Command, variable: str) -> int:
    """Prints what the variable asks for: completions, or the script of a shell. Returns an exit code."""
    add_completion_class(Bash, "bash")
    try:
        return shell_complete(cli, {}, "inspector", variable, os.environ[variable])
    except Exception:  # whatever it is, the line that is being typed must not be disturbed
        return 1
