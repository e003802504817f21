"""Writes captures of many unary calls, the same bytes on every run: the input of the capture benchmarks.

Two kinds of client and server, on a few long-lived connections:

- `INDEXED`: each message in one packet with its headers, all header fields put into the dynamic table (also the id,
  which differs in each call) and Huffman-coded, as HTTP/2 libraries of general use do;
- `GRPC_CORE`: what gRPC core (the C++ and Python one) sends, as the samples recorded from it show: deadlines, header
  fields without Huffman code, ids not indexed, WINDOW_UPDATE and PING frames, a packet with an acknowledgement only
  after each request.
"""

from __future__ import annotations

import random
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import BinaryIO, Literal

import paths
from corpus import predictions
from hpack import Encoder

from inspector.schema import Schema

Kind = Literal["indexed", "grpc-core"]
INDEXED: Kind = "indexed"
GRPC_CORE: Kind = "grpc-core"

METHOD = "/vision.v1.PredictionService/Predict"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, END_HEADERS = 1, 4
MAX_FRAME = 16_384
MAX_SEGMENT = 32_768
"""Payload of a packet: loopback takes up to 64 KiB."""

SYN, ACK, PSH_ACK, FIN_ACK, SYN_ACK = 2, 16, 24, 17, 18
START = 1_790_000_000_000_000_000
SERVER = 50_051

Fields = Sequence[tuple[str, str]]


def write_capture(path: Path, calls: int, connections: int = 20, *, labels: int = 28, kind: Kind = INDEXED) -> None:
    """Writes a pcapng file. A response has some 32 bytes for each of its labels: 28 make about 1.5 kB a call."""
    maker = _Messages(random.Random(1), labels)
    make = _IndexedConnection if kind == INDEXED else _GrpcCoreConnection
    with path.open("wb") as file:
        writer = _Pcapng(file)
        for number in range(connections):
            first = calls * number // connections
            last = calls * (number + 1) // connections
            for packet in make(40_000 + number, maker).packets(last - first):
                writer.write(packet)


def write_requests(path: Path, requests: Iterable[tuple[str, bytes]]) -> None:
    """Writes a pcapng file of one connection: a call for each path with its request, of any size, and no response."""
    client, server = _Side(40_000, SERVER), _Side(SERVER, 40_000)
    asking, answering = Encoder(), Encoder()
    start = PREFACE + _frame(SETTINGS, 0, 0)
    with path.open("wb") as file:
        writer = _Pcapng(file)
        for packet in (client.segment(server, SYN), server.segment(client, SYN_ACK), client.segment(server, ACK)):
            writer.write(packet)
        for stream, (method, request) in zip(count(1, 2), requests, strict=False):
            fields = asking.encode([(name, method if name == ":path" else value) for name, value in _REQUEST])
            message = _message(stream, _prefixed(request), END_STREAM)
            for packet in client.segments(server, start + _frame(HEADERS, END_HEADERS, stream, fields) + message):
                writer.write(packet)
            trailers = _frame(HEADERS, END_HEADERS | END_STREAM, stream, answering.encode([*_RESPONSE, *_TRAILERS]))
            writer.write(server.segment(client, PSH_ACK, trailers))
            start = b""


class _Messages:
    """Requests of some 80 bytes, and responses, 64 different ones of each; with the prefix of gRPC."""

    def __init__(self, source: random.Random, labels: int) -> None:
        method = Schema.from_files(paths.SCHEMA).method(METHOD)
        request, response = (
            Schema.from_files(paths.SCHEMA).message_class(each.full_name)
            for each in (method.input_type, method.output_type)
        )
        self._requests, self._responses = [], []
        for _ in range(64):
            asked, answer = request(), response()
            predictions.fill_request(asked, source)
            predictions.fill_response(answer, source, labels)
            self._requests.append(_prefixed(asked.SerializeToString(deterministic=True)))
            self._responses.append(_prefixed(answer.SerializeToString(deterministic=True)))

    def pair(self, index: int) -> tuple[bytes, bytes]:
        return self._requests[index % 64], self._responses[index * 7 % 64]


def _prefixed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


class _Side:
    """What one end of a connection sends: its sequence numbers."""

    def __init__(self, port: int, to_port: int) -> None:
        self.port = port
        self.to_port = to_port
        self.seq = 1_000_000

    def segment(self, other: _Side, flags: int, payload: bytes = b"") -> bytes:
        tcp = struct.pack(">HHIIBBHHH", self.port, self.to_port, self.seq, other.seq, 80, flags, 65_535, 0, 0)
        self.seq = self.seq + len(payload) + bool(flags & 3) & 0xFFFFFFFF
        ip = struct.pack(">BBHHHBBH4s4s", 69, 0, 40 + len(payload), 0, 16_384, 64, 6, 0, _LOCAL, _LOCAL)
        return _ETHERNET + ip + tcp + payload

    def segments(self, other: _Side, payload: bytes) -> Iterator[bytes]:
        for start in range(0, len(payload), MAX_SEGMENT):
            yield self.segment(other, PSH_ACK, payload[start : start + MAX_SEGMENT])


_LOCAL = bytes([127, 0, 0, 1])
_ETHERNET = bytes(12) + b"\x08\x00"


class _Connection(ABC):
    """A connection from its first packet to its last."""

    def __init__(self, port: int, maker: _Messages) -> None:
        self.client, self.server = _Side(port, SERVER), _Side(SERVER, port)
        self.maker = maker

    def packets(self, calls: int) -> Iterator[bytes]:
        client, server = self.client, self.server
        yield client.segment(server, SYN)
        yield server.segment(client, SYN_ACK)
        yield client.segment(server, ACK)
        yield client.segment(server, PSH_ACK, PREFACE + _frame(SETTINGS, 0, 0))
        yield server.segment(client, PSH_ACK, _frame(SETTINGS, 0, 0))
        for index in range(calls):
            yield from self.call(2 * index + 1, *self.maker.pair(index))
        yield client.segment(server, FIN_ACK)
        yield server.segment(client, FIN_ACK)

    @abstractmethod
    def call(self, stream: int, request: bytes, response: bytes) -> Iterator[bytes]:
        """The packets of one call."""


class _IndexedConnection(_Connection):
    def __init__(self, port: int, maker: _Messages) -> None:
        super().__init__(port, maker)
        self._requests, self._responses = Encoder(), Encoder()

    def call(self, stream: int, request: bytes, response: bytes) -> Iterator[bytes]:
        asked = self._requests.encode([*_REQUEST, ("grpc-timeout", "10S"), ("x-request-id", f"bench-{stream:07d}")])
        headers = self._responses.encode([*_RESPONSE, ("grpc-encoding", "identity")])
        trailers = self._responses.encode(_TRAILERS)
        yield from self.client.segments(
            self.server, _frame(HEADERS, END_HEADERS, stream, asked) + _message(stream, request, END_STREAM)
        )
        yield from self.server.segments(
            self.client,
            _frame(HEADERS, END_HEADERS, stream, headers)
            + _message(stream, response)
            + _frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers),
        )


class _GrpcCoreConnection(_Connection):
    def __init__(self, port: int, maker: _Messages) -> None:
        super().__init__(port, maker)
        self._requests, self._responses = _CoreEncoder(), _CoreEncoder()

    def call(self, stream: int, request: bytes, response: bytes) -> Iterator[bytes]:
        client, server = self.client, self.server
        timeout = ("10S", "9999m", "10100m")[stream // 2 % 3]
        asked = self._requests.encode([*_REQUEST, ("grpc-timeout", timeout)], [("x-request-id", f"bench-{stream:07d}")])
        yield from client.segments(
            server,
            _frame(HEADERS, END_HEADERS, stream, asked)
            + _frame(WINDOW_UPDATE, 0, stream, _FIVE)
            + _message(stream, request, END_STREAM)
            + _frame(WINDOW_UPDATE, 0, 0, _FIVE),
        )
        yield server.segment(client, ACK)
        if stream % 8 == 1:
            yield server.segment(client, PSH_ACK, _frame(PING, 0, 0, bytes(8)) + _frame(WINDOW_UPDATE, 0, 0, _FIVE))
            yield client.segment(server, PSH_ACK, _frame(PING, 1, 0, bytes(8)))
        headers = self._responses.encode([*_RESPONSE, ("grpc-accept-encoding", "identity, deflate, gzip")], [])
        trailers = self._responses.encode(_TRAILERS[:1], _TRAILERS[1:])
        yield from server.segments(
            client,
            _frame(HEADERS, END_HEADERS, stream, headers)
            + _message(stream, response)
            + _frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers)
            + _frame(WINDOW_UPDATE, 0, 0, len(request).to_bytes(4, "big")),
        )


_FIVE = (5).to_bytes(4, "big")
_REQUEST = (
    (":scheme", "http"), (":method", "POST"), (":authority", f"127.0.0.1:{SERVER}"), (":path", METHOD),
    ("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "grpc-python/1.80"),
    ("grpc-accept-encoding", "identity, deflate, gzip"),
)  # fmt: skip
_RESPONSE = ((":status", "200"), ("content-type", "application/grpc"))
_TRAILERS = (("grpc-status", "0"), ("grpc-message", ""))


class _CoreEncoder:
    """HPACK (RFC 7541) as gRPC core writes it: names as literals, no Huffman code, what is the user's not indexed."""

    STATIC: dict[tuple[str, str], int] = {(":method", "POST"): 3, (":scheme", "http"): 6, (":status", "200"): 8}  # noqa: RUF012

    def __init__(self) -> None:
        self._inserted: dict[tuple[str, str], int] = {}

    def encode(self, indexed: Fields, plain: Fields) -> bytes:
        return b"".join((*map(self._indexed, indexed), *(_literal(0, field) for field in plain)))

    def _indexed(self, field: tuple[str, str]) -> bytes:
        known = self.STATIC.get(field)
        if known is None and field in self._inserted:
            known = 61 + len(self._inserted) - self._inserted[field]
        if known is not None:
            return bytes([0x80 | known])  # one byte up to 126; the few fields here never fill the table
        self._inserted[field] = len(self._inserted)
        return _literal(0x40, field)


def _literal(first: int, field: tuple[str, str]) -> bytes:
    name, value = (text.encode() for text in field)
    return bytes([first, len(name)]) + name + bytes([len(value)]) + value


def _message(stream: int, prefixed: bytes, flags: int = 0) -> bytes:
    parts = [prefixed[start : start + MAX_FRAME] for start in range(0, len(prefixed), MAX_FRAME)]
    return b"".join(
        _frame(DATA, flags if number == len(parts) else 0, stream, part) for number, part in enumerate(parts, 1)
    )


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


class _Pcapng:
    """A section of one Ethernet interface with times in nanoseconds."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._time = START
        file.write(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))
        options = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
        file.write(
            struct.pack("<IIHHI", 1, 20 + len(options), 1, 0, 0) + options + struct.pack("<I", 20 + len(options))
        )

    def write(self, packet: bytes) -> None:
        self._time += 150_000
        padding = -len(packet) % 4
        length = 32 + len(packet) + padding
        head = struct.pack(
            "<IIIIIII", 6, length, 0, self._time >> 32, self._time & 0xFFFFFFFF, len(packet), len(packet)
        )
        self._file.write(head + packet + bytes(padding) + struct.pack("<I", length))
