"""What README and docs say, held against the program."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import command
import pytest
from click.testing import CliRunner

from inspector.cli.main import COMMANDS, cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"^    (inspector [a-z]+ samples/[^|\n]*?)(?: > [\w.]+)?$", README, re.MULTILINE)
FAILING = {"samples/truncated.pcapng": 3}


def help_of(name):
    return CliRunner().invoke(cli, [name, "--help"]).output


def test_the_readme_has_recipes():
    assert len(RECIPES) >= 8


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_of_the_readme_runs(recipe):
    result = command.run(*shlex.split(recipe)[1:], cwd=ROOT)
    assert result.code == 0
    if " diff " in recipe:
        assert (result.out, result.err.count("\n")) == (b"", 1)  # the same, but for the order of map entries
    else:
        assert result.out
        assert result.err == "" or " infer " in recipe


def test_the_python_snippet_of_the_readme_runs(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    snippet = README.split("**From Python:**")[1].split("All of the library")[0]
    exec("\n".join(line.removeprefix("    ") for line in snippet.splitlines()), {})
    assert (
        "/models.v1.ModelService/GetModel request {'name': 'models/wildlife/versions/7'}\n" in capsys.readouterr().out
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_reference(name):
    assert f"`inspector {name} " in REFERENCE
    options = set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", help_of(name), re.MULTILINE)) - {"--help"}
    assert [option for option in sorted(options) if option not in REFERENCE] == []


def test_every_option_in_readme_and_reference_exists():
    known = set(re.findall(r"--[\w-]+", "".join(map(help_of, COMMANDS)) + help_of("--version")))
    known |= {"--version", "--from", "--output"}
    said = set(re.findall(r"(?<![\w`-])--[a-z][\w-]*", README)) | set(re.findall(r"`[^`]*?(--[a-z][\w-]*)", REFERENCE))
    assert sorted(said - known) == []


def test_links_within_the_documents_lead_somewhere():
    for document in (
        ROOT / "README.md",
        *ROOT.glob("docs/*.md"),
        ROOT / "CONTRIBUTING.md",
        ROOT / "samples" / "README.md",
    ):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists() or "://" in target, f"{document.name}: {target}"


def test_the_table_of_keys_is_that_of_the_program():
    """`make docs` writes it."""
    make = runpy.run_path(str(ROOT / "docs" / "make_tui_docs.py"))
    page = (ROOT / "docs" / "tui.md").read_text(encoding="utf-8")
    assert make["key_table"]() in page
    assert make["with_table"](page) == page
