"""Several files as tabs, and payloads that are pasted."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input, Static, TextArea
from tui.real_terminal import RealTerminal
from tui.terminal import NARROW, SAMPLES, WIDE, Terminal, drive, sample

from inspector.errors import InspectorError
from inspector.schema import Schema
from inspector.tui.browse.field_list import FieldList
from inspector.tui.browse.file_tabs import FileTabs
from inspector.tui.browse.screen import BrowseScreen
from inspector.tui.compose.form_list import FormList
from inspector.tui.compose.screen import ComposeScreen
from inspector.tui.diff.screen import DiffScreen
from inspector.tui.opening import AskPayload, Options, opened

HEX = "0a0568656c6c6f 1003"
"""1: "hello", 2: 3"""


TYPED = Options(schema=Schema.from_source(str(SAMPLES / "vision.binpb")), type_name="vision.v1.PredictResponse")


def two() -> list:
    return [sample("predict.pcapng"), sample("errors.pcapng")]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_each_file_has_a_tab_and_keeps_its_place(size):
    async def steps(terminal: Terminal) -> None:
        assert "1 predict.pcapng  2 errors.pcapng" in terminal.lines()[0]
        await terminal.press("j")
        call = terminal.browser.selected.call
        await terminal.press("right_parenthesis")
        assert terminal.browser.document.name == "errors.pcapng"
        assert "errors.pcapng" in terminal.lines()[1]
        assert terminal.browser.selected.call == 1
        await terminal.press("right_parenthesis")
        assert terminal.browser.document.name == "predict.pcapng"
        assert terminal.browser.selected.call == call != 1
        await terminal.press("left_parenthesis")
        assert terminal.browser.document.name == "errors.pcapng"

    drive(two(), steps, size)


def test_one_file_has_no_line_of_tabs():
    async def steps(terminal: Terminal) -> None:
        assert not terminal.browser.query_one(FileTabs).display
        await terminal.press("right_parenthesis")
        assert terminal.browser.document.name == "predict.pcapng"

    drive([sample("predict.pcapng")], steps)


def test_a_click_goes_to_a_file():
    async def steps(terminal: Terminal) -> None:
        await terminal.click("2 errors.pcapng")
        assert terminal.browser.document.name == "errors.pcapng"
        await terminal.click("1 predict.pcapng")
        assert terminal.browser.document.name == "predict.pcapng"

    drive(two(), steps)


def test_of_many_files_the_one_that_is_seen_has_its_name_in_the_line():
    async def steps(terminal: Terminal) -> None:
        for _ in range(6):
            await terminal.press("right_parenthesis")
        assert "7 errors.pcapng" in terminal.lines()[0]
        assert terminal.lines()[0].startswith("‹")

    drive([sample("errors.pcapng") for _ in range(7)], steps, NARROW)


def test_a_file_that_is_not_looked_at_is_not_read():
    documents = two()

    async def steps(terminal: Terminal) -> None:
        assert len(documents[0].index)
        assert not len(documents[1].index)

    drive(documents, steps)


def test_filters_and_marks_are_those_of_one_file():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("m", "a", "slash", *"nothing", "enter", "right_parenthesis")
        assert not terminal.browser.document.order.is_filtered

        await terminal.press("apostrophe")
        assert any("mark" in each for each in terminal.notices())

    drive(two(), steps)


def test_two_files_are_compared_and_enter_leads_to_the_place():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "d", "right_parenthesis", "2", "d")
        await terminal.until(lambda: isinstance(terminal.app.screen, DiffScreen))
        await terminal.settle()
        await terminal.press("h")
        await terminal.until(lambda: isinstance(terminal.app.screen, BrowseScreen))
        assert terminal.browser.document.name == "predict.pcapng"

    drive(two(), steps)


# --- opening and closing ---------------------------------------------------------------------------------------------


def test_another_file_is_opened():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("ctrl+t")
        terminal.app.screen.query_one(Input).value = str(SAMPLES / "errors.pcapng")
        await terminal.press("enter")
        await terminal.until(lambda: len(terminal.app.documents) == 2)
        await terminal.settle()
        assert terminal.browser.document.name == "errors.pcapng"
        assert terminal.browser.document.schema is terminal.app.documents[0].schema
        assert "1 predict.pcapng  2 errors.pcapng" in terminal.lines()[0]

    drive([sample("predict.pcapng")], steps)


def test_a_path_is_completed(tmp_path):
    (tmp_path / "with blanks.pcapng").write_bytes(b"")

    async def steps(terminal: Terminal) -> None:
        await terminal.press("ctrl+t")
        terminal.app.screen.query_one(Input).value = f"{tmp_path}/wi"
        await terminal.press("end")
        await terminal.until(lambda: "with blanks.pcapng" in terminal.lines()[-1])
        await terminal.press("right")
        assert terminal.app.screen.query_one(Input).value == f"{tmp_path}/with blanks.pcapng"

    drive([sample("predict.pcapng")], steps)


def test_what_cannot_be_opened_is_said_in_the_prompt(tmp_path):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("ctrl+t")
        terminal.app.screen.query_one(Input).value = str(tmp_path / "none")
        await terminal.press("enter")
        await terminal.until(lambda: terminal.app.screen.query_one("#wrong", Static).has_class("-wrong"))
        assert "No such file" in terminal.text()
        await terminal.press("escape")
        assert len(terminal.app.documents) == 1
        assert terminal.browser.document.name == "predict.pcapng"

    drive([sample("predict.pcapng")], steps)


def test_a_file_that_is_being_read_can_be_closed():
    async def steps(terminal: Terminal) -> None:
        document = terminal.app.documents[0]
        with document.reading:  # as the thread that reads has it
            await terminal.pilot.press("ctrl+w")
            await terminal.until(lambda: terminal.app.shown is terminal.app.documents[-1])
            assert document.call(1) is not None
        await terminal.settle()
        assert terminal.browser.document.name == "errors.pcapng"

    drive(two(), steps)


def test_a_file_is_closed_and_the_next_is_seen():
    documents = two()

    async def steps(terminal: Terminal) -> None:
        await terminal.press("ctrl+w")
        assert [each.name for each in terminal.app.documents] == ["errors.pcapng"]
        assert terminal.browser.document.name == "errors.pcapng"
        assert not terminal.browser.query_one(FileTabs).display
        await terminal.press("ctrl+w")
        assert "Quit?" in terminal.text()
        await terminal.press("n")
        assert terminal.app.is_running

    drive(documents, steps)


async def edit_request(terminal: Terminal) -> ComposeScreen:
    """The composer with the request of a call, its first text typed over."""
    await terminal.press("j", "e")
    await terminal.until(lambda: isinstance(terminal.app.screen, ComposeScreen))
    await terminal.settle()
    screen = terminal.app.screen
    assert isinstance(screen, ComposeScreen)
    rows = screen.query_one(FormList)
    rows.move_to(next(at for at, row in enumerate(rows.form.rows) if row.item and row.item.kind == "string"))
    await terminal.press("enter", *"typed", "enter")
    return screen


def test_a_request_that_was_edited_goes_with_its_file_only_where_that_is_meant():
    async def steps(terminal: Terminal) -> None:
        composer = await edit_request(terminal)
        await terminal.press("ctrl+w")
        assert "PredictionService/Predict was edited, and is not saved. Close the file?" in terminal.text()
        await terminal.press("n")
        assert terminal.app.screen is composer
        assert "typed" in terminal.text()
        assert len(terminal.app.documents) == 2
        await terminal.press("ctrl+w", "y")
        await terminal.until(lambda: len(terminal.app.documents) == 1)
        await terminal.settle()
        assert terminal.browser.document.name == "errors.pcapng"

    drive(two(), steps)


def test_a_request_that_was_edited_is_named_where_the_only_file_is_closed():
    async def steps(terminal: Terminal) -> None:
        await edit_request(terminal)
        await terminal.press("ctrl+w")
        assert "PredictionService/Predict was edited, and is not saved. This is the only file. Quit?" in terminal.text()

    drive([sample("predict.pcapng")], steps)


def test_a_request_that_was_not_edited_or_is_saved_goes_with_its_file(tmp_path, monkeypatch):
    async def steps(terminal: Terminal) -> None:
        composer = await edit_request(terminal)
        await terminal.press("ctrl+s", "enter")
        await terminal.until(lambda: composer.saved_as is not None)
        await terminal.settle()
        await terminal.press("ctrl+w")
        assert [each.name for each in terminal.app.documents] == ["errors.pcapng", "predict.pcapng"]
        await terminal.press("j", "e")
        await terminal.until(lambda: isinstance(terminal.app.screen, ComposeScreen))
        await terminal.press("ctrl+w")
        assert [each.name for each in terminal.app.documents] == ["predict.pcapng"]

    (tmp_path / "inspector.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    drive([*two(), sample("predict.pcapng")], steps)


def test_a_request_counts_as_edited_by_its_message_its_faults_and_what_goes_with_it():
    async def steps(terminal: Terminal) -> None:
        composer = await edit_request(terminal)
        assert composer.is_edited
        await terminal.press("u")
        assert not composer.is_edited
        composer.query_one(FormList).move_to(
            next(at for at, row in enumerate(composer.edited.form.rows) if row.item and row.item.kind == "integer")
        )
        await terminal.press("enter", *"many", "enter")
        assert composer.is_edited
        await terminal.press("u", "f4", "a", *"x-a: b", "enter")
        assert composer.is_edited
        await terminal.press("x")
        assert not composer.is_edited
        await terminal.press("f3", "ctrl+a", "x")
        assert composer.is_edited

    drive(two(), steps)


# --- pasted ----------------------------------------------------------------------------------------------------------


async def paste(terminal: Terminal, text: str) -> AskPayload:
    terminal.app.screen.post_message(events.Paste(text))
    await terminal.until(lambda: isinstance(terminal.app.screen, AskPayload))
    await terminal.settle()
    screen = terminal.app.screen
    assert isinstance(screen, AskPayload)
    return screen


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEX, "hex: message, 9 bytes"),
        (base64.b64encode(bytes.fromhex(HEX)).decode(), "base64: message, 9 bytes"),
        ("00000000  0a 05 68 65 6c 6c 6f 10  03  |..hello..|", "hex: message, 9 bytes"),
        ("00000000 09 " + HEX, "hex: grpc, 14 bytes"),
        ('{"1": "hello", "2": 3}', "json: message, 9 bytes"),
        ('1: {"hello"}\n2: 3', "protoscope: message, 9 bytes"),
    ],
    ids=["hex", "base64", "dump", "grpc", "json", "protoscope"],
)
def test_what_is_pasted_is_told_and_opened(text, told):
    async def steps(terminal: Terminal) -> None:
        await paste(terminal, text)
        assert told in terminal.text()
        await terminal.press("ctrl+s")
        await terminal.until(lambda: len(terminal.app.documents) == 2)
        await terminal.settle()
        private = terminal.browser.document.private_file
        assert private is not None
        assert private.stat().st_mode & 0o777 == 0o600
        assert '"hello"' in terminal.text()
        rows = terminal.browser.message_tree
        assert rows is not None
        assert rows.data == bytes.fromhex(HEX)
        kept.append(private)
        await terminal.press("ctrl+w")
        await terminal.until(lambda: not private.exists())
        assert terminal.browser.document.name == "predict.pcapng"

    kept: list[Path] = []
    drive([sample("predict.pcapng")], steps)
    assert len(kept) == 1


def test_a_type_gives_fields_their_names():
    async def steps(terminal: Terminal) -> None:
        screen = await paste(terminal, '{"model": "m"}')
        screen.query_one(Input).value = "vision.v1.PredictRequest"
        await terminal.settle()
        assert "json: message, 3 bytes" in terminal.text()
        await terminal.press("ctrl+s")
        await terminal.until(lambda: len(terminal.app.documents) == 2)
        await terminal.settle()
        assert "model" in "\n".join(terminal.lines())
        assert terminal.browser.query_one(FieldList).selected is not None

    drive([sample("predict.pcapng")], steps)


def test_what_is_no_payload_is_said_as_it_is_typed():
    async def steps(terminal: Terminal) -> None:
        screen = await paste(terminal, "hello there, this is a sentence")
        assert "neither hexadecimal nor base64" in terminal.text()
        await terminal.press("ctrl+s")
        assert terminal.app.screen is screen
        screen.query_one(TextArea).text = "0a 05"
        await terminal.settle()
        assert "hex: message, 2 bytes" in terminal.text()
        await terminal.press("escape")
        assert len(terminal.app.documents) == 1

    drive([sample("predict.pcapng")], steps)


def test_a_file_of_hexadecimal_is_read_as_what_it_stands_for(tmp_path):
    path = tmp_path / "payload.txt"
    path.write_text(HEX)
    document = opened(str(path), Options())
    try:
        assert document.name == "payload.txt"
        while document.index.advance(1 << 20):
            pass
        message = document.message(0, 0)
        assert message is not None
        assert message.data == bytes.fromhex(HEX)
    finally:
        document.close()
    assert document.private_file is not None
    assert not document.private_file.exists()


def test_a_file_of_an_array_of_json_holds_many_messages():
    document = opened(str(SAMPLES / "payloads/responses.json"), TYPED)
    try:
        document.index.build()
        assert document.message_count(0) == 4
        assert document.kind == "delimited"
    finally:
        document.close()


def test_what_is_wrong_with_a_text_is_said(tmp_path):
    path = tmp_path / "wrong.json"
    path.write_text('[{"name": 5}]')
    with pytest.raises(InspectorError, match=r"wrong\.json, line 1, column 11: .*expected a string"):
        opened(str(path), TYPED)


PIPE = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1], shell=True).returncode)"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (f"echo {HEX}", b"hello"),
        ("cat samples/errors.pcapng", b"15 calls"),
        ("cat samples/vision.binpb", b"guessed"),
        ("tail -c +1 -f samples/errors.pcapng", b"NOT_FOUND"),
    ],
    ids=["hex", "capture", "message", "open"],
)
def test_what_is_piped_in_is_shown_as_it_comes(command, shown):
    piped = f"{command} | {sys.executable} -m inspector tui - --no-state"
    with RealTerminal(piped, program=("-c", PIPE), columns=100, lines=30) as terminal:
        terminal.wait_for(shown)
        terminal.send(b"q")
        assert terminal.end() == 0


def test_a_named_pipe_is_shown_as_it_comes_and_can_be_left(tmp_path):
    os.mkfifo(tmp_path / "captured")
    writing = f"tail -c +1 -f {SAMPLES / 'errors.pcapng'} > {tmp_path / 'captured'} &"
    command = f"{writing} {sys.executable} -m inspector tui {tmp_path / 'captured'} --no-state"
    with RealTerminal(command, program=("-c", PIPE), columns=100, lines=30) as terminal:
        terminal.wait_for(b"NOT_FOUND")
        terminal.send(b"q")
        assert terminal.end() == 0


def test_a_named_pipe_is_not_waited_for_in_the_terminal_ui(tmp_path):
    os.mkfifo(tmp_path / "captured")

    async def steps(terminal: Terminal) -> None:
        await terminal.press("ctrl+t")
        terminal.app.screen.query_one(Input).value = str(tmp_path / "captured")
        await terminal.press("enter")
        assert "it is a pipe" in terminal.text()

    drive([sample("predict.pcapng")], steps)
