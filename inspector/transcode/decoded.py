"""What decoding a message gives."""

from __future__ import annotations

from typing import Literal, NamedTuple

from inspector.errors import DecodeError
from inspector.wire.json_value import JsonValue

DecodedBy = Literal["schema", "guess"]


class Decoded(NamedTuple):
    """A message as a JSON value; None where a schema was given and the bytes do not follow it.

    `unknown_bytes` counts tags and values of fields that the schema does not have, in messages within it and in Any
    too. A guess has none, and keeps the fields before its `error`.
    """

    value: JsonValue
    unknown_bytes: int
    decoded_by: DecodedBy
    error: DecodeError | None


class DecodedJson(NamedTuple):
    """The same with the value as compact JSON text in UTF-8, `null` where there is none.

    Where `is_seen`, it is sure to have no character that does not show itself (a control, a mark of direction) and none
    that stands for what is no text (U+FFFD), so that nobody has to look.
    """

    json: bytes
    unknown_bytes: int
    decoded_by: DecodedBy
    error: DecodeError | None
    is_seen: bool = False
