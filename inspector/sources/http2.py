"""The bytes of one direction of an HTTP/2 connection, as a proxy or a debugger dumps them."""

from __future__ import annotations

from inspector.model.packet import Chunk, Closed, Opened
from inspector.net.calls_cy import CallCounter, ConnectionCalls
from inspector.sources.base import SourceEvent

NOWHERE = (bytes(4), 0)
"""The end point of a connection whose addresses are not known."""


class Http2Parser:
    """Bytes of one direction -> its calls and messages. They may begin with the preface, with a frame, or anywhere."""

    def __init__(self) -> None:
        self._calls = ConnectionCalls(Opened(1, NOWHERE, NOWHERE, True, 0, None), CallCounter())
        self._offset = 0

    def feed(self, data: bytes) -> list[SourceEvent]:
        chunk = Chunk(1, 0, self._offset, data, 0, None)
        self._offset += len(data)
        return self._calls.feed(chunk)

    def close(self) -> list[SourceEvent]:
        events = self._calls.feed(Closed(1, 0, "end", 0, None))
        return events + self._calls.feed(Closed(1, 1, "end", 0, None))

    def describe(self) -> str | None:
        return None if self._calls.is_http2 else "no HTTP/2 frames were found"
