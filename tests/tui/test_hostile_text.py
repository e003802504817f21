"""Text from captures that would move the cursor, change colours, reorder what is read, or be taken for markup."""

from __future__ import annotations

import binlogs
import pytest
from tui.terminal import NARROW, WIDE, Terminal, drive

from inspector.errors import InspectorError
from inspector.tui.document import Document
from inspector.views.safe_text import safe
from inspector.wire.encode import length_delimited

HOSTILE = "\x1b[31m\x07\x9b2J\u202eolleh\u2066 \r\n\t\x00 [b]x[/b] [/] [@click=app.quit]q[/] $("
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW])


@pytest.fixture
def log(tmp_path):
    """A log all texts of which are hostile, and so is its name."""
    message = length_delimited(1, HOSTILE.encode()) + length_delimited(2, length_delimited(3, HOSTILE.encode() * 20))
    header = binlogs.metadata(("x-hostile", HOSTILE.encode()), ("authorization", HOSTILE.encode()))
    steps = (
        (
            binlogs.CLIENT_HEADER,
            {"client_header": {"method_name": f"/a.{HOSTILE}/Do", "metadata": header, "authority": HOSTILE}},
        ),
        (binlogs.CLIENT_MESSAGE, binlogs.body(message)),
        (binlogs.HALF_CLOSE, {}),
        (binlogs.SERVER_HEADER, {"server_header": {"metadata": header}}),
        (binlogs.SERVER_MESSAGE, binlogs.body(message)),
        (binlogs.TRAILER, {"trailer": {"status_code": 3, "status_message": HOSTILE, "metadata": header}}),
    )  # fmt: skip
    entries = [
        binlogs.entry(kind, 1, number, number, binlogs.CLIENT, **fields)
        for number, (kind, fields) in enumerate(steps, 1)
    ]
    path = tmp_path / "\x1b[31mx[b]\u202e.binlog"
    path.write_bytes(binlogs.fixed(entries))
    return Document(str(path), kind="binlog")


def check(terminal: Terminal) -> None:
    for line in terminal.lines():
        assert safe(line) == line


@SIZES
def test_nothing_of_it_reaches_the_screen_as_it_is(log, size):
    async def steps(terminal: Terminal) -> None:
        for keys in (
            ("1",), ("2",), ("E", "j"), ("j", "j"), ("backslash",), ("backslash",), ("3", "l"), ("4",), *[("l",)] * 7,
            ("backslash",), *[("l",)] * 7, ("backslash",), ("1", "m", "a"), ("apostrophe",), ("escape", "c"),
            ("escape", "question_mark"), ("escape", "ctrl+p"), ("escape", "colon", *"x[/b]\x1b", "enter"),
        ):  # fmt: skip
            await terminal.press(*keys)
            check(terminal)
        assert "there is no field" in terminal.text()

    drive([log], steps, size)


@SIZES
def test_it_is_told_as_escapes_and_markup_stays_as_it_is_written(log, size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("2", "backslash")
        assert r"\x1b[31m\x07\x9b2J\u202eolleh\u2066 \r\n\t\x00 [b]x[/b] [/]" in terminal.text()
        assert r"\x1b[31mx[b]\u202e.binlog" in terminal.lines()[0]

    drive([log], steps, size)


@SIZES
def test_what_is_told_about_it_is_safe_too(log, size):
    async def steps(terminal: Terminal) -> None:
        terminal.browser.complain(InspectorError(HOSTILE, hint=HOSTILE))
        await terminal.settle()
        check(terminal)
        await terminal.press("2", "c", "v")
        check(terminal)
        assert "there are control characters in it" in terminal.notices()[-1]

    drive([log], steps, size)
