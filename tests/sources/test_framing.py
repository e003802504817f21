"""What is framed is read back by the source of that kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import InputError
from inspector.model.call import Message
from inspector.net.compression import ENCODINGS
from inspector.sources.framing import frame
from inspector.sources.registry import detect, find


def read(kind, data):
    parser = find(kind).open()
    return [*parser.feed(data), *parser.close()]


@given(st.lists(st.binary(max_size=300), min_size=1), st.sampled_from(["grpc", "grpc-web", "delimited"]))
def test_messages_come_back_from_their_frames(messages, kind):
    events = read(kind, b"".join(frame(kind, message) for message in messages))
    assert [event.data for event in events] == messages


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", ["grpc", "grpc-web"])
@pytest.mark.parametrize("message", [b"\x0a\x10" + b"a" * 16, b""])
def test_compressed_messages_come_back(kind, encoding, message):
    data = frame(kind, message, encoding)
    assert data[0] == (encoding != "identity")
    (event,) = read(kind, data)
    assert (event.data, event.encoding, event.problem) == (message, encoding, None)


def test_without_a_frame_a_message_is_itself():
    assert frame("none", b"\x08\x01") == b"\x08\x01"


@pytest.mark.parametrize("kind", ["none", "delimited"])
def test_only_grpc_frames_can_be_compressed(kind):
    with pytest.raises(InputError, match="cannot tell that a message is compressed"):
        frame(kind, b"", "gzip")


def test_an_encoding_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(InputError, match=r"'brotli' is not known \(known are identity, gzip"):
        frame("grpc", b"", "brotli")


TRAILERS = b"grpc-status: 0\r\ngrpc-message: fine\r\n"


def web(trailers):
    return frame("grpc", b"\x08\x01") + b"\x80" + len(trailers).to_bytes(4, "big") + trailers


def test_trailers_of_grpc_web_end_a_body():
    assert detect(web(TRAILERS), whole=True).name == "grpc-web"
    (event,) = read("grpc-web", web(TRAILERS))
    assert isinstance(event, Message)
    assert event.data == b"\x08\x01"


def test_a_status_that_is_not_ok_in_the_trailers_is_told_and_is_no_damage():
    _, problem = read("grpc-web", web(b"grpc-status: 5\r\ngrpc-message: no such thing\r\n"))
    assert problem.message == "the trailers are grpc-status: 5, grpc-message: no such thing"
    assert not problem.is_damage
