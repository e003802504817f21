"""Rows and records: both variants of the kernel write the same bytes, and what is written can be read."""

from __future__ import annotations

import kernels
import pytest
from capture_files import CAPTURES, SAMPLES
from http2_traffic import REQUEST
from made_capture import capture

import inspector
from inspector import limits
from inspector.index import layout
from inspector.index.capture_index import CaptureIndex
from inspector.index.records import Records, Tables, read_row
from inspector.model.call import Call, Message, Piece, Status
from inspector.model.problem import Problem

writer = kernels.fixture("inspector.index.writer_cy")


class Bytes:
    """Bytes by place, as the spool and the capture are."""

    def __init__(self, data=b""):
        self.data = bytearray(data)

    @property
    def size(self):
        return len(self.data)

    def read(self, place, size):
        found = bytes(self.data[place : place + size])
        assert len(found) == size
        return found


class Written:
    """An index in memory of events that are given by hand."""

    def __init__(self, kernel, file=b"", positions=()):
        self.file = Bytes(file)
        self.spool = Bytes(b"something that was there before")
        self.reads = 0
        self.writer = kernel.IndexWriter(self._read)
        self.writer.add([], self.spool.size, b"", 0, list(positions))

    def _read(self, place, size):
        self.reads += 1
        return bytes(self.file.data[place : place + size])

    def add(self, *events):
        self.spool.data += self.writer.add(list(events), self.spool.size, b"", 0, [])

    @property
    def records(self):
        tables = Tables(self.writer.references, self.writer.kinds, self.writer.encodings)
        return Records(self.spool, self.file, tables)

    def call(self, number):
        row = self.writer.numbers[number]
        chunk, at = divmod(row, layout.CHUNK_ROWS)
        return self.records.call(self._row(self.writer.chunks[chunk], at))

    def _row(self, chunk, at):
        return bytes(chunk[at * layout.CALL_SIZE : (at + 1) * layout.CALL_SIZE])

    def messages(self, number):
        """Of a call that has not ended."""
        found = self.writer.open_calls[number]
        rows = [found.rows[at : at + layout.MESSAGE_SIZE] for at in range(0, len(found.rows), layout.MESSAGE_SIZE)]
        return [self.records.message(number, found.method, read_row(bytes(row))) for row in rows]


CALL = Call(
    1, "/pkg.Svc/Do", "grpc", "127.0.0.1:4000", "127.0.0.1:80", 1, 1, 1_000, 2_000, "example.com", None,
    ((":path", "/pkg.Svc/Do"), ("x-id", "1")), ((":status", "200"),), (("grpc-status", "0"),),
    Status(0, "OK", ""), 0, 0, 0, 0, True, (),
)  # fmt: skip
MESSAGE = Message(1, 0, "request", "/pkg.Svc/Do", 5, "identity", b"abcdef", b"abcdef", None, (Piece(1, 9, 11),))

CALLS = {
    "nothing known": CALL._replace(
        method=None, authority=None, started=None, duration=None, status=None, request_headers=(), trailers=()
    ),
    "a header that is not known": CALL._replace(request_headers=((None, None), ("a", None))),
    "times that are far off": CALL._replace(started=-(1 << 70), duration=1 << 80),
    "a deadline of a billion years": CALL._replace(deadline=99_999_999 * 3_600_000_000_000),
    "a status with details": CALL._replace(status=Status(13, "INTERNAL", "é\0", bytes(range(256)), "reset")),
    "a status that does not exist": CALL._replace(status=Status(999_999_999, "CODE_999999999", "")),
    "status 254": CALL._replace(status=Status(254, "CODE_254", "")),
    "status 255": CALL._replace(status=Status(255, "CODE_255", "")),
    "problems": CALL._replace(problems=(Problem("a", "b"), Problem("c", "d", 5, 6)), complete=False),
    "messages that are not there": CALL._replace(requests=3, responses=1 << 30, request_bytes=1 << 50),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_call_is_read_as_it_was_written(what, writer):
    index = Written(writer)
    index.add(CALL._replace(number=2), CALLS[what], CALL._replace(number=3))
    assert index.call(1) == CALLS[what]
    assert index.call(2) == CALL._replace(number=2)
    assert index.call(3) == CALL._replace(number=3)


MESSAGES = {
    "common": MESSAGE,
    "empty": MESSAGE._replace(data=b"", wire=b"", pieces=(Piece(1, 9, 5),)),
    "without a time": MESSAGE._replace(time=None),
    "of a time far off": MESSAGE._replace(time=1 << 66),
    "of another method": MESSAGE._replace(method=None),
    "in two pieces": MESSAGE._replace(pieces=(Piece(1, 9, 7), Piece(2, 30, 4))),
    "with a prefix in three": MESSAGE._replace(pieces=(Piece(1, 9, 2), Piece(1, 12, 3), Piece(2, 30, 6))),
    "without pieces": MESSAGE._replace(pieces=()),
    "of a packet that is not known": MESSAGE._replace(pieces=(Piece(99, 9, 11),)),
    "of a packet beyond a word": MESSAGE._replace(pieces=(Piece(1 << 40, 9, 11),)),
    "that is not in its packet": MESSAGE._replace(data=b"zzzzzz", wire=b"zzzzzz"),
    "with a problem": MESSAGE._replace(data=None, wire=b"abc", problem=Problem("x", "y", 1, 2)),
    "of an answer": MESSAGE._replace(direction="response", index=(1 << 32) - 1),
}
FILE = b"-- abcdef ab -- cdef abcdef --"


@pytest.mark.parametrize("what", MESSAGES)
def test_a_message_is_read_as_it_was_written(what, writer):
    index = Written(writer, FILE, [0, 12])
    index.add(MESSAGE, MESSAGES[what])
    assert index.messages(1) == [MESSAGE, MESSAGES[what]]


def test_bytes_that_are_in_the_file_are_not_copied(writer):
    index = Written(writer, FILE, [0, 12])
    index.add(MESSAGE)
    assert b"abcdef" not in index.spool.data
    index.add(MESSAGES["that is not in its packet"])
    assert b"zzzzzz" in index.spool.data


def test_a_packet_full_of_what_is_not_in_it_is_not_searched_forever(writer):
    index = Written(writer, FILE * 100, [0, 3_000])
    lost = [MESSAGE._replace(data=b"%06d" % each, wire=b"%06d" % each, index=each) for each in range(500)]
    index.add(*lost)
    assert index.reads == 1
    assert index.messages(1) == lost


def test_what_repeats_is_written_once(writer):
    index = Written(writer)
    long_value = "t" * 5_000
    calls = [
        CALL._replace(number=each, request_headers=(("a", str(each)), ("b", long_value + "12"[each % 2])))
        for each in range(1, 101)
    ]
    index.add(*calls)
    assert [index.call(call.number) for call in calls] == calls
    assert index.spool.size < 30_000


def test_tables_are_bounded(writer):
    index = Written(writer)
    most = limits.MAX_INDEX_REMEMBERED
    calls = [
        CALL._replace(
            number=each, connection=each, client=str(each), status=Status(2, "UNKNOWN", str(each)),
            request_headers=((f"n{each}", "x" * 40 + str(each)),),
        )
        for each in range(1, most + 500)
    ]  # fmt: skip
    index.add(*calls)
    assert all(index.call(call.number) == call for call in calls[::97])


def test_more_methods_than_are_kept_in_a_table(writer):
    index = Written(writer)
    calls = [CALL._replace(number=each, method=str(each)) for each in range(1, limits.MAX_INDEX_KINDS + 10)]
    index.add(*calls)
    assert len(index.writer.kinds) == limits.MAX_INDEX_KINDS + 1
    assert all(index.call(call.number) == call for call in (*calls[:3], *calls[-20:]))


def test_more_encodings_than_fit_a_row(writer):
    index = Written(writer, FILE, [0, 12])
    found = [MESSAGE._replace(encoding=f"e{each}", data=None, problem=Problem("a", "b")) for each in range(300)]
    index.add(*found)
    assert index.messages(1) == found


def test_more_problems_than_are_kept(writer):
    index = Written(writer)
    index.add(*[Problem("a", str(each)) for each in range(limits.MAX_INDEX_PROBLEMS + 5)])
    assert (len(index.writer.problems), index.writer.more_problems) == (limits.MAX_INDEX_PROBLEMS, 5)


def test_damage_is_noted(writer):
    for event, expected in (
        (CALL, False),
        (CALL._replace(problems=(Problem("started_late", ""),)), False),
        (CALL._replace(problems=(Problem("bytes_lost", ""),)), True),
        (MESSAGES["with a problem"], True),
        (Problem("hpack_unknown", ""), False),
        (Problem("capture_damaged", ""), True),
    ):
        index = Written(writer)
        index.add(event)
        assert index.writer.damaged == expected, event


def test_what_was_added_is_undone(writer):
    index = Written(writer, FILE, [0, 12])
    index.add(*[CALL._replace(number=each) for each in range(2, layout.CHUNK_ROWS + 2)], MESSAGE)
    mark = index.writer.mark()
    for _ in range(2):
        index.add(MESSAGE._replace(index=1), CALL._replace(requests=2), Problem("capture_damaged", ""))
        index.add(*[CALL._replace(number=each) for each in range(5_000, 15_000)])
        assert index.call(1).requests == 2
        index.writer.go_back(mark)
        mark = index.writer.mark()
        assert index.writer.count == layout.CHUNK_ROWS
        assert len(index.writer.chunks) == 1
        assert index.writer.numbers[1] == -1
        assert (index.writer.problems, index.writer.damaged) == ([], False)
        assert index.messages(1) == [MESSAGE]
        assert len(index.writer.numbers) == layout.CHUNK_ROWS + 2
    index.add(CALL._replace(requests=1))
    assert index.call(1) == CALL._replace(requests=1)


@pytest.mark.parametrize("name", CAPTURES)
def test_both_variants_write_the_same(name, writer):
    file = (SAMPLES / name).read_bytes()
    made = []
    for kernel in (writer, kernels.load("inspector.index.writer_cy", kernels.SOURCE)):
        index = Written(kernel, file, range(100, len(file), 700))
        index.add(*inspector.open(SAMPLES / name).events())
        made.append((bytes(index.spool.data), list(map(bytes, index.writer.chunks)), list(index.writer.references)))
    assert made[0] == made[1]


@pytest.mark.parametrize("deadline", ["99999999H", "1n", "5S"])
def test_deadlines_of_captures(deadline, tmp_path):
    path = tmp_path / "call.pcap"
    path.write_bytes(capture((*REQUEST, ("grpc-timeout", deadline)), sent=b"abc"))
    [call] = inspector.open(path).calls()
    with CaptureIndex(str(path), keep=False).build() as index:
        assert index.call(1) == call
        assert call.deadline
