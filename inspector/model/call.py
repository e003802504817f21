"""gRPC calls and their messages."""

from __future__ import annotations

from typing import Literal, NamedTuple

from inspector.model.problem import Problem

Direction = Literal["request", "response"]
"""Which way a message went."""

Header = tuple[str | None, str | None]
"""A header field. None stands for what an HPACK entry held that was sent before the capture began."""


class Piece(NamedTuple):
    """Where a part of a message lies: `length` bytes from `offset` of its direction of the connection, whose last
    byte came in packet number `packet`. A piece is the share of one DATA frame; the first one begins with the
    five-byte gRPC prefix."""

    packet: int
    offset: int
    length: int


class Message(NamedTuple):
    """One gRPC message of a call.

    `call` is 0 and `direction` None for a message that stands by itself; `index` counts from 0 within call and
    direction; `data` is the message after decompression, or None where
    `problem` says why it cannot be had; `wire` is the payload as carried (compressed or not); `encoding` its
    grpc-encoding.
    """

    call: int
    index: int  # type: ignore[assignment]  # the field takes the name of tuple.index, which nobody misses
    direction: Direction | None
    method: str | None
    time: int | None
    encoding: str
    data: bytes | None
    wire: bytes
    problem: Problem | None
    pieces: tuple[Piece, ...]


class Status(NamedTuple):
    """A gRPC status. `source` says where it was read: `trailers`, or, where none arrived, `reset`, `deadline`,
    `http`, `connection`; `client` where it is the client's own judgement of what it received.

    `details` is the serialized google.rpc.Status of grpc-status-details-bin, or None.
    """

    code: int
    name: str
    message: str
    details: bytes | None = None
    source: str = "trailers"


class Call(NamedTuple):
    """One call, whole: made when it has ended, or when the capture has.

    `duration` and `deadline` are in nanoseconds; sizes in bytes of messages after decompression. `complete` where the
    capture holds it from its first header to its end with nothing missing.
    """

    number: int
    method: str | None
    protocol: str
    client: str
    server: str
    connection: int
    stream: int
    started: int | None
    duration: int | None
    authority: str | None
    deadline: int | None
    request_headers: tuple[Header, ...]
    response_headers: tuple[Header, ...]
    trailers: tuple[Header, ...]
    status: Status | None
    requests: int
    responses: int
    request_bytes: int
    response_bytes: int
    complete: bool
    problems: tuple[Problem, ...]
