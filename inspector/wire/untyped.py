"""Messages without a schema as JSON that can be edited and written back, byte for byte.

The value is that of `inspector.wire.guess`. Two keys come to it where they are needed:

- `$wire`: kinds by path, in the words of hints (`{"2": "float", "3.1": "packed-sint64"}`), for values of which JSON
  does not tell how they were written (`inspector.wire.value_writer` says what it tells);
- `$original`: the whole message as base64, where the value alone would not give all of its bytes: fields of one number
  apart from each other, varints longer than needed, damage. What was not edited is then taken from there.

Invariant: `from_value(to_value(data)) == data` for any bytes, also after the value was JSON text.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping

from inspector.errors import EncodeError, InputError
from inspector.wire.content import Source
from inspector.wire.guess import EXACT_INTEGER, guess
from inspector.wire.hints import Hints
from inspector.wire.json_value import JsonValue
from inspector.wire.kinds import NUMBERS, PACKED
from inspector.wire.scan import I32, I64, LEN, SGROUP
from inspector.wire.shape import FieldShape, Shape
from inspector.wire.value_edit import Editor
from inspector.wire.value_writer import Object, Path, ValueWriter, bytes_of

WIRE, ORIGINAL = "$wire", "$original"


def to_value(data: bytes, hints: Mapping[str, str] = {}) -> Object:
    """A message as a JSON value that `from_value` writes back. Raises InputError for hints that are none."""
    shape = Shape.of([data], hints)
    value = guess(data, shape=shape).value
    kinds = dict(_kinds(shape))
    told = {**value, WIRE: _as_json(kinds)} if kinds else value
    if _comes_back(told, data):
        return told
    kinds = {**hints, **kinds}
    original: Object = {ORIGINAL: b64encode(data).decode("ascii")}
    return {**value, WIRE: _as_json(kinds), **original} if kinds else {**value, **original}


def from_value(value: JsonValue, hints: Mapping[str, str] = {}) -> bytes:
    """The message that a value of `to_value` stands for, edited or not, or one made by hand.

    `hints` go before those of the value itself. Raises EncodeError with the path of what cannot be written.
    """
    if not isinstance(value, dict):
        raise EncodeError("a message is a JSON object with field numbers for keys")
    fields = {key: item for key, item in value.items() if key not in (WIRE, ORIGINAL)}
    said = {**_said(value.get(WIRE, {})), **hints}
    writer = ValueWriter(_hints(said))
    if ORIGINAL not in value:
        return writer.message(fields, Path())
    original = _original(value[ORIGINAL])
    shape = Shape.of([original], said)
    before = guess(original, shape=shape).value
    return Editor(Source(original), writer).message(shape, (0, len(original)), before, fields, Path())


def _comes_back(value: Object, data: bytes) -> bool:
    try:
        return from_value(value) == data
    except EncodeError:
        return False


def _as_json(kinds: Mapping[str, str]) -> Object:
    return dict(kinds)


def _said(kinds: JsonValue) -> dict[str, str]:
    if not isinstance(kinds, dict):
        raise EncodeError('expected an object such as {"3.1": "string"}', path=WIRE)
    return {path: kind if isinstance(kind, str) else "" for path, kind in kinds.items()}


def _hints(said: Mapping[str, str]) -> Hints:
    try:
        return Hints(said)
    except InputError as error:
        raise EncodeError(error.message, path=WIRE, hint=error.hint) from None


def _original(text: JsonValue) -> bytes:
    try:
        original = bytes_of({"$bytes": text}, Path())
    except EncodeError:
        original = None
    if original is None:
        raise EncodeError(
            "the original message is not base64", path=ORIGINAL, hint="leave it as it was, or take it out"
        )
    return original


# --- what JSON does not tell -------------------------------------------------------------------------------------


def _kinds(shape: Shape) -> Iterator[tuple[str, str]]:
    """The paths of which the kind has to be said. None can be said of a number that has several wire types: it would
    be taken for all of them."""
    waiting = [_told_apart(shape)]
    while waiting:
        field = next(waiting[-1], None)
        if field is None:
            waiting.pop()
            continue
        if _has_to_be_said(field):
            yield field.path, field.kind
        if field.message is not None:
            waiting.append(_told_apart(field.message))


def _told_apart(shape: Shape) -> Iterator[FieldShape]:
    wire_types = Counter(field.number for field in shape)
    return (field for field in shape if wire_types[field.number] == 1)


def _has_to_be_said(field: FieldShape) -> bool:
    kind = field.kind
    if field.wire_type == LEN:
        return kind.startswith(PACKED)
    if field.wire_type in (SGROUP, I32, I64) or kind in ("sint32", "sint64"):
        return True  # a double too: 0.5 may be edited to 1, which would be taken for a varint
    return any(abs(NUMBERS[kind].read(value)) >= EXACT_INTEGER for value in field.values)
