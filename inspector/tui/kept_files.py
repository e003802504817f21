"""Files that the user asks for, by name."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from inspector.errors import InputError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def checked(text: str) -> Path:
    """The path that a name stands for, if a file may be there. Raises InputError where none can be."""
    if not text.strip():
        raise InputError("a file needs a name")
    path = Path(os.path.expanduser(text.strip()))
    try:
        if path.is_dir():
            raise InputError("this is a directory", where=str(path), hint="name a file in it")
        if not path.parent.is_dir():
            raise InputError("there is no such directory", where=str(path.parent))
        is_odd = path.exists() and not path.is_file()
    except (OSError, ValueError) as error:
        raise InputError(f"no file can have this name: {error}") from None
    if is_odd:
        raise InputError("this is no regular file, and is not overwritten", where=str(path))
    return path


def write(path: Path, data: bytes, *, is_private: bool, replaces: bool) -> None:
    """Writes a file whole, or leaves what was there; `is_private` for nobody else to read. Raises InputError, also
    where there is one and it is not to be replaced."""
    mode = 0o600 if is_private else 0o666
    try:
        if not replaces:
            _write_new(path, data, mode)
            return
        target = path.resolve()  # of a link, the file that it names is replaced
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            raise InputError("this is no regular file, and is not overwritten", where=str(path))
        beside = target.with_name(f".{secrets.token_hex(8)}")
        _write_new(beside, data, mode)
        try:
            beside.replace(target)
        except OSError:
            beside.unlink()
            raise
    except FileExistsError:
        raise InputError("this is there already", where=str(path), hint="name another file") from None
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Raises OSError, and then leaves nothing."""
    with open(os.open(path, _NEW, mode), "wb") as file:
        try:
            file.write(data)
            file.flush()
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
