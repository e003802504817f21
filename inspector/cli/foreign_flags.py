"""Flags as users of grpcurl write them: long ones with one dash, and ones that this command has no use for.

People edit one command line again and again, so a flag that another command of the family takes is left out with a
warning. Source: the flags of grpcurl 1.9.
Invariant: what follows an option as its value, and what follows `--`, is handed on as it is.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

import click

FAMILY = ("call", "list", "describe", "template")
"""Commands that share what one verb of grpcurl takes."""

NEEDLESS = {
    "--format-error": "details of a status are always decoded",
    "--use-reflection": "the server is asked where no -s is given; -s grpc://HOST:PORT beside others asks it too",
}
"""What grpcurl has and is not needed here, and why. Neither takes a word of its own as its value."""

REFUSED = {"--alts", "--alts-handshaker-service", "--alts-target-service-account"}
"""Without these a call would go another way than was asked."""


def adapted(command: click.Command, arguments: list[str], tell: Callable[[str], None]) -> list[str]:
    """The arguments without those that the command has no use for; `tell` gets a line for each of these.

    Raises click.UsageError for a long flag with one dash.
    """
    return list(_Reader(command, tell).read(arguments))


class _Reader:
    def __init__(self, command: click.Command, tell: Callable[[str], None]) -> None:
        self._command = command
        self._tell = tell
        self._own = _options(command)

    def read(self, arguments: list[str]) -> Iterator[str]:
        words = iter(arguments)
        for word in words:
            if word == "--":
                yield word
                yield from words
                return
            if len(word) < 2 or not word.startswith("-"):
                yield word
                continue
            yield from self._option(word, words)

    def _option(self, word: str, words: Iterator[str]) -> Iterator[str]:
        name, equals, _ = word.partition("=")
        self._refuse_one_dash(name)
        option = self._own.get(name) or (None if word.startswith("--") else self._own.get(word[:2]))
        if option is None and (foreign := self._foreign(name)) is not None:
            if _takes_word(foreign) and not equals:
                next(words, None)
            return
        yield word
        if option is not None and _takes_word(option) and word in (*option.opts, *option.secondary_opts):
            yield from (value for value in (next(words, None),) if value is not None)

    def _refuse_one_dash(self, name: str) -> None:
        long = f"-{name}"
        if name.startswith("--") or len(name) < 4:
            return
        if long in self._own or long in NEEDLESS or self._family_has(long):
            raise click.UsageError(f"there is no option {name}; did you mean {long}?", self._context())
        if long in REFUSED:
            self._refuse(name)

    def _foreign(self, name: str) -> click.Option | None:
        """An option that is left out, with a warning."""
        if name in REFUSED:
            self._refuse(name)
        if self._command.name not in FAMILY:
            return None
        if name in NEEDLESS:
            self._tell(f"warning: {name} does nothing here: {NEEDLESS[name]}")
            return click.Option([name], is_flag=True)
        found = self._of_family(name)
        if found is not None:
            command, option = found
            self._tell(f"warning: {self._command.name} does not use {name} (inspector {command} does)")
            return option
        return None

    def _family_has(self, name: str) -> bool:
        return self._command.name in FAMILY and self._of_family(name) is not None

    def _of_family(self, name: str) -> tuple[str, click.Option] | None:
        for each in FAMILY:
            command = getattr(importlib.import_module(f"inspector.cli.{each}"), each)
            if (option := _options(command).get(name)) is not None:
                return each, option
        return None

    def _refuse(self, name: str) -> None:
        raise click.UsageError(f"{name}: ALTS is not spoken here; use TLS or --plaintext", self._context())

    def _context(self) -> click.Context:
        return click.Context(self._command, click.get_current_context(silent=True), self._command.name)


def _options(command: click.Command) -> dict[str, click.Option]:
    options = [each for each in command.params if isinstance(each, click.Option)]
    return {name: option for option in options for name in (*option.opts, *option.secondary_opts)} | {
        name: click.Option([name], is_flag=True) for name in ("-h", "--help")
    }


def _takes_word(option: click.Option) -> bool:
    return not option.is_flag and not option.count
