"""Numbers and bytes of every width."""

from __future__ import annotations

import struct
from random import Random
from typing import Any

UNSIGNED = {"uint32s": 32, "uint64s": 64, "fixed32s": 32, "fixed64s": 64}
SIGNED = {"int32s": 32, "int64s": 64, "sint32s": 32, "sint64s": 64, "sfixed32s": 32, "sfixed64s": 64}
ROUND = (
    0.0, -0.0, 0.1, 0.25, 1.0, -1.0, 2.75, 100.0, -273.15, 123456.789, 1 / 3, 1e-6, 1e-7, 1e6, 1e16, 1e21,
)  # fmt: skip
"""Numbers as people write them, and those where the notation changes."""


def fill_integers(message: Any, source: Random) -> None:
    """A corpus.v1.Integers of some 4 kB. All widths occur; small numbers most often."""
    for name, bits in UNSIGNED.items():
        getattr(message, name).extend(source.getrandbits(bits) >> source.randrange(bits) for _ in range(60))
    for name, bits in SIGNED.items():
        getattr(message, name).extend(
            (source.getrandbits(bits) - (1 << bits - 1)) >> source.randrange(bits) for _ in range(60)
        )
    message.bools.extend(source.random() < 0.5 for _ in range(60))
    message.weekdays.extend(source.choice((0, 1, 2, 3, -1, 99)) for _ in range(60))
    message.unpacked.extend(source.randrange(-100, 1000) for _ in range(60))


def fill_numbers(message: Any, source: Random) -> None:
    """A corpus.v1.Numbers of some 3 kB: half are any bit pattern, the others numbers as people write them."""
    for _ in range(120):
        message.doubles.extend((_pattern("<d", source), _round(source)))
        message.floats.extend((_pattern("<f", source), _round(source)))
    message.last_double, message.last_float = _round(source), _round(source)


def _pattern(layout: str, source: Random) -> float:
    return float(struct.unpack(layout, source.randbytes(struct.calcsize(layout)))[0])


def _round(source: Random) -> float:
    return source.choice((source.choice(ROUND), round(source.random(), 2), float(source.randrange(1000))))


def fill_blobs(message: Any, source: Random) -> None:
    """A corpus.v1.Blobs of some 10 kB: chunks of all lengths up to 64 bytes, and longer ones."""
    message.digest = source.randbytes(32)
    message.chunks.extend(source.randbytes(length) for length in (*range(64), 1_000, 7_001))
