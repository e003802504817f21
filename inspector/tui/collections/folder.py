"""The folder of saved requests: `requests` beside the nearest `inspector.toml`, else in the working folder.

No toolkit in it. Invariant: nothing outside the folder is written, renamed or removed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from inspector.client import profiles
from inspector.errors import InputError, InspectorError
from inspector.limits import MAX_LISTED_REQUEST, MAX_REQUEST_FILES
from inspector.views.request_file import SUFFIX, read_file

Check = Callable[[str], object]
"""Raises InspectorError for a name that will not do."""

FOLDER = "requests"
LONGEST_NAME = 200


class Saved(NamedTuple):
    """A request file; `name` is its path in the folder without its suffix. Where it cannot be read, `problem` says why,
    and there is no method."""

    name: str
    path: Path
    method: str = ""
    target: str = ""
    problem: str = ""


def default_folder() -> Path:
    """Where requests are saved, and looked for; it need not be there."""
    try:
        start = Path.cwd()
    except OSError:
        start = Path("/")
    own = profiles.user_file()
    for place in profiles.files(start):
        if place != own:
            return place.parent / FOLDER
    return start / FOLDER


def saved_in(folder: Path) -> list[Saved]:
    """The requests in the folder and those in it, by name."""
    found = []
    for path in _files(folder):
        found.append(_listed(folder, path))
        if len(found) == MAX_REQUEST_FILES:
            break
    return sorted(found, key=lambda each: each.name.casefold())


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        found = (Path(place, name) for name in sorted(names) if name.endswith(SUFFIX) and name != SUFFIX)
        yield from (each for each in found if each.is_file())  # a pipe would be waited for


def name_of(folder: Path, path: Path) -> str:
    return str(path.relative_to(folder)).removesuffix(SUFFIX)


def _listed(folder: Path, path: Path) -> Saved:
    name = name_of(folder, path)
    try:
        if path.stat().st_size > MAX_LISTED_REQUEST:
            return Saved(name, path, problem="large")
        request = read_file(path)
    except InspectorError as error:
        return Saved(name, path, problem=error.message)
    except OSError as error:
        return Saved(name, path, problem=str(error.strerror))
    return Saved(name, path, request.method, request.target)


def path_for(folder: Path, name: str) -> Path:
    """The file of a name, which may have folders in it. Raises InputError for one that will not do."""
    parts = name.strip().removesuffix(SUFFIX).split("/")
    if not all(parts) or any(part.startswith(".") or not part.isprintable() or "\\" in part for part in parts):
        raise InputError("that is no name for a request", hint="letters, digits, -, _; folder/name")
    path = folder.joinpath(*parts[:-1], parts[-1] + SUFFIX)
    if max(map(len, os.fsencode(path).split(b"/"))) > LONGEST_NAME:
        raise InputError("that name is too long")
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"that leads out of {folder}")
    return path


def save(path: Path, text: bytes) -> None:
    """Writes a file, whole or not at all. Raises InputError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise InputError(f"it cannot be saved: {error.strerror}", where=str(path)) from None


def rename(path: Path, to: Path) -> None:
    """Gives a file another name, which none has. Raises InputError."""
    if os.path.lexists(to):
        raise InputError(f"there is a {to.name}")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        path.rename(to)
    except OSError as error:
        raise InputError(f"it cannot be renamed: {error.strerror}", where=str(path)) from None


def remove(path: Path) -> None:
    """Raises InputError."""
    try:
        path.unlink()
    except OSError as error:
        raise InputError(f"it cannot be removed: {error.strerror}", where=str(path)) from None
