"""`inspector calls`, as a process, over real captures."""

from __future__ import annotations

import base64
import json
import unicodedata

import capture_files
import pytest
from command import PATIENCE, SAMPLES, SCHEMA, on_terminal, run, start
from http2_traffic import REQUEST, with_fields
from made_capture import capture

PREDICT = SAMPLES / "predict.pcapng"
ERRORS = SAMPLES / "errors.pcapng"

RECORD = [
    "call", "method", "protocol", "client", "server", "connection", "stream", "started", "duration", "authority",
    "deadline", "request_headers", "response_headers", "trailers", "status", "requests", "responses",
    "request_bytes", "response_bytes", "complete", "problems",
]  # fmt: skip


# --- the records -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", capture_files.CAPTURES)
def test_records_have_the_fields_of_the_contract_in_their_order(name):
    rows = run("calls", SAMPLES / name).rows
    assert rows
    assert {tuple(row) for row in rows} == {tuple(RECORD)}
    statuses = [row["status"] for row in rows if row["status"]]
    assert all(list(status)[:4] == ["code", "name", "message", "details"] for status in statuses)
    problems = [problem for row in rows for problem in row["problems"]]
    assert all(list(problem) == ["code", "message", "packet", "offset"] for problem in problems)


def test_a_record_says_how_the_call_went():
    row = run("calls", PREDICT).rows[1]
    assert (
        row.items()
        >= {
            "call": 2,
            "method": "/vision.v1.PredictionService/Predict",
            "protocol": "grpc",
            "server": "127.0.0.1:50051",
            "connection": 1,
            "authority": "127.0.0.1:50051",
            "deadline": 10.1,
            "status": {"code": 0, "name": "OK", "message": "", "details": []},
            "requests": 1,
            "responses": 1,
            "request_bytes": 552,
            "response_bytes": 552,
            "complete": True,
            "problems": [],
        }.items()
    )
    assert ["x-client", "trailcam/4.2"] in row["request_headers"]
    assert ["x-served-by", "replica-2"] in row["response_headers"]
    assert ["x-compute-ms", "375"] in row["trailers"]
    assert 0 < row["duration"] < 1


def test_calls_come_in_the_order_in_which_they_began():
    rows = run("calls", SAMPLES / "concurrent.pcapng").rows
    assert [row["call"] for row in rows] == list(range(1, 37))
    assert [row["started"] for row in rows] == sorted(row["started"] for row in rows)


def test_calls_can_be_chosen_by_method():
    rows = run("calls", PREDICT, "--method", "vision.v1.PredictionService.*").rows
    assert {row["method"].split("/")[1] for row in rows} == {"vision.v1.PredictionService"}
    assert 0 < len(rows) < 10


def test_choosing_what_is_not_there_fails():
    result = run("calls", PREDICT, "--method", "x.*")
    assert (result.code, result.out) == (1, b"")
    assert result.err.startswith("inspector: no call of a method like x.* is in the input")
    assert result.err.count("\n") == 1


# --- status ------------------------------------------------------------------------------------------------------


def status_of(rows, request_id):
    return next(row["status"] for row in rows if ["x-request-id", request_id] in row["request_headers"])


def test_the_details_of_a_status_are_decoded():
    status = status_of(run("calls", ERRORS).rows, "err-001")
    assert status["message"].startswith("Das Bild ist leer – 画像が空です")
    assert [detail["@type"].rpartition("/")[2] for detail in status["details"]] == [
        "google.rpc.BadRequest",
        "google.rpc.ErrorInfo",
        "google.rpc.LocalizedMessage",
    ]
    assert status["details"][0]["fieldViolations"][0]["field"] == "image.content"


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_schema_decodes_details_of_types_of_ones_own(how):
    logged = json.loads((SAMPLES / "errors.log.json").read_text())["calls"][7]
    option = ["-s", SCHEMA] if how == "option" else []
    variables = {"INSPECTOR_SCHEMA": str(SCHEMA)} if how == "environment" else {}
    assert status_of(run("calls", ERRORS, *option, **variables).rows, logged["id"])["details"] == logged["details"]


def test_details_of_a_type_that_is_not_known_keep_their_bytes():
    [detail] = status_of(run("calls", ERRORS).rows, "err-008")["details"]
    assert detail["@type"] == "type.googleapis.com/vision.v1.FrameFault"
    assert base64.b64decode(detail["value"])


def test_a_status_that_was_concluded_says_from_what():
    rows = run("calls", ERRORS).rows
    assert status_of(rows, "err-011").items() >= {"name": "DEADLINE_EXCEEDED", "source": "deadline"}.items()
    assert status_of(rows, "err-013").items() >= {"name": "CANCELLED", "source": "reset"}.items()
    assert "source" not in status_of(rows, "err-010")


# --- credentials -------------------------------------------------------------------------------------------------


SECRETS = [("authorization", "Bearer s3cr3t"), ("cookie", "a=s3cr3t"), ("x-api-key", "s3cr3t"), ("x-token", "s3cr3t")]


def test_credentials_are_masked(tmp_path):
    path = tmp_path / "secrets.pcap"
    path.write_bytes(capture((*REQUEST, *SECRETS), trailers=(("grpc-status", "0"), ("set-cookie", "s3cr3t"))))
    result = run("calls", path)
    assert b"s3cr3t" not in result.out
    assert result.rows[0]["request_headers"][-4:] == [
        ["authorization", "Bearer <masked>"],
        ["cookie", "<masked>"],
        ["x-api-key", "<masked>"],
        ["x-token", "<masked>"],
    ]
    assert result.rows[0]["trailers"][-1] == ["set-cookie", "<masked>"]


def test_credentials_are_shown_when_asked_for(tmp_path):
    path = tmp_path / "secrets.pcap"
    path.write_bytes(capture((*REQUEST, *SECRETS)))
    [row] = run("calls", path, "--show-secrets").rows
    assert row["request_headers"][-4:] == [list(field) for field in SECRETS]


def test_no_credentials_of_the_samples_are_printed():
    shown = run("calls", SAMPLES / "hpack.pcapng", "--show-secrets").rows
    values = {
        value.removeprefix("Bearer ").removeprefix("Basic ")
        for row in shown
        for name, value in row["request_headers"]
        if name in ("authorization", "cookie", "x-api-key")
    }
    assert values
    hidden = run("calls", SAMPLES / "hpack.pcapng").out.decode()
    assert not any(value in hidden for value in values)


# --- what cannot be listed ---------------------------------------------------------------------------------------


def test_a_payload_is_refused_in_one_line():
    path = SAMPLES / "payloads" / "predict_request.binpb"
    result = run("calls", path)
    words = "this is of the kind message: it holds messages, not calls (inspector decode shows all of them)"
    assert result == (1, b"", f"inspector: {path}: {words}\n")


def test_a_truncated_capture_exits_with_3():
    result = run("calls", SAMPLES / "truncated.pcapng")
    assert result.code == 3
    assert len(result.rows) == 10
    assert [row["complete"] for row in result.rows] == [True] * 9 + [False]
    assert "the file ends within a block: 236 bytes of it are there" in result.err


def test_a_capture_that_begins_late_is_not_damaged():
    result = run("calls", SAMPLES / "midstream.pcapng")
    assert (result.code, result.err) == (0, "")
    assert {problem["code"] for row in result.rows for problem in row["problems"]} == {"started_late", "hpack_unknown"}


def test_a_capture_without_calls_says_what_is_in_it(tmp_path):
    path = tmp_path / "nothing.pcap"
    path.write_bytes(capture_files.split(capture_files.read("predict.pcap"))[0].data)
    result = run("calls", path)
    assert result == (0, b"", "inspector: 0 packets, 0 HTTP/2 connections, 0 calls\n")


def test_calls_of_a_pipe_come_out_as_they_end():
    file = capture_files.read("predict.pcapng")
    half = sum(len(record.data) for record in capture_files.split(file)[:40])
    with start("calls", "-") as process:
        process.stdin.write(file[:half])
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        rest, _ = process.communicate(file[half:], PATIENCE)
    assert first["call"] == 1
    assert len(rest.splitlines()) == 9


# --- the table ---------------------------------------------------------------------------------------------------


def cells(line):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


@pytest.mark.parametrize("columns", [80, 100, 160, 300])
@pytest.mark.parametrize("name", ["errors.pcapng", "concurrent.pcapng", "midmessage.pcapng"])
def test_the_table_fits_the_terminal(name, columns):
    lines = on_terminal("calls", SAMPLES / name, columns=columns, NO_COLOR="1").out.decode().splitlines()
    assert len(lines) > 3
    assert max(map(cells, lines)) <= columns


@pytest.mark.parametrize("columns", [80, 160])
def test_the_table_shows_every_status_whole(columns):
    text = on_terminal("calls", ERRORS, columns=columns, NO_COLOR="1").out.decode()
    names = {row["status"]["name"] for row in run("calls", ERRORS).rows}
    assert "FAILED_PRECONDITION" in names
    assert all(f"  {name} " in text for name in names)


def test_the_table_has_a_heading_above_its_columns():
    heading, *rows = on_terminal("calls", ERRORS, columns=160, NO_COLOR="1").out.decode().splitlines()
    assert heading.split() == ["call", "time", "method", "status", "took", "msgs", "bytes"]
    assert all(row[heading.index("status") - 1] == " " != row[heading.index("status")] for row in rows)


def test_a_narrow_table_keeps_the_ends_of_methods():
    lines = on_terminal("calls", ERRORS, columns=80, NO_COLOR="1").out.decode().splitlines()
    assert "  PredictionService/Predict  INVALID_ARGUMENT " in lines[1]
    assert "…ervice/ExplainPrediction  UNIMPLEMENTED " in lines[6]


def test_a_wide_table_has_the_message_of_the_status():
    text = on_terminal("calls", ERRORS, columns=160, NO_COLOR="1").out.decode()
    assert "  vision.v1.PredictionService/Predict  " in text
    assert text.splitlines()[2].endswith(" too many requests")


def test_a_table_is_coloured_on_a_terminal_only():
    assert b"\x1b[" in on_terminal("calls", ERRORS).out
    assert b"\x1b" not in on_terminal("calls", ERRORS, NO_COLOR="1").out
    assert b"\x1b" not in run("calls", ERRORS, "--output", "table").out


def test_the_form_can_be_chosen():
    assert run("calls", ERRORS, "--output", "table").out.decode().startswith("call  time ")
    assert on_terminal("calls", ERRORS, "--output", "ndjson").rows == run("calls", ERRORS).rows


def test_a_form_that_does_not_exist_is_told_in_one_line():
    result = run("calls", ERRORS, "--output", "xml")
    assert (result.code, result.out) == (2, b"")
    assert "'xml' is not one of 'table', 'ndjson'" in result.err
    assert result.err.count("\n") == 1


def test_long_header_values_survive(tmp_path):
    path = tmp_path / "long.pcap"
    path.write_bytes(capture(with_fields(REQUEST, x_long="v" * 120)))
    [row] = run("calls", path).rows
    assert ["x-long", "v" * 120] in row["request_headers"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("status.code != 0 && duration > 0.05", [11, 12]),
        ("requests == 2 || client == 'nobody'", [14]),
        ("invalid_argument", [1]),
        ('request.text == "never mind"', [14]),
        ("response.turn == 2", [14]),
    ],
)
def test_where_selects_by_the_record_and_by_messages(expression, expected):
    result = run("calls", ERRORS, "-s", SCHEMA, "--where", expression, "--output", "ndjson")
    assert [row["call"] for row in result.rows] == expected
    assert result.code == 0


def test_where_reads_a_pipe_too():
    data = ERRORS.read_bytes()
    for expression in ("call == 14", 'request.text == "never mind"'):
        result = run("calls", "-", "-s", SCHEMA, "--where", expression, "--output", "ndjson", stdin=data)
        assert [row["call"] for row in result.rows] == [14]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("call > 99", "no call matches call > 99"),
        ("statsu.code == 1", "there is no field 'statsu' (did you mean status?)"),
        ("call ==", "the expression is not CEL"),
        ("nowhere to be found", "no call matches nowhere to be found"),
    ],
)
def test_where_that_selects_nothing_says_why(expression, said):
    result = run("calls", ERRORS, "--where", expression)
    assert result.code == 1
    assert said in result.err
    assert result.err.count("\n") == 1
