"""HTTP/2 as it is seen from beside a connection: the frames of one direction, and what happens on streams."""

from __future__ import annotations

from typing import NamedTuple

from inspector.model.call import Header, Piece
from inspector.model.problem import Problem


class Frame(NamedTuple):
    """A whole frame that is not DATA. `offset` is where it begins in its direction."""

    kind: int
    flags: int
    stream: int
    payload: bytes
    offset: int
    packet: int
    time: int | None


class Data(NamedTuple):
    """Bytes of a DATA frame, without padding.

    `direction` is that of the chunk they came in. `missing` bytes of the frame, which the capture lacks, come before
    `data`; `start` where `data` begins with the first byte of the frame; `end` where the stream ends with it.
    """

    direction: int
    stream: int
    data: bytes
    missing: int
    start: bool
    end: bool
    offset: int
    packet: int
    time: int | None


class Lost(NamedTuple):
    """The place in the sequence of frames was lost here."""

    packet: int


class Restarted(NamedTuple):
    """A client preface was found here: a connection begins."""

    packet: int


FrameEvent = Frame | Data | Lost | Restarted | Problem


class Headers(NamedTuple):
    """A header block. `unknown` counts fields that refer to table entries from before the capture.

    Fields have a character per octet; where `has_octets`, some may be more than ASCII.
    """

    direction: int
    stream: int
    fields: tuple[Header, ...]
    has_octets: bool
    end: bool
    unknown: int
    problem: Problem | None
    packet: int
    time: int | None


class Reset(NamedTuple):
    """RST_STREAM."""

    direction: int
    stream: int
    code: int
    packet: int
    time: int | None


class GoAway(NamedTuple):
    """GOAWAY: streams above `last` were not processed by the side that sent it."""

    direction: int
    last: int
    code: int
    debug: bytes
    packet: int
    time: int | None


class BytesLost(NamedTuple):
    """Bytes of one direction are missing, and it is not known of which streams."""

    direction: int
    packet: int


class Ended(NamedTuple):
    """One direction of the connection ended (see `packet.Closed`)."""

    direction: int
    reason: str
    packet: int
    time: int | None


StreamEvent = Headers | Data | Reset | GoAway | BytesLost | Ended | Restarted | Problem


class RawMessage(NamedTuple):
    """A length-prefixed gRPC message as it was carried. `problem` says what of it is missing, if anything."""

    flag: int
    payload: bytes
    problem: Problem | None
    pieces: tuple[Piece, ...]
    packet: int
    time: int | None
