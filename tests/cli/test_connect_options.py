"""How servers are reached that commands ask for their schema: the options that `call` has, for the others too."""

from __future__ import annotations

import os
from pathlib import Path

import grpc
import pytest
from command import SAMPLES, SCHEMA, environment, run
from typed_server import SERVICE, serving

from inspector.cli.connect_options import ConnectOptions, as_source, connection

PREDICT = f"{SERVICE}/Predict"
COMMANDS = [("list",), ("describe", PREDICT), ("template", PREDICT)]


@pytest.fixture(scope="module")
def server(authority):
    pair = Path(authority.key("server")).read_bytes(), Path(authority.cert("server")).read_bytes()
    with serving(SCHEMA, credentials=grpc.ssl_server_credentials([pair])) as (address, handler):
        yield f"grpcs://localhost:{address.rpartition(':')[2]}", handler


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each[0])
def test_a_server_with_its_own_ca_is_asked_for_its_schema(server, authority, command):
    address, handler = server
    handler.asked.clear()
    trust = "--cacert", authority.cert("ca")
    fields = "-H", "x-a: 1", "--reflect-header", "x-b: ${NAME}", "--expand-headers"
    result = run(*command, "-s", address, "--no-cache", *trust, *fields, NAME="2")
    assert (result.code, result.err) == (0, "")
    assert result.out
    assert (handler.asked[-1]["x-a"], handler.asked[-1]["x-b"]) == ("1", "2")
    refused = run(*command, "-s", address, "--no-cache")
    assert refused.code == 1
    assert "--cacert" in refused.err


def test_the_options_of_a_call_are_those_of_its_target_not_of_another_server(server, authority):
    address, _ = server
    trusted = "--cacert", authority.cert("ca")
    with serving(SCHEMA) as (other, handler):
        result = run("call", address, PREDICT, "-s", f"grpc://{other}", "-H", "authorization: Bearer x", *trusted)
        assert (result.code, result.rows) == (0, [{}])
        assert "authorization" not in handler.asked[-1]
    asked = run("call", address, PREDICT, "-s", address, "-H", "x-a: 1", "--no-cache", *trusted)
    assert (asked.code, asked.err, asked.rows) == (0, "", [{}])
    assert server[1].asked[-1]["x-a"] == "1"


@pytest.mark.parametrize(
    ("target", "source", "is_same"),
    [
        ("h:1", "grpcs://h:1", True),
        ("grpc://h:1", "grpc://h:1", True),
        ("unix:/s", "unix:/s", True),
        ("unix-abstract:s", "unix-abstract:s", True),
        ("unix-abstract:s", "unix:s", False),
        ("grpc://h:1", "grpc://h:2", False),
        ("grpcs://h:1", "grpc://h:1", False),  # what is sent by TLS does not go without
    ],
)
def test_the_same_server_is_one_that_is_reached_in_the_same_way(target, source, is_same):
    reached = connection(target, ConnectOptions(reflect_headers=("x-a: 1",)))
    assert as_source(reached, source).reflect_metadata == ((("x-a", "1"),) if is_same else ())


def test_a_profile_among_the_sources_of_a_call_has_its_own_header_fields(tmp_path):
    with serving(SCHEMA) as (address, handler), serving(SCHEMA) as (other, elsewhere):
        lines = f'[targets.a]\naddress = "grpc://{address}"\nheaders = ["x-a: 1"]\n'
        (tmp_path / "inspector.toml").write_text(
            f'{lines}[targets.b]\naddress = "grpc://{other}"\nheaders = ["x-b: 2"]\n'
        )
        for sources in ("@a",), ("@a", "-s", "@b"):
            result = run("call", "--plaintext", address, PREDICT, "-H", "x-c: 3", "-s", *sources, cwd=tmp_path)
            assert (result.code, result.rows) == (0, [{}])
        assert {name: handler.asked[-1].get(name) for name in ("x-a", "x-b", "x-c")} == {
            "x-a": "1",
            "x-b": None,
            "x-c": "3",
        }
        assert {name: elsewhere.asked[-1].get(name) for name in ("x-b", "x-c")} == {"x-b": "2", "x-c": None}


def test_the_options_of_a_replay_are_those_of_its_target(tmp_path):
    with serving(SCHEMA) as (address, handler), serving(SCHEMA) as (other, elsewhere):
        for source in address, other:
            run("replay", SAMPLES / "predict.pcapng", "--target", f"grpc://{address}", "-H", "x-a: 1", "-s",
                f"grpc://{source}", "--dry-run")  # fmt: skip
        assert handler.asked[-1]["x-a"] == "1"
        assert "x-a" not in elsewhere.asked[-1]


def test_an_abstract_socket_is_a_source_of_schemas(tmp_path):
    name = f"inspector-{os.getpid()}-{tmp_path.name}"
    with serving(SCHEMA, f"unix-abstract:{name}"):
        assert run("list", "-s", f"unix-abstract:{name}").out == f"{SERVICE}\n".encode()


def test_a_unix_socket_is_a_source_of_schemas(tmp_path):
    with serving(SCHEMA, f"unix:{tmp_path}/s") as (address, _):
        assert run("list", "-s", address).out == f"{SERVICE}\n".encode()
        assert run("list", INSPECTOR_SCHEMA=address).out == f"{SERVICE}\n".encode()
        assert run("call", "--unix", address, PREDICT).rows == [{}]


def test_an_address_without_a_scheme_is_no_source_and_the_line_says_what_is():
    result = run("list", "-s", "localhost:50051")
    assert result.code == 1
    assert "to ask a server: grpcs://localhost:50051, or grpc://localhost:50051" in result.err


def completed(*words):
    line = " ".join(map(str, words))
    variables = environment(_INSPECTOR_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    return [row.partition(",")[2] for row in run(**variables).out.decode().splitlines()]


def test_methods_complete_by_what_the_target_says(server, authority):
    with serving(SCHEMA) as (address, _):
        assert f"{SERVICE}/Predict" in completed("inspector", "call", f"grpc://{address}", f"{SERVICE}/")
        assert completed("inspector", "call", "--plaintext", address, f"{SERVICE}/Pre") == [PREDICT]
    secure = "--cacert", authority.cert("ca"), server[0]
    assert completed("inspector", "call", *secure, f"{SERVICE}/Pre") == [PREDICT]
    assert completed("inspector", "call", "-s", SCHEMA, "localhost:1", f"{SERVICE}/Pre") == [PREDICT]
    assert completed("inspector", "call", "grpc://localhost:1", f"{SERVICE}/Pre") == [""]


def test_targets_complete_by_the_names_of_profiles(tmp_path):
    (tmp_path / "inspector.toml").write_text(
        f'[targets.staging]\naddress = "grpc://localhost:1"\nschema = "{SCHEMA}"\n[targets.other]\naddress = "a:1"\n'
    )
    asked = environment(_INSPECTOR_COMPLETE="bash_complete")
    result = run(cwd=tmp_path, **asked | {"COMP_WORDS": "inspector call @st", "COMP_CWORD": "2"})
    assert result.out == b"plain,@staging\n"
    words = f"inspector call @staging {SERVICE}/Pre"
    result = run(cwd=tmp_path, **asked | {"COMP_WORDS": words, "COMP_CWORD": "3"})
    assert result.out == f"plain,{PREDICT}\n".encode()
