"""Compiles the kernels (`*_cy.py` to C, `*_cy.pyx` to C++); everything else about the build stands in pyproject.toml.

INSPECTOR_COMPILED steers it: `auto` (the default) compiles where a compiler exists and goes on without where
none does, `require` fails instead, `never` builds a pure-Python distribution.
"""

import os
from pathlib import Path

from setuptools import Extension, setup

MODES = ("auto", "require", "never")

INLINING = (
    "--param=max-inline-insns-single=400",
    "--param=inline-unit-growth=300",
    "--param=large-function-growth=1000",
)
"""Makes one function of the small ones that a walk calls for each field, which gcc alone leaves apart: a sixth of its
time. (clang has no such bounds, and says so.)"""


def kernels(mode: str) -> list[Extension]:
    if mode not in MODES:
        raise SystemExit(f"INSPECTOR_COMPILED is {mode!r}; it must be one of {', '.join(MODES)}")
    if mode == "never":
        return []
    from Cython.Build import cythonize  # noqa: PLC0415  # not needed, and perhaps not there, where nothing is compiled

    root = Path("inspector")
    extensions = cythonize(
        [kernel(path) for path in sorted((*root.rglob("*_cy.py"), *root.rglob("*_cy.pyx")))],
        compiler_directives={"language_level": 3, "freethreading_compatible": True},
        build_dir="build/cython",
        nthreads=os.cpu_count(),
    )
    for extension in extensions:
        extension.optional = mode == "auto"  # set here, as cythonize drops it
    return list(extensions)


def kernel(source: Path) -> Extension:
    """A `.pyx` is C++: it has the standard library's containers, and its shortest text of a float."""
    name = ".".join(source.with_suffix("").parts)
    if source.suffix == ".py":
        return Extension(name, [str(source)])
    return Extension(name, [str(source)], language="c++", extra_compile_args=["-std=c++17", "-O3", *INLINING])


setup(ext_modules=kernels(os.environ.get("INSPECTOR_COMPILED", "auto")))
