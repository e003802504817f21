"""The kernels that the tests run over are those of the sources at hand, in the variants that were asked for."""

from __future__ import annotations

import importlib.machinery
import os

import kernels
import pytest


@pytest.fixture
def tree(tmp_path):
    """A package with one kernel and its extension module, built a second later."""
    folder = tmp_path / "inspector" / "net"
    folder.mkdir(parents=True)
    source = folder / "walk_cy.py"
    source.touch()
    os.utime(source, (1000, 1000))
    extension = folder / ("walk_cy" + importlib.machinery.EXTENSION_SUFFIXES[0])
    extension.touch()
    os.utime(extension, (1001, 1001))
    return tmp_path


def extension_of(tree):
    return kernels.extension_path("inspector.net.walk_cy", tree)


def test_no_extension_module_is_older_than_its_source():
    assert kernels.mode() == "never" or kernels.stale() == []


def test_an_edited_source_makes_the_extension_module_stale(tree):
    assert kernels.stale(tree) == []
    os.utime(tree / "inspector" / "net" / "walk_cy.py", (1002, 1002))
    assert kernels.stale(tree) == ["inspector.net.walk_cy"]


def test_a_kernel_that_is_only_compiled_grows_stale_too(tree):
    source = tree / "inspector" / "net" / "walk_cy.py"
    source.rename(source.with_suffix(".pyx"))
    assert (kernels.names(tree), kernels.native(tree)) == ([], ["inspector.net.walk_cy"])
    os.utime(source.with_suffix(".pyx"), (1002, 1002))
    assert kernels.stale(tree) == ["inspector.net.walk_cy"]


def test_an_edited_declaration_makes_all_stale_that_take_it(tree):
    package = tree / "inspector"
    edges, steps = package / "net" / "edges.pxd", package / "net" / "steps.pxd"
    (package / "__init__.py").touch()
    (package / "net" / "__init__.py").touch()
    (package / "net" / "walk_cy.py").write_text("from cython.cimports.inspector.net.steps import step\n")
    steps.write_text("from inspector.net.edges cimport edge\n")
    edges.write_text("cdef int edge\n")
    for path in (package / "net" / "walk_cy.py", steps, edges):
        os.utime(path, (1000, 1000))
    assert kernels.stale(tree) == []
    os.utime(edges, (1002, 1002))
    assert kernels.stale(tree) == ["inspector.net.walk_cy"]


def test_extension_modules_of_other_interpreters_do_not_count(tree):
    extension_of(tree).rename(tree / "inspector" / "net" / "walk_cy.cpython-27-other.so")
    assert extension_of(tree) is None


@pytest.mark.parametrize(
    ("mode", "built", "expected"),
    [
        ("auto", True, ["source", "compiled"]),
        ("auto", False, ["source"]),
        ("never", True, ["source"]),
        ("require", False, ["source", "compiled"]),
    ],
)
def test_the_mode_chooses_the_variants(tree, monkeypatch, mode, built, expected):
    monkeypatch.setenv("INSPECTOR_COMPILED", mode)
    if not built:
        extension_of(tree).unlink()
    assert kernels.variants("inspector.net.walk_cy", tree) == expected


def test_a_required_extension_module_that_is_missing_fails_the_test():
    with pytest.raises(pytest.fail.Exception, match="is not compiled"):
        kernels.load("inspector.errors", kernels.COMPILED)


@pytest.mark.parametrize("name", kernels.names())
def test_the_source_variant_is_interpreted(name):
    module = kernels.load(name, kernels.SOURCE)
    assert module.__file__ == str(kernels.source_path(name))
    assert isinstance(module.__spec__.loader, importlib.machinery.SourceFileLoader)
