"""Messages without a network around them: gRPC frames, delimited messages, one message, in any form."""

from __future__ import annotations

import gzip
import os
import random
import threading

import pytest
from capture_files import SAMPLES
from http2_traffic import grpc_message

from inspector import limits
from inspector.errors import DecodeError, InputError
from inspector.formats.base import Conversion
from inspector.model.call import Message
from inspector.sources.delimited import DelimitedParser
from inspector.sources.grpc_frames import GrpcParser
from inspector.sources.message import MessageParser
from inspector.sources.payloads import messages_of, read_payloads, read_whole, tell
from inspector.sources.registry import find

PAYLOADS = {name: (SAMPLES / "payloads" / name).read_bytes() for name in ("responses.delimited", "stream.grpc")}
PARSERS = {"responses.delimited": DelimitedParser, "stream.grpc": GrpcParser}


def read(parser, data, sizes=None):
    sizes = sizes or [len(data) or 1]
    events, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        events += parser.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    return events + parser.close()


def contents(events):
    return [event.data for event in events if isinstance(event, Message)]


def codes(events):
    problems = [event.problem if isinstance(event, Message) else event for event in events]
    return [problem.code for problem in problems if problem]


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_any_size_give_the_same(name, seed):
    chance = random.Random(seed)
    sizes = [chance.randint(1, 60) for _ in range(20)] if seed else [1]
    whole = read(PARSERS[name](), PAYLOADS[name])
    cut = read(PARSERS[name](), PAYLOADS[name], sizes)
    assert len(whole) == 4
    assert contents(cut) == contents(whole)
    assert [event.index for event in cut] == [0, 1, 2, 3]


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_cut_costs_only_the_message_that_it_is_in(name):
    data = PAYLOADS[name]
    whole = contents(read(PARSERS[name](), data))
    for size in range(len(data)):
        events = read(PARSERS[name](), data[:size])
        good = [content for content in contents(events) if content is not None]
        assert good == whole[: len(good)], size
        assert len(codes(events)) <= 1, size
        assert set(codes(events)) <= {"message_truncated"}, size


@pytest.mark.parametrize("name", PAYLOADS)
def test_every_cut_within_a_message_is_told(name):
    data = PAYLOADS[name]
    ends = {0}
    for event in read(PARSERS[name](), data):
        prefix = 5 if name == "stream.grpc" else 1 if len(event.wire) < 128 else 2
        ends.add(max(ends) + prefix + len(event.wire))
    assert max(ends) == len(data)
    for size in range(len(data)):
        assert bool(codes(read(PARSERS[name](), data[:size]))) == (size not in ends), size


# --- gRPC frames -------------------------------------------------------------------------------------------------


def test_a_frame_that_is_compressed_is_known_by_its_first_bytes():
    [event] = read(GrpcParser(), grpc_message(gzip.compress(b"\x08\x05"), flag=1))
    assert (event.data, event.encoding) == (b"\x08\x05", "gzip")


def test_a_compression_that_is_not_known_costs_one_message():
    first, second = read(GrpcParser(), grpc_message(b"zz", flag=1) + grpc_message(b"\x08\x05"))
    assert (first.data, first.wire, first.encoding) == (None, b"zz", "unknown")
    assert first.problem.code == "compression_unknown"
    assert second.data == b"\x08\x05"


def test_damaged_compression_costs_one_message():
    damaged = gzip.compress(b"\x08\x05" * 50)[:-9] + bytes(9)
    first, second = read(GrpcParser(), grpc_message(damaged, flag=1) + grpc_message(b"\x08\x05"))
    assert (first.data, first.problem.code) == (None, "compression_damaged")
    assert second.data == b"\x08\x05"


def test_what_is_no_frame_is_told():
    assert codes(read(GrpcParser(), grpc_message(b"\x08\x05") + b"\x77" * 20))


# --- delimited ---------------------------------------------------------------------------------------------------


def test_empty_messages_count():
    assert contents(read(DelimitedParser(), b"\x00\x02\x08\x05\x00")) == [b"", b"\x08\x05", b""]


@pytest.mark.parametrize(
    ("data", "offset"),
    [(b"\x02\x08\x05" + b"\xff" * 9, 3), (b"\xff\xff\xff\xff\x7f" + bytes(9), 0)],
    ids=["no length", "longer than allowed"],
)
def test_a_wrong_length_ends_the_reading(data, offset):
    parser = DelimitedParser()
    *_, problem = parser.feed(data)
    assert (problem.code, problem.offset) == ("delimited_length", offset)
    assert parser.feed(b"\x02\x08\x05") == []
    assert parser.close() == []


# --- one message -------------------------------------------------------------------------------------------------


def test_a_message_is_all_there_is():
    assert contents(read(MessageParser(), b"\x08\x05" * 500, [7])) == [b"\x08\x05" * 500]


def test_a_file_and_a_pipe_of_the_same_bytes_give_the_same(tmp_path):
    data = random.Random(3).randbytes(300_000)
    path, pipe = tmp_path / "message.bin", tmp_path / "pipe"
    path.write_bytes(data)
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    assert read_whole(str(pipe), "binary") == data
    writer.join()
    assert read_whole(str(path), "binary") == data


def test_a_file_over_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_SINGLE_MESSAGE", 100_000)
    path = tmp_path / "message.bin"
    path.write_bytes(bytes(100_000))
    assert len(read_whole(str(path), "binary")) == 100_000
    path.write_bytes(bytes(100_001))
    with pytest.raises(InputError, match="over 100000 bytes"):
        read_whole(str(path), "binary")


def test_a_message_over_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_SINGLE_MESSAGE", 10)
    parser = MessageParser()
    parser.feed(bytes(10))
    with pytest.raises(InputError, match="a message of over 10 bytes is not read"):
        parser.feed(b"\0")


@pytest.mark.parametrize("name", ["pcap", "pcapng", "http2", "grpc", "delimited"])
def test_nothing_gives_nothing_but_perhaps_a_problem(name):
    events = find(name).parser().close()
    assert contents(events) == []


# --- payloads in any form ----------------------------------------------------------------------------------------

MIB = 1 << 20
BINARY_MESSAGE = b"\x0a\x03abc\x10\x05"


def told(data, name=""):
    return tell(data, "", name).name


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", "binary"),
        (BINARY_MESSAGE, "message"),
        (b' \r\n\t{"1": 2}', "json"),
        (b"\xef\xbb\xbf{}", "json"),
        (b"0a03616263\r\n1005\r\n", "hex"),
        (b"\xef\xbb\xbf0x0a 0x03", "hex"),
        (b"00000000: 0a03 6162  ..ab", "hex"),
        (b"CgNhYmMQBQ==", "base64"),
        (b"CgNhYmMQBQ", "base64"),
        (b"\n CgNh\r\n  YmMQ\r\nBQ==\r\n", "base64"),
        (b"\xef\xbb\xbfCgNhYmMQBQ==", "base64"),
    ],
)
def test_the_form_is_told_by_the_content(data, form):
    assert told(data) == form


@pytest.mark.parametrize("text", ["this is some plain text", "Hello, world", "helloworlds", "error\nwarning\nnotice\n"])
def test_words_are_not_base64(text):
    with pytest.raises(InputError, match="this is text"):
        tell(text.encode(), "", "")


@pytest.mark.parametrize(
    "text", [b"g" * MIB + b"!", b"gggg" + b" " * MIB + b"!", b"g\n" * MIB + b"!", b"g" + b"\n" * MIB + b"!"]
)
def test_the_form_of_a_long_text_is_told_in_one_pass(text):
    with pytest.raises(InputError, match="this is text"):
        tell(text, "", "")


def test_the_name_of_a_file_tells_before_its_content():
    as_message = b"\x08" + b"\x10" * 8 + b"\x08" + b"\x10" * 8
    assert told(as_message[:-1] + b"\x00") == "message"
    assert told(as_message, "a.delimited") == told(as_message, "a.delimited.gz") == "delimited"
    assert told(b"{}", "a.txtpb.gz") == "text"


def test_a_frame_that_is_cut_is_told_by_its_offset():
    with pytest.raises(DecodeError) as caught:
        list(messages_of(b"\x02\x08\x01\x05\x08", None, Conversion(), name="a.delimited"))
    assert caught.value.offset == 3


@pytest.mark.parametrize("name", ["nothing.here", "."])
def test_errors_name_the_file_once(name):
    with pytest.raises(InputError) as caught:
        list(read_payloads(name, None, Conversion()))
    assert caught.value.where == name
