"""One field on the wire, and the wire types (encoding guide, "Message Structure").

Invariant: what a field says of its places is within the bytes that it was read from.
"""

from __future__ import annotations

from typing import NamedTuple

VARINT, I64, LEN, SGROUP, EGROUP, I32 = range(6)
"""Wire types, by their names in the encoding guide."""

WIRE_TYPE_NAMES = ("VARINT", "I64", "LEN", "SGROUP", "EGROUP", "I32")


class Field(NamedTuple):
    """One field: its bytes are `data[tag_start:end]`, those of the value proper `data[value_start:value_end]`.

    `value` is the number (unsigned) of a varint or fixed field, and the length of the content of a LEN field or a
    group. The length prefix of a LEN field lies between its tag and `value_start`, the end tag of a group between
    `value_end` and `end`.
    """

    number: int
    wire_type: int
    tag_start: int
    value_start: int
    end: int
    value: int

    @property
    def value_end(self) -> int:
        """Offset behind the value proper."""
        return self.value_start + self.value if self.wire_type == SGROUP else self.end


class WireField(NamedTuple):
    """The places of a field: its tag begins at `start`, a length at `tag_end`, the end tag of a group at `value_end`.

    What a field does not have is empty; elements of packed fields have no tag.
    """

    number: int
    wire_type: int
    start: int
    tag_end: int
    value_start: int
    value_end: int
    end: int
