"""Requests saved, found and opened again, and commands pasted, by keys and against a real server."""

from __future__ import annotations

import json
import os

import pytest
from kitchen_server import PROTOS, SERVICE
from textual import events
from tui.composing import Composer, compose
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector.errors import InputError
from inspector.schema import Schema
from inspector.tui.collections import folder as folders
from inspector.tui.collections.library import SavedRequests
from inspector.tui.compose.draft import Draft, MetadataRow
from inspector.tui.compose.form_list import FormList
from inspector.tui.compose.large_editor import LargeEditor
from inspector.tui.compose.picker import Picker
from inspector.tui.compose.screen import ComposeScreen

METHOD = f"{SERVICE}/Echo"
NAMES = bytes.fromhex("ba010161")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """The folder of a project, in a folder of which one works."""
    (tmp_path / "inspector.toml").write_text("")
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    monkeypatch.setenv("INSPECTOR_STATE", "off")
    return tmp_path


def is_open(terminal, kind):
    return lambda: isinstance(terminal.app.screen, kind)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_request_is_saved_and_opened_again(project, size):
    async def steps(terminal: Composer) -> None:
        await terminal.press("ctrl+s", *["backspace"] * 4, *"orders/first", "enter")
        path = project / "requests" / "orders" / "first.request.json"
        await terminal.until(path.exists)
        saved = json.loads(path.read_text())
        assert list(saved) == ["method", "target", "metadata", "messages"]
        assert saved["metadata"] == ["x-api-key: ${X_API_KEY}", "# x-off: 1"]
        assert saved["messages"] == [{"names": ["a"]}]
        assert "of x-api-key it has no value" in terminal.told()
        before = terminal.screen
        await terminal.press("ctrl+l")
        await terminal.until(is_open(terminal, SavedRequests))
        await terminal.press(*"frst")
        assert "orders/first" in terminal.text()
        assert f'"method": "{METHOD}"' in terminal.text()
        await terminal.press("enter")
        await terminal.until(lambda: terminal.screen is not before and terminal.screen.messages)
        draft = terminal.screen.draft
        assert draft.messages == (NAMES,)
        assert draft.metadata == (MetadataRow("x-api-key", "${X_API_KEY}"), MetadataRow("x-off", "1", False))
        await terminal.press("ctrl+s", "enter")
        await terminal.until(lambda: terminal.told().count("saved as") == 2)
        assert json.loads(path.read_text()) == saved

    rows = MetadataRow("x-api-key", "s3cret"), MetadataRow("x-off", "1", False)
    compose(steps, messages=(NAMES,), draft=Draft(metadata=rows), size=size)


def test_a_request_that_is_not_whole_is_not_saved(project):
    async def steps(terminal: Composer) -> None:
        await terminal.field("stringValue")
        await terminal.over("abc")
        await terminal.field("int32Value")
        await terminal.over("zzz")
        await terminal.press("j", "ctrl+s")
        assert terminal.app.screen is terminal.screen
        assert "it cannot be saved: int32Value: zzz is not an integer" in terminal.told()
        assert terminal.screen.query_one(FormList).selected.path == ("int32Value",)
        await terminal.press("u", "f3", "down", "end", *", ", "ctrl+s")
        assert terminal.app.screen is terminal.screen
        assert "it cannot be saved: line 3, column 1" in terminal.told()
        await terminal.press("backspace", "backspace")
        await terminal.press("ctrl+s", "enter")
        await terminal.until((project / "requests" / "Echo.request.json").exists)

    compose(steps)


def test_what_stands_in_a_row_that_is_edited_is_saved(project):
    async def steps(terminal: Composer) -> None:
        await terminal.field("stringValue")
        await terminal.press("enter", *"abc", "ctrl+s", "enter")
        path = project / "requests" / "Echo.request.json"
        await terminal.until(path.exists)
        assert json.loads(path.read_text())["messages"] == [{"stringValue": "abc"}]

    compose(steps)


def test_the_server_is_asked_for_the_schema_of_a_saved_request_and_it_is_sent(project):
    async def steps(terminal: Composer) -> None:
        target = terminal.screen.draft.target
        write(project, "a", {"method": METHOD, "target": target, "messages": [{"names": ["a"]}]})
        await open_saved(terminal)
        await terminal.send()
        assert terminal.kitchen.requests == [NAMES]

    compose(steps, asks_server=True)


def write(project, name, value):
    path = project / "requests" / f"{name}.request.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


async def open_saved(terminal, *keys):
    before = terminal.app.screen
    await terminal.press("ctrl+l")
    await terminal.until(is_open(terminal, SavedRequests))
    await terminal.press(*keys, "enter")
    await terminal.until(lambda: is_open(terminal, ComposeScreen)() and terminal.app.screen is not before)


def test_the_schema_may_stand_in_the_file(project):
    async def steps(terminal: Terminal) -> None:
        await open_saved(terminal)
        screen = terminal.app.screen
        assert screen.draft.messages == (NAMES,)
        assert screen.method.request == "kitchen.v1.Sink"

    (project / "protos").symlink_to(PROTOS)
    value = {"method": METHOD, "target": "h:1", "schema": ["../protos"], "messages": [{"names": ["a"]}]}
    write(project, "a", value)
    drive([sample("predict.pcapng")], steps)


def test_a_request_whose_schema_cannot_be_had_is_opened_without_its_messages_and_its_file_stays(project):
    async def steps(terminal: Terminal) -> None:
        await open_saved(terminal)
        screen = terminal.app.screen
        told = "\n".join(terminal.notices())
        assert "its messages are left out, as there is no schema for them" in told
        assert "none.binpb" in told
        assert screen.draft.messages in ((), (b"",))
        await terminal.press("ctrl+s", *["backspace"] * 4, "a", "enter")
        assert "Write over it?" in terminal.text()
        await terminal.press("escape")
        assert path.read_text() == before

    path = write(project, "a", {"method": METHOD, "target": "h:1", "schema": ["none.binpb"], "messages": [{"a": 1}]})
    before = path.read_text()
    drive([sample("predict.pcapng")], steps)


def test_what_is_wrong_in_a_file_is_told_with_its_place(project):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("ctrl+l", "enter")
        assert any(
            "a.request.json, line 1, column 12: method: expected a string" in each for each in terminal.notices()
        )

    write(project, "a", '{"method": 1}')
    drive([sample("predict.pcapng")], steps)


def test_requests_are_found_by_method_and_target_renamed_and_removed(project):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("ctrl+l")
        screen = terminal.app.screen
        assert isinstance(screen, SavedRequests)
        assert "3 of 3" in terminal.text()
        await terminal.press(*"staging")
        assert "1 of 3" in terminal.text()
        await terminal.press("f2", *["backspace"] * 3, *"two", "enter")
        assert sorted(each.name for each in folder.iterdir()) == [
            "one.request.json", "three.request.json", "two.request.json",
        ]  # fmt: skip
        await terminal.press("f2", *["backspace"] * 3, *"one", "enter")
        assert "there is a one.request.json" in terminal.text()
        await terminal.press("escape", "f8", "n", "f8", "y")
        assert sorted(each.name for each in folder.iterdir()) == ["one.request.json", "three.request.json"]
        assert "0 of 2" in terminal.text()
        await terminal.press("f8", "f2", "escape")
        assert not isinstance(terminal.app.screen, SavedRequests)

    folder = project / "requests"
    write(project, "one", {"method": "a.B/C", "target": "h:1"})
    write(project, "old", {"method": "a.B/D", "target": "@staging"})
    write(project, "three", "{")
    drive([sample("predict.pcapng")], steps)


def test_only_files_are_listed(project):
    write(project, "one", {"method": "a.B/C"})
    folder = project / "requests"
    os.mkfifo(folder / "pipe.request.json")
    (folder / "folder.request.json").mkdir()
    (folder / "none.request.json").symlink_to("nowhere")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.request.json").write_text("{}")
    assert [(each.name, each.method) for each in folders.saved_in(folder)] == [("one", "a.B/C")]


def test_without_saved_requests_it_is_said_how_to_save(project):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("ctrl+l")
        assert "ctrl+s in the composer" in terminal.notices()[-1]

    drive([sample("predict.pcapng")], steps)


@pytest.mark.parametrize("name", ["", "..", "../a", "/etc/a", "a/../b", ".a", "a//b", "a\x1bb", "a\\b", "x" * 300])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(InputError):
        folders.path_for(tmp_path, name)


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads out"):
        folders.path_for(tmp_path / "in", "out/a")


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="it cannot be saved"):
        folders.save(tmp_path / "file" / "a", b"")
    with pytest.raises(InputError, match="it cannot be removed"):
        folders.remove(tmp_path / "none")


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_command_that_is_pasted_is_a_request(size):
    async def steps(terminal: Composer) -> None:
        target = terminal.screen.draft.target
        before = terminal.screen
        text = f"grpcurl -plaintext -emit-defaults -H 'x-a: b' -d '{{\"names\": [\"a\"]}}' {target} {METHOD}"
        before.focused.post_message(events.Paste(text))
        await terminal.until(lambda: terminal.screen is not before and terminal.screen.messages)
        assert "-emit-defaults is left out" in terminal.told()
        assert terminal.screen.draft.metadata == (MetadataRow("x-a", "b"),)
        await terminal.send()
        assert terminal.kitchen.requests == [NAMES]

    compose(steps, size=size)


def test_text_that_is_pasted_where_one_types_stays_text():
    async def steps(terminal: Composer) -> None:
        before = terminal.screen
        await terminal.press("f3")
        before.focused.post_message(events.Paste("grpcurl h:1 a/b"))
        await terminal.until(lambda: "grpcurl h:1 a/b" in terminal.text())
        assert terminal.screen is before
        await terminal.press("f2")
        before.focused.post_message(events.Paste("anything else"))
        await terminal.settle()
        assert terminal.screen is before

    compose(steps)


def test_a_command_is_pasted_from_the_palette_and_what_is_wrong_with_it_is_told_there(project):
    async def steps(terminal: Terminal) -> None:
        await terminal.app.run_action("paste_command")
        await terminal.settle()
        assert isinstance(terminal.app.screen, LargeEditor)
        await terminal.press(*"grpcurl h", "ctrl+s")
        assert "this command makes no call" in terminal.text()
        text = f'grpcurl -import-path {PROTOS} -proto kitchen/v1/sink.proto -d \'{{"names": ["a"]}}\' h:1 {METHOD}'
        terminal.app.screen.focused.load_text(text)
        await terminal.press("ctrl+s")
        await terminal.until(is_open(terminal, ComposeScreen))
        draft = terminal.app.screen.draft
        assert draft.messages == (NAMES,)
        assert Schema.from_sources(draft.sources, draft.import_paths).find_method(METHOD) is not None

    drive([sample("predict.pcapng")], steps)


def test_what_is_wrong_with_the_data_of_a_command_is_mended_where_it_stands():
    async def steps(terminal: Composer) -> None:
        before = terminal.screen
        text = f"grpcurl -plaintext -d '{{\"names\": a}}' {before.draft.target.removeprefix('grpc://')} {METHOD}"
        before.focused.post_message(events.Paste(text))
        await terminal.until(lambda: isinstance(terminal.app.screen, LargeEditor))
        assert "! line 1, column 11" in terminal.text()
        terminal.app.screen.focused.load_text(text.replace(": a", ': ["a"]'))
        await terminal.press("ctrl+s")
        await terminal.until(lambda: terminal.screen is not before and terminal.screen.messages)
        assert terminal.screen.draft.messages == (NAMES,)
        await terminal.press("escape", "P", "escape")
        assert terminal.app.screen is before

    compose(steps)


def test_a_command_that_is_pasted_while_a_method_is_chosen_is_a_request():
    async def steps(terminal: Composer) -> None:
        await terminal.until(lambda: isinstance(terminal.app.screen, Picker))
        terminal.app.screen.focused.post_message(events.Paste("no command"))
        await terminal.until(lambda: terminal.app.screen.focused.value == "no command")
        text = f"grpcurl -plaintext -d '{{}}' {terminal.app.draft.target.removeprefix('grpc://')} {METHOD}"
        terminal.app.screen.focused.post_message(events.Paste(text))
        await terminal.until(lambda: terminal.screen.messages and terminal.app.screen is terminal.screen)
        assert terminal.screen.method.name == METHOD

    compose(steps, method="")


def test_a_saved_request_that_was_edited_is_not_left_without_a_question(project):
    file = {"method": METHOD, "messages": [{"names": ["a"]}], "schema": [str(PROTOS)]}
    folder = project / "requests"
    folder.mkdir()
    (folder / "one.request.json").write_text(json.dumps(file))

    async def steps(terminal: Terminal) -> None:
        async def opened() -> ComposeScreen:
            await terminal.press("ctrl+l")
            await terminal.until(is_open(terminal, SavedRequests))
            await terminal.press("enter")
            await terminal.until(lambda: is_open(terminal, ComposeScreen)() and terminal.app.screen.messages)
            return terminal.app.screen

        browser = terminal.app.screen
        await opened()
        await terminal.press("escape")
        assert terminal.app.screen is browser
        composer = await opened()
        composer.change_draft(composer.draft._replace(metadata=(MetadataRow("x-a", "b"),)))
        await terminal.press("escape")
        assert "Echo was edited, and is neither sent nor saved. Leave it?" in terminal.text()
        await terminal.press("n")
        assert terminal.app.screen is composer
        assert composer.draft.metadata == (MetadataRow("x-a", "b"),)
        await terminal.press("escape", "y")
        assert terminal.app.screen is browser

    drive([sample("predict.pcapng")], steps)
