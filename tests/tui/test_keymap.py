"""Keys of the user's own."""

from __future__ import annotations

import pytest
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector.tui import keymap
from inspector.tui.keymap import Keymap


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The user's file, not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "inspector").mkdir()
    return tmp_path / "inspector" / "inspector.toml"


def test_without_a_file_keys_are_as_they_are(config):
    assert keymap.load() == Keymap({}, [])


def test_a_key_or_several_are_taken_from_the_users_file(config):
    config.write_text('[keys]\n"calls.sort" = "t"\n"calls.reverse" = ","\n"app.palette" = ["ctrl+o", "f3", "!", "T"]\n')
    assert keymap.load() == Keymap({"calls.sort": "t", "calls.reverse": "comma", "app.palette": "ctrl+o,f3,!,T"}, [])


def test_keys_of_a_folder_are_not_taken(config, tmp_path, monkeypatch):
    (tmp_path / "inspector.toml").write_text('[keys]\n"calls.sort" = "t"\n')
    monkeypatch.chdir(tmp_path)
    assert keymap.load() == Keymap({}, [])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"calls.sorted" = "t"', "there is no action calls.sorted (did you mean calls.sort"),
        ('"calls.sort" = "sunrisen"', "there is no key 'sunrisen'"),
        ('"calls.sort" = "hyperctrl+t"', "there is no key 'hyperctrl+t'"),
        ('"calls.sort" = 3', "calls.sort is not a key"),
        ('"calls.sort" = []', "calls.sort is not a key"),
        ('"calls.sort" = [3]', "calls.sort has a key that is no text"),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_holds(config, line, said):
    config.write_text(f'[keys]\n{line}\n"calls.reverse" = "u"\n')
    found = keymap.load()
    assert found.keys == {"calls.reverse": "u"}
    assert [said in each for each in found.problems] == [True]


def test_two_actions_with_one_key_are_told(config):
    config.write_text('[keys]\n"calls.sort" = "S"\n')
    assert keymap.load().problems == [f"{config}: keys: S is the key of calls.sort and calls.reverse"]


@pytest.mark.parametrize("text", ["[keys", "keys = 3", "\xff"])
def test_a_file_that_cannot_be_read_is_told(config, text):
    config.write_bytes(text.encode("latin-1"))
    found = keymap.load()
    assert found.keys == {}
    assert len(found.problems) == 1
    assert str(config) in found.problems[0]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_footer_and_help_tell_the_users_keys_and_they_work(size):
    async def steps(terminal: Terminal) -> None:
        order = terminal.browser.document.order
        assert "t sort" in terminal.lines()[-1]
        assert "f3 help" in terminal.lines()[-1]
        await terminal.press("s")
        assert order.column == "number"
        await terminal.press("t")
        assert order.column == ("kind" if size == NARROW else "started")
        await terminal.press("f3")
        assert "  t " in terminal.text()
        assert "Sort by the next column" in terminal.text()

    keys = Keymap({"calls.sort": "t", "app.help": "f3"}, [])
    drive([sample("predict.pcapng")], steps, size, keys=keys)


def test_a_wrong_line_is_no_reason_not_to_start():
    async def steps(terminal: Terminal) -> None:
        assert terminal.notices() == ["keys: there is no action x"]

    drive([sample("predict.pcapng")], steps, keys=Keymap({}, ["keys: there is no action x"]))
