"""HTTP/2 frames (RFC 9113, sections 4 and 6): one direction of a connection, bytes -> frames.

DATA is handed on as it arrives, other frames when they are whole. Where bytes are missing, framing survives if the gap
lies within one DATA frame (its end is known); otherwise the reader looks for the next place where frames follow one
another.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from inspector import limits
from inspector.model.frames import Data, Frame, FrameEvent, Lost, Restarted
from inspector.model.make_cy import make
from inspector.model.packet import Chunk, Gap, Time
from inspector.model.problem import Problem
from inspector.net.buffer import Buffer

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_SIZE = 9

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

END_STREAM = 0x01
ACK = 0x01
END_HEADERS = 0x04
PADDED = 0x08
HAS_PRIORITY = 0x20

# What a frame of each type from 0 to 16 must look like: where it occurs (1 on a stream, 2 on the connection, 3 either;
# 0: no such type), which flags it may have, and its shortest and longest length (0: any).
_PLACES = cython.declare(bytes, bytes((1, 1, 1, 1, 2, 1, 2, 2, 3, 1, 3, 0, 2, 0, 0, 0, 2)))
_FLAGS = cython.declare(bytes, bytes((0x09, 0x2D, 0, 0, 0x01, 0x0C, 0x01, 0, 0, 0x04, 0, 0, 0, 0, 0, 0, 0)))
_SHORTEST = cython.declare(bytes, bytes((0, 0, 5, 4, 0, 4, 8, 8, 4, 0, 2, 0, 0, 0, 0, 0, 4)))
_LONGEST = cython.declare(bytes, bytes((0, 0, 5, 4, 0, 0, 8, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0)))
_LONGEST_SETTINGS = cython.declare(cython.Py_ssize_t, 6 * 256)
_TYPES = cython.declare(cython.Py_ssize_t, 17)


@cython.ccall
@cython.exceptval(-1)
def frame_size(
    data: bytes, at: cython.Py_ssize_t, longest: cython.Py_ssize_t, strict: cython.bint
) -> cython.Py_ssize_t:
    """Size of the frame whose header stands at `at` (nine bytes must be there), header included; 0 where that cannot
    be one.

    `strict` also refuses what receivers must ignore (unknown types and flags), which is right for guessing.
    """
    length: cython.Py_ssize_t = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
    kind: cython.Py_ssize_t = data[at + 3]
    if length > longest:
        return 0
    if kind >= _TYPES or _PLACES[kind] == 0 or kind == 0x0C:
        return 0 if strict else 9 + length
    if strict and not _is_likely(data, at, kind, length):
        return 0
    if length < _SHORTEST[kind] or (_LONGEST[kind] != 0 and length > _LONGEST[kind]):
        return 0
    if kind == 4 and (length % 6 != 0 or length > _LONGEST_SETTINGS):
        return 0
    on_stream: cython.bint = (data[at + 5] & 0x7F | data[at + 6] | data[at + 7] | data[at + 8]) != 0
    return 9 + length if _PLACES[kind] & (1 if on_stream else 2) else 0


@cython.cfunc
def _is_likely(data: bytes, at: cython.Py_ssize_t, kind: cython.Py_ssize_t, length: cython.Py_ssize_t) -> cython.bint:
    """Whether a header looks like one that real senders write: no reserved bits, no flags without meaning, headers
    that are not empty, no DATA that is empty and does not end a stream."""
    flags: cython.Py_ssize_t = data[at + 4]
    if data[at + 5] & 0x80 or flags & ~_FLAGS[kind]:
        return False
    return length > 0 or (kind != 1 and (kind != 0 or flags == 1))


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
        self._data = b""
        self._chunks: list[Chunk] = []
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._scanned = 0
        self._undecided: list[int] = []

    def feed(self, chunk: Chunk) -> list[Chunk] | None:
        """The chunks from the first frame on, once it is found; None until then."""
        self._chunks.append(chunk)
        self._waiting.append(chunk.data)
        self._waiting_size += len(chunk.data)
        if len(self._data) > limits.DETECT_BYTES and self._waiting_size * 16 < len(self._data):
            return None  # searching much for every few bytes would take quadratic time
        return self._look()

    def _look(self) -> list[Chunk] | None:
        overlap = max(0, len(self._data) - len(PREFACE))
        self._data += b"".join(self._waiting)
        self._waiting = []
        self._waiting_size = 0
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
        found = self._look() if self._waiting else None
        if found is not None:
            return found
        for at in self._undecided:
            if self._chain(at)[0] > 1 or (at == 0 and self._is_usual(at)):
                return self._from(at)
        return []

    def _is_usual(self, at: int) -> bool:
        """Whether the header at `at`, of a frame that is not whole, is like most: a size that needs no announcement, a
        stream that a client opened."""
        length = int.from_bytes(self._data[at : at + 3], "big")
        stream = int.from_bytes(self._data[at + 5 : at + 9], "big")
        return length <= limits.DEFAULT_FRAME_SIZE and stream % 2 == 1 and stream < 1 << 24

    def _search(self) -> int | None:
        for candidate in self._undecided[:]:
            count, decided = self._chain(candidate)
            if count and decided:
                return candidate
            if not count:
                self._undecided.remove(candidate)
        data: bytes = self._data
        last: cython.Py_ssize_t = len(data) - HEADER_SIZE
        at: cython.Py_ssize_t = self._scanned
        while at <= last:
            # The first two tests of a header, repeated here because nearly all places fail them.
            if data[at] <= 0x40 and data[at + 3] <= 0x10:
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
            step = frame_size(self._data, at, limits.RESYNC_FRAME_SIZE, True)
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


@cython.final
@cython.cclass
class FrameReader:
    """One direction of an HTTP/2 connection: chunks and gaps -> frames. The first chunk begins after the preface."""

    _buffer: Buffer
    _finder: FrameFinder | None
    _holds: cython.bint  # whether the buffer holds bytes
    _longest: cython.Py_ssize_t
    _left: cython.Py_ssize_t  # bytes of the current DATA frame that are still to come
    _direction: int
    _stream: int
    _end_stream: cython.bint
    _start: cython.bint  # none of its bytes were handed on yet
    _missing: int  # bytes of it that were lost since the last event

    def __init__(self, in_step: bool = True) -> None:
        self._buffer = Buffer()
        self._holds = False
        self._finder = None if in_step else FrameFinder(limits.DETECT_BYTES)
        self._longest = limits.DEFAULT_FRAME_SIZE if in_step else limits.RESYNC_FRAME_SIZE
        self._left = 0
        self._direction = 0
        self._stream = 0
        self._end_stream = False
        self._start = False
        self._missing = 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def is_between_frames(self) -> cython.bint:
        """Whether the next byte is known to begin a frame."""
        return self._finder is None and not self._holds and not self._left

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
        if self._finder is None:
            rest = self._read(chunk, events)
            if rest is None:
                return events
            chunk = rest
        self._feed_searching(deque((chunk,)), events)
        return events

    def _feed_searching(self, waiting: deque[Chunk], events: list[FrameEvent]) -> None:
        """The same while the place in the sequence of frames may be lost, perhaps several times over."""
        while waiting:
            first = waiting.popleft()
            if self._finder is None:
                rest = self._read(first, events)
                if rest is not None:
                    waiting.appendleft(rest)
            else:
                found = self._finder.feed(first)
                if found is not None:
                    if self._finder.restarts:
                        events.append(Restarted(first.packet))
                    self._finder = None
                    waiting.extendleft(reversed(found))

    def gap(self, gap: Gap) -> list[FrameEvent]:
        """Bytes are missing here."""
        if self._finder is None and 0 < gap.length <= self._left:
            self._left -= gap.length
            self._missing += gap.length
            self._direction = gap.direction
            self._start = False
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
        self._holds = False
        self._finder = FrameFinder(2 * limits.RESYNC_FRAME_SIZE)
        self._left = 0
        self._missing = 0
        self._longest = max(self._longest, limits.RESYNC_FRAME_SIZE)
        return Lost(packet)

    @cython.cfunc
    def _read(self, chunk: Chunk, events: list[FrameEvent]) -> Chunk | None:
        """Reads frames until the bytes are used up, or until none begins: then what is left to search is returned."""
        direction: int
        start: cython.longlong
        data: bytes
        _, direction, start, data, packet, time = cython.cast(tuple, chunk)
        offset: cython.longlong = start
        if self._holds:
            fresh: cython.Py_ssize_t = len(data)
            data = self._buffer.feed(data)
            if not data:
                return None
            offset += fresh - len(data)
            self._holds = False
        at: cython.Py_ssize_t = 0
        size: cython.Py_ssize_t = len(data)
        while at < size:
            if self._left:
                at = self._read_data(direction, data, at, offset, packet, time, events)
                continue
            if size - at < 9:
                break
            step: cython.Py_ssize_t = frame_size(data, at, self._longest, False)
            if not step:
                text = f"no HTTP/2 frame begins here ({data[at : at + 9].hex()}); looking for the next one"
                events.append(Problem("http2_frame", text, packet, offset + at))
                events.append(self._lose(packet))
                return Chunk(chunk.connection, direction, offset + at + 1, data[at + 1 :], packet, time)
            kind: cython.Py_ssize_t = data[at + 3]
            flags: cython.Py_ssize_t = data[at + 4]
            stream = (data[at + 5] & 0x7F) << 24 | data[at + 6] << 16 | data[at + 7] << 8 | data[at + 8]
            if kind == 0 and not flags & 8:
                self._left = step - 9
                self._direction, self._stream, self._end_stream = direction, stream, flags & 1 != 0
                self._start, self._missing = True, 0
                at += 9
                if not self._left:
                    self._emit_data(b"", offset + at, packet, time, events)
                continue
            if size - at < step:
                self._buffer.keep(data[at:], step)
                self._holds = True
                return None
            payload = _cut(data, at + 9, at + step)
            if kind == 0:
                self._read_padded(direction, stream, flags, payload, offset + at, packet, time, events)
            else:
                events.append(make(Frame, (kind, flags, stream, payload, offset + at, packet, time)))
            at += step
        if at < size:
            self._buffer.keep(data[at:], 9)
            self._holds = True
        return None

    @cython.cfunc
    def _read_data(
        self,
        direction: cython.int,
        data: bytes,
        at: cython.Py_ssize_t,
        offset: cython.longlong,
        packet: cython.longlong,
        time: Time,
        events: list[FrameEvent],
    ) -> cython.Py_ssize_t:
        """Hands on what `data` has of the current DATA frame; where that ends."""
        end: cython.Py_ssize_t = min(at + self._left, len(data))
        self._left -= end - at
        self._emit_data(_cut(data, at, end), offset + at, packet, time, events)
        return end

    @cython.cfunc
    def _emit_data(
        self, data: bytes, offset: cython.longlong, packet: cython.longlong, time: Time, events: list[FrameEvent]
    ) -> None:
        end = self._end_stream and not self._left
        events.append(
            make(Data, (self._direction, self._stream, data, self._missing, self._start, end, offset, packet, time))
        )
        self._missing = 0
        self._start = False

    def _read_padded(
        self,
        direction: int,
        stream: int,
        flags: int,
        payload: bytes,
        offset: int,
        packet: int,
        time: int | None,
        events: list[FrameEvent],
    ) -> None:
        if not payload or payload[0] >= len(payload):
            text = f"a DATA frame of stream {stream} has more padding than bytes"
            events.append(Problem("http2_padding", text, packet, offset))
            return
        body = payload[1 : len(payload) - payload[0]]
        end = bool(flags & END_STREAM)
        events.append(Data(direction, stream, body, 0, True, end, offset + HEADER_SIZE + 1, packet, time))


@cython.cfunc
@cython.inline
def _cut(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> bytes:
    """`data[start:end]` without a slice object, which takes twice as long as the copy."""
    if start < 0 or end < start or end > len(data):
        raise IndexError("out of bounds")
    octets: cython.p_char = data
    return octets[start:end]
