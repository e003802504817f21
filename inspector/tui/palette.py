"""The command palette: every action that holds where the focus is, run where it belongs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from inspector.tui.actions import CONTEXTS
from inspector.tui.available import available

Run = Callable[[], object]


class Command(NamedTuple):
    """A line of the palette."""

    title: str
    help: str
    run: Run


class ActionCommands(Provider):
    """The actions of the registry."""

    def commands(self) -> Iterator[Command]:
        """In the order in which they stand before anything is typed."""
        for action, node, keys in available(self.screen):
            if action.name != "palette":
                help_ = f"{CONTEXTS[action.context]}{': ' if keys else ''}{'  '.join(keys)}"
                yield Command(action.title, help_, partial(self._run, action.call, node))

    def _run(self, call: str, node: object) -> Awaitable[bool]:
        return self.app.run_action(call, node)  # type: ignore[arg-type]

    async def discover(self) -> Hits:
        for each in self.commands():
            yield DiscoveryHit(Content(each.title), each.run, each.title, each.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for each in self.commands():
            score = matcher.match(each.title)
            if score > 0:
                yield Hit(score, matcher.highlight(each.title), each.run, each.title, each.help)
