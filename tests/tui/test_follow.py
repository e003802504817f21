"""Following a capture that grows."""

from __future__ import annotations

import pytest
from tui.terminal import SAMPLES, Terminal, drive

from inspector import limits
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.filter_bar import FilterBar
from inspector.tui.document import Document


@pytest.fixture
def growing(tmp_path, monkeypatch):
    """A capture of which the first part is there, and how to make it longer."""
    monkeypatch.setattr(limits, "READ_SIZE", 4_096)
    data = (SAMPLES / "concurrent.pcapng").read_bytes()
    path = tmp_path / "growing.pcapng"
    path.write_bytes(data[: len(data) // 2])

    def grow(share: float) -> None:
        with open(path, "ab") as file:
            file.write(data[path.stat().st_size : round(share * len(data))])

    return path, grow


async def read_on(terminal: Terminal) -> None:
    terminal.browser.look_for_more()
    await terminal.settle()


def shown(terminal: Terminal) -> list[int]:
    calls = terminal.browser.query_one(CallList)
    return [calls.call_in(place).number for place in range(calls.count())]


def test_calls_that_come_are_listed_and_the_newest_is_selected(growing):
    path, grow = growing

    async def steps(terminal: Terminal) -> None:
        before = shown(terminal)
        await terminal.press("f")
        assert "FOLLOW" in terminal.text()
        for share in (0.7, 0.9, 1.0):
            grow(share)
            await read_on(terminal)
        index = terminal.app.documents[0].index
        assert len(before) < len(index) == 36
        assert shown(terminal) == list(range(1, 37))
        calls = terminal.browser.query_one(CallList)
        assert calls.selected == index.call_at(35)
        assert terminal.browser.selected.call == calls.selected.number
        assert all(calls.call_in(place).complete for place in range(36))
        assert "36 calls" in terminal.text()

    drive([Document(str(path))], steps)


def test_a_filter_and_an_order_hold_for_calls_that_come(growing):
    path, grow = growing

    async def steps(terminal: Terminal) -> None:
        await terminal.press("S", "slash", *"complete", "enter", "f")
        for share in (0.8, 1.0):
            grow(share)
            await read_on(terminal)
        assert shown(terminal) == list(range(36, 0, -1))
        await terminal.press("f")
        assert "FOLLOW" not in terminal.text()
        assert terminal.browser.query_one(FilterBar).applied == "complete"

    drive([Document(str(path))], steps)


def test_moving_away_pauses_and_the_last_call_resumes(growing):
    path, grow = growing

    async def steps(terminal: Terminal) -> None:
        calls = terminal.browser.query_one(CallList)
        await terminal.press("f", "g", "j")
        assert "FOLLOW paused" in terminal.text()
        chosen = calls.selected.number
        grow(0.8)
        await read_on(terminal)
        assert calls.selected.number == terminal.browser.selected.call == chosen
        await terminal.press("G")
        assert "FOLLOW paused" not in terminal.text()
        grow(0.9)
        await read_on(terminal)
        newest = calls.call_in(terminal.app.documents[0].order.newest).number
        assert calls.selected.number == newest
        await terminal.press("g", "f")
        assert "FOLLOW paused" not in terminal.text()
        assert calls.selected.number == newest
        await terminal.press("f")
        assert "FOLLOW" not in terminal.text()

    drive([Document(str(path))], steps)


def test_a_filter_does_not_pause_it(growing):
    path, grow = growing

    async def steps(terminal: Terminal) -> None:
        await terminal.press("f", "slash", *"call < 5", "enter")
        assert "FOLLOW" in terminal.text()
        assert "paused" not in terminal.text()
        await terminal.press("slash", "ctrl+u", "enter")
        grow(1.0)
        await read_on(terminal)
        assert terminal.browser.selected.call == terminal.app.documents[0].index.call_at(35).number

    drive([Document(str(path))], steps)


def test_a_file_that_was_cut_is_told(growing):
    path, _ = growing

    async def steps(terminal: Terminal) -> None:
        await terminal.press("f")
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        await read_on(terminal)
        assert any("shorter" in notice for notice in terminal.notices())
        assert 0 < len(shown(terminal)) < 18

    drive([Document(str(path))], steps)


def test_a_capture_that_is_not_followed_stays_as_it_was_read(growing):
    path, grow = growing

    async def steps(terminal: Terminal) -> None:
        before = shown(terminal)
        grow(1.0)
        await read_on(terminal)
        assert shown(terminal) == before

    drive([Document(str(path))], steps)


def test_a_file_that_was_begun_anew_is_read_anew(growing):
    path, _ = growing

    async def steps(terminal: Terminal) -> None:
        await terminal.press("f")
        path.write_bytes((SAMPLES / "ipv6.pcapng").read_bytes())
        await read_on(terminal)
        assert shown(terminal) == [1, 2, 3]

    drive([Document(str(path))], steps)
