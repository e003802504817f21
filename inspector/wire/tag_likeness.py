"""What tags cost: those of a schema are few, small, in order, and always of the same wire type.

The code adapts: a tag costs by how often it was met before in messages of the same type, a new one by its number.
So messages that agree save more than each alone, and a wide number (an extension) is believed where it comes again.
Invariant: the cost of a tag depends on those before it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import log2

from inspector.wire.scan import I32, I64, LEN, SGROUP, VARINT

Tag = tuple[int, int]
"""Field number and wire type."""

_WIRE_TYPE_BITS = {VARINT: 1.3, LEN: 1.0, I64: 5.0, I32: 5.0, SGROUP: 12.0}

_RESERVED = range(19_000, 20_000)
"""Field numbers that no schema may use (language guide, "Assigning Field Numbers")."""
_RESERVED_BITS = 40.0

_OUT_OF_ORDER = 3.0
"""Writers go by field number."""

_OTHER_WIRE_TYPE = 8.0
"""A number that came with another wire type before: packed and not, or chance."""


def tag_size(number: int) -> int:
    """Bytes of the tag of a field number."""
    return 1 if number < 16 else (number.bit_length() + 9) // 7


@lru_cache(maxsize=4096)
def _new_bits(number: int, wire_type: int) -> float:
    """The cost of a tag not met before: schemas number from 1, and most stay small."""
    bits = 1.5 + 1.1 * log2(number) + 1.6 * max(0.0, log2(number) - 4)
    return bits + _WIRE_TYPE_BITS[wire_type] + (_RESERVED_BITS if number in _RESERVED else 0.0)


class Tags:
    """The tags of the messages of one type so far."""

    def __init__(self) -> None:
        self._counts: dict[Tag, int] = {}
        self._wire_types: dict[int, int] = {}
        self._total = 0

    def saving(self, tags: Iterable[Tag]) -> float:
        """What the tags of one more message save, in bits."""
        saved = 0.0
        previous = 0
        for tag in tags:
            number = tag[0]
            saved += 8.0 * tag_size(number) - self._cost(tag)
            if number < previous:
                saved -= _OUT_OF_ORDER
            previous = number
        return saved

    def _cost(self, tag: Tag) -> float:
        count = self._counts.get(tag, 0)
        self._counts[tag] = count + 1
        self._total += 1
        if count:
            return log2(self._total / count)
        number, wire_type = tag
        known = self._wire_types.setdefault(number, wire_type)
        other = 0.0 if known == wire_type else _OTHER_WIRE_TYPE
        return log2(self._total) + _new_bits(number, wire_type) + other
