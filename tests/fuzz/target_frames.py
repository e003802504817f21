"""One direction of an HTTP/2 connection to frames, with bytes missing, from the start or joined late.

Where nothing is missing, the frames are the same whatever the pieces in which their bytes come, up to damage: what is
sought after it is judged by the bytes that are there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import http2_traffic as http2
from fuzz.target import Script, Target, text

from inspector.model.frames import Data, Lost
from inspector.model.packet import Chunk, Gap
from inspector.net.http2_frames_cy import FrameReader


def run(data: bytes) -> object:
    script = Script(data)
    in_step = not script.byte() & 1
    feeder = Feeder(FrameReader(in_step))
    bodies = []
    intact = in_step
    while not script.done:
        kind = script.byte()
        if kind & 1:
            intact = False
            feeder.lose(1 + script.short())
        if kind & 2:
            intact = False
            feeder.reader.allow(script.short() << 8)
        bodies.append(script.text())
        feeder.send(bodies[-1])
    found = feeder.finish()
    if intact:
        whole = Feeder(FrameReader(True))
        whole.send(b"".join(bodies))
        assert content(undamaged(whole.finish())) == content(undamaged(found))
    return found


class Feeder:
    """Chunks and gaps as TCP would hand them on."""

    def __init__(self, reader):
        self.reader = reader
        self.events = []
        self.offset = self.packet = 0

    def send(self, body):
        self.packet += 1
        self.events += self.reader.feed(Chunk(1, 0, self.offset, body, self.packet, self.packet))
        self.offset += len(body)

    def lose(self, length):
        self.packet += 1
        self.events += self.reader.gap(Gap(1, 0, self.offset, length, self.packet))
        self.offset += length

    def finish(self):
        self.events += self.reader.close()
        return self.events


def undamaged(events):
    return itertools.takewhile(lambda event: not isinstance(event, Lost), events)


def content(events):
    """What frames say, without where it came from: DATA of one frame joined."""
    joined = []
    for event in events:
        if not isinstance(event, Data):
            joined.append(event._replace(packet=0, time=0) if hasattr(event, "time") else event._replace(packet=0))
        elif event.start or not joined or not isinstance(joined[-1], list):
            joined.append([event.stream, event.data, event.end])
        else:
            joined[-1][1] += event.data
            joined[-1][2] = event.end
    return joined


def seeds() -> Iterator[bytes]:
    padded = http2.frame(http2.DATA, http2.PADDED | http2.END_STREAM, 3, b"\x02abc\0\0")
    frames = (
        http2.settings((1, 4096), (5, 20_000)),
        http2.frame(http2.HEADERS, http2.END_HEADERS, 1, b"\x82\x84"),
        http2.data(1, http2.grpc_message(b"hello")),
        padded,
        http2.frame(8, 0, 0, b"\0\0\1\0"),
        http2.frame(6, 0, 0, bytes(8)),
        http2.goaway(3),
        http2.reset(1),
        http2.data(1, b"", end=True),
    )
    stream = b"".join(frames)
    for start in (b"\0", b"\1"):
        yield start + b"".join(b"\0" + text(frame) for frame in frames)
        yield start + b"".join(b"\0" + text(stream[at : at + 7]) for at in range(0, len(stream), 7))
        yield start + b"\0" + text(stream[:30]) + b"\1\0\x04" + text(stream[35:]) + b"\1\x01\x00" + text(stream)
    yield b"\1\0" + text(stream[13:]) + b"\0" + text(http2.PREFACE + stream)


TARGET = Target(
    "frames",
    run,
    seeds,
    (b"\0\0\0\x04\0\0\0\0\0", b"\0\0\x04\x08\0", b"\0\0\x08\x06", http2.PREFACE, b"\0\x40\0\0", b"\0\0\0\1"),
)
