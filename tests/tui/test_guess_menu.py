"""Reading guessed fields as something else, by keys."""

from __future__ import annotations

import pytest
from tui.terminal import NARROW, SAMPLES, WIDE, Terminal, drive, sample

from inspector.schema import Schema
from inspector.transcode.tree import FieldNode
from inspector.tui import clipboard, state
from inspector.tui.browse.field_list import FieldList
from inspector.tui.document import Document
from inspector.tui.menu import Menu
from inspector.tui.state import FileState


def node(terminal: Terminal) -> FieldNode:
    found = terminal.browser.query_one(FieldList).selected
    assert found is not None
    return found


async def go(terminal: Terminal, path: str) -> None:
    await terminal.press("colon", *[{".": "full_stop"}.get(each, each) for each in path], "enter", "2")
    assert node(terminal).number_path == path


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_field_is_read_as_another_kind_where_it_stands(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j")
        await go(terminal, "1.2")
        row = terminal.browser.query_one(FieldList).cursor
        assert (node(terminal).kind, node(terminal).value) == ("string", "en-GB")
        await terminal.press("t")
        assert isinstance(terminal.app.screen, Menu)
        text = terminal.text()
        assert "Read 1.2 as" in text
        assert "● string" in text
        assert "b'en-GB'" in text
        assert text.index("● string") < text.index("b    bytes") < text.index("i    packed-int64")
        await terminal.press("b")
        assert (node(terminal).number_path, node(terminal).kind) == ("1.2", "bytes")
        assert terminal.browser.query_one(FieldList).cursor == row
        assert "--hint 1.2=bytes" in terminal.notices()[-1]

    drive([sample("predict.pcapng", schema=False)], steps, size)


def test_it_holds_for_all_messages_of_the_method_and_direction_and_for_their_json():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j")
        await go(terminal, "1.2")
        await terminal.press("t", "b")
        browser = terminal.browser
        await terminal.press("1", "j")
        assert browser.message is not None
        assert (browser.message.method, browser.message.direction) == (
            "/vision.v1.PredictionService/Predict",
            "request",
        )
        await go(terminal, "1.2")
        assert node(terminal).kind == "bytes"
        assert '"$bytes"' in browser.document.decode(browser.message).json.decode()
        await terminal.press("right_square_bracket")
        assert browser.message.direction == "response"
        assert browser.document.hints_of(browser.message) == {}

    drive([sample("predict.pcapng", schema=False)], steps)


def test_it_is_taken_back_and_copied_for_the_command_line(monkeypatch):
    copied = []
    monkeypatch.setattr(clipboard, "copy", lambda text, to_terminal: copied.append(text) or "copied")

    async def steps(terminal: Terminal) -> None:
        await terminal.press("j")
        await go(terminal, "1.2")
        await terminal.press("t", "b")
        await go(terminal, "1.1")
        await terminal.press("t", "b", "t")
        assert "--hint 1.2=bytes --hint 1.1=bytes" in terminal.text()
        await terminal.press("c")
        assert copied == ["--hint 1.2=bytes --hint 1.1=bytes"]
        await terminal.press("t", "0")
        assert (node(terminal).number_path, node(terminal).kind) == ("1.1", "string")
        assert terminal.browser.document.hints_of(terminal.browser.message) == {"1.2": "bytes"}

    drive([sample("predict.pcapng", schema=False)], steps)


def test_what_is_read_as_a_message_can_be_opened_and_closed_as_bytes():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j")
        await go(terminal, "1.2")
        await terminal.press("h")
        assert node(terminal).kind == "message"
        rows = terminal.browser.query_one(FieldList).count()
        await terminal.press("t", "b")
        assert (node(terminal).number_path, node(terminal).kind) == ("1", "bytes")
        assert terminal.browser.query_one(FieldList).count() < rows
        await terminal.press("t", "m")
        assert terminal.browser.query_one(FieldList).count() == rows

    drive([sample("predict.pcapng", schema=False)], steps)


def test_a_field_that_the_schema_tells_is_no_guess():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "t")
        assert terminal.browser
        assert "only guesses can be read otherwise" in terminal.notices()[-1]

    drive([sample("predict.pcapng")], steps)


def test_a_field_that_the_schema_lacks_is_read_as_something_else(tmp_path):
    (tmp_path / "less.proto").write_text(
        'syntax = "proto3"; package less; message Outer { Inner context = 1; } message Inner { string id = 1; }'
    )
    document = Document(
        str(SAMPLES / "payloads" / "predict_request.binpb"),
        schema=Schema.from_source(str(tmp_path / "less.proto")),
        type_name="less.Outer",
    )

    async def steps(terminal: Terminal) -> None:
        await terminal.press("2", "j", "j")
        assert (node(terminal).number_path, node(terminal).kind, node(terminal).is_guess) == ("1.2", "string", True)
        await terminal.press("t", "b")
        assert (node(terminal).number_path, node(terminal).kind) == ("1.2", "bytes")
        assert terminal.browser.message_tree.type_name == "less.Outer"

    drive([document], steps)


def test_what_guesses_are_read_as_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("INSPECTOR_STATE", str(tmp_path))

    async def read(terminal: Terminal) -> None:
        await terminal.press("j")
        await go(terminal, "1.2")
        await terminal.press("t", "b")

    async def look(terminal: Terminal) -> None:
        assert (node(terminal).number_path, node(terminal).kind) == ("1.2", "bytes")
        await terminal.press("2", "t", "0")
        assert node(terminal).kind == "string"

    async def look_again(terminal: Terminal) -> None:
        assert (node(terminal).number_path, node(terminal).kind) == ("1.2", "string")

    for steps in read, look, look_again:
        drive([sample("predict.pcapng", schema=False)], steps)


def test_hints_that_this_version_does_not_know_are_done_without(tmp_path, monkeypatch):
    monkeypatch.setenv("INSPECTOR_STATE", str(tmp_path))
    path = str(SAMPLES / "predict.pcapng")
    state.save(path, FileState(hints={(None, "request"): {"1": "no such kind"}}))

    async def steps(terminal: Terminal) -> None:
        assert terminal.app.documents[0].session.own_hints == {}

    drive([sample("predict.pcapng", schema=False)], steps)
