"""Which build of the kernels runs: the compiled extension modules, or the same sources interpreted.

The environment variable INSPECTOR_COMPILED steers it at run time as it does at build time: `auto` takes what is
there, `require` fails where an extension is missing, `never` loads the sources although extensions lie beside them.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
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
    paths = sorted(path.relative_to(_ROOT.parent) for path in _ROOT.rglob("*_cy.py"))
    return [".".join(path.with_suffix("").parts) for path in paths]


def is_compiled() -> bool:
    """True where every kernel runs as a compiled extension module."""
    return bool(kernels()) and all(map(_is_extension, kernels()))


def _is_extension(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and isinstance(spec.loader, importlib.machinery.ExtensionFileLoader)


class SourceKernelFinder:
    """Finds `*_cy` modules as sources only. (The default finder prefers an extension module beside the source.)"""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not (name.startswith("inspector.") and name.endswith("_cy")):
            return None
        for folder in path or ():
            spec = importlib.machinery.FileFinder(folder, _SOURCES).find_spec(name, target)
            if spec is not None:
                return spec
        return None


def apply_mode(mode: str = MODE) -> None:
    """Makes the rest of the process follow INSPECTOR_COMPILED. Raises ImportError for an unknown or unmet mode."""
    if mode == "never":
        sys.meta_path.insert(0, SourceKernelFinder())
    elif mode == "require" and not is_compiled():
        raise ImportError("INSPECTOR_COMPILED=require, but the kernels are not compiled: install with a C compiler")
    elif mode not in ("auto", "require", "never"):
        raise ImportError(f"INSPECTOR_COMPILED is {mode!r}; it must be auto, require or never")
