"""TCP: the bytes of each direction, in order and in an order that could have happened, out of what was captured."""

from __future__ import annotations

import random
import struct
import time
import tracemalloc
from dataclasses import dataclass, field

import kernels
import packets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import ACK, FIN, PSH, RST, SYN

from inspector import limits
from inspector.model.packet import Chunk, Closed, Gap, Opened, Segment

tcp = kernels.fixture("inspector.net.tcp_cy")

CLIENT, SERVER = 0, 1
INITIAL = (0x7FFFFFF0, 0xFFFFFF00)  # sequence numbers of the SYNs: one soon passes the middle, one soon wraps


def flow(way, port=40_000):
    ends = [(b"\x0a\0\0\x01", struct.pack(">H", port)), (b"\x0a\0\0\x02", struct.pack(">H", 50_051))]
    source, target = ends[way], ends[1 - way]
    return source[0] + target[0] + source[1] + target[1]


@dataclass
class Wire:
    """Makes segments. `at` and `ack` are offsets in the streams; None acknowledges all that was sent so far."""

    port: int = 40_000
    initial: tuple[int, int] = INITIAL
    sent: list[int] = field(default_factory=lambda: [0, 0])
    packet: int = 0

    def segment(self, way, data=b"", at=None, ack=None, flags=ACK, missing=0):
        self.packet += 1
        at = self.sent[way] if at is None else at
        ack = self.sent[1 - way] if ack is None else ack
        self.sent[way] = max(self.sent[way], at + len(data) + missing)
        seq = (self.initial[way] + 1 + at) % 2**32
        ack = (self.initial[1 - way] + 1 + ack) % 2**32 if flags & ACK else 0
        return Segment(self.packet, self.packet * 1_000, flow(way, self.port), seq, ack, flags, data, missing)

    def client(self, data=b"", **fields):
        return self.segment(CLIENT, data, **fields)

    def server(self, data=b"", **fields):
        return self.segment(SERVER, data, **fields)

    def syn(self, **fields):
        return self.client(at=-1, flags=SYN, **fields)

    def syn_ack(self, **fields):
        return self.server(at=-1, flags=SYN | ACK, **fields)

    def handshake(self):
        return [self.syn(), self.syn_ack(), self.client()]


class Streams:
    """What events amount to. Checks what has to hold of any sequence of them."""

    def __init__(self, events):
        self.opened = {}
        self.parts = {}
        self.closed = {}
        self.order = []
        for event in events:
            if isinstance(event, Opened):
                assert event.connection == len(self.opened) + 1
                self.opened[event.connection] = event
                continue
            key = event.connection, event.direction
            assert event.connection in self.opened
            assert key not in self.closed, "something after the end"
            if isinstance(event, Closed):
                self.closed[key] = event.reason
                continue
            parts = self.parts.setdefault(key, [])
            assert event.offset == sum(length for _, length in parts), "offsets leave nothing out"
            data = event.data if isinstance(event, Chunk) else None
            parts.append((data, event.length if data is None else len(data)))
            assert parts[-1][1] > 0
            self.order.append((key, data))

    def bytes(self, direction, connection=1):
        """The stream; lost bytes are None."""
        joined = []
        for data, length in self.parts.get((connection, direction), ()):
            joined += [None] * length if data is None else data
        return joined

    def data(self, direction, connection=1):
        return b"".join(data for data, _ in self.parts.get((connection, direction), ()) if data is not None)

    def gaps(self, direction, connection=1):
        found, at = [], 0
        for data, length in self.parts.get((connection, direction), ()):
            if data is None:
                found.append((at, length))
            at += length
        return found


def run(tcp, segments):
    """Feeds the segments, with no end of the capture: what comes out without it."""
    reassembler = tcp.TcpReassembler()
    return Streams([event for segment in segments for event in reassembler.feed(segment)])


def events_of(tcp, segments):
    reassembler = tcp.TcpReassembler()
    events = [event for segment in segments for event in reassembler.feed(segment)]
    return events + reassembler.close()


def run_all(tcp, segments):
    """The same, with the end of the capture."""
    return Streams(events_of(tcp, segments))


# --- headers -----------------------------------------------------------------------------------------------------


def parse(tcp, header, missing=0, around=b"link"):
    ip = kernels.load("inspector.net.ip_cy", kernels.SOURCE)
    packet = packets.ipv4(header)
    datagram = ip.IpLayer().feed(packets.IPV4, around + packet[: len(packet) - missing], len(around))
    return tcp.parse_segment(7, 123, datagram)


@pytest.mark.parametrize("options", [b"", b"\x01", b"\x01" * 40])
def test_a_segment_is_read_from_its_datagram(tcp, options):
    header = packets.tcp(b"abc", 40_000, 50_051, 0xFFFFFFFF, 0x80000001, PSH | ACK, options)
    assert parse(tcp, header) == Segment(7, 123, flow(CLIENT), 0xFFFFFFFF, 0x80000001, PSH | ACK, b"abc", 0)


def test_a_segment_that_the_snap_length_cut_misses_bytes(tcp):
    segment = parse(tcp, packets.tcp(b"abcdef"), missing=4)
    assert (segment.data, segment.missing) == (b"ab", 4)


def test_a_segment_whose_header_is_damaged_is_none(tcp):
    header = packets.tcp(b"abc")
    for words in (0, 4, 6, 15):
        assert parse(tcp, header[:12] + bytes([words << 4]) + header[13:]) is None


def test_a_segment_cut_within_its_header_is_none(tcp):
    header = packets.tcp(options=b"\x01" * 8)
    for missing in range(1, len(header) + 1):
        assert parse(tcp, header, missing=missing) is None


@pytest.mark.parametrize("size", [4, 16])
def test_a_flow_names_both_ends(tcp, size):
    source, target = b"\x01" * size, b"\x02" * size
    there = source + target + b"\x01\x02" + b"\x03\x04"
    assert tcp.endpoints(there) == ((source, 0x102), (target, 0x304))
    assert tcp.reverse(there) == target + source + b"\x03\x04" + b"\x01\x02"


# --- one after the other -----------------------------------------------------------------------------------------


def test_a_conversation_in_order(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"ping"), wire.server(b"pong"), wire.client(b"!")]
    segments += [wire.client(flags=FIN | ACK), wire.server(flags=FIN | ACK)]
    ends = (b"\x0a\0\0\x01", 40_000), (b"\x0a\0\0\x02", 50_051)
    reassembler = tcp.TcpReassembler()
    assert [event for segment in segments for event in reassembler.feed(segment)] == [
        Opened(1, *ends, False, 4, 4_000),
        Chunk(1, 0, 0, b"ping", 4, 4_000),
        Chunk(1, 1, 0, b"pong", 5, 5_000),
        Chunk(1, 0, 4, b"!", 6, 6_000),
        Closed(1, 0, "fin", 7, 7_000),
        Closed(1, 1, "fin", 8, 8_000),
    ]
    assert reassembler.close() == []


def test_a_chunk_comes_at_once(tcp):
    wire = Wire()
    reassembler = tcp.TcpReassembler()
    for segment in wire.handshake():
        assert reassembler.feed(segment) == []
    assert [type(event) for event in reassembler.feed(wire.client(b"a"))] == [Opened, Chunk]
    assert [type(event) for event in reassembler.feed(wire.client(b"b"))] == [Chunk]


def test_a_connection_without_payload_is_none(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(flags=FIN | ACK), wire.server(flags=FIN | ACK)]
    assert events_of(tcp, segments) == []


def test_both_sides_may_send_at_once(tcp):
    wire = Wire()
    segments = wire.handshake()
    for at in range(20):
        segments += [wire.client(b"c%d" % at, ack=2 * at), wire.server(b"s%d" % at, ack=2 * at)] if at < 10 else []
    streams = run(tcp, segments)
    assert streams.data(CLIENT) == b"".join(b"c%d" % at for at in range(10))
    assert streams.data(SERVER) == b"".join(b"s%d" % at for at in range(10))


def test_connections_are_kept_apart(tcp):
    wires = [Wire(port) for port in (1, 2, 3)]
    segments = [segment for wire in wires for segment in wire.handshake()]
    for at in range(5):
        for number, wire in enumerate(wires):
            segments += [wire.client(b"%d" % number), wire.server(b"%d" % at)]
    streams = run(tcp, segments)
    assert [streams.opened[number].client[1] for number in (1, 2, 3)] == [1, 2, 3]
    assert [streams.data(CLIENT, number) for number in (1, 2, 3)] == [b"00000", b"11111", b"22222"]
    assert {streams.data(SERVER, number) for number in (1, 2, 3)} == {b"01234"}


@pytest.mark.parametrize("initial", [2**32 - 1, 2**32 - 2, 2**32 - 5, 2**31 - 1, 2**31 - 3, 0])
def test_sequence_numbers_wrap(tcp, initial):
    wire = Wire(initial=(initial, initial))
    segments = [*wire.handshake(), wire.client(b"abc"), wire.server(b"def"), wire.client(b"ghi"), wire.server(b"jkl")]
    for order in (segments, [*segments[:3], *segments[:2:-1]]):
        streams = run(tcp, order)
        assert streams.data(CLIENT) == b"abcghi"
        assert streams.data(SERVER) == b"defjkl"


def test_more_bytes_than_sequence_numbers(tcp, monkeypatch):
    wire = Wire()
    piece = bytes(2**16 - 1)
    reassembler = tcp.TcpReassembler()
    last = None
    for segment in wire.handshake():
        reassembler.feed(segment)
    for _ in range(2**16 + 20):
        for event in reassembler.feed(wire.client(piece)):
            last = event
    assert last.offset == (2**16 + 19) * len(piece) > 2**32


# --- out of order, twice, overlapping ----------------------------------------------------------------------------


def test_segments_out_of_order_are_put_in_order(tcp):
    wire = Wire()
    segments = [*wire.handshake(), *(wire.client(bytes([at])) for at in range(8))]
    streams = run(tcp, [*segments[:3], *segments[:2:-1]])
    assert streams.data(CLIENT) == bytes(range(8))
    assert streams.gaps(CLIENT) == []


def test_a_response_waits_for_the_request_that_it_acknowledges(tcp):
    wire = Wire()
    head = [*wire.handshake(), wire.client(b"a"), wire.server(b"A")]
    request, response = wire.client(b"b"), wire.server(b"B")
    streams = run(tcp, [*head, response, request])
    assert streams.order[-2:] == [((1, CLIENT), b"b"), ((1, SERVER), b"B")]


def test_a_handshake_after_the_first_payload(tcp):
    wire = Wire()
    syn, syn_ack, ack = wire.handshake()
    request, response = wire.client(b"ping"), wire.server(b"pong")
    for segments in (
        [request, syn, syn_ack, ack, response],
        [response, request, syn_ack, syn],
        [syn_ack, syn, response, request],
        [response, ack, request, syn_ack, syn],
    ):
        streams = run(tcp, segments)
        assert streams.order == [((1, CLIENT), b"ping"), ((1, SERVER), b"pong")]
        assert streams.opened[1].client[1] == 40_000
        assert not streams.opened[1].mid


def test_what_is_sent_again_comes_once(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.client(b"def"), wire.client(b"ghi")]
    segments += [wire.client(b"abc", at=0), wire.client(b"defghi", at=3), wire.client(b"j"), wire.client(b"j", at=9)]
    assert run(tcp, segments).data(CLIENT) == b"abcdefghij"


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([(0, b"abc"), (1, b"XXde")], b"abcde"),
        ([(0, b"abc"), (0, b"XXXde")], b"abcde"),
        ([(3, b"def"), (0, b"abcX")], b"abcXef"),
        ([(3, b"def"), (0, b"abc")], b"abcdef"),
        ([(2, b"cd"), (4, b"ef"), (0, b"abXXXXg")], b"abXXXXg"),
        ([(2, b"c"), (1, b"bXXX"), (0, b"a")], b"abXXX"),
        ([(5, b"f"), (3, b"de"), (1, b"bc"), (0, b"a")], b"abcdef"),
    ],
)
def test_bytes_that_overlap_come_once(tcp, pieces, whole):
    wire = Wire()
    segments = [*wire.handshake(), *(wire.client(data, at=at) for at, data in pieces)]
    streams = run(tcp, segments)
    assert streams.data(CLIENT) == whole
    assert streams.gaps(CLIENT) == []


@pytest.mark.parametrize("data", [b"", b"\0"])
def test_keep_alives_carry_nothing(tcp, data):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc")]
    for _ in range(3):
        segments += [wire.client(data, at=wire.sent[CLIENT] - 1), wire.server()]
    streams = run(tcp, [*segments, wire.client(b"def"), wire.server(b"ghi")])
    assert streams.data(CLIENT) == b"abcdef"
    assert streams.data(SERVER) == b"ghi"


def test_a_probe_of_a_closed_window_is_the_next_byte(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.server()]
    for _ in range(3):
        segments += [wire.client(b"d", at=3), wire.server(ack=3)]
    streams = run(tcp, [*segments, wire.client(b"def", at=3), wire.server(b"ghi")])
    assert streams.data(CLIENT) == b"abcdef"
    assert streams.data(SERVER) == b"ghi"


# --- beginnings --------------------------------------------------------------------------------------------------


def test_a_syn_may_carry_data(tcp):
    wire = Wire()
    segments = [wire.client(b"abc", at=-1, flags=SYN)]
    wire.sent = [3, 0]  # the SYN takes a sequence number
    segments += [wire.syn_ack(), wire.client(b"def"), wire.server(b"ghi")]
    streams = run(tcp, segments)
    assert streams.data(CLIENT) == b"abcdef"
    assert streams.data(SERVER) == b"ghi"


def test_a_syn_sent_again_begins_nothing(tcp):
    wire = Wire()
    segments = [wire.syn(), wire.syn(), wire.syn_ack(), wire.syn_ack(), wire.syn(), wire.client(b"abc")]
    segments += [wire.syn_ack(), wire.server(b"def"), wire.syn(), wire.client(b"ghi")]
    streams = run(tcp, segments)
    assert len(streams.opened) == 1
    assert streams.data(CLIENT) == b"abcghi"
    assert streams.data(SERVER) == b"def"


@pytest.mark.parametrize("missing", [0, 1], ids=["no-syn", "no-syn-ack"])
def test_half_a_handshake_tells_who_is_the_client(tcp, missing):
    wire = Wire()
    segments = wire.handshake()
    del segments[missing]
    for at in range(3):
        segments += [wire.client(b"c%d" % at), wire.server(b"s%d" % at)]
    streams = run_all(tcp, segments)
    assert streams.opened[1].client[1] == 40_000
    assert not streams.opened[1].mid
    assert streams.data(CLIENT) == b"c0c1c2"
    assert streams.data(SERVER) == b"s0s1s2"


@pytest.mark.parametrize("first", [CLIENT, SERVER])
def test_a_capture_that_starts_in_mid_connection(tcp, first):
    wire = Wire()
    wire.handshake()
    segments = [wire.segment(first ^ at & 1, b"%02d" % at) for at in range(60)]
    streams = run(tcp, segments)
    assert streams.opened[1].mid
    assert streams.opened[1].client[1] == (40_000 if first == CLIENT else 50_051)
    assert streams.data(0) == b"".join(b"%02d" % at for at in range(0, 60, 2))
    assert streams.data(1) == b"".join(b"%02d" % at for at in range(1, 60, 2))


@pytest.mark.parametrize("seed", range(20))
def test_a_capture_that_starts_in_mid_connection_out_of_order(tcp, seed):
    wire = Wire(initial=(2**32 - 70, 5))
    segments = [wire.segment(at & 1, b"%02d" % at) for at in range(40)]
    chance = random.Random(seed)
    order = sorted(range(40), key=lambda at: at + chance.random() * 8)
    streams = run_all(tcp, [segments[at] for at in order])
    swap = flow(CLIENT) != segments[order[0]].flow
    assert streams.data(swap) == b"".join(b"%02d" % at for at in range(0, 40, 2))
    assert streams.data(not swap) == b"".join(b"%02d" % at for at in range(1, 40, 2))
    assert streams.gaps(0) == streams.gaps(1) == []


@pytest.mark.parametrize("way", [CLIENT, SERVER])
@pytest.mark.parametrize("handshake", [True, False], ids=["with-handshake", "without"])
def test_a_capture_of_one_direction_only(tcp, way, handshake):
    wire = Wire()
    segments = wire.handshake() if handshake else []
    for at in range(100):
        segments += [wire.client(b"c%02d" % at), wire.server(b"s%02d" % at)]
    one = [segment for segment in segments if segment.flow == flow(way)]
    streams = run_all(tcp, one)
    assert streams.data(way if handshake else 0) == b"".join(b"cs"[way : way + 1] + b"%02d" % at for at in range(100))


def test_acknowledgments_alone_open_nothing(tcp):
    wire = Wire()
    segments = [wire.client(), wire.server(), wire.client(flags=RST), wire.server(flags=FIN | ACK)]
    assert events_of(tcp, segments) == []


# --- ends --------------------------------------------------------------------------------------------------------


def test_a_fin_waits_for_the_bytes_before_it(tcp):
    wire = Wire()
    head = wire.handshake()
    first, second, fin = wire.client(b"a"), wire.client(b"b"), wire.client(flags=FIN | ACK)
    streams = run(tcp, [*head, first, fin, second])
    assert streams.data(CLIENT) == b"ab"
    assert streams.closed == {(1, CLIENT): "fin"}


def test_a_fin_may_carry_data(tcp):
    wire = Wire()
    streams = run(tcp, [*wire.handshake(), wire.client(b"abc", flags=FIN | ACK), wire.server(b"def", flags=FIN | ACK)])
    assert streams.data(CLIENT) == b"abc"
    assert streams.data(SERVER) == b"def"
    assert set(streams.closed.values()) == {"fin"}


def test_the_other_direction_goes_on_after_a_fin(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc", flags=FIN | ACK)]
    segments += [wire.server(b"d%d" % at, ack=4) for at in range(5)]
    streams = run(tcp, segments)
    assert streams.data(SERVER) == b"d0d1d2d3d4"
    assert (1, SERVER) not in streams.closed


def test_a_fin_sent_again_closes_once(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc")] + [wire.client(at=3, flags=FIN | ACK) for _ in range(3)]
    assert run_all(tcp, segments).closed == {(1, CLIENT): "fin", (1, SERVER): "end"}


def test_a_reset_closes_its_direction(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.server(b"def"), wire.client(flags=RST | ACK)]
    assert run_all(tcp, segments).closed == {(1, CLIENT): "rst", (1, SERVER): "end"}


def test_the_text_of_a_reset_is_not_part_of_the_stream(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.client(b"no such service", flags=RST | ACK)]
    streams = run_all(tcp, segments)
    assert streams.data(CLIENT) == b"abc"
    assert streams.closed[1, CLIENT] == "rst"


def test_a_reset_far_from_the_sequence_is_not_believed(tcp):
    for seq in (-(2**30), 2**30):
        wire = Wire()
        segments = [*wire.handshake(), wire.client(b"abc"), wire.client(at=seq, flags=RST)]
        wire.sent = [3, 0]
        streams = run_all(tcp, [*segments, wire.client(b"def"), wire.server(b"ghi")])
        assert streams.data(CLIENT) == b"abcdef"
        assert streams.closed[1, CLIENT] == "end"


@pytest.mark.parametrize("with_fin", [True, False])
def test_a_reset_without_acknowledgment_does_not_overtake_what_the_other_side_sent_before_it(tcp, with_fin):
    """It answers a segment behind the FIN (RFC 9293, 3.10.7.1), so it has the number that this one acknowledged."""
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.server(b"def")]
    wire.client(b"lost")
    segments += [wire.server(b"answer"), wire.server(b"more")]
    if with_fin:
        segments.append(wire.client(ack=9, flags=FIN | ACK))
    events = events_of(tcp, [*segments, wire.client(at=3, flags=RST)])
    assert Streams(events).data(SERVER) == b"defanswermore"
    kinds = [type(event) for event in events]
    assert Chunk not in kinds[kinds.index(Closed) :]


def test_a_reset_without_acknowledgment_does_not_overtake_the_fin_of_its_own_side(tcp):
    """The FIN acknowledges an answer that is lost, and that may have told how the calls end."""
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc")]
    wire.server(b"lost")
    streams = run_all(tcp, [*segments, wire.client(flags=FIN | ACK), wire.client(at=3, flags=RST)])
    assert streams.closed[1, CLIENT] == "fin"


@pytest.mark.parametrize("flags", [RST, RST | ACK])
def test_a_reset_behind_a_fin_ends_what_the_other_side_still_says(tcp, flags):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.server(b"def"), wire.server(flags=FIN | ACK)]
    streams = run(tcp, [*segments, wire.client(b"more", ack=4), wire.server(at=4, flags=flags), wire.client(b"late")])
    assert streams.data(CLIENT) == b"abcmore"
    assert streams.closed == {(1, SERVER): "fin", (1, CLIENT): "rst"}


def test_a_reset_behind_a_fin_waits_for_what_the_other_side_sent_before_it(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.client(flags=FIN | ACK)]
    first, second = wire.server(b"first", ack=4), wire.server(b"second", ack=4)
    streams = run(tcp, [*segments, second, first, wire.client(at=4, ack=11, flags=RST | ACK)])
    assert streams.data(SERVER) == b"firstsecond"
    assert streams.closed == {(1, CLIENT): "fin", (1, SERVER): "rst"}


def test_a_reset_behind_a_fin_does_not_hide_what_is_lost(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.server(b"def")]
    wire.server(b"lost")
    streams = run_all(tcp, [*segments, wire.client(flags=FIN | ACK), wire.client(at=4, flags=RST)])
    assert streams.gaps(SERVER) == [(3, 4)]
    assert streams.closed == {(1, CLIENT): "fin", (1, SERVER): "rst"}


def test_a_reset_behind_a_fin_tells_nothing_of_a_direction_that_was_not_captured(tcp):
    wire = Wire()
    segments = [
        wire.syn(),
        wire.client(b"abc", ack=0),
        wire.client(ack=0, flags=FIN | ACK),
        wire.client(at=4, flags=RST),
    ]
    assert run_all(tcp, segments).closed == {(1, CLIENT): "fin", (1, SERVER): "end"}


def test_a_reset_behind_the_fins_of_both_sides_changes_nothing(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.client(flags=FIN | ACK), wire.server(flags=FIN | ACK)]
    streams = run(tcp, [*segments, wire.client(at=4, flags=RST)])
    assert streams.closed == {(1, CLIENT): "fin", (1, SERVER): "fin"}


def test_a_connection_that_was_refused_and_tried_again(tcp):
    wire = Wire()
    refused = wire.server(flags=RST | ACK)._replace(seq=0)
    segments = [wire.syn(), refused, *wire.handshake(), wire.client(b"abc"), wire.server(b"def")]
    streams = run_all(tcp, segments)
    assert streams.data(CLIENT) == b"abc"
    assert streams.data(SERVER) == b"def"


@pytest.mark.parametrize("end", [FIN | ACK, RST, None], ids=["fin", "rst", "unfinished"])
@pytest.mark.parametrize("first", ["syn", "syn_ack"])
def test_ports_used_again_make_another_connection(tcp, end, first):
    old, new = Wire(), Wire(initial=(12_345, 67_890))
    segments = [*old.handshake(), old.client(b"old request"), old.server(b"old response")]
    if end:
        segments += [old.client(flags=end), old.server(flags=end)]
    segments += new.handshake() if first == "syn" else new.handshake()[1:]
    segments += [new.client(b"new request"), new.server(b"new response")]
    numbered = [segment._replace(packet=at + 1) for at, segment in enumerate(segments)]
    streams = run_all(tcp, numbered)
    assert len(streams.opened) == 2
    assert [streams.data(CLIENT, number) for number in (1, 2)] == [b"old request", b"new request"]
    assert [streams.data(SERVER, number) for number in (1, 2)] == [b"old response", b"new response"]
    assert streams.opened[2].client[1] == 40_000


def test_what_waits_when_the_ports_are_used_again_is_delivered(tcp):
    old, new = Wire(), Wire(initial=(12_345, 67_890))
    segments = [*old.handshake(), old.client(b"a"), old.client(b"c", at=2), *new.handshake()]
    streams = run(tcp, segments)
    assert streams.bytes(CLIENT) == [ord("a"), None, ord("c")]
    assert streams.closed == {(1, CLIENT): "end", (1, SERVER): "end"}


def test_a_connection_to_itself_is_no_trouble(tcp):
    wire = Wire()
    own = b"\x7f\0\0\x01" * 2 + b"\x01\x02" * 2
    segments = [segment._replace(flow=own) for segment in (wire.syn(), wire.client(b"abc"), wire.client(b"def"))]
    streams = run_all(tcp, segments)
    assert sorted(streams.data(0) + streams.data(1)) == sorted(b"abcdef")


# --- gaps --------------------------------------------------------------------------------------------------------


def chatter(wire, count, client_ack=None, server_ack=None):
    """Segments of both directions without payload."""
    return [
        segment
        for _ in range(count // 2)
        for segment in (wire.client(ack=client_ack), wire.server(ack=server_ack))
    ]  # fmt: skip


def test_bytes_that_never_come_are_a_gap(tcp):
    wire = Wire()
    head = [*wire.handshake(), wire.client(b"abc")]
    wire.client(b"lost!")
    streams = run_all(tcp, [*head, wire.client(b"def"), wire.client(b"ghi")])
    assert streams.gaps(CLIENT) == [(3, 5)]
    assert streams.data(CLIENT) == b"abcdefghi"


def test_acknowledged_bytes_are_given_up_after_the_reorder_window(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc")]
    wire.client(b"lost!")
    segments += [wire.client(b"def"), wire.server()]
    assert run(tcp, [*segments, *chatter(wire, limits.REORDER_WINDOW - 10)]).data(CLIENT) == b"abc"
    streams = run(tcp, [*segments, *chatter(wire, limits.REORDER_WINDOW + 10), wire.client(b"ghi")])
    assert streams.gaps(CLIENT) == [(3, 5)]
    assert streams.data(CLIENT) == b"abcdefghi"


def test_bytes_not_acknowledged_are_waited_for_longer(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc")]
    lost = wire.client(b"lost!")
    segments += [wire.client(b"d"), *(wire.client(b"d") for _ in range(limits.LOSS_WINDOW - 10))]
    assert run(tcp, segments).data(CLIENT) == b"abc"
    late = run(tcp, [*segments, lost])
    assert late.gaps(CLIENT) == []
    assert late.data(CLIENT).startswith(b"abclost!ddd")
    never = run(tcp, [*segments, *(wire.client(b"d") for _ in range(20))])
    assert never.gaps(CLIENT) == [(3, 5)]


def test_a_response_to_a_lost_request_comes_after_the_reorder_window(tcp):
    wire = Wire()
    head = [*wire.handshake(), wire.client(b"abc"), wire.server(b"ABC")]
    wire.client(b"lost!")
    segments = [*head, wire.server(b"DEF")]
    assert run(tcp, segments).data(SERVER) == b"ABC"
    segments += chatter(wire, limits.REORDER_WINDOW + 10)
    assert run(tcp, segments).data(SERVER) == b"ABCDEF"
    segments += [wire.server(b"GHI"), wire.client(b"ghi")]
    streams = run_all(tcp, segments)
    assert streams.data(SERVER) == b"ABCDEFGHI"
    assert streams.bytes(CLIENT) == [*b"abc", *[None] * 5, *b"ghi"]


def test_acknowledged_bytes_at_the_end_of_the_capture_are_a_gap(tcp):
    wire = Wire()
    head = [*wire.handshake(), wire.client(b"abc"), wire.server(b"ABC")]
    wire.client(b"lost!")
    streams = run_all(tcp, [*head, wire.server(b"DEF")])
    assert streams.gaps(CLIENT) == [(3, 5)]
    assert streams.data(SERVER) == b"ABCDEF"


def test_a_lost_fin_that_was_acknowledged_is_not_a_gap(tcp):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.server(b"ABC", ack=4), wire.server(b"DEF", ack=4)]
    streams = run_all(tcp, segments)
    assert streams.data(SERVER) == b"ABCDEF"
    assert streams.gaps(CLIENT) == []


def test_many_gaps_are_given_up_each_in_its_time(tcp):
    """Every second segment is missing: what waits must not pile up."""
    wire = Wire()
    reassembler = tcp.TcpReassembler()
    events = [event for segment in wire.handshake() for event in reassembler.feed(segment)]
    for at in range(5_000):
        segment = wire.client(b"%04d" % at)
        if at % 2:
            events += reassembler.feed(segment)
        events += reassembler.feed(wire.server())
    streams = Streams(events)
    assert len(streams.gaps(CLIENT)) > 2_500 - limits.REORDER_WINDOW


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_what_the_snap_length_cut_off_is_a_gap(tcp, cut):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abcde"[:-cut], missing=cut), wire.client(b"fgh"), wire.server(b"ijk")]
    streams = run(tcp, segments)
    assert streams.bytes(CLIENT) == [*b"abcde"[:-cut], *[None] * cut, *b"fgh"]
    assert streams.data(SERVER) == b"ijk"


def test_every_segment_cut_by_the_snap_length(tcp):
    wire = Wire()
    segments = [*wire.handshake(), *(wire.client(b"ab", missing=1_000) for _ in range(50))]
    assert run(tcp, segments).gaps(CLIENT) == [(2 + 1_002 * at, 1_000) for at in range(50)]


# --- damaged numbers ---------------------------------------------------------------------------------------------

FAR = [1, 1_000, 2**20, limits.MAX_ACK_AHEAD, limits.MAX_ACK_AHEAD + 1, 2**26 + 9, 2**30, 2**31 - 1, 2**31, -1, -5_000]


@pytest.mark.parametrize("off", FAR)
@pytest.mark.parametrize("way", [CLIENT, SERVER])
def test_a_damaged_acknowledgment_costs_nothing(tcp, off, way):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abc"), wire.server(b"ABC")]
    damaged = wire.segment(way, b"def")
    segments.append(damaged._replace(ack=(damaged.ack + off) % 2**32))
    segments += chatter(wire, limits.LOSS_WINDOW + 100)
    segments += [wire.segment(at & 1, b"%03d" % at) for at in range(100)]
    streams = run(tcp, segments)
    for direction, first in ((CLIENT, b"abc"), (SERVER, b"ABC")):
        expected = first + (b"def" if direction == way else b"")
        expected += b"".join(b"%03d" % at for at in range(100) if at & 1 == direction)
        assert streams.bytes(direction) == list(expected)


@pytest.mark.parametrize("off", FAR)
@pytest.mark.parametrize("idle", [0, limits.LOSS_WINDOW * 2], ids=["goes-on", "pauses"])
def test_a_damaged_sequence_number_costs_its_segment_only(tcp, off, idle):
    wire = Wire()
    segments = [*wire.handshake(), wire.client(b"abcd"), wire.server(b"ABC")]
    segments.append(wire.client(b"efgh", at=4 + off))
    wire.sent[CLIENT] = 8  # the receiver was not misled
    segments += chatter(wire, idle, server_ack=4)
    segments += [wire.segment(at & 1, b"%03d" % at) for at in range(1_000)]
    streams = run_all(tcp, segments)
    later = b"".join(b"%03d" % at for at in range(0, 1_000, 2))
    # Where it lies within bytes that come later, or across those before it, some of them cannot be told from it.
    assert (later if abs(off) > 1_000 else later[1_000:]) in streams.data(CLIENT)
    assert streams.data(SERVER) == b"ABC" + b"".join(b"%03d" % at for at in range(1, 1_000, 2))


def test_a_sequence_that_goes_on_elsewhere_is_followed(tcp):
    """The SYN had a damaged number, or a part of the capture is missing in which the ports were used again."""
    for off in (2**28, -(2**28), 2**31, -(2**31) + 9):
        wire = Wire()
        segments = [*wire.handshake(), wire.client(b"abc")]
        other = Wire(initial=(INITIAL[0] + off, INITIAL[1]))
        segments += [other.client(b"%03d" % at) for at in range(100)]
        streams = run_all(tcp, segments)
        assert streams.data(CLIENT).startswith(b"abc")
        assert streams.data(CLIENT).endswith(b"".join(b"%03d" % at for at in range(20, 100)))
        assert streams.gaps(CLIENT)


# --- bounds ------------------------------------------------------------------------------------------------------


def syn_flood(count):
    for at in range(count):
        there = struct.pack(">IIHH", at, 0x0A000002, at & 0xFFFF, 50_051)
        yield Segment(at + 1, at, there, at, 0, SYN, b"", 0)


def test_a_flood_of_syns_costs_no_memory(tcp):
    reassembler = tcp.TcpReassembler()
    tracemalloc.start()
    try:
        for segment in syn_flood(100_000):
            assert reassembler.feed(segment) == []
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 4_000 * limits.MAX_HALF_OPEN  # all of them would be several times as much
    assert reassembler.close() == []


def test_a_flood_of_syns_leaves_a_running_connection_alone(tcp):
    wire = Wire()
    reassembler = tcp.TcpReassembler()
    events = [event for segment in [*wire.handshake(), wire.client(b"abc")] for event in reassembler.feed(segment)]
    for segment in syn_flood(limits.MAX_HALF_OPEN * 2):
        reassembler.feed(segment)
    for segment in (wire.server(b"ABC"), wire.client(b"def")):
        events += reassembler.feed(segment)
    streams = Streams(events)
    assert streams.data(CLIENT) == b"abcdef"
    assert streams.data(SERVER) == b"ABC"


def test_the_number_of_connections_is_bounded(tcp, monkeypatch):
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 16)
    reassembler = tcp.TcpReassembler()
    wires = [Wire(port) for port in range(1, 30)]
    busy = wires[0]
    events = []
    for number, wire in enumerate(wires):
        segments = [*wire.handshake(), wire.client(b"abc"), busy.server(b"x")]
        for segment in segments:
            events += reassembler.feed(segment._replace(packet=number))
    assert sum(event.reason == "end" for event in events if isinstance(event, Closed)) >= 2 * (29 - 16)
    streams = Streams(events)
    assert len(streams.opened) == 29
    assert streams.data(SERVER, 1) == b"x" * 29  # the one idle longest is ended, not the oldest
    assert (1, SERVER) not in streams.closed


@pytest.mark.parametrize("size", [1, 1_000])
def test_what_waits_in_one_connection_is_bounded(tcp, monkeypatch, size):
    monkeypatch.setattr(limits, "MAX_PENDING_BYTES", 100_000)
    wire = Wire()
    reassembler = tcp.TcpReassembler()
    for segment in [*wire.handshake(), wire.client(b"a")]:
        reassembler.feed(segment)
    wire.client(b"lost")
    tracemalloc.start()
    try:
        for _ in range(3_000):
            reassembler.feed(wire.client(bytes(size)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 300_000


def test_what_waits_in_all_connections_is_bounded(tcp, monkeypatch):
    monkeypatch.setattr(limits, "MAX_PENDING_TOTAL", 200_000)
    reassembler = tcp.TcpReassembler()
    wires = [Wire(port) for port in range(1, 100)]
    segments = [segment for wire in wires for segment in wire.handshake()]
    events = [event for segment in segments for event in reassembler.feed(segment)]
    for wire in wires:
        wire.client(b"lost")
        for _ in range(10):
            events += reassembler.feed(wire.client(bytes(1_000)))
    delivered = sum(len(event.data) for event in events if isinstance(event, Chunk))
    assert delivered > 99 * 10_000 - 200_000
    assert sum(event.length for event in events if isinstance(event, Gap)) > 4 * 70
    events += reassembler.close()
    assert sum(len(event.data) for event in events if isinstance(event, Chunk)) == 99 * 10_000


@pytest.mark.parametrize("order", ["in order", "backwards", "every second one late", "every other direction"])
def test_a_megabyte_in_segments_of_one_byte_takes_linear_time(tcp, order):
    wire = Wire()
    head = wire.handshake()
    count = 1_000_000 if order == "in order" else 100_000
    if order == "every other direction":
        segments = [wire.segment(at & 1, b"x") for at in range(count)]
    else:
        segments = [wire.client(b"x") for _ in range(count)]
    if order == "backwards":
        segments.reverse()
    elif order == "every second one late":
        segments = segments[::2] + segments[1::2]
    reassembler = tcp.TcpReassembler()
    start = time.process_time()
    size = 0
    for segment in [*head, *segments]:
        for event in reassembler.feed(segment):
            size += len(event.data) if isinstance(event, Chunk) else 0
    for event in reassembler.close():
        size += len(event.data) if isinstance(event, Chunk) else 0
    assert time.process_time() - start < 30
    assert size > 0 if order in ("backwards", "every second one late") else size == count


# --- properties --------------------------------------------------------------------------------------------------


@dataclass
class Conversation:
    """What two sides said, and the segments in which they said it, in the order in which they were sent."""

    said: tuple[bytes, bytes]
    segments: list[Segment]

    @classmethod
    def make(cls, seed, with_reset=False):
        chance = random.Random(seed)
        wire = Wire(initial=(chance.getrandbits(32), chance.choice([0, 2**32 - 20, 2**31 - 20])))
        segments = wire.handshake()
        said = [b"", b""]
        for turn in range(chance.randrange(1, 8)):
            way = chance.randrange(2)
            for _ in range(chance.randrange(1, 5)):
                data = bytes((7 * turn + at + 128 * way) % 256 for at in range(chance.randrange(1, 12)))
                said[way] += data
                segments.append(wire.segment(way, data, at=wire.sent[way], flags=ACK | chance.choice([0, PSH])))
                if chance.random() < 0.3:
                    segments.append(wire.segment(1 - way))
                if chance.random() < 0.3 and said[way]:  # sent again, cut in another way
                    at = chance.randrange(len(said[way]))
                    segments.append(wire.segment(way, said[way][at : at + chance.randrange(1, 20)], at=at))
        for way in (CLIENT, SERVER):
            if chance.random() < 0.7:
                segments.append(wire.segment(way, flags=FIN | ACK))
        return cls((said[0], said[1]), segments)

    def captured(self, chance, window, twice, lost, keep=()):
        """The segments as a capture may have them: out of order within a window, some twice, some not at all."""
        segments = [segment for segment in self.segments if segment in keep or chance.random() >= lost]
        segments += [segment for segment in segments if chance.random() < twice]
        places = {segment.packet: segment.packet for segment in segments}
        order = sorted(segments, key=lambda segment: places[segment.packet] + chance.random() * window)
        return [segment._replace(packet=at + 1) for at, segment in enumerate(order)]


def check_causality(events, captured):
    """No chunk comes before the bytes that its segment acknowledges."""
    by_packet = {segment.packet: segment for segment in captured}
    syn = next(segment for segment in captured if segment.flags & (SYN | ACK) == SYN)
    syn_ack = next(segment for segment in captured if segment.flags & (SYN | ACK) == SYN | ACK)
    first = (syn.seq + 1, syn_ack.seq + 1)
    there = [0, 0]
    for event in events:
        if isinstance(event, Chunk):
            segment = by_packet[event.packet]
            other = 1 - event.direction
            if segment.flags & ACK:
                assert (segment.ack - first[other]) % 2**32 <= there[other]
            there[event.direction] += len(event.data)


@given(st.integers(0, 2**32), st.sampled_from([0, 1, 3, 8, 16]), st.sampled_from([0, 0.2, 1]))
def test_a_conversation_in_any_order_comes_out_as_it_was_said(tcp, seed, window, twice):
    conversation = Conversation.make(seed)
    captured = conversation.captured(random.Random(seed), window, twice, lost=0)
    events = events_of(tcp, captured)
    streams = Streams(events)
    assert (streams.data(CLIENT), streams.data(SERVER)) == conversation.said
    assert len(streams.opened) == 1
    assert streams.gaps(CLIENT) == streams.gaps(SERVER) == []
    check_causality(events, captured)


@given(st.integers(0, 2**32), st.sampled_from([0, 3, 8]), st.sampled_from([0, 0.2]), st.sampled_from([0.05, 0.3, 0.7]))
def test_with_packets_lost_all_that_was_captured_comes_out(tcp, seed, window, twice, lost):
    conversation = Conversation.make(seed)
    handshake = conversation.segments[:2]
    captured = conversation.captured(random.Random(seed), window, twice, lost, keep=handshake)
    streams = run_all(tcp, captured)
    for way in (CLIENT, SERVER):
        expected = [None] * len(conversation.said[way])
        initial = handshake[way].seq + 1
        for segment in captured:
            if segment.flow == flow(way) and segment.data:
                at = (segment.seq - initial) % 2**32
                expected[at : at + len(segment.data)] = segment.data
        found = streams.bytes(way)
        assert found[: len(expected)] == expected[: len(found)]
        assert set(expected[len(found) :]) <= {None}
        assert set(found[len(expected) :]) <= {None}


@given(st.integers(0, 2**32), st.sampled_from([0, 3, 8]), st.sampled_from([0.1, 0.5]))
def test_with_anything_lost_nothing_wrong_comes_out(tcp, seed, window, lost):
    conversation = Conversation.make(seed)
    captured = conversation.captured(random.Random(seed), window, 0.1, lost)
    streams = run_all(tcp, captured)
    for number, opened in streams.opened.items():
        for direction in (0, 1):
            way = direction if opened.client[1] == 40_000 else 1 - direction
            found, said = streams.bytes(direction, number), conversation.said[way]
            assert any(
                all(byte is None or said[start + at : start + at + 1] == bytes([byte]) for at, byte in enumerate(found))
                for start in range(len(said) + 1)
            )


@pytest.mark.parametrize("seed", range(60))
def test_with_windows_of_a_few_segments_events_are_still_consistent(tcp, seed, monkeypatch):
    for name in ("REORDER_WINDOW", "LOSS_WINDOW", "OPENING_WINDOW", "STRAY_SEGMENTS"):
        monkeypatch.setattr(limits, name, 2)
    monkeypatch.setattr(limits, "MAX_PENDING_TOTAL", 4_000)
    chance = random.Random(seed)
    captured = Conversation.make(seed).captured(chance, 12, 0.2, 0.2)
    streams = run_all(tcp, captured)
    assert len(streams.closed) == 2 * len(streams.opened)


segments_of_any_kind = st.builds(
    Segment,
    packet=st.integers(1, 50),
    time=st.integers(0, 50),
    flow=st.sampled_from([flow(CLIENT), flow(SERVER), flow(CLIENT, 7)]),
    seq=st.integers(0, 2**32 - 1) | st.integers(0, 40) | st.integers(2**32 - 20, 2**32 - 1),
    ack=st.integers(0, 2**32 - 1) | st.integers(0, 40) | st.integers(2**32 - 20, 2**32 - 1),
    flags=st.integers(0, 63) | st.just(ACK),
    data=st.binary(max_size=9),
    missing=st.sampled_from([0, 0, 0, 1, 65_535]),
)


@given(st.lists(segments_of_any_kind, max_size=40))
def test_any_segments_give_consistent_events(tcp, segments):
    streams = run_all(tcp, segments)
    assert len(streams.closed) == 2 * len(streams.opened)
    captured = sum(len(segment.data) for segment in segments)
    assert sum(len(data) for _, data in streams.order if data) <= captured


@given(st.lists(segments_of_any_kind, max_size=60))
def test_both_variants_agree(segments):
    name = "inspector.net.tcp_cy"
    first, *others = [events_of(kernels.load(name, variant), segments) for variant in kernels.variants(name)]
    assert all(events == first for events in others)
    assert len(first) != 1
