"""The sources of the bytes of a message, over messages of every kind of input."""

from __future__ import annotations

import gzip
import random

import pytest
from capture_files import SAMPLES

from inspector import session
from inspector.model.call import Message
from inspector.model.frames import Data
from inspector.model.problem import Problem
from inspector.net.grpc_cy import Deframer
from inspector.transcode.tree import FieldTree
from inspector.views.byte_sources import BODY, COMPRESSED, NESTED, WIRE, holder_of, names_of, source_of

DATA = b"\x0a\x04\x0a\x02hi\x12\x03\x01\x02\x03\x18\x07"


def message(data=DATA, wire=None, encoding="identity", problem=None):
    return Message(1, 0, "request", "/a.B/C", None, encoding, data, data if wire is None else wire, problem, ())


def test_the_frame_is_what_a_reader_of_frames_takes_for_the_message():
    with session.open(str(SAMPLES / "gzip.pcapng")) as opened:
        messages = list(opened.messages())
    assert {each.encoding for each in messages} >= {"identity", "gzip", "deflate"}
    for each in messages:
        tree = FieldTree(each.data)
        frame = source_of(WIRE, each, tree, None)
        (raw,) = Deframer().feed(Data(0, 1, frame.data, 0, True, False, 0, 0, None))
        assert (raw.payload, raw.flag, raw.problem) == (each.wire, each.encoding != "identity", None)
        assert frame.start == (-5 if each.encoding == "identity" else None)


def test_the_payloads_of_a_file_of_frames_are_all_of_it():
    path = SAMPLES / "payloads" / "stream.grpc"
    with session.open(str(path)) as opened:
        frames = [source_of(WIRE, each, FieldTree(each.data), None).data for each in opened.messages()]
    assert b"".join(frames) == path.read_bytes()


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (message(), [WIRE, BODY]),
        (message(wire=gzip.compress(DATA), encoding="gzip"), [WIRE, COMPRESSED, BODY]),
        (message(None, b"\x1f\x8b", "gzip", Problem("compression", "cut")), [WIRE, COMPRESSED]),
        (message(None, b"\x0a", "identity", Problem("message_truncated", "cut")), [BODY]),
        (message(None, b"\x1f", "gzip", Problem("message_gap", "cut")), [COMPRESSED]),
        (message(None, b"\x1f", "identity", Problem("compression_unknown", "no encoding")), [WIRE, COMPRESSED]),
    ],
)
def test_what_there_is_of_a_message(given, names):
    assert names_of(given, None, has_frames=True) == names
    assert names_of(given, None, has_frames=False) == [name for name in names if name != WIRE]


def test_nested_bytes_are_those_of_the_innermost_field_with_a_length():
    tree = FieldTree(DATA, hints={"2": "packed-int64"})
    first, second, third = tree.fields
    assert holder_of(first.children[0]) is not None
    assert source_of(NESTED, message(), tree, first).data == b"\x0a\x02hi"
    assert source_of(NESTED, message(), tree, first.children[0]).data == b"hi"
    assert source_of(NESTED, message(), tree, second.children[1]).data == b"\x01\x02\x03"
    assert names_of(message(), third, has_frames=False) == [BODY]


def test_each_byte_of_a_source_is_one_of_the_message_where_it_says_so():
    generator = random.Random(7)
    tree = FieldTree(DATA)
    for name in (WIRE, BODY, NESTED):
        source = source_of(name, message(), tree, tree.fields[0])
        for at in generator.sample(range(len(source.data)), len(source.data)):
            place = source.in_message(at, len(DATA))
            assert (place is None) == (name == WIRE and at < 5)
            assert place is None or DATA[place] == source.data[at]


def test_the_parts_of_fields_are_where_their_bytes_are():
    tree = FieldTree(DATA)
    inner = tree.fields[0].children[0]
    for name in (WIRE, BODY, NESTED):
        source = source_of(name, message(), tree, tree.fields[0])
        parts = {role: source.data[span.start : span.end] for span, role in source.parts_of(inner)}
        assert parts == {"tag": b"\x0a", "length": b"\x02", "value": b"hi"}
    assert source_of(BODY, message(), tree, None).parts_of(None) == ()
    nested = source_of(NESTED, message(), tree, tree.fields[0])
    assert [part.role for part in nested.parts_between(0, 4)] == ["tag", "length"]
