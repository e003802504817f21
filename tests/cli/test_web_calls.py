"""`inspector call --protocol`: Connect and gRPC-Web, against a server of @connectrpc/connect-node."""

from __future__ import annotations

import json
import signal

import node_peer
import pytest
from certificates import Certificates
from command import PATIENCE, SCHEMA, run, start

SERVICE = "vision.v1.PredictionService"
PREDICT = f"{SERVICE}/Predict"
PROTOCOLS = ("grpc-web", "connect")
BAD_REQUEST = {
    "@type": "type.googleapis.com/google.rpc.BadRequest",
    "fieldViolations": [{"field": "image", "description": "empty"}],
}


@pytest.fixture(scope="module")
def doors():
    with node_peer.serving_web(SCHEMA) as (http1, h2c):
        yield {"1.1": http1, "2": h2c}


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    made = Certificates(tmp_path_factory.mktemp("tls") / "ca")
    made.sign("server")
    with node_peer.serving_web(SCHEMA, made.cert("server"), made.key("server")) as (address,):
        yield address, ("--cacert", made.cert("ca"))


@pytest.fixture(params=["1.1", "2"])
def reached(request, doors):
    """The address and the options, of each version of HTTP."""
    return f"http://{doors[request.param]}", "--http", request.param


def call(reached, method, *words):
    return run("call", *reached, f"{SERVICE}/{method}", "-s", SCHEMA, *words)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("method", "data", "answers"),
    [
        ("Predict", '{"model": "m"}', [{"model": "m"}]),
        ("WatchVideo", "{}", [{"progress": n / 4} if n else {} for n in range(5)]),
    ],
)
def test_one_request_is_answered(reached, protocol, method, data, answers):
    called = call(reached, method, "--protocol", protocol, "-d", data)
    assert (called.code, called.err, called.rows) == (0, "", answers)


def test_connect_streams_requests(reached):
    called = call(reached, "UploadDataset", "--protocol", "connect", "-d", "{}{}{}")
    assert (called.code, called.err, called.rows) == (0, "", [{"stored": "3"}])


def test_connect_streams_both_ways_over_http2(doors):
    words = ("--protocol", "connect", "-d", '{"text": "a"} {"text": "b"}')
    called = call((doors["2"], "--plaintext", "--http", "2"), "Converse", *words)
    assert (called.code, called.rows) == (0, [{"turn": 1, "text": "A"}, {"turn": 2, "text": "B"}])
    refused = call((doors["1.1"], "--plaintext"), "Converse", *words)
    assert (refused.code, refused.out) == (1, b"")
    assert "over HTTP/2 only (--http 2" in refused.err


@pytest.mark.parametrize("method", ["UploadDataset", "Converse"])
def test_grpc_web_streams_no_requests(reached, method):
    called = call(reached, method, "--protocol", "grpc-web", "-d", "{}")
    assert (called.code, called.out) == (1, b"")
    assert "gRPC-Web has no calls that stream requests" in called.err


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("method", "answers"), [("Predict", 0), ("WatchVideo", 5)])
def test_an_error_is_told_with_its_details(reached, protocol, method, answers):
    called = call(reached, method, "--protocol", protocol, "-d", '{"model": "fail"}', "--envelope")
    *_, row = called.rows
    status = row["status"]
    assert (called.code, row["protocol"], row["responses"]) == (64 + 3, protocol, answers)
    assert (status["code"], status["message"]) == (3, "the image is empty")
    assert status["details"] == [BAD_REQUEST]
    metadata = [*row["trailers"], *row["response_headers"]]
    assert ["x-why", "because"] in metadata
    assert ["x-raw-bin", "AAH/"] in metadata


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_metadata_goes_both_ways(reached, protocol):
    words = ("-H", "x-tag: 1", "-H", "x-data-bin: AAEC", "--max-time", "20", "--envelope")
    called = call(reached, "Predict", "--protocol", protocol, "-d", "{}", *words)
    row = called.rows[-1]
    tag, data, by_connect, by_grpc, *_ = dict(row["response_headers"])["x-seen"].split("|")
    assert (tag, data) == ("1", "AAEC")
    assert (by_connect, by_grpc) == (("20000", "") if protocol == "connect" else ("", "20000000u"))
    assert {("x-cost", "7"), ("x-raw-bin", "AAH/")} <= {tuple(field) for field in row["trailers"]}
    assert (row["status"]["name"], row["deadline"], row["complete"]) == ("OK", 20.0, True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_messages_are_compressed_both_ways(reached, protocol):
    model = "m" * 5000
    words = ("--compress", "gzip", "-d", json.dumps({"model": model}), "-vv")
    called = call(reached, "Predict", "--protocol", protocol, *words)
    assert (called.code, called.rows) == (0, [{"model": model}])
    assert any("response 0:" in line and "(gzip," in line for line in called.err.splitlines())
    assert any("request 0:" in line and "(gzip," in line for line in called.err.splitlines())


def test_connect_compresses_streams(reached):
    called = call(reached, "UploadDataset", "--protocol", "connect", "--compress", "gzip", "-d", "{} {}")
    assert (called.code, called.rows) == (0, [{"stored": "2"}])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("method", ["Predict", "WatchVideo"])
def test_a_deadline_is_kept(reached, protocol, method):
    called = call(reached, method, "--protocol", protocol, "--max-time", "0.4", "-d", '{"model": "wait"}')
    assert called.code == 64 + 4
    assert "DEADLINE_EXCEEDED" in called.err


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_enough_answers_end_the_call(reached, protocol):
    called = call(reached, "WatchVideo", "--protocol", protocol, "--stop-after", "2", "-d", '{"model": "wait"}')
    assert (called.code, called.err, called.rows) == (0, "", [{}, {"progress": 0.25}])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_ctrl_c_cancels_the_call(doors, protocol):
    words = ("--protocol", protocol, "-s", SCHEMA, "-d", '{"model": "wait"}')
    process = start("call", f"http://{doors['1.1']}", f"{SERVICE}/WatchVideo", *words)
    lines = [process.stdout.readline() for _ in range(5)]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, json.loads(lines[-1])) == (130, {"progress": 1.0})
    assert b"the call was cancelled" in said


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_limit_of_a_message_is_kept(reached, protocol):
    words = ("--max-msg-sz", "1000", "-d", json.dumps({"model": "m" * 5000}))
    called = call(reached, "Predict", "--protocol", protocol, *words)
    assert (called.code, called.out) == (64 + 8, b"")
    assert "the limit is 1000 (--max-msg-sz)" in called.err


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("options", "version"), [((), "2"), (("--http", "1.1"), "1.1"), (("--http", "2"), "2")])
def test_with_tls_the_version_is_agreed_on(secure, protocol, options, version):
    address, trust = secure
    words = ("--protocol", protocol, "-d", '{"model": "m"}', "-v")
    called = call((f"https://{address}", *trust, *options), "Predict", *words)
    assert (called.code, called.rows) == (0, [{"model": "m"}])
    assert f", HTTP/{version})" in called.err


def test_a_certificate_is_verified(secure):
    called = call((f"https://{secure[0]}",), "Predict", "--protocol", "connect")
    assert (called.code, called.out) == (1, b"")
    assert "certificate" in called.err


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_methods_may_be_below_a_path(protocol):
    with node_peer.serving_web(SCHEMA, prefix="/api/v2") as (address, _):
        below = call((f"http://{address}/api/v2/",), "Predict", "--protocol", protocol, "-d", '{"model": "m"}')
        beside = call((f"http://{address}",), "Predict", "--protocol", protocol)
    assert (below.code, below.rows) == (0, [{"model": "m"}])
    assert beside.code == 64 + 12
    assert "HTTP status 404" in beside.err


def test_a_path_is_nothing_for_grpc(doors):
    called = call((f"http://{doors['2']}/api",), "Predict")
    assert (called.code, called.out) == (1, b"")
    assert "gRPC has no paths before the names of methods" in called.err


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_other_version_of_http_is_told(doors, protocol):
    words = ("--protocol", protocol)
    called = call((f"http://{doors['2']}",), "Predict", *words)
    assert called.code == 64 + 14
    assert "the server speaks HTTP/2, not HTTP/1.1 (--http 2)" in called.err
    called = call((f"http://{doors['1.1']}", "--http", "2"), "Predict", *words)
    assert called.code == 1
    assert "the server speaks HTTP/1.1, not HTTP/2 (leave --http 2 out" in called.err


def test_without_reflection_a_hint_names_the_schema(doors):
    called = run("call", f"http://{doors['1.1']}", PREDICT, "--protocol", "connect", "--no-cache")
    assert called.code == 1
    assert "no schema from the server, which was asked by gRPC (reflection)" in called.err
    assert "-s FILE names the schema" in called.err


def test_an_unknown_protocol_is_a_wrong_command_line(doors):
    called = call((f"http://{doors['1.1']}",), "Predict", "--protocol", "soap")
    assert called.code == 2
    assert "'soap' is not one of 'grpc', 'grpc-web', 'connect'" in called.err


def test_a_profile_names_the_protocol(doors, tmp_path):
    text = f'[targets.web]\naddress = "http://{doors["1.1"]}"\nprotocol = "connect"\nschema = ["{SCHEMA}"]\n'
    (tmp_path / "inspector.toml").write_text(text)
    called = run("call", "@web", PREDICT, "-d", '{"model": "m"}', cwd=tmp_path)
    assert (called.code, called.err, called.rows) == (0, "", [{"model": "m"}])
    (tmp_path / "inspector.toml").write_text(text.replace('"connect"', '"soap"'))
    wrong = run("call", "@web", PREDICT, cwd=tmp_path)
    assert wrong.code == 1
    assert "targets.web.protocol is not one of grpc, grpc-web, connect" in wrong.err


def test_replay_says_that_it_speaks_grpc(doors, tmp_path):
    (tmp_path / "inspector.toml").write_text(f'[targets.web]\naddress = "{doors["1.1"]}"\nprotocol = "connect"\n')
    replayed = run("replay", SCHEMA.parent / "predict.pcapng", "--target", "@web", cwd=tmp_path)
    assert replayed.code == 1
    assert "replay makes calls by gRPC only, and the profile says connect" in replayed.err
