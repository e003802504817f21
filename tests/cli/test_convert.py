"""`inspector convert` and `inspector encode`, as processes."""

from __future__ import annotations

import base64
import json
import os

import pytest
from command import SAMPLES, SCHEMA, on_terminal, run

REQUEST = SAMPLES / "payloads" / "predict_request.binpb"
RESPONSES = SAMPLES / "payloads" / "responses.delimited"
TYPE = "vision.v1.PredictRequest"
TYPED = ("-s", SCHEMA, "-t", TYPE)
SUFFIXES = {"json": ".json", "text": ".txtpb", "yaml": ".yaml", "protoscope": ".protoscope", "hex": ".hex",
            "base64": ".b64"}  # fmt: skip


@pytest.fixture(scope="module")
def original():
    return REQUEST.read_bytes()


# --- there and back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", SUFFIXES)
def test_a_message_comes_back_from_every_format_with_its_type(form, original, tmp_path):
    text = tmp_path / f"request{SUFFIXES[form]}"
    assert run("convert", REQUEST, *TYPED, "-o", text)[::2] == (0, "")
    back = tmp_path / "back.binpb"
    assert run("convert", text, *TYPED, "-o", back) == (0, b"", "")
    assert back.read_bytes() == original


@pytest.mark.parametrize("form", SUFFIXES)
def test_a_message_comes_back_from_every_format_without_its_type(form, original):
    text = run("convert", REQUEST, "--to", form)
    assert (text.code, text.err) == (0, "")
    assert run("convert", "-", "--from", form, "--to", "binary", stdin=text.out) == (0, original, "")


@pytest.mark.parametrize("form", SUFFIXES)
def test_text_is_text_of_one_line_or_more(form):
    out = run("convert", REQUEST, *TYPED, "--to", form).out
    assert out.endswith(b"\n")
    assert all(character.isprintable() or character == "\n" for character in out.decode())


def test_a_field_of_a_guess_can_be_edited_and_the_rest_stays(original):
    guess = json.loads(run("convert", REQUEST, "--to", "json").out)
    assert guess["1"]["1"] == "req-0001"
    guess["1"]["1"] = "req-0002"
    back = run("convert", "-", "--to", "binary", stdin=json.dumps(guess).encode())
    assert (back.code, back.out) == (0, original.replace(b"req-0001", b"req-0002"))


def test_what_decode_prints_of_a_payload_without_a_schema_can_be_written_back(original):
    printed = run("decode", REQUEST).out
    assert run("encode", stdin=printed) == (0, original, "")


def test_messages_of_a_stream_can_be_written_back_too():
    printed = run("decode", RESPONSES)
    assert printed.code == 0
    assert run("encode", "-", "--frame", "delimited", stdin=printed.out).out == RESPONSES.read_bytes()


def test_an_array_of_messages_is_read_as_many():
    typed = ("-s", SCHEMA, "-t", "vision.v1.PredictResponse")
    framed = run("encode", RESPONSES.with_suffix(".json"), *typed, "--frame", "delimited").out
    assert run("convert", "-", *typed, "--from", "delimited", "--to", "json", stdin=framed).out == (
        run("convert", RESPONSES, *typed).out
    )


def test_damage_in_a_payload_without_a_schema_is_told_and_kept(original):
    cut = original[:500]
    text = run("convert", "-", "--from", "binary", "--to", "json", stdin=cut)
    assert text.code == 3
    assert "damaged: offset 404" in text.err
    assert run("convert", "-", "--to", "binary", stdin=text.out).out == cut


def test_a_schema_without_a_type_is_told_to_be_of_no_use():
    result = run("convert", REQUEST, "-s", SCHEMA)
    assert result.code == 0
    assert "no type (-t)" in result.err


# --- which formats -----------------------------------------------------------------------------------------------


def test_binary_becomes_json_and_json_becomes_binary_unless_told_otherwise(original):
    text = run("convert", REQUEST, *TYPED).out
    assert json.loads(text) == json.loads(REQUEST.with_suffix(".json").read_text())
    assert run("convert", "-", *TYPED, stdin=text).out == original


@pytest.mark.parametrize("form", ["hex", "base64"])
def test_dumps_in_a_pipe_are_told_by_their_content(form):
    dump = run("convert", REQUEST, "--to", form).out
    assert run("convert", "-", *TYPED, stdin=dump).out == run("convert", REQUEST, *TYPED).out


def test_many_messages_become_lines_of_json_and_come_back():
    typed = ("-s", SCHEMA, "-t", "vision.v1.PredictResponse")
    lines = run("convert", RESPONSES, *typed).out
    assert len(lines.splitlines()) == 4
    framed = run("encode", "-", *typed, "--frame", "delimited", stdin=lines).out
    assert run("convert", "-", *typed, "--from", "delimited", "--to", "json", stdin=framed).out == lines
    array = b"[" + b",".join(lines.splitlines()) + b"]"
    assert run("convert", "-", *typed, "--to", "json", stdin=array).out == lines


def test_many_messages_in_a_format_that_holds_one_are_refused():
    result = run("convert", RESPONSES, "--to", "protoscope")
    assert (result.code, result.out) == (1, b"")
    assert "protoscope holds one message, there are 4" in result.err


def test_text_whose_format_is_not_plain_is_asked_about():
    result = run("convert", "-", stdin=b"name: something\n")
    assert result.code == 1
    assert "standard input: this is text" in result.err
    assert "--from" in result.err


def test_a_capture_is_sent_to_decode():
    result = run("convert", SAMPLES / "predict.pcapng")
    assert result.code == 1
    assert "this is a capture (pcapng)" in result.err
    assert "inspector decode" in result.err


def test_a_format_that_is_not_there_is_wrong_usage():
    assert run("convert", REQUEST, "--to", "xml").code == 2
    assert run("convert", REQUEST, "--from", "xml").code == 2


def test_binary_does_not_go_to_a_terminal():
    result = on_terminal("convert", REQUEST, "--to", "binary")
    assert (result.code, result.out) == (2, b"")
    assert "-o" in result.err


def test_bytes_that_are_said_to_be_binary_are_not_decompressed():
    data = b"\x1f\x8b\x08 not gzip"
    text = run("convert", "-", "--from", "binary", "--to", "protoscope", stdin=data)
    assert text.code == 0
    assert run("convert", "-", "--from", "protoscope", "--to", "binary", stdin=text.out).out == data


# --- options -----------------------------------------------------------------------------------------------------


def test_json_is_indented_as_asked():
    compact = run("convert", REQUEST, *TYPED).out
    assert len(compact.splitlines()) == 1
    wide = run("convert", REQUEST, *TYPED, "--indent", "4").out
    assert b'\n    "model": ' in wide
    assert json.loads(wide) == json.loads(compact)


def test_unknown_fields_of_json_are_refused_or_skipped():
    text = b'{"model": "m", "nope": 1}'
    refused = run("encode", "-", *TYPED, stdin=text)
    assert (refused.code, refused.out) == (1, b"")
    assert "line 1, column 16" in refused.err
    assert run("encode", "-", *TYPED, "--ignore-unknown", stdin=text) == (0, b"\x12\x01m", "")


def test_what_json_has_no_room_for_is_told():
    result = run("convert", "-", *TYPED, "--from", "hex", "--to", "json", stdin=b"12016d ba3e03787878")
    assert (result.code, json.loads(result.out)) == (0, {"model": "m"})
    assert result.err.startswith("inspector: left out: 999, offset 3: not in vision.v1.PredictRequest")


def test_a_type_needs_a_schema_unless_it_is_always_known():
    assert run("convert", REQUEST, "-t", TYPE).code == 2
    text = b'"1970-01-01T00:00:01Z"'
    assert run("encode", "-", "-t", "google.protobuf.Timestamp", stdin=text).out == b"\x08\x01"


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text("kept")
    result = run("convert", "-", *TYPED, "--from", "hex", "-o", kept, stdin=b"12ff")
    assert result.code == 1
    assert kept.read_text() == "kept"
    assert os.listdir(tmp_path) == ["kept.json"]


# --- encode ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "text", "yaml", "protoscope"])
def test_encode_reads_each_readable_format(form, original):
    text = run("convert", REQUEST, *TYPED, "--to", form).out
    assert run("encode", "-", *TYPED, "--from", form, stdin=text) == (0, original, "")


@pytest.mark.parametrize("framing", ["grpc", "grpc-web", "delimited"])
@pytest.mark.parametrize("compressed", [False, True])
def test_decode_reads_what_encode_frames(framing, compressed, tmp_path):
    path = tmp_path / "framed"
    options = ("--compress", "gzip") if compressed else ()
    documents = b'{"model": "a"}\n{"model": "b"}\n'
    result = run("encode", "-", *TYPED, "--frame", framing, *options, "-o", path, stdin=documents)
    if compressed and framing == "delimited":
        assert (result.code, path.exists()) == (1, False)
        return
    assert result == (0, b"", "")
    decoded = run("decode", path, *TYPED, "--from", framing)
    assert decoded.rows == [{"model": "a"}, {"model": "b"}]


def test_several_messages_need_a_frame():
    result = run("encode", "-", *TYPED, stdin=b"{} {}")
    assert (result.code, result.out) == (1, b"")
    assert "it holds 2 messages, not one" in result.err


def test_encode_asks_for_a_type_where_the_keys_are_names():
    result = run("encode", "-", stdin=b'{"model": "m"}')
    assert result.code == 1
    assert "-t" in result.err


def test_base64_of_a_log_line_is_read_with_from_base64(original):
    text = base64.urlsafe_b64encode(original).rstrip(b"=")
    assert run("convert", "-", "--from", "base64", "--to", "binary", stdin=text).out == original


def test_what_json_format_wrote_becomes_the_message_that_it_was():
    out = run("encode", REQUEST.with_suffix(".json"), *TYPED).out
    assert (
        run("convert", "-", *TYPED, "--from", "binary", "--to", "json", stdin=out).out
        == run("convert", REQUEST, *TYPED).out
    )


# --- where results go --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["convert", "encode"])
def test_a_dash_is_the_terminal_too(command, tmp_path):
    text = tmp_path / "a.json"
    text.write_text('{"1": "\\u001b[31m"}')
    result = on_terminal(command, text, "-o", "-")
    assert (result.code, result.out) == (2, b"")
    assert "binary does not go to a terminal" in result.err


def test_nothing_at_all_is_an_empty_message():
    assert run("convert", "-", *TYPED, "--to", "json", stdin=b"") == (0, b"{}\n", "")


def test_a_mark_of_the_encoding_does_not_hide_the_format():
    assert run("convert", "-", *TYPED, stdin=b'\xef\xbb\xbf{"model": "m"}') == (0, b"\x12\x01m", "")
