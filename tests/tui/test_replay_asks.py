"""A request that is sent again without a target goes where the capture says: that is asked for."""

from __future__ import annotations

from tui.terminal import NARROW, Terminal, drive, sample

from inspector.tui.browse.screen import BrowseScreen
from inspector.tui.compose.screen import ComposeScreen
from inspector.tui.prompts import Confirm


def test_nothing_is_sent_to_the_server_of_a_capture_without_a_yes():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "r")
        await terminal.until(lambda: isinstance(terminal.app.screen, Confirm))
        assert "Send the request to grpc://127.0.0.1:50051, where it went in the capture?" in terminal.text()
        await terminal.press("escape")
        assert isinstance(terminal.app.screen, BrowseScreen)
        await terminal.pilot.press("r")
        await terminal.until(lambda: isinstance(terminal.app.screen, Confirm))
        await terminal.pilot.press("y")
        await terminal.until(lambda: isinstance(terminal.app.screen, ComposeScreen))
        await terminal.press("escape")
        await terminal.pilot.press("r")  # it was allowed
        await terminal.until(lambda: isinstance(terminal.app.screen, ComposeScreen))

    drive([sample("predict.pcapng")], steps, NARROW)
