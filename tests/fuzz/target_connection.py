"""A TCP connection with gRPC over HTTP/2, written by a script, so that every layer behind IP is reached without luck.

Segments are lost, sent twice, sent otherwise, late and out of order. The records of calls agree with their messages.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections import Counter
from collections.abc import Iterator

import http2_traffic as http2
import packets
from fuzz.target import Script, Target, text

from inspector.model.call import Call, Message
from inspector.model.packet import Packet
from inspector.net.capture_cy import CaptureDecoder
from inspector.views.call_lines_cy import call_lines

NAMES = (
    *(b":method", b":path", b":scheme", b":authority", b":status", b"content-type", b"te", b"grpc-timeout"),
    *(b"grpc-encoding", b"grpc-status", b"grpc-message", b"grpc-status-details-bin", b"x-key-bin", b"authorization"),
    *(b"upgrade", b"http2-settings"),
)
VALUES = (
    *(b"POST", b"/pkg.Svc/Do", b"http", b"example.com", b"200", b"application/grpc", b"trailers", b"10S", b"gzip"),
    *(b"0", b"14", b"a%20b%ff%", b"CAUSA2FiYw", b"deflate", b"zstd", b"snappy", b"application/grpc-web+proto", b"503"),
    *(b"\xff\x00", b"99999999H", b"identity", b"h2c", b"/"),
)
RAW_VALUE = 0xFF
RAW, FRAME, FIELDS, MESSAGE, SKIP, REPEAT, FLAGS, HOLD, NEXT, CUT = range(10)
SERVER = 0x80
"""Of an action: the server does it."""
START, WITHOUT_MESSAGES = 1, 2
SETTINGS = http2.settings((1, 4096), (5, 16_384))


def run(data: bytes) -> object:
    file = Packets(Script(data)).write()
    found, summary = decode(file)
    calls = [event for event in found if isinstance(event, Call)]
    lean, _ = decode(file, with_messages=False)
    assert [event for event in lean if isinstance(event, Call)] == calls
    other, _ = decode(file, at_once=1) if len(file) % 2 else decode([by_the_layers(packet) for packet in file])
    assert other == found
    agree(calls, [event for event in found if isinstance(event, Message)], is_begun=bool(data[:1] and data[0] & START))
    return found, summary, call_lines(calls, lambda _: [])


def decode(file, with_messages=True, at_once=1_000_000):
    decoder = CaptureDecoder(with_messages)
    found = []
    for at in range(0, len(file), at_once):
        found += decoder.feed(file[at : at + at_once])
    found += decoder.close()
    return found, decoder.summary.describe()


def by_the_layers(packet):
    """The same packet in a form that the common case does not know."""
    return packet._replace(link_type=packets.RAW, data=packet.data[14:])


def agree(calls, messages, *, is_begun):
    """The counts of a call that is whole are those of its messages. Where the beginning of the connection is there
    (`is_begun`: that of the first), each side has its own, numbered without a hole; elsewhere which side is the client
    is learnt from names of header fields, the latest one is believed, and a message may have been told before."""
    whole = {call.number: call for call in calls if call.complete and ":method" in names(call.request_headers)}
    sure = {number for number, call in whole.items() if is_begun and call.connection == 1}
    numbers = Counter()
    for message in messages:
        key = message.call, message.direction
        assert message.index == numbers[key] or message.call not in sure
        numbers[key] += 1
        assert (message.data is None) == (message.problem is not None), message
    assert len({call.number for call in calls}) == len(calls)
    for number, call in whole.items():
        told = numbers[number, "request"], numbers[number, "response"]
        assert call.requests + call.responses == sum(told)
        assert (call.requests, call.responses) == told or number not in sure


def names(*lists):
    return {name for fields in lists for name, _ in fields}


class Packets:
    """Carries out a script: a byte with the action and the side, and what that action reads."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._file: list[Packet] = []
        self._held: Packet | None = None
        self._hold = False
        self._begin(40_000)

    def write(self) -> list[Packet]:
        if self._script.byte() & START:
            self._send(0, b"", packets.SYN)
            self._send(1, b"", packets.SYN | packets.ACK)
            self._send(0, http2.PREFACE + SETTINGS)
            self._send(1, SETTINGS)
        while not self._script.done:
            action = self._script.byte()
            self._act(action % 10 if action < SERVER else (action - SERVER) % 10, action >> 7)
        return self._file

    def _begin(self, port: int) -> None:
        self._ports = port, 50_051
        self._seq = [2**32 - 20, 1_000]

    def _act(self, action: int, side: int) -> None:
        script = self._script
        if action == RAW:
            self._send(side, script.text())
        elif action == FRAME:
            self._send(side, http2.frame(script.byte() % 12, script.byte(), script.byte() & 15, script.text()))
        elif action == FIELDS:
            self._send(side, self._fields())
        elif action == MESSAGE:
            self._send(side, self._message())
        elif action == SKIP:
            self._seq[side] += script.short()
        elif action == REPEAT:
            self._repeat(side, script.byte(), script.text())
        elif action == FLAGS:
            self._send(side, b"", script.byte())
        elif action == HOLD:
            self._hold = True
        elif action == NEXT:
            self._begin(40_000 + script.byte() % 4)
        elif action == CUT:
            self._cut(side, script.byte(), script.text())

    def _fields(self) -> bytes:
        """A HEADERS frame; each field is literal, and put into the table where the byte of its name says so."""
        flags, stream = self._script.byte(), self._script.byte() & 15
        block = b""
        for _ in range(self._script.byte() % 10):
            name, value = self._script.byte(), self._script.byte()
            octets = self._script.text() if value == RAW_VALUE else VALUES[value % len(VALUES)]
            block += b"\x40" if name & 0x80 else b"\x00"
            block += text(NAMES[name % len(NAMES)])[:127] + text(octets[:126])
        return http2.frame(http2.HEADERS, flags, stream, block)

    def _message(self) -> bytes:
        flags, stream, flag = self._script.byte(), self._script.byte() & 15, self._script.byte()
        payload = self._script.text()
        if flag & 2:
            payload = gzip.compress(payload, mtime=0)
        if flag & 4:
            payload = zlib.compress(payload)
        return http2.frame(http2.DATA, flags & 1, stream, http2.grpc_message(payload, flag & 0x81))

    def _repeat(self, side: int, back: int, data: bytes) -> None:
        """Bytes again, the same or others, from some way back."""
        after = self._seq[side]
        self._seq[side] -= back
        self._send(side, data)
        self._seq[side] = max(after, self._seq[side])

    def _cut(self, side: int, kept: int, data: bytes) -> None:
        """A segment of which the capture has only the beginning."""
        self._send(side, data)
        if self._file:  # it may be held
            last = self._file[-1]
            self._file[-1] = last._replace(data=last.data[: 54 + kept])

    def _send(self, side: int, data: bytes, flags: int = packets.ACK) -> None:
        addresses = (b"\x0a\0\0\1", b"\x0a\0\0\2")
        header = struct.pack(
            ">HHIIBBHHH",
            *(self._ports[side], self._ports[1 - side], self._seq[side] % 2**32, self._seq[1 - side] % 2**32),
            *(5 << 4, flags, 65_535, 0, 0),
        )
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(data), 1, 0, 64, packets.TCP, 0)
        frame = bytes(12) + b"\x08\x00" + ip + addresses[side] + addresses[1 - side] + header + data
        self._seq[side] += len(data) + bool(flags & (packets.SYN | packets.FIN))
        self._write(frame)

    def _write(self, frame: bytes) -> None:
        if self._hold:
            self._hold = False
            waiting, self._held = self._held, Packet(0, 0, packets.ETHERNET, frame, len(frame))
        else:
            self._put(frame)
            waiting, self._held = self._held, None
        if waiting is not None:
            self._put(waiting.data)

    def _put(self, frame: bytes) -> None:
        number = len(self._file) + 1
        self._file.append(Packet(number, number * 1_000_000, packets.ETHERNET, frame, len(frame)))


def fields(side, stream, pairs, end=False, indexed=0x80):
    block = b"".join(bytes((NAMES.index(name) | indexed, VALUES.index(value))) for name, value in pairs)
    return bytes((FIELDS | side, 4 | end, stream, len(pairs))) + block


def message(side, stream, payload, flag=0, end=False):
    return bytes((MESSAGE | side, end, stream, flag)) + text(payload)


def seeds() -> Iterator[bytes]:
    request = [
        (b":method", b"POST"),
        (b":path", b"/pkg.Svc/Do"),
        (b"content-type", b"application/grpc"),
        (b"grpc-encoding", b"gzip"),
    ]
    response = [(b":status", b"200"), (b"content-type", b"application/grpc")]
    trailers = [(b"grpc-status", b"14"), (b"grpc-message", b"a%20b%ff%"), (b"grpc-status-details-bin", b"CAUSA2FiYw")]
    call = [
        fields(0, 1, request),
        message(0, 1, b"\x08\x01", end=True),
        fields(SERVER, 1, response),
        message(SERVER, 1, b"\x0a\x02hi"),
        message(SERVER, 1, b"\x0a\x02hi" * 9, flag=3),
        fields(SERVER, 1, trailers, end=True),
        bytes((FLAGS, packets.FIN | packets.ACK, FLAGS | SERVER, packets.FIN | packets.ACK)),
    ]
    yield bytes((START,)) + b"".join(call)
    yield b"\0" + b"".join(call) + b"\0" + b"".join(call)
    for at in range(len(call)):
        for step in (
            bytes((HOLD,)),
            bytes((SKIP, 0, 9)),
            bytes((SKIP | SERVER, 0, 9)),
            bytes((REPEAT, 20)) + text(b"other"),
        ):
            yield bytes((START,)) + b"".join(call[:at]) + step + b"".join(call[at:])
    web = [(name, b"application/grpc-web+proto" if name == b"content-type" else value) for name, value in response]
    trailer = message(SERVER, 1, b"grpc-status: 5\r\n", flag=0x80, end=True)
    yield bytes((START,)) + fields(0, 1, request) + fields(SERVER, 1, web) + call[3] + trailer
    yield bytes((START,)) + call[0] + bytes((FRAME, 3, 0, 1, 4, 0, 0, 0, 8)) + b"".join(call)
    yield bytes((START,)) + b"".join(call) + bytes((NEXT, 1)) + b"".join(call) + bytes((CUT, 3)) + text(b"abcdef")


TARGET = Target("connection", run, seeds, (b"\x07", b"\x04\x00", b"\x05\x10", b"\x82\x05", http2.PREFACE))
