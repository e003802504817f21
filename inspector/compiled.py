"""Which build of the kernels runs: the compiled extension modules, or the same sources interpreted.

The environment variable INSPECTOR_COMPILED steers it at run time as it does at build time: `auto` takes what is
there, `require` fails where an extension is missing, `never` loads the sources although extensions lie beside them.

Two kinds of kernel: `*_cy.py` runs either way; `*_cy.pyx` (described by the `.pyi` beside it) is there only compiled.
Importing it raises ImportError otherwise, and who uses it has another way.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

MODE = os.environ.get("INSPECTOR_COMPILED", "auto")

_ROOT = Path(__file__).parent
_SOURCES = importlib.machinery.SourceFileLoader, importlib.machinery.SOURCE_SUFFIXES


def kernels() -> list[str]:
    """Full names of all kernel modules."""
    return [".".join(path.relative_to(_ROOT.parent).with_suffix("").parts) for path in _sources()]


def is_compiled() -> bool:
    """True where every kernel runs as a compiled extension module."""
    return MODE != "never" and all(map(_has_extension, _sources()))


def _sources() -> list[Path]:
    return sorted((*_ROOT.rglob("*_cy.py"), *_ROOT.rglob("*_cy.pyi")))


def _has_extension(source: Path) -> bool:
    """Whether an extension module lies beside a kernel, which Python then takes. (Looked up as a file: to find it as a
    module, the packages around it would have to be imported.)"""
    return any(source.with_name(source.stem + suffix).exists() for suffix in importlib.machinery.EXTENSION_SUFFIXES)


class SourceKernelFinder:
    """Finds `*_cy` modules as sources only. (The default finder prefers an extension module beside the source, and
    would find it where there is no source that can be run.)"""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not (name.startswith("inspector.") and name.endswith("_cy")):
            return None
        for folder in path or ():
            spec = importlib.machinery.FileFinder(folder, _SOURCES).find_spec(name, target)
            if spec is not None:
                return spec
        raise ModuleNotFoundError(f"{name} is not there: INSPECTOR_COMPILED=never", name=name)


def apply_mode(mode: str = MODE) -> None:
    """Makes the rest of the process follow INSPECTOR_COMPILED. Raises ImportError for an unknown or unmet mode."""
    if mode == "never":
        sys.meta_path.insert(0, SourceKernelFinder())
    elif mode == "require" and not is_compiled():
        raise ImportError("INSPECTOR_COMPILED=require, but the kernels are not compiled: install with a C compiler")
    elif mode not in ("auto", "require", "never"):
        raise ImportError(f"INSPECTOR_COMPILED is {mode!r}; it must be auto, require or never")
