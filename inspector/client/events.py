"""What comes back from a call, in this order: response headers (once, or never), messages, the end (once).

The invariant: every call ends with exactly one Ended, whatever the server or the network does.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from inspector.model.call import Header, Status

_EPOCH = time.time_ns() - time.perf_counter_ns()


def now() -> int:
    """Nanoseconds since 1970, by a clock that never goes back."""
    return _EPOCH + time.perf_counter_ns()


class ResponseHeaders(NamedTuple):
    """The header fields of the response, `:status` among them. Values of `-bin` fields are base64."""

    fields: tuple[Header, ...]
    time: int


class ResponseMessage(NamedTuple):
    """A message, decompressed. `wire_size` is its length as carried (without the five bytes before it), `encoding` the
    grpc-encoding it had (`identity` where it was not compressed)."""

    data: bytes
    wire_size: int
    encoding: str
    time: int


class Ended(NamedTuple):
    """The end of the call. `trailers` are empty where none arrived; `status` then says what the client concluded."""

    trailers: tuple[Header, ...]
    status: Status
    time: int


CallEvent = ResponseHeaders | ResponseMessage | Ended
