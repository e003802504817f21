"""What a capture file holds, and what the layers below HTTP/2 make of it."""

from __future__ import annotations

from typing import NamedTuple

Time = int | None
"""Nanoseconds since the epoch, where the capture tells."""


class Packet(NamedTuple):
    """One captured packet. `number` counts from 1 over the whole file, `link_type` is a LINKTYPE_ value.

    `data` may be shorter than `original_length` where the capture was made with a snapshot length.
    """

    number: int
    time: int | None
    link_type: int
    data: bytes
    original_length: int


class Datagram(NamedTuple):
    """The payload of an IP packet: `data[start:end]`, of which the capture cut off `missing` bytes.

    `addresses` are source and destination as they stand in the header: 8 or 32 bytes.
    """

    addresses: bytes
    protocol: int
    data: bytes
    start: int
    end: int
    missing: int


class Segment(NamedTuple):
    """One TCP segment.

    `flow` is what names its direction: source address, target address (4 or 16 bytes each), source port, target port
    (2 bytes each), as they stand in the headers. `missing` counts payload bytes that the capture cut off.
    """

    packet: int
    time: int | None
    flow: bytes
    seq: int
    ack: int
    flags: int
    data: bytes
    missing: int


class Chunk(NamedTuple):
    """Bytes of one direction of a TCP connection, in order. `offset` is where they stand in that direction.

    `direction` is 0 from the side that opened the connection (or, where the opening was not captured, the side seen
    first), else 1.
    """

    connection: int
    direction: int
    offset: int
    data: bytes
    packet: int
    time: int | None


class Gap(NamedTuple):
    """`length` bytes of one direction that the capture does not hold, before the chunk that comes next."""

    connection: int
    direction: int
    offset: int
    length: int
    packet: int


class Opened(NamedTuple):
    """A connection began. `mid` where its first packets are not in the capture."""

    connection: int
    client: tuple[bytes, int]
    server: tuple[bytes, int]
    mid: bool
    packet: int
    time: int | None


class Closed(NamedTuple):
    """A direction ended. `reason` is `fin`, `rst`, or `end` (of the capture, or of what the limits allow to track)."""

    connection: int
    direction: int
    reason: str
    packet: int
    time: int | None
