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

from google.protobuf.message import Message
from hpack import Encoder
from hpack.struct import HeaderTuple, NeverIndexedHeaderTuple

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
