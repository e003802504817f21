"""The composer in tests: driven by keys against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from google.protobuf import text_format
from kitchen_server import PROTOS, SERVICE, Kitchen, serving
from tui.terminal import WIDE, Steps, Terminal

from inspector.schema import Schema
from inspector.transcode.refusal import path_text
from inspector.tui.app import InspectorApp
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.exchange import ENDED
from inspector.tui.compose.form_list import FormList
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

    async def field(self, path: str) -> None:
        """Goes to a field by its path."""
        rows = self.screen.query_one(FormList)
        place = next(at for at, row in enumerate(rows.form.rows) if path_text(row.path) == path)
        down = place - rows.cursor
        await self.press(*["j" if down > 0 else "k"] * abs(down))

    async def over(self, text: str, *, is_open: bool = False) -> None:
        """Types over what stands in a row."""
        await self.press(*([] if is_open else ["enter"]), *([] if text else ["backspace"]))
        await self.type(text)
        await self.press("enter")

    def sent_text(self) -> list[str]:
        """What reached the server, as protobuf's own text."""
        made = SCHEMA.message_class("kitchen.v1.Sink")
        return [text_format.MessageToString(made.FromString(data)) for data in self.kitchen.requests]

    def told(self) -> str:
        """What the program said in notes that go away by themselves."""
        return "\n".join(each.message for each in self.app._notifications)

    async def send(self) -> None:
        """Sends, and waits for the end of the call."""
        before = self.screen.exchange
        await self.press("f5")
        await self.until(lambda: self.screen.exchange is not before and self.screen.exchange.state == ENDED)


_KEYS = {" ": "space"}


SCHEMA = Schema.from_source(str(PROTOS))


def parsed(text: str) -> str:
    """A message as protobuf's own text."""
    made = text_format.Parse(text, SCHEMA.message_class("kitchen.v1.Sink")(), descriptor_pool=SCHEMA.pool)
    return text_format.MessageToString(made)


def compose(
    steps: Steps, method: str = f"{SERVICE}/Echo", messages: tuple[bytes, ...] = (), size: tuple[int, int] = WIDE,
    *, asks_server: bool = False, draft: Draft = Draft(), at: str = "127.0.0.1:0",  # noqa: B008
) -> None:  # fmt: skip
    """Runs the steps in the composer, with a server of its own `at` an address."""

    async def main(target: str, kitchen: Kitchen) -> None:
        app = InspectorApp([], schema=None if asks_server else SCHEMA, target=target)
        app.draft = draft._replace(method=method, messages=messages, target=target)
        app.animation_level = "none"
        async with app.run_test(size=size) as pilot:
            composer = Composer(app, pilot)
            composer.kitchen = kitchen
            await pilot.pause()
            await composer.settle()
            await steps(composer)

    with serving(at) as (target, kitchen):
        asyncio.run(main(target, kitchen))
