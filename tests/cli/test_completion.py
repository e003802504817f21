from __future__ import annotations

import shlex
import subprocess
import sys

import pytest
from command import PATIENCE, ROOT, SCHEMA, environment, run
from typed_server import SERVICE, serving

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


@pytest.fixture(scope="module")
def server():
    with serving(SCHEMA) as (address, _):
        yield address


@pytest.fixture
def folder(server, tmp_path):
    (tmp_path / "inspector.toml").write_text(f'[targets.staging]\naddress = "grpc://{server}"\n')
    (tmp_path / "request.json").write_text("{}")
    return tmp_path


def bash(folder, *words: str) -> list[str]:
    """What bash gets from the function that it is given, for words as it breaks them."""
    program = folder / "inspector"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m inspector "$@"\n')
    program.chmod(0o755)
    script = run(_INSPECTOR_COMPLETE="bash_source").out.decode()
    ask = 'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _inspector_completion "$1"; printf "%s\\n" "${COMPREPLY[@]}"'
    command = ["bash", "--norc", "-c", f"{script}\n{ask}", "bash", str(program), *words]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, timeout=PATIENCE, check=True)
    assert done.stderr == b""
    return done.stdout.decode().split()


def test_bash_completes_a_call_by_the_schema_of_its_target(folder, server):
    host, port = server.split(":")
    target = ("grpc", ":", f"//{host}", ":", port)
    assert bash(folder, "call", *target, f"{SERVICE}/Wat") == [f"{SERVICE}/WatchVideo"]
    assert bash(folder, "call", "--plaintext", host, ":", port, f"{SERVICE}/Wat") == [f"{SERVICE}/WatchVideo"]
    assert bash(folder, "template", "-s", *target, f"{SERVICE}.Wat") == [f"{SERVICE}.WatchVideo"]
    assert bash(folder, "template", "--to", "=", "y") == ["yaml"]
    assert bash(folder, "template", "--to", "=") == bash(folder, "template", "--to", "")


def test_bash_completes_profiles_and_what_they_lead_to(folder):
    assert bash(folder, "call", "@", "sta") == ["@staging"]
    assert bash(folder, "call", "@") == ["@staging"]
    assert bash(folder, "list", "-s", "@", "s") == ["@staging"]
    assert bash(folder, "call", "@", "staging", f"{SERVICE}/Wat") == [f"{SERVICE}/WatchVideo"]
    assert bash(folder, "call", "@", "staging", f"{SERVICE}/Predict", "-d", "@", "req") == ["@request.json"]


def test_nothing_is_offered_where_the_target_is_not_there(folder):
    (folder / "inspector.toml").write_text("[targets.a")
    assert bash(folder, "call", "@", "a") == []
    assert bash(folder, "call", "@", "a", "x") == []
    assert bash(folder, "call", "grpc", ":", "//127.0.0.1", ":", "1", "x") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_ask_for_whole_words(folder, server, shell):
    words = {"zsh": f"inspector call grpc://{server} {SERVICE}/Wat", "fish": f"inspector call grpc://{server}"}
    last = {"zsh": "3", "fish": f"{SERVICE}/Wat"}
    asked = run(_INSPECTOR_COMPLETE=f"{shell}_complete", COMP_WORDS=words[shell], COMP_CWORD=last[shell])
    assert (asked.code, asked.err) == (0, "")
    assert f"{SERVICE}/WatchVideo" in asked.out.decode()
