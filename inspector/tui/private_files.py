"""Files for the user's eyes only, in a temporary folder of their own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from inspector.errors import InputError


def keep(data: bytes, name: str) -> Path:
    """Writes a file that nobody else can read; where it is. Raises InputError where it cannot be written."""
    try:
        path = Path(tempfile.mkdtemp(prefix="inspector-"), name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
    except OSError as error:
        raise InputError(f"no temporary file can be written: {error.strerror}") from error
    return path


def remove(path: Path) -> None:
    """Removes such a file and its folder, if they are there."""
    for each in (path.unlink, path.parent.rmdir):
        try:
            each()
        except OSError:
            return
