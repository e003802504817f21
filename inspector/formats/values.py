"""Messages as JSON values, which JSON and YAML both write down: by the schema, or, without a type, by field numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from inspector.errors import EncodeError
from inspector.formats.base import Conversion
from inspector.transcode.decode import MessageDecoder
from inspector.wire.json_value import JsonValue

if TYPE_CHECKING:
    from inspector.transcode.encode import MessageEncoder
    from inspector.transcode.refusal import Locate

Encode = Callable[[JsonValue, "Locate"], bytes]
"""Makes a message of a value. Raises EncodeError with line and column, which the other argument finds."""


def decoder(conversion: Conversion) -> MessageDecoder:
    """A decoder with the options of a conversion."""
    return MessageDecoder(
        conversion.resolver,
        emit_defaults=conversion.emit_defaults,
        proto_names=conversion.proto_names,
        enum_numbers=conversion.enum_numbers,
        keep_unknown=conversion.keep_unknown,
    )


def to_value(data: bytes, conversion: Conversion) -> JsonValue:
    """The value of a message. Raises DecodeError where it does not follow its type."""
    if conversion.type_name is None:
        from inspector.wire import untyped  # noqa: PLC0415  # with all that guessing takes

        return untyped.to_value(data, conversion.hints)
    decoded = decoder(conversion).decode(conversion.type_name, data)
    if decoded.error is not None:
        raise decoded.error
    return decoded.value


def encoder(conversion: Conversion) -> MessageEncoder:
    """An encoder with the options of a conversion."""
    from inspector.transcode.encode import MessageEncoder  # noqa: PLC0415  # not needed to print messages

    return MessageEncoder(conversion.resolver, ignore_unknown=conversion.ignore_unknown)


def encode(conversion: Conversion) -> Encode:
    """What makes messages of values."""
    if conversion.type_name is None:
        return lambda value, locate: _encode_untyped(value, conversion, locate)
    return partial(encoder(conversion).encode, conversion.type_name)


def _encode_untyped(value: JsonValue, conversion: Conversion, locate: Locate) -> bytes:
    from inspector.transcode.refusal import steps_of  # noqa: PLC0415  # as above
    from inspector.wire import untyped  # noqa: PLC0415

    try:
        return untyped.from_value(value, conversion.hints)
    except EncodeError as error:
        line, column = locate(steps_of(error.path), False) or (None, None)
        raise EncodeError(error.message, path=error.path, line=line, column=column, hint=error.hint) from None
