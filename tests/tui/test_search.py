"""Looking for something in lists, fields and bytes, by keys."""

from __future__ import annotations

import threading

import pytest
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.field_list import FieldList
from inspector.tui.search_bar import SearchBar


async def look_for(terminal: Terminal, text: str) -> None:
    await terminal.press("ctrl+f", *text, "enter")


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_fields_are_found_by_name_and_value_in_closed_ones_too(size):
    async def steps(terminal: Terminal) -> None:
        fields = terminal.browser.query_one(FieldList)
        await terminal.press("j", "2", "h")
        await look_for(terminal, "EN-gb")
        assert fields.has_focus
        assert fields.selected.path == "context.locale"
        assert terminal.browser.query_one(ByteView).at == fields.selected.span.start
        await look_for(terminal, "nowhere")
        assert fields.selected.path == "context.locale"

    drive([sample("predict.pcapng")], steps, size)


def test_next_and_previous_match_go_all_around():
    async def steps(terminal: Terminal) -> None:
        fields = terminal.browser.query_one(FieldList)
        await terminal.press("j", "2")
        await look_for(terminal, "/^(locale|model) /")
        paths = []
        for key in ("n", "n", "N"):
            paths.append(fields.selected.path)
            await terminal.press(key)
        assert paths == ["context.locale", "model", "context.locale"]
        assert fields.selected.path == "model"

    drive([sample("predict.pcapng")], steps)


@pytest.mark.parametrize("text", ["en-gb", "65 6e 2d", "x:656e2d", "/en-[A-Z]/"])
def test_bytes_are_found_as_text_expression_or_digits(text):
    async def steps(terminal: Terminal) -> None:
        bytes_ = terminal.browser.query_one(ByteView)
        await terminal.press("j", "3")
        await look_for(terminal, text)
        assert bytes_.data[bytes_.at :].startswith(b"en-")
        assert terminal.browser.query_one(FieldList).selected.path == "context.locale"
        assert any(role == "match" for role, _ in bytes_.line(bytes_.cursor, bytes_.size.width))
        await terminal.press("escape")
        assert not any(role == "match" for role, _ in bytes_.line(bytes_.cursor, bytes_.size.width))

    drive([sample("predict.pcapng")], steps)


def test_calls_and_other_lists_are_searched_as_they_read():
    async def steps(terminal: Terminal) -> None:
        await look_for(terminal, "converse")
        calls = terminal.browser.query_one(CallList)
        assert calls.selected.method.endswith("/Converse")
        assert terminal.browser.selected.call == calls.selected.number
        assert ("match", "Converse") in calls._shown(calls.cursor, calls.size.width)

    drive([sample("predict.pcapng")], steps)


@pytest.mark.parametrize("text", ["/(a+)+b/", "/(/", "x:0", "x:"])
def test_what_cannot_be_looked_for_is_told(text):
    async def steps(terminal: Terminal) -> None:
        await look_for(terminal, text)
        assert terminal.app._notifications
        await terminal.press("escape")
        assert not terminal.browser.query(SearchBar)
        assert terminal.browser.query_one(CallList).has_focus

    drive([sample("predict.pcapng")], steps)


def test_a_search_can_be_stopped(monkeypatch):
    stopped = threading.Event()

    def find(step):
        while not step(0.4):
            stopped.wait(0.01)
        stopped.set()

    monkeypatch.setattr(ByteView, "finder", lambda *_, **__: find)

    async def steps(terminal: Terminal) -> None:
        bytes_ = terminal.browser.query_one(ByteView)
        await terminal.press("3")
        await terminal.pilot.press("ctrl+f", *"hi", "enter")
        await terminal.until(lambda: "searching ━━━───── 40 % (Esc stops)" in terminal.text())
        await terminal.press("escape")
        assert bytes_.search_progress is None
        assert stopped.is_set()
        assert bytes_.at == 0

    drive([sample("predict.pcapng")], steps)


@pytest.mark.parametrize(
    "keys", [("ctrl+f", "tab", "ctrl+f"), ("n", "shift+tab", "n"), ("ctrl+f", "1", "tab", "2", "ctrl+f")]
)
def test_there_is_one_line_to_search_in_however_often_it_is_asked_for(keys):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("2")
        for key in keys:
            await terminal.pilot.press(key)
        await terminal.settle()
        assert len(terminal.app.screen.query(SearchBar)) == 1
        await terminal.press(*"garden", "enter")
        assert "garden" in terminal.text()

    drive([sample("predict.pcapng")], steps)
