"""A call that is made, as the records that a capture of it would give: messages both ways, then the call.

Invariant: what is told of a live call has the form of what is told of a captured one, so the same views show both.
"""

from __future__ import annotations

import base64

from inspector.client.endings import cardinality
from inspector.client.events import Ended, ResponseHeaders, ResponseMessage, now
from inspector.client.settings import Metadata
from inspector.model.call import Call, Direction, Header, Message, Status
from inspector.model.problem import Problem

_PLACE = (1, 1)
"""Connection and stream: a call made by hand is the only one of its channel."""


class Transcript:
    """Takes what is sent and what comes back."""

    def __init__(
        self,
        method: str,
        *,
        client: str,
        server: str,
        authority: str,
        headers: tuple[Header, ...],
        deadline: int | None,
        protocol: str = "grpc",
        gives_one: bool = False,
    ) -> None:
        """`method` is the path `/pkg.Svc/Method`, which `gives_one` answer where it is OK; `deadline` in
        nanoseconds."""
        self.started = now()
        self._method = method
        self._client = client
        self._server = server
        self._authority = authority
        self._deadline = deadline
        self._protocol = protocol
        self._gives_one = gives_one
        self._request_headers = headers
        self._response_headers: tuple[Header, ...] = ()
        self._end: Ended | None = None
        self._counts: dict[Direction, int] = {"request": 0, "response": 0}
        self._sizes: dict[Direction, int] = {"request": 0, "response": 0}

    def sent(self, data: bytes, encoding: str) -> Message:
        """A request that was sent."""
        return self._message("request", data, encoding, now())

    def headers(self, event: ResponseHeaders) -> None:
        """Notes the headers of the response."""
        self._response_headers = event.fields

    def received(self, event: ResponseMessage) -> Message:
        """A response that arrived."""
        return self._message("response", event.data, event.encoding, event.time)

    def ended(self, event: Ended) -> Call:
        """The call, whole."""
        self._end = event
        return self.so_far()

    def so_far(self) -> Call:
        """The call, as far as it has come."""
        end = self._end
        problems = () if end is None else self._problems(end.status)
        return Call(
            1, self._method, self._protocol, self._client, self._server, *_PLACE, self.started,
            None if end is None else end.time - self.started,
            self._authority, self._deadline, self._request_headers, self._response_headers,
            () if end is None else end.trailers, None if end is None else end.status,
            self._counts["request"], self._counts["response"], self._sizes["request"], self._sizes["response"],
            end is not None and not problems and _is_complete(end.status), problems,
        )  # fmt: skip

    def _problems(self, status: Status) -> tuple[Problem, ...]:
        text = cardinality(status, self._counts["response"]) if self._gives_one else None
        return () if text is None else (Problem("cardinality", text),)

    def _message(self, direction: Direction, data: bytes, encoding: str, time: int) -> Message:
        index = self._counts[direction]
        self._counts[direction] += 1
        self._sizes[direction] += len(data)
        return Message(1, index, direction, self._method, time, encoding, data, data, None, ())


def _is_complete(status: Status) -> bool:
    return status.source == "trailers"


def as_headers(metadata: Metadata) -> tuple[Header, ...]:
    """Metadata as header fields are told: values of `-bin` fields as base64."""
    return tuple(
        (name, base64.b64encode(value).decode() if isinstance(value, bytes) else value) for name, value in metadata
    )
