"""`inspector decode`, as a process, over real captures."""

from __future__ import annotations

import base64
import gzip
import json
import os
import select
import stat
import subprocess
import sys

import capture_files
import pytest
from command import PATIENCE, ROOT, SAMPLES, SCHEMA, on_terminal, run, start

PREDICT = SAMPLES / "predict.pcapng"
REQUEST = SAMPLES / "payloads" / "predict_request.binpb"
RESPONSES = SAMPLES / "payloads" / "responses.delimited"
STREAM = SAMPLES / "payloads" / "stream.grpc"

RECORD = ["call", "index", "direction", "method", "type", "time", "size", "encoding", "decoded_by", "message"]


@pytest.fixture(scope="module")
def predict():
    result = run("decode", PREDICT, "-s", SCHEMA)
    assert (result.code, result.err) == (0, "")
    return result


# --- the records -------------------------------------------------------------------------------------------------


def test_records_have_the_fields_of_the_contract_in_their_order(predict):
    assert {tuple(row) for row in predict.rows} == {tuple(RECORD)}


def test_a_record_says_what_the_message_is(predict):
    row = next(row for row in predict.rows if row["call"] == 2 and row["direction"] == "request")
    message = row.pop("message")
    time = row.pop("time")
    assert row == {
        "call": 2,
        "index": 0,
        "direction": "request",
        "method": "/vision.v1.PredictionService/Predict",
        "type": "vision.v1.PredictRequest",
        "size": 552,
        "encoding": "identity",
        "decoded_by": "schema",
    }
    assert message["context"]["requestId"] == "req-0001"
    assert time.endswith("Z")
    assert len(time) == len("2026-11-23T09:03:11.123456789Z")


def test_lines_are_compact_json_in_the_order_of_the_capture(predict):
    times = [row["time"] for row in predict.rows]
    assert times == sorted(times)
    first = predict.out.splitlines()[0]
    assert first == json.dumps(json.loads(first), separators=(",", ":"), ensure_ascii=False).encode()


def test_messages_count_within_call_and_direction(predict):
    answers = [row for row in predict.rows if row["call"] == 4 and row["direction"] == "response"]
    assert [row["index"] for row in answers] == [0, 1, 2, 3]


def test_without_a_schema_fields_have_their_numbers():
    rows = run("decode", PREDICT).rows
    assert {(row["type"], row["decoded_by"]) for row in rows} == {(None, "guess")}
    assert rows[0]["message"] == {"1": "models/wildlife/versions/7"}


def test_messages_of_a_method_that_the_schema_lacks_are_guessed():
    rows = run("decode", SAMPLES / "errors.pcapng", "-s", SCHEMA, "--method", "vision.v2.*").rows
    assert [(row["type"], row["decoded_by"], row["message"]) for row in rows] == [(None, "guess", {})]


def test_a_compressed_message_has_its_encoding_and_its_size_without_it():
    rows = run("decode", SAMPLES / "gzip.pcapng", "-s", SCHEMA, "--raw").rows
    assert {row["encoding"] for row in rows} == {"identity", "gzip", "deflate"}
    assert all(len(base64.b64decode(row["raw"])) == row["size"] for row in rows)


def test_a_message_that_is_not_whole_has_its_error_and_its_bytes():
    result = run("decode", SAMPLES / "truncated.pcapng", "-s", SCHEMA)
    *_, row = result.rows
    assert list(row) == [*RECORD, "error", "raw"]
    assert row["message"] is None
    assert list(row["error"]) == ["code", "message", "offset"]
    assert base64.b64decode(row["raw"])
    assert result.code == 3


def test_a_message_that_is_not_of_its_type_has_its_error_and_its_bytes():
    result = run("decode", REQUEST, "-s", SCHEMA, "-t", "vision.v1.PredictResponse")
    [row] = result.rows
    assert row["message"] is None
    assert row["error"] == {"code": "utf8", "message": "name: invalid UTF-8", "offset": 22}
    assert base64.b64decode(row["raw"]) == REQUEST.read_bytes()
    assert (result.code, result.err) == (3, "inspector: message 0, offset 22: name: invalid UTF-8\n")


def test_bytes_that_the_schema_does_not_know_are_counted():
    extra = b"\xfa\x07\x03abc"  # field 127
    [row] = run("decode", "-", "-s", SCHEMA, "-t", "google.rpc.Status", "--envelope", stdin=b"\x08\x05" + extra).rows
    assert row["message"] == {"code": 5}
    assert row["unknown_bytes"] == len(extra)


def test_unknown_bytes_of_a_bare_message_are_told():
    result = run("decode", "-", "-s", SCHEMA, "-t", "google.rpc.Status", stdin=b"\x08\x05\xfa\x07\x03abc")
    assert result.rows == [{"code": 5}]
    assert (
        result.err
        == "inspector: message 0: 6 bytes are of fields that google.rpc.Status does not have (--keep-unknown)\n"
    )
    assert result.code == 0


# --- which messages ----------------------------------------------------------------------------------------------


def test_one_call_can_be_chosen(predict):
    assert run("decode", PREDICT, "-s", SCHEMA, "--call", 4).rows == [row for row in predict.rows if row["call"] == 4]


@pytest.mark.parametrize(
    "glob",
    [
        "vision.v1.PredictionService/Predict",
        "/vision.v1.PredictionService/Predict",
        "vision.v1.PredictionService.Predict",
        "vision.v1.PredictionService/Pred*",
        "*/Predict",
        "*.Predict",
        "/*/Predict",
        "v?sion.*[.]Predict",
    ],
)
def test_methods_can_be_chosen(predict, glob):
    wanted = "/vision.v1.PredictionService/Predict"
    assert run("decode", PREDICT, "-s", SCHEMA, "--method", glob).rows == [
        row for row in predict.rows if row["method"] == wanted
    ]


def test_a_method_is_not_matched_in_part():
    assert run("decode", PREDICT, "--method", "Pred").code == 1


@pytest.mark.parametrize("name", ["GetModel", "ModelService/GetModel", "ModelService.GetModel"])
def test_a_method_goes_by_the_end_of_its_name(name):
    assert {json.loads(line)["method"] for line in run("decode", PREDICT, "--method", name).out.splitlines()} == {
        "/models.v1.ModelService/GetModel"
    }


def test_the_input_is_not_written_over(write):
    path = write("a.pcapng", capture_files.read("predict.pcapng"))
    result = run("decode", path, "-o", path)
    assert result == (1, b"", f"inspector: {path}: this is the input itself (write to another file)\n")
    assert path.read_bytes() == capture_files.read("predict.pcapng")


@pytest.mark.parametrize(
    ("kind", "words"),
    [("pcap", "this is not pcap (it looks like pcapng)"), ("pcap+base64", "the input is not base64")],
)
def test_a_capture_that_is_not_of_the_kind_named_is_told_in_one_line(kind, words):
    assert run("decode", PREDICT, "--from", kind) == (1, b"", f"inspector: {PREDICT}: {words}\n")


def test_a_schema_that_lacks_the_methods_is_told(tmp_path):
    schema = tmp_path / "other.proto"
    schema.write_text('syntax = "proto3"; package other; message M {}')
    result = run("decode", PREDICT, "-s", schema)
    assert result.code == 0
    assert result.err == (
        "inspector: the schema lacks the method /models.v1.ModelService/GetModel and 7 more: "
        "37 messages were decoded by field number\n"
    )


def test_a_schema_without_a_type_is_told():
    assert "no type (-t)" in run("decode", REQUEST, "-s", SCHEMA).err


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (["--call", 99], "no message of call 99 is in the input"),
        (["--method", "x.*"], "no message of a method like x.* is in the input"),
        (["--call", 2, "--method", "x.*"], "no message of call 2 and a method like x.* is in the input"),
    ],
)
def test_choosing_what_is_not_there_fails(choice, words):
    result = run("decode", PREDICT, *choice)
    assert (result.code, result.out) == (1, b"")
    assert result.err == f"inspector: {words} (`inspector calls` lists the calls)\n"


def test_a_payload_has_no_calls_to_choose():
    result = run("decode", REQUEST, "--call", 1)
    assert (result.code, result.out) == (1, b"")
    assert "this is of the kind message: it holds messages, not calls" in result.err


# --- how they are printed ----------------------------------------------------------------------------------------


def test_raw_adds_the_bytes(predict):
    rows = run("decode", PREDICT, "-s", SCHEMA, "--raw").rows
    assert {tuple(row) for row in rows} == {(*RECORD, "raw")}
    assert all(len(base64.b64decode(row.pop("raw"))) == row["size"] for row in rows)
    assert rows == predict.rows


def test_a_bare_message_is_just_its_json():
    expected = json.loads(REQUEST.with_suffix(".json").read_text())
    result = run("decode", REQUEST, "-s", SCHEMA, "-t", "vision.v1.PredictRequest")
    assert result.rows == [expected]


def test_a_type_may_begin_with_a_dot():
    result = run("decode", REQUEST, "-s", SCHEMA, "-t", ".vision.v1.PredictRequest", "--envelope")
    assert result.rows[0]["type"] == "vision.v1.PredictRequest"


def test_an_envelope_gives_a_bare_message_the_record():
    [row] = run("decode", REQUEST, "-s", SCHEMA, "-t", "vision.v1.PredictRequest", "--envelope").rows
    assert list(row) == RECORD
    none = dict.fromkeys(("call", "direction", "method", "time"))
    assert row.items() >= {**none, "index": 0, "type": "vision.v1.PredictRequest", "size": 552}.items()


@pytest.mark.parametrize("path", [RESPONSES, STREAM], ids=["delimited", "grpc"])
def test_several_bare_messages_are_one_a_line(path):
    result = run("decode", path, "-s", SCHEMA, "-t", "vision.v1.PredictResponse")
    assert result.rows == json.loads(path.with_suffix(".json").read_text())


def test_fields_at_their_default_can_be_printed():
    arguments = ("decode", "-", "-t", "google.rpc.Status")
    assert run(*arguments, stdin=b"\x08\x05").rows == [{"code": 5}]
    assert run(*arguments, "--emit-defaults", stdin=b"\x08\x05").rows == [{"code": 5, "message": "", "details": []}]


def test_names_and_enums_can_be_as_in_the_proto_file():
    arguments = ("decode", REQUEST, "-s", SCHEMA, "-t", "vision.v1.PredictRequest")
    [names] = run(*arguments, "--proto-names").rows
    [numbers] = run(*arguments, "--enum-numbers").rows
    assert names["context"]["request_id"] == "req-0001"
    assert names["image"]["format"] == "IMAGE_FORMAT_PNG"
    assert numbers["context"]["requestId"] == "req-0001"
    assert isinstance(numbers["image"]["format"], int)


# --- schemas -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["-s", "--schema", "--proto", "--protoset"])
def test_a_schema_is_accepted_under_all_its_names(predict, option):
    assert run("decode", PREDICT, option, SCHEMA).rows == predict.rows


def test_proto_sources_give_the_same_as_a_descriptor_set(predict):
    assert run("decode", PREDICT, "-s", ROOT / "protos").rows == predict.rows


def test_the_environment_names_a_schema(predict):
    assert run("decode", PREDICT, INSPECTOR_SCHEMA=str(SCHEMA)).rows == predict.rows


def test_a_schema_option_replaces_the_one_of_the_environment(predict):
    assert run("decode", PREDICT, "-s", SCHEMA, INSPECTOR_SCHEMA="/nowhere.binpb").rows == predict.rows


def test_well_known_types_need_no_schema():
    result = run("decode", "-", "-t", "google.protobuf.Duration", stdin=b"\x08\x03\x10\x80\xca\xb5\xee\x01")
    assert result.rows == ["3.500s"]


# --- kinds of input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["predict.pcap", "predict.pcap.gz", "predict.pcapng"])
@pytest.mark.parametrize("options", [[], ["--from"]])
def test_captures_are_read_from_standard_input(name, options, predict):
    kind = [*options, "pcapng" if name.endswith("ng") else "pcap"] if options else []
    rows = run("decode", "-", "-s", SCHEMA, *kind, stdin=(SAMPLES / name).read_bytes()).rows
    assert [row["message"] for row in rows] == [row["message"] for row in predict.rows]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("hex", REQUEST.read_bytes().hex()),
        ("hex", REQUEST.read_bytes().hex(" ").upper() + "\n"),
        ("base64", base64.b64encode(REQUEST.read_bytes()).decode()),
        ("base64", base64.urlsafe_b64encode(REQUEST.read_bytes()).decode().rstrip("=")),
    ],
)
def test_dumps_are_read(form, text):
    arguments = ("-s", SCHEMA, "-t", "vision.v1.PredictRequest")
    result = run("decode", "-", "--from", f"message+{form}", *arguments, stdin=text.encode())
    assert result.rows == [json.loads(REQUEST.with_suffix(".json").read_text())]


@pytest.mark.parametrize(("kind", "path"), [("delimited", RESPONSES), ("grpc", STREAM), ("message", REQUEST)])
def test_the_kind_can_be_said(kind, path):
    assert run("decode", "-", "--from", kind, stdin=path.read_bytes()).out == run("decode", path).out != b""


def test_the_bytes_of_an_http2_connection_are_read(predict):
    requests = client_bytes()
    rows = run("decode", "-", "-s", SCHEMA, stdin=requests).rows
    expected = [row for row in predict.rows if row["direction"] == "request"]
    assert [(row["method"], row["message"]) for row in rows] == [(row["method"], row["message"]) for row in expected]


def client_bytes():
    """What the client of the sample wrote to its connection."""
    file = capture_files.read("predict.pcap")
    segments = [capture_files.segment(file, record) for record in capture_files.split(file) if record.is_packet]
    return b"".join(each.data for each in segments if each.flow == segments[0].flow)


def test_an_empty_message_is_read_where_its_kind_is_said():
    assert run("decode", "-", "--from", "message", "-t", "google.protobuf.Empty").rows == [{}]


# --- what cannot be read -----------------------------------------------------------------------------------------


@pytest.fixture
def write(tmp_path):
    def write_file(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x0c"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty", b"", "the input is empty"),
        ("empty.gz", gzip.compress(b"", mtime=0), "the input is empty"),
        ("notes.txt", b"just some text\n", "this is text, not a capture"),
        ("notes.txt.gz", gzip.compress(b"just some text\n", mtime=0), "this is text, not a capture"),
        ("picture.png", PNG, "this is a PNG image"),
        ("archive.zip", b"PK\x03\x04" + bytes(30), "this is a ZIP archive"),
        (
            "old.snoop",
            b"snoop\0\0\0\0\0\0\2\0\0\0\4",
            "this is a capture of snoop, a form of captures that is not read",
        ),
        ("old.cap", b"GMBU\0\2\1\0" + bytes(99), "this is a capture of Microsoft Network Monitor, a form of captures"),
        ("pcapng.lz4", b"\x04\x22\x4d\x18" + bytes(9), "this is lz4-compressed data, not a capture"),
        ("noise", b"\xff\xfe\xfd" * 30, "the kind of this input is not known"),
        ("broken.gz", b"\x1f\x8b\xff" + bytes(30), "the gzip data is damaged"),
        ("cut.gz", gzip.compress(b"x" * 99, mtime=0)[:10], "the gzip data ends early"),
    ],
)
def test_what_is_no_capture_is_refused_in_one_line(write, name, content, words):
    path = write(name, content)
    result = run("decode", path)
    assert (result.code, result.out) == (1, b"")
    assert result.err.startswith(f"inspector: {path}: {words}")
    assert result.err.count("\n") == 1
    assert result.err.endswith(")\n")  # what to do about it


def test_standard_input_that_is_empty_is_refused_in_one_line():
    result = run("decode", "-")
    assert result == (1, b"", "inspector: standard input: the input is empty (nothing to decode)\n")


def test_a_directory_is_refused_in_one_line(tmp_path):
    result = run("decode", tmp_path)
    assert (result.code, result.out) == (1, b"")
    assert result.err == f"inspector: {tmp_path}: this is a directory (name a capture or payload file in it)\n"


def test_a_missing_file_is_refused_in_one_line():
    result = run("decode", "/nowhere.pcap")
    assert result == (1, b"", "inspector: /nowhere.pcap: cannot be read: No such file or directory\n")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("/nowhere.binpb", "no such file"),
        (SAMPLES / "README.md", "this is not a descriptor set"),
        (PREDICT, "damaged descriptor set"),
        ("python:no_such_module", "no_such_module"),
        (SAMPLES / "recording", "no .proto file"),
    ],
)
def test_an_unreadable_schema_is_refused_in_one_line(schema, words):
    result = run("decode", PREDICT, "-s", schema)
    assert (result.code, result.out) == (1, b"")
    assert result.err.startswith("inspector: ")
    assert words in result.err
    assert result.err.count("\n") == 1


def test_a_descriptor_set_that_is_damaged_is_refused_in_one_line(write):
    path = write("cut.binpb", SCHEMA.read_bytes()[:50_001])
    result = run("decode", PREDICT, "-s", path)
    assert (result.code, result.out) == (1, b"")
    assert result.err.startswith(f"inspector: {path}: ")
    assert result.err.count("\n") == 1


def test_a_type_that_the_schema_lacks_is_refused_with_those_like_it():
    result = run("decode", REQUEST, "-s", SCHEMA, "-t", "vision.v1.PredictReques")
    assert (result.code, result.out) == (1, b"")
    assert result.err.startswith("inspector: no message type vision.v1.PredictReques in the schema (did you mean ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-t", "no.Such"], "-t no.Such needs a schema: name it with -s"),
        (["--cal", "1"], "No such option '--cal'. (Did you mean"),
        (["--call", "0"], "Invalid value for '--call': 0 is not in the range"),
        (["--call", "x"], "Invalid value for '--call': 'x' is not a valid"),
        (["-s"], "Option '-s' requires an argument"),
        (["one more"], "Got unexpected extra argument"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(arguments, words):
    result = run("decode", REQUEST, *arguments)
    assert (result.code, result.out) == (2, b"")
    assert result.err.startswith(f"inspector: {words}")
    assert result.err.endswith(" --help')\n")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("message+hex", "the input is not hex (expected are pairs of hex digits)"),
        ("message+base64", "the input is not base64"),
    ],
)
def test_a_wrong_kind_is_told_in_one_line(kind, words):
    result = run("decode", REQUEST, "--from", kind)
    assert result == (1, b"", f"inspector: {REQUEST}: {words}\n")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "nope",
            "there is no kind of input named 'nope' (known are pcapng, pcap, http2, binlog, grpc, grpc-web, message, "
            "delimited)",
        ),
        ("message+nope", "there is no textual form named 'nope' (known are hex, base64)"),
        ("hex", "hex needs the kind of what it shows: message+hex, for example"),
    ],
)
def test_a_kind_that_there_is_not_is_wrong_usage(kind, words):
    result = run("decode", REQUEST, "--from", kind)
    assert (result.code, result.out) == (2, b"")
    assert words in result.err
    assert result.err.count("\n") == 1


def test_a_capture_with_nothing_in_it_is_no_error(write):
    header = capture_files.split(capture_files.read("predict.pcap"))[0].data
    result = run("decode", write("nothing.pcap", header))
    assert (result.code, result.out) == (0, b"")
    assert result.err == "inspector: no messages were found (0 packets, 0 HTTP/2 connections, 0 calls)\n"


# --- damage ------------------------------------------------------------------------------------------------------


def test_a_compressed_capture_that_is_cut_gives_what_is_there(write):
    whole = SAMPLES.joinpath("predict.pcap.gz").read_bytes()
    result = run("decode", write("cut.pcap.gz", whole[:-1000]), "-s", SCHEMA)
    assert result.code == 3
    assert len(result.rows) > 10
    assert "the gzip data ends early" in result.err


def test_a_compressed_capture_with_a_damaged_byte_gives_what_comes_before(write):
    data = bytearray(SAMPLES.joinpath("predict.pcap.gz").read_bytes())
    data[-2000:-1990] = bytes(10)
    result = run("decode", write("damaged.pcap.gz", data), "-s", SCHEMA)
    assert result.code == 3
    assert len(result.rows) > 10
    assert "the gzip data is damaged" in result.err


def test_many_warnings_are_counted():
    frames = b"\x01\x00\x00\x00\x02zz" * 30  # compressed, with something unknown
    result = run("decode", "-", "--from", "grpc", stdin=frames)
    assert len(result.rows) == 30
    assert result.code == 3
    assert result.err.count("\n") == 21
    assert result.err.endswith("inspector: ... and 10 more\n")


# --- where it goes -----------------------------------------------------------------------------------------------


def test_a_file_gets_the_same_as_standard_output(predict, tmp_path):
    path = tmp_path / "out.ndjson"
    path.write_text("from before")
    result = run("decode", PREDICT, "-s", SCHEMA, "-o", path)
    assert result == (0, b"", "")
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == predict.rows
    assert os.listdir(tmp_path) == ["out.ndjson"]


def test_a_file_is_readable_as_usual(tmp_path):
    path = tmp_path / "out"
    run("decode", REQUEST, "-o", path)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("arguments", [["--call", "99"], ["--from", "message+hex"], ["-t", "no.Such"]])
def test_a_file_stays_as_it_was_when_the_command_fails(tmp_path, arguments):
    path = tmp_path / "out"
    path.write_text("from before")
    assert run("decode", PREDICT, "-o", path, *arguments).code in (1, 2)
    assert path.read_text() == "from before"
    assert os.listdir(tmp_path) == ["out"]


def test_the_file_that_a_link_names_is_written(tmp_path):
    link, path = tmp_path / "link", tmp_path / "out"
    path.write_text("from before")
    link.symlink_to(path)
    run("decode", REQUEST, "-o", link)
    assert link.is_symlink()
    assert path.read_bytes() == run("decode", REQUEST).out


def test_a_device_is_written_to_and_not_replaced():
    assert run("decode", REQUEST, "-o", "/dev/null").code == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_files_that_cannot_be_written_are_told_in_one_line(tmp_path):
    folder = run("decode", REQUEST, "-o", tmp_path)
    nowhere = run("decode", REQUEST, "-o", tmp_path / "no" / "out")
    assert folder == (1, b"", f"inspector: {tmp_path}: this is a directory (name a file in it)\n")
    assert nowhere == (1, b"", f"inspector: {tmp_path}/no/out: cannot be written: No such file or directory\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a device that is always full")
def test_a_full_disk_is_told_in_one_line():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            start_arguments("decode", PREDICT), stdout=full, stderr=subprocess.PIPE, check=False, cwd=ROOT
        )
    assert done.returncode == 1
    assert done.stderr == b"inspector: standard output cannot be written: No space left on device\n"


def start_arguments(*arguments):
    return [sys.executable, "-m", "inspector", *map(str, arguments)]


def test_a_reader_that_goes_away_is_no_error():
    with start("decode", SAMPLES / "large.pcapng") as process:  # more than a pipe holds
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 0


def test_messages_come_out_while_the_capture_is_still_written():
    file = capture_files.read("predict.pcapng")
    half = sum(len(record.data) for record in capture_files.split(file)[:40])
    with start("decode", "-", "-s", SCHEMA) as process:
        process.stdin.write(file[:half])
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        assert ready, "nothing came out although half of the capture is there"
        first = process.stdout.readline()
        rest, _ = process.communicate(file[half:], PATIENCE)
    assert first + rest == run("decode", PREDICT, "-s", SCHEMA).out


def test_a_compressed_capture_is_followed_too():
    data = (SAMPLES / "predict.pcap.gz").read_bytes()
    with start("decode", "-", "-s", SCHEMA) as process:
        process.stdin.write(data[:1])
        process.stdin.flush()
        process.stdin.write(data[1:-100])
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        assert ready, "nothing came out although most of the capture is there"
        first = process.stdout.readline()
        rest, _ = process.communicate(data[-100:], PATIENCE)
    assert first + rest == run("decode", SAMPLES / "predict.pcap", "-s", SCHEMA).out


# --- on a terminal -----------------------------------------------------------------------------------------------


def test_a_terminal_gets_messages_laid_out_and_coloured():
    result = on_terminal("decode", PREDICT, "-s", SCHEMA, "--call", 6)
    text = result.out.decode()
    assert "\x1b[" in text
    plain = on_terminal("decode", PREDICT, "-s", SCHEMA, "--call", 6, NO_COLOR="1").out.decode()
    assert "\x1b" not in plain
    assert plain.startswith("#6 → request 0  /vision.v1.FeedbackService/SubmitAnnotation  legacy.v1.Annotation  ")
    assert '\n  "picture": "IMG_0042.jpg",\n' in plain
    assert "\n#6 ← response 0  " in plain
    assert result.err == "inspector: 84 packets, 1 HTTP/2 connection, 10 calls\n"
    assert result.code == 0


def test_a_terminal_without_colours_gets_none():
    assert b"\x1b" not in on_terminal("decode", REQUEST, TERM="dumb").out


def test_a_bare_message_on_a_terminal_is_indented_json():
    out = on_terminal("decode", REQUEST, "-s", SCHEMA, "-t", "vision.v1.PredictRequest", NO_COLOR="1").out
    assert json.loads(out) == json.loads(REQUEST.with_suffix(".json").read_text())
    assert out.startswith(b'{\n  "context": {\n')


def test_what_is_not_printed_of_a_message_is_told_on_a_terminal():
    out = on_terminal("decode", SAMPLES / "truncated.pcapng", "-s", SCHEMA, "--call", 10, NO_COLOR="1").out.decode()
    assert "\nnot decoded: bytes of this message are not in the capture\n" in out


def test_a_hint_does_not_make_messages_of_what_is_text_in_other_methods():
    plain, hinted = run("decode", PREDICT), run("decode", PREDICT, "--hint", "1.5=sint32")
    assert plain.rows[0]["message"] == hinted.rows[0]["message"] == {"1": "models/wildlife/versions/7"}
    requests = [row["message"] for row in hinted.rows if row["call"] == 2 and row["direction"] == "request"]
    assert requests[0]["1"]["5"] == -2


# --- by the call ------------------------------------------------------------------------------------------------

ERRORS = SAMPLES / "errors.pcapng"


@pytest.mark.parametrize("jobs", [(), ("--jobs", "2")])
def test_where_may_ask_for_the_call_of_a_message(jobs):
    rows = run("decode", ERRORS, "-s", SCHEMA, *jobs, "--where", 'direction == "request" && status.code == 3').rows
    assert [(row["call"], row["direction"]) for row in rows] == [(1, "request")]
    rows = run("decode", ERRORS, "-s", SCHEMA, *jobs, "--where", "response.turn == 2 && duration > 0.0").rows
    assert [(row["call"], row["index"]) for row in rows] == [(14, 1), (14, 2)]


def test_where_that_asks_for_the_call_needs_a_file():
    result = run("decode", "-", "--where", "status.code == 3", stdin=ERRORS.read_bytes())
    assert (result.code, result.out) == (1, b"")
    assert "name a file, which can be read twice" in result.err


def test_where_looks_for_words_in_messages():
    rows = run("decode", ERRORS, "-s", SCHEMA, "--where", "never mind").rows
    assert [(row["call"], row["direction"], row["index"]) for row in rows] == [(14, "request", 1), (14, "response", 1)]
