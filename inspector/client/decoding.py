"""Messages of live calls as JSON, by the types of their method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspector.model.call import Message
from inspector.model.problem import Problem
from inspector.session import DecodedMessage, JsonOptions
from inspector.transcode.decode import MessageDecoder

if TYPE_CHECKING:
    from inspector.schema import Schema


class LiveDecoder:
    """Decodes the messages of one method; where its types are not known, by guessing."""

    def __init__(
        self, schema: Schema, request_type: str | None, response_type: str | None, options: JsonOptions = JsonOptions()
    ) -> None:
        self._decoder = MessageDecoder(schema, **options._asdict())
        self._types = {"request": request_type, "response": response_type}

    def decode(self, message: Message) -> DecodedMessage:
        """A message with its JSON; where it does not follow its type, with the problem."""
        type_name = self._types[message.direction or "response"]
        found = self._decoder.decode_json(type_name, message.data or b"")
        if found.error is None:
            return DecodedMessage(message, type_name, found.json, found.decoded_by, found.unknown_bytes, None)
        problem = Problem(found.error.code, found.error.message, None, found.error.offset)
        return DecodedMessage(message, type_name, b"null", found.decoded_by, 0, problem)

    def decode_details(self, details: bytes) -> list[object] | None:
        """The details of a serialized google.rpc.Status as JSON values; None where it is damaged."""
        return self._decoder.status_details(details)
