"""`inspector explain`, as a process."""

from __future__ import annotations

import json

import pytest
from command import SAMPLES, SCHEMA, on_terminal, run

REQUEST = SAMPLES / "payloads" / "predict_request.binpb"
TYPED = ("-s", SCHEMA, "-t", "vision.v1.PredictRequest")

AT_80 = """\
vision.v1.PredictRequest  552 bytes
 at  bytes          tag       type          field
  0  0a 4d          1:LEN     RequestCont…  context  7 fields, 77 bytes
  2  0a 08 72 65..  1:LEN     string          request_id  "req-0001"
 12  12 05 65 6e..  2:LEN     string          locale  "en-GB"
 19  1a 06 08 e1..  3:LEN     Timestamp       sent_at  2026-03-14T06:00:01Z
 27  22 08 08 02..  4:LEN     Duration        budget  2.500s
 37  28 03          5:VARINT  sint32          priority  -2
 39  32 14 0a 04..  6:LEN     map entry       tags[0]  20 bytes
 61  32 10 0a 04..  6:LEN     map entry       tags[1]  16 bytes
 79  12 1a 6d 6f..  2:LEN     string        model  "models/wildlife/versions/7"
107  1a a5 02       3:LEN     Image         image  8 fields, 293 bytes
110  0a 8b 01 89..  1:LEN     bytes           content  89504e470d0a… (139 bytes)
252  18 02          3:VARINT  ImageFormat     format  IMAGE_FORMAT_PNG (2)
254  20 0c          4:VARINT  uint32          width  12
256  28 0c          5:VARINT  uint32          height  12
258  31 f5 b1 65..  6:I64     fixed64         perceptual_hash  1049995813166551…
267  3d 0b 3a 50..  7:I32     fixed32         crc32  3998235147
272  42 0b 08 9c..  8:LEN     Timestamp       taken_at  2026-03-14T06:01:00.250Z
285  4a 74 0a 14..  9:LEN     Struct          exif  116 bytes
403  3a 6f          7:LEN     PredictOpti…  options  6 fields, 111 bytes
405  08 03          1:VARINT  int32           max_labels  3
407  15 00 00 80..  2:I32     float           threshold  0.25
412  22 44 0a 11..  4:LEN     Struct          parameters  68 bytes
482  2a 0e 0a 03..  5:LEN     map entry       label_weights[0]  14 bytes
498  2a 0e 0a 03..  5:LEN     map entry       label_weights[1]  14 bytes
514  38 01          7:VARINT  bool            explain  true
516  42 22          8:LEN     FieldMask     fields  labels,detections.things,us…
518  0a 06 6c 61..  1:LEN     string          paths[0]  "labels"
526  0a 11 64 65..  1:LEN     string          paths[1]  "detections.things"
545  0a 05 75 73..  1:LEN     string          paths[2]  "usage"
"""


def test_a_message_is_laid_out_for_the_terminal():
    result = run("explain", REQUEST, *TYPED, "--depth", 2, COLUMNS="80")
    assert (result.code, result.err) == (0, "")
    assert result.out.decode().splitlines() == AT_80.splitlines()


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_lines_fit_the_terminal(columns):
    result = on_terminal("explain", REQUEST, *TYPED, columns=columns, NO_COLOR="1")
    lines = result.out.decode().splitlines()
    assert len(lines) == 2 + 86
    assert max(map(len, lines)) <= columns


def test_it_is_coloured_on_a_terminal_only(tmp_path):
    assert b"\x1b[34mcontext\x1b[0m" in on_terminal("explain", REQUEST, *TYPED).out
    assert b"\x1b" not in on_terminal("explain", REQUEST, *TYPED, "-o", tmp_path / "out").out
    assert b"\x1b" not in (tmp_path / "out").read_bytes()


def test_without_a_schema_fields_are_guessed():
    result = run("explain", REQUEST)
    lines = result.out.decode().splitlines()
    assert lines[0] == "no schema  552 bytes"
    assert lines[2].split() == ["0", "0a", "4d", "1:LEN", "message", "1", "7", "fields,", "77", "bytes"]
    assert any(line.endswith('1.1  "req-0001"') for line in lines)


def test_a_hint_settles_a_field():
    lines = run("explain", REQUEST, "--hint", "1=bytes", "--hint", "8.1=string").out.decode().splitlines()
    assert lines[2].split()[:7] == ["0", "0a", "4d", "0a", "08", "72", "65"]
    assert " bytes " in lines[2]


def test_a_type_that_is_always_known_needs_no_schema():
    result = run("explain", "-", "--from", "hex", "-t", "google.protobuf.Duration", stdin=b"08 02 10 80ca b5ee 01")
    assert [line.split()[-2:] for line in result.out.decode().splitlines()[2:]] == [
        ["seconds", "2"],
        ["nanos", "500000000"],
    ]


def test_json_accounts_for_every_byte():
    result = run("explain", REQUEST, *TYPED, "--output", "json")
    tree = json.loads(result.out)
    assert (result.code, tree["type"], tree["size"]) == (0, "vision.v1.PredictRequest", 552)
    assert list(covered(tree["fields"])) == list(range(552))


def covered(fields):
    for field in fields:
        yield from range(*(field["tag"] or (0, 0)))
        yield from range(*(field["length"] or (0, 0)))
        if "fields" in field:
            yield from covered(field["fields"])
        else:
            yield from range(*field["value_span"])
        yield from range(*field.get("end_tag", (0, 0)))


@pytest.mark.parametrize("style", ["text", "json"])
def test_damage_is_told_and_all_the_rest_is_shown(style):
    result = run("explain", "-", "--from", "binary", *TYPED, "--output", style, stdin=REQUEST.read_bytes()[:300])
    assert result.code == 3
    assert result.err == "inspector: image: offset 108: 293 bytes announced, 190 present (and 3 more)\n"
    assert b"req-0001" in result.out
    assert b"FNumber" in result.out


def test_what_contradicts_the_schema_is_no_damage():
    result = run("explain", "-", "--from", "hex", *TYPED, stdin=b"1005")
    assert (result.code, result.err) == (0, "")
    assert b"! model is string (LEN) in vision.v1.PredictRequest, but VARINT here" in result.out


def test_nothing_in_a_payload_reaches_the_terminal():
    result = run("explain", "-", "--from", "binary", "--hint", "1=string", stdin=b"\x0a\x0b\x1b[2J\xe2\x80\xaeabc\x07")
    assert b'"\\x1b[2J\\u202eabc\\x07"' in result.out
    assert b"\x1b" not in result.out


def test_it_writes_to_a_file(tmp_path):
    result = run("explain", REQUEST, *TYPED, "-o", tmp_path / "out.txt")
    assert (result.code, result.out) == (0, b"")
    assert (tmp_path / "out.txt").read_bytes() == run("explain", REQUEST, *TYPED).out


def test_an_empty_message_has_no_fields(tmp_path):
    (tmp_path / "empty.binpb").touch()
    result = run("explain", tmp_path / "empty.binpb", *TYPED)
    assert (result.code, result.out.splitlines()[0]) == (0, b"vision.v1.PredictRequest  0 bytes")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((REQUEST, "-s", SCHEMA, "-t", "vision.v1.PredictReqest"), 1, "did you mean vision.v1.PredictRequest, "),
        ((REQUEST, "-t", "vision.v1.PredictRequest"), 2, "needs a schema: name it with -s"),
        ((REQUEST, "--hint", "1=text"), 2, "no kind 'text'"),
        ((REQUEST, "--hint", "one=string"), 2, "'one'"),
        ((REQUEST, "--depth", "0"), 2, "--depth"),
        ((SAMPLES / "predict.pcapng",), 1, "this is a capture"),
        ((SAMPLES / "payloads" / "stream.grpc",), 1, "it holds more than one message"),
        (("nowhere.binpb",), 1, "nowhere.binpb: "),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments, code, words):
    result = run("explain", *arguments)
    assert (result.code, result.out) == (code, b"")
    assert words in result.err
    assert result.err.count("\n") == 1
