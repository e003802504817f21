"""What a call led to, for who asks with values: the answer, or the error that its status is.

The invariant: text of the server is in the message of the error without control characters, and bounded.
"""

from __future__ import annotations

from typing import NamedTuple

from inspector.errors import InspectorError
from inspector.model.call import Header, Status
from inspector.schema.wording import one_line
from inspector.wire.json_value import JsonValue


class Answer(NamedTuple):
    """`messages` are JSON values, `data` the same as bytes; `details` are those of the status (google.rpc), as JSON."""

    messages: list[JsonValue]
    data: list[bytes]
    status: Status
    details: list[JsonValue]
    headers: tuple[Header, ...]
    trailers: tuple[Header, ...]

    @property
    def message(self) -> JsonValue:
        """The only message, or the last one; None where there is none."""
        return self.messages[-1] if self.messages else None


class CallError(InspectorError):
    """A call that ended with a status other than OK. `where` is the method."""

    def __init__(
        self,
        method: str,
        status: Status,
        details: list[JsonValue],
        headers: tuple[Header, ...],
        trailers: tuple[Header, ...],
    ) -> None:
        text = f"{status.name}: {one_line(status.message)}" if status.message else status.name
        super().__init__(text, where=method)
        self.status = status
        self.details = details
        self.headers = headers
        self.trailers = trailers
