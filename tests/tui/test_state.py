"""What is remembered of a file and of the look."""

from __future__ import annotations

import os
import stat

import pytest
from textual.widgets import OptionList
from tui.slow_reading import WAITS_AT, hold_reading
from tui.terminal import NARROW, SAMPLES, WIDE, Terminal, drive, sample

from inspector.errors import InputError
from inspector.tui import state
from inspector.tui.app import InspectorApp
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.field_list import FieldList
from inspector.tui.document import Document
from inspector.tui.selection import Selection
from inspector.tui.state import FileState
from inspector.views import call_order

FILE = str(SAMPLES / "predict.pcapng")
SOMEWHERE = FileState(
    Selection(3, 1, ((1, 0), (2, 1)), 12), "duration", True, "status != 0", {"wide-tall:calls": 12}, True,
    {"a": Selection(2, 0, ((1, 0),), 0)}, {("/a.B/C", "request"): {"1.2": "bytes"}, (None, None): {"3": "string"}},
)  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A state folder that is not there yet."""
    monkeypatch.setenv("INSPECTOR_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_what_is_saved_is_loaded(folder):
    state.save(FILE, SOMEWHERE)
    assert state.load(FILE) == SOMEWHERE
    assert state.load(str(SAMPLES / "errors.pcapng")) == FileState()


def test_only_the_user_can_read_it(folder):
    state.save(FILE, SOMEWHERE)
    (file,) = folder.rglob("*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("value", ["", "off"])
def test_it_can_be_switched_off(tmp_path, monkeypatch, value):
    monkeypatch.setenv("INSPECTOR_STATE", value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    state.save(FILE, SOMEWHERE)
    state.save_theme("nord")
    assert state.load(FILE) == FileState()
    assert [*tmp_path.iterdir()] == []


def test_it_is_where_state_of_the_system_is(tmp_path, monkeypatch):
    monkeypatch.delenv("INSPECTOR_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    state.save(FILE, SOMEWHERE)
    assert [*(tmp_path / "inspector" / "tui").glob("*.json")]


@pytest.mark.parametrize("path", ["-", "/dev/fd/0", "/nowhere/x.pcap", "a\0b", "/tmp"])
def test_what_is_no_file_is_not_remembered(folder, path):
    state.save(path, SOMEWHERE)
    assert state.load(path) == FileState()
    assert not folder.exists()


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"x" * 100_000,
        b'{"selected": 3, "column": [], "descending": 1, "filter": {}, "sizes": [], "flipped": "x", "marks": 7}',
        b'{"selected": [-1, 0, [], null], "marks": {"a": [1, 0, [[1]], null], "long": [1, 0, [], null]}}',
        b'{"selected": [1e300, true, [], 0], "sizes": {"calls": -4, "bytes": "x"}}',
        b'{"selected": [1, 0, [[1, -1]], 99999999999999999999]}',
    ],
)  # fmt: skip
def test_what_is_not_as_it_was_written_is_done_without(folder, text):
    state.save(FILE, SOMEWHERE)
    (file,) = folder.rglob("*.json")
    file.write_bytes(text)
    assert state.load(FILE) == FileState()


def test_what_would_be_too_much_is_not_kept(folder):
    state.save(FILE, FileState(filter="x" * 100_000))
    assert state.load(FILE) == FileState()


def test_the_oldest_files_are_forgotten(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(state, "MAX_STATE_ENTRIES", 2)
    for name in "abc":
        (tmp_path / name).touch()
        state.save(str(tmp_path / name), SOMEWHERE)
        for file in folder.rglob("*.json"):
            os.utime(file, (file.stat().st_mtime - 100, file.stat().st_mtime - 100))
    assert [state.load(str(tmp_path / name)) == SOMEWHERE for name in "abc"] == [False, True, True]


# --- in the program ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_file_opens_as_it_was_left(folder, size):
    seen = {}
    sorting = "sss" if size == WIDE else "ss"  # a column that is not shown is passed over

    async def leave(terminal: Terminal) -> None:
        await terminal.press("j", "m", "q", *sorting, "greater_than_sign", "vertical_line", "2", "j", "j")
        browser = terminal.browser
        seen.update(selected=browser.selected, height=browser.query_one("#calls").outer_size.height)
        assert browser.selected.offset == 12

    async def come_back(terminal: Terminal) -> None:
        browser = terminal.browser
        assert browser.selected == seen["selected"]
        node = browser.query_one(FieldList).selected
        assert node is not None
        assert node.path == "context.locale"
        assert browser.document.order.column == "status"
        assert browser.query_one("#calls").outer_size.height == seen["height"]
        assert browser.is_flipped
        assert browser.marks["q"].call == 2

    drive([sample("predict.pcapng")], leave, size)
    drive([sample("predict.pcapng")], come_back, size)


def test_what_is_not_there_any_more_is_not_gone_to(folder):
    state.save(FILE, FileState(Selection(77, 3, (), 1_000_000), "nothing"))

    async def steps(terminal: Terminal) -> None:
        assert terminal.browser.selected.call == 1

    drive([sample("predict.pcapng")], steps)


def test_a_payload_opens_at_the_field_that_was_selected(folder):
    async def leave(terminal: Terminal) -> None:
        await terminal.press("j", "j")

    async def come_back(terminal: Terminal) -> None:
        node = terminal.browser.query_one(FieldList).selected
        assert node is not None
        assert node.path == "context.locale"

    for steps in (leave, come_back):
        drive([sample("payloads/predict_request.binpb", type_name="vision.v1.PredictRequest")], steps)


# --- the look ----------------------------------------------------------------------------------------------------


def test_colours_that_were_chosen_stay(folder):
    async def choose(terminal: Terminal) -> None:
        terminal.app.theme = "textual-light"
        await terminal.settle()

    async def look(terminal: Terminal) -> None:
        assert terminal.app.theme == "textual-light"

    drive([sample("predict.pcapng")], choose)
    drive([sample("predict.pcapng")], look)


def test_colours_are_chosen_in_the_palette(folder):
    async def choose(terminal: Terminal) -> None:
        await terminal.press("ctrl+p", *"choose colours")
        await terminal.until(lambda: terminal.app.screen.query_one(OptionList).option_count == 1)
        await terminal.press("enter")
        await terminal.until(lambda: "Search for themes" in terminal.text())
        await terminal.press(*"solarized-light")
        await terminal.until(lambda: terminal.app.screen.query_one(OptionList).option_count == 1)
        await terminal.press("enter")
        await terminal.until(lambda: terminal.app.theme == "solarized-light")

    drive([sample("predict.pcapng")], choose)
    assert state.load_theme() == "solarized-light"


def test_a_theme_that_is_none_is_told():
    with pytest.raises(InputError, match=r"there is no theme textual-lihgt \(there is textual-light"):
        InspectorApp([], theme="textual-lihgt")


def test_a_theme_that_went_away_is_done_without(folder):
    state.save_theme("of-yesterday")
    assert InspectorApp([]).theme == "textual-dark"


def test_without_colours_a_theme_of_the_terminals_colours_is_not_used(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert InspectorApp([], theme="ansi-dark").theme == "textual-dark"


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
def test_in_the_terminals_own_colours_the_row_under_the_cursor_is_told_apart(theme):
    async def steps(terminal: Terminal) -> None:
        calls = terminal.browser.query_one(CallList)
        styles = []
        for key in ("1", "2"):
            await terminal.press(key)
            styles.append(calls.render_line(1)._segments[0].style)
        assert calls.render_line(2)._segments[0].style not in styles
        assert styles[0] != styles[1]

    drive([sample("predict.pcapng")], steps, theme=theme)


def test_a_place_that_is_not_reached_yet_is_not_forgotten(folder, monkeypatch):
    path = str(SAMPLES / "large.pcapng")
    state.save(path, FileState(Selection(5)))
    waits = hold_reading(monkeypatch)

    async def steps(terminal: Terminal) -> None:
        await terminal.until(lambda: terminal.app.documents[0].index.bytes_read > WAITS_AT)
        await terminal.pilot.press("p")
        waits.set()
        await terminal.settle()
        assert terminal.browser.selected.call == 1

    drive([sample("large.pcapng")], steps, waits=False)
    assert state.load(path).selected.call == 5


def test_a_place_is_found_again_behind_a_filter_that_takes_its_time(folder, monkeypatch):
    monkeypatch.setattr(call_order, "BETWEEN_STEPS", 0)
    state.save(FILE, FileState(Selection(7), filter="words"))

    def slowly(first, last, is_cancelled):
        for row in range(first, last):
            yield [row], row + 1

    monkeypatch.setattr(Document, "finder", lambda self, where: slowly)

    async def steps(terminal: Terminal) -> None:
        assert "10 calls, 10 shown" in terminal.text()
        assert terminal.browser.selected.call == 7

    drive([sample("predict.pcapng")], steps)
