"""Bytes of a message to JSON text: the fast way and the exact way have to say the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from fuzz.messages import LONGEST, TYPES, messages
from fuzz.target import Script, Target

from inspector.transcode.decode import MessageDecoder
from inspector.transcode.json_text import dumps
from inspector.views.safe_text import safe_json

OPTIONS = ("emit_defaults", "proto_names", "enum_numbers", "strict", "keep_unknown")


@cache
def decoder(kind, options):
    named = {name: bool(options >> at & 1) for at, name in enumerate(OPTIONS)}
    return MessageDecoder(TYPES[kind].resolver, **named)


def run(data: bytes) -> object:
    script = Script(data)
    kind, options = script.byte() % len(TYPES), script.byte() % 32
    body = script.rest()
    fast = decoder(kind, options).decode_json(TYPES[kind].name, body)
    exact = decoder(kind, options).decode(TYPES[kind].name, body)
    assert fast.json == dumps(exact.value)
    assert (fast.unknown_bytes, fast.decoded_by) == (exact.unknown_bytes, exact.decoded_by)
    assert repr(fast.error) == repr(exact.error)
    assert not fast.is_seen or safe_json(fast.json) == fast.json
    return fast._replace(is_seen=False)  # the exact way does not look


def seeds() -> Iterator[bytes]:
    for at, (kind, made) in enumerate(messages()):
        yield bytes((kind, at % 32)) + made
        if len(made) < 200:
            yield bytes((kind, 0)) + made + made
    yield b"\0\0" + b"\x82\x01\x02" * 50 + b"\x82\x01\0"
    yield b"\1\0" + b"\x9b\x01\x08\x01\x13\x14\x9c\x01" + b"\x0b\x0c"


TARGET = Target(
    "wire_to_json",
    run,
    seeds,
    (
        b"\x82\x01",
        b"\x9b\x01",
        b"\x9c\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x80\x80\x80\x80\x08",
        b"type.googleapis.com/f3.M",
        b"\xe2\x80\xae",
        b"\xc2\x9b",
        b"\x7f",
    ),
    longest=2 + LONGEST,
)
