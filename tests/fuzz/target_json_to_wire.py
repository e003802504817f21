"""JSON text to the bytes of a message: the fast way and the exact way have to make, or refuse, the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

from fuzz.messages import DOCUMENTS, LONGEST, TYPES, messages
from fuzz.target import Script, Target

from inspector.errors import InspectorError
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from inspector.transcode.json_source import JsonSource


@cache
def encoder(kind, options):
    return MessageEncoder(TYPES[kind].resolver, ignore_unknown=bool(options & 1), strict=bool(options & 2))


def run(data: bytes) -> object:
    script = Script(data)
    kind, options = script.byte() % len(TYPES), script.byte() % 4
    text = script.rest()
    fast = outcome(encoder(kind, options).encode_json, TYPES[kind].name, text)
    exact = outcome(exact_way, encoder(kind, options), TYPES[kind].name, text)
    assert fast == exact
    return fast


def outcome(way, *arguments):
    """The bytes, or the text of the error."""
    try:
        return way(*arguments)
    except InspectorError as error:
        return f"{type(error).__name__}: {error}"


def exact_way(encoder, name, text):
    source = JsonSource(text)
    value, start = source.document()
    return encoder.encode(name, value, partial(source.place, start))


def seeds() -> Iterator[bytes]:
    for kind, document in DOCUMENTS:
        yield bytes((kind, 0)) + document.encode()
        yield bytes((kind, 2)) + document.encode()
    for kind, made in messages():
        text = MessageDecoder(TYPES[kind].resolver).decode_json(TYPES[kind].name, made).json
        if len(text) < LONGEST:
            yield bytes((kind, 0)) + text
    yield b"\0\1" + b'{"nothing":[{"x":1}],"aInt32":1}'
    yield b"\0\0" + b'{"child":' * 40 + b"{}" + b"}" * 40


TARGET = Target(
    "json_to_wire",
    run,
    seeds,
    (
        *(
            b'"\\u0000"',
            b"\\ud83d\\ude00",
            b"null",
            b"true",
            b'"NaN"',
            b"1e400",
            b"-0",
            b'{"@type":"',
            b'"value":',
            b"[]",
        ),
        *(b'"AA=="', b'"1s"', b'"1970-01-01T00:00:00Z"', b'"aInt32":', b'"child":', b'"rString":', b'"[f2.x_int]":'),
    ),
    longest=2 + LONGEST,
)
