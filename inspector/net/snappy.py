"""snappy (https://github.com/google/snappy: format_description.txt, framing_format.txt), for `compression`.

The invariant is that of `compression`: what is cut off, or holds more than is allowed, raises DecodeError.
"""

from __future__ import annotations

import cramjam

from inspector.net.compression import damaged, too_long

_STREAM = b"\xff\x06\x00\x00sNaPpY"
_COMPRESSED_CHUNK = 0
_PLAIN_CHUNK = 1
_CHECKSUM = 4

_MAX_EXPANSION = 32
"""A copy of 64 bytes, the longest, takes three: what a block declares beyond that is not in it."""


def decompress(data: bytes, allowed: int) -> bytes:
    """The stream format where it begins as such, else a block. (Read as one, "sNaPp" copies from before its start.)

    Nothing at all is a stream without chunks: so Go's snappy.Writer leaves an empty message.
    """
    try:
        if not data or data.startswith(_STREAM):
            _check_chunks(data, allowed)
            return bytes(cramjam.snappy.decompress(data))
        _check_block(len(data), cramjam.snappy.decompress_raw_len(data), allowed)
        return bytes(cramjam.snappy.decompress_raw(data))
    except cramjam.DecompressionError as error:
        raise damaged("snappy", error) from None


def _check_block(size: int, declared: int, allowed: int) -> None:
    if declared > size * _MAX_EXPANSION:
        raise damaged("snappy", f"{size} bytes cannot hold the {declared} they declare")
    if declared > allowed:
        raise too_long("snappy")


def _check_chunks(data: bytes, allowed: int) -> None:
    """Adds up what the chunks declare. A stream has no end mark: one cut off between chunks cannot be told."""
    at = total = 0
    while at < len(data):
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4], "little")
        body, at = at + 4, at + 4 + size
        if at > len(data):
            raise damaged("snappy", "it is cut off")
        if kind == _COMPRESSED_CHUNK:
            total += cramjam.snappy.decompress_raw_len(data[body + _CHECKSUM : min(body + _CHECKSUM + 5, at)])
        elif kind == _PLAIN_CHUNK:
            total += max(size - _CHECKSUM, 0)
        if total > allowed:
            raise too_long("snappy")


def compress(data: bytes) -> bytes:
    """The stream format."""
    return bytes(cramjam.snappy.compress(data)) or _STREAM  # cramjam leaves out the head of nothing
