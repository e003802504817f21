"""Servers as sources of a schema: how they are reached, and by which names."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from command import SCHEMA, run
from typed_server import SERVICE, serving

PREDICT = f"{SERVICE}/Predict"


@pytest.fixture(scope="module")
def mutual(authority):
    """A server that asks for a certificate."""
    pair = Path(authority.key("server")).read_bytes(), Path(authority.cert("server")).read_bytes()
    ca = Path(authority.cert("ca")).read_bytes()
    credentials = grpc.ssl_server_credentials([pair], ca, require_client_auth=True)
    with serving(SCHEMA, credentials=credentials) as (address, _):
        yield address


@pytest.fixture(scope="module")
def plain():
    with serving(SCHEMA) as (address, _):
        yield address


def own(authority):
    return "--cacert", authority.cert("ca"), "--cert", authority.cert("client"), "--key", authority.key("client")


def profile(folder, address, *lines):
    (folder / "inspector.toml").write_text("\n".join(("[targets.here]", f'address = "{address}"', *lines)))
    return folder


@pytest.mark.parametrize("arguments", [["list"], ["describe", PREDICT], ["template", PREDICT]])
def test_a_server_is_asked_over_tls_with_certificates_of_both_sides(mutual, authority, arguments):
    source = "-s", f"grpcs://{mutual}", "--no-cache"
    result = run(*arguments, *source, *own(authority))
    assert (result.code, result.err) == (0, "")
    assert result.out
    refused = run(*arguments, *source)
    assert (refused.code, refused.out) == (1, b"")
    assert "certificate" in refused.err


def test_header_fields_go_with_the_question(plain):
    assert run("list", "-s", f"grpc://{plain}", "-H", "x-a: b", "--reflect-header", "x-c: ${NAME}").code == 0
    unset = run("list", "-s", f"grpc://{plain}", "--reflect-header", "x-c: ${NO_SUCH}", "--expand-headers")
    assert unset.code == 1
    assert "NO_SUCH" in unset.err


def test_options_of_calls_earn_a_warning(plain):
    result = run("list", "-s", f"grpc://{plain}", "--rpc-header", "x-a: b", "--no-cache")
    assert (result.code, result.out) == (0, f"{SERVICE}\n".encode())
    assert result.err == "inspector: warning: list does not use --rpc-header (inspector call does)\n"


def test_a_profile_says_how_its_server_is_asked(mutual, authority, tmp_path):
    files = dict(zip(("cacert", "cert", "key"), own(authority)[1::2], strict=True))
    lines = [f'{name} = "{path}"' for name, path in files.items()]
    folder = profile(tmp_path, f"grpcs://{mutual}", *lines, 'reflect-headers = ["x-a: ${TOKEN}"]')
    result = run("list", "-s", "@here", "--no-cache", cwd=folder, TOKEN="t")
    assert (result.code, result.out, result.err) == (0, f"{SERVICE}\n".encode(), "")
    called = run("call", "@here", PREDICT, "-d", '{"model": "m"}', "--no-cache", cwd=folder, TOKEN="t")
    assert (called.code, called.rows, called.err) == (0, [{"model": "m"}], "")
    unset = run("list", "-s", "@here", cwd=folder)
    assert unset.code == 1
    assert "TOKEN" in unset.err


def test_the_schema_of_a_profile_is_taken_before_its_server_is_asked(tmp_path):
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos/a.proto").write_text('syntax = "proto3"; package a; message A {} service S {}')
    folder = profile(tmp_path, "grpc://127.0.0.1:1", 'schema = "protos"')
    (folder / "below").mkdir()
    for command in (["list", "-s", "@here"], ["decode", "-", "-t", "a.A", "-s", "@here", "--from", "message"]):
        assert (run(*command, cwd=folder / "below").code, run(*command, cwd=folder / "below").err) == (0, "")


def test_a_profile_may_have_files_and_its_server(plain, tmp_path):
    (tmp_path / "a.proto").write_text('syntax = "proto3"; package a; service S {}')
    folder = profile(tmp_path, f"grpc://{plain}", 'schema = ["a.proto", "@here"]')
    assert run("list", "-s", "@here", cwd=folder).out.decode().split() == ["a.S", SERVICE]
    assert run("call", "@here", PREDICT, "-d", '{"model": "m"}', cwd=folder).rows == [{"model": "m"}]


def test_a_socket_is_a_source(tmp_path):
    with serving(SCHEMA, f"unix:{tmp_path}/s") as (address, _):
        assert run("list", "-s", address).out.decode().split() == [SERVICE]
    profile(tmp_path, "unix:s")
    with serving(SCHEMA, f"unix:{tmp_path}/s"):
        (tmp_path / "below").mkdir()
        assert run("list", "-s", "@here", "--no-cache", cwd=tmp_path / "below").out.decode().split() == [SERVICE]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{server}", [SERVICE]),
        ("a.proto:{server}", ["a.S", SERVICE]),
        ("{server}:a.proto", ["a.S", SERVICE]),
        ("python:google.rpc.status_pb2:a.proto", ["a.S"]),
        ("grpc://[::1]:1:a.proto", ["a.S"]),
        ("@here:a.proto", ["a.S", SERVICE]),
    ],
)
def test_the_variable_takes_servers(plain, tmp_path, value, expected):
    (tmp_path / "a.proto").write_text('syntax = "proto3"; package a; service S {}')
    profile(tmp_path, f"grpc://{plain}")
    result = run("list", cwd=tmp_path, INSPECTOR_SCHEMA=value.format(server=f"grpc://{plain}"))
    assert (result.code, result.out.decode().split()) == (0, expected)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["list", "-s", "grpc://127.0.0.1:1"], 1, "grpc://127.0.0.1:1: cannot connect: connection refused"),
        (["describe", "a.B", "-s", "grpc://127.0.0.1:1"], 1, "connection refused"),
        (["list", "-s", "127.0.0.1:50051"], 1, "to ask a server: grpcs://127.0.0.1:50051, or grpc://127.0.0.1:50051"),
        (["list", "localhost:50051"], 2, "to ask a server: -s grpc://localhost:50051"),
        (["list", "@here"], 2, "to ask a server: -s @here"),
        (["list", "-s", "@here"], 1, "there is no target @here"),
        (["list", "-s", "grpc://nowhere.invalid:1"], 1, "nowhere.invalid"),
        (["list", "-s", "grpc://a b"], 1, "is not a target"),
        (["list"], 2, "there is no schema to look in"),
        (["describe"], 2, "there is no schema to look in"),
        (["template", "a.B"], 2, "there is no schema to look in"),
    ],
)
def test_where_nothing_can_be_asked_one_line_says_so(tmp_path, arguments, code, said):
    result = run(*arguments, cwd=tmp_path)
    assert (result.code, result.out, len(result.err.splitlines())) == (code, b"", 1)
    assert said in result.err
