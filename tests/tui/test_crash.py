"""How the program ends where it should not, in a terminal of its own: it is given back, and a log is kept."""

from __future__ import annotations

import os
import re
import signal
import stat
from pathlib import Path

import pytest
from tui.real_terminal import ENTERS, LEAVES, RealTerminal

from inspector.limits import MAX_CRASH_LOGS, MAX_CRASH_SIZE

SAMPLE = ("tui", "samples/predict.pcapng", "-s", "protos")

START = "from inspector.cli.start import main; main()"

BREAKS = {
    "an action": """
from inspector.tui.app import InspectorApp
def broken(app): raise KeyError("secret\\x1b[31m \\n" + "x" * 300_000)
InspectorApp.action_help = broken
""",
    "a worker": """
from textual import work
from inspector.tui.app import InspectorApp
@work(thread=True)
def broken(app): raise KeyError("secret\\x1b[31m \\n" + "x" * 300_000)
InspectorApp.action_help = broken
""",
    "a worker while another goes on": """
import time
from textual import work
from inspector.tui.app import InspectorApp
@work(thread=True)
def goes_on(app): time.sleep(1_000)
@work(thread=True)
def broken(app): raise KeyError("secret\\x1b[31m \\n" + "x" * 300_000)
def both(app): goes_on(app), broken(app)
InspectorApp.action_help = both
""",
    "the thread of the keys": """
from textual.drivers.linux_driver import LinuxDriver
def broken(driver, event): raise KeyError("secret\\x1b[31m \\n" + "x" * 300_000)
LinuxDriver.process_message = broken
""",
    "leaving after an error": """
from inspector.tui.app import InspectorApp
from textual.drivers.linux_driver import LinuxDriver
def broken(*_): raise KeyError("secret\\x1b[31m \\n" + "x" * 300_000)
InspectorApp.action_help = broken
LinuxDriver.disable_input = broken
LinuxDriver._disable_bracketed_paste = broken
""",
}

BUSY = """
import time
from inspector.tui.app import InspectorApp
def busy(app):
    app.bell()
    time.sleep(1_000)
InspectorApp.action_help = busy
"""


def started(folder: Path, script: str = "", **variables: str) -> RealTerminal:
    program = ("-c", script + START)
    return RealTerminal(*SAMPLE, program=program, **{"INSPECTOR_STATE": str(folder / "state"), **variables})


def assert_left(terminal: RealTerminal) -> None:
    assert terminal.is_as_before()
    assert terminal.output.count(ENTERS) == 1
    after = terminal.output[terminal.output.rindex(ENTERS) :]
    for mode in (b"1049", b"1000", b"1003", b"1006", b"2004", b"1004"):
        assert after.rindex(b"\x1b[?%bl" % mode) > after.rindex(b"\x1b[?%bh" % mode)
    assert after.rindex(b"\x1b[?25h") > after.rindex(b"\x1b[?25l")


@pytest.mark.parametrize("where", BREAKS)
def test_an_error_nobody_expected_is_one_line_and_a_log(tmp_path, where):
    with started(tmp_path, BREAKS[where]) as terminal:
        if where != "the thread of the keys":
            terminal.wait_for(b"commands")
        terminal.send(b"?")
        assert terminal.end() == 1
        assert_left(terminal)
        told = re.sub(rb"\x1b\[[?<]?[0-9;]*[a-z]", b"", terminal.output[terminal.output.rindex(LEAVES) :]).strip()
    assert b"\n" not in told
    assert told.startswith(b"inspector: the terminal UI failed: KeyError: 'secret")
    assert b"Traceback" not in terminal.output
    (log,) = (tmp_path / "state" / "crashes").iterdir()
    assert str(log).encode() in told
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    assert re.search(r"^inspector \d+\.\d+\.\d+ \(kernels: .*\nPython 3.*Textual \d", text)
    assert "Traceback (most recent call last)" in text
    assert "KeyError" in text
    assert "\x1b" not in text
    assert len(text) <= MAX_CRASH_SIZE


def test_only_the_last_logs_are_kept(tmp_path):
    folder = tmp_path / "state" / "crashes"
    folder.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o700)
    for number in range(MAX_CRASH_LOGS):
        log = folder / f"{number}.log"
        log.touch(0o600)
        os.utime(log, (number, number))
    with started(tmp_path, BREAKS["an action"]) as terminal:
        terminal.wait_for(b"commands")
        terminal.send(b"?")
        assert terminal.end() == 1
    left = {each.name for each in folder.iterdir()}
    assert len(left) == MAX_CRASH_LOGS
    assert "0.log" not in left
    assert "1.log" in left


def test_where_nothing_is_to_be_remembered_the_log_is_a_temporary_file(tmp_path):
    with started(tmp_path, BREAKS["an action"], INSPECTOR_STATE="off", TMPDIR=str(tmp_path)) as terminal:
        terminal.wait_for(b"commands")
        terminal.send(b"?")
        assert terminal.end() == 1
    (log,) = tmp_path.glob("inspector-*/crash.log")
    assert str(log).encode() in terminal.output
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("number", "is_busy"),
    [
        (signal.SIGTERM, False),
        (signal.SIGTERM, True),
        (signal.SIGHUP, False),
        (signal.SIGHUP, True),
        (signal.SIGINT, False),
    ],
)
def test_a_signal_ends_it_and_the_terminal_is_as_before(tmp_path, number, is_busy):
    with started(tmp_path, BUSY) as terminal:
        terminal.wait_for(b"commands")
        if is_busy:
            terminal.send(b"?")
            terminal.wait_for(b"\x07")
        terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        assert_left(terminal)
    assert b"Traceback" not in terminal.output
    assert not (tmp_path / "state" / "crashes").exists()


@pytest.mark.parametrize("is_ignored", [False, True])
def test_it_ends_with_its_terminal(tmp_path, is_ignored):
    script = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" if is_ignored else ""
    with started(tmp_path, script) as terminal:
        terminal.wait_for(b"commands")
        assert terminal.hang_up() == 128 + signal.SIGHUP
    assert not (tmp_path / "state" / "crashes").exists()
