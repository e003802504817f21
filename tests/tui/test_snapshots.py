"""Screens as they are to look."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from google.protobuf import text_format
from textual.widgets import OptionList
from tui import snapshots
from tui.composing import SCHEMA, Composer, compose
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector.tui.collections import history
from inspector.tui.collections.library import Library

SCREENS = {
    "browse": ("j", "2", "j", "j"),
    "bytes": ("j", "3", "l", "l", "j"),
    "help": ("2", "question_mark"),
    "copy": ("j", "2", "j", "j", "c"),
    "headers": ("j", "4", "l"),
    "jump": ("comma",),
    "marks": ("j", "m", "a", "j", "m", "b", "apostrophe"),
    "maximised": ("j", "2", "backslash"),
    "nested": ("j", "2", "right_curly_bracket"),
    "diff": ("j", "2", "d", "1", "j", "2", "d", "n", "n"),
}


@pytest.fixture(autouse=True)
def _colours(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["160x48", "80x24"])
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen(name, size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*SCREENS[name])
        await snapshots.check(terminal, f"{name}-{size[0]}x{size[1]}")

    drive([sample("predict.pcapng")], steps, size)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["160x48", "80x24"])
def test_the_palette(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("2", "ctrl+p", *"flip")
        options = terminal.app.screen.query_one(OptionList)
        await terminal.press("backspace", "backspace", "backspace", "backspace", *"beside")
        await terminal.until(lambda: options.option_count == 1)
        await snapshots.check(terminal, f"palette-{size[0]}x{size[1]}")

    drive([sample("predict.pcapng")], steps, size)


def test_several_files():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("right_parenthesis", "j")
        await snapshots.check(terminal, "tabs-80x24")

    drive([sample("predict.pcapng"), sample("errors.pcapng")], steps, NARROW)


def test_the_screen_in_light_colours():
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*SCREENS["browse"])
        await snapshots.check(terminal, "light-160x48")

    drive([sample("predict.pcapng")], steps, WIDE, theme="textual-light")


def test_the_screen_without_colours(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(terminal: Terminal) -> None:
        await terminal.press(*SCREENS["browse"])
        await snapshots.check(terminal, "no-colour-80x24")

    drive([sample("predict.pcapng")], steps, NARROW)


def test_the_readings_of_a_guessed_field():
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*SCREENS["browse"], "t")
        await snapshots.check(terminal, "readings-80x24")

    drive([sample("predict.pcapng", schema=False)], steps, NARROW)


def test_the_screen_without_a_schema():
    async def steps(terminal: Terminal) -> None:
        await terminal.press(*SCREENS["browse"])
        await snapshots.check(terminal, "guessed-80x24")

    drive([sample("predict.pcapng", schema=False)], steps, NARROW)


# --- the composer ----------------------------------------------------------------------------------------------------

FILLED = """
choice_part { name: "p" } names: "a" names: "b" labels { key: "k" value: "v" } int32_value: 5 color: COLOR_GREEN
parts { name: "first" count: 3 } shares { key: true value: 0.5 } timestamp { seconds: 1795435200 }
"""

COMPOSED = {
    "empty": ("", ()),
    "filled": (FILLED, ("slash", *"labels", "enter", "j")),
    "error": (FILLED, ("j", "enter", *"many", "enter")),
    "answer": (FILLED, ()),
    "methods": ("", ("ctrl+o", *"ta")),
    "json": (FILLED, ("f3",)),
    "paste": ("", ("P", *"grpcurl -frob", "ctrl+s")),
}


@pytest.fixture
def still_clock(monkeypatch):
    """Calls take no time, on a day that is always the same."""
    for module in ("call", "channel", "dial", "transcript"):
        monkeypatch.setattr(f"inspector.client.{module}.now", lambda: 1_795_435_200_000_000_000)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["160x48", "80x24"])
@pytest.mark.parametrize("name", COMPOSED)
def test_the_composer(name, size, tmp_path, monkeypatch, still_clock):
    text, keys = COMPOSED[name]
    message = text_format.Parse(text, SCHEMA.message_class("kitchen.v1.Sink")(), descriptor_pool=SCHEMA.pool)

    async def steps(composer: Composer) -> None:
        await composer.press(*("space" if key == " " else key for key in keys))
        if name == "answer":
            await composer.send()
            await composer.press("2")
        await snapshots.check(composer, f"compose-{name}-{size[0]}x{size[1]}")

    monkeypatch.chdir(tmp_path)  # so that the socket has the same name each time
    compose(steps, messages=(message.SerializeToString(),), size=size, at="unix:kitchen.sock")


# --- what is kept ----------------------------------------------------------------------------------------------------


@pytest.fixture
def short_path():
    """A folder of which the path has always the same length."""
    path = Path(tempfile.mkdtemp(prefix="kept-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["160x48", "80x24"])
@pytest.mark.parametrize("name", ["saved", "history"])
def test_what_is_kept(name, size, short_path, monkeypatch, still_clock):
    monkeypatch.chdir(short_path)
    monkeypatch.setenv("INSPECTOR_STATE", str(short_path / "state"))
    then = 1_795_435_200
    monkeypatch.setattr(history, "time", SimpleNamespace(time=lambda: float(then), time_ns=lambda: then * 10**9))
    (short_path / "inspector.toml").write_text("")
    message = SCHEMA.message_class("kitchen.v1.Sink")(names=["a", "b"], int32_value=5)

    async def steps(composer: Composer) -> None:
        if name == "saved":
            for file in ("orders/first", "orders/second"):
                await composer.press("ctrl+s", *["backspace"] * 20, *file, "enter")
                await composer.until((short_path / f"requests/{file}.request.json").exists)
            await composer.press("ctrl+l")
        else:
            await composer.send()
            await composer.until(lambda: history.entries())
            await composer.press("f10")
        await composer.until(lambda: isinstance(composer.app.screen, Library))
        await composer.settle()
        await snapshots.check(composer, f"{name}-{size[0]}x{size[1]}", changing=r"(?<=kept-)\w+")

    compose(steps, messages=(message.SerializeToString(),), size=size, at="unix:kitchen.sock")
