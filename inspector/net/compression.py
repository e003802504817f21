"""Message encodings of gRPC (https://github.com/grpc/grpc/blob/master/doc/compression.md), done and undone.

The invariant: `decompress` returns at most as many bytes as it was allowed, or raises DecodeError; what it holds on the
way there is bounded likewise. What a stream declares about itself is believed only to refuse it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import cramjam
import zstandard

from inspector.errors import DecodeError, InputError
from inspector.limits import KIB, MAX_COMPRESSION_RATIO, MIB

SMALL = 1 * MIB
"""Output that is allowed whatever the ratio: zeros in zstd shrink to a ten-thousandth, and this much harms nobody."""

ZSTD_WINDOW = 8 * MIB
"""Window that every zstd decoder should accept (RFC 8878, 3.1.1.1.2). A larger one may reach the output allowed."""

_ZSTD_STEP = 64 * KIB
_FRAME_HEADER = 18
"""The longest header of a zstd frame (RFC 8878, 3.1.1.1)."""


def decompress(encoding: str, data: bytes, limit: int) -> bytes:
    """The message that `data` holds, compressed as the grpc-encoding header names it.

    It may be `limit` bytes long at most, and limits.MAX_COMPRESSION_RATIO times as long as `data` (or SMALL).

    Raises DecodeError with code `compression_unknown`, `compression_damaged` (cut off, bad checksum, something behind
    the end, ...) or `compression_limit`.
    """
    decoder = _DECODERS.get(encoding)
    if decoder is None:
        raise DecodeError(
            f"message encoding {encoding[:80]!r} is not known",
            code="compression_unknown",
            hint=f"known are {', '.join(ENCODINGS)}",
        )
    return decoder(data, min(limit, max(SMALL, len(data) * MAX_COMPRESSION_RATIO)))


def _damaged(what: str, reason: object) -> DecodeError:
    return DecodeError(f"{what} data is damaged: {reason}", code="compression_damaged")


def _too_long(what: str) -> DecodeError:
    return DecodeError(f"{what} data decompresses to more than is allowed", code="compression_limit")


def _identity(data: bytes, allowed: int) -> bytes:
    if len(data) > allowed:
        raise _too_long("identity")
    return data


# --- gzip and deflate (RFC 1950 to 1952) -------------------------------------------------------------------------

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS

_FIRST_STEP = 4 * KIB


def _gunzip(data: bytes, allowed: int) -> bytes:
    """One member or several, one behind the other (RFC 1952, 2.2)."""
    out, end = _inflate("gzip", _GZIP, data, 0, allowed)
    parts, size = [out], len(out)
    while end < len(data):
        out, end = _inflate("gzip", _GZIP, data, end, allowed - size)
        parts.append(out)
        size += len(out)
    return b"".join(parts)


def _undeflate(data: bytes, allowed: int) -> bytes:
    """`deflate` means the zlib format (RFC 9110, 8.4.1.2), but some peers send bare deflate."""
    try:
        return _inflate_whole(_ZLIB, data, allowed)
    except DecodeError as error:
        if error.code != "compression_damaged":
            raise
        damage = error
    try:
        return _inflate_whole(_RAW, data, allowed)
    except DecodeError as error:
        raise (damage if error.code == damage.code else error) from None


def _inflate_whole(window: int, data: bytes, allowed: int) -> bytes:
    out, end = _inflate("deflate", window, data, 0, allowed)
    if end != len(data):
        raise _damaged("deflate", f"{len(data) - end} bytes behind the end")
    return out


def _inflate(what: str, window: int, data: bytes, start: int, allowed: int) -> tuple[bytes, int]:
    """One deflate stream that begins at `start`: what it holds, and where it ends.

    The input goes in in growing steps, because zlib copies what it was given behind the end of a stream: with all of
    the input in one step a message of many tiny gzip members would take quadratic time.
    """
    stream = zlib.decompressobj(window)
    parts: list[bytes] = []
    room, at, step = allowed + 1, start, _FIRST_STEP
    with memoryview(data) as view:
        while not stream.eof:
            if at >= len(data):
                raise _damaged(what, "it is cut off")
            try:
                parts.append(stream.decompress(view[at : at + step], room))
            except zlib.error as error:
                raise _damaged(what, error) from None
            room -= len(parts[-1])
            if not room:
                raise _too_long(what)
            at = min(at + step, len(data))
            step *= 2
    return b"".join(parts), at - len(stream.unused_data)


# --- zstd (RFC 8878) ---------------------------------------------------------------------------------------------

_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_RLE_BLOCK = 1


def _unzstd(data: bytes, allowed: int) -> bytes:
    try:
        _check_frames(data, allowed)
        return _read_frames(data, allowed)
    except zstandard.ZstdError as error:
        raise _damaged("zstd", error) from None


def _read_frames(data: bytes, allowed: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=max(ZSTD_WINDOW, allowed))
    reader = decompressor.stream_reader(data, read_across_frames=True)
    parts: list[bytes] = []
    size = 0
    while part := reader.read(_ZSTD_STEP):
        size += len(part)
        if size > allowed:
            raise _too_long("zstd")
        parts.append(part)
    return b"".join(parts)


def _check_frames(data: bytes, allowed: int) -> None:
    """Walks the frames. (The library reads one that is cut off as if it ended there.)"""
    if not data:
        raise _damaged("zstd", "it is empty")
    at = 0
    while at < len(data):
        head = int.from_bytes(data[at : at + 4], "little")
        if head in _SKIPPABLE:
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        else:
            at = _frame_end(data, at, allowed)
        if at > len(data):
            raise _damaged("zstd", "it is cut off")


def _frame_end(data: bytes, at: int, allowed: int) -> int:
    header = zstandard.get_frame_parameters(data[at : at + _FRAME_HEADER])
    if header.content_size != zstandard.CONTENTSIZE_UNKNOWN and header.content_size > allowed:
        raise _too_long("zstd")
    at += zstandard.frame_header_size(data[at : at + _FRAME_HEADER])
    last = 0
    while not last and at < len(data):
        head = int.from_bytes(data[at : at + 3], "little")  # 3.1.1.2: last block, type (two bits), size
        last = head & 1
        at += 3 + (1 if head >> 1 & 3 == _RLE_BLOCK else head >> 3)
    return at + 4 * header.has_checksum if last else len(data) + 1


# --- snappy (https://github.com/google/snappy: format_description.txt, framing_format.txt) ------------------------

_STREAM = b"\xff\x06\x00\x00sNaPpY"
_COMPRESSED_CHUNK = 0
_PLAIN_CHUNK = 1
_CHECKSUM = 4

_MAX_EXPANSION = 32
"""A copy of 64 bytes, the longest, takes three: what a block declares beyond that is not in it."""


def _unsnappy(data: bytes, allowed: int) -> bytes:
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
        raise _damaged("snappy", error) from None


def _check_block(size: int, declared: int, allowed: int) -> None:
    if declared > size * _MAX_EXPANSION:
        raise _damaged("snappy", f"{size} bytes cannot hold the {declared} they declare")
    if declared > allowed:
        raise _too_long("snappy")


def _check_chunks(data: bytes, allowed: int) -> None:
    """Adds up what the chunks declare. A stream has no end mark: one cut off between chunks cannot be told."""
    at = total = 0
    while at < len(data):
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4], "little")
        body, at = at + 4, at + 4 + size
        if at > len(data):
            raise _damaged("snappy", "it is cut off")
        if kind == _COMPRESSED_CHUNK:
            total += cramjam.snappy.decompress_raw_len(data[body + _CHECKSUM : min(body + _CHECKSUM + 5, at)])
        elif kind == _PLAIN_CHUNK:
            total += max(size - _CHECKSUM, 0)
        if total > allowed:
            raise _too_long("snappy")


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "identity": _identity,
    "gzip": _gunzip,
    "deflate": _undeflate,
    "zstd": _unzstd,
    "snappy": _unsnappy,
}

ENCODINGS = tuple(_DECODERS)
"""The values of grpc-encoding that are known."""


# --- the way there -----------------------------------------------------------------------------------------------


def compress(encoding: str, data: bytes) -> bytes:
    """A message as grpc-encoding `encoding` has it; the same bytes each time. Snappy is the stream format, which tells
    itself. Raises InputError for an encoding that is not known."""
    encoder = _ENCODERS.get(encoding)
    if encoder is None:
        raise InputError(f"message encoding {encoding!r} is not known", hint=f"known are {', '.join(ENCODINGS)}")
    return encoder(data)


_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "snappy": lambda data: bytes(cramjam.snappy.compress(data)) or _STREAM,  # cramjam leaves out the head of nothing
}
