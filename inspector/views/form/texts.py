"""Values of a form as the text that a person types, both ways.

Invariant: `value_of(text_of(value))` is the value; no text means something else than it seems to: a time without its
zone is refused, bytes are shown with the word for their form.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor

from inspector.errors import InspectorError
from inspector.limits import MIB
from inspector.transcode.json_source import JsonSource
from inspector.transcode.json_text import dumps
from inspector.transcode.refusal import Refusal
from inspector.transcode.scalar_readers import enum_numbers, from_base64, is_null, parse_number, scalar_reader
from inspector.transcode.well_known import LONGEST_DURATION, duration_text, timestamp_text
from inspector.transcode.well_known_readers import READERS, timestamp_fields
from inspector.views.form.items import LONG, Item, enum_of
from inspector.views.safe_text import safe, safe_json
from inspector.wire.json_value import JsonValue

MOST_FILE = 64 * MIB
"""Bytes of a file that becomes the value of a field."""

MOST_TEXT = 4_096
"""Characters that a row shows of a value."""


class Manner(NamedTuple):
    """How values are written: times in the local zone or in UTC, bytes as `auto` (text where they are some), `hex` or
    `base64`. `clock` gives nanoseconds since 1970."""

    is_local: bool = False
    bytes_as: str = "auto"
    clock: Callable[[], int] = time.time_ns


PLAIN = Manner()


def text_of(item: Item, value: JsonValue, manner: Manner = PLAIN) -> str:
    """The text that stands for a value. It is safe to show."""
    if isinstance(value, dict | list) and item.kind != "json":
        return _json(value)  # a time out of its range, a mask with names that do not come back
    return _WRITERS.get(item.kind, _plain)(item, value, manner)


def value_of(item: Item, text: str, manner: Manner = PLAIN) -> JsonValue:
    """The value that a text stands for. Raises Refusal."""
    value = _READERS[item.kind](item, text, manner)
    if item.field is not None:
        scalar_reader(item.field, False)(value)
    elif item.message is not None and item.message.full_name in READERS and not isinstance(value, dict):
        READERS[item.message.full_name](value)
    return value


def key_of(field: FieldDescriptor, text: str) -> str:
    """The key of a map that a text stands for, as JSON has it. Raises Refusal."""
    if field.type == FieldDescriptor.TYPE_BOOL:
        return "true" if _bool(text) else "false"
    if field.type == FieldDescriptor.TYPE_STRING:
        key = _read_string(text)
    else:
        key = str(_integer(text))
    scalar_reader(field, False)(key)
    return key


def key_text(field: FieldDescriptor, key: str) -> str:
    """The text for a key."""
    return _string(key) if field.type == FieldDescriptor.TYPE_STRING else key


def hint_for(item: Item) -> str:
    """What may be typed."""
    return _HINTS.get(item.kind, "")


_HINTS = {
    "string": 'text; "..." as in JSON for what cannot be typed',
    "bytes": "text:..., hex:00ff, base64:AP8=, @FILE",
    "bool": "true or false",
    "enum": "a name, or a number",
    "integer": "a number, 0x for hexadecimal",
    "real": "a number, nan, inf",
    "timestamp": "2026-11-23 09:03:11 Z, or local, or +02:00; now, now+5m",
    "duration": "1.5s, 250ms, 2h30m, 3d",
    "mask": "names of fields, with commas between",
    "json": "JSON",
}


# --- strings and bytes -------------------------------------------------------------------------------------------


def _plain(item: Item, value: JsonValue, manner: Manner) -> str:
    return _string(value) if isinstance(value, str) else _json(value)


def _string(value: str) -> str:
    return _json(value) if safe(value) != value or value.startswith('"') else value


def _json(value: JsonValue) -> str:
    return safe_json(dumps(value)).decode()


def _read_string(text: str) -> str:
    value = _parse_json(text) if text.startswith('"') else text
    if not isinstance(value, str):
        raise Refusal('text that begins with " is a string of JSON', hint='it ends with "')
    return value


def _bytes(item: Item, value: JsonValue, manner: Manner) -> str:
    assert isinstance(value, str)
    if manner.bytes_as == "base64":
        return f"base64:{value}"
    data = from_base64(value)
    if manner.bytes_as == "auto":
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = "\0"
        if safe(text) == text:
            return f"text:{text}"
    return f"hex:{data.hex()}"


def _read_bytes(item: Item, text: str, manner: Manner) -> JsonValue:
    form, colon, rest = text.partition(":")
    if text.startswith("@") or form == "file":
        return _base64(_file(text[1:] if text.startswith("@") else rest))
    if colon and form == "hex":
        digits = re.sub(r"[\s:]|0x", "", rest)
        try:
            return _base64(bytes.fromhex(digits))
        except ValueError:
            raise Refusal(f"{_cut(rest)} is not hexadecimal", hint="two digits for each byte") from None
    if colon and form == "base64":
        try:
            bare = "".join(rest.split()).replace("-", "+").replace("_", "/").rstrip("=")
            return _base64(a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True))
        except (Base64Error, ValueError):
            raise Refusal(f"{_cut(rest)} is not base64") from None
    return _base64((rest if colon and form == "text" else text).encode("utf-8", "surrogatepass"))


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def _file(path: str) -> bytes:
    """The content of a file: only of a plain one, as others may keep us waiting."""
    path = os.path.expanduser(path.strip())
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise Refusal(f"{_cut(path)} is not a plain file")
        if found.st_size > MOST_FILE:
            raise Refusal(f"{_cut(path)} has {found.st_size:,} bytes", hint=f"at most {MOST_FILE:,}")
        with open(path, "rb") as file:
            return file.read(MOST_FILE)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no name of a file"
        raise Refusal(f"{_cut(path)} cannot be read: {reason}") from None


def _cut(text: str) -> str:
    return safe(text[:60]) + ("…" if len(text) > 60 else "")


# --- numbers, bool, enums ----------------------------------------------------------------------------------------


def _integer(text: str) -> int:
    bare = text.strip().replace("_", "")
    try:
        return int(bare, 16 if bare.lower().lstrip("+-").startswith("0x") else 10)
    except ValueError:
        raise Refusal(f"{_cut(text) or 'nothing'} is not an integer") from None


def _read_integer(item: Item, text: str, manner: Manner) -> JsonValue:
    number = _integer(text)
    return str(number) if item.field is not None and item.field.type in LONG else number


_WORDS = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity", "-inf": "-Infinity", "-infinity": "-Infinity"}


def _read_real(item: Item, text: str, manner: Manner) -> JsonValue:
    bare = text.strip().replace("_", "")
    if bare.lower() in _WORDS:
        return _WORDS[bare.lower()]
    number = parse_number(bare)
    if number is None:
        try:
            number = float(bare)
        except ValueError:
            raise Refusal(f"{_cut(text) or 'nothing'} is not a number") from None
    return number


def _bool(text: str) -> bool:
    word = text.strip().lower()
    if word in ("true", "t", "yes", "y", "1"):
        return True
    if word in ("false", "f", "no", "n", "0"):
        return False
    raise Refusal(f"expected true or false, found {_cut(text) or 'nothing'}")


def _enum(item: Item, value: JsonValue, manner: Manner) -> str:
    if value is None:
        return enum_of(item).values[0].name
    return safe(str(value))


def _read_enum(item: Item, text: str, manner: Manner) -> JsonValue:
    enum, word = enum_of(item), text.strip()
    known = enum_numbers(enum)
    if is_null(enum):
        return None
    if word in known:
        return word
    if word.lstrip("-").isdecimal():
        return _integer(word)
    same = [name for name in known if name.casefold() == word.casefold()]
    return same[0] if len(same) == 1 else word


# --- times -------------------------------------------------------------------------------------------------------

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ]+(\d\d:\d\d)(:\d\d)?(\.\d{1,9})?)?\s*(Z|UTC|local|[+-]\d\d:?\d\d)?", re.I | re.ASCII
)
_NOW = re.compile(r"now\s*(?:([+-])\s*(.+))?", re.I)


def _timestamp(item: Item, value: JsonValue, manner: Manner) -> str:
    if not isinstance(value, str) or not manner.is_local:
        return str(value)
    fields = timestamp_fields(value)
    seconds, nanos = fields["seconds"], fields["nanos"]
    assert isinstance(seconds, int)
    try:
        found = (_EPOCH + timedelta(seconds=seconds)).astimezone()
    except (OverflowError, ValueError):
        return value
    offset = found.utcoffset()
    if found.year < 1000 or offset is None or offset.seconds % 60:  # as zones had it in the days of local time
        return value
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{found:%Y-%m-%d %H:%M:%S}{fraction} {_offset(found)}"


def _offset(found: datetime) -> str:
    text = found.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def _read_timestamp(item: Item, text: str, manner: Manner) -> JsonValue:
    bare = text.strip()
    if bare.startswith("{"):
        return _parse_json(bare)
    now = _NOW.fullmatch(bare)
    if now is not None:
        shift = _nanoseconds(now[2]) if now[2] else 0
        return _utc(manner.clock() + (-shift if now[1] == "-" else shift))
    found = _TIME.fullmatch(bare)
    if found is None:
        raise Refusal(f"{_cut(text) or 'nothing'} is not a time", hint="2026-11-23 09:03:11 Z, or: now")
    date, minutes, seconds, fraction, zone = found.groups()
    if zone is None:
        raise Refusal("the zone is missing", hint="end with Z for UTC, local, or +02:00")
    plain = f"{date}T{minutes or '00:00'}{seconds or ':00'}"
    fields = timestamp_fields(_in_zone(plain, fraction or "", zone))
    return timestamp_text(_Parts(**fields))


def _in_zone(plain: str, fraction: str, zone: str) -> str:
    """A time with its zone, as RFC 3339 has it."""
    if zone.lower() == "local":
        try:
            plain = datetime.fromisoformat(plain).astimezone(UTC).isoformat()[:19]
        except (OverflowError, ValueError, OSError) as error:
            raise Refusal(f"{plain} is no time: {error}") from None
    if zone.upper() in ("Z", "UTC", "LOCAL"):
        return f"{plain}{fraction}Z"
    return f"{plain}{fraction}{zone if ':' in zone else f'{zone[:3]}:{zone[3:]}'}"


class _Parts(NamedTuple):
    """What Timestamp and Duration have."""

    seconds: Any
    nanos: Any


def _utc(nanoseconds: int) -> JsonValue:
    text = timestamp_text(_Parts(*divmod(nanoseconds, 10**9)))
    if text is None:
        raise Refusal("the time is out of range", hint="years 1 to 9999")
    return text


# --- durations ---------------------------------------------------------------------------------------------------

_UNITS = {
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 10**9, "sec": 10**9, "m": 60 * 10**9,
    "min": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9,
}  # fmt: skip
_PART = re.compile(r"(\d+)(?:\.(\d+))?\s*([a-zµμ]+)\s*", re.ASCII | re.I)


def _nanoseconds(text: str) -> int:
    """Nanoseconds of `2h30m`, `-1.5s`, `250 ms`. Raises Refusal."""
    bare = text.strip()
    sign = -1 if bare.startswith("-") else 1
    bare = bare.lstrip("+-").strip()
    at, total = 0, 0
    while at < len(bare) or not bare:
        found = _PART.match(bare, at)
        unit = _UNITS.get(found[3].lower()) if found else None
        if found is None or unit is None:
            raise Refusal(f"{_cut(text) or 'nothing'} is not a duration", hint="a number and its unit: 1.5s, 250ms, 2h")
        fraction = found[2] or ""
        scaled = int(found[1] + fraction) * unit
        total += scaled // 10 ** len(fraction)
        if scaled % 10 ** len(fraction):
            raise Refusal(f"{_cut(text)} is finer than a nanosecond")
        at = found.end()
    return sign * total


def _read_duration(item: Item, text: str, manner: Manner) -> JsonValue:
    if text.strip().startswith("{"):
        return _parse_json(text)
    nanoseconds = _nanoseconds(text)
    sign = -1 if nanoseconds < 0 else 1
    seconds, nanos = divmod(abs(nanoseconds), 10**9)
    if seconds > LONGEST_DURATION:
        raise Refusal(f"{_cut(text)} is out of the range of a Duration", hint=f"at most {LONGEST_DURATION} seconds")
    return duration_text(_Parts(sign * seconds, sign * nanos))


# --- masks and JSON ----------------------------------------------------------------------------------------------


def _mask(item: Item, value: JsonValue, manner: Manner) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", str(value))


def _read_mask(item: Item, text: str, manner: Manner) -> JsonValue:
    if text.strip().startswith("{"):
        return _parse_json(text)
    bare = ",".join(part.strip() for part in text.split(","))
    if re.search("[^A-Za-z0-9_.,]", bare):
        raise Refusal(f"{_cut(text)} is no list of fields", hint="name, parts.title")
    if re.search("_(?![a-z])", bare):
        raise Refusal(f"{_cut(text)}: _ stands before a small letter in a mask")
    return re.sub("_[a-z]", lambda found: found[0][1].upper(), bare)


def _parse_json(text: str) -> JsonValue:
    try:
        return JsonSource(text.encode("utf-8", "surrogatepass")).document().value
    except InspectorError as error:
        raise Refusal(error.message, hint=error.hint) from None


def _read_json(item: Item, text: str, manner: Manner) -> JsonValue:
    value = _parse_json(text)
    wanted = {"Struct": dict, "ListValue": list}.get(item.message.name if item.message is not None else "")
    if wanted is not None and not isinstance(value, wanted):
        raise Refusal("a Struct is an object: {...}" if wanted is dict else "a ListValue is an array: [...]")
    return value


def _number(item: Item, value: JsonValue, manner: Manner) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_WRITERS: dict[str, Callable[[Item, JsonValue, Manner], str]] = {
    "bytes": _bytes, "enum": _enum, "timestamp": _timestamp, "mask": _mask, "integer": _number, "real": _number,
    "json": lambda item, value, manner: _json(value),
}  # fmt: skip

_READERS: dict[str, Callable[[Item, str, Manner], JsonValue]] = {
    "string": lambda item, text, manner: _read_string(text),
    "bytes": _read_bytes,
    "bool": lambda item, text, manner: _bool(text),
    "enum": _read_enum,
    "integer": _read_integer,
    "real": _read_real,
    "timestamp": _read_timestamp,
    "duration": _read_duration,
    "mask": _read_mask,
    "json": _read_json,
}
