"""The composer in tests: driven by keys against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kitchen_server import PROTOS, SERVICE, Kitchen, serving
from tui.terminal import WIDE, Steps, Terminal

from inspector.schema import Schema
from inspector.tui.app import InspectorApp
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.exchange import ENDED
from inspector.tui.compose.screen import ComposeScreen

PATIENCE = 30.0


class Composer(Terminal):
    """A terminal with the composer in it, and the server that it talks to."""

    kitchen: Kitchen

    @property
    def screen(self) -> ComposeScreen:
        screen = next(each for each in reversed(self.app.screen_stack) if isinstance(each, ComposeScreen))
        return screen

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*(_KEYS.get(each, each) for each in text))

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits for what the server or another worker has to do."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await self.pilot.pause()
                await asyncio.sleep(0)
        await self.pilot.pause()

    async def send(self) -> None:
        """Sends, and waits for the end of the call."""
        before = self.screen.exchange
        await self.press("f5")
        await self.until(lambda: self.screen.exchange is not before and self.screen.exchange.state == ENDED)


_KEYS = {" ": "space"}


def compose(
    steps: Steps, method: str = f"{SERVICE}/Echo", messages: tuple[bytes, ...] = (), size: tuple[int, int] = WIDE,
    *, schema: Schema | None = None, draft: Draft = Draft(),  # noqa: B008
) -> None:  # fmt: skip
    """Runs the steps in the composer, with a server of its own."""

    async def main(target: str, kitchen: Kitchen) -> None:
        app = InspectorApp([], schema=schema or Schema.from_source(str(PROTOS)), target=target)
        app.draft = draft._replace(method=method, messages=messages, target=target)
        app.animation_level = "none"
        async with app.run_test(size=size) as pilot:
            composer = Composer(app, pilot)
            composer.kitchen = kitchen
            await pilot.pause()
            await composer.settle()
            await steps(composer)

    with serving() as (target, kitchen):
        asyncio.run(main(target, kitchen))
