"""`inspector call`, as a process, against a real server."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys

import pytest
from command import PATIENCE, SAMPLES, SCHEMA, environment, run, start
from typed_server import SERVICE, serving

PREDICT = f"{SERVICE}/Predict"
WATCH = f"{SERVICE}/WatchVideo"
UPLOAD = f"{SERVICE}/UploadDataset"
CONVERSE = f"{SERVICE}/Converse"


@pytest.fixture(scope="module")
def server():
    with serving(SCHEMA) as (address, handler):
        yield address, handler


@pytest.fixture
def handler(server):
    server[1].metadata.clear()
    server[1].requests.clear()
    server[1].cancelled.clear()
    return server[1]


@pytest.fixture
def call(server, handler):
    """Calls a method of the server."""

    def made(method, *arguments, **options):
        return run("call", f"grpc://{server[0]}", method, "-s", SCHEMA, *arguments, **options)

    return made


def test_a_unary_call_prints_the_answer(call, handler):
    result = call(PREDICT, "-d", '{"model": "m", "context": {"requestId": "7"}}')
    assert (result.code, result.err) == (0, "")
    assert result.out == b'{"name":"7","model":"m"}\n'
    assert handler.requests == [{"model": "m", "context": {"requestId": "7"}}]


@pytest.mark.parametrize("method", [PREDICT, f"/{PREDICT}", PREDICT.replace("/", ".")])
def test_no_data_is_one_empty_message(call, handler, method):
    assert call(method).out == b"{}\n"
    assert handler.requests == [{}]


def test_answers_of_a_stream_are_lines(call):
    assert [row.get("progress", 0) for row in call(WATCH).rows] == [0, 0.25, 0.5, 0.75, 1]


def test_requests_of_a_stream_follow_one_another(call, handler):
    result = call(UPLOAD, "-d", '{"header": {"dataset": "a"}} {"example": {}}{"example": {}}')
    assert result.rows == [{"stored": "3"}]
    assert handler.requests == [{"header": {"dataset": "a"}}, {"example": {}}, {"example": {}}]


def test_a_stream_without_data_has_no_requests(call):
    assert call(UPLOAD).rows == [{}]


def test_an_answer_comes_before_the_next_request_is_typed(server):
    process = start("call", f"grpc://{server[0]}", CONVERSE, "-s", SCHEMA, "-d", "@")
    for turn, text in enumerate(("a", "b"), 1):
        process.stdin.write(b'{"text": "%s"}\n' % text.encode())
        assert json.loads(process.stdout.readline()) == {"turn": turn, "text": text.upper()}
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_at_the_keyboard_a_mistake_costs_only_its_message(server):
    process = start("call", f"grpc://{server[0]}", CONVERSE, "-s", SCHEMA, "--interactive")
    process.stdin.write(b'{"text": \n1}\n{"txet": "a"}\n')
    assert b"text" in process.stderr.readline()
    assert b'has no field "txet"' in process.stderr.readline()
    process.stdin.write(b'{"text": "b"}')
    assert json.loads(process.stdout.readline()) == {"turn": 1, "text": "B"}
    assert process.communicate(timeout=PATIENCE)[0] == b""
    assert process.returncode == 0


def test_a_second_request_of_a_unary_method_is_an_error(call, handler):
    result = call(PREDICT, "-d", "{}{}")
    assert (result.code, result.out) == (1, b"")
    assert "the method takes one request, and 2 are given" in result.err
    assert handler.requests == []


def test_a_request_that_cannot_be_read_is_told_with_its_place(call):
    result = call(PREDICT, "-d", '{"model": 1}')
    assert (result.code, result.out) == (1, b"")
    assert result.err.startswith("inspector: line 1, column 11: model: ")


def test_a_later_request_that_cannot_be_read_ends_the_call(call):
    result = call(CONVERSE, "-d", '{"text": "a"} {"text": 1}')
    assert result.code == 1
    assert "text: " in result.err


def test_a_status_is_told_with_its_details_and_as_the_exit_code(call):
    result = call(PREDICT, "-d", '{"model": "fail"}')
    assert (result.code, result.out) == (64 + 3, b"")
    assert f"{PREDICT}: INVALID_ARGUMENT (3)  the image is \\x1b[31m empty\n" in result.err
    assert '"field": "image"' in result.err
    assert "\x1b" not in result.err


def test_records_of_a_call_are_those_of_a_capture(call):
    *messages, made = call(WATCH, "--envelope", "-H", "x-a: b", "--max-time", "20").rows
    assert [(row["direction"], row["index"]) for row in messages] == [("request", 0)] + [
        ("response", index) for index in range(5)
    ]
    assert messages[1]["type"] == "vision.v1.FrameResult"
    assert (made["method"], made["requests"], made["responses"], made["deadline"]) == (f"/{WATCH}", 1, 5, 20.0)
    assert made["status"] == {"code": 0, "name": "OK", "message": "", "details": []}
    assert ["x-a", "b"] in made["request_headers"]
    assert made["complete"] is True


def test_a_record_of_a_call_that_failed_has_its_details(call):
    result = call(PREDICT, "--envelope", "-d", '{"model": "fail"}')
    assert result.code == 67
    assert result.rows[-1]["status"]["details"][0]["fieldViolations"][0]["field"] == "image"


def test_enough_answers_end_the_call_well(call, handler):
    result = call(WATCH, "-d", '{"model": "forever"}', "--stop-after", "2")
    assert (result.code, len(result.rows), result.err) == (0, 2, "")
    assert handler.cancelled.wait(PATIENCE)


def test_header_fields_arrive(call, handler, tmp_path):
    (tmp_path / "headers").write_text("# ours\nx-c: 3\n")
    result = call(
        PREDICT, "-H", "X-A: 1", "-H", "k-bin: AAE", "-H", f"@{tmp_path}/headers", "--rpc-header", "x-d: ${NAME}",
        "--reflect-header", "x-e: 5", "--expand-headers", NAME="4",
    )  # fmt: skip
    assert result.code == 0
    sent = handler.metadata[0]
    assert {key: sent.get(key) for key in ("x-a", "k-bin", "x-c", "x-d", "x-e")} == {
        "x-a": "1", "k-bin": b"\0\1", "x-c": "3", "x-d": "4", "x-e": None,
    }  # fmt: skip


def test_an_unset_variable_of_a_header_is_an_error(call):
    result = call(PREDICT, "-H", "x-a: ${NOT_SET}", "--expand-headers")
    assert result.code == 1
    assert "NOT_SET" in result.err


def test_what_is_told_goes_to_standard_error_with_credentials_masked(call):
    result = call(PREDICT, "-v", "-H", "authorization: Bearer abc", "-d", "{}")
    assert result.rows == [{}]
    lines = result.err.splitlines()
    assert lines[0] == f"* rpc {PREDICT} (vision.v1.PredictRequest) returns (vision.v1.PredictResponse)"
    assert "> authorization: Bearer <masked>" in lines
    assert "< x-served-by: test" in lines
    assert "< x-trace-bin: AAE" in lines
    assert lines[-1].endswith(": OK (0)")


def test_twice_told_there_are_sizes_and_times(call):
    err = call(PREDICT, "-vv", "--compress", "gzip", "-d", json.dumps({"model": "m" * 5000})).err
    assert "> request 0: 4.9 KiB (gzip, " in err or "> request 0: 5.0 kB (gzip, " in err
    assert "< response 0: " in err
    assert "*   connect " in err


@pytest.mark.parametrize(
    ("form", "data"),
    [("text", 'model: "m"'), ("yaml", "model: m"), ("protoscope", '2: {"m"}'), ("hex", "12016d"), ("base64", "EgFt")],
)
def test_requests_may_have_other_forms(call, handler, form, data):
    assert call(PREDICT, "--from", form, "-d", data).code == 0
    assert handler.requests == [{"model": "m"}]


def test_the_name_of_a_file_tells_its_form(call, handler, tmp_path):
    path = tmp_path / "request.yaml"
    path.write_text("model: m\n")
    assert call(PREDICT, "-d", f"@{path}").code == 0
    assert handler.requests == [{"model": "m"}]


def test_answers_may_have_other_forms(call, tmp_path):
    path = tmp_path / "answers.txtpb"
    assert call(WATCH, "--to", "text", "-o", path).code == 0
    assert path.read_text().split("\x1e\n")[1:3] == ["progress: 0.25\n", "progress: 0.5\n"]


def test_a_deadline_is_kept(call):
    result = call(WATCH, "-d", '{"model": "forever"}', "--max-time", "0.3")
    assert (result.code, len(result.rows)) == (64 + 4, 5)
    assert "DEADLINE_EXCEEDED (4)" in result.err


def test_ctrl_c_cancels_the_call_and_says_so(server, handler):
    process = start("call", f"grpc://{server[0]}", WATCH, "-s", SCHEMA, "-d", '{"model": "forever"}')
    assert process.stdout.readline() == b"{}\n"
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err.strip() == b"inspector: the call was cancelled"
    assert handler.cancelled.wait(PATIENCE)


def test_a_target_that_does_not_listen_is_told():
    result = run("call", "grpc://127.0.0.1:1", PREDICT, "-s", SCHEMA)
    assert (result.code, result.out) == (1, b"")
    assert "connection refused" in result.err


def test_a_method_that_is_misspelled_is_answered_with_near_names(call):
    result = call(f"{SERVICE}/Predikt")
    assert result.code == 1
    assert f"did you mean {SERVICE}.Predict" in result.err


def test_a_profile_says_where_and_how(server, handler, tmp_path):
    (tmp_path / "inspector.toml").write_text(
        f'[targets.here]\naddress = "grpc://{server[0]}"\nheaders = ["x-a: ${{NAME}}", "x-b: 2"]\nschema = "{SCHEMA}"\n'
        "max-time = 20\n"
    )
    result = run("call", "@here", PREDICT, "-H", "x-b: 3", cwd=tmp_path, NAME="1")
    assert (result.code, result.err) == (0, "")
    assert (handler.metadata[0]["x-a"], handler.metadata[0]["x-b"]) == ("1", "3")


def test_a_unix_socket_is_a_target(tmp_path):
    with serving(SCHEMA, f"unix:{tmp_path}/s") as (address, _):
        assert run("call", address, PREDICT, "-s", SCHEMA).rows == [{}]
        assert run("call", "--unix", f"{tmp_path}/s", PREDICT, "-s", SCHEMA).rows == [{}]


def test_a_captured_call_is_made_again_by_the_command_that_show_prints(server, handler):
    shown = run("show", SAMPLES / "predict.pcapng", 2, "-s", SCHEMA, "--as", "inspector").out.decode()
    words = shlex.split(shown.replace("\\\n", " ").replace("127.0.0.1:50051", server[0]))
    result = run(*words[1:])
    assert (result.code, result.err) == (0, "")
    assert handler.metadata[0]["x-request-id"] == "demo-002"
    assert handler.requests[0]["context"]["requestId"] == "req-0001"


def test_the_schema_comes_from_the_server_where_none_is_named(server, handler):
    first = run("call", f"grpc://{server[0]}", PREDICT, "-d", '{"model": "m"}')
    assert (first.code, first.rows) == (0, [{"model": "m"}])
    again = run("call", f"grpc://{server[0]}", PREDICT, "-d", '{"model": "m"}', "--reflect-header", "x-r: 1")
    assert again.rows == [{"model": "m"}]
    assert handler.requests == [{"model": "m"}] * 2


def test_a_captured_call_is_made_again_by_the_program_that_show_prints(server, handler):
    program = run("show", SAMPLES / "predict.pcapng", 2, "-s", SCHEMA, "--as", "python").out.decode()
    made = subprocess.run(
        [sys.executable, "-c", program.replace("127.0.0.1:50051", server[0])],
        capture_output=True, env=environment(), timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, b"")
    assert b"'model': 'models/wildlife/versions/7'" in made.stdout
    assert handler.metadata[0]["x-request-id"] == "demo-002"
    assert handler.requests[0]["context"]["requestId"] == "req-0001"


@pytest.mark.parametrize("option", ["--max-time", "--connect-timeout", "--keepalive-time"])
@pytest.mark.parametrize("value", ["nan", "inf", "1e300", "0", "-1"])
def test_a_time_without_end_or_sense_is_a_wrong_usage(call, option, value):
    result = call(PREDICT, option, value)
    assert (result.code, result.out, len(result.err.splitlines())) == (2, b"", 1)
