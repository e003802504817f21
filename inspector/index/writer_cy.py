"""Calls and messages of a capture -> the rows and records of an index (`layout`).

Nothing is lost: what a row has no room for, or what is out of the ordinary, stands in a record, so that each call and
message can be made again just as it was. What repeats (header blocks, end points, long values) is written once and
referred to by a number; the tables that find it again are bounded, and forgetting costs only that it is written twice.

Where the bytes of a message lie in the capture file is found by looking for them within the packets that it says it
came in. So what is noted is right whatever happened to the packets in between, and what is not found is copied.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from inspector import limits
from inspector.errors import InputError
from inspector.index import layout
from inspector.model.call import Call, Header, Message, Piece, Status
from inspector.model.problem import Problem

if TYPE_CHECKING:
    from inspector import cython_shim as cython
else:
    try:
        import cython
    except ImportError:
        from inspector import cython_shim as cython


_NONE = cython.declare(cython.longlong, layout.NONE)
_ELSEWHERE: int = layout.ELSEWHERE
_BLANK_LENGTH = cython.declare(bytes, bytes(layout.LENGTH.size))
_BLANK_CALL = cython.declare(bytes, bytes(layout.CALL_SIZE))
_BLANK_MESSAGE = cython.declare(bytes, bytes(layout.MESSAGE_SIZE))
_CHUNK_SIZE = cython.declare(cython.Py_ssize_t, layout.CHUNK_ROWS * layout.CALL_SIZE)
_CALL_SIZE = cython.declare(cython.Py_ssize_t, layout.CALL_SIZE)
_MESSAGE_SIZE = cython.declare(cython.Py_ssize_t, layout.MESSAGE_SIZE)
_MAX_NUMBER = cython.declare(cython.longlong, layout.MAX_NUMBER)
_MAX_KINDS = cython.declare(cython.Py_ssize_t, limits.MAX_INDEX_KINDS)
_MAX_REMEMBERED = cython.declare(cython.Py_ssize_t, limits.MAX_INDEX_REMEMBERED)
_MAX_PACKETS = cython.declare(cython.Py_ssize_t, limits.MAX_INDEX_PACKETS)

_FAR: int = 1 << 62
"""Times from here on, which only damage makes, or a deadline of centuries, are no words and stand as text."""

LONG_VALUE = 32
"""Characters from which on a header value that comes again is written only once."""

MOST_MISSES = 4
"""Messages of a packet that are looked for in vain in it, before the others of it are not looked for."""

Read = Callable[[int, int], bytes]
"""Place and size of some bytes of the capture file -> those of them that are there."""


@cython.final
@cython.cclass
class OpenCall:
    """The rows of the messages of a call that has not ended. `method` is what its messages say."""

    method = cython.declare(str, visibility="readonly")
    rows = cython.declare(bytearray, visibility="readonly")

    def __init__(self, method: str | None, rows: bytearray) -> None:
        self.method = method  # type: ignore[assignment]  # or None
        self.rows = rows

    def copied(self) -> OpenCall:
        return OpenCall(self.method, bytearray(self.rows))


@cython.cfunc
@cython.inline
def _is_far(time: int | None) -> cython.bint:
    return time is not None and not -_FAR < time < _FAR


@cython.cfunc
@cython.inline
def _number(value: int | None) -> object:
    """A number as it stands in a record."""
    return str(value) if _is_far(value) else value


@cython.cfunc
@cython.inline
def _put(row: bytearray, at: cython.Py_ssize_t, value: cython.longlong) -> None:
    """Writes a word."""
    index: cython.Py_ssize_t
    for index in range(8):
        row[at + index] = value >> 8 * index & 0xFF


@cython.cfunc
@cython.inline
def _put_half(row: bytearray, at: cython.Py_ssize_t, value: cython.longlong) -> None:
    """Writes half a word."""
    index: cython.Py_ssize_t
    for index in range(4):
        row[at + index] = value >> 8 * index & 0xFF


@cython.cfunc
@cython.exceptval(-2)
def _find(data: bytes, part: bytes, start: cython.longlong, end: cython.longlong) -> cython.longlong:
    """`data.find(part, start, end)`, which first prepares for a part of its length, and so takes longer than to try
    the places where its first bytes stand. There may be many of these, so only some are tried."""
    if len(part) < 32:
        return data.find(part, start, end)
    head: bytes = part[:16]
    for _ in range(8):
        start = data.find(head, start, end)
        if start < 0:
            return -1
        if data.startswith(part, start, end):
            return start
        start += 1
    return data.find(part, start, end)


@cython.final
@cython.cclass
class IndexWriter:
    """Events of a capture, in batches -> `chunks` of rows, and bytes for the spool.

    `open_calls` are those that have messages, but did not end.
    """

    count = cython.declare(cython.Py_ssize_t, visibility="readonly")
    chunks = cython.declare(list, visibility="readonly")
    kinds = cython.declare(list, visibility="readonly")
    statuses = cython.declare(list, visibility="readonly")
    encodings = cython.declare(list, visibility="readonly")
    problems = cython.declare(list, visibility="readonly")
    more_problems = cython.declare(cython.longlong, visibility="readonly")
    damaged = cython.declare(cython.bint, visibility="readonly")
    open_calls = cython.declare(dict, visibility="readonly")
    _numbers: Any
    _references: Any
    _out: bytearray  # what this batch adds to the spool
    _base: cython.longlong  # its place
    _chunk: bytearray
    _kind_ids: dict[tuple[str | None, str, str | None], int]
    _status_ids: dict[Status, int]
    _encoding_ids: dict[str, int]
    _templates: dict[tuple[str | None, ...], tuple[tuple[Header, ...], int]]
    _by_method: dict[str | None, list[dict[int, tuple[tuple[Header, ...], int]]]]
    _long_values: dict[str, int]
    _ends: dict[int, tuple[str, str, int]]
    _last_status: Status | None
    _last_status_id: cython.Py_ssize_t
    # Where packets are. `_positions[0]` is that of packet number `_first_packet`.
    _read: Read | None
    _positions: list[int]
    _first_packet: cython.longlong
    _data: bytes
    _data_at: cython.longlong
    _packet: cython.longlong  # the one looked at last, up to where, and how often in vain
    _cursor: cython.longlong
    _misses: cython.int
    _lead: cython.longlong  # bytes of the last packets before their message
    _older_lead: cython.longlong
    _far: bytes  # bytes of it, where they are not in `_data`

    def __init__(self, read: Read | None) -> None:
        """`read` reads the capture file; None where that cannot be read again: then all messages are copied."""
        self.count = 0
        self.chunks = []
        self._numbers = array("i")
        self._references = array("q")
        self.kinds = [None]
        self.statuses = []
        self.encodings = []
        self.problems = []
        self.more_problems = 0
        self.damaged = False
        self.open_calls = {}
        self._out = bytearray()
        self._base = 0
        self._chunk = bytearray()
        self._kind_ids = {}
        self._status_ids = {}
        self._encoding_ids = {}
        self._templates = {}
        self._by_method = {}
        self._long_values = {}
        self._ends = {}
        self._last_status = None
        self._last_status_id = -1
        self._read = read
        self._positions = []
        self._first_packet = 1
        self._data = b""
        self._data_at = 0
        self._packet = -1
        self._cursor = 0
        self._misses = 0
        self._lead = 0
        self._older_lead = 0
        self._far = b""

    @property
    def numbers(self) -> array[int]:
        """The row of each call number; -1 where there is none."""
        return self._numbers  # type: ignore[no-any-return]

    @property
    def references(self) -> array[int]:
        """The place of each record that others refer to."""
        return self._references  # type: ignore[no-any-return]

    def add(
        self, events: list[Message | Call | Problem], base: int, data: bytes, at: int, positions: list[int]
    ) -> bytearray:
        """Takes what came of reading `data`, which stands at `at` of the file and ends `positions` more packets.
        Returns what is to be appended to the spool, at `base`; rows of it are valid only after that."""
        self._out = bytearray()
        self._base = base
        self._data = data
        self._data_at = at
        self._positions += positions
        kind: object
        for event in events:
            kind = type(event)
            if kind is Message:
                self._add_message(event)  # type: ignore[arg-type]
            elif kind is Call:
                self._add_call(event)  # type: ignore[arg-type]
            else:
                self._add_problem(event)  # type: ignore[arg-type]
        if len(self._positions) > 2 * _MAX_PACKETS:
            self._first_packet += len(self._positions) - _MAX_PACKETS
            del self._positions[:-_MAX_PACKETS]
        return self._out

    def _add_problem(self, problem: Problem) -> None:
        self.damaged = self.damaged or problem.is_damage
        if len(self.problems) < limits.MAX_INDEX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1

    # --- going back ----------------------------------------------------------------------------------------------

    def mark(self) -> tuple[Any, ...]:
        """What `go_back` needs to undo what is added from here on."""
        calls = {number: call.copied() for number, call in self.open_calls.items()}
        packets = self._first_packet + len(self._positions)
        return self.count, len(self._numbers), calls, len(self.problems), self.more_problems, self.damaged, packets

    def go_back(self, mark: tuple[Any, ...]) -> None:
        """Undoes what was added since `mark`. (What the spool got since then stays there, unused.)"""
        count, numbers, calls, problems, more_problems, damaged, packets = mark
        for row in range(count, self.count):
            chunk: bytearray = self.chunks[row // layout.CHUNK_ROWS]
            number = layout.CALL.unpack_from(chunk, row % layout.CHUNK_ROWS * layout.CALL_SIZE)[3] >> 32
            self._numbers[number] = -1
        self.count = count
        del self._numbers[numbers:]
        del self.chunks[(count + layout.CHUNK_ROWS - 1) // layout.CHUNK_ROWS :]
        self._chunk = self.chunks[-1] if self.chunks else bytearray()
        if self.chunks:
            del self._chunk[((count - 1) % layout.CHUNK_ROWS + 1) * layout.CALL_SIZE :]
        self.open_calls = calls
        del self.problems[problems:]
        self.more_problems = more_problems
        self.damaged = damaged
        del self._positions[packets - self._first_packet :]
        self._packet = -1

    # --- calls ---------------------------------------------------------------------------------------------------

    @cython.cfunc
    def _add_call(self, event: Call) -> None:
        started: int | None
        duration: int | None
        number: cython.longlong
        connection: cython.longlong
        stream: cython.longlong
        requests: cython.longlong
        responses: cython.longlong
        (
            number, method, protocol, client, server, connection, stream, started, duration, authority, deadline,
            request_headers, response_headers, trailers, status, requests, responses, request_bytes, response_bytes,
            complete, problems,
        ) = cython.cast(tuple, event)  # fmt: skip
        if not 0 < number <= _MAX_NUMBER or max(connection, stream, requests, responses) > _MAX_NUMBER:
            raise InputError(f"an index holds no more than {layout.MAX_NUMBER} calls, or messages of one")
        extra: dict[str, object] | None = None
        flags: cython.longlong = 1 if complete else 0
        kind_key = (method, protocol, authority)
        found_kind = self._kind_ids.get(kind_key)
        kind: cython.longlong = self._add_kind(kind_key) if found_kind is None else found_kind
        if kind == 0:
            extra = {"kind": [method, protocol, authority]}
        messages: OpenCall | None = self.open_calls.pop(number, None)
        rows: bytearray | None = None if messages is None else messages.rows
        held: cython.longlong = 0 if rows is None else len(rows) // _MESSAGE_SIZE
        if held != requests + responses:
            extra = extra or {}
            extra["rows"] = held
        if messages is not None and messages.method != method:
            extra = extra or {}
            extra["method"] = messages.method
        if _is_far(started) or _is_far(duration):
            extra = extra or {}
            extra["times"] = [_number(started), _number(duration)]
            started = duration = _ELSEWHERE
        if problems:
            flags |= 2
            self.damaged = self.damaged or any([problem.is_damage for problem in problems])  # noqa: C419  # Cython has no generators in C functions
            extra = extra or {}
            extra["problems"] = [tuple(problem) for problem in problems]
        status_id: cython.Py_ssize_t
        if status is self._last_status:
            status_id = self._last_status_id
        else:
            status_id = self._status_id(status)
        code: cython.longlong = 255 if status is None else 254 if status.code > 253 else status.code
        templates = self._by_method.get(method)
        if templates is None:
            templates = self._begin_method(method)
        record: list[object] = [
            _number(deadline),
            status_id,
            self._ends_reference(connection, client, server),
            self._block(templates[0], request_headers),
            self._block(templates[1], response_headers),
            self._block(templates[2], trailers),
        ]
        if extra is not None:
            flags |= 4
            record.append(extra)
        place: cython.longlong = self._append_record(orjson.dumps(record))
        if rows is not None:
            self._out += rows
        known: cython.longlong = len(self._numbers)
        if known == number:
            self._numbers.append(self.count)
        else:
            while known <= number:
                self._numbers.append(-1)
                known += 1
            self._numbers[number] = self.count
        if self.count * _CALL_SIZE % _CHUNK_SIZE == 0:
            self._chunk = bytearray()
            self.chunks.append(self._chunk)
        row: bytearray = self._chunk
        at: cython.Py_ssize_t = len(row)
        row += _BLANK_CALL
        _put(row, at, _NONE if started is None else started)
        _put(row, at + 8, _NONE if duration is None else duration)
        _put(row, at + 16, place << 16 | flags << 8 | code)
        _put(row, at + 24, number << 32 | kind)
        _put(row, at + 32, connection << 32 | stream)
        _put(row, at + 40, requests << 32 | responses)
        _put(row, at + 48, request_bytes)
        _put(row, at + 56, response_bytes)
        self.count += 1

    @cython.cfunc
    @cython.exceptval(-1)
    def _append_record(self, record: bytes) -> cython.longlong:
        place: cython.longlong = self._base + len(self._out)
        at: cython.Py_ssize_t = len(self._out)
        self._out += _BLANK_LENGTH
        _put_half(self._out, at, len(record))
        self._out += record
        return place

    @cython.cfunc
    @cython.exceptval(-1)
    def _refer(self, record: object) -> cython.Py_ssize_t:
        """Writes a record that others refer to; its number."""
        place = self._append_record(orjson.dumps(record))
        self._references.append(place)
        return len(self._references) - 1

    def _add_kind(self, kind: tuple[str | None, str, str | None]) -> int:
        if len(self.kinds) > _MAX_KINDS:
            return 0
        self.kinds.append(kind)
        self._kind_ids[kind] = len(self.kinds) - 1
        return len(self.kinds) - 1

    def _status_id(self, status: Status | None) -> int:
        """The number of a status that has one already or gets one; -1 for None."""
        if status is None:
            return -1
        found = self._status_ids.get(status)
        if found is None:
            if len(self._status_ids) >= _MAX_REMEMBERED:
                self._status_ids.clear()
            details = None if status.details is None else status.details.decode("latin-1")
            found = self._refer([status.code, status.name, status.message, details, status.source])
            self._status_ids[status] = found
        self._last_status = status
        self._last_status_id = found
        return found

    @cython.cfunc
    @cython.exceptval(-1)
    def _ends_reference(self, connection: cython.longlong, client: str, server: str) -> cython.Py_ssize_t:
        known = self._ends.get(connection)
        if known is not None and known[0] == client and known[1] == server:
            return known[2]
        if len(self._ends) >= _MAX_REMEMBERED:
            self._ends.clear()
        reference = self._refer([client, server])
        self._ends[connection] = client, server, reference
        return reference

    # --- header blocks -------------------------------------------------------------------------------------------

    def _begin_method(self, method: str | None) -> list[dict[int, tuple[tuple[Header, ...], int]]]:
        if len(self._by_method) >= _MAX_REMEMBERED:
            self._by_method.clear()
        made: list[dict[int, tuple[tuple[Header, ...], int]]] = [{}, {}, {}]
        self._by_method[method] = made
        return made

    @cython.cfunc
    def _block(self, latest: dict[int, tuple[tuple[Header, ...], int]], fields: tuple[Header, ...]) -> object:
        """A header block: a reference to one with the same names, and places and values where it differs."""
        size: cython.Py_ssize_t = len(fields)
        if not size:
            return None
        template = latest.get(size)
        if template is not None and template[0] is fields:
            return template[1]
        found = None if template is None else self._differences(template, fields)
        if found is None:
            template = self._template(fields)
            if len(latest) >= 64:
                latest.clear()
            latest[size] = template
            found = self._differences(template, fields)
        return found

    @cython.cfunc
    def _differences(self, template: tuple[tuple[Header, ...], int], fields: tuple[Header, ...]) -> object:
        """None where the names differ."""
        index: cython.Py_ssize_t
        base: tuple[Header, ...] = template[0]
        found: list[object] | None = None
        for index in range(len(fields)):
            field = fields[index]
            other = base[index]
            if field is other:
                continue
            name, value = cython.cast(tuple, field)
            other_name, other_value = cython.cast(tuple, other)
            if name != other_name:
                return None
            if value != other_value:
                if found is None:
                    found = [template[1]]
                found.append(index)
                found.append(self._value(value))
        return template[1] if found is None else found

    @cython.cfunc
    def _value(self, value: str | None) -> object:
        """The value itself, or, of a long one that was met before, its number."""
        if value is None or len(value) < LONG_VALUE:
            return value
        known = self._long_values.get(value)
        if known is None:
            if len(self._long_values) >= _MAX_REMEMBERED:
                self._long_values.clear()
            self._long_values[value] = -1
            return value
        if known < 0:
            known = self._refer([value])
            self._long_values[value] = known
        return known

    def _template(self, fields: tuple[Header, ...]) -> tuple[tuple[Header, ...], int]:
        names = tuple([name for name, _ in fields])
        template = self._templates.get(names)
        if template is None:
            if len(self._templates) >= _MAX_REMEMBERED:
                self._templates.clear()
            template = fields, self._refer(fields)
            self._templates[names] = template
        return template

    # --- messages ------------------------------------------------------------------------------------------------

    @cython.cfunc
    def _add_message(self, event: Message) -> None:
        index: cython.longlong
        wire: bytes
        number, index, direction, method, time, encoding, _, wire, problem, pieces = cython.cast(tuple, event)
        messages: OpenCall | None = self.open_calls.get(number)
        if messages is None:
            messages = OpenCall(method, bytearray())
            self.open_calls[number] = messages
        flags: cython.longlong = 1 if direction == "response" else 0
        packet: cython.longlong = 0
        offset: cython.longlong = 0
        size: cython.longlong = len(wire)
        place: cython.longlong = -1
        encoding_id: cython.longlong = self._encoding_id(encoding)
        is_usual: cython.bint = problem is None and len(pieces) == 1 and encoding_id < 255
        if is_usual:
            packet, offset, length = cython.cast(tuple, pieces[0])
            is_usual = length == size + 5 and packet <= _MAX_NUMBER
        if is_usual and messages.method is not method:
            is_usual = messages.method == method
        if _is_far(time):
            is_usual = False
        if is_usual:
            place = self._locate(wire, packet, offset + 5)
            if place < 0:
                flags |= 4
                place = self._base + len(self._out)
                self._out += wire
        else:
            flags |= 2
            self.damaged = self.damaged or problem is not None
            place = self._append_special(messages, event)
        rows: bytearray = messages.rows
        at: cython.Py_ssize_t = len(rows)
        rows += _BLANK_MESSAGE
        _put(rows, at, _NONE if time is None or _is_far(time) else time)
        _put(rows, at + 8, place << 16 | encoding_id << 8 | flags)
        _put(rows, at + 16, packet << 32 | size)
        _put(rows, at + 24, offset)
        _put_half(rows, at + 32, index)

    @cython.cfunc
    @cython.exceptval(-1)
    def _encoding_id(self, encoding: str) -> cython.longlong:
        """The number of an encoding; 255 where there are too many."""
        found = self._encoding_ids.get(encoding)
        if found is None:
            if len(self.encodings) >= 255:
                return 255
            found = len(self.encodings)
            self.encodings.append(encoding)
            self._encoding_ids[encoding] = found
        return found

    def _append_special(self, messages: OpenCall, message: Message) -> int:
        """Writes all of a message that is out of the ordinary, but for what its row has; where to."""
        extents = self._extents(message.wire, message.pieces)
        copied = -1
        if extents is None:
            copied = self._base + len(self._out)
            self._out += message.wire
        method = [message.method] if message.method != messages.method else None
        problem = None if message.problem is None else tuple(message.problem)
        pieces = [number for piece in message.pieces for number in piece]
        time = _number(message.time) if _is_far(message.time) else None
        record = [message.encoding, method, problem, pieces, extents, copied, len(message.wire), time]
        return self._append_record(orjson.dumps(record))

    def _extents(self, wire: bytes, pieces: tuple[Piece, ...]) -> list[int] | None:
        """Place and size, in turn, of the parts of a message in the capture file; None where it is not all there."""
        if sum([piece.length for piece in pieces]) - 5 != len(wire):
            return None
        extents: list[int] = []
        at = -5  # the prefix comes first
        for packet, offset, length in pieces:
            skipped = max(0, min(-at, length))
            start, end = at + skipped, at + length
            at = end
            if start >= end:
                continue
            place = self._locate(wire[start:end], packet, offset + skipped)
            if place < 0:
                return None
            if extents and extents[-2] + extents[-1] == place:
                extents[-1] += end - start
            else:
                extents += (place, end - start)
        return extents

    # --- places in the file --------------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-2)
    def _locate(self, part: bytes, packet: cython.longlong, offset: cython.longlong) -> cython.longlong:
        """Where these bytes, which came in that packet, stand in the capture file; -1 where they are not found."""
        if self._read is None:
            return -1
        if not part:
            return 0
        start: cython.longlong
        end: cython.longlong
        last: cython.longlong = self._data_at + len(self._data)
        index: cython.longlong = packet - self._first_packet
        count: cython.longlong = len(self._positions)
        if packet == 0:  # no packets: the file is the stream
            start, end = offset, offset + len(part)
        elif 0 <= index < count:
            start = self._positions[index]
            end = self._positions[index + 1] if index + 1 < count else last
        else:
            return -1
        if packet != self._packet or packet == 0:
            self._packet = packet
            self._cursor = start
            self._misses = 0
            self._far = b""
        elif self._misses >= MOST_MISSES:
            return -1
        found: cython.longlong
        if start >= self._data_at and end <= last:
            found = self._find_near(part, start - self._data_at, end - self._data_at)
        else:
            found = self._find_far(part, start, end)
        if found < 0:
            self._misses += 1
        else:
            self._cursor = found + len(part)
        return found

    @cython.cfunc
    @cython.exceptval(-2)
    def _find_near(self, part: bytes, start: cython.longlong, end: cython.longlong) -> cython.longlong:
        """The same in a packet that is at hand. Headers of calls are often as long as those of the calls before, so
        it is looked first where messages began in the packets before: requests and responses take turns."""
        lead: cython.longlong = self._older_lead
        begin: cython.longlong = self._cursor - self._data_at
        if begin == start and self._data.startswith(part, start + lead, end):
            self._older_lead = self._lead
            self._lead = lead
            return self._data_at + start + lead
        found: cython.longlong = _find(self._data, part, begin, end)
        if found < 0:
            return -1
        self._older_lead = self._lead
        self._lead = found - start
        return self._data_at + found

    @cython.cfunc
    @cython.exceptval(-2)
    def _find_far(self, part: bytes, start: cython.longlong, end: cython.longlong) -> cython.longlong:
        """The same in a packet of which not all bytes are at hand."""
        if not self._far and self._read is not None:
            self._far = self._read(start, min(end - start, limits.MAX_SOUGHT_RECORD))
        found: cython.longlong = _find(self._far, part, max(0, self._cursor - start), len(self._far))
        return found if found < 0 else start + found
