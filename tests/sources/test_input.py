import gzip
import io
import sys

import pytest
from capture_files import SAMPLES, read

from inspector.errors import InputError
from inspector.sources.input import HEAD_SIZE, Input


class Trickle(io.RawIOBase):
    """A stream that gives a byte at a time, as a slow pipe may, and counts them."""

    def __init__(self, data):
        self.given = 0
        self._data = data

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = self._data[self.given : self.given + 1]
        buffer[: len(piece)] = piece
        self.given += len(piece)
        return len(piece)


@pytest.fixture
def trickle(monkeypatch):
    """Puts data on standard input, a byte at a time."""

    def put(data):
        stream = Trickle(data)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(stream, 1)))
        return stream

    return put


def content(path, kind=None):
    with Input(str(path), kind) as opened:
        return b"".join(opened.pieces()), opened.source.name, opened.problem


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("predict.pcap", "pcap"),
        ("predict.pcapng", "pcapng"),
        ("payloads/stream.grpc", "grpc"),
        ("vision.binpb", "message"),
    ],
)
def test_all_bytes_of_a_file_come_out(name, kind):
    assert content(SAMPLES / name) == ((SAMPLES / name).read_bytes(), kind, None)


def test_a_compressed_file_is_decompressed():
    assert content(SAMPLES / "predict.pcap.gz") == (read("predict.pcap.gz"), "pcap", None)


@pytest.mark.parametrize(
    "name", ["payloads/stream.grpc", "payloads/responses.delimited", "payloads/predict_request.binpb"]
)
def test_payloads_may_be_compressed_too(name, tmp_path):
    data = (SAMPLES / name).read_bytes()
    path = tmp_path / f"{name.rpartition('/')[2]}.gz"
    path.write_bytes(gzip.compress(data[:10]) + gzip.compress(data[10:]))
    kind = {"grpc": "grpc", "delimited": "delimited", "binpb": "message"}[name.rpartition(".")[2]]
    assert content(path) == (data, kind, None)


@pytest.mark.parametrize(("name", "most"), [("predict.pcap", 4), ("predict.pcapng", 4), ("predict.pcap.gz", 200)])
def test_a_capture_in_a_pipe_is_known_by_its_first_bytes(trickle, name, most):
    stream = trickle((SAMPLES / name).read_bytes())
    with Input("-") as opened:
        assert opened.source.is_capture
        assert stream.given <= most
        assert b"".join(opened.pieces()) == read(name)


def test_a_kind_that_is_said_needs_no_bytes_to_be_told(trickle):
    stream = trickle(b"\x08\x05" * 10)
    assert Input("-", "message").source.name == "message"
    assert stream.given <= 2


def test_a_long_message_is_told_by_its_beginning(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(b"\x0a\xc0\x84\x3d" + bytes(1_000_000))
    assert content(path)[1] == "message"
    assert path.stat().st_size > HEAD_SIZE


@pytest.mark.parametrize(
    ("kind", "text", "data"),
    [
        ("message+hex", b"0x08 0x05", b"\x08\x05"),
        ("message+hex", b"08:05\n", b"\x08\x05"),
        ("message+hex", rb"\x08\x05", b"\x08\x05"),
        ("message+hex", b"08,05,", b"\x08\x05"),
        ("message+hex", b"", b""),
        ("message+base64", b"CAU=", b"\x08\x05"),
        ("message+base64", b"CAU\n", b"\x08\x05"),
        ("message+base64", b"-_8", b"\xfb\xff"),
    ],
)
def test_dumps_are_undone(tmp_path, kind, text, data):
    path = tmp_path / "dump"
    path.write_bytes(text)
    assert content(path, kind) == (data, "message", None)


def test_a_dump_may_hold_a_compressed_capture(tmp_path):
    path = tmp_path / "dump"
    path.write_bytes((SAMPLES / "predict.pcap.gz").read_bytes().hex(" ").encode())
    assert content(path, "pcap+hex") == (read("predict.pcap"), "pcap", None)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("message+hex", b"0", "not hex"),
        ("message+hex", "ä".encode(), "not hex"),
        ("message+base64", b"A", "not base64"),
        ("message+base64", b"CAU=!", "not base64"),
        ("message+oct", b"", "there is no textual form named 'oct'"),
        ("nope", b"\x08\x05", "there is no kind of input named 'nope'"),
    ],
)
def test_wrong_dumps_and_kinds_are_refused_with_the_name_of_the_file(tmp_path, kind, text, words):
    path = tmp_path / "dump"
    path.write_bytes(text)
    with pytest.raises(InputError, match=words) as caught:
        Input(str(path), kind)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_names_that_no_file_can_have_are_refused(name):
    with pytest.raises(InputError, match="cannot be read"):
        Input(name)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.binpb", "message"), ("a.grpc", "grpc"), ("a.delimited.gz", "delimited")]
)
def test_the_name_of_a_damaged_payload_tells_its_kind(tmp_path, name, kind):
    path = tmp_path / name
    path.write_bytes(b"\x0a\x05ab\xff")
    with Input(str(path)) as opened:
        assert opened.source.name == kind


@pytest.mark.parametrize("content", [b"\x89PNG\x0d\x0a\x1a\x0a\x00", b"%PDF-1.7 \xff"])
def test_other_files_with_the_name_of_a_payload_are_refused(tmp_path, content):
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(InputError):
        Input(str(path))
