"""Rows and records of an index -> the calls and messages that they were made of, just as they were.

An index may come from a file that anybody wrote: whatever is not as it should be raises `DamagedIndexError`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from inspector import limits
from inspector.errors import DecodeError
from inspector.index import layout
from inspector.index.spool import Bytes, DamagedIndexError
from inspector.model.call import Call, Direction, Header, Message, Piece, Status
from inspector.model.problem import Problem

_MALFORMED = (struct.error, ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError, DecodeError)
"""What comes of reading a record that is not one."""


class Tables(NamedTuple):
    """What records refer to by number: places of records, kinds, encodings."""

    references: Sequence[int]
    kinds: Sequence[tuple[str | None, str, str | None] | None]
    encodings: Sequence[str]


class MessageRows(NamedTuple):
    """Where the rows of the messages of a call are, and what method those messages name."""

    method: str | None
    rows: bytes


class MessageRow(NamedTuple):
    """A row of a message, its words taken apart."""

    time: int | None
    place: int
    encoding: int
    flags: int
    packet: int
    size: int
    offset: int
    index: int  # type: ignore[assignment]  # as in Message


def read_row(row: bytes) -> MessageRow:
    time, second, third, offset, index = layout.MESSAGE.unpack(row)
    return MessageRow(
        _optional(time), second >> 16, second >> 8 & 0xFF, second & 0xFF, third >> 32, third & 0xFFFFFFFF, offset, index
    )


class Records:
    """Reads records from the bytes of an index, and messages from the capture."""

    def __init__(self, spool: Bytes, capture: Bytes, tables: Tables) -> None:
        self._spool = spool
        self._capture = capture
        self._tables = tables
        self._known: dict[int, Any] = {}

    def call(self, row: bytes) -> Call:
        try:
            return self._call(row)
        except _MALFORMED as error:
            raise DamagedIndexError from error

    def message_rows(self, row: bytes) -> tuple[str | None, int, int]:
        """Of a call: the method that its messages name, the place of their rows, and how many there are."""
        try:
            words = layout.CALL.unpack(row)
            record, end = self._record(words[2] >> 16)
            extra = record[6] if words[2] >> 8 & layout.HAS_EXTRA else {}
            method = extra["method"] if "method" in extra else self._kind(words[3] & 0xFFFFFFFF, extra)[0]
            count = extra.get("rows", (words[5] >> 32) + (words[5] & 0xFFFFFFFF))
            return _text(method), end, _count(count)
        except _MALFORMED as error:
            raise DamagedIndexError from error

    def message(self, call: int, method: str | None, row: MessageRow) -> Message:
        """The message of a row. Raises InputError where the capture cannot be read."""
        try:
            return self._message(call, method, row)
        except _MALFORMED as error:
            raise DamagedIndexError from error

    # --- calls ---------------------------------------------------------------------------------------------------

    def _call(self, row: bytes) -> Call:
        started, duration, third, fourth, fifth, sixth, request_bytes, response_bytes = layout.CALL.unpack(row)
        record, _ = self._record(third >> 16)
        flags = third >> 8 & 0xFF
        extra = record[6] if flags & layout.HAS_EXTRA else {}
        method, protocol, authority = self._kind(fourth & 0xFFFFFFFF, extra)
        client, server = self._reference(record[2])
        began, took = map(_number, extra["times"]) if "times" in extra else (_optional(started), _optional(duration))
        return Call(
            fourth >> 32,
            _text(method),
            str(protocol),
            str(client),
            str(server),
            fifth >> 32,
            fifth & 0xFFFFFFFF,
            began,
            took,
            _text(authority),
            _number(record[0]),
            self._block(record[3]),
            self._block(record[4]),
            self._block(record[5]),
            self._status(record[1]),
            sixth >> 32,
            sixth & 0xFFFFFFFF,
            request_bytes,
            response_bytes,
            bool(flags & layout.COMPLETE),
            tuple(problem(values) for values in extra.get("problems", ())),
        )

    def _record(self, place: int) -> tuple[Any, int]:
        """The record at `place`, and where it ends."""
        (size,) = layout.LENGTH.unpack(self._spool.read(place, 4))
        return orjson.loads(self._spool.read(place + 4, size)), place + 4 + size

    def _reference(self, number: int) -> Any:
        if number < 0:
            raise ValueError
        found = self._known.get(number)
        if found is None:
            if len(self._known) >= limits.MAX_INDEX_REMEMBERED:
                self._known.clear()
            found = self._known[number] = self._record(self._tables.references[number])[0]
        return found

    def _kind(self, number: int, extra: Any) -> Sequence[Any]:
        kind = self._tables.kinds[number] if number else extra["kind"]
        if kind is None or len(kind) != 3:
            raise ValueError
        return kind

    def _status(self, number: int) -> Status | None:
        if number == -1:
            return None
        code, name, message, details, source = self._reference(number)
        octets = None if details is None else details.encode("latin-1")
        return Status(_count(code), str(name), str(message), octets, str(source))

    def _block(self, block: Any) -> tuple[Header, ...]:
        if block is None:
            return ()
        if isinstance(block, int):
            return self._template(block)
        fields = list(self._template(block[0]))
        for at, value in zip(block[1::2], block[2::2], strict=True):
            text = self._reference(value)[0] if isinstance(value, int) else value
            fields[at] = fields[at][0], _text(text)
        return tuple(fields)

    def _template(self, number: int) -> tuple[Header, ...]:
        found: Any = self._reference(number)
        if type(found) is list:
            found = self._known[number] = tuple((_text(name), _text(value)) for name, value in found)
        return found  # type: ignore[no-any-return]

    # --- messages ------------------------------------------------------------------------------------------------

    def _message(self, call: int, method: str | None, row: MessageRow) -> Message:
        direction: Direction | None = "response" if row.flags & layout.RESPONSE else "request"
        if call == 0:
            direction = None
        if row.flags & layout.SPECIAL:
            return self._special(call, method, direction, row)
        source = self._spool if row.flags & layout.SPOOLED else self._capture
        wire = source.read(row.place, row.size) if row.size else b""
        encoding = self._tables.encodings[row.encoding]
        pieces = (Piece(row.packet, row.offset, row.size + 5),)
        data = decompressed(encoding, wire)
        return Message(call, row.index, direction, method, row.time, encoding, data, wire, None, pieces)

    def _special(self, call: int, method: str | None, direction: Direction | None, row: MessageRow) -> Message:
        record, _ = self._record(row.place)
        encoding, own_method, wrong, numbers, extents, copied, size, time = record
        if own_method is not None:
            (method,) = own_method
        if extents is None:
            wire = self._spool.read(copied, _count(size))
        else:
            if sum(map(_count, extents[1::2])) != _count(size):
                raise ValueError
            parts = zip(extents[::2], extents[1::2], strict=True)
            wire = b"".join([self._capture.read(_count(place), length) for place, length in parts])
        pieces = tuple(Piece(*numbers[at : at + 3]) for at in range(0, len(numbers), 3))
        data = decompressed(encoding, wire) if wrong is None else None
        found = None if wrong is None else problem(wrong)
        when = row.time if time is None else _number(time)
        return Message(call, row.index, direction, _text(method), when, str(encoding), data, wire, found, pieces)


def decompressed(encoding: str, wire: bytes) -> bytes:
    """A message of a capture, which was decompressed before. Raises DecodeError where it is another now."""
    if encoding == "identity":
        return wire
    from inspector.net.compression import decompress  # noqa: PLC0415  # many captures do without

    return decompress(encoding, wire, limits.MAX_MESSAGE)


def problem(values: Sequence[Any]) -> Problem:
    code, message, packet, offset = values
    return Problem(str(code), str(message), _number(packet), _number(offset))


def _optional(word: int) -> int | None:
    return None if word == layout.NONE else word


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError


def _number(value: Any) -> int | None:
    if isinstance(value, str):  # it is no word
        return int(value)
    if value is None or isinstance(value, int):
        return value
    raise ValueError


def _count(value: Any) -> int:
    if isinstance(value, int) and value >= 0:
        return value
    raise ValueError
