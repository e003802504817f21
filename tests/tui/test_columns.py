"""The columns of the list of calls: chosen, remembered, sorted by."""

from __future__ import annotations

import re

import pytest
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector.tui import state
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.column_menu import AUTOMATIC, ColumnMenu


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.setenv("INSPECTOR_STATE", str(tmp_path))


async def toggle(terminal: Terminal, *titles: str) -> None:
    """Opens the menu, and shows or hides these."""
    await terminal.press("C")
    assert isinstance(terminal.app.screen, ColumnMenu)
    for title in titles:
        places = ((row, re.search(f"│  [✓• ] {title}  ", text)) for row, text in enumerate(terminal.lines()))
        row, found = next((row, found) for row, found in places if found)
        await terminal.pilot.click(offset=(found.end() - 3, row))
        await terminal.settle()
    await terminal.press("escape")


def heading(terminal: Terminal) -> list[str]:
    return next(line for line in terminal.lines() if "method" in line).strip("┃│ ").split()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_columns_are_chosen_and_stay(size):
    async def choose(terminal: Terminal) -> None:
        before = heading(terminal)
        await terminal.press("C", "j", "space", "escape")
        assert heading(terminal) == [each for each in before if not each.startswith("#")]
        await toggle(terminal, "connection", "got")
        assert "conn." in heading(terminal)
        assert "got" not in heading(terminal)

    async def look(terminal: Terminal) -> None:
        assert "conn." in heading(terminal)
        assert "got" not in heading(terminal)
        await toggle(terminal, AUTOMATIC)
        assert heading(terminal)[0].startswith("#")
        assert "conn." not in heading(terminal)

    drive([sample("predict.pcapng")], choose, size)
    drive([sample("errors.pcapng")], look, size)
    assert state.load_columns() is None


def test_columns_that_have_no_room_give_way_to_the_method():
    state.save_columns(frozenset({"number", "client", "server", "authority", "message", "stream"}))

    async def steps(terminal: Terminal) -> None:
        assert heading(terminal) == ["#▴", "authority", "method", "message"]
        assert "…dictionService/Predict"[-12:] in terminal.text()

    drive([sample("errors.pcapng")], steps, NARROW)


def test_calls_are_sorted_by_what_a_column_shows():
    async def steps(terminal: Terminal) -> None:
        calls = terminal.browser.query_one(CallList)

        def shown() -> list:
            return [calls.call_in(place) for place in range(calls.count())]

        await terminal.click("method")
        methods = [call.method for call in shown()]
        assert methods == sorted(methods)
        assert len(set(methods)) > 3
        await terminal.click("bytes")
        totals = [call.request_bytes + call.response_bytes for call in shown()]
        assert totals == sorted(totals)
        await toggle(terminal, "connection", "client")
        await terminal.click("conn.")
        assert terminal.app.documents[0].order.column == "connection"
        await terminal.click("client")  # of which the index has no column
        assert terminal.app.documents[0].order.column == "connection"

    drive([sample("concurrent.pcapng")], steps, WIDE)


def test_sorting_goes_through_the_columns_that_are_shown():
    state.save_columns(frozenset({"took", "stream", "client"}))

    async def steps(terminal: Terminal) -> None:
        order, seen = terminal.app.documents[0].order, []
        for _ in range(4):
            await terminal.press("s")
            seen.append(order.column)
        assert seen == ["kind", "duration", "stream", "kind"]

    drive([sample("predict.pcapng")], steps, WIDE)


def test_columns_are_those_of_all_files_and_those_without_room_are_told():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("right_parenthesis", "left_parenthesis")
        await toggle(terminal, "number", "client", "server", "authority", "took")
        await terminal.press("C")
        assert "✓ server  no room" in terminal.text()
        assert "✓ authority  " in terminal.text()
        await terminal.press("escape", "right_parenthesis")
        assert heading(terminal)[0] == "authority"
        assert "#" not in heading(terminal)[0]

    drive([sample("predict.pcapng"), sample("errors.pcapng")], steps, NARROW)
