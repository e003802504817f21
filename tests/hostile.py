"""Inputs made to cost time or memory, each of up to half a megabyte, and what reads them (`python hostile.py`).

It prints the name of each when it is done, so that who waits for it can tell which one takes too long.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzz.messages import TYPES

from inspector.errors import InspectorError
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from inspector.wire.encode import length_delimited

MEGABYTE = 1 << 20
SIZE = MEGABYTE // 2
PROTO3 = TYPES[0]


def nested(levels: int, number: int) -> bytes:
    data = b""
    for _ in range(levels):
        data = length_delimited(number, data)
    return data


def any_in_any(levels: int) -> bytes:
    """Of `f3.M`, whose field 100 is an Any."""
    data = b""
    for _ in range(levels):
        data = length_delimited(100, length_delimited(1, b"type.googleapis.com/f3.M") + length_delimited(2, data))
    return data


WIRE = {
    "2,000 levels of messages": nested(2_000, 16),
    "2,000 levels of lists": nested(2_000, 19),
    "groups that begin and never end": b"\x0b" * SIZE,
    "groups that end and never began": b"\x0c" * SIZE,
    "groups that end as others": b"\x0b\x14" * (SIZE // 2),
    "a length of 2^31 - 1": b"\x0a\xff\xff\xff\xff\x07",
    "a length of 2^32 + 5": b"\x0a\x85\x80\x80\x80\x10abcde",
    "a length of 2^63": b"\x0a" + b"\x80" * 9 + b"\x01",
    "a varint of 11 bytes": b"\x18" + b"\x80" * 10 + b"\x01",
    "a varint without end": b"\x80" * SIZE,
    "a tag over 2^29": b"\xf8\xff\xff\xff\x7f\x01" * 1_000,
    "a tag of zero": b"\0\0" * (SIZE // 2),
    "two fields by turns": b"\x18\x01\x20\x02" * (SIZE // 4),
    "two maps by turns": b"\xb2\x04\x02\x08\x01\xba\x04\x02\x08\x01" * (SIZE // 10),
    "a message in pieces": length_delimited(16, b"\x18\x01") * (SIZE // 5),
    "a message in pieces within one in pieces": length_delimited(16, length_delimited(16, b"\x18\x01")) * (SIZE // 9),
    "a oneof by turns": (b"\xa0\x01\x01" + length_delimited(22, b"\x18\x01")) * (SIZE // 8),
    "empty messages": b"\x9a\x01\x00" * (SIZE // 3),
    "empty strings": b"\x0a\x00" * (SIZE // 2),
    "the same key of a map": length_delimited(74, b"\x0a\x01k\x10\x05") * (SIZE // 8),
    "Any in Any, 600 levels": any_in_any(600),
    "Any in Any, 40 levels": any_in_any(40),
    "a string of quotes": length_delimited(14, b'"' * SIZE),
    "a string of control characters": length_delimited(14, b"\x01" * SIZE),
    "a string that is not UTF-8": length_delimited(14, b"\xe2\x82" * (SIZE // 2)),
}
"""Messages of `f3.M`."""

JSON = {
    "arrays, 2,000 levels": b"[" * 2_000 + b"]" * 2_000,
    "arrays that never end": b"[" * SIZE,
    "messages, 2,000 levels": b'{"child":' * 2_000 + b"{}" + b"}" * 2_000,
    "messages that never end": b'{"child":' * (SIZE // 9),
    "values, 2,000 levels": b'{"wValue":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    "unknown values, 2,000 levels": b'{"nothing":' + b'{"a":[' * 1_000 + b"]}" * 1_000 + b"}",
    "Any in Any, 600 levels": b'{"wAny":{"@type":"x/f3.M",' * 600 + b'"aInt32":1' + b"}}" * 600,
    "Any whose type comes last": b'{"wAny":{' + b'"rInt32":[1],' * 1_000 + b'"@type":"x/f3.M"}}',
    "Any in Any whose types come last": b'{"wAny":{' * 30 + b'"aInt32":1' + b',"@type":"x/f3.M"}}' * 30,
    "white space": b" " * SIZE,
    "a number of very many digits": b'{"aInt64":' + b"1" * SIZE + b"}",
    "a fraction of very many digits": b'{"aDouble":0.' + b"0" * SIZE + b"1}",
    "a text of escapes": b'{"aString":"' + b"\\u0001" * (SIZE // 6) + b'"}',
    "a text of high surrogates": b'{"aString":"' + b"\\ud83d" * (SIZE // 6) + b'"}',
    "a text that never ends": b'{"aString":"' + b"\\" * SIZE,
    "the same name": b"{" + b'"aInt32":1,' * (SIZE // 11) + b'"aInt32":1}',
    "two names by turns": b'{"rInt32":['
    + b"1," * (SIZE // 2)
    + b'1],"mString":{'
    + b'"a":1,"b":2,' * 50_000
    + b'"c":3}}',
    "empty messages": b'{"children":[' + b"{}," * (SIZE // 3) + b"{}]}",
    "zeros": b"\0" * SIZE,
}
"""Documents for `f3.M`."""


def encoded(encoder: MessageEncoder, text: bytes) -> bytes | str:
    """The message, or what is wrong in some words."""
    try:
        return encoder.encode_json(PROTO3.name, text)
    except InspectorError as error:
        return str(error) * 1_000


def run() -> Iterator[str]:
    """Reads all of them, by a schema and without."""
    decoder = MessageDecoder(PROTO3.resolver)
    keeper = MessageDecoder(PROTO3.resolver, emit_defaults=False, keep_unknown=True)
    for name, data in WIRE.items():
        for made in (decoder.decode_json(PROTO3.name, data), keeper.decode_json(PROTO3.name, data)):
            assert (made.json == b"null") == (made.error is not None), name
        assert len(decoder.decode_json(None, data).json) < 100 * MEGABYTE, name
        yield f"bytes: {name}"
    for name, text in JSON.items():
        for encoder in (MessageEncoder(PROTO3.resolver), MessageEncoder(PROTO3.resolver, ignore_unknown=True)):
            assert len(encoded(encoder, text)) < 10 * MEGABYTE, name
        yield f"JSON: {name}"


if __name__ == "__main__":
    for done in run():
        print(done, flush=True)
