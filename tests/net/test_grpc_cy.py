"""gRPC over HTTP/2: length-prefixed messages, timeouts, statuses."""

from __future__ import annotations

import tracemalloc
import zlib
from urllib.parse import quote

import cramjam
import kernels
import pytest
import zstandard
from http2_traffic import cut, grpc_message
from hypothesis import given
from hypothesis import strategies as st

from inspector.limits import MAX_MESSAGE, MAX_PIECES, MIB
from inspector.model.call import Piece
from inspector.model.frames import Data
from inspector.model.problem import Problem

grpc = kernels.fixture("inspector.net.grpc_cy")

EMPTY = grpc_message(b"")


class Body:
    """DATA frames of one direction of a stream, each in a packet of its own, with nine bytes of header before it."""

    def __init__(self, deframer):
        self.deframer = deframer
        self.packet = 0
        self.offset = 0
        self.found = []

    def frame(self, body, missing=0, start=True):
        self.packet += 1
        self.offset += 9 * start + missing
        new = self.deframer.feed(Data(0, 1, body, missing, start, False, self.offset, self.packet, self.packet * 10))
        self.offset += len(body)
        self.found += new
        return new

    def frames(self, *bodies):
        for body in bodies:
            self.frame(body)
        return self.payloads

    @property
    def payloads(self):
        return [message.payload for message in self.found]

    def close(self, why="the stream ends"):
        return self.deframer.close(self.packet, self.packet * 10, why)


@pytest.fixture
def body(grpc):
    return Body(grpc.Deframer())


@pytest.fixture
def late(grpc):
    return Body(grpc.Deframer(False))


# --- messages -----------------------------------------------------------------------------------------------------

payloads = st.lists(st.tuples(st.sampled_from([0, 1]), st.binary(max_size=50)), max_size=6)


@given(made=payloads, places=st.lists(st.integers(0, 300), max_size=20), starts=st.lists(st.booleans(), min_size=21))
def test_messages_are_found_however_they_lie_across_data_frames(grpc, made, places, starts):
    raw = b"".join(grpc_message(payload, flag) for flag, payload in made)
    body = Body(grpc.Deframer())
    for part, start in zip(cut(raw, places), [True, *starts], strict=False):
        body.frame(part, start=start)
    assert [(message.flag, message.payload, message.problem) for message in body.found] == [
        (flag, payload, None) for flag, payload in made
    ]
    assert body.close() is None
    assert (body.deframer.held, body.deframer.skipped) == (0, 0)


@given(made=payloads)
def test_messages_are_found_byte_by_byte(grpc, made):
    body = Body(grpc.Deframer())
    for octet in b"".join(grpc_message(payload, flag) for flag, payload in made):
        body.frame(bytes((octet,)))
    assert body.payloads == [payload for _, payload in made]


def test_several_messages_in_one_frame_are_found_at_once(body):
    assert body.frames(grpc_message(b"a") + EMPTY + EMPTY + grpc_message(b"b", 1)) == [b"a", b"", b"", b"b"]
    assert body.found[3].flag == 1


def test_an_empty_message_is_found_when_its_prefix_is_whole(body):
    assert body.frames(EMPTY[:4]) == []
    assert body.frames(EMPTY[4:]) == [b""]


def test_empty_data_frames_change_nothing(body):
    assert body.frames(b"", grpc_message(b"ab")[:6], b"", grpc_message(b"ab")[6:], b"") == [b"ab"]


def test_a_message_has_the_time_and_packet_of_its_last_byte(body):
    body.frames(*cut(grpc_message(b"abcdef"), [4, 8]))
    assert [(message.packet, message.time) for message in body.found] == [(3, 30)]


def test_the_trailers_of_grpc_web_are_a_message_with_their_flag(body):
    body.frame(grpc_message(b"grpc-status: 0\r\n", 0x80))
    assert body.found[0].flag == 0x80


def test_bytes_held_are_those_of_the_message_that_is_not_whole(body):
    raw = grpc_message(bytes(100))
    body.frames(raw + raw[:45])
    assert body.deframer.held == 40
    body.frames(raw[45:])
    assert body.deframer.held == 0


# --- where a message lies -----------------------------------------------------------------------------------------


def test_the_piece_of_a_message_in_one_frame_begins_with_its_prefix(body):
    body.frame(grpc_message(b"abc"))
    assert body.found[0].pieces == (Piece(1, 9, 8),)


def test_a_message_across_frames_has_a_piece_in_each(body):
    body.frames(*cut(grpc_message(b"abcdef"), [3, 7]))
    assert body.found[0].pieces == (Piece(1, 9, 3), Piece(2, 21, 4), Piece(3, 34, 4))


@given(made=payloads, places=st.lists(st.integers(0, 300), max_size=12))
def test_pieces_hold_exactly_the_bytes_of_their_message(grpc, made, places):
    body = Body(grpc.Deframer())
    raw = b"".join(grpc_message(payload, flag) for flag, payload in made)
    stream = bytearray()
    for part in cut(raw, places):
        stream += b"?" * 9 + part
        body.frame(part)
    for message in body.found:
        assert b"".join(stream[piece.offset : piece.offset + piece.length] for piece in message.pieces) == grpc_message(
            message.payload, message.flag
        )
        assert message.pieces[-1].packet == message.packet


def test_pieces_of_one_message_are_bounded(body):
    body.frame(grpc_message(bytes(2 * MAX_PIECES))[:5])
    for _ in range(MAX_PIECES + 100):
        body.frame(b"x")
    body.frame(bytes(MAX_PIECES - 100))
    assert len(body.payloads[0]) == 2 * MAX_PIECES
    assert len(body.found[0].pieces) == MAX_PIECES


# --- damage -------------------------------------------------------------------------------------------------------


def test_a_gap_within_a_message_damages_that_message_only(body):
    body.frame(grpc_message(b"0123456789")[:8])
    body.frame(b"789" + grpc_message(b"next"), missing=4, start=False)
    damaged, following = body.found
    assert (damaged.payload, damaged.problem.code) == (b"012789", "message_gap")
    assert "4 bytes" in damaged.problem.message
    assert (following.payload, following.problem) == (b"next", None)


def test_a_gap_that_takes_the_end_of_a_message_ends_it(body):
    body.frame(grpc_message(b"0123456789")[:8])
    body.frame(b"", missing=7, start=False)
    body.frame(grpc_message(b"next"))
    assert [(message.payload, message.problem is None) for message in body.found] == [(b"012", False), (b"next", True)]


def test_a_gap_over_the_end_of_a_message_costs_all_to_the_next_frame_that_begins_one(body):
    body.frame(grpc_message(b"0123456789")[:8])
    body.frame(b"tail" + grpc_message(b"not seen"), missing=9, start=False)
    body.frame(grpc_message(b"next"))
    assert [(message.payload, message.problem and message.problem.code) for message in body.found] == [
        (b"012", "message_gap"),
        (b"next", None),
    ]
    assert body.deframer.skipped == len(b"tail" + grpc_message(b"not seen"))


@pytest.mark.parametrize("held", [1, 3, 5, 8])
def test_lost_bytes_damage_the_message_in_progress(body, held):
    body.frame(grpc_message(b"0123456789")[:held])
    body.deframer.lose()
    assert body.close().problem.code == "message_gap"


def test_after_lost_bytes_a_frame_that_looks_like_messages_is_taken_for_them(body):
    body.deframer.lose()
    body.frames(b"\xff\xff\xff\xff\xffrest of something", grpc_message(b"a") + grpc_message(b"bc")[:6], b"c")
    assert body.payloads == [b"a", b"bc"]
    assert body.deframer.skipped == 22


def test_a_late_deframer_takes_a_frame_with_messages(late):
    assert late.frames(grpc_message(b"abc")) == [b"abc"]


def test_a_late_deframer_takes_an_empty_message(late):
    assert late.frames(EMPTY) == [b""]


@pytest.mark.parametrize(
    "raw",
    [
        grpc_message(b"abc", 2),
        b"\0\xff\xff\xff\xffabc",
        b"\0\0",
        b"plain text",
        grpc_message(b"abc") + b"\0\0",
        bytes(11),
    ],
)
def test_a_late_deframer_passes_over_what_does_not_read_as_messages_to_its_end(late, raw):
    assert late.frames(raw) == []
    assert late.deframer.skipped == len(raw)


def test_a_late_deframer_takes_no_message_from_within_a_frame(late):
    late.frame(grpc_message(b"abc"), start=False)
    assert late.payloads == []


@pytest.mark.parametrize("flag", [2, 4, 0x40, 0x7F, 0x82, 0xFF])
def test_bytes_behind_a_flag_that_no_message_has_are_counted(body, flag):
    body.frames(grpc_message(b"good"), grpc_message(b"abc", flag), b"more of it")
    assert body.payloads == [b"good"]
    assert body.deframer.skipped > 10
    assert body.frames(grpc_message(b"next")) == [b"good", b"next"]


@pytest.mark.parametrize("length", [MAX_MESSAGE + 1, 2**31, 2**32 - 1])
def test_a_message_over_the_limit_costs_no_memory(body, length):
    tracemalloc.start()
    try:
        body.frame(b"\0" + length.to_bytes(4, "big"))
        for _ in range(200):
            body.frame(bytes(10_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MIB
    assert body.deframer.held == 0
    assert body.close().problem.code == "message_limit"


def test_the_message_behind_one_over_the_limit_is_found(body):
    body.frame(b"\0" + (MAX_MESSAGE + 1).to_bytes(4, "big"))
    for _ in range(MAX_MESSAGE // MIB):
        body.frame(bytes(MIB))
    body.frame(b"x" + grpc_message(b"next"))
    assert [(message.payload, message.problem and message.problem.code) for message in body.found] == [
        (b"", "message_limit"),
        (b"next", None),
    ]


def test_a_length_is_no_reason_to_allocate(body):
    tracemalloc.start()
    try:
        body.frame(b"\0" + MAX_MESSAGE.to_bytes(4, "big") + b"few")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MIB // 4
    assert body.deframer.held == 3


@pytest.mark.parametrize(
    ("held", "said"),
    [(3, "the end comes within its prefix"), (5, "after 0 of its 10 bytes"), (9, "after 4 of its 10 bytes")],
)
def test_a_message_that_is_not_whole_at_the_end_says_how_much_there_is(body, held, said):
    body.frame(grpc_message(b"0123456789")[:held])
    message = body.close("the end comes")
    assert message.problem.code == "message_truncated"
    assert said in message.problem.message
    assert message.payload == b"0123456789"[: max(0, held - 5)]


def test_an_end_between_messages_leaves_nothing(body):
    body.frame(grpc_message(b"abc"))
    assert body.close() is None


def test_an_abandoned_message_lets_go_of_its_bytes_and_the_next_one_is_found(body):
    body.frame(grpc_message(bytes(100))[:50])
    body.deframer.abandon(Problem("message_limit", "too much is held"))
    assert body.deframer.held == 0
    body.frames(bytes(55) + grpc_message(b"next"))
    assert [(message.payload, message.problem and message.problem.message) for message in body.found] == [
        (b"", "too much is held"),
        (b"next", None),
    ]


@given(bodies=st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 20), st.booleans()), max_size=12))
def test_any_bytes_and_gaps_are_taken_without_an_exception(grpc, bodies):
    body = Body(grpc.Deframer())
    for raw, missing, start in bodies:
        body.frame(raw, missing, start)
    body.close()
    assert sum(map(len, body.payloads)) <= sum(len(raw) for raw, _, _ in bodies)


# --- header values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1H", 3_600_000_000_000),
        ("2M", 120_000_000_000),
        ("10S", 10_000_000_000),
        ("5m", 5_000_000),
        ("7u", 7_000),
        ("9n", 9),
        ("0S", 0),
        ("007S", 7_000_000_000),
        ("99999999H", 99_999_999 * 3_600_000_000_000),
    ],
)
def test_a_timeout_is_read_in_each_unit(grpc, text, nanoseconds):
    assert grpc.parse_timeout(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "1", "S", "1s", "1h", "-1S", "+1S", "1.5S", " 1S", "1S ", "1S\n", "123456789S", "0x1S", "1SS", "1 S"]
)
def test_a_malformed_timeout_is_none(grpc, text):
    assert grpc.parse_timeout(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a%20b", "a b"),
        ("%e2%82%AC 5", "€ 5"),
        ("100%", "100%"),
        ("%4", "%4"),
        ("%zz%41", "%zzA"),
        ("%%41", "%A"),
        ("%2541", "%41"),
        ("café %21", "café !"),
        ("%0A%00", "\n\0"),
        ("%f0%9f%98%80", "😀"),
    ],
)
def test_a_status_message_is_percent_decoded_and_what_is_invalid_stays(grpc, text, message):
    assert grpc.decode_message(text) == message


@pytest.mark.parametrize("text", ["%ff", "ok %c3", "%ed%a0%80"])
def test_a_status_message_that_is_not_utf8_is_kept_readable(grpc, text):
    message = grpc.decode_message(text)
    assert "\ufffd" in message
    assert message.encode("utf-8")


@given(message=st.text())
def test_every_percent_encoded_message_is_what_it_was(grpc, message):
    assert grpc.decode_message(quote(message, safe=" !")) == message


@given(text=st.text())
def test_any_text_is_a_status_message(grpc, text):
    assert isinstance(grpc.decode_message(text), str)


NAMES = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
]  # fmt: skip


def test_every_status_code_has_its_name(grpc):
    assert [grpc.status_name(code) for code in range(17)] == NAMES


@pytest.mark.parametrize("code", [17, 99, 999_999_999])
def test_a_code_without_a_name_is_shown_by_its_number(grpc, code):
    assert grpc.status_name(code) == f"CODE_{code}"


@pytest.mark.parametrize(
    ("encoding", "payload"),
    [
        ("gzip", zlib.compress(b"abc", wbits=31)),
        ("deflate", zlib.compress(b"abc")),
        ("zstd", zstandard.compress(b"abc")),
        ("snappy", bytes(cramjam.snappy.compress(b"abc"))),
        (None, b"abc"),
        (None, b""),
    ],
)
def test_an_encoding_shows_by_its_first_bytes(grpc, encoding, payload):
    assert grpc.sniff_encoding(payload) == encoding
