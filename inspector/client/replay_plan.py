"""A captured call as what has to be done to make it again, or why that cannot be done.

The invariant: a call is planned only where the capture holds all that its client sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from inspector import limits
from inspector.client.replay_headers import HeaderEdits
from inspector.client.settings import Metadata
from inspector.index.capture_index import CaptureIndex
from inspector.model.call import Call, Message
from inspector.net.compression import ENCODINGS
from inspector.net.status import is_of_client_reset

_MESSAGE_OVERHEAD = 512
"""What a message costs beside its bytes, so that many empty ones count."""


class Request(NamedTuple):
    """A request to send: not before so many responses have arrived (`after`), `offset` nanoseconds into the call."""

    data: bytes
    encoding: str
    after: int
    offset: int


class Planned(NamedTuple):
    """A call to make. `deadline` is in seconds.

    `cancel_after` is set where the client gave the call up: it does so again when all requests are sent and so many
    responses have arrived.
    """

    call: Call
    requests: tuple[Request, ...]
    answers: tuple[Message, ...]
    metadata: Metadata
    encoding: str
    deadline: float | None
    cancel_after: int | None

    @property
    def cost(self) -> int:
        """Bytes of memory that it holds, about."""
        return cost_of(self.call)


class Unfit(NamedTuple):
    """A call that cannot be made again, and why."""

    call: Call
    reason: str


class Planner:
    """Plans the calls of a capture. `max_time` (seconds) stands for each captured deadline, `no_deadline` for none.

    `left_out` tells which header fields were not taken over, by reason; it grows as calls are planned.
    """

    def __init__(
        self, index: CaptureIndex, edits: HeaderEdits, *, max_time: float | None = None, no_deadline: bool = False
    ) -> None:
        self._index = index
        self._edits = edits
        self._max_time = max_time
        self._no_deadline = no_deadline
        self.left_out: dict[str, dict[str, int]] = {}

    def plan(self, call: Call) -> Planned | Unfit:
        """What making the call again takes."""
        reason = _unfit(call)
        if reason is not None:
            return Unfit(call, reason)
        messages = self._index.messages_of(call.number)
        answers = tuple(each for each in messages if each.direction == "response")
        reason = _unsendable(call, messages)
        if reason is not None:
            return Unfit(call, reason)
        metadata, left = self._edits.apply(call.request_headers)
        for why, name in left:
            names = self.left_out.setdefault(why, {})
            if name in names or len(names) < limits.MAX_REPLAY_NAMES:
                names[name] = names.get(name, 0) + 1
        requests = tuple(_requests(call, messages))
        encoding = _encoding(call, requests)
        cancel_after = len(answers) if _was_given_up(call) else None
        return Planned(call, requests, answers, metadata, encoding, self._deadline(call), cancel_after)

    def _deadline(self, call: Call) -> float | None:
        if self._no_deadline:
            return None
        captured = None if call.deadline is None else call.deadline / 1e9
        return self._max_time or captured


def cost_of(call: Call) -> int:
    """Bytes of memory that the messages of a call take, about."""
    return call.request_bytes + call.response_bytes + _MESSAGE_OVERHEAD * (call.requests + call.responses)


def _unfit(call: Call) -> str | None:
    """Why a call cannot be made again, as far as it tells itself."""
    if call.method is None:
        return "its method is not in the capture"
    if not call.method.startswith("/") or not call.method.isascii() or not call.method.isprintable():
        return "its path is not one of a method"
    if any(problem.code == "started_late" for problem in call.problems):
        return "its beginning is not in the capture"
    if call.duration is None:
        return "its end is not in the capture: there may be more requests"
    if cost_of(call) > limits.MAX_REPLAYED_CALL:
        return f"its messages take over {limits.MAX_REPLAYED_CALL} bytes"
    return None


def _unsendable(call: Call, messages: Sequence[Message]) -> str | None:
    requests = [each for each in messages if each.direction == "request"]
    for each in requests:
        if each.data is None:
            return f"request {each.index} cannot be read" + (f": {each.problem.message}" if each.problem else "")
        if each.problem is not None:
            return f"request {each.index} is not whole: {each.problem.message}"
    if len(requests) != call.requests or any(problem.code in _LOST for problem in call.problems):
        return "not all of its requests are in the capture"
    return None


_LOST = frozenset(("message_skipped", "entries_missing", "stream_limit", "call_limit"))
"""Problems of a call which say that messages may be missing."""


def _requests(call: Call, messages: Iterable[Message]) -> Iterable[Request]:
    arrived = 0
    start = call.started
    for message in messages:
        if message.direction == "response":
            arrived += 1
        elif message.data is not None:
            known = start is not None and message.time is not None
            offset = max(0, message.time - start) if known else 0  # type: ignore[operator]
            yield Request(message.data, message.encoding, arrived, offset)


def _encoding(call: Call, requests: Iterable[Request]) -> str:
    """The grpc-encoding of the requests; a log has none, and its messages as they were before compression."""
    named = dict(call.request_headers).get("grpc-encoding")
    used = [each.encoding for each in requests if each.encoding != "identity"]
    found = used[0] if used else named
    return found if found in ENCODINGS else "identity"


def _was_given_up(call: Call) -> bool:
    """Whether it was the client that ended the call. (Where its deadline passed, that will pass again.)"""
    status = call.status
    if status is None:  # with trailers it has a status, which is a field from before the capture
        return not call.trailers
    return is_of_client_reset(status)
