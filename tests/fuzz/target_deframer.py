"""DATA of one direction of a stream to length-prefixed messages.

Where nothing is lost, all DATA at once gives the same messages as its pieces, and those are what the prefixes say.
"""

from __future__ import annotations

from collections.abc import Iterator

from fuzz.target import Script, Target, text

from inspector.model.frames import Data
from inspector.net.grpc_cy import Deframer

MISSING, LOSE, NO_START = 1, 2, 4
"""Flags of a piece: bytes are missing before it, the place was lost, it does not begin a frame."""


def run(data: bytes) -> object:
    script = Script(data)
    late = script.byte() & 1
    deframer = Deframer(not late)
    found, bodies = [], []
    intact = not late
    offset = packet = 0
    while not script.done:
        packet += 1
        flags = script.byte()
        if flags & LOSE:
            deframer.lose()
        missing = script.short() if flags & MISSING else 0
        body = script.text()
        intact = intact and not missing and not flags & LOSE
        bodies.append(body)
        found += deframer.feed(Data(0, 1, body, missing, not flags & NO_START, False, offset + missing, packet, None))
        offset += missing + len(body)
    if intact and not deframer.bad_flag:
        check(b"".join(bodies), found)
    assert deframer.held <= sum(map(len, bodies))
    return found, deframer.held, deframer.skipped, deframer.bad_flag, deframer.close(packet, None, "ends")


def check(stream, found):
    """What came out is what the prefixes in the whole stream say."""
    at = 0
    expected = []
    while at + 5 <= len(stream):
        end = at + 5 + int.from_bytes(stream[at + 1 : at + 5], "big")
        if end > len(stream):
            break
        expected.append((stream[at], stream[at + 5 : end]))
        at = end
    assert [(message.flag, message.payload) for message in found] == expected
    whole = Deframer().feed(Data(0, 1, stream, 0, True, False, 0, 1, None))
    assert [(message.flag, message.payload) for message in whole] == expected
    for message in found:
        assert sum(piece.length for piece in message.pieces) == len(message.payload) + 5


def seeds() -> Iterator[bytes]:
    messages = b"\0\0\0\0\x03abc" + b"\x01\0\0\0\x02xy" + b"\0\0\0\0\0" + b"\x80\0\0\0\x0fgrpc-status: 0\n"
    yield b"\0\0" + text(messages)
    yield b"\0" + b"".join(b"\0" + text(messages[at : at + 3]) for at in range(0, len(messages), 3))
    yield b"\1" + b"\4" + text(b"lost") + b"\0" + text(messages) + b"\2" + text(b"zz") + b"\0" + text(messages)
    yield b"\0" + b"\0" + text(b"\0\0\0\x01\0ab") + b"\1\0\x10" + text(b"cd") + b"\1\xff\xff" + text(messages)
    yield b"\0" + b"\0" + text(b"\0\xff\xff\xff\xff" + messages)
    yield b"\0" + b"\0" + text(b"\x07" + messages) + b"\0" + text(messages)


TARGET = Target(
    "deframer", run, seeds, (b"\0\0\0\0", b"\0\0\0\0\1", b"\x80\0\0\0", b"\xff\xff\xff\xff", b"\x03\xff\xff\xff")
)
