"""Screens as text with their styles, held against files. INSPECTOR_SNAPSHOTS=write writes these anew."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

from textual.widgets import Input, TextArea
from tui.terminal import Terminal

FOLDER = Path(__file__).parent / "snapshots"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def still(terminal: Terminal) -> None:
    """No cursor blinks."""
    for kind in (Input, TextArea):
        for each in terminal.app.screen.query(kind):
            each.cursor_blink = False


def grid(terminal: Terminal) -> str:
    """The screen line by line, then the styles of its cells as runs of letters, then what the letters mean."""
    texts, runs, letters = [], [], {}
    for strip in terminal.app.screen._compositor.render_strips()[: terminal.app.size.height]:
        texts.append(f"{strip.text}│")
        line = []
        for text, style, _ in strip.simplify():
            letter = letters.setdefault(_told(style), LETTERS[min(len(letters), len(LETTERS) - 1)])
            line.append(f"{letter}{len(text)}")
        runs.append(" ".join(line))
    legend = [f"{letter} {style}" for style, letter in letters.items()]
    return "\n".join([*texts, "", *runs, "", *legend, ""])


def _told(style: object) -> str:
    """A style without what is not seen of it."""
    return str(style.without_color) + f" {_name(style.color)} on {_name(style.bgcolor)}"


def _name(colour: object) -> str:
    return "default" if colour is None else colour.name


async def check(terminal: Terminal, name: str, *, changing: str = "") -> None:
    """The screen is the one that was kept under that name, but for what a pattern finds: what is new each time."""
    still(terminal)
    await terminal.settle()
    seen, path = grid(terminal), FOLDER / f"{name}.txt"
    if changing:
        seen = re.sub(changing, lambda found: "*" * len(found[0]), seen)
    if os.environ.get("INSPECTOR_SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(seen, encoding="utf-8")
    kept = path.read_text(encoding="utf-8")
    differences = "\n".join(difflib.unified_diff(kept.split("\n"), seen.split("\n"), "kept", "seen", n=0, lineterm=""))
    assert not differences, f"{path.name} differs; INSPECTOR_SNAPSHOTS=write takes it as it is now\n{differences}"
