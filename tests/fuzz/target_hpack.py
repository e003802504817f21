"""Header blocks, one after another, in a connection that was seen from its start or joined late.

What the `hpack` package decodes, this decodes to the same, where the connection was seen from its start.
"""

from __future__ import annotations

from collections.abc import Iterator

import hpack as oracle
import http2_traffic
from fuzz.target import Script, Target, text
from hpack.hpack import DEFAULT_MAX_HEADER_LIST_SIZE  # what the oracle takes of a block

from inspector import limits
from inspector.errors import InspectorError
from inspector.net.hpack_cy import HpackDecoder

SEEN, LATE, LOST = 0, 1, 2
"""How a script begins, and what may come between its blocks."""


def run(data: bytes) -> object:
    script = Script(data)
    start = script.byte()
    decoder = HpackDecoder(from_start=start == SEEN)
    other = oracle.Decoder(max_header_list_size=DEFAULT_MAX_HEADER_LIST_SIZE) if start == SEEN else None
    found = []
    while not script.done:
        before = script.byte()
        if before & LOST:
            decoder.forget()
            other = None
        if before & 4:
            size = script.short()
            decoder.limit_table(size)
            if other is not None:
                other.max_allowed_table_size = size
        block = script.text()
        expected = None if other is None else decode_by_oracle(other, block)
        fields, error = decode(decoder, block)
        if error is not None:
            assert not expected, (expected, error)
            found.append(repr(error))
            other = None
            continue
        if expected is None:
            other = None  # it is stricter, or smaller, and out of step from here
        elif not decoder.truncated:
            assert fields == expected
        assert decoder.unknown == sum(name is None or value is None for name, value in fields)
        assert sum(len(name or "") + len(value or "") for name, value in fields) <= limits.MAX_HEADER_LIST
        found.append((fields, decoder.unknown, decoder.truncated, decoder.has_octets))
    return found


def decode(decoder, block):
    try:
        return decoder.decode(block), None
    except InspectorError as error:
        return [], error


def decode_by_oracle(decoder, block):
    """The fields with a character for each octet; None where the oracle refuses."""
    try:
        fields = decoder.decode(block, raw=True)
    except (oracle.HPACKError, UnicodeDecodeError):
        return None
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]


def seeds() -> Iterator[bytes]:
    for huffman in (True, False):
        encoder = oracle.Encoder()
        blocks = [
            encoder.encode(list(fields), huffman=huffman)
            for fields in (http2_traffic.REQUEST, http2_traffic.RESPONSE, http2_traffic.TRAILERS, http2_traffic.REQUEST)
        ]
        encoder.header_table_size = 100
        blocks.append(encoder.encode([("grpc-timeout", "10S"), ("user-agent", "grpc-python/1.80")], huffman=huffman))
        for start in (SEEN, LATE):
            yield bytes((start,)) + b"".join(b"\0" + text(block) for block in blocks)
    yield bytes((SEEN,)) + b"\x04\x10\x00" + text(b"\x3f\xe1\x1f\x40\x01a\x01b\xbe") + b"\x02" + text(b"\xbe\x7f\x00")


TARGET = Target(
    "hpack",
    run,
    seeds,
    (b"\x3f\xe1\x1f", b"\x20", b"\xbe", b"\x7f\xff\xff\xff\xff\x0f", b"\x82\x84", b"\xff\xff\xff\xea"),
)
