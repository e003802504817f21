from __future__ import annotations

import pytest
from command import ROOT, run

PROTOS = str(ROOT / "protos")


def complete(*words: str, **variables: str) -> list[str]:
    """What bash is offered for the last word, by click's protocol."""
    line = "\n".join(("inspector", *words))
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words)), "_INSPECTOR_COMPLETE": "bash_complete"}
    result = run(**asked, **variables)
    assert (result.code, result.err) == (0, "")
    return result.out.decode().split()


def test_commands_complete():
    assert complete("de") == ["plain,decode", "plain,describe"]


@pytest.mark.parametrize("lead", ["", ".", "/"])
def test_methods_complete_with_a_dot_or_a_slash(lead):
    found = complete("template", "-s", PROTOS, f"{lead}vision.v1.PredictionService/P")
    assert found == [f"plain,{lead}vision.v1.PredictionService/Predict"]
    assert "plain,vision.v1.PredictionService.Predict" in complete("template", "-s", PROTOS, "vision.v1.PredictionS")


def test_types_complete_by_the_variable_too():
    assert complete("decode", "x", "-t", "models.v1.Tas", INSPECTOR_SCHEMA=PROTOS) == []
    assert "plain,models.v1.Tensor" in complete("decode", "x", "-t", "models.v1.Te", INSPECTOR_SCHEMA=PROTOS)


def test_files_are_left_to_the_shell():
    assert complete("list", "-s", "pro") == ["file,pro"]
    assert complete("decode", "sam") == ["file,sam"]


def test_words_that_bash_breaks_are_joined():
    assert complete("template", "--to", "=", "y") == ["plain,yaml"]
    assert complete("list", "-s", "python", ":", "no_such_module", "x") == []


@pytest.mark.parametrize("words", [("list", "-s", "nowhere", "x"), ("nope", "x"), ("template", "--depth", "q", "x")])
def test_what_goes_wrong_is_not_printed(words):
    assert complete(*words) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_their_script(shell):
    result = run(_INSPECTOR_COMPLETE=f"{shell}_source")
    assert (result.code, b"_inspector_completion" in result.out) == (0, True)
