"""What is seen of a capture while it is read, and how reading is stopped."""

from __future__ import annotations

import os

import pytest
from tui.slow_reading import WAITS_AT, hold_reading
from tui.terminal import NARROW, Terminal, drive, sample

from inspector.tui.browse import loading
from inspector.tui.browse.call_list import CallList
from inspector.tui.progress_bar import progress_bar
from inspector.views.times import size


@pytest.fixture
def gate(monkeypatch):
    opened = hold_reading(monkeypatch)
    monkeypatch.setattr(loading, "BETWEEN_REPORTS", 0)
    monkeypatch.setattr(loading, "BETWEEN_REPORTS_BUSY", 0)
    yield opened
    opened.set()


def test_a_bar_says_how_much_was_read(gate):
    async def steps(terminal: Terminal) -> None:
        index = terminal.app.documents[0].index
        await terminal.until(lambda: index.bytes_read > WAITS_AT)
        share = index.bytes_read / os.path.getsize(index.path)
        assert share < 0.5
        await terminal.until(lambda: f"reading {progress_bar(share)}, {size(index.bytes_read)}" in terminal.lines()[0])
        gate.set()
        await terminal.until(lambda: "5 calls" in terminal.text())
        await terminal.settle()
        assert "reading" not in terminal.lines()[0]

    drive([sample("large.pcapng")], steps, NARROW, waits=False)


def test_reading_is_stopped_and_goes_on(gate):
    async def steps(terminal: Terminal) -> None:
        await terminal.until(lambda: "kB" in terminal.lines()[0])
        await terminal.pilot.press("p")
        gate.set()
        await terminal.settle()
        index = terminal.app.documents[0].index
        assert " read ━" in terminal.lines()[0]
        assert "(p goes on)" in terminal.lines()[0]
        assert f"{len(index)} calls" in terminal.lines()[0]
        assert terminal.browser.query_one(CallList).count() == len(index) < 5
        await terminal.press("p")
        await terminal.until(lambda: "5 calls" in terminal.text())
        await terminal.settle()
        assert "read" not in terminal.lines()[0]
        await terminal.press("p")
        assert "to its end" in terminal.notices()[-1]

    drive([sample("large.pcapng")], steps, NARROW, waits=False)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (-1, "──────── 0 %"), (0, "──────── 0 %"), (0.07, "╸─────── 7 %"), (0.5, "━━━━──── 50 %"),
        (0.999, "━━━━━━━╸ 99 %"), (2, "━━━━━━━━ 100 %"),
    ],
)  # fmt: skip
def test_a_bar_is_full_only_at_the_end(share, text):
    assert progress_bar(share) == text
