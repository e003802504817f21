"""Entries of gRPC's binary log (gRPC proposal A16, grpc/binlog/v1/binarylog.proto): `grpc.binarylog.v1.GrpcLogEntry`.

They are read by field number, without descriptors: the message is small and fixed, and so what is damaged in a log
needs no other reader than what is whole.

Invariant: an entry is read whole or not at all; what cannot be read is None, never an entry with a guess in it.
"""

from __future__ import annotations

import base64
from typing import NamedTuple

from inspector.errors import DecodeError
from inspector.model.call import Header
from inspector.wire.field import Field
from inspector.wire.scan import LEN, VARINT, read_tag, read_uint64, read_varint, scan

CLIENT_HEADER, SERVER_HEADER, CLIENT_MESSAGE, SERVER_MESSAGE, CLIENT_HALF_CLOSE, SERVER_TRAILER, CANCEL = range(1, 8)
"""GrpcLogEntry.EventType."""

UNKNOWN_LOGGER, CLIENT_LOGGER, SERVER_LOGGER = range(3)
"""GrpcLogEntry.Logger: who wrote the entry."""

IPV4, IPV6, UNIX = 1, 2, 3
"""Address.Type."""

TIMESTAMP, CALL_ID, SEQUENCE, TYPE, LOGGER = 1, 2, 3, 4, 5
CLIENT_HEADER_PAYLOAD, SERVER_HEADER_PAYLOAD, MESSAGE_PAYLOAD, TRAILER_PAYLOAD = 6, 7, 8, 9
TRUNCATED, PEER = 10, 11
"""Fields of GrpcLogEntry."""

NANO = 1_000_000_000

_VARINTS = (CALL_ID, SEQUENCE, TYPE, LOGGER, TRUNCATED)
_WIRE_TYPES = {number: VARINT if number in _VARINTS else LEN for number in range(TIMESTAMP, PEER + 1)}
_MOST_FIELDS = len(_WIRE_TYPES)
_PAYLOADS = {
    CLIENT_HEADER: CLIENT_HEADER_PAYLOAD, SERVER_HEADER: SERVER_HEADER_PAYLOAD, CLIENT_MESSAGE: MESSAGE_PAYLOAD,
    SERVER_MESSAGE: MESSAGE_PAYLOAD, SERVER_TRAILER: TRAILER_PAYLOAD,
}  # fmt: skip


class LoggedMessage(NamedTuple):
    """A message: its length, and what of it was logged. `offset` is where `data` stands in the log."""

    length: int
    data: bytes
    offset: int


class LoggedHeader(NamedTuple):
    """The header of a client (with method, authority and timeout in nanoseconds) or of a server."""

    fields: tuple[Header, ...]
    method: str | None
    authority: str | None
    timeout: int | None


class LoggedTrailer(NamedTuple):
    """How a call ended. `details` is a serialized google.rpc.Status."""

    fields: tuple[Header, ...]
    code: int
    message: str
    details: bytes | None


class Entry(NamedTuple):
    """One entry. `time` is in nanoseconds since the epoch, `sequence` counts from 1 within the call (0: not told),
    `offset` is where the entry stands in the log."""

    kind: int
    logger: int
    call_id: int
    sequence: int
    time: int | None
    payload: LoggedMessage | LoggedHeader | LoggedTrailer | None
    truncated: bool
    peer: str | None
    offset: int


def read_entry(data: bytes, start: int, end: int, base: int) -> Entry | None:
    """The entry in `data[start:end]`, where `data` begins at `base` of the log; None where it is damaged."""
    try:
        return _read_entry(data, start, end, base)
    except (DecodeError, _Damaged):
        return None


class _Damaged(Exception):
    """A field is not of the type that it has in the .proto file."""


def _read_entry(data: bytes, start: int, end: int, base: int) -> Entry:
    numbers: dict[int, int] = {}
    contents: dict[int, Field] = {}
    for field in scan(data, start, end):
        number, wire_type, _, _, _, value = field
        if _WIRE_TYPES.get(number, wire_type) != wire_type:
            raise _Damaged
        if wire_type == VARINT:
            numbers[number] = value
        elif number not in contents:
            contents[number] = field
        elif number <= PEER:  # parts of a message that are to be merged, which no logger writes
            raise _Damaged
    kind = numbers.get(TYPE, 0)
    payload = contents.get(_PAYLOADS.get(kind, 0))
    time, peer = contents.get(TIMESTAMP), contents.get(PEER)
    return Entry(
        kind,
        numbers.get(LOGGER, 0),
        numbers.get(CALL_ID, 0),
        numbers.get(SEQUENCE, 0),
        None if time is None else _read_time(data, time),
        None if payload is None else _read_payload(kind, data, payload, base),
        bool(numbers.get(TRUNCATED)),
        None if peer is None else _read_address(data, peer),
        base + start,
    )


def _read_payload(kind: int, data: bytes, field: Field, base: int) -> LoggedMessage | LoggedHeader | LoggedTrailer:
    if kind in (CLIENT_MESSAGE, SERVER_MESSAGE):
        return _read_message(data, field, base)
    if kind == SERVER_TRAILER:
        return _read_trailer(data, field)
    return _read_header(data, field)


def _within(data: bytes, field: Field, wire_types: dict[int, int]) -> list[Field]:
    """The fields in a LEN field that are known, of the right types."""
    if field.wire_type != LEN:
        raise _Damaged
    found = [each for each in scan(data, field.value_start, field.end) if each.number in wire_types]
    if any(each.wire_type != wire_types[each.number] for each in found):
        raise _Damaged
    return found


_TIME = {1: VARINT, 2: VARINT}
_MESSAGE = {1: VARINT, 2: LEN}
_HEADER = {1: LEN, 2: LEN, 3: LEN, 4: LEN}
_TRAILER = {1: LEN, 2: VARINT, 3: LEN, 4: LEN}
_METADATA = {1: LEN}
_PAIR = {1: LEN, 2: LEN}
_ADDRESS = {1: VARINT, 2: LEN, 3: VARINT}


def _read_time(data: bytes, field: Field) -> int:
    """A Timestamp or Duration in nanoseconds."""
    parts = {1: 0, 2: 0} | {each.number: each.value for each in _within(data, field, _TIME)}
    seconds, nanos = (value - (1 << 64) if value >> 63 else value for value in parts.values())
    return seconds * NANO + nanos


def _read_message(data: bytes, field: Field, base: int) -> LoggedMessage:
    length, start, end = 0, field.end, field.end
    for each in _within(data, field, _MESSAGE):
        if each.number == 1:
            length = each.value
        else:
            start, end = each.value_start, each.end
    return LoggedMessage(length, data[start:end], base + start)


def _read_header(data: bytes, field: Field) -> LoggedHeader:
    """ServerHeader has the first of these fields only."""
    fields: tuple[Header, ...] = ()
    texts: dict[int, str] = {}
    timeout = None
    for each in _within(data, field, _HEADER):
        if each.number == 1:
            fields += _read_metadata(data, each)
        elif each.number == 4:
            timeout = _read_time(data, each)
        else:
            texts[each.number] = _text(data[each.value_start : each.end])
    return LoggedHeader(fields, texts.get(2), texts.get(3), timeout)


def _read_trailer(data: bytes, field: Field) -> LoggedTrailer:
    fields: tuple[Header, ...] = ()
    code, message, details = 0, "", None
    for each in _within(data, field, _TRAILER):
        content = data[each.value_start : each.end] if each.wire_type == LEN else b""
        if each.number == 1:
            fields += _read_metadata(data, each)
        elif each.number == 2:
            code = each.value
        elif each.number == 3:
            message = _text(content)
        else:
            details = content or None
    return LoggedTrailer(fields, code, message, details)


def _read_metadata(data: bytes, field: Field) -> tuple[Header, ...]:
    return tuple(_read_pair(data, each) for each in _within(data, field, _METADATA))


def _read_pair(data: bytes, field: Field) -> Header:
    name, value = "", b""
    for each in _within(data, field, _PAIR):
        content = data[each.value_start : each.end]
        if each.number == 1:
            name = _text(content)
        else:
            value = content
    # The log has the octets of `-bin` values; records have them in base64, as HTTP/2 does.
    return name, base64.b64encode(value).decode("ascii") if name.endswith("-bin") else _text(value)


def _read_address(data: bytes, field: Field) -> str | None:
    """`address:port`, `[address]:port` or `unix:path`."""
    kind, text, port = 0, "", 0
    for each in _within(data, field, _ADDRESS):
        if each.number == 2:
            text = _text(data[each.value_start : each.end])
        elif each.number == 1:
            kind = each.value
        else:
            port = each.value
    if kind == UNIX:
        return text if text.startswith("unix:") else f"unix:{text}"
    if kind in (IPV4, IPV6):
        return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"
    return text or None


def _text(octets: bytes) -> str:
    """As headers of captures are read: UTF-8, and where it is not, a character for each octet."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def looks_like_entry(data: bytes, start: int, end: int, *, whole: bool) -> bool:
    """Whether `data[start:end]` is an entry beyond doubt, or, if not `whole`, the beginning of one: only its known
    fields, each once, with time, call, sequence and type. Looks at no more than the fields that an entry has."""
    numbers: dict[int, int] = {}
    try:
        while start < end:
            tag, start = read_tag(data, start, end)
            number = tag >> 3
            if _WIRE_TYPES.get(number) != tag & 7 or number in numbers or len(numbers) >= _MOST_FIELDS:
                return False
            value, start = read_uint64(data, start, end) if tag & 7 == VARINT else read_varint(data, start, end)
            numbers[number] = value
            if tag & 7 == LEN:
                start += value
                if number == TIMESTAMP and not 2 <= value <= _LONGEST_TIME:
                    return False
    except DecodeError as error:
        if whole or error.code != "truncated":
            return False
    if start > end and whole:
        return False
    is_known = numbers.get(LOGGER, 0) <= SERVER_LOGGER and CLIENT_HEADER <= numbers.get(TYPE, 0) <= CANCEL
    return is_known and TIMESTAMP in numbers and bool(numbers.get(CALL_ID)) and bool(numbers.get(SEQUENCE))


_LONGEST_TIME = 22
"""Bytes of a Timestamp: two tags and two varints."""
