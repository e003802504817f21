"""Single-precision numbers as people write them: 0.9, not 0.8999999761581421."""

from __future__ import annotations

import struct
from math import floor, log10

_SINGLE = struct.Struct("<f")
_pack = _SINGLE.pack
_unpack = _SINGLE.unpack

_POWERS = [10.0**exponent for exponent in range(23)]
"""The powers of ten that a double holds exactly: the quotient of an integer and one of them is rounded only once."""

_LEAST, _MOST = 1e-13, 1e6
"""Magnitudes that these powers take to nine-digit integers, and back."""

_NEAR_TIE = 0.499999
"""A product this near to the middle of two integers may have been rounded to the wrong side of it."""


def shortest_float(number: float) -> float:
    """The double with the fewest digits, six at least, that rounds to the same float as `number` (a finite float).

    Any float is told by nine significant digits (IEEE 754-2008, 5.12.2), and at least six of them are its own.
    """
    magnitude = abs(number)
    if not _LEAST <= magnitude < _MOST:
        return _shortest_by_text(number)
    # Decimals are made by arithmetic, which is twice as fast as by text. Most floats take seven digits or more, so six
    # are not tried: where they do, the six-digit decimal is the seven-digit one too, or its neighbour.
    place = 6 - floor(log10(magnitude))
    whole = round(number * _POWERS[place])
    if whole % 10 in (1, 9):
        return _shortest_by_text(number)
    for power in _POWERS[place : place + 3]:
        scaled = number * power
        whole = round(scaled)
        if abs(scaled - whole) > _NEAR_TIE:
            break
        rounded = whole / power
        if _unpack(_pack(rounded))[0] == number:
            return rounded
    return _shortest_by_text(number)


def _shortest_by_text(number: float) -> float:
    for digits in (6, 7, 8):
        rounded = float(f"{number:.{digits}g}")
        if _unpack(_pack(rounded))[0] == number:
            return rounded
    return float(f"{number:.9g}")
