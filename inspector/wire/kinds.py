"""Kinds of fields: how the bytes of a value may be read. Their names are those of the types in .proto files.

A wire type leaves several readings of a value open (encoding guide, "Message Structure"):

- VARINT: `int64` (also int32, where negative numbers take ten bytes), `uint64`, `sint64` (zigzag), `bool`, `enum`;
- I32: `fixed32`, `sfixed32`, `float`; I64: `fixed64`, `sfixed64`, `double`;
- LEN: `string`, `bytes`, `message`, and `packed-` followed by a kind of number, for many of them;
- SGROUP: `group`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from inspector.wire.encode import unzigzag, zigzag
from inspector.wire.scan import I32, I64, LEN, SGROUP, VARINT

Number = int | float | bool


class NumberKind(NamedTuple):
    """A reading of a number. `read` takes it as the wire has it (unsigned), `write` gives that; for a packed field
    these are of an element."""

    name: str
    wire_type: int
    read: Callable[[int], Number]
    write: Callable[[Number], int]


def _reader(layout: str) -> Callable[[int], Number]:
    size = struct.calcsize(layout)

    def read(value: int) -> Number:
        number: Number = struct.unpack(layout, value.to_bytes(size, "little"))[0]
        return number

    return read


def _writer(layout: str) -> Callable[[Number], int]:
    return lambda number: int.from_bytes(struct.pack(layout, number), "little")


def _fixed(name: str, wire_type: int, layout: str) -> NumberKind:
    return NumberKind(name, wire_type, _reader(layout), _writer(layout))


def _signed(bits: int) -> Callable[[int], Number]:
    def read(value: int) -> Number:
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> (bits - 1) else value

    return read


def _unsigned(bits: int) -> Callable[[Number], int]:
    return lambda number: int(number) & ((1 << bits) - 1)


def _to_zigzag(number: Number) -> int:
    return zigzag(int(number))


NUMBERS = {
    kind.name: kind
    for kind in (
        NumberKind("int64", VARINT, _signed(64), _unsigned(64)),
        NumberKind("int32", VARINT, _signed(32), _unsigned(64)),
        NumberKind("uint64", VARINT, int, _unsigned(64)),
        NumberKind("uint32", VARINT, _unsigned(32), _unsigned(32)),
        NumberKind("sint64", VARINT, unzigzag, _to_zigzag),
        NumberKind("sint32", VARINT, lambda value: unzigzag(value & 0xFFFF_FFFF), _to_zigzag),
        NumberKind("bool", VARINT, bool, int),
        NumberKind("enum", VARINT, _signed(32), _unsigned(64)),
        _fixed("fixed32", I32, "<I"),
        _fixed("sfixed32", I32, "<i"),
        _fixed("float", I32, "<f"),
        _fixed("fixed64", I64, "<Q"),
        _fixed("sfixed64", I64, "<q"),
        _fixed("double", I64, "<d"),
    )
}
"""Kinds of numbers by name."""

PACKED = "packed-"
"""Begins the kind of a field that is many numbers in one LEN field: `packed-double`."""

WIRE_TYPES = {
    **{name: kind.wire_type for name, kind in NUMBERS.items()},
    **{PACKED + name: LEN for name in NUMBERS},
    "string": LEN,
    "bytes": LEN,
    "message": LEN,
    "group": SGROUP,
}
"""All kinds, and the wire type that each is a reading of."""
