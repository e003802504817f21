"""`call --request`: a saved request is sent, and the command line has the last word."""

from __future__ import annotations

import json

import pytest
from command import SCHEMA, run
from typed_server import SERVICE, serving


@pytest.fixture(scope="module")
def server():
    with serving(SCHEMA) as (address, handler):
        yield f"grpc://{address}", handler


def write(folder, **value):
    path = folder / "a.request.json"
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize("schema", [[], [str(SCHEMA)]], ids=["reflection", "file"])
def test_a_saved_request_is_sent(server, tmp_path, monkeypatch, schema):
    target, handler = server
    monkeypatch.setenv("MY_TOKEN", "t0p")
    path = write(
        tmp_path, method=f"{SERVICE}/Converse", target=target, schema=schema, timeout=20,
        metadata=["authorization: Bearer ${MY_TOKEN}", "# x-off: 1", "k-bin: AAE="],
        messages=[{"text": "a"}, {"text": "b"}],
    )  # fmt: skip
    handler.requests.clear()
    handler.metadata.clear()
    made = run("call", "--request", path)
    assert (made.code, made.err) == (0, "")
    assert handler.requests == [{"text": "a"}, {"text": "b"}]
    sent = handler.metadata[0]
    assert (sent["authorization"], sent["k-bin"], "x-off" in sent) == ("Bearer t0p", b"\0\1", False)


def test_the_command_line_has_the_last_word(server, tmp_path):
    target, handler = server
    path = write(
        tmp_path, method=f"{SERVICE}/Converse", target="grpc://127.0.0.1:1", metadata=["x-a: 1", "x-b: 2"],
        plaintext=True, messages=[{"text": "a"}],
    )  # fmt: skip
    handler.requests.clear()
    handler.metadata.clear()
    made = run("call", "--request", path, target, f"{SERVICE}/Predict", "-H", "x-a: 3", "-d", '{"model": "m"}')
    assert (made.code, made.err) == (0, "")
    assert handler.requests == [{"model": "m"}]
    assert (handler.metadata[0]["x-a"], handler.metadata[0]["x-b"]) == ("3", "2")


def test_what_is_wrong_is_told(server, tmp_path):
    target, _ = server
    path = write(tmp_path, method=f"{SERVICE}/Predict", target=target, messages=[{"model": 1}])
    made = run("call", "--request", path)
    assert made.code == 1
    assert "a.request.json, line 1, column" in made.err
    assert "model: expected" in made.err
    made = run("call", "--request", write(tmp_path, method="a.B/C"))
    assert (made.code, "Missing argument 'TARGET'" in made.err) == (2, True)
    made = run("call", "grpc://127.0.0.1:1")
    assert (made.code, "Missing argument 'METHOD'" in made.err) == (2, True)
