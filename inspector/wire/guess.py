"""What a protobuf message may mean where no schema is at hand.

Numbers of varint and fixed fields are taken at their likeliest reading. A LEN field may be text, a message or bytes
(packed numbers show as bytes), and the bytes of one do not always tell: `image.png` and `8080` parse as messages,
a message that holds a UUID is all printable characters. So the occurrences of a field number in a message are judged
together, and the rules weigh how such payloads come about in practice:

- printable text is text, unless it reads as records of text whose lengths happen to be printable;
- with control characters in it, what parses as a plausible message is one;
- the rest is text where it is mostly printable, else bytes.

Invariant: `guess` returns for any bytes whatever, in time linear in them, nested at most limits.MAX_DEPTH deep.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Iterable
from typing import Literal, NamedTuple
from unicodedata import category

from inspector.errors import DecodeError
from inspector.limits import MAX_DEPTH
from inspector.wire.floats import shortest_float
from inspector.wire.scan import I32, LEN, SGROUP, VARINT, Field, GroupEnds, scan_prefix

JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None
"""What json can hold."""

LIKELY_FIELD_NUMBER = 10_000
"""Real schemas number their fields below this, save for extensions, which are believed where they repeat."""

_RESERVED_NUMBERS = range(19_000, 20_000)
"""Field numbers that no schema may use (language guide, "Assigning Field Numbers")."""

_EXACT_INTEGER = 1 << 53
"""From here on a JSON reader that keeps numbers as doubles loses digits (RFC 8259, section 6)."""

_LEAST_MAGNITUDE, _MOST_MAGNITUDE = 1e-6, 1e9
"""A fixed field read as floating point is believed within these, and at zero; integers come out far below."""

_MAX_ODD_SHARE = 8
"""Text may have one unprintable character in so many: terminal colours, a closing NUL."""


class Guess(NamedTuple):
    """`value` has field numbers as keys. `error` tells what cut the message short; the fields before it are kept."""

    value: dict[str, JsonValue]
    error: DecodeError | None


class _Input(NamedTuple):
    data: bytes
    group_ends: GroupEnds


class _Payloads(NamedTuple):
    """The LEN fields of one number. `parsed` is None where one does not parse, or none needs to be tried.

    `texts` has None for what is not UTF-8; `plain` tells that all are printable throughout.
    """

    raws: list[bytes]
    texts: list[str | None]
    plain: bool
    parsed: list[list[Field]] | None


def guess(data: bytes) -> Guess:
    """Decodes a message without a schema. Never raises.

    Field numbers become keys in order of appearance, repeated fields lists, text strings, messages objects, bytes
    `{"$bytes": "<base64>"}`, integers that JSON readers would round strings.
    """
    source = _Input(data, {})
    fields, error = scan_prefix(data, group_ends=source.group_ends)
    return Guess(_message(source, fields, 0), error)


def _message(source: _Input, fields: list[Field], depth: int) -> dict[str, JsonValue]:
    grouped: dict[int, list[Field]] = {}
    for field in fields:
        grouped.setdefault(field.number, []).append(field)
    return {str(number): _values(source, same, depth) for number, same in grouped.items()}


def _values(source: _Input, same: list[Field], depth: int) -> JsonValue:
    """The value or values of one field number. Those of LEN fields are worked out together, then put in place."""
    contents = iter(_contents(source, [field for field in same if field.wire_type == LEN], depth))
    values = [next(contents) if field.wire_type == LEN else _single(source, field, depth) for field in same]
    return values[0] if len(values) == 1 else values


def _single(source: _Input, field: Field, depth: int) -> JsonValue:
    if field.wire_type == VARINT:
        return _integer(field.value - (1 << 64) if field.value >> 63 else field.value)
    if field.wire_type != SGROUP:
        return _fixed(field)
    if depth >= MAX_DEPTH:
        return _bytes(source.data[field.value_start : field.value_end])
    inner, _ = scan_prefix(source.data, field.value_start, field.value_end, source.group_ends)
    return _message(source, inner, depth + 1)


def _integer(value: int) -> JsonValue:
    return value if abs(value) < _EXACT_INTEGER else str(value)


def _fixed(field: Field) -> JsonValue:
    """Floating point where that gives a likely number, else an unsigned integer (hashes, ids and addresses)."""
    if field.wire_type == I32:
        number: float = struct.unpack("<f", field.value.to_bytes(4, "little"))[0]
    else:
        number = struct.unpack("<d", field.value.to_bytes(8, "little"))[0]
    if number != 0 and not _LEAST_MAGNITUDE <= abs(number) <= _MOST_MAGNITUDE:
        return _integer(field.value)
    return shortest_float(number) if field.wire_type == I32 else number


def _contents(source: _Input, same: list[Field], depth: int) -> Iterable[JsonValue]:
    payloads = _payloads(source, same, depth)
    reading = _judge(payloads)
    if reading == "message":
        return [_message(source, fields, depth + 1) for fields in payloads.parsed or ()]
    return payloads.texts if reading == "text" else map(_bytes, payloads.raws)


def _payloads(source: _Input, same: list[Field], depth: int) -> _Payloads:
    raws = [source.data[field.value_start : field.end] for field in same]
    texts = list(map(_text, raws))
    plain = all(text is not None and _is_plain(text) for text in texts)
    # Plain text is parsed only where it begins as records would; that spares most strings the attempt.
    worthwhile = any(raws) and not (plain and any(raw and raw[0] & 7 != LEN for raw in raws))
    return _Payloads(raws, texts, plain, _parse(source, same) if worthwhile and depth < MAX_DEPTH else None)


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _parse(source: _Input, same: list[Field]) -> list[list[Field]] | None:
    parsed: list[list[Field]] = []
    for field in same:
        fields, error = scan_prefix(source.data, field.value_start, field.end, source.group_ends)
        if error:
            return None
        parsed.append(fields)
    return parsed


# --- the judgement: one of three readings, for all occurrences ---------------------------------------------------

Reading = Literal["message", "text", "bytes"]


def _judge(payloads: _Payloads) -> Reading:
    """The reading that fits all payloads. (The place to rank more of them.)"""
    is_message = payloads.parsed is not None and _is_plausible(payloads.parsed)
    if payloads.plain:
        return "message" if is_message and _reads_as_records(payloads) else "text"
    if is_message:
        return "message"
    return "text" if all(map(_is_mostly_printable, payloads.texts)) else "bytes"


def _bytes(raw: bytes) -> JsonValue:
    return {"$bytes": b64encode(raw).decode("ascii")}


def _is_plain(text: str) -> bool:
    """Printable throughout, line ends and tabs included."""
    return text.isprintable() or _without_layout(text).isprintable()


def _without_layout(text: str) -> str:
    return text.replace("\n", "").replace("\t", "").replace("\r", "")


def _is_mostly_printable(text: str | None) -> bool:
    if text is None:
        return False
    odd = sum(not character.isprintable() and category(character) in _ODD for character in _without_layout(text))
    return odd * _MAX_ODD_SHARE <= len(text)


_ODD = frozenset({"Cc", "Cn", "Co"})
"""Categories that text seldom holds: controls, code points without a character. (Joiners of emoji are Cf.)"""


def _reads_as_records(payloads: _Payloads) -> bool:
    """Whether plain text is rather a message: LEN fields of text that make up most of it.

    By chance that takes a first letter that is a LEN tag, a second that is a fitting length, and so on to the very
    end: about one text in a thousand. What plain text does parse as is numbers and groups (`xs`, `8080`, `subject`).
    """
    return all(map(_is_mostly_records, payloads.raws, payloads.parsed or ()))


def _is_mostly_records(raw: bytes, fields: list[Field]) -> bool:
    if not fields:
        return True
    base = fields[0].tag_start
    contents = [raw[field.value_start - base : field.end - base] for field in fields if field.wire_type == LEN]
    return 4 * sum(map(len, contents)) >= 3 * len(raw) and None not in map(_text, contents)


def _is_plausible(parsed: list[list[Field]]) -> bool:
    """Whether the fields look like those of one message type."""
    counts: dict[int, int] = {}
    only_groups = True
    for fields in parsed:
        for field in fields:
            counts[field.number] = counts.get(field.number, 0) + 1
            only_groups = only_groups and field.wire_type == SGROUP
    return not only_groups and all(map(_is_likely_number, counts.keys(), counts.values()))


def _is_likely_number(number: int, count: int) -> bool:
    return number <= LIKELY_FIELD_NUMBER or (count > 1 and number not in _RESERVED_NUMBERS)
