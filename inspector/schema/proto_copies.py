"""Files of a folder that are there more than once, as where each of several services keeps what they share.

protoc takes none twice, whatever the names are, so one of each is left.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path

from inspector.schema.import_roots import find, imports_of, root_of


def without_copies(paths: Sequence[Path], roots: Sequence[Path]) -> list[Path]:
    """Of files with the same content that which others import, else the first. Those that are imported by different
    names stay, as they are meant to be different."""
    left_out: set[Path] = set()
    names: set[str] | None = None
    for copies in _copies(paths):
        if names is None:
            names = {name for path in paths for name in imports_of(path)}
        found = [path for path in copies if _is_found(path, roots)] or copies
        kept = [path for path in found if _name(path, roots) in names] or found[:1]
        left_out.update(set(copies) - set(kept))
    return [path for path in paths if path not in left_out]


def _copies(paths: Iterable[Path]) -> list[list[Path]]:
    return [copies for same in _alike(paths, _size) for copies in _alike(same, _content)]


def _alike(paths: Iterable[Path], of: Callable[[Path], Hashable]) -> list[list[Path]]:
    """Those that have something in common with others, by what that is."""
    found: defaultdict[Hashable, list[Path]] = defaultdict(list)
    for path in paths:
        found[of(path)].append(path)
    return [same for same in found.values() if len(same) > 1]


def _size(path: Path) -> Hashable:
    try:
        return path.stat().st_size
    except OSError:  # protoc says so
        return path


def _content(path: Path) -> Hashable:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return path


def _name(path: Path, roots: Sequence[Path]) -> str:
    """The name by which it is imported."""
    return Path(os.path.relpath(path, root_of(path, roots) or path.parent)).as_posix()


def _is_found(path: Path, roots: Sequence[Path]) -> bool:
    """Whether an import by its name finds it, and no other that has that name under an earlier root."""
    found = find(_name(path, roots), roots)
    return found is not None and os.path.abspath(found) == os.path.abspath(path)
