"""Guessed JSON values (`inspector.wire.guess`) back to the wire: what each kind of value becomes.

Where nothing is said of a path, JSON tells the kind: an integer or a boolean is a varint, a number with a fraction a
double, a string a string, an object a message, `{"$bytes": "<base64>"}` bytes, a list as many fields.

Invariant: what is written reads as the value again, or EncodeError is raised with the path.
"""

from __future__ import annotations

import re
import struct
from base64 import b64decode
from binascii import Error as Base64Error
from typing import NoReturn

from inspector.errors import EncodeError
from inspector.limits import MAX_DEPTH
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.hints import Hints
from inspector.wire.json_value import BYTES, JsonValue
from inspector.wire.kinds import NUMBERS, PACKED
from inspector.wire.scan import EGROUP, I32, I64, MAX_FIELD_NUMBER, SGROUP, VARINT

Object = dict[str, JsonValue]

_RANGES = {
    "int64": (-(1 << 63), 1 << 63),
    "uint64": (0, 1 << 64),
    "sint64": (-(1 << 63), 1 << 63),
    "fixed64": (0, 1 << 64),
    "sfixed64": (-(1 << 63), 1 << 63),
    "uint32": (0, 1 << 32),
    "fixed32": (0, 1 << 32),
    "bool": (0, 1 << 64),
}
_INT32 = (-(1 << 31), 1 << 31)
_ANY_VARINT = (-(1 << 63), 1 << 64)

_FLOATING = frozenset({"float", "double"})
_WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_SIZES = {I32: 4, I64: 8}


class Path:
    """Where a value lies: `fields` are the numbers alone, as hints have them; as text it has the indexes too."""

    def __init__(self, fields: str = "", shown: str = "", depth: int = 0) -> None:
        self.fields = fields
        self.shown = shown
        self.depth = depth

    def field(self, number: int | str) -> Path:
        """The path of a field of the message here."""
        dot = "." if self.shown else ""
        return Path(f"{self.fields}{dot}{number}", f"{self.shown}{dot}{number}", self.depth + 1)

    def item(self, index: int) -> Path:
        """The path of one of several values here."""
        return Path(self.fields, f"{self.shown}[{index}]", self.depth)

    def refuse(self, message: str, hint: str | None = None) -> NoReturn:
        """Raises EncodeError for what is here."""
        raise EncodeError(message, path=self.shown, hint=hint)


class ValueWriter:
    """Writes values; `hints` say of which kind they are."""

    def __init__(self, hints: Hints) -> None:
        self.hints = hints

    def message(self, value: Object, path: Path) -> bytes:
        """The fields of a message, in the order of the object."""
        return b"".join([self._same(key, item, path) for key, item in value.items()])

    def _same(self, key: str, value: JsonValue, path: Path) -> bytes:
        number = field_number(key, path)
        at = path.field(number)
        written = [self.field(number, item, place) for item, place in self.split(value, at)]
        return b"".join(written)

    def split(self, value: JsonValue, path: Path) -> list[tuple[JsonValue, Path]]:
        """The values of the fields that a value stands for. A list of packed numbers is one field."""
        kind = self.hints.said(path.fields)
        if not isinstance(value, list) or (is_packed(kind) and not _has_several(value)):
            return [(value, path)]
        return [(item, path.item(index)) for index, item in enumerate(value)]

    def field(self, number: int, value: JsonValue, path: Path, kind: str | None = None) -> bytes:
        """One field. `kind` serves where the hints say nothing."""
        kind = self.hints.said(path.fields) or kind
        raw = bytes_of(value, path)
        if raw is not None:
            return length_delimited(number, raw)
        if kind is None:
            kind = _kind_by_json(value, path)
        if is_packed(kind):
            return self._packed(number, value, kind.removeprefix(PACKED), path)
        if kind in NUMBERS:
            return _number(number, value, kind, path)
        if kind == "string":
            return length_delimited(number, _text(value, path))
        if kind == "bytes":
            path.refuse(f"expected bytes, found {_name(value)}", 'they are written {"$bytes": "<base64>"}')
        return self._nested(number, value, kind, path)

    def _packed(self, number: int, value: JsonValue, kind: str, path: Path) -> bytes:
        if not isinstance(value, list):
            return _number(number, value, kind, path)  # one of them that stands by itself
        content = [_bare(item, kind, path.item(index)) for index, item in enumerate(value)]
        return length_delimited(number, b"".join(content))

    def _nested(self, number: int, value: JsonValue, kind: str, path: Path) -> bytes:
        if not isinstance(value, dict):
            path.refuse(f"expected a {kind} as an object, found {_name(value)}")
        if path.depth > MAX_DEPTH:
            path.refuse(f"messages nested over {MAX_DEPTH} deep")
        content = self.message(value, path)
        if kind == "group":
            return tag(number, SGROUP) + content + tag(number, EGROUP)
        return length_delimited(number, content)


def is_packed(kind: str | None) -> bool:
    """Whether a kind is that of many numbers in one field."""
    return kind is not None and kind.startswith(PACKED)


def _has_several(values: list[JsonValue]) -> bool:
    return any(isinstance(value, list | dict) for value in values)


def field_number(key: object, path: Path) -> int:
    """The field number that a key is."""
    if not isinstance(key, str):  # from Python, not from a text
        return path.refuse(f"keys are field numbers as text, {key!r} is none")
    if key.isascii() and key.isdigit() and not key.startswith("0") and int(key[:10]) <= MAX_FIELD_NUMBER:
        number = int(key[:10])
        if str(number) == key:
            return number
    hint = "keys are field numbers; for names, name the type with -t"
    return path.field(key).refuse(f"{key!r} is no field number", hint)


def bytes_of(value: JsonValue, path: Path) -> bytes | None:
    """The bytes that an object with `$bytes` stands for; None for any other value."""
    if not isinstance(value, dict) or BYTES not in value:
        return None
    text = value[BYTES]
    if len(value) > 1 or not isinstance(text, str):
        path.refuse('bytes are an object with "$bytes" and nothing else, which is base64')
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        path.refuse(f"$bytes is not base64: {error}")


def _kind_by_json(value: JsonValue, path: Path) -> str:
    if isinstance(value, bool | int):
        return "uint64" if value > _RANGES["int64"][1] - 1 else "int64"
    if isinstance(value, float):
        return "double"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "message"
    return path.refuse(f"{_name(value)} has no place on the wire")


def _number(number: int, value: JsonValue, kind: str, path: Path) -> bytes:
    return tag(number, NUMBERS[kind].wire_type) + _bare(value, kind, path)


def _bare(value: JsonValue, kind: str, path: Path) -> bytes:
    """A number without its tag."""
    wire_type = NUMBERS[kind].wire_type
    try:
        written = NUMBERS[kind].write(_floating(value, path) if kind in _FLOATING else _integer(value, kind, path))
    except (OverflowError, struct.error):
        path.refuse(f"{_name(value)} is too large for {kind}")
    return varint(written) if wire_type == VARINT else written.to_bytes(_SIZES[wire_type], "little")


def _floating(value: JsonValue, path: Path) -> float:
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        path.refuse(f"expected a number, found {_name(value)}")
    return float(value)


def _integer(value: JsonValue, kind: str, path: Path) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if not isinstance(value, int):
        path.refuse(f"expected an integer, found {_name(value)}")
    least, above = _RANGES.get(kind, _INT32)
    if not least <= value < above:
        path.refuse(f"{_name(value)} is out of the range of {kind}")
    return int(value)


def _text(value: JsonValue, path: Path) -> bytes:
    if not isinstance(value, str):
        path.refuse(f"expected a string, found {_name(value)}")
    try:
        return value.encode()
    except UnicodeEncodeError:
        path.refuse("the string has half a surrogate pair, which UTF-8 does not")


def _name(value: JsonValue) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int) and value.bit_length() > 128:
        return "a huge integer"
    if isinstance(value, int | float):
        return str(value)
    return {str: "a string", list: "a list", dict: "an object"}.get(type(value), f"a {type(value).__name__}")
