"""The kernels in both variants: the source, interpreted, and the extension module, where it is built.

A test module says `hpack = kernels.fixture("inspector.net.hpack_cy")`, and each test that takes `hpack` runs over both;
its id says which. A kernel that is there only compiled (a `.pyx`) has no second variant: `native` lists those.
INSPECTOR_COMPILED=never leaves the extension modules out, `require` makes a missing one a failure.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SOURCE, COMPILED = "source", "compiled"


def mode() -> str:
    return os.environ.get("INSPECTOR_COMPILED", "auto")


def names(root: Path = ROOT) -> list[str]:
    """Full names of all kernel modules."""
    paths = sorted(path.relative_to(root) for path in (root / "inspector").rglob("*_cy.py"))
    return [".".join(path.with_suffix("").parts) for path in paths]


def native(root: Path = ROOT) -> list[str]:
    """Full names of the kernels that are there only compiled."""
    paths = sorted(path.relative_to(root) for path in (root / "inspector").rglob("*_cy.pyx"))
    return [".".join(path.with_suffix("").parts) for path in paths]


def source_path(name: str, root: Path = ROOT) -> Path:
    source = root.joinpath(*name.split(".")).with_suffix(".py")
    return source if source.exists() else source.with_suffix(".pyx")


def extension_path(name: str, root: Path = ROOT) -> Path | None:
    """The extension module beside the source that this interpreter would load."""
    base = source_path(name, root).with_suffix("")
    paths = (base.with_name(base.name + suffix) for suffix in importlib.machinery.EXTENSION_SUFFIXES)
    return next((path for path in paths if path.exists()), None)


def stale(root: Path = ROOT) -> list[str]:
    """Kernels whose extension module is older than the source: tests of it would prove nothing about the source."""
    built = ((name, extension_path(name, root)) for name in names(root) + native(root))
    return [name for name, path in built if path and path.stat().st_mtime < source_path(name, root).stat().st_mtime]


def variants(name: str, root: Path = ROOT) -> list[str]:
    """Which variants of a kernel the tests run over."""
    if mode() == "never" or (mode() == "auto" and extension_path(name, root) is None):
        return [SOURCE]
    return [SOURCE, COMPILED]


def load(name: str, variant: str) -> ModuleType:
    return _load_source(name) if variant == SOURCE else _load_compiled(name)


def fixture(name: str) -> Any:
    """A module-scoped fixture: the kernel, once in each variant."""

    @pytest.fixture(scope="module", params=variants(name))
    def kernel(request: pytest.FixtureRequest) -> ModuleType:
        return load(name, request.param)

    return kernel


def _load_source(name: str) -> ModuleType:
    alias = f"{name}__{SOURCE}"
    if alias not in sys.modules:
        loader = importlib.machinery.SourceFileLoader(alias, str(source_path(name)))
        spec = importlib.util.spec_from_loader(alias, loader)
        assert spec is not None
        sys.modules[alias] = module = importlib.util.module_from_spec(spec)  # where its classes look for their module
        try:
            loader.exec_module(module)
        except BaseException:
            del sys.modules[alias]
            raise
    return sys.modules[alias]


def _load_compiled(name: str) -> ModuleType:
    """An extension module cannot be loaded twice, so this is the one that the package itself uses."""
    module = importlib.import_module(name)
    spec = module.__spec__
    if spec is None or not isinstance(spec.loader, importlib.machinery.ExtensionFileLoader):
        pytest.fail(
            f"{name} is not compiled, and INSPECTOR_COMPILED={mode()}: run `python setup.py build_ext --inplace`"
        )
    return module
