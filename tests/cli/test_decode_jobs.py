"""`inspector decode --jobs N`: whatever N is, the output is the same."""

from __future__ import annotations

import sys

import capture_files
import pytest
from capture_files import CAPTURES
from command import PATIENCE, ROOT, SAMPLES, SCHEMA, run, start

PREDICT = SAMPLES / "predict.pcapng"
RESPONSES = SAMPLES / "payloads" / "responses.delimited"
TYPE = ("-s", SCHEMA, "-t", "vision.v1.PredictResponse")


def outcomes(*arguments, jobs=(1, 3), **given):
    """What the command says with each number of processes, without repetition: code, output, standard error."""
    return {run("decode", *arguments, "--jobs", number, **given) for number in jobs}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A capture whose messages fill many batches."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import traffic  # noqa: PLC0415  # lies beside the package
    finally:
        sys.path.pop(0)
    path = tmp_path_factory.mktemp("jobs") / "large.pcapng"
    traffic.write_capture(path, 300, connections=2, kind="indexed")
    return path


@pytest.fixture(scope="module")
def damaged(large):
    """The same without some of its packets, and cut off."""
    records = capture_files.split(large.read_bytes())
    kept = [record for at, record in enumerate(records) if not record.is_packet or at % 47]
    path = large.with_name("damaged.pcapng")
    path.write_bytes(capture_files.join(kept)[:-30])
    return path


@pytest.mark.parametrize("name", CAPTURES)
def test_samples_decode_to_the_same(name):
    (one,) = outcomes(SAMPLES / name, "-s", SCHEMA, jobs=(1, 2))
    assert one.code == (3 if name == "truncated.pcapng" else 0)
    assert one.out


@pytest.mark.parametrize(
    "options",
    [
        ("-s", SCHEMA),
        ("-s", SCHEMA, "--raw"),
        (*TYPE, "--keep-unknown"),
        ("-s", SCHEMA, "--method", "GetModel"),
        ("-s", SCHEMA, "--where", "call > 280 && direction == 'response'"),
        ("-s", SCHEMA, "--call", "234"),
        (),
    ],
    ids=lambda options: " ".join(map(str, options)).replace(str(SCHEMA), "SCHEMA"),
)
def test_large_captures_decode_to_the_same(large, options):
    (one,) = outcomes(large, *options)
    assert "Traceback" not in one.err
    assert (one.code, bool(one.out)) in ((0, True), (1, False))


def test_damaged_captures_decode_to_the_same(damaged):
    (one,) = outcomes(damaged, "-s", SCHEMA, jobs=(1, 2, 3))
    assert one.code == 3
    assert len(one.rows) > 200
    assert one.err.count("\n") > 1


def test_messages_of_another_type_are_the_same(damaged):
    (one,) = outcomes(damaged, "-s", SCHEMA, "-t", "google.protobuf.FileDescriptorSet", "--method", "*")
    assert one.rows


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("-s", SCHEMA, "-t", "no.Such"), 1),
        (("-s", SCHEMA, "--call", "99999"), 1),
        (("-s", SCHEMA, "--where", "call > 99999"), 1),
        (("-s", SCHEMA, "--where", "call > 290 && message.nothing.of.the.kind"), 1),
        (("-s", SCHEMA, "--where", "call >"), 1),
    ],
)
def test_what_cannot_be_done_is_told_the_same(large, options, code):
    (one,) = outcomes(large, *options)
    assert (one.code, one.out) == (code, b"")
    assert one.err.startswith("inspector: ")
    assert one.err.count("\n") == 1


def test_payloads_decode_to_the_same():
    (one,) = outcomes(RESPONSES, *TYPE)
    assert one.code == 0
    (guessed,) = outcomes(RESPONSES)
    assert guessed.out
    (wrong,) = outcomes(RESPONSES, "-s", SCHEMA, "-t", "google.protobuf.Timestamp")
    assert wrong.err


def test_a_pipe_decodes_to_the_same(large):
    data = large.read_bytes()
    (one,) = outcomes("-", "-s", SCHEMA, stdin=data)
    assert one == run("decode", large, "-s", SCHEMA)
    (guessed,) = outcomes("-", stdin=data)
    assert guessed.code == 0


@pytest.mark.parametrize("jobs", [2, 4])
def test_a_reader_that_goes_away_is_no_error(large, jobs):
    with start("decode", large, "-s", SCHEMA, "--jobs", jobs) as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 0


def test_a_file_gets_the_same(large, tmp_path):
    for jobs in (1, 3):
        assert run("decode", large, "-s", SCHEMA, "--jobs", jobs, "-o", tmp_path / str(jobs)).code == 0
    assert (tmp_path / "1").read_bytes() == (tmp_path / "3").read_bytes() == run("decode", large, "-s", SCHEMA).out
