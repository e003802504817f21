"""Base64 as gRPC-Web has it: in pieces that are padded each. The oracle is what was encoded."""

from __future__ import annotations

import base64
import itertools

import pytest
from http2_traffic import grpc_message
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.frames import Data
from inspector.net.grpc_web_text import Base64Stream, TextDeframer, is_text


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(0, 200), max_size=8))
def test_pieces_padded_each_are_read_however_they_are_cut(parts, places):
    text = b"\r\n".join(map(base64.b64encode, parts))
    stream = Base64Stream()
    ends = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    found = b"".join(stream.feed(text[start:end]) for start, end in itertools.pairwise(ends))
    assert (found, stream.damaged_at, stream.left) == (b"".join(parts), None, b"")


@pytest.mark.parametrize(
    ("text", "found", "place"),
    [
        (b"AAEC!AEC", b"\0\1\2", 4),
        (b"AAECA=EC", b"\0\1\2", 5),
        (b"AAEC====", b"\0\1\2", 4),
        (b"AA=CAAEC", b"", 2),
        (b"AA\r\nEC\r\nA-AA", b"\0\1\2", 9),
        (b"\xff\xff\xff\xff", b"", 0),
    ],
)
def test_what_is_no_base64_has_a_place_and_ends_it(text, found, place):
    stream = Base64Stream()
    assert (stream.feed(text), stream.damaged_at) == (found, place)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes_are_taken(first, second):
    stream = Base64Stream()
    assert len(stream.feed(first) + stream.feed(second)) <= 80
    assert len(stream.left) < 4


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("application/grpc-web-text", True),
        ("application/grpc-web-text+proto", True),
        ("Application/gRPC-Web-Text", True),
        ("application/grpc-web", False),
        ("application/grpc", False),
        (None, False),
    ],
)
def test_text_is_told_by_its_content_type(content_type, text):
    assert is_text(content_type) is text


def piece(body, missing=0):
    return Data(0, 1, body, missing, True, False, 100, 7, None)


def test_behind_missing_bytes_nothing_is_read_and_what_is_left_out_is_counted():
    text = base64.b64encode(grpc_message(b"one") + grpc_message(b"second"))
    deframer = TextDeframer()
    (one,) = deframer.feed(piece(text[:12]))
    assert (one.payload, one.pieces, deframer.held) == (b"one", (), 0)
    assert deframer.feed(piece(text[14:], missing=2)) == []
    assert (deframer.skipped, deframer.bad_flag, deframer.damage) == (len(text) - 14, 0, None)
    cut_off = deframer.close(8, None, "the stream ends")
    assert cut_off.problem.code == "message_gap"
