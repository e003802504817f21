"""JSON to message bytes, by a schema.

Callers that have text give it to `encode_json`: how JSON text becomes bytes behind it may change to something faster.
"""

from __future__ import annotations

from functools import partial

from inspector.errors import EncodeError, SchemaError
from inspector.transcode.field_writers import Body
from inspector.transcode.json_source import JsonSource
from inspector.transcode.message_writers import MessageWriters
from inspector.transcode.refusal import Locate, Refusal
from inspector.transcode.resolver import Resolver, message_descriptor
from inspector.wire.guess import JsonValue


class MessageEncoder:
    """Encodes messages of the types of a schema. The options are those of `MessageWriters`.

    What it learns of a type it keeps, so one is made for many messages. It is for one thread at a time.
    """

    def __init__(self, resolver: Resolver | None, *, ignore_unknown: bool = False, strict: bool = False) -> None:
        self._resolver = resolver
        self._writers = MessageWriters(resolver, ignore_unknown=ignore_unknown, strict=strict)
        self._types: dict[str, Body] = {}

    def encode(self, type_name: str, value: JsonValue, locate: Locate | None = None) -> bytes:
        """The message that a parsed JSON value stands for, as it is on the wire.

        Raises EncodeError with the path to what is wrong, and its line and column where `locate` finds them;
        SchemaError for a type that the schema lacks.
        """
        try:
            body = self._types.get(type_name) or self._load(type_name)
            return body(value, 0)
        except Refusal as refusal:
            raise refusal.error(locate) from None
        except RecursionError:
            raise EncodeError("nested too deep for the calls that there is room for") from None
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # A damaged descriptor: names that are not text, map entries without a key.
            raise SchemaError(f"the schema of {type_name} is damaged: {error}") from None

    def encode_json(self, type_name: str, text: bytes) -> bytes:
        """The message that a JSON document stands for. Errors are those of `encode`, with line and column."""
        source = JsonSource(text)
        value, start = source.document()
        return self.encode(type_name, value, partial(source.place, start))

    def _load(self, type_name: str) -> Body:
        body = self._types[type_name] = self._writers.body(message_descriptor(self._resolver, type_name))
        return body
