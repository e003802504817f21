"""A call that was captured -> the entries of a binary log, which all that reads logs reads again.

Invariant: the log gives the messages, the status and the metadata of the call; of header fields it has what is the
application's (gRPC proposal A16), and of a message that could not be had its length alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from inspector.client import binlog_writer as writing
from inspector.client.binlog_writer import Parts
from inspector.model.call import Call, Header, Message, Status
from inspector.net import status as statuses
from inspector.sources import binlog_entry as log

_MESSAGES = {"request": log.CLIENT_MESSAGE, "response": log.SERVER_MESSAGE}
_ENDED_BY_CLIENT = (statuses.CANCELLED, statuses.DEADLINE_EXCEEDED)
_PEER = re.compile(r"\[?(?P<host>[0-9A-Fa-f.:%]+?)\]?:(?P<port>[0-9]{1,5})", re.ASCII)

NUMBER = 1
"""The call id: a log of one call needs no other."""


def entries(call: Call, messages: Sequence[Message]) -> Iterator[Parts]:
    """The entries of a call, in the order in which they came to be. `messages` are all that it has, in order."""
    return _Log(call).entries(messages)


class _Log:
    def __init__(self, call: Call) -> None:
        self._call = call
        self._sequence = 0
        self._time = call.started or 0
        self._peer = _address(call.server)

    def entries(self, messages: Sequence[Message]) -> Iterator[Parts]:
        call = self._call
        left = call.requests
        if call.method is None:
            self._sequence += 1  # whoever reads it sees that the beginning is missing
        else:
            fields = _octets(call.request_headers)
            payload = writing.client_header(fields, call.method, call.authority, call.deadline)
            yield self._entry(log.CLIENT_HEADER, payload, peer=_address(call.client))
        if not left and call.complete:
            yield self._entry(log.CLIENT_HALF_CLOSE)
        is_answered = False
        for message in messages:
            self._time = max(self._time, message.time or 0)
            if message.direction == "response" and not is_answered:
                is_answered = True
                yield self._server_header()
            yield self._message(message)
            left -= message.direction == "request"
            if message.direction == "request" and not left and call.complete:
                yield self._entry(log.CLIENT_HALF_CLOSE)
        if call.response_headers and not is_answered:
            yield self._server_header()
        self._time = max(self._time, (call.started or 0) + (call.duration or 0))
        if call.status is not None:
            yield self._end(call.status)

    def _server_header(self) -> Parts:
        peer, self._peer = self._peer, b""
        return self._entry(log.SERVER_HEADER, writing.server_header(_octets(self._call.response_headers)), peer=peer)

    def _message(self, message: Message) -> Parts:
        self._sequence += 1
        kind = _MESSAGES[message.direction or "request"]
        kept = message.data if message.data is not None else b""
        length = len(kept) if message.data is not None else max(1, len(message.wire))
        return writing.message(kind, NUMBER, self._sequence, self._time, kept, length)

    def _end(self, status: Status) -> Parts:
        """As the client saw it; one that gave the call up itself has no trailer."""
        if status.source in ("reset", "deadline") and status.code in _ENDED_BY_CLIENT:
            return self._entry(log.CANCEL)
        return self._entry(log.SERVER_TRAILER, writing.trailer(_octets(self._call.trailers), status), peer=self._peer)

    def _entry(self, kind: int, payload: bytes = b"", *, peer: bytes = b"") -> Parts:
        self._sequence += 1
        return writing.entry(kind, NUMBER, self._sequence, self._time, payload, peer=peer)


def _octets(fields: tuple[Header, ...]) -> tuple[Header, ...]:
    """Fields with a character for each octet, as a log is written from."""
    return tuple((_latin(name), _latin(value)) for name, value in fields)


def _latin(text: str | None) -> str | None:
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _address(peer: str) -> bytes:
    """A peer as the log has it; nothing for one that is no address."""
    if peer.startswith("unix:"):
        return writing.address(peer.removeprefix("unix:"), None)
    match = _PEER.fullmatch(peer)
    try:
        return b"" if match is None else writing.address(match["host"], int(match["port"]))
    except ValueError:
        return b""
