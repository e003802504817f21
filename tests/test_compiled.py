"""INSPECTOR_COMPILED, at build time and at run time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
KEPT = "link_cy.py"  # one kernel tells as much as all, and is compiled in a tenth of the time
PARTS = {".py", ".pyx", ".pyi", ".pxd", ".typed"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of what is built, with one kernel."""
    folder = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    shutil.copytree(ROOT / "inspector", folder / "inspector", ignore=ignored)
    for kernel in (folder / "inspector").rglob("*_cy.py*"):
        if kernel.name != KEPT:
            kernel.unlink()
    return folder


def build(tree, target, mode, **variables):
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", target, tree]
    environment = {**os.environ, "INSPECTOR_COMPILED": mode, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def extensions(target):
    (wheel,) = Path(target).glob("*.whl")
    return [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith((".so", ".pyd"))]


def test_never_builds_a_pure_distribution(tree, tmp_path):
    assert build(tree, tmp_path, "never").returncode == 0
    assert extensions(tmp_path) == []
    assert [path.name.endswith("py3-none-any.whl") for path in tmp_path.glob("*.whl")] == [True]


def test_auto_builds_without_a_compiler_too(tree, tmp_path):
    assert build(tree, tmp_path, "auto", CC="/bin/false").returncode == 0
    assert extensions(tmp_path) == []


def test_require_fails_without_a_compiler(tree, tmp_path):
    assert build(tree, tmp_path, "require", CC="/bin/false").returncode != 0
    assert list(tmp_path.glob("*.whl")) == []


def test_require_builds_every_kernel_that_is_there(tree, tmp_path):
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler here")
    result = build(tree, tmp_path, "require")
    assert result.returncode == 0, result.stderr
    assert [Path(name).name.split(".")[0] for name in extensions(tmp_path)] == [KEPT.removesuffix(".py")]


def test_a_source_distribution_holds_what_kernels_are_made_of(tmp_path):
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "inspector", tmp_path / "inspector", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    needed = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.suffix in PARTS}
    command = [sys.executable, "setup.py", "-q", "sdist"]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "INSPECTOR_COMPILED": "never"}, check=True)
    (made,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(made) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert needed <= names


def test_an_unknown_mode_does_not_build(tree, tmp_path):
    result = build(tree, tmp_path, "perhaps")
    assert result.returncode != 0
    assert "must be one of auto, require, never" in result.stderr + result.stdout


def run(mode, code):
    environment = {**os.environ, "INSPECTOR_COMPILED": mode}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_never_runs_the_sources():
    code = "import inspector, inspector.net.tcp_cy as k; print(inspector.is_compiled(), k.__file__.endswith('.py'))"
    assert run("never", code).stdout == "False True\n"


def test_the_version_tells_which_build_runs():
    result = run("never", "from inspector.cli.main import cli; cli(['--version'])")
    assert result.stdout.endswith("(kernels: pure Python)\n")


def test_an_unknown_mode_does_not_run():
    result = run("perhaps", "import inspector")
    assert result.returncode != 0
    assert "must be auto, require or never" in result.stderr
