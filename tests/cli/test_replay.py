"""`inspector replay`, as a process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from concurrent import futures

import grpc
import pytest
import sample_server
from command import PATIENCE, SAMPLES, SCHEMA, on_terminal, run, start

PREDICT = SAMPLES / "predict.pcapng"
SECRETS = SAMPLES / "hpack.pcapng"
TYPED = ("-s", SCHEMA, "--plaintext")


@pytest.fixture(scope="module")
def plain():
    with sample_server.serving() as address:
        yield address


@pytest.fixture(scope="module")
def changed():
    with sample_server.serving("changed") as address:
        yield address


@pytest.fixture
def nobody():
    """Where nobody listens."""
    with contextlib.closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


class Listener(grpc.GenericRpcHandler):
    """Answers nothing to all calls but those of `waiting`; keeps their metadata."""

    def __init__(self):
        self.metadata = []
        self.waiting = ()
        self.came = threading.Event()
        self.over = threading.Event()

    def service(self, details):
        self.metadata.append(dict(details.invocation_metadata))
        return grpc.stream_stream_rpc_method_handler(self._wait if details.method in self.waiting else self._answer)

    def _answer(self, requests, _):
        list(requests)
        yield b""

    def _wait(self, requests, context):
        context.add_callback(self.over.set)
        self.came.set()
        self.over.wait(PATIENCE)
        yield b""


@pytest.fixture
def listener():
    handler = Listener()
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=(handler,), options=(("grpc.so_reuseport", 0),))
    handler.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield handler
    server.stop(None).wait()


def test_a_capture_at_the_server_it_came_from_is_all_the_same(plain):
    result = run("replay", PREDICT, "--target", plain, *TYPED)
    assert result.code == 0
    assert [row["outcome"] for row in result.rows] == ["same"] * 10
    assert "10 calls: 10 same; calls took" in result.err
    first = result.rows[0]
    assert [*first] == [
        "call", "method", "outcome", "differences", "status", "captured_status", "duration", "captured_duration"
    ]  # fmt: skip
    assert (first["call"], first["method"], first["differences"]) == (1, "/models.v1.ModelService/GetModel", [])
    assert first["status"] == first["captured_status"] == {"code": 0, "name": "OK", "message": "", "details": []}
    assert first["duration"] > 0 < first["captured_duration"]


def test_a_server_that_answers_differently_is_told_by_field_and_by_the_exit_code(changed):
    result = run("replay", PREDICT, "--target", changed, *TYPED)
    assert result.code == 1
    assert "10 calls: 5 same, 5 different" in result.err
    second = result.rows[1]
    assert second["outcome"] == "different"
    assert second["differences"] == [
        {"path": "response[0].labels[0].score", "kind": "changed", "before": 0.9375, "after": 1.0},
        {"path": "response[0].finishedAt", "kind": "changed", "before": "2026-03-14T06:00:01.375Z",
         "after": "2026-03-14T06:01:01.375Z"},
    ]  # fmt: skip
    ninth = result.rows[8]
    assert (ninth["status"]["name"], ninth["captured_status"]["name"]) == ("NOT_FOUND", "OK")


def test_on_a_terminal_it_is_a_line_for_each_call_and_difference(changed):
    result = on_terminal("replay", PREDICT, "--target", changed, *TYPED, NO_COLOR="1")
    lines = result.out.decode().splitlines()
    assert result.code == 1
    assert lines[0].startswith("#1    same       models.v1.ModelService/GetModel  1.15 ms -> ")
    assert "    ~ response[0].labels[0].score: 0.9375 -> 1.0" in lines
    assert '    ~ status.code: "OK" -> "NOT_FOUND"' in lines


def test_what_is_ignored_within_tolerance_or_not_asked_for_does_not_count(changed):
    command = ("replay", PREDICT, "--target", changed, *TYPED, "--method", "Predict")
    ignoring = ("--ignore", "finished_at", "--tolerance", "0.1")
    result = run(*command, *ignoring)
    assert (result.code, [row["outcome"] for row in result.rows]) == (0, ["same"] * 3)
    result = run(*command, *ignoring, "--compare-headers", "x-*")
    assert result.code == 1
    assert {"path": "trailers.x-token", "kind": "added", "after": "<masked>"} in result.rows[0]["differences"]


def test_without_a_schema_calls_that_differ_are_told_to_be_guessed(changed):
    result = run("replay", PREDICT, "--target", changed, "--plaintext", "--call", 8)
    assert result.code == 1
    assert "compared by field number" in result.err


def test_calls_are_chosen_by_number_method_and_content(plain):
    def numbers(*options):
        result = run("replay", PREDICT, "--target", plain, *TYPED, *options)
        return result.code, [row["call"] for row in result.rows]

    assert numbers("--call", 3, "--call", 1) == (0, [1, 3])
    assert numbers("--method", "/models.v1.*") == (0, [1])
    assert numbers("--where", "has(request.model) && has(request.text)") == (0, [3])
    result = run("replay", PREDICT, "--target", plain, *TYPED, "--call", 99)
    assert (result.code, result.out) == (1, b"")
    assert "no call in the input is one that was asked for" in result.err


def test_a_capture_comes_through_a_pipe_too(plain):
    result = run("replay", "-", "--target", plain, *TYPED, "--speed", "1000", stdin=PREDICT.read_bytes())
    assert (result.code, len(result.rows)) == (0, 10)


def test_calls_that_are_not_whole_are_skipped_and_told(plain):
    result = run("replay", SAMPLES / "truncated.pcapng", "--target", plain, *TYPED)
    assert result.code == 3
    assert result.rows[9]["outcome"] == "skipped"
    assert "its end is not in the capture" in result.rows[9]["reason"]
    assert "9 same, 1 skipped" in result.err


def test_credentials_are_not_sent_and_that_is_told(listener):
    command = ("replay", SECRETS, "--target", listener.address, "--plaintext", "--call", 1)
    result = run(*command, "--set-header", "x-tenant: other", "-H", "x-more: 1", "--drop-header", "x-trace*")
    assert result.code == 1  # this server answers nothing
    assert "header fields not sent: authorization, cookie, x-api-key: credentials (--keep-credentials" in result.err
    assert "header fields not sent: x-trace-bin: dropped by --drop-header" in result.err
    run(*command, "--keep-credentials")
    without, with_ = listener.metadata
    assert not {"authorization", "cookie", "x-api-key", "x-trace-bin"} & without.keys()
    assert (without["x-tenant"], without["x-more"], without["x-step"]) == ("other", "1", "0")
    assert (with_["authorization"], with_["x-api-key"]) == ("Bearer example-token", "example-key-0123456789")
    assert "inspector" in with_["user-agent"]


def test_a_dry_run_prints_what_would_be_sent_and_sends_nothing(nobody):
    command = ("replay", SECRETS, "--target", nobody, "--plaintext", "--call", 1, "--dry-run", "--keep-credentials")
    result = run(*command)
    assert result.code == 0
    (row,) = result.rows
    assert (row["outcome"], row["requests"], row["deadline"], row["encoding"]) == ("planned", 1, 5.0, "identity")
    assert ["authorization", "Bearer <masked>"] in row["metadata"]
    assert "nothing was sent: 1 planned" in result.err
    shown = on_terminal(*command, "--show-secrets", NO_COLOR="1").out.decode()
    assert "    authorization: Bearer example-token\n" in shown


def test_nothing_is_sent_without_a_target():
    result = run("replay", PREDICT)
    assert (result.code, result.out) == (2, b"")
    assert "--target" in result.err


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--speed", "fast"), "'fast'"),
        (("--max-time", "1", "--no-deadline"), "use one of them"),
        (("--set-header", "te: gzip"), "belongs to the protocol"),
        (("--concurrency", "0"), "0"),
        (("--speed", "nan"), "'nan' is no number of this kind"),
        (("--speed", "inf"), "'inf' is no number of this kind"),
        (("--tolerance", "nan"), "'nan' is no number of this kind"),
        (("--max-time", "inf"), "'inf' is no number of this kind"),
        (("--connect-timeout", "nan"), "'nan' is no number of this kind"),
    ],
)
def test_options_that_cannot_be_are_refused(nobody, options, text):
    result = run("replay", PREDICT, "--target", nobody, *options)
    assert result.code in (1, 2)
    assert text in result.err
    assert len(result.err.splitlines()) == 1


def test_a_server_that_is_not_there_is_one_line(nobody):
    result = run("replay", PREDICT, "--target", nobody, "--plaintext")
    assert (result.code, result.out) == (1, b"")
    assert "refused" in result.err
    assert "Traceback" not in result.err


def test_what_holds_no_calls_is_refused(nobody):
    result = run("replay", SAMPLES / "payloads" / "stream.grpc", "--target", nobody)
    assert result.code == 1
    assert "holds messages, not calls" in result.err


def test_a_profile_names_the_target(plain, tmp_path):
    config = f'[targets.local]\naddress = "{plain}"\nplaintext = true\nschema = ["{SCHEMA}"]\n'
    (tmp_path / "inspector.toml").write_text(config)
    result = run("replay", PREDICT, "--target", "@local", "--call", 2, cwd=tmp_path)
    assert (result.code, result.rows[0]["outcome"]) == (0, "same")


def test_interrupted_it_tells_what_was_done_so_far(listener):
    listener.waiting = ("/vision.v1.PredictionService/Predict",)
    process = start("replay", PREDICT, "--target", listener.address, "--plaintext")
    with process:
        line = process.stdout.readline()
        assert json.loads(line)["call"] == 1
        assert listener.came.wait(PATIENCE)
        os.kill(process.pid, signal.SIGINT)
        err = process.stderr.read().decode()
    assert process.returncode == 130
    assert "interrupted" in err
    assert "1 call: 1 different" in err
    assert listener.over.wait(PATIENCE)
