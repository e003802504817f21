"""`inspector call`, as a process, against a real server."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import odd_servers
import pytest
from command import PATIENCE, SAMPLES, SCHEMA, environment, on_terminal, run, start
from grpc_reflection.v1alpha import reflection
from typed_server import SERVICE, serving

import inspector

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


def test_at_the_keyboard_an_empty_line_ends_a_message(server):
    process = start("call", f"grpc://{server[0]}", CONVERSE, "-s", SCHEMA, "--interactive")
    process.stdin.write(b'{"text": "a"\n\n')
    assert b"not valid JSON" in process.stderr.readline()
    process.stdin.write(b'{"text":\n"b"}\n\n')
    assert json.loads(process.stdout.readline()) == {"turn": 1, "text": "B"}
    assert process.communicate(timeout=PATIENCE) == (b"", b"")


def test_at_the_keyboard_text_needs_no_separator(server):
    process = start("call", f"grpc://{server[0]}", CONVERSE, "-s", SCHEMA, "--interactive", "--from", "text")
    for text in ("a", "b"):
        process.stdin.write(f'text: "{text}"\n\n'.encode())
        assert json.loads(process.stdout.readline())["text"] == text.upper()
    assert process.communicate(timeout=PATIENCE) == (b"", b"")


def test_requests_come_from_the_keyboard_or_from_the_command_line(call):
    result = call(CONVERSE, "--interactive", "-d", "{}")
    assert (result.code, result.out) == (2, b"")
    assert "leave -d out" in result.err


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
    assert result.err.startswith("inspector: request 2, line 1, column 10: text: ")


def test_a_request_that_cannot_be_read_is_told_with_its_file(call, tmp_path):
    path = tmp_path / "requests.json"
    path.write_text('[{"text": "a"}, {"text": "b"}]\n{"txet": "c"}')
    result = call(CONVERSE, "-d", f"@{path}")
    assert result.code == 1
    assert result.err.startswith(f"inspector: {path}, request 3, line 1, column 2: txet: ")


@pytest.mark.parametrize(("path", "said"), [("", "Is a directory"), ("none", "No such file or directory")])
def test_a_file_of_requests_that_cannot_be_read_is_told(call, tmp_path, path, said):
    result = call(PREDICT, "-d", f"@{tmp_path / path}")
    assert (result.code, result.out) == (1, b"")
    assert result.err.startswith(f"inspector: {tmp_path / path}: it cannot be read: {said}")


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
    sent = dict(made["request_headers"])
    assert (sent["x-a"], sent[":path"], sent["te"], sent["grpc-timeout"]) == ("b", f"/{WATCH}", "trailers", "20000000u")
    assert sent["user-agent"].startswith("grpc-python-inspector/")
    assert made["client"].startswith("127.0.0.1:")
    assert made["complete"] is True


def test_records_are_of_json(call):
    result = call(WATCH, "--envelope", "--to", "yaml")
    assert (result.code, result.out) == (2, b"")


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
    assert f"> :path: /{PREDICT}" in lines
    assert "< x-served-by: test" in lines
    assert "< x-trace-bin: AAE" in lines
    assert lines[-1].endswith(": OK (0)")


def test_twice_told_there_are_sizes_and_times(call):
    err = call(PREDICT, "-vv", "--compress", "gzip", "-d", json.dumps({"model": "m" * 5000})).err
    assert "> request 0: 5.0 kB (gzip, " in err
    assert "< response 0: " in err
    tree = err[err.index("* total ") :].splitlines()
    assert [line[2:22].rstrip() for line in tree] == [
        "total", "  schema", "  connect", "    resolve", "    connect", "    HTTP/2", "  call", "    to last request",
        "    to first byte",
    ]  # fmt: skip


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


def test_answers_in_text_are_requests_of_another_call(call, handler):
    answers = call(WATCH, "--to", "text").out.replace(b"progress", b"turn").replace(b"0.", b"")
    assert answers.startswith(b"\x1e\n")
    result = call(CONVERSE, "--from", "text", "--ignore-unknown", "-d", "@", stdin=answers)
    assert [row["turn"] for row in result.rows] == [1, 2, 3, 4, 5]


def test_the_name_of_a_file_tells_the_form_of_answers(call, tmp_path):
    assert call(WATCH, "-o", tmp_path / "a.yaml").code == 0
    assert (tmp_path / "a.yaml").read_text().startswith("{}\n---\nprogress: 0.25\n---\n")
    assert call(PREDICT, "-d", '{"model": "m"}', "-o", tmp_path / "a.binpb").code == 0
    assert (tmp_path / "a.binpb").read_bytes() == b"\x12\x01m"


def test_a_stream_of_answers_does_not_fit_into_binary(call, tmp_path):
    path = tmp_path / "a.binpb"
    result = call(WATCH, "-o", path)
    assert (result.code, path.exists()) == (1, False)
    assert "--to base64" in result.err
    assert call(WATCH, "--to", "base64").out.splitlines()[1:3] == [b"GQAAAAAAANA/", b"GQAAAAAAAOA/"]
    assert call(WATCH, "-d", '{"model": "forever"}', "--to", "binary", "--stop-after", "1").code == 0


def test_a_terminal_gets_no_separators_and_no_binary(server):
    shown = on_terminal("call", f"grpc://{server[0]}", WATCH, "-s", SCHEMA, "--to", "text")
    assert (shown.code, shown.out[:40]) == (0, b"\nprogress: 0.25\n\nprogress: 0.5\n\nprogress")
    refused = on_terminal("call", f"grpc://{server[0]}", PREDICT, "-s", SCHEMA, "--to", "binary")
    assert (refused.code, refused.out) == (2, b"")


def test_a_file_gets_no_colours_where_there_is_a_terminal(server, tmp_path):
    shown = on_terminal("call", f"grpc://{server[0]}", WATCH, "-s", SCHEMA, "-o", tmp_path / "a")
    assert (shown.code, shown.out) == (0, b"")
    assert (tmp_path / "a").read_bytes().splitlines()[:2] == [b"{}", b'{"progress":0.25}']


@pytest.fixture
def other_schema(tmp_path):
    """The service with fewer fields, and with others."""
    text = """syntax = "proto3"; package vision.v1;
    message PredictRequest { string model = 2; }
    message PredictResponse { %s }
    service PredictionService { rpc Predict(PredictRequest) returns (PredictResponse); }"""
    for name, fields in (("fewer", ""), ("other", "M model = 2; message M { fixed64 a = 13; }")):
        (tmp_path / f"{name}.proto").write_text(text % fields)
    return lambda name: ("-s", tmp_path / f"{name}.proto", "-d", '{"model": "mmmmmmmmm"}')


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_fields_that_the_schema_lacks_are_told_of(server, other_schema, form):
    result = run("call", f"grpc://{server[0]}", PREDICT, *other_schema("fewer"), "--to", form)
    assert (result.code, result.out) == (0, b"{}\n")
    assert "answer 0 has 11 bytes of fields that vision.v1.PredictResponse lacks (--keep-unknown)" in result.err
    kept = run("call", f"grpc://{server[0]}", PREDICT, *other_schema("fewer"), "--to", form, "--keep-unknown")
    assert (b"mmmmmmmmm" in kept.out, kept.err) == (True, "")


@pytest.mark.parametrize("form", ["json", "text", "yaml"])
def test_an_answer_that_is_not_of_its_type_is_shown_all_the_same(server, other_schema, form):
    result = run("call", f"grpc://{server[0]}", PREDICT, *other_schema("other"), "--to", form)
    assert result.code == 3
    assert "answer 0 cannot be decoded" in result.err
    assert b"mmmmmmmmm" in result.out or b"bW1tbW1tb" in result.out


def test_a_deadline_is_kept(call):
    result = call(WATCH, "-d", '{"model": "forever"}', "--max-time", "0.3")
    assert (result.code, len(result.rows)) == (64 + 4, 5)
    assert "DEADLINE_EXCEEDED (4)" in result.err


@pytest.mark.parametrize("option", ["--max-time", "--connect-timeout", "--keepalive-time"])
@pytest.mark.parametrize("seconds", ["nan", "inf", "1e300", "0", "-1"])
def test_a_time_that_is_none_is_wrong_usage(call, option, seconds):
    result = call(PREDICT, option, seconds)
    assert (result.code, result.out, len(result.err.splitlines())) == (2, b"", 1)
    assert option in result.err


@pytest.mark.parametrize("option", ["--user-agent", "--authority"])
def test_a_name_that_a_header_cannot_carry_is_told(call, handler, option):
    result = call(PREDICT, option, "a\nb")
    assert (result.code, result.out) == (1, b"")
    assert "cannot be sent" in result.err
    assert handler.requests == []


def test_ctrl_c_cancels_the_call_and_says_so(server, handler):
    process = start("call", f"grpc://{server[0]}", WATCH, "-s", SCHEMA, "-d", '{"model": "forever"}')
    assert process.stdout.readline() == b"{}\n"
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err == b"inspector: the call was cancelled\n"
    assert handler.cancelled.wait(PATIENCE)


def test_ctrl_c_keeps_what_came_and_records_the_call(server, handler, tmp_path):
    path = tmp_path / "answers"
    process = start(
        "call",
        f"grpc://{server[0]}",
        WATCH,
        "-s",
        SCHEMA,
        "-d",
        '{"model": "forever"}',
        "--envelope",
        "-o",
        path,
        "-vv",
    )
    while b"response 4" not in process.stderr.readline():
        pass
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    *answers, made = map(json.loads, path.read_text().splitlines())
    assert (process.returncode, len(answers)) == (130, 6)
    assert (made["status"]["name"], made["responses"], made["complete"]) == ("CANCELLED", 5, False)


def test_ctrl_c_while_the_server_is_asked_for_its_schema():
    with odd_servers.serving(odd_servers.waiting) as address:
        process = start("call", "--plaintext", address, PREDICT)
        assert odd_servers.met.wait(PATIENCE)
        os.kill(process.pid, signal.SIGINT)
        assert process.communicate(timeout=PATIENCE) == (b"", b"inspector: the call was cancelled\n")
    assert process.returncode == 130


def test_what_came_before_a_mistake_is_kept(call, tmp_path):
    path = tmp_path / "answers"
    process = start("call", f"grpc://{call(PREDICT, '-v').err.split('connected to ')[1].split()[0]}", CONVERSE, "-s",
                    SCHEMA, "-d", "@", "-o", path, "-vv")  # fmt: skip
    process.stdin.write(b'{"text": "a"}')
    while b"response 0" not in process.stderr.readline():
        pass
    process.stdin.write(b'{"txet": "b"}')
    process.communicate(timeout=PATIENCE)
    assert (process.returncode, path.read_text()) == (1, '{"turn":1,"text":"A"}\n')


def test_the_deadline_of_the_call_is_one_for_connecting_too():
    with odd_servers.serving(odd_servers.silent) as address:
        result = run("call", "--plaintext", address, PREDICT, "-s", SCHEMA, "--max-time", "0.3")
    assert (result.code, result.out) == (1, b"")
    assert "said nothing within 0.3 s" in result.err


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


OTHER_FILES = {
    "box.proto": """import "google/protobuf/any.proto";
        message Box { google.protobuf.Any content = 1; }
        service Boxes { rpc Send(Box) returns (Box); }""",
    "thing.proto": """message Thing { int64 id = 1; }
        service Things { rpc Get(Thing) returns (Thing); }""",
}


class Echo(grpc.GenericRpcHandler):
    """Answers what it is asked."""

    def service(self, details):
        return (
            grpc.unary_unary_rpc_method_handler(lambda request, _: request)
            if "reflection" not in details.method
            else None
        )


def test_an_any_may_have_a_type_of_another_service_of_the_server(tmp_path):
    for name, text in OTHER_FILES.items():
        (tmp_path / name).write_text(f'syntax = "proto3"; package shop; {text}')
    schema = inspector.Schema.from_source(str(tmp_path))
    services = ("shop.Boxes", "shop.Things")
    for service, method in zip(services, ("Send", "Get"), strict=True):
        schema.method(f"{service}/{method}")  # loads the file, so that reflection finds it
    server = grpc.server(ThreadPoolExecutor(2), (Echo(),), options=(("grpc.so_reuseport", 0),))
    reflection.enable_server_reflection(services, server, pool=schema.pool)
    address = f"grpc://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    content = {"@type": "type.googleapis.com/shop.Thing", "id": "9007199254740993"}
    result = run("call", address, "shop.Boxes/Send", "-d", json.dumps({"content": content}))
    assert (result.code, result.err, result.rows) == (0, "", [{"content": content}])
    server.stop(None).wait()


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
