"""How like the numbers of real messages some numbers are: what they cost as each kind, in bits.

The models are rough and general: small integers are common, and of larger ones each size is about as common as the
next (counts, ids and lengths spread like that); floating-point numbers are near to one in magnitude and short in
decimals or in binary places; what is neither (hashes, addresses, random ids) costs its full size.

Invariant: the costs of a kind are those of a code, so they can be compared: 2 to the power of minus each adds up to
about 1 over all numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from math import isfinite, log2
from operator import sub

_DOUBLE = struct.Struct("<d")
_SINGLE = struct.Struct("<f")

_SMALL = [1.9 + log2(value + 3) for value in range(128)]
"""Bits of a value of one byte: falling as 1/x."""

_LONG = 6.0
"""Bits beside its own for an integer of more than seven: to tell how many."""

_SIZES = [0.4, 0.4, 3.5, 4.5, 4.5, 4.5, 6.5, 7.0, 7.0, 6.5, 6.0]
"""Bits for the number of bytes of a varint."""

_SHORT_VARINT = [bits + _SIZES[0] for bits in _SMALL]
_SHORT_CHANGE = [1.0 + bits for bits in _SMALL]

_NEGATIVE = 6.0


def varint_bits(value: int) -> float:
    """The cost of a varint of 64 bits."""
    if value < 128:
        return _SHORT_VARINT[value]
    if value >> 63:
        return _NEGATIVE + integer_bits((1 << 64) - value)
    size = (value.bit_length() + 6) // 7
    return 7.0 * size + _SIZES[size]


def short_varint_bits(values: bytes) -> float:
    """The cost of varints of one byte each."""
    return sum(map(_SHORT_VARINT.__getitem__, values))


def integer_bits(magnitude: int) -> float:
    """The cost of a non-negative integer of any size."""
    return _SMALL[magnitude] if magnitude < 128 else magnitude.bit_length() - 1 + _LONG


def change_bits(values: Sequence[int]) -> float:
    """The cost of numbers as the difference of each from the one before it, the first one not counted."""
    return sum(1.0 + integer_bits(abs(after - before)) for before, after in pairwise(values))


def short_change_bits(values: bytes) -> float:
    """The same for numbers of one byte, below 128."""
    return sum(map(_SHORT_CHANGE.__getitem__, map(abs, map(sub, values[1:], values))))


_COUNTED = 1 << 14
"""Numbers that are counted up, of which some count only every other one, are mostly smaller."""


def zigzag_evidence(values: Iterable[int]) -> float:
    """What varints say for zigzag, which keeps the sign in the last bit: large numbers that are all odd are rather
    all negative. (Numbers of either sign look like any others.)"""
    different = {value for value in values if value > _COUNTED}
    return len(different) if different and all(value & 1 for value in different) else 0.0


_DIGIT = 3.4
"""Bits of a decimal digit."""


@lru_cache(maxsize=4096)
def floating_bits(value: int, size: int) -> float:
    """The cost, as floating point, of what is `value` as an integer of `size` bytes (4 or 8)."""
    layout, mantissa = (_SINGLE, 23) if size == 4 else (_DOUBLE, 52)
    number: float = layout.unpack(value.to_bytes(size, "little"))[0]
    if number == 0:
        return 3.0 if value == 0 else 10.0
    if not isfinite(number):
        return 9.0 if value & ((1 << mantissa) - 1) in (0, 1 << (mantissa - 1)) else 8.0 * size + 20
    magnitude = abs(log2(abs(number)))
    bits = 3.0 + (3.5 if magnitude <= 10 else 5.5 if magnitude <= 30 else 8.0 + (magnitude - 30) / 4)
    return bits + min(float(mantissa), 3.0 + min(_binary_places(value, mantissa), _DIGIT * _digits(number, size)))


def _binary_places(value: int, mantissa: int) -> int:
    """Places up to the last one that is not zero."""
    fraction = value & ((1 << mantissa) - 1)
    return mantissa + 1 - (fraction & -fraction).bit_length() if fraction else 0


def _digits(number: float, size: int) -> int:
    """Significant decimal digits, of as many as a number of that size keeps."""
    text = f"{abs(number):.{6 if size == 4 else 14}e}"
    return len(text.partition("e")[0].replace(".", "").rstrip("0"))


_TIMES = range(14 * 10**17, 2 * 10**18)
"""Nanoseconds since 1970, of 2014 to 2033."""


@lru_cache(maxsize=4096)
def fixed_bits(value: int, size: int) -> float:
    """The cost of a fixed integer of `size` bytes: small, a little below zero, a time, or anything at all."""
    whole = 8.0 * size + 1
    if size == 8 and value in _TIMES:
        return 61.0
    return min(whole, 3.0 + integer_bits(value), 7.0 + integer_bits((1 << (8 * size)) - value))
