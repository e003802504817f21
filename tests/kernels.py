"""The kernels in both variants: the source, interpreted, and the extension module, where it is built.

A test module says `hpack = kernels.fixture("inspector.net.hpack_cy")`, and each test that takes `hpack` runs over both;
its id says which. A kernel that is there only compiled (a `.pyx`) has no second variant: `native` lists those.
INSPECTOR_COMPILED=never leaves the extension modules out, `require` makes a missing one a failure.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from inspector.compiled import SourceKernelFinder

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
    """Kernels whose extension module is older than what it is made of: tests of it would prove nothing about that."""
    built = ((name, extension_path(name, root)) for name in names(root) + native(root))
    return [name for name, path in built if path and path.stat().st_mtime < _edited(name, root)]


def _edited(name: str, root: Path) -> float:
    """When the source of a kernel was last edited, or a declaration (`.pxd`) that it takes, by way of others too."""
    from Cython.Build.Dependencies import create_dependency_tree  # noqa: PLC0415  # needed only where kernels are built

    parts = create_dependency_tree(quiet=True).all_dependencies(str(source_path(name, root)))
    return max(Path(part).stat().st_mtime for part in parts if Path(part).is_relative_to(root / "inspector"))


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


_sources: dict[str, ModuleType] = {}
"""The kernels that were loaded as sources, by their names."""


def _load_source(name: str) -> ModuleType:
    """Kernels share what only C sees, so a source needs the sources of those that it imports, not what is compiled."""
    if name not in _sources:
        with _only_sources():
            importlib.import_module(name)
    return _sources[name]


@contextlib.contextmanager
def _only_sources() -> Iterator[None]:
    """Within it, kernels are imported as sources; what the package itself uses is put back after it."""
    used = {name: module for name, module in sys.modules.items() if _is_kernel(name)}
    finder = SourceKernelFinder()
    _put_in_place(_sources)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _sources.update({name: module for name, module in sys.modules.items() if _is_kernel(name)})
        _put_in_place(used)


def _is_kernel(name: str) -> bool:
    return name.startswith("inspector.") and name.endswith("_cy")


def _put_in_place(kernels: dict[str, ModuleType]) -> None:
    """Makes these the kernels that are imported, also as attributes of their packages."""
    for name in [name for name in sys.modules if _is_kernel(name)]:
        package, _, attribute = name.rpartition(".")
        vars(sys.modules[package]).pop(attribute, None)
        del sys.modules[name]
    for name, module in kernels.items():
        package, _, attribute = name.rpartition(".")
        sys.modules[name] = module
        setattr(sys.modules[package], attribute, module)


def _load_compiled(name: str) -> ModuleType:
    """An extension module cannot be loaded twice, so this is the one that the package itself uses."""
    module = importlib.import_module(name)
    spec = module.__spec__
    if spec is None or not isinstance(spec.loader, importlib.machinery.ExtensionFileLoader):
        pytest.fail(
            f"{name} is not compiled, and INSPECTOR_COMPILED={mode()}: run `python setup.py build_ext --inplace`"
        )
    return module
