"""Panes: focus, jumping, sizes, one alone, and the mouse."""

from __future__ import annotations

import pytest
from textual.events import MouseScrollDown
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.field_list import FieldList
from inspector.tui.browse.message_list import MessageList
from inspector.tui.jump import Jump

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW])


def area(terminal: Terminal, pane: str) -> tuple[int, int]:
    return terminal.browser.query_one(pane).outer_size


@SIZES
@pytest.mark.parametrize(("key", "pane"), [("1", "#calls"), ("2", "#fields"), ("3", "#bytes"), ("4", "#details-pane")])
def test_a_pane_alone_takes_the_screen_and_gives_it_back(size, key, pane):
    async def steps(terminal: Terminal) -> None:
        await terminal.press(key)
        before = terminal.text()
        await terminal.press("backslash")
        assert area(terminal, pane) == (size[0], size[1] - 2)
        await terminal.press("j", "k")
        await terminal.press("backslash")
        assert terminal.text() == before

    drive([sample("predict.pcapng")], steps, size)


@SIZES
def test_messages_alone_are_a_list(size):
    async def steps(terminal: Terminal) -> None:
        terminal.browser.query_one(MessageList).focus()
        await terminal.press("backslash")
        assert area(terminal, "#messages") == (size[0], size[1] - 2)
        assert "rsp 0  693 B" in terminal.text()
        assert "3 Bytes" not in terminal.text()
        await terminal.press("backslash")
        assert "3 Bytes" in terminal.text()

    drive([sample("predict.pcapng")], steps, size)


def test_the_list_of_messages_grows():
    async def steps(terminal: Terminal) -> None:
        messages = terminal.browser.query_one(MessageList)
        messages.focus()
        before = area(terminal, "#messages")
        await terminal.press("greater_than_sign")
        assert area(terminal, "#messages").width == before.width + 2

    drive([sample("predict.pcapng")], steps, WIDE)


@SIZES
@pytest.mark.parametrize(("key", "pane"), [("1", "#calls"), ("3", "#bytes")])
def test_a_pane_grows_and_shrinks(size, key, pane):
    async def steps(terminal: Terminal) -> None:
        await terminal.press(key)
        before = area(terminal, pane)
        await terminal.press("greater_than_sign", "greater_than_sign")
        larger = area(terminal, pane)
        assert larger > before
        await terminal.press("less_than_sign", "less_than_sign")
        assert area(terminal, pane) == before

    drive([sample("predict.pcapng")], steps, size)


@SIZES
def test_fields_grow_as_bytes_shrink(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("3", *["greater_than_sign"] * 3, "2")
        fields, bytes_ = area(terminal, "#fields"), area(terminal, "#bytes")
        await terminal.press("greater_than_sign")
        assert area(terminal, "#fields") > fields
        assert area(terminal, "#bytes") < bytes_

    drive([sample("predict.pcapng")], steps, size)


@SIZES
@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
def test_no_pane_is_made_so_large_or_small_that_another_vanishes(size, key):
    async def steps(terminal: Terminal) -> None:
        for step in ("greater_than_sign", "less_than_sign"):
            await terminal.press(key, *[step] * 60, "1")
            for pane in ("#calls", "#fields", "#bytes"):
                width, height = area(terminal, pane)
                assert height >= 3
                assert width >= 10
            assert "? help" in terminal.lines()[-1]

    drive([sample("predict.pcapng")], steps, size)


def test_panes_have_room_when_the_terminal_becomes_smaller_and_their_sizes_when_it_is_large_again():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("1", *["greater_than_sign"] * 6, "3", *["greater_than_sign"] * 3)
        before = {pane: area(terminal, pane) for pane in ("#calls", "#fields", "#bytes")}
        await terminal.pilot.resize_terminal(160, 40)
        await terminal.settle()
        await terminal.settle()
        assert all(area(terminal, pane).height >= 3 for pane in before)
        await terminal.pilot.resize_terminal(*NARROW)
        await terminal.settle()
        await terminal.settle()
        assert all(area(terminal, pane).height >= 3 for pane in before)
        await terminal.pilot.resize_terminal(*WIDE)
        await terminal.settle()
        await terminal.settle()
        assert {pane: area(terminal, pane) for pane in before} == before

    drive([sample("predict.pcapng")], steps)


@SIZES
def test_fields_and_bytes_are_flipped_and_each_way_has_its_sizes(size):
    async def steps(terminal: Terminal) -> None:
        fields, bytes_ = terminal.browser.query_one("#fields"), terminal.browser.query_one("#bytes")
        assert (fields.region.y == bytes_.region.y) == (size == WIDE)
        await terminal.press("vertical_line")
        assert (fields.region.y == bytes_.region.y) == (size == NARROW)
        await terminal.press("3", "greater_than_sign")
        flipped = area(terminal, "#bytes")
        await terminal.press("vertical_line")
        before = area(terminal, "#bytes")
        await terminal.press("vertical_line")
        assert area(terminal, "#bytes") == flipped != before

    drive([sample("predict.pcapng")], steps, size)


@SIZES
def test_a_letter_jumps_to_a_pane(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("comma")
        jump = terminal.app.screen
        assert isinstance(jump, Jump)
        letters = {widget.id: letter for letter, (widget, _) in jump._places.items()}
        assert {"calls", "messages", "fields", "bytes"} <= set(letters)
        assert ("trailers" in letters) == (size == WIDE)
        assert f" {letters['bytes']} " in terminal.text()
        await terminal.press(letters["bytes"])
        assert terminal.browser.query_one(ByteView).has_focus
        await terminal.press("f2", "escape")
        assert terminal.browser.query_one(ByteView).has_focus

    drive([sample("predict.pcapng")], steps, size)


def test_a_letter_opens_a_tab():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("comma")
        jump = terminal.app.screen
        assert isinstance(jump, Jump)
        await terminal.press(next(letter for letter, (widget, _) in jump._places.items() if widget.id == "trailers"))
        assert "grpc-status" in terminal.text()

    drive([sample("predict.pcapng")], steps)


def test_long_lines_of_details_are_wrapped_to_their_end():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("4", "l", "l", "backslash")
        lines = terminal.text().splitlines()
        row = next(place for place, line in enumerate(lines) if "Das Bild ist leer" in line)
        assert (lines[row].strip("┃ ") + lines[row + 1].strip("┃ ")).endswith("sicher)")

    drive([sample("errors.pcapng")], steps, NARROW)


# --- the mouse ---------------------------------------------------------------------------------------------------


@SIZES
def test_a_click_on_a_column_sorts_by_it_and_another_the_other_way(size):
    async def steps(terminal: Terminal) -> None:
        order = terminal.browser.document.order
        await terminal.click("status")
        assert (order.column, order.descending) == ("status", False)
        await terminal.click("status▴")
        assert (order.column, order.descending) == ("status", True)
        await terminal.click("#")
        assert (order.column, order.descending) == ("number", False)

    drive([sample("predict.pcapng")], steps, size)


@SIZES
def test_a_click_selects_a_row_and_two_look_into_it(size):
    async def steps(terminal: Terminal) -> None:
        calls = terminal.browser.query_one(CallList)
        await terminal.pilot.click(CallList, offset=(12, 4))
        await terminal.settle()
        assert terminal.browser.selected.call == calls.call_in(calls.cursor).number == 3
        await terminal.pilot.click(CallList, offset=(12, 4), times=2)
        await terminal.settle()
        assert terminal.browser.query_one(FieldList).has_focus

    drive([sample("predict.pcapng")], steps, size)


@SIZES
def test_a_click_on_a_byte_selects_its_field(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j")
        await terminal.click("65 6e")
        view = terminal.browser.query_one(ByteView)
        assert view.data[view.at : view.at + 2] == b"en"
        node = terminal.browser.query_one(FieldList).selected
        assert node is not None
        assert node.path == "context.locale"

    drive([sample("predict.pcapng")], steps, size)


def test_a_click_on_the_strip_of_messages_selects_one():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j")
        await terminal.click("rsp 0")
        assert terminal.browser.query_one(MessageList).cursor == 1
        assert terminal.browser.selected.message == 1

    drive([sample("predict.pcapng")], steps, NARROW)


def test_a_click_on_a_tab_opens_it():
    async def steps(terminal: Terminal) -> None:
        await terminal.click("Trailers")
        assert "grpc-status" in terminal.text()

    drive([sample("predict.pcapng")], steps)


def test_a_click_on_a_line_of_a_menu_chooses_it():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "m", "a", "j", "m", "b", "apostrophe")
        await terminal.click("a  call 2")
        assert terminal.browser.selected.call == 2

    drive([sample("predict.pcapng")], steps, NARROW)


def test_the_wheel_scrolls():
    async def steps(terminal: Terminal) -> None:
        fields = terminal.browser.query_one(FieldList)
        await terminal.press("j", "2", "E")
        before = fields.scroll_y
        await terminal.pilot._post_mouse_events([MouseScrollDown], fields, offset=(4, 2))
        await terminal.settle()
        assert fields.scroll_y > before

    drive([sample("predict.pcapng")], steps, NARROW)
