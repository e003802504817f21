"""Marks, and going to a place that is typed."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.field_list import FieldList

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW])


def field(terminal: Terminal) -> str:
    node = terminal.browser.query_one(FieldList).selected
    return node.path if node is not None else ""


@SIZES
def test_a_mark_leads_back_to_call_message_and_field(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "j", "j")
        before = terminal.browser.selected
        assert field(terminal) == "context.locale"
        await terminal.press("m", "a")
        row = next(line for line in terminal.lines() if " 2 " in line)
        assert row.rstrip(" │█▁▂▃▄▅▆▇").endswith("a")
        await terminal.press("1", "j", "j", "right_square_bracket", "2", "j", "m", "b")
        assert terminal.browser.selected != before
        await terminal.press("apostrophe")
        assert "call 2" in terminal.text()
        assert "call 4" in terminal.text()
        await terminal.press("a")
        assert terminal.browser.selected == before
        assert field(terminal) == "context.locale"

    drive([sample("predict.pcapng")], steps, size)


def test_marks_are_in_the_palette():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "m", "x", "j", "ctrl+p", *"go to mark x")
        options = terminal.app.screen.query_one(OptionList)
        await terminal.until(lambda: options.option_count == 1)
        assert "Go to mark x: call 2  vision.v1" in terminal.text()
        await terminal.press("enter")
        await terminal.until(lambda: terminal.browser.selected.call == 2)

    drive([sample("predict.pcapng")], steps)


def test_a_key_that_is_no_letter_marks_nothing():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("m", "1", "escape", "apostrophe")
        assert terminal.browser.marks == {}
        assert "there are no marks yet" in terminal.text()

    drive([sample("predict.pcapng")], steps)


@SIZES
@pytest.mark.parametrize("typed", ["context.locale", "0x12"])
def test_a_field_or_an_offset_is_gone_to(size, typed):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "colon", *typed, "enter")
        assert field(terminal) == "context.locale"
        view = terminal.browser.query_one(ByteView)
        node = terminal.browser.query_one(FieldList).selected
        assert node is not None
        assert view.at == (0x12 if typed.startswith("0x") else node.span.start)

    drive([sample("predict.pcapng")], steps, size)


def test_a_call_is_gone_to_and_what_is_not_there_is_told_at_the_prompt():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("colon", *"77", "enter")
        assert "there is no call 77 (10 are known)" in terminal.text()
        await terminal.press("backspace", "backspace", *"nothing.there", "enter")
        assert "there is no field nothing.there in the message" in terminal.text()
        await terminal.press(*["backspace"] * 20, *"0xffff", "enter")
        assert "the message ends at" in terminal.text()
        await terminal.press(*["backspace"] * 20, *"7", "enter")
        assert terminal.browser.selected.call == 7
        await terminal.press("colon", "escape")
        assert terminal.browser.selected.call == 7

    drive([sample("predict.pcapng")], steps, NARROW)


def test_a_call_that_the_filter_leaves_out_is_not_gone_to():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("G", "m", "a")
        await terminal.press("slash", *"status.code!=0", "enter")
        before = terminal.browser.selected
        await terminal.press("colon", *"15", "enter")
        assert "the filter leaves call 15 out" in terminal.text()
        await terminal.press("escape", "apostrophe", "a")
        assert "the filter leaves call 15 out" in terminal.notices()[-1]
        assert terminal.browser.selected == before
        await terminal.press("colon", *"2", "enter")
        assert terminal.browser.selected.call == 2

    drive([sample("errors.pcapng")], steps)
