"""The terminal UI in tests: driven by keys, read as a person does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from inspector.schema import Schema
from inspector.tui.app import InspectorApp
from inspector.tui.browse.screen import BrowseScreen
from inspector.tui.document import Document

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "samples"
WIDE, NARROW = (160, 48), (80, 24)

Steps = Callable[["Terminal"], Awaitable[None]]


class Terminal:
    """An app that runs, and what is on its screen."""

    def __init__(self, app: InspectorApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def browser(self) -> BrowseScreen:
        screen = self.app.screen
        assert isinstance(screen, BrowseScreen)
        return screen

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Waits until nothing is under way: workers, messages, frames."""
        await self.pilot.pause()
        while any(worker.is_running for worker in self.app.workers):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()

    def lines(self) -> list[str]:
        """The screen as text, line by line."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()
        return [strip.text.ljust(width) for strip in strips[:height]]

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines())


def drive(documents: list[Document], steps: Steps, size: tuple[int, int] = WIDE, **options: object) -> None:
    """Runs the steps in an app with these documents."""

    async def main() -> None:
        app = InspectorApp(documents, **options)
        app.animation_level = "none"
        async with app.run_test(size=size) as pilot:
            terminal = Terminal(app, pilot)
            await pilot.pause()
            await terminal.settle()
            await steps(terminal)

    try:
        asyncio.run(main())
    finally:
        for document in documents:
            document.close()


def sample(name: str, *, schema: bool = True, **options: object) -> Document:
    """A document of one of the samples."""
    return Document(str(SAMPLES / name), schema=Schema.from_source(str(ROOT / "protos")) if schema else None, **options)
