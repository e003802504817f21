"""What completes arguments and options in the shell: symbols of the schema that the command line names so far, files,
words. (docs/commands.md tells how it is installed, `shell` is the shell's side of it.)

Invariant: it takes no longer than PATIENCE, and what goes wrong leaves completions out without a word.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable, Iterable
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
        return _items(_in_time(ctx, lambda: _symbols(ctx, kinds, incomplete)))

    return complete


def complete_targets(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes `@NAME` of profiles."""
    from inspector.client import profiles  # noqa: PLC0415  # where a shell asks only

    return _items(_in_time(ctx, lambda: [f"@{each}" for each in profiles.names() if f"@{each}".startswith(incomplete)]))


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leaves it to the shell."""
    return _items([incomplete], "file")


def complete_folders(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leaves it to the shell."""
    return _items([incomplete], "dir")


def complete_words(*words: str) -> Complete:
    """Completes one of these."""
    return lambda _, __, incomplete: _items([word for word in words if word.startswith(incomplete)])


def _items(values: Iterable[str], kind: str = "plain") -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # where a shell asks only

    return [CompletionItem(value, type=kind) for value in values]


def _symbols(ctx: click.Context, kinds: Iterable[str], incomplete: str) -> list[str]:
    from inspector.cli.options import load_schema  # noqa: PLC0415  # it offers completions itself

    schema = load_schema(ctx.params.get("schemas") or (), ctx.params.get("import_paths") or ())
    if schema is None and "target" in ctx.params:
        schema = _schema_of_target()
    if schema is None:
        return []
    bare = incomplete.lstrip("./")
    lead = incomplete[: len(incomplete) - len(bare)]
    found: list[str] = []
    for kind in kinds:
        names: Iterable[str] = schema.symbols.names(kind)
        if kind == "method" and "/" in bare:
            names = ("/".join(name.rsplit(".", 1)) for name in names)
        found += (lead + name for name in names if name.startswith(bare) and name == safe(name) and " " not in name)
    return found[:MOST_COMPLETIONS]


def _schema_of_target() -> Schema | None:
    """What the profile of TARGET names, or else the server says."""
    from inspector.cli.connect_options import ask, reached  # noqa: PLC0415  # for servers only
    from inspector.cli.options import load_schema  # noqa: PLC0415
    from inspector.schema import Schema  # noqa: PLC0415

    found = reached()
    if found.sources:
        return load_schema(found.sources, found.import_paths)
    return Schema((ask(found),))


def _in_time(ctx: click.Context, find: Callable[[], list[str]]) -> list[str]:
    """What it finds in PATIENCE, without a word."""
    found: list[str] = []

    def work() -> None:
        with contextlib.suppress(Exception), ctx.scope(cleanup=False):
            found.extend(find())

    thread = threading.Thread(target=work, daemon=True)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        thread.start()
        thread.join(PATIENCE)
    return [] if thread.is_alive() else found
