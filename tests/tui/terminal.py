"""The terminal UI in tests: driven by keys, read as a person does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual import _wait
from textual.pilot import Pilot

from inspector.schema import Schema
from inspector.tui.app import InspectorApp
from inspector.tui.browse.screen import BrowseScreen
from inspector.tui.document import Document

# Textual's pilot waits after each key until the process has been idle for 20 ms, which is most of the time of these
# tests: 10 ms tell as much.
_wait.SLEEP_GRANULARITY = 1 / 100
_wait.SLEEP_IDLE = _wait.SLEEP_GRANULARITY / 10

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
        await self.app.animator.wait_until_complete()  # the line below tabs moves even without animations
        before: list[str] | None = None
        while before != (before := self.lines()):
            await self.pilot.pause()

    async def until(self, holds: Callable[[], bool], turns: int = 400) -> None:
        """Lets the app go on until something holds that comes by itself, such as what a search finds."""
        for _ in range(turns):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"that did not come:\n{self.text()}")

    async def click(self, text: str, times: int = 1) -> None:
        """Clicks on a text that is on the screen."""
        for row, line in enumerate(self.lines()):
            if text in line:
                await self.pilot.click(offset=(line.index(text), row), times=times)
                await self.settle()
                return
        raise AssertionError(f"there is no {text!r} on the screen:\n{self.text()}")

    def notices(self) -> list[str]:
        """What was told to the user in the corner of the screen, oldest first."""
        return [each.message for each in self.app._notifications]

    def lines(self) -> list[str]:
        """The screen as text, line by line."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()
        return [strip.text.ljust(width) for strip in strips[:height]]

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines())


def drive(
    documents: list[Document], steps: Steps, size: tuple[int, int] = WIDE, *, waits: bool = True, **options: object
) -> None:
    """Runs the steps in an app with these documents; where it `waits`, when all was read."""

    async def main() -> None:
        app = InspectorApp(documents, **options)
        app.animation_level = "none"
        async with app.run_test(size=size, notifications=True) as pilot:
            terminal = Terminal(app, pilot)
            await pilot.pause()
            if waits:
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
