"""JSON to message bytes, by a schema.

Callers that have text give it to `encode_json`, or first to `read_all` where there may be several messages in it. A
compiled kernel turns what is plainly right into bytes; the exact path, of JSON values, has everything else.
"""

from __future__ import annotations

import re
from functools import partial

from google.protobuf.descriptor import Descriptor

from inspector.errors import EncodeError, SchemaError
from inspector.transcode.field_writers import Body
from inspector.transcode.json_source import JsonSource
from inspector.transcode.message_writers import MessageWriters
from inspector.transcode.refusal import Locate, Refusal
from inspector.transcode.resolver import Resolver, message_descriptor
from inspector.transcode.wire_tables import type_row
from inspector.wire.json_value import JsonValue

try:
    from inspector.transcode.json_to_wire_cy import WireEncoder
except ImportError:  # not compiled
    WireEncoder = None  # type: ignore[assignment, misc]


_ARRAY = re.compile(rb"[ \t\n\r]*\[[ \t\n\r]*(\][ \t\n\r]*)?")
"""How an array begins, and ends where it is empty."""

_NEXT_ITEM = re.compile(rb",|(\][ \t\n\r]*)")


class MessageEncoder:
    """Encodes messages of the types of a schema. The options are those of `MessageWriters`.

    What it learns of a type it keeps, so one is made for many messages. It is for one thread at a time.
    """

    def __init__(self, resolver: Resolver | None, *, ignore_unknown: bool = False, strict: bool = False) -> None:
        self._resolver = resolver
        self._writers = MessageWriters(resolver, ignore_unknown=ignore_unknown, strict=strict)
        self._types: dict[str, Body] = {}
        self._kernel = WireEncoder(type_row, self._find) if WireEncoder is not None else None

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
        found = self.read_all(type_name, text)
        if found is not None and found[1] == len(text):
            return found[0][0]
        source = JsonSource(text)
        value, start = source.document()
        return self.encode(type_name, value, partial(source.place, start))

    def read_all(
        self, type_name: str, text: bytes, start: int = 0, *, arrays: bool = False
    ) -> tuple[list[bytes], int] | None:
        """The message of the JSON document at an offset, and the offset of what follows it and white space: by the
        kernel. None where it is not sure that all is well; `encode` is asked then. With `arrays` an array is one of
        messages."""
        descriptor = self._find(type_name) if self._kernel is not None else None
        if self._kernel is None or descriptor is None:
            return None
        if arrays and (opening := _ARRAY.match(text, start)) is not None:
            return _read_items(self._kernel, descriptor, text, opening)
        found = self._kernel.read(descriptor, text, start)
        return None if found is None else ([found[0]], found[1])

    def _find(self, type_name: str) -> Descriptor | None:
        return self._resolver.find_message(type_name) if self._resolver else None

    def _load(self, type_name: str) -> Body:
        body = self._types[type_name] = self._writers.body(message_descriptor(self._resolver, type_name))
        return body


def _read_items(
    kernel: WireEncoder, descriptor: Descriptor, text: bytes, opening: re.Match[bytes]
) -> tuple[list[bytes], int] | None:
    """The messages of an array."""
    messages: list[bytes] = []
    found: re.Match[bytes] | None = opening
    while found is not None and not found[1]:
        read = kernel.read(descriptor, text, found.end())
        if read is None:
            return None
        messages.append(read[0])
        found = _NEXT_ITEM.match(text, read[1])
    return (messages, found.end()) if found is not None else None
