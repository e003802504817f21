"""zstd (RFC 8878), for `compression`.

The invariant is that of `compression`: what is cut off, or holds more than is allowed, raises DecodeError.
"""

from __future__ import annotations

import zstandard

from inspector.limits import KIB, MIB
from inspector.net.compression import damaged, too_long

WINDOW = 8 * MIB
"""Window that every zstd decoder should accept (RFC 8878, 3.1.1.1.2). A larger one may reach the output allowed."""

_STEP = 64 * KIB
_FRAME_HEADER = 18
"""The longest header of a zstd frame (RFC 8878, 3.1.1.1)."""

_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_RLE_BLOCK = 1


def decompress(data: bytes, allowed: int) -> bytes:
    """One frame or several, one behind the other; some may be skippable."""
    try:
        _check_frames(data, allowed)
        return _read_frames(data, allowed)
    except zstandard.ZstdError as error:
        raise damaged("zstd", error) from None


def _read_frames(data: bytes, allowed: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=max(WINDOW, allowed))
    reader = decompressor.stream_reader(data, read_across_frames=True)
    parts: list[bytes] = []
    size = 0
    while part := reader.read(_STEP):
        size += len(part)
        if size > allowed:
            raise too_long("zstd")
        parts.append(part)
    return b"".join(parts)


def _check_frames(data: bytes, allowed: int) -> None:
    """Walks the frames. (The library reads one that is cut off as if it ended there.)"""
    if not data:
        raise damaged("zstd", "it is empty")
    at = 0
    while at < len(data):
        head = int.from_bytes(data[at : at + 4], "little")
        if head in _SKIPPABLE:
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        else:
            at = _frame_end(data, at, allowed)
        if at > len(data):
            raise damaged("zstd", "it is cut off")


def _frame_end(data: bytes, at: int, allowed: int) -> int:
    header = zstandard.get_frame_parameters(data[at : at + _FRAME_HEADER])
    if header.content_size != zstandard.CONTENTSIZE_UNKNOWN and header.content_size > allowed:
        raise too_long("zstd")
    at += zstandard.frame_header_size(data[at : at + _FRAME_HEADER])
    last = 0
    while not last and at < len(data):
        head = int.from_bytes(data[at : at + 3], "little")  # 3.1.1.2: last block, type (two bits), size
        last = head & 1
        at += 3 + (1 if head >> 1 & 3 == _RLE_BLOCK else head >> 3)
    return at + 4 * header.has_checksum if last else len(data) + 1


def compress(data: bytes) -> bytes:
    """One frame."""
    return zstandard.ZstdCompressor().compress(data)
