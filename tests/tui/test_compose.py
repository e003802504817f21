"""Composing requests and sending them to a real server, by keys."""

from __future__ import annotations

import pytest
from tui.composing import Composer, compose
from tui.terminal import NARROW, WIDE

from inspector.tui.compose.exchange import ENDED


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_request_is_written_as_json_sent_and_its_answer_seen(size):
    async def steps(terminal: Composer) -> None:
        await terminal.until(lambda: "choose" not in terminal.text())
        await terminal.press("f3", "delete", "delete")
        await terminal.type('{"int64_value": "9007199254740993", "names": ["a"]}')
        await terminal.send()
        exchange = terminal.screen.exchange
        assert exchange.state == ENDED
        assert exchange.error is None
        assert exchange.call.status.code == 0
        sent = terminal.kitchen.requests[0]
        assert sent == bytes.fromhex("108180808080808010ba010161")
        assert [each.data for each in exchange.answers] == [sent]
        text = terminal.text()
        assert "OK (0)" in text
        assert "int64_value" in text

    compose(steps, size=size)
