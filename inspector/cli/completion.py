"""What completes arguments and options in the shell: symbols of the schema that the command line names so far, files,
words. (docs/commands.md tells how it is installed, `shell` is the shell's side of it.)

Invariant: it takes no longer than PATIENCE, and what goes wrong leaves completions out without a word.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import click

from inspector.views.safe_text import safe

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from inspector.schema import Schema

PATIENCE = 3.0
"""Seconds that a schema may take, of a server too. Who presses a key waits no longer."""

MOST_COMPLETIONS = 2_000
"""Names that are offered; shells ask before they show hundreds."""

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def complete_symbols(*kinds: str) -> Complete:
    """Completes full names of these kinds (`Symbols.names`); methods also as `pkg.Svc/Method`."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _items(_in_time(lambda: _symbols(ctx, kinds, incomplete)))

    return complete


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leaves it to the shell."""
    return _items([incomplete], "file")


def complete_targets(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes `@NAME` of profiles."""
    return _items(_in_time(lambda: _profiles(incomplete)))


def complete_sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The same, and leaves files to the shell."""
    return complete_targets(ctx, parameter, incomplete) if incomplete.startswith("@") else _items([incomplete], "file")


def complete_data(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes `@FILE`. (Shells take what is behind an @ for a host.)"""
    if not incomplete.startswith("@"):
        return []
    folder, start = os.path.split(incomplete[1:])
    with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
        found = [each.name + "/" * each.is_dir() for each in entries if each.name.startswith(start)]
        names = (f"@{os.path.join(folder, name)}" for name in sorted(found) if start or not name.startswith("."))
        return _items([name for name in names if _is_word(name)][:MOST_COMPLETIONS])
    return []


def complete_folders(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leaves it to the shell."""
    return _items([incomplete], "dir")


def complete_words(*words: str) -> Complete:
    """Completes one of these."""
    return lambda _, __, incomplete: _items([word for word in words if word.startswith(incomplete)])


def _items(values: Iterable[str], kind: str = "plain") -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # where a shell asks only

    return [CompletionItem(value, type=kind) for value in values]


def _profiles(incomplete: str) -> list[str]:
    from inspector.client import profiles  # noqa: PLC0415  # where a shell asks only

    return [name for each in profiles.names() if (name := f"@{each}").startswith(incomplete) and _is_word(name)]


def _schema(ctx: click.Context) -> Schema | None:
    """That of the sources which the command line names so far; for a call that of its profile, or of its target."""
    from inspector.cli.connect_options import as_source, connection, options_in  # noqa: PLC0415  # offer completions
    from inspector.cli.schema_sources import load_schema, reflected_schema  # noqa: PLC0415

    given, connect = ctx.params, options_in(ctx.params)
    sources, paths = given.get("schemas") or (), given.get("import_paths") or ()
    if not given.get("target"):
        return load_schema(sources, paths, lambda address: connection(address, connect))
    target = connection(given["target"], connect)
    paths = (*paths, *target.import_paths)
    schema = load_schema(sources or target.sources, paths, partial(as_source, target))
    return reflected_schema(target) if schema is None else schema


def _symbols(ctx: click.Context, kinds: Iterable[str], incomplete: str) -> list[str]:
    schema = _schema(ctx)
    if schema is None:
        return []
    bare = incomplete.lstrip("./")
    lead = incomplete[: len(incomplete) - len(bare)]
    found: list[str] = []
    for kind in kinds:
        names: Iterable[str] = schema.symbols.names(kind)
        if kind == "method" and "/" in bare:
            names = ("/".join(name.rsplit(".", 1)) for name in names)
        found += (lead + name for name in names if name.startswith(bare) and _is_word(name))
    return found[:MOST_COMPLETIONS]


def _is_word(text: str) -> bool:
    """Whether a shell may be given it as it is."""
    return text == safe(text) and not any(each.isspace() or each in ",\\'\"$`;&|<>()" for each in text)


def _in_time(find: Callable[[], list[str]]) -> list[str]:
    """What it finds in PATIENCE, without a word."""
    found: list[str] = []

    def work() -> None:
        with contextlib.suppress(Exception):
            found.extend(find())

    thread = threading.Thread(target=work, daemon=True)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        thread.start()
        thread.join(PATIENCE)
    return [] if thread.is_alive() else found
