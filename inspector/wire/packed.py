"""Packed numbers: the elements of a LEN content, and what it saves as numbers of each kind.

Packed is the form of repeated numbers in proto3 (encoding guide, "Packed Repeated Fields"): varints, or fixed
numbers of four or eight bytes, with nothing between them. Nearly any bytes can be read so; what tells real ones is
that they are small, near to their neighbours, or short as decimals.

Invariant: `elements` reads all of a content or nothing of it.
"""

from __future__ import annotations

import re
import struct
from itertools import islice

from inspector.errors import DecodeError
from inspector.limits import MAX_GUESS_FIELDS
from inspector.wire.number_likeness import (
    change_bits,
    fixed_bits,
    floating_bits,
    short_change_bits,
    short_varint_bits,
    varint_bits,
    zigzag_evidence,
)
from inspector.wire.scan import I32, I64, VARINT, read_uint64

_VARINT = re.compile(rb"[\x80-\xff]{0,9}[\x00-\x7f]")
_OVERLONG = re.compile(rb"[\x80-\xff]{10}")
_SIZES = {I32: (4, "I"), I64: (8, "Q")}

_PLAIN, _CHANGES = 1.0, 6.0
"""Bits to say which model of varints serves."""
_SMOOTH = 0.75
"""Numbers that are near to their neighbours cost less than this share of their own costs. (Letters are near, too.)"""


def elements(raw: bytes, wire_type: int) -> list[int] | None:
    """The numbers, unsigned as the wire has them; None where `raw` does not consist of them."""
    if wire_type == VARINT:
        return _varints(raw)
    size, code = _SIZES[wire_type]
    return None if len(raw) % size else list(struct.unpack(f"<{len(raw) // size}{code}", raw))


def _varints(raw: bytes) -> list[int] | None:
    if raw.isascii():
        return list(raw)
    values = []
    offset, end = 0, len(raw)
    try:
        while offset < end:
            value, offset = read_uint64(raw, offset, end)
            values.append(value)
    except DecodeError:
        return None
    return values


def savings(raw: bytes, whole: int) -> dict[str, float]:
    """What a content that begins with `raw`, of `whole` bytes in all, saves under each kind of packed numbers that it
    can be, by the kind of an element."""
    saved: dict[str, float] = {}
    if not raw:
        return saved
    if (raw[-1] < 0x80 or whole > len(raw)) and not _OVERLONG.search(raw):
        saved |= _varint_savings(raw)
    for size, floating in ((4, "float"), (8, "double")):
        if whole % size == 0:
            values = elements(raw[: size * MAX_GUESS_FIELDS], I32 if size == 4 else I64) or ()
            saved[floating] = sum(8.0 * size - floating_bits(value, size) for value in values)
            saved[f"fixed{8 * size}"] = sum(8.0 * size - fixed_bits(value, size) for value in values)
    return saved


_SHORT_DOUBLE = 30.0
_SEVERAL = 3


def are_written(raw: bytes) -> bool:
    """Whether these are doubles of which several differ, and most are short as decimals: somebody wrote them."""
    values = set(elements(raw[: min(8 * MAX_GUESS_FIELDS, len(raw) & -8)], I64) or ()) - {0}
    short = sum(floating_bits(value, 8) <= _SHORT_DOUBLE for value in values)
    return short >= _SEVERAL and 4 * short >= 3 * len(values)


def _varint_savings(raw: bytes) -> dict[str, float]:
    if raw.isascii():
        return _short_savings(raw[:MAX_GUESS_FIELDS])
    head = b"".join(match[0] for match in islice(_VARINT.finditer(raw), MAX_GUESS_FIELDS))
    values = _varints(head)
    if values is None:
        return {}
    plain = _PLAIN + sum(map(varint_bits, values))
    signed = [value - (1 << 64) if value >> 63 else value for value in values]
    changes = _CHANGES + varint_bits(values[0]) + change_bits(signed)
    saved = 8.0 * len(head) - _cheaper(plain, changes)
    return {"int64": saved, "sint64": saved + zigzag_evidence(values)}


def _short_savings(raw: bytes) -> dict[str, float]:
    """The same for varints of one byte each."""
    changes = _CHANGES + varint_bits(raw[0]) + short_change_bits(raw)
    saved = 8.0 * len(raw) - _cheaper(_PLAIN + short_varint_bits(raw), changes)
    return {"int64": saved, "sint64": saved}


def _cheaper(plain: float, changes: float) -> float:
    return changes if changes < _SMOOTH * plain else plain
