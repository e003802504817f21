"""Kinds of input are told from their bytes."""

import gzip

import pytest
from capture_files import SAMPLES, read
from http2_traffic import PREFACE

from inspector.errors import InputError
from inspector.sources.registry import detect, find, kinds

PAYLOADS = SAMPLES / "payloads"
WHOLE = {
    "predict.pcap": "pcap",
    "predict.pcapng": "pcapng",
    "payloads/predict_request.binpb": "message",
    "payloads/responses.delimited": "delimited",
    "payloads/stream.grpc": "grpc",
    "vision.binpb": "message",
}


@pytest.mark.parametrize(("name", "kind"), WHOLE.items())
def test_samples_are_what_they_are_without_their_names(name, kind):
    assert detect((SAMPLES / name).read_bytes(), whole=True).name == kind


@pytest.mark.parametrize(("name", "kind"), WHOLE.items())
def test_the_beginning_of_a_sample_is_enough_with_its_name(name, kind):
    data = (SAMPLES / name).read_bytes()
    assert detect(data[: len(data) * 2 // 3], whole=False, name=name).name == kind


def test_an_http2_connection_is_known_by_its_preface():
    assert detect(PREFACE + bytes(9), whole=True).name == "http2"


@pytest.mark.parametrize("magic", ["a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1"])
def test_every_magic_number_of_pcap_is_known(magic):
    assert detect(bytes.fromhex(magic) + bytes(20), whole=True).name == "pcap"


def test_a_file_name_decides_between_what_the_bytes_allow():
    data = b"\x0a\x00"  # field 1, empty; or ten bytes, cut off
    assert detect(data, whole=False).name == "message"
    assert detect(data, whole=False, name="x.delimited").name == "delimited"


def test_a_file_name_decides_nothing_against_the_bytes():
    assert detect(read("predict.pcap"), whole=True, name="x.pcapng").name == "pcap"
    assert detect(read("predict.pcap"), whole=True, name="x.binpb").name == "pcap"


@pytest.mark.parametrize("data", [b"some text\n", gzip.compress(b"x", mtime=0), b"\x89PNG\r\n\x1a\n", b"\xff" * 40])
def test_what_is_nothing_of_this_is_told(data):
    assert detect(data, whole=True) is None


@pytest.mark.parametrize("kind", kinds())
def test_kinds_are_found_by_name(kind):
    assert find(kind).name == kind


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do():
    known = "pcapng, pcap, http2, binlog, grpc, grpc-web, message, delimited"
    with pytest.raises(InputError, match=rf"named 'nope' \(known are {known}\)"):
        find("nope")
