"""docs/filter.md: its examples find what it says."""

from __future__ import annotations

import re
import shlex

import command
import pytest
from command import ROOT

import inspector

PAGE = (ROOT / "docs" / "filter.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| `(.*)` \| (none|[\d, ]+) \|$", PAGE, re.MULTILINE)
COMMANDS = re.findall(r"^    (inspector .*)$", PAGE, re.MULTILINE)


def test_the_page_has_examples():
    assert len(EXAMPLES) > 12
    assert COMMANDS


@pytest.mark.parametrize(("text", "calls"), EXAMPLES)
def test_an_example_finds_what_the_page_says(text, calls):
    where = inspector.Where(text.replace("\\|", "|"))
    with inspector.open(
        ROOT / "samples/errors.pcapng", schema=inspector.Schema.from_source(str(ROOT / "protos"))
    ) as session:
        found = ", ".join(str(call.number) for call in where.calls(session))
    assert (found or "none") == calls


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_runs(line):
    result = command.run(*shlex.split(line)[1:], cwd=ROOT)
    assert (result.code, result.err) == (0, "")
    assert result.out
