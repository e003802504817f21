"""What differs between two messages or calls: picked, shown, gone through, gone to."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Tabs
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector import limits
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.field_list import FieldList
from inspector.tui.diff.diff_list import DiffList
from inspector.tui.diff.screen import DiffScreen
from inspector.tui.diff.sides import pick, side_of
from inspector.tui.document import Document
from inspector.tui.selection import Selection
from inspector.wire.encode import length_delimited, varint

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW])

MESSAGES = ("j", "2", "d", "1", "j", "2", "d")
"""Compares the first requests of calls 2 and 3."""

CALLS = ("j", "d", "j", "d")
"""Compares calls 2 and 3."""


def rows(terminal: Terminal) -> DiffList:
    assert isinstance(terminal.app.screen, DiffScreen)
    return terminal.app.screen.query_one(DiffList)


def field(terminal: Terminal) -> str:
    node = terminal.browser.query_one(FieldList).selected
    return node.path if node is not None else ""


def payloads(tmp_path: Path, *messages: bytes) -> Document:
    path = tmp_path / "messages.delimited"
    path.write_bytes(b"".join(varint(len(each)) + each for each in messages))
    return Document(str(path), kind="delimited")


# --- picking -----------------------------------------------------------------------------------------------------


@SIZES
def test_the_first_d_picks_a_side_and_the_second_shows_what_differs(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "d")
        assert "diff of call 2, request 0 with ... (d)" in terminal.lines()[0]
        assert terminal.browser.query_one(CallList).picked == 2
        row = next(line for line in terminal.lines() if "906 µs" in line)
        assert row.rstrip(" │█▁▂▃▄▅▆▇").endswith("±")
        await terminal.press("1", "j", "2", "d")
        text = terminal.text()
        assert "- call 2, request 0   + call 3, request 0   " in text
        assert "14 differences" in text
        await terminal.press("escape")
        assert "diff of" not in terminal.lines()[0]
        assert terminal.browser.query_one(CallList).picked is None

    drive([sample("predict.pcapng")], steps, size)


def test_d_on_the_same_again_picks_nothing():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "d", "j", "d")
        assert "diff of" not in terminal.text()
        assert terminal.browser
        await terminal.press("1", "d", "2", "d")
        assert "diff of" not in terminal.text()

    drive([sample("predict.pcapng")], steps)


def test_where_the_calls_have_the_focus_calls_are_compared():
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*CALLS)
        text = terminal.text()
        for title in ("Call  no difference", "Timing", "Request headers  2", "Request 0"):
            assert f"── {title}" in text
        titles = [each.title for each in rows(terminal).sections]
        assert titles[-3:] == ["Response headers", "Response 0  vision.v1.PredictResponse", "Trailers"]
        assert "906 µs" in text
        assert "431 µs" in text

    drive([sample("predict.pcapng")], steps)


def test_of_a_call_that_is_chosen_second_it_is_the_message_that_was_picked_first():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "right_square_bracket", "2", "d", "1", "j", "d")
        assert "- call 2, response 0   + call 3, response 0" in terminal.lines()[0]

    drive([sample("predict.pcapng")], steps)


@SIZES
def test_a_mark_is_compared_with_what_is_selected(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("equals_sign")
        assert "there are no marks yet" in terminal.notices()[-1]
        await terminal.press("j", "m", "a", "j", "2", "equals_sign")
        assert "call 2  vision.v1" in terminal.text()
        await terminal.press("a")
        assert "- call 2, request 0   + call 3, request 0" in terminal.lines()[0]

    drive([sample("predict.pcapng")], steps, size)


def test_the_last_comparison_comes_again_where_it_was_left():
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*MESSAGES, "n", "n", "n", "escape", "j", "equals_sign", "equals_sign")
        assert rows(terminal).position[0] == 3
        assert "difference 3/14" in terminal.lines()[0]

    drive([sample("predict.pcapng")], steps)


def test_sides_of_two_files_are_compared_and_gone_to():
    async def steps(terminal: Terminal) -> None:
        first = terminal.browser
        await terminal.press("j", "2", "d", "right_parenthesis")
        assert "diff of predict.pcapng call 2, request 0 with" in terminal.lines()[1]
        await terminal.press("2", "d")
        assert "- predict.pcapng call 2, request 0   + errors.pcapng call 1, request 0" in terminal.lines()[0]
        await terminal.press("n", "h")
        assert terminal.app.screen is first
        assert first.selected.call == 2

    drive([sample("predict.pcapng"), sample("errors.pcapng")], steps)


def test_what_is_picked_in_a_file_goes_with_it():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("right_parenthesis", "2", "d")
        assert "diff of" in terminal.lines()[1]
        await terminal.press("ctrl+w")
        assert "diff of" not in terminal.lines()[0]

    drive([sample("predict.pcapng"), sample("errors.pcapng")], steps)


# --- reading -----------------------------------------------------------------------------------------------------


@SIZES
def test_n_goes_through_the_differences(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*MESSAGES)
        seen = []
        for _ in range(14):
            await terminal.press("n")
            seen.append(rows(terminal).selected.hunk)
        assert seen == [*range(14)]
        await terminal.press("n")
        assert "no difference after this one" in terminal.notices()[-1]
        await terminal.press("N", "N")
        assert "difference 12/14" in terminal.lines()[0]

    drive([sample("predict.pcapng")], steps, size)


def test_what_is_looked_for_goes_before_differences():
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*MESSAGES, "ctrl+f", *"options.st", "enter")
        assert rows(terminal).selected.path == "options.stop[0]"
        await terminal.press("n")
        assert rows(terminal).selected.path == "options.stop[1]"
        await terminal.press("escape", "N")
        assert rows(terminal).selected.path == "options.stop[0]"
        await terminal.press("escape")
        assert terminal.browser

    drive([sample("predict.pcapng")], steps)


@SIZES
def test_equal_fields_are_folded_and_opened(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*MESSAGES)
        folded = rows(terminal).count()
        assert "▸ 1 equal field" in terminal.text()
        await terminal.press("n", "j")
        if size == NARROW:
            await terminal.press("j")
        await terminal.press("space")
        assert "▾ 1 equal field" in terminal.text()
        assert "context.locale" in terminal.text()
        await terminal.press("enter")
        assert rows(terminal).count() == folded
        await terminal.press("n", "e")
        assert "context.locale" in terminal.text()
        assert rows(terminal).selected.path == "context.sentAt"
        await terminal.press("e")
        assert rows(terminal).count() == folded
        assert rows(terminal).selected.path == "context.sentAt"

    drive([sample("predict.pcapng")], steps, size)


def test_the_width_decides_on_the_layout_until_the_user_does():
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*MESSAGES, "n", "n")
        assert not rows(terminal).is_unified
        await terminal.pilot.resize_terminal(*NARROW)
        await terminal.settle()
        assert rows(terminal).is_unified
        assert rows(terminal).selected.path == "context.sentAt"
        await terminal.press("v")
        assert not rows(terminal).is_unified
        await terminal.pilot.resize_terminal(*WIDE)
        await terminal.press("v")
        assert rows(terminal).is_unified

    drive([sample("predict.pcapng")], steps)


def test_swapping_changes_what_was_added_and_removed():
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*MESSAGES, "x")
        assert "- call 3, request 0   + call 2, request 0" in terminal.lines()[0]
        line = next(line for line in terminal.lines() if "options.seed" in line)
        assert line.startswith("- ")

    drive([sample("predict.pcapng")], steps)


@SIZES
def test_enter_shows_the_field_in_the_browser(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*MESSAGES, "n", "n", *(["j"] if size == NARROW else []), "enter")
        assert (terminal.browser.selected.call, field(terminal)) == (3, "context.sent_at")
        assert terminal.browser.query_one(FieldList).has_focus
        await terminal.press("equals_sign", "equals_sign", "h")
        assert (terminal.browser.selected.call, field(terminal)) == (2, "context.sent_at")
        await terminal.press("equals_sign", "equals_sign", "n", "l")
        assert "it is not there on the right" in terminal.notices()[-1]
        await terminal.press("enter")
        assert (terminal.browser.selected.call, field(terminal)) == (2, "context.priority")

    drive([sample("predict.pcapng")], steps, size)


@pytest.mark.parametrize(("title", "tab"), [("Timing", "timing"), ("Request headers", "headers"), ("Call", "trailers")])
def test_what_is_no_message_is_shown_in_the_details(title, tab):
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*CALLS)
        while not rows(terminal).selected.text.startswith(title):
            await terminal.press("j")
        await terminal.press("h")
        assert terminal.browser.selected.call == 2
        assert terminal.browser.query_one("#detail-tabs", Tabs).active == tab

    drive([sample("predict.pcapng")], steps)


def test_differences_paths_and_values_are_copied(monkeypatch):
    copied: list[str] = []
    monkeypatch.setattr("inspector.tui.clipboard.copy", lambda text, _: copied.append(text) or "copied")

    async def steps(terminal: Terminal) -> None:
        await terminal.press(*MESSAGES, "n")
        for letter in "drphl":
            await terminal.press("c", letter)
        assert "differences as text" in terminal.notices()[0]

    drive([sample("predict.pcapng")], steps)
    text, records, *rest = copied
    assert text.startswith("--- call 2, request 0\n+++ call 3, request 0\n@@ Request 0")
    assert '\n~ context.requestId: "req-0001" -> "req-0002"\n' in text
    assert records.count("\n") == 13
    assert rest == ["context.requestId", "req-0001", "req-0002"]


# --- all kinds of messages ---------------------------------------------------------------------------------------


@SIZES
def test_without_a_schema_fields_are_compared_by_number(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*MESSAGES, "n")
        assert "guessed" in terminal.text()
        assert '"req-0001"' in terminal.text()
        await terminal.press("enter")
        assert field(terminal) == "1.1"

    drive([sample("predict.pcapng", schema=False)], steps, size)


def test_messages_of_a_file_without_calls_are_compared(tmp_path):
    document = payloads(tmp_path, b"\x08\x01\x12\x02ab", b"\x08\x02\x12\x02ab", b"\x08\x02\x12\x05ab")

    async def steps(terminal: Terminal) -> None:
        await terminal.press("d", "right_square_bracket", "d")
        assert "- message 0   + message 1" in terminal.lines()[0]
        assert "1 difference" in terminal.lines()[0]
        await terminal.press("escape", "d", "right_square_bracket", "d")
        assert "right: damaged at 0x3" in terminal.text()
        assert "they differ from 0x3 on" in terminal.text()

    drive([document], steps)


def test_messages_that_are_too_large_are_told_by_their_bytes(tmp_path):
    data = length_delimited(1, bytes(limits.MAX_COMPARED_GUESSED // 2 + 1))

    async def steps(terminal: Terminal) -> None:
        await terminal.press("d", "right_square_bracket", "d")
        await terminal.until(lambda: "too large to be compared field by field" in terminal.text())
        assert "1 difference" in terminal.lines()[0]
        assert f"0x{len(data):x} on" in terminal.text()

    drive([payloads(tmp_path, data, data + b"\x10\x01")], steps)


def test_a_comparison_that_goes_on_is_left_at_once(tmp_path):
    """And stops: nothing of it comes any more."""
    many = [b"".join(length_delimited(1, b"\x08" + varint(n * (k + 1))) for n in range(6_000)) for k in range(2)]

    async def steps(terminal: Terminal) -> None:
        await terminal.press("d", "right_square_bracket")
        await terminal.pilot.press("d")
        await terminal.until(lambda: isinstance(terminal.app.screen, DiffScreen))
        await terminal.pilot.press("escape")
        await terminal.until(
            lambda: terminal.app.screen is not None and not isinstance(terminal.app.screen, DiffScreen)
        )
        assert terminal.browser
        await terminal.settle()

    drive([payloads(tmp_path, *many)], steps)


def test_credentials_are_masked_as_in_the_browser():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("d", "j", "d", "e")
        assert "<masked>" in terminal.text()
        assert "example-token" not in terminal.text()
        await terminal.press("escape")
        terminal.browser.action_toggle_secrets()
        await terminal.settle()
        await terminal.press("y", "equals_sign", "equals_sign", "e")
        assert "example-token" in terminal.text()

    drive([sample("hpack.pcapng")], steps)


def test_a_side_that_cannot_be_read_any_more_is_told():
    other = sample("errors.pcapng")

    async def steps(terminal: Terminal) -> None:
        other.index.build()
        pick(terminal.app, side_of(other, Selection(1, 0), is_call=False))
        await terminal.press("j", "2", "d", "escape")
        other.index.close()
        await terminal.press("equals_sign", "equals_sign")
        assert "no difference" not in terminal.lines()[0]
        assert terminal.lines()[0].rstrip().endswith("   ! not compared to the end")
        assert "cannot be read any more" in terminal.notices()[-1]
        assert "- errors.pcapng call 1, request 0   + predict.pcapng call 2" in terminal.lines()[0]
        assert "comparing" not in terminal.lines()[0]
        await terminal.press("escape")
        assert terminal.browser

    try:
        drive([sample("predict.pcapng")], steps)
    finally:
        other.close()  # what looked into it opened it again


def test_a_file_that_was_closed_is_not_compared_again():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("d", "right_parenthesis", "j", "d")
        assert isinstance(terminal.app.screen, DiffScreen)
        await terminal.press("escape", "left_parenthesis", "ctrl+w", "equals_sign")
        assert "there are no marks yet" in terminal.notices()[-1]
        assert terminal.browser

    drive([sample("predict.pcapng"), sample("errors.pcapng")], steps)
