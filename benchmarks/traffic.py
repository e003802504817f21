"""Writes a capture of many unary calls, the same bytes on every run: the input of the capture benchmarks.

What it holds is what gRPC core sends on a few long-lived connections: a packet with request headers and message, one
with response headers, message and trailers, acknowledgements in between, header fields in the dynamic table.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from hpack import Encoder

from inspector.schema import Schema

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "samples" / "vision.binpb"
METHOD = "/vision.v1.PredictionService/Predict"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS_FRAME = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
SYN, ACK, PSH_ACK, FIN_ACK, SYN_ACK = 2, 16, 24, 17, 18
START = 1_790_000_000_000_000_000


def write_capture(path: Path, calls: int, connections: int = 20) -> None:
    """Writes a pcapng file of about 1.5 kB a call."""
    maker = _Messages(random.Random(1))
    with path.open("wb") as file:
        writer = _Pcapng(file)
        for number in range(connections):
            first = calls * number // connections
            last = calls * (number + 1) // connections
            for packet in _connection(40_000 + number, last - first, maker):
                writer.write(packet)


class _Messages:
    """Requests of some 80 bytes and responses of some 1,000, 64 different ones of each."""

    def __init__(self, source: random.Random) -> None:
        schema = Schema.from_files(SCHEMA)
        method = schema.method(METHOD)
        self._requests = [_request(schema.message_class(method.input_type.full_name)(), source) for _ in range(64)]
        self._responses = [_response(schema.message_class(method.output_type.full_name)(), source) for _ in range(64)]

    def pair(self, index: int) -> tuple[bytes, bytes]:
        return self._requests[index % 64], self._responses[index * 7 % 64]


def _request(message: Message, source: random.Random) -> bytes:
    words = " ".join(source.choice(_WORDS) for _ in range(4))
    ParseDict({"model": "models/street/versions/3", "text": {"content": words, "language": "en"}}, message)
    return message.SerializeToString()


def _response(message: Message, source: random.Random) -> bytes:
    labels = [
        {"title": f"{source.choice(_WORDS)} {source.choice(_WORDS)}", "score": source.random(), "class": number,
         "spans": [{"begin": number, "end": number + source.randrange(1, 300)}]}
        for number in range(28)
    ]  # fmt: skip
    ParseDict(
        {"name": f"predictions/{source.randrange(1 << 60):015x}", "model": "models/street/versions/3",
         "labels": labels, "finishedAt": "2026-11-23T09:03:11.123456789Z", "duration": "0.012s"},
        message,
    )  # fmt: skip
    return message.SerializeToString()


_WORDS = [
    "bicycle",
    "bridge",
    "café",
    "crossing",
    "dog",
    "evening",
    "façade",
    "garden",
    "house",
    "lantern",
    "market",
    "night",
    "river",
    "roof",
    "square",
    "tram",
]


class _Side:
    """What one end of a connection sends: its sequence numbers, its header compression."""

    def __init__(self, port: int, to_port: int) -> None:
        self.port = port
        self.to_port = to_port
        self.seq = 1_000_000
        self.encoder = Encoder()

    def segment(self, other: _Side, flags: int, payload: bytes = b"") -> bytes:
        tcp = struct.pack(">HHIIBBHHH", self.port, self.to_port, self.seq, other.seq, 80, flags, 65_535, 0, 0)
        self.seq = self.seq + len(payload) + bool(flags & 3) & 0xFFFFFFFF
        ip = struct.pack(">BBHHHBBH4s4s", 69, 0, 40 + len(payload), 0, 16_384, 64, 6, 0, _LOCAL, _LOCAL)
        return _ETHERNET + ip + tcp + payload


_LOCAL = bytes([127, 0, 0, 1])
_ETHERNET = bytes(12) + b"\x08\x00"


def _connection(port: int, calls: int, maker: _Messages) -> Iterator[bytes]:
    client, server = _Side(port, 50_051), _Side(50_051, port)
    yield client.segment(server, SYN)
    yield server.segment(client, SYN_ACK)
    yield client.segment(server, ACK)
    yield client.segment(server, PSH_ACK, PREFACE + SETTINGS_FRAME)
    yield server.segment(client, PSH_ACK, SETTINGS_FRAME)
    for index in range(calls):
        request, response = maker.pair(index)
        stream = 2 * index + 1
        yield client.segment(server, PSH_ACK, _request_frames(client.encoder, stream, request))
        yield server.segment(client, PSH_ACK, _response_frames(server.encoder, stream, response))
    yield client.segment(server, FIN_ACK)
    yield server.segment(client, FIN_ACK)


def _request_frames(encoder: Encoder, stream: int, message: bytes) -> bytes:
    block = encoder.encode(
        [
            (":scheme", "http"), (":method", "POST"), (":authority", "127.0.0.1:50051"), (":path", METHOD),
            ("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "grpc-python/1.80"),
            ("grpc-accept-encoding", "identity, deflate, gzip"), ("grpc-timeout", "10S"),
            ("x-request-id", f"bench-{stream:07d}"),
        ]
    )  # fmt: skip
    return _frame(1, 4, stream, block) + _frame(0, 1, stream, _prefixed(message))


def _response_frames(encoder: Encoder, stream: int, message: bytes) -> bytes:
    headers = encoder.encode([(":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "identity")])
    trailers = encoder.encode([("grpc-status", "0"), ("grpc-message", "")])
    return _frame(1, 4, stream, headers) + _frame(0, 0, stream, _prefixed(message)) + _frame(1, 5, stream, trailers)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _prefixed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


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
