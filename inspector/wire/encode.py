"""Pieces of the protobuf wire format, written: the other half of `wire.scan`.

The format is that of https://protobuf.dev/programming-guides/encoding/. All varints written here are minimal.
"""

from __future__ import annotations

from inspector.wire.scan import LEN

_MASK_64 = (1 << 64) - 1


def varint(value: int) -> bytes:
    """A number of 0 to 2^64-1 as a varint; a negative one as its two's complement of 64 bits."""
    if 0 <= value < 0x80:
        return value.to_bytes(1, "little")
    value &= _MASK_64
    low = bytearray()
    while value >= 0x80:
        low.append(value & 0x7F | 0x80)
        value >>= 7
    low.append(value)
    return bytes(low)


def tag(number: int, wire_type: int) -> bytes:
    """The tag of a field."""
    return varint(number << 3 | wire_type)


def zigzag(value: int) -> int:
    """A signed number as sint32 and sint64 have it: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return (value << 1) & _MASK_64 if value >= 0 else (~value << 1 | 1) & _MASK_64


def unzigzag(value: int) -> int:
    """The signed number that an unsigned one stands for."""
    return value >> 1 ^ -(value & 1)


def length_delimited(number: int, content: bytes) -> bytes:
    """A LEN field."""
    return b"".join((tag(number, LEN), varint(len(content)), content))
