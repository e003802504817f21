"""The folders that the imports of .proto files are relative to, found from the files themselves.

protoc must be told, and a person who points at one file should not have to: a folder is taken for the root if all that
the file imports, and all that those import, can be found from it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

MAX_FOLLOWED = 500
"""Imports followed to judge one root."""

MAX_READ = 1 << 20
"""Bytes of a file read for its imports; they stand at its beginning."""

_TOKENS = re.compile(
    r"""//[^\n]* | /\*.*?(?:\*/|\Z)
    | \bimport\s+(?:(?:public|weak|option)\s+)?(?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)')\s*;
    | \bpackage\s+(?P<package>[\w.]+)\s*;
    | "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'?""",
    re.VERBOSE | re.DOTALL,
)
"""Comments and strings are tokens too, even if unfinished: what is in them is passed over, and read only once."""


def roots_of_file(path: Path, given: Sequence[Path], known: Sequence[Path]) -> list[Path]:
    """The import paths to compile a file with: the given ones, a root for the file, and where the known types lie."""
    if any(contains(folder, path) for folder in given):
        return [*given, *known]
    ancestors = _ancestors(path.parent)
    own = _package_root(path, ancestors)
    candidates = [own, *ancestors] if own else ancestors
    imports = _outline(path)[0]
    return [_best(imports, candidates, [*given, *known], follow=True), *given, *known]


def roots_of_folder(folder: Path, paths: Sequence[Path], given: Sequence[Path], known: Sequence[Path]) -> list[Path]:
    """The import paths to compile all files of a folder with. The folder itself is a root wherever that fits.

    Else it is one above, or there are several beneath: the deepest stand first, as protoc names a file by the first
    import path that it is under. A file that imports nothing of its own has no say.
    """
    first = [each for each in given if contains(each, folder)] or [folder]
    outside = [each for each in _ancestors(folder) if each not in first]
    chosen: set[Path] = set()
    ends = _ends(paths)
    for path in paths:
        imports = [name for name in imports_of(path) if name in ends or not find(name, known)]
        if imports:
            beneath = [each for each in _ancestors(path.parent) if each != folder and contains(folder, each)]
            chosen.add(_best(imports, [*first, *outside, *beneath], given, follow=False))
    if not all(any(contains(root, path) for root in chosen) for path in paths):
        chosen.add(first[0])
    own = sorted(chosen, key=lambda each: len(_absolute(each).parts), reverse=True)
    return [*own, *(each for each in given if each not in chosen), *known]


def _ends(paths: Sequence[Path]) -> frozenset[str]:
    """The names by which files that are compiled may be imported, from whichever folder."""
    parts = (_absolute(path).parts for path in paths)
    return frozenset("/".join(each[start:]) for each in parts for start in range(1, len(each)))


def _best(imports: Sequence[str], candidates: Sequence[Path], others: Sequence[Path], *, follow: bool) -> Path:
    """The first candidate from which all, or else most, of the imports can be found."""
    best, fewest = candidates[0], len(imports) + MAX_FOLLOWED
    for root in candidates:
        missing = _missing(imports, [root, *others], follow=follow)
        if missing < fewest:
            best, fewest = root, missing
        if not missing:
            break
    return best


def _missing(imports: Sequence[str], roots: Sequence[Path], *, follow: bool) -> int:
    """How many imports are not found; with `follow`, also of those which the found files make in turn."""
    waiting, seen, missing = list(imports), set[str](), 0
    while waiting and len(seen) < MAX_FOLLOWED:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        found = find(name, roots)
        missing += found is None
        if found and follow:
            waiting += _outline(found)[0]
    return missing


def find(name: str, roots: Sequence[Path]) -> Path | None:
    """The file that an import names: that of the first root which has it."""
    return next((root / name for root in roots if os.path.isfile(root / name)), None)


def root_of(path: Path, roots: Sequence[Path]) -> Path | None:
    """The root that names a file, as protoc does it: the first that it is under."""
    return next((root for root in roots if contains(root, path)), None)


def _package_root(path: Path, ancestors: Sequence[Path]) -> Path | None:
    """The folder above those which spell the package: `protos` for protos/vision/v1/x.proto with package vision.v1."""
    _, package = _outline(path)
    parts = tuple(package.split(".")) if package else ()
    fits = parts and _absolute(path.parent).parts[-len(parts) :] == parts
    return ancestors[len(parts)] if fits and len(parts) < len(ancestors) else None


def imports_of(path: Path) -> list[str]:
    """The names that a file imports."""
    return _outline(path)[0]


def _outline(path: Path) -> tuple[list[str], str]:
    """What a file imports, and its package."""
    try:
        with path.open("rb") as file:
            source = file.read(MAX_READ).decode("utf-8", "replace")
    except OSError:
        return [], ""
    imports, package = list[str](), ""
    for token in _TOKENS.finditer(source):
        name = token["double"] or token["single"]
        package = token["package"] or package
        if name and "\0" not in name:
            imports.append(name)
    return imports, package


def _ancestors(folder: Path) -> list[Path]:
    """The folder and all above it, in the form in which it was given for as long as that goes."""
    given = [each for each in (folder, *folder.parents) if contains(each, folder)]
    return [*given, *_absolute(given[-1]).parents]


def contains(folder: Path, path: Path) -> bool:
    """True if `path` is `folder` or lies beneath it, as their names go (links are not followed)."""
    return _absolute(path).is_relative_to(_absolute(folder))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
