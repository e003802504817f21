"""Single-precision numbers as people write them: 0.9, not 0.8999999761581421."""

from __future__ import annotations

import struct

_SINGLE = struct.Struct("<f")
_pack = _SINGLE.pack
_unpack = _SINGLE.unpack

_SMALLEST_NORMAL = 2.0**-126


def shortest_float(number: float) -> float:
    """The double with the fewest digits, six at least, that rounds to the same float as `number` (a finite float).

    Any float is told by nine significant digits (IEEE 754-2008, 5.12.2), and at least six of them are its own.
    """
    # Most floats take seven digits, so these are tried first. Six can do where seven do only if both decimals lie
    # within half a step of the float (2^-24 of it): then they are neighbours, and the seventh digit is 0, 1 or 9.
    seven = f"{number:.6e}"
    if seven[-5] in "19" or abs(number) < _SMALLEST_NORMAL:
        return _first_exact(number, (6, 7, 8))
    rounded = float(seven)
    return rounded if _unpack(_pack(rounded))[0] == number else _first_exact(number, (8,))


def _first_exact(number: float, precisions: tuple[int, ...]) -> float:
    for digits in precisions:
        rounded = float(f"{number:.{digits}g}")
        if _unpack(_pack(rounded))[0] == number:
            return rounded
    return float(f"{number:.9g}")
