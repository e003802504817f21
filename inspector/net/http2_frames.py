"""HTTP/2 frames (RFC 9113, sections 4 and 6): one direction of a connection, bytes -> frames.

DATA is handed on as it arrives, other frames when they are whole. Where bytes are missing, framing survives if the gap
lies within one DATA frame (its end is known); otherwise the reader looks for the next place where frames follow one
another.
"""

from __future__ import annotations

from typing import NamedTuple

from inspector import limits
from inspector.model.packet import Chunk, Gap
from inspector.model.problem import Problem
from inspector.net.buffer import Buffer

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_SIZE = 9

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ALTSVC, ORIGIN, PRIORITY_UPDATE = 0x0A, 0x0C, 0x10

END_STREAM = 0x01
ACK = 0x01
END_HEADERS = 0x04
PADDED = 0x08
HAS_PRIORITY = 0x20

ON_STREAM, ON_CONNECTION, EITHER = 1, 2, 3


class _Rule(NamedTuple):
    """What a frame of a type must look like: where it occurs, its flags, its length (shortest, longest, a divisor)."""

    place: int
    flags: int
    shortest: int = 0
    longest: int = 1 << 24
    divisor: int = 1


_RULES: tuple[_Rule | None, ...] = (
    _Rule(ON_STREAM, END_STREAM | PADDED),
    _Rule(ON_STREAM, END_STREAM | END_HEADERS | PADDED | HAS_PRIORITY, 1),
    _Rule(ON_STREAM, 0, 5, 5),
    _Rule(ON_STREAM, 0, 4, 4),
    _Rule(ON_CONNECTION, ACK, 0, 6 * 256, 6),
    _Rule(ON_STREAM, END_HEADERS | PADDED, 4),
    _Rule(ON_CONNECTION, ACK, 8, 8),
    _Rule(ON_CONNECTION, 0, 8),
    _Rule(EITHER, 0, 4, 4),
    _Rule(ON_STREAM, END_HEADERS),
    _Rule(EITHER, 0, 2),
    None,
    _Rule(ON_CONNECTION, 0),
    None,
    None,
    None,
    _Rule(ON_CONNECTION, 0, 4),
)


class Frame(NamedTuple):
    """A whole frame that is not DATA. `offset` is where it begins in its direction."""

    kind: int
    flags: int
    stream: int
    payload: bytes
    offset: int
    packet: int
    time: int | None


class Data(NamedTuple):
    """Bytes of a DATA frame. `missing` bytes of it, which the capture lacks, come before `data`; `end` ends the stream.

    `start` where `data` begins with the first byte of the frame.
    """

    stream: int
    data: bytes
    missing: int
    start: bool
    end: bool
    offset: int
    packet: int
    time: int | None


class Lost(NamedTuple):
    """The place in the sequence of frames was lost here."""

    packet: int


class Restarted(NamedTuple):
    """A client preface was found here: a connection begins."""

    packet: int


FrameEvent = Frame | Data | Lost | Restarted | Problem


def frame_size(data: bytes | bytearray, at: int, longest: int, *, strict: bool) -> int:
    """Size of the frame whose header stands at `at`, header included; 0 where that cannot be one.

    `strict` also refuses what receivers must ignore (unknown types and flags), which is right for guessing.
    """
    length = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
    kind = data[at + 3]
    if length > longest or data[at + 5] & 0x80:
        return 0
    rule = _RULES[kind] if kind < len(_RULES) else None
    if rule is None:
        return 0 if strict else HEADER_SIZE + length
    if length < rule.shortest or length > rule.longest or length % rule.divisor:
        return 0
    if strict and data[at + 4] & ~rule.flags:
        return 0
    on_stream = data[at + 5] or data[at + 6] or data[at + 7] or data[at + 8]
    if not rule.place & (ON_STREAM if on_stream else ON_CONNECTION):
        return 0
    return HEADER_SIZE + length


class FrameFinder:
    """Looks for frames in bytes that begin anywhere.

    A place is believed where `ENOUGH` frames follow one another, or where frames end exactly with the bytes at hand
    (senders write whole frames). One believable header alone means little: one random place in some ten thousand
    looks like one.
    """

    ENOUGH = 3

    def __init__(self, window: int) -> None:
        self._window = window  # bytes kept at once
        self.restarts = False
        """Whether what was found begins after a client preface."""
        self._reset()

    def _reset(self) -> None:
        self._data = bytearray()
        self._chunks: list[Chunk] = []
        self._scanned = 0
        self._undecided: list[int] = []

    def feed(self, chunk: Chunk) -> list[Chunk] | None:
        """The chunks from the first frame on, once it is found; None until then."""
        overlap = max(0, len(self._data) - len(PREFACE))
        self._data += chunk.data
        self._chunks.append(chunk)
        preface = self._data.find(PREFACE, overlap)
        if preface >= 0:
            self.restarts = True
            return self._from(preface + len(PREFACE))
        found = self._search()
        if found is not None:
            return self._from(found)
        if len(self._data) > self._window:
            self._reset()
        return None

    def close(self) -> list[Chunk]:
        """No more bytes: the chunks from the likeliest place on (empty where none is likely)."""
        for at in self._undecided:
            if at == 0 or self._chain(at)[0] > 1:
                return self._from(at)
        return []

    def _search(self) -> int | None:
        for at in self._undecided[:]:
            count, decided = self._chain(at)
            if count and decided:
                return at
            if not count:
                self._undecided.remove(at)
        data = self._data
        last = len(data) - HEADER_SIZE
        at = self._scanned
        while at <= last:
            # The first two tests of a header, repeated here because nearly all places fail them.
            if data[at] <= 0x10 and data[at + 3] <= PRIORITY_UPDATE:
                count, decided = self._chain(at)
                if count and decided:
                    return at
                if count and len(self._undecided) < 64:
                    self._undecided.append(at)
            at += 1
        self._scanned = at
        return None

    def _chain(self, at: int) -> tuple[int, bool]:
        """How many frames follow one another from `at` (0: none), and whether that is enough to believe it."""
        count = 0
        size = len(self._data)
        while size - at >= HEADER_SIZE:
            step = frame_size(self._data, at, limits.RESYNC_FRAME_SIZE, strict=True)
            if not step:
                return 0, False
            count += 1
            at += step
            if count == self.ENOUGH or at == size:
                return count, True
        return count, False

    def _from(self, at: int) -> list[Chunk]:
        rest = []
        for chunk in self._chunks:
            skip = min(at, len(chunk.data))
            at -= skip
            if skip < len(chunk.data):
                rest.append(chunk._replace(offset=chunk.offset + skip, data=chunk.data[skip:]))
        return rest


class FrameReader:
    """One direction of an HTTP/2 connection: chunks and gaps -> frames. The first chunk begins after the preface."""

    def __init__(self, *, in_step: bool = True) -> None:
        self._buffer = Buffer()
        self._finder = None if in_step else FrameFinder(limits.DETECT_BYTES)
        self._longest = limits.DEFAULT_FRAME_SIZE if in_step else limits.RESYNC_FRAME_SIZE
        self._left = 0  # bytes of the current DATA frame that are still to come
        self._stream = 0
        self._flags = 0
        self._missing = 0  # bytes of it that were lost since the last event

    @property
    def in_step(self) -> bool:
        """Whether it is known where frames begin."""
        return self._finder is None

    def allow(self, size: int) -> None:
        """The peer announced SETTINGS_MAX_FRAME_SIZE. It may take effect late, so a smaller one changes nothing."""
        self._longest = max(self._longest, min(size, (1 << 24) - 1))

    def feed(self, chunk: Chunk) -> list[FrameEvent]:
        """Frames that are whole after `chunk`, and its share of DATA frames."""
        events: list[FrameEvent] = []
        waiting = [chunk]
        while waiting:
            first = waiting.pop(0)
            if self._finder is None:
                rest = self._read(first, events)
                if rest is not None:
                    waiting.insert(0, rest)
            else:
                found = self._finder.feed(first)
                if found is not None:
                    if self._finder.restarts:
                        events.append(Restarted(first.packet))
                    self._finder = None
                    waiting[:0] = found
        return events

    def gap(self, gap: Gap) -> list[FrameEvent]:
        """Bytes are missing here."""
        if self._finder is None and 0 < gap.length <= self._left:
            self._left -= gap.length
            self._missing += gap.length
            if self._left:
                return []
            events: list[FrameEvent] = []
            self._emit_data(b"", gap.offset, gap.packet, None, events)
            return events
        return [self._lose(gap.packet)]

    def close(self) -> list[FrameEvent]:
        """The direction ended."""
        events: list[FrameEvent] = []
        if self._finder is not None:
            likely = self._finder.close()
            if likely:
                self._finder = None
            for chunk in likely:
                events += self.feed(chunk)
        return events

    def _lose(self, packet: int) -> Lost:
        self._buffer.take()
        self._finder = FrameFinder(2 * limits.RESYNC_FRAME_SIZE)
        self._left = self._missing = 0
        self._longest = max(self._longest, limits.RESYNC_FRAME_SIZE)
        return Lost(packet)

    def _read(self, chunk: Chunk, events: list[FrameEvent]) -> Chunk | None:
        """Reads frames until the bytes are used up, or until none begins: then what is left to search is returned."""
        data = self._buffer.feed(chunk.data)
        if not data:
            return None
        start = chunk.offset + len(chunk.data) - len(data)  # of `data`, in the direction
        at, size = 0, len(data)
        while at < size:
            if self._left:
                at = self._read_data(data, at, start, chunk, events)
                continue
            if size - at < HEADER_SIZE:
                break
            step = frame_size(data, at, self._longest, strict=False)
            if not step:
                self._report_no_frame(data, at, start, chunk, events)
                return chunk._replace(offset=start + at + 1, data=data[at + 1 :])
            kind, flags = data[at + 3], data[at + 4]
            stream = data[at + 5] << 24 | data[at + 6] << 16 | data[at + 7] << 8 | data[at + 8]
            if kind == DATA and not flags & PADDED:
                self._begin_data(stream, flags, step - HEADER_SIZE)
                at += HEADER_SIZE
                if not self._left:
                    self._emit_data(b"", start + at, chunk.packet, chunk.time, events)
                continue
            if size - at < step:
                self._buffer.keep(data[at:], step)
                return None
            payload = data[at + HEADER_SIZE : at + step]
            if kind == DATA:
                self._read_padded(stream, flags, payload, start + at, chunk, events)
            else:
                events.append(Frame(kind, flags, stream, payload, start + at, chunk.packet, chunk.time))
            at += step
        if at < size:
            self._buffer.keep(data[at:], HEADER_SIZE)
        return None

    def _begin_data(self, stream: int, flags: int, length: int) -> None:
        self._stream, self._flags, self._left = stream, flags, length
        self._missing = 0
        self._start = True

    _start = False

    def _read_data(self, data: bytes, at: int, start: int, chunk: Chunk, events: list[FrameEvent]) -> int:
        end = min(at + self._left, len(data))
        self._left -= end - at
        self._emit_data(data[at:end], start + at, chunk.packet, chunk.time, events)
        return end

    def _emit_data(self, data: bytes, offset: int, packet: int, time: int | None, events: list[FrameEvent]) -> None:
        end = not self._left and bool(self._flags & END_STREAM)
        events.append(Data(self._stream, data, self._missing, self._start, end, offset, packet, time))
        self._missing = 0
        self._start = False

    def _read_padded(
        self, stream: int, flags: int, payload: bytes, offset: int, chunk: Chunk, events: list[FrameEvent]
    ) -> None:
        if not payload or payload[0] >= len(payload):
            text = f"a DATA frame of stream {stream} has more padding than bytes"
            events.append(Problem("http2_padding", text, chunk.packet, offset))
            return
        body = payload[1 : len(payload) - payload[0]]
        end = bool(flags & END_STREAM)
        events.append(Data(stream, body, 0, True, end, offset + HEADER_SIZE + 1, chunk.packet, chunk.time))

    def _report_no_frame(self, data: bytes, at: int, start: int, chunk: Chunk, events: list[FrameEvent]) -> None:
        text = f"no HTTP/2 frame begins here ({data[at : at + HEADER_SIZE].hex()}); looking for the next one"
        events.append(Problem("http2_frame", text, chunk.packet, start + at))
        events.append(self._lose(chunk.packet))
