"""Copying, editor and pager: with programs that are there, and without."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from tui.terminal import NARROW, ROOT, WIDE, Terminal, drive, sample

from inspector.tui import clipboard

VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY", "SSH_CONNECTION", "WSL_DISTRO_NAME", "VISUAL", "EDITOR",
             "PAGER")  # fmt: skip


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder with the only programs that there are; what writes `got` is told by its own name."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cat", "sh"):
        (folder / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return folder.parent / "got"


def sent(terminal: Terminal) -> list[str]:
    """What goes to the terminal from now on, besides frames."""
    got: list[str] = []
    driver = terminal.app._driver
    write = driver.write
    driver.write = lambda text: (got.append(text), write(text))
    return got


@pytest.mark.parametrize(
    ("name", "variable"), [("wl-copy", "WAYLAND_DISPLAY"), ("xclip", "DISPLAY"), ("xsel", "DISPLAY"), ("tmux", "TMUX")]
)
def test_a_program_that_is_there_takes_it(programs, monkeypatch, name, variable):
    got = program(programs, name, f"cat > {programs.parent}/got")
    monkeypatch.setenv(variable, "there")
    assert clipboard.copy("grüße", None).startswith(f"copied with {name}")
    assert got.read_text(encoding="utf-8") == "grüße"


def test_without_a_display_its_program_is_not_asked(programs):
    program(programs, "xclip", "exit 0")
    assert "OSC 52" in clipboard.copy("text", lambda sequence: None)


def test_a_program_that_fails_gives_way_to_the_next(programs, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":9")
    program(programs, "xclip", "exit 1")
    got: list[str] = []
    assert clipboard.copy("text", got.append).startswith("sent to the terminal (OSC 52)")
    assert got == [f"\x1b]52;c;{base64.b64encode(b'text').decode()}\a"]


def test_a_program_that_waits_for_ever_is_given_up(programs, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr(clipboard, "PATIENCE", 0.05)
    program(programs, "xclip", "read line < /dev/zero; exec cat /dev/zero > /dev/null")
    assert "OSC 52" in clipboard.copy("text", lambda sequence: None)


@pytest.mark.parametrize("large", [True, False])
def test_what_the_terminal_may_not_take_is_a_file_for_ones_own_eyes(programs, monkeypatch, large):
    if not large:
        monkeypatch.setenv("STY", "screen")
    text = "x" * (100_000 if large else 5)
    said = clipboard.copy(text, lambda sequence: None)
    path = Path(said.removeprefix("written to "))
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_letter_copies_and_what_is_known_of_it_is_said(programs, size):
    async def steps(terminal: Terminal) -> None:
        got = sent(terminal)
        await terminal.press("j", "2", "j", "j", "c")
        text = terminal.text()
        assert "The field context.locale" in text
        assert "Call 2" in text
        assert "grpcurl" in text
        await terminal.press("v")
        assert f"\x1b]52;c;{base64.b64encode(b'en-GB').decode()}\a" in got
        assert terminal.notices()[-1].startswith("value, 5 characters: sent to the terminal (OSC 52)")
        assert "value, 5 characters" in terminal.text()
        assert terminal.browser

    drive([sample("predict.pcapng")], steps, size)


def test_a_call_is_copied_as_a_command_without_its_credentials(programs):
    got = program(programs, "wl-copy", f"cat > {programs.parent}/got")

    async def steps(terminal: Terminal) -> None:
        await terminal.press("c", "g")
        text = got.read_text(encoding="utf-8")
        assert text.startswith("grpcurl")
        assert "'authorization: ${AUTHORIZATION}'" in text
        await terminal.press("c", "i")
        assert got.read_text(encoding="utf-8").startswith("inspector call")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAYLAND_DISPLAY", "wayland-0")
        drive([sample("hpack.pcapng")], steps)


def test_a_folder_of_protos_is_told_to_grpcurl_as_such(programs):
    """Where the document was opened with `-s protos`."""
    got = program(programs, "wl-copy", f"cat > {programs.parent}/got")

    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "c", "g")
        assert f"-import-path {ROOT / 'protos'} \\\n  -proto vision/v1/prediction_service.proto" in got.read_text()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAYLAND_DISPLAY", "wayland-0")
        drive([sample("predict.pcapng", sources=(str(ROOT / "protos"),))], steps)


def test_what_cannot_be_copied_is_told(programs):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "c", "g")
        assert "grpcurl needs the messages by name" in terminal.notices()[-1]

    drive([sample("predict.pcapng", schema=False)], steps)


# --- other programs ----------------------------------------------------------------------------------------------


def test_the_editor_needs_a_terminal_of_its_own(programs, monkeypatch):
    """A test has none: what is said is what a browser says too."""
    monkeypatch.setenv("EDITOR", "cat")

    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "o")
        assert "other programs cannot be started here" in terminal.notices()[-1]

    drive([sample("predict.pcapng")], steps)
    assert [*programs.parent.glob("inspector-*")] == []


def test_without_an_editor_it_is_told_how_to_name_one(programs):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "o")
        assert "$EDITOR names one" in terminal.notices()[-1]

    drive([sample("predict.pcapng")], steps)


# --- credentials -------------------------------------------------------------------------------------------------


def test_credentials_are_shown_only_after_a_confirmation():
    async def steps(terminal: Terminal) -> None:
        browser = terminal.browser
        await terminal.press("4", "l", "backslash")
        assert "<masked>" in terminal.text()
        browser.action_toggle_secrets()
        await terminal.settle()
        await terminal.press("escape")
        assert "<masked>" in terminal.text()
        browser.action_toggle_secrets()
        await terminal.settle()
        await terminal.press("y")
        assert "<masked>" not in terminal.text()
        assert "CREDENTIALS SHOWN" in terminal.text()
        browser.action_toggle_secrets()
        await terminal.settle()
        assert "<masked>" in terminal.text()

    drive([sample("hpack.pcapng")], steps)


def test_the_screen_is_saved_as_a_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def steps(terminal: Terminal) -> None:
        terminal.app.action_export()
        await terminal.settle()
        picture = (tmp_path / "inspector-1.svg").read_text(encoding="utf-8")
        assert "Predict" in picture
        assert "url(" not in picture.replace("url(#", "")
        assert "inspector-1.svg" in terminal.text()
        terminal.app.action_export()
        assert (tmp_path / "inspector-2.svg").exists()

    drive([sample("predict.pcapng")], steps)
