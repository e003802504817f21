"""Completion in the shell: symbols of the schema that the command line names so far, files, commands.

Source: https://click.palletsprojects.com/en/stable/shell-completion/. Invariant: it takes no longer than PATIENCE, and
nothing but completions is printed; what goes wrong leaves them out.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Callable, Iterable

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from inspector.views.safe_text import safe

PATIENCE = 3.0
"""Seconds that a schema may take, of a server too. Who presses a key waits no longer."""

MOST_COMPLETIONS = 2_000
"""Names that are offered; shells ask before they show hundreds."""

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_symbols(*kinds: str) -> Complete:
    """Completes full names of these kinds, methods as `pkg.Svc.Method` or `pkg.Svc/Method`."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _in_time(lambda: _symbols(ctx, kinds, incomplete))

    return complete


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leaves it to the shell."""
    return [CompletionItem(incomplete, type="file")]


def complete_folders(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leaves it to the shell."""
    return [CompletionItem(incomplete, type="dir")]


def complete_words(*words: str) -> Complete:
    """Completes one of these."""
    return lambda _, __, incomplete: [CompletionItem(word) for word in words if word.startswith(incomplete)]


def _symbols(ctx: click.Context, kinds: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from inspector.cli.options import require_schema  # noqa: PLC0415  # it offers completions itself

    dot = incomplete[: len(incomplete) - len(incomplete.lstrip("./"))]
    wanted = incomplete[len(dot) :]
    known = wanted if wanted.startswith("google.") else "google.protobuf.Any"
    given = ctx.params.get("schemas") or (), ctx.params.get("import_paths") or ()
    symbols = require_schema(*given, symbols=(known.rstrip(".") or known,)).symbols
    slash = "/" in wanted
    found = []
    for kind in kinds:
        for name in symbols.names(kind):
            if kind == "method" and slash:
                name = "/".join(name.rsplit(".", 1))
            if name.startswith(wanted) and name == safe(name) and " " not in name:
                found.append(CompletionItem(dot + name, help=kind))
    return found[:MOST_COMPLETIONS]


def _in_time(find: Callable[[], list[CompletionItem]]) -> list[CompletionItem]:
    """What it finds in PATIENCE, without a word."""
    found: list[CompletionItem] = []

    def work() -> None:
        with contextlib.suppress(Exception):
            found.extend(find())

    thread = threading.Thread(target=work, daemon=True)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        thread.start()
        thread.join(PATIENCE)
    return [] if thread.is_alive() else found


class Bash(BashComplete):
    """bash breaks words at `:` and `=`, too: `-s grpc://host:50051` comes as five. They are joined again."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        words = _joined([*args, incomplete])
        if incomplete and not words[-1].endswith(incomplete):
            return args, incomplete
        return words[:-1], words[-1]


def _joined(words: list[str]) -> list[str]:
    found: list[str] = []
    glue = False
    for word in words:
        if found and (glue or word in (":", "=")):
            found[-1] += word
        else:
            found.append(word)
        glue = word in (":", "=")
    return found


def prepare() -> None:
    """Registers what is ours, where the shell asks for completions."""
    if "_INSPECTOR_COMPLETE" in os.environ:
        add_completion_class(Bash, "bash")
