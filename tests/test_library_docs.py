"""docs/library.md: its snippets run, one after the other, and it has every public name that a program begins with."""

from __future__ import annotations

import re

import pytest
from command import ROOT, SCHEMA
from typed_server import serving

import inspector

PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def address():
    with serving(SCHEMA) as (listening, _):
        yield listening


def test_the_snippets_run_in_their_order(address, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    names = {}
    for snippet in SNIPPETS:
        exec(snippet.replace("localhost:50051", address), names)
    said = capsys.readouterr().out
    assert names["rest"] == []
    assert "HELLO\nGOODBYE\nOK\n" in said
    assert "[{'model': 'a'}, {'model': 'b'}, {'model': 'c'}]\n" in said
    assert "INVALID_ARGUMENT [{" in said
    assert '\nmodel: "models/' in names["readable"]
    assert names["blank"]


@pytest.mark.parametrize(
    "name", ["Client", "AsyncClient", "CallError", "InspectorError", "Schema", "open", "decode", "encode", "convert",
             "diff", "explain", "guess", "infer", "scan", "template", "Where"]
)  # fmt: skip
def test_a_public_name_is_on_the_page(name):
    assert name in inspector.__all__
    assert re.search(rf"(inspector\.|`){name}\b", PAGE)
