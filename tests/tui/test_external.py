"""Editor and pager, in a terminal of their own; and the terminal afterwards."""

from __future__ import annotations

import pytest
from tui.real_terminal import ENTERS, LEAVES, RealTerminal

SAMPLE = ("tui", "samples/predict.pcapng", "-s", "protos")


@pytest.mark.parametrize(
    ("key", "variable", "expected"),
    [
        (b"o", "VISUAL", b'"name": "models/wildlife/versions/7"'),
        (b"O", "PAGER", b"Call 1  /models.v1.ModelService/GetModel"),
    ],
)
def test_another_program_gets_the_terminal_and_gives_it_back(tmp_path, key, variable, expected):
    script = tmp_path / "program"
    script.write_text('#!/bin/sh\necho HERE; cat "$1"; ls -l "$1"; echo "$1" > "$0.path"; echo THERE; read answer\n')
    script.chmod(0o700)
    with RealTerminal(*SAMPLE, **{variable: str(script), "TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait_for(b"commands")
        terminal.send(key)
        terminal.wait_for(LEAVES)
        terminal.wait_for(b"HERE")
        terminal.wait_for(expected)
        terminal.wait_for(b"-r--------")
        terminal.wait_for(b"THERE")
        terminal.send(b"\n")
        terminal.wait_for(ENTERS)
        terminal.wait_for(b"commands")
        terminal.send(b"q")
        assert terminal.end() == 0
        assert terminal.output.rindex(LEAVES) > terminal.output.rindex(ENTERS)
        assert terminal.is_as_before()
    assert not [*tmp_path.glob("inspector-*/message*"), *tmp_path.glob("inspector-*/call*")]


def test_ctrl_c_in_a_pager_is_for_the_pager_alone(tmp_path):
    script = tmp_path / "pager"
    script.write_text("#!/bin/sh\ntrap 'echo STOPPED; exit 0' INT\necho HERE\nread answer\n")
    script.chmod(0o700)
    with RealTerminal(*SAMPLE, PAGER=str(script), TMPDIR=str(tmp_path)) as terminal:
        terminal.wait_for(b"commands")
        terminal.send(b"O")
        terminal.wait_for(b"HERE")
        terminal.send(b"\x03")
        terminal.wait_for(b"STOPPED")
        terminal.wait_for(ENTERS)
        terminal.wait_for(b"commands")
        terminal.send(b"q")
        assert terminal.end() == 0


def test_an_editor_that_is_none_is_told_and_the_screen_is_back():
    with RealTerminal(*SAMPLE, VISUAL="/nowhere/editor") as terminal:
        terminal.wait_for(b"commands")
        terminal.send(b"o")
        terminal.wait_for(b"/nowhere/editor")
        terminal.send(b"q")
        assert terminal.end() == 0
        assert terminal.is_as_before()
