"""HTTP/2 and gRPC traffic: written by h2, hyperframe and hpack, or by hand where those refuse to.

`Conversation` is two h2 connections that talk to each other, `Feeder` hands bytes to what is tested and numbers them as
the layers below would, `Script` writes frames by hand and feeds them at once. Directions are CLIENT and SERVER.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import hpack
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes

from inspector.model.call import Call, Message
from inspector.model.packet import Chunk, Closed, Gap, Opened
from inspector.model.problem import Problem

CLIENT, SERVER = 0, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 0x01, 0x01, 0x04, 0x08, 0x20
MILLISECOND = 1_000_000

CLIENT_END, SERVER_END = (bytes((127, 0, 0, 1)), 50_000), (bytes((127, 0, 0, 2)), 80)

REQUEST = (
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/pkg.Svc/Do"),
    (":authority", "example.com"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
)
RESPONSE = ((":status", "200"), ("content-type", "application/grpc"))
TRAILERS = (("grpc-status", "0"),)


def opened(mid=False, first=CLIENT_END, second=SERVER_END):
    return Opened(1, first, second, mid, 1, 0)


def frame(kind, flags=0, stream=0, payload=b""):
    """A frame by hand, right or wrong."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def goaway(last, code=0, debug=b""):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + debug)


def data(stream, body=b"", end=False):
    return frame(DATA, END_STREAM if end else 0, stream, body)


def grpc_message(payload, flag=0):
    return bytes((flag,)) + struct.pack(">I", len(payload)) + payload


def with_fields(base, **changes):
    """Header fields with some replaced or added (`_` for `-`, a leading `p_` for a pseudo-header); None leaves out."""
    names = {name.replace("p_", ":").replace("_", "-"): value for name, value in changes.items()}
    kept = tuple((name, names.pop(name, value)) for name, value in base)
    return tuple(field for field in (*kept, *names.items()) if field[1] is not None)


def cut(raw, places):
    """`raw` in pieces that end at `places`."""
    places = sorted({place for place in places if 0 < place < len(raw)})
    return [raw[start:end] for start, end in zip([0, *places], [*places, len(raw)], strict=True)]


def frames_of(raw):
    """Where the frames of one direction begin and end, the preface left out."""
    at = len(PREFACE) if raw.startswith(PREFACE) else 0
    while at < len(raw):
        end = at + 9 + int.from_bytes(raw[at : at + 3], "big")
        yield at, end
        at = end


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def calls(events):
    return of(Call, events)


def messages(events):
    return of(Message, events)


def problems(events):
    return of(Problem, events)


def codes(found: Iterable[Problem]):
    return [problem.code for problem in found]


class Feeder:
    """Hands events to a parser as the layers below would: offsets by direction, packets from 1, a millisecond each."""

    def __init__(self, target):
        self.target = target
        self.offsets = [0, 0]
        self.packet = 0
        self.events = []

    def send(self, direction, raw, time=None):
        self.packet += 1
        time = self.packet * MILLISECOND if time is None else time
        chunk = Chunk(1, direction, self.offsets[direction], raw, self.packet, time)
        self.offsets[direction] += len(raw)
        return self._feed(chunk)

    def lose(self, direction, length):
        self.packet += 1
        gap = Gap(1, direction, self.offsets[direction], length, self.packet)
        self.offsets[direction] += length
        return self._feed(gap)

    def close(self, direction, reason="fin", time=None):
        self.packet += 1
        return self._feed(
            Closed(1, direction, reason, self.packet, self.packet * MILLISECOND if time is None else time)
        )

    def finish(self, reason="fin"):
        """Both directions end."""
        return self.close(CLIENT, reason) + self.close(SERVER, reason)

    def _feed(self, event):
        new = list(self.target.feed(event))
        self.events += new
        return new


class Script(Feeder):
    """A connection written by hand, fed as it is written. Without `begin`, it has neither preface nor settings."""

    def __init__(self, target, begin=True):
        super().__init__(target)
        self.encoders = hpack.Encoder(), hpack.Encoder()
        if begin:
            self.send(CLIENT, PREFACE + settings())
            self.send(SERVER, settings())

    def block(self, direction, fields):
        return self.encoders[direction].encode(list(fields))

    def headers(self, direction, stream, fields, end=False, time=None):
        flags = END_HEADERS | (END_STREAM if end else 0)
        return self.send(direction, frame(HEADERS, flags, stream, self.block(direction, fields)), time)

    def data(self, direction, stream, body=b"", end=False, time=None):
        return self.send(direction, data(stream, body, end), time)

    def request(self, stream=1, body=b"", end=True, fields=REQUEST, time=None):
        """A request: its header, then `body` if there is any or the stream ends with it."""
        new = self.headers(CLIENT, stream, fields, time=time)
        return new + (self.data(CLIENT, stream, body, end, time) if body or end else [])

    def response(self, stream=1, body=b"", trailers=TRAILERS, fields=RESPONSE, time=None):
        """A whole response."""
        new = self.headers(SERVER, stream, fields, time=time)
        new += self.data(SERVER, stream, body, time=time) if body else []
        return new + self.headers(SERVER, stream, trailers, end=True, time=time)


class Conversation:
    """Two h2 connections that talk to each other. `sent` is what went over the wire, as (direction, bytes)."""

    def __init__(self, client_settings=None, server_settings=None):
        self.sides = (
            H2Connection(H2Configuration(client_side=True, header_encoding="utf-8")),
            H2Connection(H2Configuration(client_side=False, header_encoding="utf-8")),
        )
        self.sent = []
        for side, extra in zip(self.sides, (client_settings, server_settings), strict=True):
            side.local_settings = type(side.local_settings)(
                client=side.config.client_side,
                initial_values={
                    SettingCodes.INITIAL_WINDOW_SIZE: 2**31 - 1,
                    SettingCodes.MAX_CONCURRENT_STREAMS: 10_000,
                    SettingCodes.MAX_FRAME_SIZE: 16_384,
                    **(extra or {}),
                },
            )
            side.decoder.max_allowed_table_size = side.local_settings.header_table_size
            side.initiate_connection()
            side.increment_flow_control_window(2**31 - 1 - 65_535)
        self.flush()

    @property
    def client(self):
        return self.sides[CLIENT]

    @property
    def server(self):
        return self.sides[SERVER]

    def flush(self):
        """Carries to the other side what each has to say, until both are silent; what went over the wire."""
        before = len(self.sent)
        silent = 0
        direction = CLIENT
        while silent < 2:
            raw = self.sides[direction].data_to_send()
            silent = 0 if raw else silent + 1
            if raw:
                self.sent.append((direction, raw))
                self.sides[1 - direction].receive_data(raw)
            direction = 1 - direction
        return self.sent[before:]

    def headers(self, direction, stream, fields, end=False):
        self.sides[direction].send_headers(stream, list(fields), end_stream=end)

    def data(self, direction, stream, body, end=False, size=16_384, padding=None):
        """The body in DATA frames of at most `size` bytes."""
        parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        for part in parts[:-1]:
            self.sides[direction].send_data(stream, part, pad_length=padding)
        self.sides[direction].send_data(stream, parts[-1], end_stream=end, pad_length=padding)

    def raw(self, direction):
        """All bytes of one direction."""
        return b"".join(raw for way, raw in self.sent if way == direction)
