"""Binary logs of gRPC (proposal A16), as its libraries and `inspector record` write them -> calls and messages.

What a call was is put together from its entries, by logger and call id, in the order of their sequence numbers: several
threads write a log, so entries of a call may stand in another order. What is out of order waits for what is missing,
but not for long.

Invariant: each entry that could be read is in a call or in a problem; a log that is cut anywhere gives what it holds.
"""

from __future__ import annotations

from collections import deque

from inspector import limits
from inspector.model.call import Call, Direction, Header, Message, Piece, Status
from inspector.model.problem import Problem
from inspector.net import status
from inspector.net.grpc_cy import CANCEL as RESET_CANCEL
from inspector.net.grpc_cy import PREFIX_SIZE, status_name
from inspector.sources import binlog_entry as entries
from inspector.sources.base import SourceEvent
from inspector.sources.binlog_entry import Entry, LoggedHeader, LoggedMessage, LoggedTrailer
from inspector.sources.binlog_frames import EntryReader

_DIRECTIONS: dict[int, Direction] = {entries.CLIENT_MESSAGE: "request", entries.SERVER_MESSAGE: "response"}

_Key = tuple[int, int]
"""Logger and call id: client and server may log to one file, and then both count from 1."""


class _OpenCall:
    """A call of which the end was not read."""

    def __init__(self, number: int, key: _Key, time: int | None) -> None:
        self.number = number
        self.key = key
        self.method: str | None = None
        self.authority: str | None = None
        self.deadline: int | None = None
        self.client = ""
        self.server = ""
        self.started = time
        self.ended_at: int | None = None
        self.request_headers: tuple[Header, ...] = ()
        self.response_headers: tuple[Header, ...] = ()
        self.trailers: tuple[Header, ...] = ()
        self.status: Status | None = None
        self.counts: dict[Direction, int] = {"request": 0, "response": 0}
        self.sizes: dict[Direction, int] = {"request": 0, "response": 0}
        self.problems: list[Problem] = []
        self.more_problems = 0
        self.next = 1  # the sequence number that is expected
        self.pending: dict[int, Entry] = {}
        self.is_over = False

    def report(self, problem: Problem) -> None:
        if len(self.problems) < limits.MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1


class BinlogParser:
    """Bytes of a log -> its messages, and its calls as they end."""

    def __init__(self, *, with_messages: bool = True) -> None:
        self._with_messages = with_messages
        self._reader = EntryReader()
        self._open: dict[_Key, _OpenCall] = {}
        self._closed: dict[_Key, int] = {}  # numbers of those that ended lately
        self._waiting: deque[tuple[int, _OpenCall]] = deque()  # for entries that may come, since which entry
        self._held = 0  # bytes of messages that wait
        self._entries = 0
        self._calls = 0

    def feed(self, data: bytes) -> list[SourceEvent]:
        events: list[SourceEvent] = []
        self._take_all(self._reader.feed(data), events)
        return events

    def close(self) -> list[SourceEvent]:
        events: list[SourceEvent] = []
        self._take_all(self._reader.close(), events)
        for call in list(self._open.values()):
            self._end(call, events)
        return events

    def describe(self) -> str | None:
        return f"{self._entries:,} log entries, {self._calls:,} calls"

    def _take_all(self, found: list[Entry | Problem], events: list[SourceEvent]) -> None:
        for item in found:
            if type(item) is Entry:
                self._take(item, events)
            else:
                events.append(item)  # type: ignore[arg-type]  # a Problem

    # --- order ---------------------------------------------------------------------------------------------------

    def _take(self, entry: Entry, events: list[SourceEvent]) -> None:
        self._entries += 1
        key = entry.logger, entry.call_id
        call = self._open.get(key)
        if call is not None and _begins_another(call, entry):
            self._end(call, events)
            call = None
        if call is None:
            if key in self._closed and entry.sequence != 1:
                self._take_late(self._closed[key], entry, events)
                return
            call = self._begin(key, entry, events)
        if entry.sequence in (0, call.next):
            self._apply(call, entry, events)
            while not call.is_over and call.next in call.pending:
                self._apply(call, self._unqueue(call, call.next), events)
        elif entry.sequence > call.next and entry.sequence not in call.pending:
            self._queue(call, entry, events)
        elif entry.kind != entries.CLIENT_HEADER:  # which a log repeats where it goes on in another file
            text = f"entry {entry.sequence} of this call comes twice; the second is left out"
            call.report(Problem("entry_repeated", text, offset=entry.offset))
        self._let_go_of_waiting(events)

    def _begin(self, key: _Key, entry: Entry, events: list[SourceEvent]) -> _OpenCall:
        if len(self._open) >= limits.MAX_LOGGED_CALLS:
            oldest = next(iter(self._open.values()))
            text = f"more than {limits.MAX_LOGGED_CALLS} calls are open; this one is let go"
            oldest.report(Problem("call_limit", text))
            self._end(oldest, events)
        self._calls += 1
        call = self._open[key] = _OpenCall(self._calls, key, entry.time)
        return call

    def _take_late(self, number: int, entry: Entry, events: list[SourceEvent]) -> None:
        """A cancellation is noticed even where the call has ended meanwhile; nothing else comes behind the end."""
        if entry.kind not in (entries.CANCEL, entries.CLIENT_HALF_CLOSE):
            text = f"an entry of call {number} comes after its end and is left out"
            events.append(Problem("entry_late", text, offset=entry.offset))

    def _queue(self, call: _OpenCall, entry: Entry, events: list[SourceEvent]) -> None:
        if not call.pending:
            self._waiting.append((self._entries, call))
        call.pending[entry.sequence] = entry
        self._held += _size(entry)
        if len(call.pending) > limits.LOG_ORDER_WINDOW:
            self._go_on(call, events)

    def _unqueue(self, call: _OpenCall, sequence: int) -> Entry:
        entry = call.pending.pop(sequence)
        self._held -= _size(entry)
        return entry

    def _let_go_of_waiting(self, events: list[SourceEvent]) -> None:
        """What was waited for long enough does not come any more."""
        waiting = self._waiting
        while waiting and (
            waiting[0][0] + limits.LOG_ORDER_WINDOW < self._entries or self._held > limits.MAX_PENDING_BYTES
        ):
            _, call = waiting.popleft()
            self._go_on(call, events)
            if call.ended_at is not None and not call.is_over:
                self._finish(call, events)  # it was cancelled

    def _go_on(self, call: _OpenCall, events: list[SourceEvent]) -> None:
        """Takes the entries that waited, without those that are missing."""
        for sequence in sorted(call.pending):
            if call.is_over:
                return
            entry = self._unqueue(call, sequence)
            if sequence > call.next:
                call.report(_missing(call.next, sequence - 1, entry.offset))
            self._apply(call, entry, events)

    # --- entries -------------------------------------------------------------------------------------------------

    def _apply(self, call: _OpenCall, entry: Entry, events: list[SourceEvent]) -> None:
        call.next = max(call.next, entry.sequence + 1)
        kind, payload = entry.kind, entry.payload
        if kind in _DIRECTIONS:
            message = payload if isinstance(payload, LoggedMessage) else LoggedMessage(0, b"", entry.offset)
            self._apply_message(call, entry, message, events)
        elif kind == entries.CLIENT_HEADER and isinstance(payload, LoggedHeader):
            _apply_client_header(call, entry, payload)
        elif kind == entries.SERVER_HEADER and isinstance(payload, LoggedHeader):
            call.response_headers = payload.fields
            call.server = entry.peer or call.server
            _note_truncation(call, entry)
        elif kind == entries.SERVER_TRAILER:
            trailer = payload if isinstance(payload, LoggedTrailer) else LoggedTrailer((), 0, "", None)
            _apply_trailer(call, entry, trailer)
            self._finish(call, events)
        elif kind == entries.CANCEL:
            # The trailer of a client may follow.
            call.ended_at = entry.time if entry.time is not None else call.started or 0
            call.status = _cancelled(call)
            self._waiting.append((self._entries, call))
        elif kind != entries.CLIENT_HALF_CLOSE and not (kind in _HEADERS and payload is None):
            text = f"an entry of the type {kind} is not known and is left out"
            call.report(Problem("entry_unknown", text, offset=entry.offset))

    def _apply_message(self, call: _OpenCall, entry: Entry, logged: LoggedMessage, events: list[SourceEvent]) -> None:
        direction = _DIRECTIONS[entry.kind]
        data: bytes | None = logged.data
        problem = None
        size = max(logged.length, len(logged.data))
        if entry.truncated or logged.length > len(logged.data):
            text = f"the log has only {len(logged.data)} of the {size} bytes of this message"
            problem = Problem("payload_truncated", text, offset=entry.offset)
            data = None
            call.report(problem)
        if self._with_messages:
            # Five bytes of the entry stand before the data: the index finds it there, as it does behind a prefix.
            pieces = (Piece(0, logged.offset - PREFIX_SIZE, PREFIX_SIZE + len(logged.data)),)
            events.append(
                Message(call.number, call.counts[direction], direction, call.method, entry.time, "identity", data,
                        logged.data, problem, pieces)
            )  # fmt: skip
        call.counts[direction] += 1
        call.sizes[direction] += size

    # --- ends ----------------------------------------------------------------------------------------------------

    def _end(self, call: _OpenCall, events: list[SourceEvent]) -> None:
        """There will be no more of this call."""
        self._go_on(call, events)
        if not call.is_over:
            self._finish(call, events)

    def _finish(self, call: _OpenCall, events: list[SourceEvent]) -> None:
        call.is_over = True
        del self._open[call.key]
        self._closed[call.key] = call.number
        if len(self._closed) > limits.MAX_CLOSED_STREAMS:
            del self._closed[next(iter(self._closed))]
        events.append(_record(call))
        for sequence in sorted(call.pending):
            self._take_late(call.number, self._unqueue(call, sequence), events)


_HEADERS = (entries.CLIENT_HEADER, entries.SERVER_HEADER)


def _size(entry: Entry) -> int:
    return len(entry.payload.data) if isinstance(entry.payload, LoggedMessage) else 0


def _begins_another(call: _OpenCall, entry: Entry) -> bool:
    """Whether the id of a call is used anew, as by a process that adds to the log of one before it."""
    is_first = entry.kind == entries.CLIENT_HEADER and entry.sequence == 1
    return is_first and (call.next > 1 or 1 in call.pending) and entry.time != call.started


def _missing(first: int, last: int, offset: int) -> Problem:
    if first == 1:
        return Problem("started_late", "the beginning of this call is not in the log", offset=offset)
    what = f"entry {first} of this call is" if first == last else f"entries {first} to {last} of this call are"
    return Problem("entries_missing", f"{what} not in the log", offset=offset)


def _note_truncation(call: _OpenCall, entry: Entry) -> None:
    if entry.truncated:
        text = "the log has not all the metadata of this call"
        call.report(Problem("payload_truncated", text, offset=entry.offset))


def _apply_client_header(call: _OpenCall, entry: Entry, header: LoggedHeader) -> None:
    call.request_headers = header.fields
    call.authority = header.authority
    call.deadline = header.timeout
    if header.method is not None:
        call.method = header.method if header.method.startswith("/") else f"/{header.method}"
    call.client = entry.peer or call.client
    call.started = entry.time
    _note_truncation(call, entry)


def _apply_trailer(call: _OpenCall, entry: Entry, trailer: LoggedTrailer) -> None:
    call.trailers = trailer.fields
    call.server = entry.peer or call.server
    call.status = Status(trailer.code, status_name(trailer.code), trailer.message, trailer.details)
    call.ended_at = entry.time
    _note_truncation(call, entry)


def _cancelled(call: _OpenCall) -> Status:
    """What the end of a call means that has no trailer."""
    took = None if call.ended_at is None or call.started is None else call.ended_at - call.started
    return status.of_reset(RESET_CANCEL, by_client=True, took=took, deadline=call.deadline)


def _record(call: _OpenCall) -> Call:
    if call.more_problems:
        call.problems.append(Problem("more_problems", f"{call.more_problems} more problems"))
    duration = None
    if call.started is not None and call.ended_at is not None:
        duration = call.ended_at - call.started
    return Call(
        number=call.number,
        method=call.method,
        protocol="grpc",
        client=call.client,
        server=call.server,
        connection=0,
        stream=0,
        started=call.started,
        duration=duration,
        authority=call.authority,
        deadline=call.deadline,
        request_headers=call.request_headers,
        response_headers=call.response_headers,
        trailers=call.trailers,
        status=call.status,
        requests=call.counts["request"],
        responses=call.counts["response"],
        request_bytes=call.sizes["request"],
        response_bytes=call.sizes["response"],
        complete=call.method is not None and call.status is not None and not call.problems,
        problems=tuple(call.problems),
    )


def calls_parser() -> BinlogParser:
    """A parser that makes calls only."""
    return BinlogParser(with_messages=False)
