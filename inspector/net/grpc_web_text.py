"""gRPC-Web in text (grpc/doc/PROTOCOL-WEB.md, `application/grpc-web-text`): the frames of a body in base64.

A sender may pad each piece that it hands on, so padding is no end. The invariant: at most three characters are held.
"""

from __future__ import annotations

import base64
import re

from inspector.model.frames import Data, RawMessage
from inspector.model.problem import Problem
from inspector.net.grpc_cy import Deframer

_ALPHABET = re.compile(rb"[A-Za-z0-9+/]*")
_GROUP = 4
_LINE_ENDS = b"\r\n"


def is_text(content_type: str | None) -> bool:
    """Whether a body of this type is base64."""
    return content_type is not None and content_type.lower().startswith("application/grpc-web-text")


class Base64Stream:
    """Base64 in pieces, each of them padded or not, cut anywhere.

    `damaged_at` is the place, in the piece fed last, of what is no base64; nothing is decoded behind it.
    """

    def __init__(self) -> None:
        self.left = b""
        """Characters of a group of four that is not whole."""
        self.damaged_at: int | None = None

    def feed(self, data: bytes) -> bytes:
        """The bytes of all groups of four that are whole, up to what is no base64."""
        held = len(self.left)
        text = self.left + data.translate(None, _LINE_ENDS)
        size = len(text) // _GROUP * _GROUP
        self.left = text[size:]
        found = bytearray()
        at = 0
        while at < size and self.damaged_at is None:
            end, stop = _run(text, at, size)
            found += base64.b64decode(text[at:end])
            at = end
            if stop is not None:
                self.damaged_at = _place(data, stop - held)
        return bytes(found)


def _run(text: bytes, at: int, size: int) -> tuple[int, int | None]:
    """Where the groups of four from `at` on end, the last of them perhaps padded; and the place of what is no base64,
    where that is why."""
    match = _ALPHABET.match(text, at, size)
    stop = at if match is None else match.end()
    rest = (stop - at) % _GROUP
    whole = stop - rest
    if stop == size:
        return whole, None
    if rest >= 2 and text.startswith(b"=" * (_GROUP - rest), stop):
        return whole + _GROUP, None
    return whole, stop


def _place(data: bytes, count: int) -> int:
    """Where in `data` its character number `count` stands, line ends not counted."""
    places = [at for at, octet in enumerate(data) if octet not in _LINE_ENDS]
    return places[count] if 0 <= count < len(places) else 0


class TextDeframer:
    """What Deframer is for DATA of base64. Behind damage, or where bytes are missing, it is not known where a group of
    four begins, and the rest of the body is not read.

    `damage` says what is wrong with the text. The messages have no pieces: no place has their bytes as they are.
    """

    def __init__(self) -> None:
        self.damage: Problem | None = None
        self._text = Base64Stream()
        self._messages = Deframer()
        self._is_lost = False
        self._skipped = 0

    @property
    def length(self) -> int:
        """See Deframer."""
        return self._messages.length

    @property
    def held(self) -> int:
        """See Deframer."""
        return self._messages.held

    @property
    def skipped(self) -> int:
        """See Deframer. What damage cost is told by that."""
        return self._messages.skipped + (self._skipped if self.damage is None else 0)

    @property
    def bad_flag(self) -> int:
        """See Deframer."""
        return self._messages.bad_flag

    def feed(self, data: Data) -> list[RawMessage]:
        """Messages that are whole after `data`."""
        if data.missing:
            self.lose()
        if self._is_lost:
            self._skipped += len(data.data)
            return []
        body = self._text.feed(data.data)
        if (place := self._text.damaged_at) is not None:
            self._break(data, place)
        whole = self._messages.feed(data._replace(data=body)) if body else []
        return [each._replace(pieces=()) for each in whole]

    def lose(self) -> None:
        """See Deframer."""
        self._is_lost = True
        self._messages.lose()

    def close(self, packet: int, time: int | None, why: str) -> RawMessage | None:
        """See Deframer."""
        left = len(self._text.left)
        if left and self.damage is None and not self._is_lost:
            text = f"{why} within a group of four characters of base64: {left} of them are there"
            self.damage = Problem("grpc_web_text", text, packet)
        elif self.damage is not None:
            text = f"{self.damage.message}; {self._skipped} characters behind it are not read"
            self.damage = self.damage._replace(message=text)
        raw = self._messages.close(packet, time, why)
        return None if raw is None else raw._replace(pieces=())

    def abandon(self, problem: Problem) -> None:
        """See Deframer."""
        self._messages.abandon(problem)

    def _break(self, data: Data, place: int) -> None:
        self._is_lost = True
        self._skipped = len(data.data) - place
        self._text.left = b""
        text = f"grpc-web-text has {data.data[place : place + 1]!r} where base64 is due"
        self.damage = Problem("grpc_web_text", text, data.packet, data.offset + place)
