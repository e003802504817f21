"""Message bytes to JSON: by a schema, or by guessing where there is none.

Callers that want text ask for `decode_json`: a compiled kernel writes what is plainly right; the exact way, through
JSON values, has everything else and is imported when it is needed.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from inspector.transcode.decoded import Decoded, DecodedJson
from inspector.transcode.json_tables import JsonTables
from inspector.transcode.json_text import dumps

if TYPE_CHECKING:
    from inspector.transcode.exact import ExactDecoder
    from inspector.transcode.resolver import Resolver
    from inspector.wire.guess import Shape

try:
    from inspector.transcode.wire_to_json_cy import WireToJson
except ImportError:
    WireToJson = None  # type: ignore[assignment, misc]  # not compiled

_new = tuple.__new__
"""Makes a named tuple in half the time: that of a short message is mostly what surrounds it."""


class MessageDecoder:
    """Decodes messages of the types of a schema. The options are those of `JsonPrinter`.

    What it learns of a type it keeps, so one is made for many messages. It is for one thread at a time.
    """

    def __init__(
        self,
        resolver: Resolver | None = None,
        *,
        emit_defaults: bool = False,
        proto_names: bool = False,
        enum_numbers: bool = False,
        strict: bool = False,
        keep_unknown: bool = False,
    ) -> None:
        self._resolver = resolver
        names = {"emit_defaults": emit_defaults, "proto_names": proto_names, "enum_numbers": enum_numbers}
        self._options = {**names, "strict": strict, "keep_unknown": keep_unknown}
        self._tables = JsonTables(resolver, **names)
        has_kernel = WireToJson is not None and not keep_unknown
        self._kernel = WireToJson(self._tables, strict=strict) if has_kernel else None
        self._indices: dict[str, int] = {}

    def decode(self, type_name: str | None, data: bytes) -> Decoded:
        """Decodes one message; without a type name it guesses.

        Damage is in `error`, its offset counted from the start of the message: `truncated`, `wire`, `depth` or
        `utf8`, where it is strict also `json`. Raises SchemaError for a type that the schema lacks.
        """
        return self.decode_unknown(data) if type_name is None else self._exact.decode(type_name, data)

    def decode_unknown(self, data: bytes, shape: Shape | None = None) -> Decoded:
        """Decodes one message whose type is not known; `shape` is that of messages like it."""
        from inspector.wire.guess import guess  # noqa: PLC0415  # many modules, not needed where a schema tells

        value, error = guess(data, shape=shape)
        return Decoded(value, 0, "guess", error)

    def decode_json(self, type_name: str | None, data: bytes, shape: Shape | None = None) -> DecodedJson:
        """Like `decode` and `decode_unknown`, to JSON text."""
        decoded = None if type_name is None else self.decode_plain(type_name, data)
        if decoded is not None:
            return decoded
        found = self.decode_unknown(data, shape) if type_name is None else self._exact.decode(type_name, data)
        return DecodedJson(dumps(found.value), found.unknown_bytes, found.decoded_by, found.error)

    def decode_plain(self, type_name: str, data: bytes) -> DecodedJson | None:
        """What the kernel writes; None where the message is for the exact way, or nothing is compiled."""
        kernel = self._kernel
        if kernel is None:
            return None
        index = self._indices.get(type_name)
        if index is None:
            index = self._indices[type_name] = self._tables.type_index(type_name)
        text = kernel.write(index, data)
        if text is None:
            return None
        return _new(DecodedJson, (text, kernel.unknown_bytes, "schema", None, not kernel.has_unseen))

    def status_details(self, status: bytes) -> list[object] | None:
        """The details of a serialized google.rpc.Status as JSON values; None where it is damaged."""
        value = self.decode("google.rpc.Status", status).value
        found = value.get("details", []) if isinstance(value, dict) else None
        return [*found] if isinstance(found, list) else None

    @cached_property
    def _exact(self) -> ExactDecoder:
        from inspector.transcode.exact import ExactDecoder  # noqa: PLC0415  # many modules, and kernels do without

        return ExactDecoder(self._resolver, **self._options)
