"""gRPC frames one after the other: a flag, a length in four bytes, a message.

gRPC-Web has them in the bodies of HTTP/1 or HTTP/2, and as the last frame of a response the trailers, as text
(https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md).
"""

from __future__ import annotations

import re

from inspector import limits
from inspector.errors import DecodeError
from inspector.model.frames import Data, RawMessage
from inspector.model.problem import Problem
from inspector.net.grpc_cy import COMPRESSED, PREFIX_SIZE, TRAILERS, Deframer, sniff_encoding
from inspector.sources.base import SourceEvent, bare_message

_OK = re.compile(rb"^grpc-status: *0\r?$", re.IGNORECASE | re.MULTILINE)


class GrpcParser:
    """Bytes of gRPC frames -> messages. No header tells the compression, so its first bytes do."""

    def __init__(self) -> None:
        self._deframer = Deframer()
        self._offset = 0
        self._count = 0
        self._trailers: str | None = None

    def feed(self, data: bytes) -> list[SourceEvent]:
        piece = Data(0, 1, data, 0, self._offset == 0, False, self._offset, 0, None)
        self._offset += len(data)
        return [event for raw in self._deframer.feed(piece) for event in self._events(raw)]

    def close(self) -> list[SourceEvent]:
        rest = self._deframer.close(0, None, "the input ends")
        events = self._events(rest) if rest else []
        if self._deframer.skipped:
            text = f"{self._deframer.skipped} bytes are no gRPC frames"
            events.append(Problem("grpc_frame", text, offset=self._offset - self._deframer.skipped))
        return events

    def describe(self) -> str | None:
        return None if self._trailers is None else f"trailers: {self._trailers}"

    def _events(self, raw: RawMessage) -> list[SourceEvent]:
        if not raw.flag & TRAILERS:
            return [self._message(raw)]
        self._trailers = ", ".join(filter(None, raw.payload.decode("latin-1").split("\r\n")))
        if raw.problem is not None:
            return [raw.problem]
        is_ok = _OK.search(raw.payload) is not None
        return [] if is_ok else [Problem("grpc_web_trailers", f"the trailers are {self._trailers}")]

    def _message(self, raw: RawMessage) -> SourceEvent:
        problem = raw.problem
        data: bytes | None = raw.payload if problem is None else None
        encoding = "identity"
        if raw.flag & COMPRESSED:
            encoding = sniff_encoding(raw.payload) or "unknown"
            if data is not None:
                from inspector.net.compression import decompress  # noqa: PLC0415  # many inputs do without

                try:
                    data = decompress(encoding, raw.payload, limits.MAX_MESSAGE)
                except DecodeError as error:
                    data, problem = None, Problem(error.code, error.message, offset=error.offset)
        self._count += 1
        return bare_message(self._count - 1, encoding, data, raw.payload, problem)


def detect(head: bytes, whole: bool) -> bool:
    """Frames follow one another to the end. (A first byte of 0 or 1 is no protobuf tag, so nothing else is like it.)"""
    return _detect(head, whole, COMPRESSED)


def detect_web(head: bytes, whole: bool) -> bool:
    """The same with trailers among them."""
    return _detect(head, whole, COMPRESSED | TRAILERS)


def _detect(head: bytes, whole: bool, most: int) -> bool:
    at = 0
    while len(head) - at >= PREFIX_SIZE:
        length = int.from_bytes(head[at + 1 : at + PREFIX_SIZE], "big")
        if head[at] & ~most or length > limits.MAX_MESSAGE:
            return False
        at += PREFIX_SIZE + length
    return at == len(head) or (at > len(head) and not whole)
