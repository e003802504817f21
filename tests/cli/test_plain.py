"""A plain run of `convert` is the same run, sooner: the same text, and nothing where something is to be told."""

from __future__ import annotations

import os
import subprocess
import sys

import corpus
import pytest
from command import PATIENCE, SAMPLES, SCHEMA, environment, on_terminal, run
from google.protobuf import descriptor_pb2, timestamp_pb2

from inspector.cli.plain import plain_text
from inspector.compiled import is_compiled
from inspector.transcode.decode import MessageDecoder
from inspector.views.safe_text import safe_json

REQUEST = SAMPLES / "payloads" / "predict_request.binpb"
TYPE = "vision.v1.PredictRequest"
WORDS = (str(REQUEST), "-s", str(SCHEMA), "-t", TYPE)
USUAL = ("--indent", "0")
"""These options change nothing, but for that the run is not a plain one."""

NOT_PLAIN = {"descriptor set", "unknown fields"}


@pytest.mark.parametrize("shape", corpus.shapes(), ids=lambda shape: shape.name)
def test_the_text_is_that_of_the_usual_way(shape, tmp_path):
    path, schema = tmp_path / "message", tmp_path / "schema.desc"
    schema.write_bytes(corpus.descriptor_set(shape.type_name))
    decoder = MessageDecoder(corpus.schema())
    texts = []
    for message in shape.messages[:20]:
        path.write_bytes(message)
        usual = safe_json(decoder.decode_json(shape.type_name, message).json)
        text = plain_text([str(path), "-s", str(schema), "-t", shape.type_name, "--from", "binary"])
        assert text in (usual, None)
        texts.append(text)
    assert any(texts) == (is_compiled() and shape.name not in NOT_PLAIN)


@pytest.mark.parametrize(
    "words",
    [
        WORDS,
        (*WORDS, "--from", "binary", "--to=json"),
        (f"--type=.{TYPE}", f"--protoset={SCHEMA}", str(REQUEST)),
    ],
)
def test_a_plain_run_writes_what_the_usual_one_does(words):
    assert (plain_text(words) is not None) == is_compiled()
    plain, usual = run("convert", *words), run("convert", *words, *USUAL)
    assert plain == usual
    assert plain.code == 0


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--help",),
        WORDS[:3],
        (*WORDS[:3], "-t"),
        (*WORDS, "--indent", "2"),
        (*WORDS, "--to", "yaml"),
        (*WORDS, "--from", "hex"),
        (*WORDS, "--from", ""),
        (*WORDS, "-t", TYPE),
        (*WORDS, "more"),
        (*WORDS, "--emit-defaults"),
        (*WORDS, "-o", "-"),
        ("-", *WORDS[1:]),
        ("--", *WORDS),
        (str(REQUEST), f"-s{SCHEMA}", "-t", TYPE),
        (str(REQUEST), "-s", str(SCHEMA), "-t", "vision.v1.None"),
        (str(REQUEST), "-s", "python:vision.binpb", "-t", TYPE),
        (str(REQUEST), "-s", str(SAMPLES), "-t", TYPE),
        (str(SAMPLES), *WORDS[1:], "--from", "binary"),
        (f"{REQUEST}.none", *WORDS[1:]),
        ("\0", *WORDS[1:], "--from", "binary"),
    ],
)
def test_other_runs_are_left_to_the_usual_way(words):
    assert plain_text(words) is None


def test_what_is_to_be_told_is_told(tmp_path):
    path = tmp_path / "message.binpb"
    unknown, damaged, marked = b"\xf8\x7f\x01", b"\x0a\x7f", b"\x0a\x03\xe2\x80\xae"
    for data in (unknown, damaged, REQUEST.read_bytes() + unknown, b"", b"\x1f\x8b", marked):
        path.write_bytes(data)
        plain, usual = (run("convert", path, *WORDS[1:], *more) for more in ((), USUAL))
        assert plain == usual
        assert plain.err or data in (b"", marked)


def test_types_that_may_have_extensions_are_left_to_the_usual_way(tmp_path):
    schema, path = tmp_path / "schema.desc", tmp_path / "message.binpb"
    file = descriptor_pb2.FileDescriptorProto(name="a.proto")
    descriptor_pb2.DESCRIPTOR.CopyToProto(file)
    schema.write_bytes(descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString())
    path.write_bytes(b"\x0a\x03\x0a\x01a")
    words = (str(path), "-s", str(schema), "-t", "google.protobuf.FileDescriptorSet")
    assert plain_text(words) is None
    assert run("convert", *words).rows == [{"file": [{"name": "a"}]}]


def test_completion_and_terminals_are_left_to_the_usual_way(monkeypatch):
    assert on_terminal("convert", *WORDS).out == run("convert", *WORDS, "--indent", "2").out
    monkeypatch.setenv("_INSPECTOR_COMPLETE", "bash_source")
    assert plain_text(WORDS) is None


def test_output_that_cannot_be_written_ends_the_run_as_it_does_else():
    ends = []
    for more in ((), USUAL):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "inspector", "convert", *WORDS, *more],
                stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=PATIENCE, check=False,
            )  # fmt: skip
        ends.append((done.returncode, done.stderr))
    assert ends[0] == ends[1]
    assert ends[0][1].startswith(b"inspector: standard output cannot be written")


def test_nobody_reading_is_no_failure():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        command = [sys.executable, "-m", "inspector", "convert", *WORDS]
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, env=environment(), timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_plain_run_loads_neither_click_nor_the_python_part_of_the_runtime(tmp_path):
    path, schema = tmp_path / "message", tmp_path / "schema.desc"
    schema.write_bytes(corpus.descriptor_set("google.protobuf.Timestamp"))
    path.write_bytes(timestamp_pb2.Timestamp(seconds=1).SerializeToString())
    words = ["convert", str(path), "-s", str(schema), "-t", "google.protobuf.Timestamp", "--from", "binary"]
    code = (
        "import atexit, sys; from inspector.cli.start import main; "
        "slow = {'click', 'orjson', 'google.protobuf.descriptor_pb2'}; "
        "atexit.register(lambda: print(*sorted(slow & {*sys.modules}), file=sys.stderr)); "
        f"sys.argv[1:] = {words}; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment(), timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, b'"1970-01-01T00:00:01Z"\n')
    assert (done.stderr == b"\n") == is_compiled()
