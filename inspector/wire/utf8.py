"""Whether bytes are UTF-8 (RFC 3629), without a copy of them.

Invariant: says the same as decoding all of them would.
"""

from __future__ import annotations

from codecs import utf_8_decode

_STEP = 64 * 1024
"""Bytes looked at at a time: they stay in the processor's cache."""


def find_invalid_utf8(data: bytes, start: int, end: int) -> int | None:
    """The offset of the first byte of `data[start:end]` that is not UTF-8; None where all is."""
    while start < end:
        stop = min(end, start + _STEP)
        piece = data[start:stop]
        if piece.isascii():
            start = stop
            continue
        try:
            start += utf_8_decode(piece, "strict", stop == end)[1]
        except UnicodeDecodeError as error:
            return start + error.start
    return None
