"""The screen as a picture: an SVG file that needs nothing from elsewhere."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from textual.app import App

from inspector.tui.browse.browser import Browser
from inspector.tui.private_files import keep

MOST_FILES = 1_000
"""Pictures in one folder before another one is taken."""

_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def picture(app: App[Any]) -> str:
    """The screen as SVG. The fonts that it would fetch from the web are left out: the viewer's will do."""
    return _FONTS.sub("", app.export_screenshot(simplify=True))


def save(app: App[Any]) -> Path:
    """Saves the screen in the working folder, or where that cannot be written in a temporary one. Where it is.

    Raises InputError where neither can be."""
    text = picture(app).encode()
    with suppress(OSError):
        for number in range(1, MOST_FILES):
            path = Path.cwd() / f"inspector-{number}.svg"
            with suppress(FileExistsError), path.open("xb") as file:
                file.write(text)
                return _told(app, path)
    return _told(app, keep(text, "inspector.svg"))


def _told(app: App[Any], path: Path) -> Path:
    """Keeps it in the log of what is browsed."""
    if isinstance(app.screen, Browser):
        app.screen.document.journal.add(f"the screen was saved in {path}")
    return path
