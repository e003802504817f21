"""Message encodings of gRPC (https://github.com/grpc/grpc/blob/master/doc/compression.md), done and undone.

The invariant: `decompress` returns at most as many bytes as it was allowed, or raises DecodeError; what it holds on the
way there is bounded likewise. What a stream declares about itself is believed only to refuse it.

Encodings that take a library have a module each, imported where one is met: most inputs have none, or gzip.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

from inspector.deferred import deferred
from inspector.errors import DecodeError, InputError
from inspector.limits import KIB, MAX_COMPRESSION_RATIO, MIB

SMALL = 1 * MIB
"""Output that is allowed whatever the ratio: zeros in zstd shrink to a ten-thousandth, and this much harms nobody."""


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


def damaged(what: str, reason: object) -> DecodeError:
    """The error for data of an encoding that is not as the encoding has it."""
    return DecodeError(f"{what} data is damaged: {reason}", code="compression_damaged")


def too_long(what: str) -> DecodeError:
    """The error for data that holds more than is allowed."""
    return DecodeError(f"{what} data decompresses to more than is allowed", code="compression_limit")


def _identity(data: bytes, allowed: int) -> bytes:
    if len(data) > allowed:
        raise too_long("identity")
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
        raise damaged("deflate", f"{len(data) - end} bytes behind the end")
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
                raise damaged(what, "it is cut off")
            try:
                parts.append(stream.decompress(view[at : at + step], room))
            except zlib.error as error:
                raise damaged(what, error) from None
            room -= len(parts[-1])
            if not room:
                raise too_long(what)
            at = min(at + step, len(data))
            step *= 2
    return b"".join(parts), at - len(stream.unused_data)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "identity": _identity,
    "gzip": _gunzip,
    "deflate": _undeflate,
    "zstd": deferred("inspector.net.zstd", "decompress"),
    "snappy": deferred("inspector.net.snappy", "decompress"),
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
    "zstd": deferred("inspector.net.zstd", "compress"),
    "snappy": deferred("inspector.net.snappy", "compress"),
}
