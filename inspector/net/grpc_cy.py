"""gRPC over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md): length-prefixed messages, timeouts, statuses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from inspector import limits
from inspector.model.call import Piece
from inspector.model.frames import Data, RawMessage
from inspector.model.make_cy import make
from inspector.model.problem import Problem

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython


PREFIX_SIZE = 5
COMPRESSED = 1
TRAILERS = 0x80
"""Flag of the frame in which gRPC-Web carries trailers."""

STATUS_NAMES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip

CANCEL = 8
"""HTTP/2 error code with which a client ends a call (RFC 9113, section 7)."""

_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_OTHER_CODEC = re.compile(
    r"application/grpc(?:-web(?:-text)?)?\+(?:json|thrift|flatbuffers|msgpack|cbor|avro|xml)\b", re.IGNORECASE
)
_UNITS = {"H": 3_600_000_000_000, "M": 60_000_000_000, "S": 1_000_000_000, "m": 1_000_000, "u": 1_000, "n": 1}


_MAGICS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy"),
    (b"\x78", "deflate"),
)


def sniff_encoding(payload: bytes) -> str | None:
    """The encoding that a compressed message shows by its first bytes, for where no header names it."""
    return next((name for magic, name in _MAGICS if payload.startswith(magic)), None)


MOST_EMPTY = 4
"""Empty messages in a DATA frame that are believed where the place was lost. More zeros are likely just zeros."""


def status_name(code: int) -> str:
    """The name of a status code; its number where it has none."""
    return STATUS_NAMES[code] if 0 <= code < len(STATUS_NAMES) else f"CODE_{code}"


@lru_cache(maxsize=256)
def parse_timeout(text: str) -> int | None:
    """grpc-timeout in nanoseconds; None where it is not of the form the protocol prescribes."""
    match = _TIMEOUT.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None


def not_protobuf(content_type: str) -> Problem | None:
    """What to say of messages that are known not to be protobuf. Any other word may be a codec that still is."""
    match = _OTHER_CODEC.match(content_type)
    if match is None:
        return None
    return Problem("content_type", f"content-type {match[0]} is not protobuf")


def decode_message(text: str) -> str:
    """grpc-message without its percent-encoding. Invalid sequences stay as they are, as the protocol asks."""
    if "%" not in text:
        return text
    octets = _PERCENT.sub(lambda match: bytes((int(match[1], 16),)), text.encode("utf-8", "replace"))
    return octets.decode("utf-8", "replace")


_MAX_MESSAGE = cython.declare(cython.longlong, limits.MAX_MESSAGE)


@cython.final
@cython.cclass
class Deframer:
    """DATA of one direction of a stream -> length-prefixed messages.

    Where bytes are missing within a message, its length still tells where the next one begins. Where even that is lost
    (`in_step` false), the next DATA frame that looks like the beginning of a message is taken for one.

    `length` is that of the message that began last. `held` counts the bytes held of a message that is not whole,
    `skipped` those passed over as it was not known where a message begins; `bad_flag` is the flag, if any, that no
    message has, and behind which nothing could be read.
    """

    length = cython.declare(cython.longlong, visibility="readonly")
    held = cython.declare(cython.longlong, visibility="readonly")
    skipped = cython.declare(cython.longlong, visibility="readonly")
    bad_flag = cython.declare(cython.int, visibility="readonly")
    _in_step: cython.bint
    _prefix: bytes
    _flag: cython.int
    _left: cython.longlong  # bytes of the current message still to come; -1 between messages
    _parts: list[bytes]
    _pieces: list[Piece]
    _problem: Problem | None
    _lost: cython.longlong  # bytes of it that are not in the capture

    def __init__(self, in_step: bool = True) -> None:
        self._in_step = in_step
        self._prefix = b""
        self._flag = 0
        self._left = -1
        self._parts = []
        self._pieces = []
        self._problem = None
        self._lost = 0
        self.length = 0
        self.held = 0
        self.skipped = 0
        self.bad_flag = 0

    def feed(self, data: Data) -> list[RawMessage]:
        """Messages that are whole after `data`."""
        found: list[RawMessage] = []
        body: bytes
        missing: cython.longlong
        _, _, body, missing, _, _, offset, packet, time = cython.cast(tuple, data)
        if missing:
            self._miss(data, found)
        if not self._in_step:
            if not (data.start and self._looks_like_messages(body)):
                self.skipped += len(body)
                return found
            self._in_step = True
        size: cython.Py_ssize_t = len(body)
        length: cython.Py_ssize_t
        if self._left < 0 and not self._prefix and size >= 5:  # the common case, put first for speed
            length = body[1]  # as a byte it would be shifted in a C int, and out of that
            length = length << 24 | body[2] << 16 | body[3] << 8 | body[4]
            if length == size - 5 and body[0] <= 1 and length <= _MAX_MESSAGE:
                piece = make(Piece, (packet, offset, size))
                found.append(make(RawMessage, (body[0], body[5:], None, (piece,), packet, time)))
                return found
        at: cython.Py_ssize_t = 0
        while at < size or self._left == 0:
            at = self._step(body, at, data, found)
        return found

    def lose(self) -> None:
        """Bytes were lost, and it is not known how many of them were of this stream."""
        if self._left >= 0 or self._prefix:
            self._problem = self._problem or Problem("message_gap", "bytes of this message are not in the capture")
        self._in_step = False

    def close(self, packet: int, time: int | None, why: str) -> RawMessage | None:
        """The stream ended: what there is of a message that is not whole."""
        if self._left < 0 and not self._prefix:
            return None
        have = sum(map(len, self._parts))
        text = f"{why} after {have} of its {have + max(self._left, 0) + self._lost} bytes"
        if self._left < 0:
            text = f"{why} within its prefix"
        return self._finish(packet, time, self._problem or Problem("message_truncated", text, packet))

    def abandon(self, problem: Problem) -> None:
        """Lets go of the bytes of the current message, which is then reported with `problem` when it ends."""
        self._problem = problem
        self._parts = []
        self._pieces = []
        self.held = 0

    def _step(self, body: bytes, at: int, data: Data, found: list[RawMessage]) -> int:
        """Takes the next prefix or part of a message."""
        if self._left < 0:
            need = PREFIX_SIZE - len(self._prefix)
            self._prefix += body[at : at + need]
            taken = min(need, len(body) - at)
            self._pieces.append(Piece(data.packet, data.offset + at, taken))
            if len(self._prefix) == PREFIX_SIZE:
                self._begin(data)
            if not self._in_step:
                self.skipped += len(body) - at
                return len(body)
            return at + taken
        taken = min(self._left, len(body) - at)
        self._take(body[at : at + taken], data, data.offset + at)
        if not self._left:
            found.append(self._finish(data.packet, data.time, self._problem))
        return at + taken

    def _begin(self, data: Data) -> None:
        self._flag = self._prefix[0]
        self._left = self.length = int.from_bytes(self._prefix[1:], "big")
        self._prefix = b""
        if self._flag & ~(COMPRESSED | TRAILERS):
            # Not a message. What follows cannot be cut into messages either, until a DATA frame looks like one.
            self.bad_flag = self._flag
            self._pieces = []
            self._left = -1
            self._in_step = False
        elif self._left > limits.MAX_MESSAGE:
            text = f"a message of {self._left} bytes is over the limit of {limits.MAX_MESSAGE}"
            self._problem = Problem("message_limit", text, data.packet, data.offset)

    def _take(self, part: bytes, data: Data, offset: int) -> None:
        self._left -= len(part)
        if self._problem is not None and self._problem.code == "message_limit":
            return
        if part:
            self._parts.append(part)
            self.held += len(part)
            last = self._pieces[-1] if self._pieces else None
            if last is not None and last.packet == data.packet and last.offset + last.length == offset:
                self._pieces[-1] = Piece(last.packet, last.offset, last.length + len(part))
            elif len(self._pieces) < limits.MAX_PIECES:
                self._pieces.append(Piece(data.packet, offset, len(part)))

    def _miss(self, data: Data, found: list[RawMessage]) -> None:
        """`data.missing` bytes before this piece are not in the capture."""
        missing = data.missing
        if self._left >= missing and self._in_step:
            self._problem = self._problem or Problem(
                "message_gap", f"{missing} bytes of this message are not in the capture", data.packet, data.offset
            )
            self._left -= missing
            self._lost += missing
            if not self._left:
                found.append(self._finish(data.packet, data.time, self._problem))
            return
        self.lose()
        if self._left >= 0 or self._prefix:
            found.append(self._finish(data.packet, data.time, self._problem))

    def _finish(self, packet: int, time: int | None, problem: Problem | None) -> RawMessage:
        payload = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        message = RawMessage(self._flag, payload, problem, tuple(self._pieces), packet, time)
        self._parts = []
        self._pieces = []
        self._problem = None
        self._prefix = b""
        self._left = -1
        self._lost = 0
        self.held = 0
        return message

    def _looks_like_messages(self, body: bytes) -> bool:
        """Whether `body` reads as prefixes and messages to its end, the last message perhaps not whole."""
        at = filled = 0
        while len(body) - at >= PREFIX_SIZE:
            length = int.from_bytes(body[at + 1 : at + PREFIX_SIZE], "big")
            if body[at] & ~(COMPRESSED | TRAILERS) or length > limits.MAX_MESSAGE:
                return False
            filled += length > 0
            at += PREFIX_SIZE + length
        return at >= len(body) and (filled > 0 or 0 < len(body) <= MOST_EMPTY * PREFIX_SIZE)
