"""What was sent is kept, without credentials, and sent again."""

from __future__ import annotations

import stat

import pytest
from kitchen_server import SERVICE
from tui.composing import Composer, compose
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector import limits
from inspector.tui.collections import history
from inspector.tui.collections.library import SentRequests
from inspector.tui.compose.draft import Draft, MetadataRow
from inspector.views.written_request import WrittenField

NAMES = bytes.fromhex("ba010161")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("INSPECTOR_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state"


def is_kept(count):
    return lambda: len(history.entries()) == count


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_request_that_was_sent_is_found_by_its_text_and_opened(folder, size):
    async def steps(terminal: Composer) -> None:
        await terminal.send()
        await terminal.until(is_kept(1))
        (entry,) = history.entries()
        assert entry.status == "OK"
        assert entry.seconds > 0
        assert entry.request.messages(None) == (NAMES,)
        assert entry.request.metadata == (WrittenField("x-api-key", "${X_API_KEY}"), WrittenField("x-a", "b"))
        (file,) = folder.rglob("*.request")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"s3cret" not in file.read_bytes()
        before = terminal.screen
        await terminal.press("f10")
        await terminal.until(lambda: isinstance(terminal.app.screen, SentRequests))
        await terminal.press(*"nothing like it")
        assert "0 of 1" in terminal.text()
        await terminal.press(*["backspace"] * 15, *'names":')
        assert "1 of 1" in terminal.text()
        assert '"names": [ "a" ]' in terminal.text()
        await terminal.press("enter")
        await terminal.until(lambda: terminal.screen is not before and terminal.screen.messages)
        assert terminal.screen.draft.messages == (NAMES,)
        assert terminal.screen.draft.target == before.draft.target

    rows = MetadataRow("x-api-key", "s3cret"), MetadataRow("x-a", "b")
    compose(steps, messages=(NAMES,), draft=Draft(metadata=rows), size=size)


def test_one_is_removed_or_all_are():
    async def steps(terminal: Composer) -> None:
        for count in (1, 2, 3):
            await terminal.send()
            await terminal.until(is_kept(count))
        newest = history.entries()[0].key
        await terminal.press("f10")
        await terminal.until(lambda: isinstance(terminal.app.screen, SentRequests))
        await terminal.press("f8")
        assert len(history.entries()) == 2
        assert newest not in [each.key for each in history.entries()]
        assert "2 of 2" in terminal.text()
        await terminal.press("f9", "escape")
        assert len(history.entries()) == 2
        await terminal.press("f9", "y")
        assert history.entries() == []
        await terminal.press("enter", "escape", "f10")
        await terminal.until(lambda: "nothing was sent yet" in terminal.told())

    compose(steps)


def test_what_could_not_be_sent_is_kept_too_and_all_messages_of_a_stream():
    async def steps(terminal: Composer) -> None:
        await terminal.press("f9")
        await terminal.until(is_kept(1))
        assert history.entries()[0].request.messages(None) == (NAMES, b"")
        terminal.screen.change_draft(terminal.screen.call_draft._replace(target="unix:/does/not/exist"))
        await terminal.press("f9")
        await terminal.until(is_kept(2))
        assert history.entries()[0].status == "not sent"

    compose(steps, f"{SERVICE}/Collect", messages=(NAMES, b""))


def test_nothing_is_kept_where_that_is_switched_off(monkeypatch, folder):
    async def steps(terminal: Composer) -> None:
        await terminal.send()
        await terminal.settle()
        assert history.entries() == []

    monkeypatch.setenv("INSPECTOR_STATE", "off")
    compose(steps)
    assert not folder.exists()


class Sent:
    """A call that was made."""

    so_far = error = schema = None
    messages = ()


def test_it_is_bounded(monkeypatch):
    monkeypatch.setattr(history, "MAX_HISTORY_ENTRIES", 3)
    for number in range(5):
        history.keep(Draft("a.B/C", (bytes([8, number]),), "h:1"), Sent())
    assert [each.request.messages(None) for each in history.entries()] == [(bytes([8, at]),) for at in (4, 3, 2)]
    large = b"\x0a\x80\x80\x40" + bytes(1 << 20)
    history.keep(Draft("a.B/C", (large,), "h:1"), Sent())
    newest = history.entries()[0]
    assert (newest.is_whole, newest.request.messages(None)) == (False, ())
    assert len(large) > limits.MAX_HISTORY_REQUEST


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b'{"request": 1}', b"\xff", b'{"time": "x", "request": {}}'])
def test_what_was_damaged_is_passed_over(folder, damage):
    history.keep(Draft("a.B/C", (b"",), "h:1"), Sent())
    history.keep(Draft("a.B/D", (b"",), "h:1"), Sent())
    first = min(folder.rglob("*.request"))
    first.write_bytes(damage)
    assert [each.request.method for each in history.entries()] == ["a.B/D"]


def test_marks_of_the_terminal_in_what_is_kept_are_shown_as_escapes():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("f10")
        assert isinstance(terminal.app.screen, SentRequests)
        assert "a.B/\\x1b[31mC" in terminal.text()

    history.keep(Draft("a.B/\x1b[31mC", (b"",), "h:1"), Sent())
    drive([sample("predict.pcapng")], steps)
