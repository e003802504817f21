"""What a call asks of its protocol.

The invariant: rules hold what belongs to one call, and no bytes of its body; those stay with the call, which bounds
them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from inspector import limits
from inspector.errors import DecodeError
from inspector.model.call import Header, Status
from inspector.model.problem import Problem
from inspector.net import metadata_cy, status
from inspector.net.compression import compress
from inspector.net.grpc_cy import COMPRESSED, PREFIX_SIZE

RawHeader = tuple[bytes, bytes]

PROTOCOLS = ("grpc", "grpc-web", "connect")


class Kind(NamedTuple):
    """Which sides of a method are streams."""

    takes_stream: bool = False
    returns_stream: bool = False


UNARY = Kind()


class Part(NamedTuple):
    """A part of a response's body: its payload stands from `start` on and has `size` bytes, which need not be there
    yet. One that `is_end` tells how the call ended."""

    start: int
    size: int
    is_compressed: bool = False
    is_end: bool = False


class Rules(ABC):
    """The rules of one call. `encoding` is that of requests, `response_encoding` that which the response names."""

    name: str
    has_status_in_body = False

    def __init__(self, kind: Kind, encoding: str) -> None:
        self.kind = kind
        self.encoding = encoding
        self.response_encoding = "identity"

    def refuses(self, http: str) -> tuple[str, str] | None:
        """Why there are no such calls over this version of HTTP, and what to do; None where there are."""
        return None

    @property
    def ends_with_first(self) -> bool:
        """Whether the first message that is sent ends the request."""
        return not self.kind.takes_stream

    # --- out -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def fields(self, timeout: float | None) -> list[RawHeader]:
        """The header fields of the request that are the protocol's."""

    def message(self, data: bytes) -> bytes:
        """A request as the body carries it."""
        flag = 0
        if self.encoding != "identity":
            flag, data = COMPRESSED, compress(self.encoding, data)
        return bytes((flag,)) + len(data).to_bytes(4, "big") + data

    # --- back ------------------------------------------------------------------------------------------------------

    def is_trailers(self, fields: tuple[Header, ...], ended: bool) -> bool:
        """Whether the first fields of a response are its trailers."""
        return False

    @abstractmethod
    def begin(self, fields: tuple[Header, ...]) -> int | None:
        """Takes the headers of the response. None where messages follow, else how many bytes of the body say what is
        wrong."""

    def plain(self, data: bytes) -> bytes:
        """Bytes of the body without what they are wrapped in. Raises DecodeError."""
        return data

    def part(self, buffer: bytearray, at: int, *, is_whole: bool) -> Part | None:
        """The part that begins at `at`; None where too little of it is there to tell. Raises DecodeError."""
        if len(buffer) - at < PREFIX_SIZE:
            return None
        flag, start = buffer[at], at + PREFIX_SIZE
        size = int.from_bytes(buffer[at + 1 : start], "big")
        if flag & ~(COMPRESSED | self.end_flag):
            raise DecodeError(f"the server sent a message with flag 0x{flag:02x}")
        return Part(start, size, bool(flag & COMPRESSED), bool(flag & self.end_flag))

    end_flag = 0
    """The flag of the part that tells how the call ended; 0 where none does."""

    def end(self, data: bytes) -> tuple[tuple[Header, ...], Status]:
        """What such a part says: trailers, and the status. Raises DecodeError."""
        raise AssertionError("no part is the end")

    @abstractmethod
    def conclude(
        self, trailers: tuple[Header, ...], refused: bytearray | None
    ) -> tuple[tuple[Header, ...], Status | None]:
        """The response has ended, perhaps with trailers of HTTP. `refused` is the beginning of its body where that is
        no messages. What is told as trailers, and the status; None where nothing tells it."""

    def is_cut_off(self, buffer: bytearray) -> bool:
        """Whether the body ends within a part."""
        at = 0
        while len(buffer) - at >= PREFIX_SIZE:
            at += PREFIX_SIZE + int.from_bytes(buffer[at + 1 : at + PREFIX_SIZE], "big")
        return at != len(buffer)


def told(trailers: tuple[Header, ...]) -> Status | None:
    """The status that trailers tell; None where they have none that can be read."""
    return metadata_cy.status_of(trailers, lambda _: None)


def misread(trailers: tuple[Header, ...]) -> Status | None:
    """What the client makes of trailers without a status that can be read, which gRPC has as UNKNOWN. None where there
    are no trailers."""
    if not trailers:
        return None
    problems: list[Problem] = []
    metadata_cy.status_of(trailers, problems.append)
    said = next((each.message for each in problems if each.code == "grpc_status"), None)
    text = said or "the server's trailers have no grpc-status"
    return Status(status.UNKNOWN, "UNKNOWN", text, None, "client")


def content_type(fields: tuple[Header, ...]) -> str:
    """The media type of a response, without parameters."""
    return value_of(fields, "content-type").partition(";")[0].strip().lower()


def value_of(fields: tuple[Header, ...], name: str, default: str = "") -> str:
    """The first value of a field."""
    return next((value or "" for key, value in fields if key == name), default)


def foreign(fields: tuple[Header, ...], protocol: str) -> Status:
    """What a response that is not one of the protocol means."""
    found = status.of_http(metadata_cy.http_status(fields))
    kind = value_of(fields, "content-type")[:80] or "missing"
    place = value_of(fields, "location")[:200]
    leads = f", it points to {place}" if place else ""
    return found._replace(message=f"{found.message}{leads}, content-type {kind}, not {protocol}")


def with_text(found: Status, body: bytes | bytearray) -> Status:
    """The status with the beginning of the body, on one line."""
    text = " ".join(body[: limits.MAX_HTTP_BODY].decode("utf-8", "replace").split())
    return found._replace(message=f"{found.message}: {text}") if text else found


_UNITS = ((10**9, b"n"), (10**6, b"u"), (10**3, b"m"), (1, b"S"))


def timeout_text(seconds: float) -> bytes:
    """grpc-timeout: at most eight digits and a unit, as exact as that allows."""
    for scale, unit in _UNITS:
        if seconds * scale < 99_999_999:
            return b"%d%c" % (max(0, round(seconds * scale)), unit[0])
    return b"%dH" % min(99_999_999, round(seconds / 3600))
