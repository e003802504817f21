"""Frames of one direction of an HTTP/2 connection. The oracle is `hyperframe`, which writes them."""

from __future__ import annotations

import random

import kernels
import pytest
from http2_traffic import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Feeder,
    codes,
    cut,
    data,
    frame,
    of,
    problems,
    settings,
)
from hyperframe import frame as hyper
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from inspector.limits import DETECT_BYTES, RESYNC_FRAME_SIZE
from inspector.model.frames import Data, Frame, Lost, Restarted
from inspector.model.packet import Chunk

frames = kernels.fixture("inspector.net.http2_frames_cy")

LARGEST = (1 << 24) - 1
PING_FRAME = frame(PING, 0, 0, b"12345678")
BLOCK = frame(HEADERS, END_HEADERS, 5, b"\x82\x84")


class Reader(Feeder):
    """A reader, fed with chunks."""

    def _feed(self, event):
        new = list(self.target.feed(event) if isinstance(event, Chunk) else self.target.gap(event))
        self.events += new
        return new

    def end(self):
        new = self.target.close()
        self.events += new
        return new


def reader(frames, in_step=True, largest=0):
    made = frames.FrameReader(in_step)
    made.allow(largest)
    return Reader(made)


def joined(events):
    """Events with the pieces of each DATA frame put together, without packets and times."""
    out = []
    for event in events:
        if not isinstance(event, Data):
            out.append(event[:5] if isinstance(event, Frame) else event)
        elif event.start:
            out.append([event.stream, event.data, event.end, event.offset])
        else:
            assert out[-1][0] == event.stream
            assert out[-1][3] + len(out[-1][1]) == event.offset
            out[-1][1] += event.data
            out[-1][2] = event.end
    return out


# --- what hyperframe writes ---------------------------------------------------------------------------------------

streams = st.integers(1, 2**31 - 1)
blocks = st.binary(min_size=1, max_size=40)
paddings = st.one_of(st.none(), st.integers(0, 255))


def flagged(made, *names, padding=None):
    for name in filter(None, names):
        made.flags.add(name)
    if padding is not None:
        made.flags.add("PADDED")
        made.pad_length = padding
    return made


def maybe(name):
    return st.sampled_from(["", name])


@st.composite
def data_frames(draw):
    made = hyper.DataFrame(draw(streams), draw(st.binary(max_size=60)))
    return flagged(made, draw(maybe("END_STREAM")), padding=draw(paddings))


@st.composite
def header_frames(draw):
    made = hyper.HeadersFrame(draw(streams), draw(blocks))
    if draw(st.booleans()):
        made.flags.add("PRIORITY")
        made.depends_on, made.stream_weight = draw(st.integers(0, 2**31 - 1)), draw(st.integers(0, 255))
        made.exclusive = draw(st.booleans())
    return flagged(made, draw(maybe("END_STREAM")), draw(maybe("END_HEADERS")), padding=draw(paddings))


@st.composite
def promise_frames(draw):
    made = hyper.PushPromiseFrame(draw(streams), draw(streams) & ~1 or 2, draw(blocks))
    return flagged(made, draw(maybe("END_HEADERS")), padding=draw(paddings))


def measured(extension):
    """hyperframe writes the length that it read, so one that was not read must be told its length."""
    extension.body_len = len(extension.body)
    return extension


other_frames = st.one_of(
    st.builds(hyper.PriorityFrame, streams, depends_on=streams, stream_weight=st.integers(0, 255)),
    st.builds(hyper.RstStreamFrame, streams, error_code=st.integers(0, 2**32 - 1)),
    st.builds(
        hyper.SettingsFrame, settings=st.dictionaries(st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), max_size=8)
    ),
    st.just(hyper.SettingsFrame(flags=["ACK"])),
    st.builds(hyper.PingFrame, opaque_data=st.binary(max_size=8), flags=st.sampled_from([(), ("ACK",)])),
    st.builds(
        hyper.GoAwayFrame,
        last_stream_id=streams,
        error_code=st.integers(0, 2**32 - 1),
        additional_data=st.binary(max_size=40),
    ),
    st.builds(hyper.WindowUpdateFrame, st.one_of(st.just(0), streams), window_increment=st.integers(1, 2**31 - 1)),
    st.builds(
        hyper.ContinuationFrame, streams, data=st.binary(max_size=40), flags=st.sampled_from([(), ("END_HEADERS",)])
    ),
    st.builds(hyper.AltSvcFrame, st.just(0), origin=st.binary(min_size=1, max_size=9), field=st.binary(max_size=9)),
    st.builds(hyper.AltSvcFrame, streams, origin=st.just(b""), field=st.binary(max_size=9)),
    st.builds(
        hyper.ExtensionFrame,
        type=st.sampled_from([0x0B, 0x0D, 0x11, 0x42, 0xFF]),
        stream_id=st.one_of(st.just(0), streams),
        flag_byte=st.integers(0, 255),
        body=st.binary(max_size=40),
    ).map(measured),
)
any_frame = st.one_of(data_frames(), header_frames(), promise_frames(), other_frames)


def expected(made, at):
    """What the reader says of a frame that hyperframe made, and that stands at `at`."""
    raw = made.serialize()
    if isinstance(made, hyper.DataFrame):
        skipped = 10 if "PADDED" in made.flags else 9
        return [made.stream_id, made.data, "END_STREAM" in made.flags, at + skipped]
    return (raw[3], raw[4], made.stream_id, raw[9:], at)


def written(made):
    """Frames in bytes, and what a reader should say of them."""
    raw, said = b"", []
    for one in made:
        said.append(expected(one, len(raw)))
        raw += one.serialize()
    return raw, said


@given(st.lists(any_frame, max_size=8), st.lists(st.integers(0, 1000), max_size=12))
def test_frames_are_read_as_hyperframe_wrote_them_however_they_are_cut(frames, made, places):
    raw, said = written(made)
    fed = reader(frames)
    for part in cut(raw, places):
        fed.send(0, part)
    assert joined(fed.events) == said


@given(made=st.lists(any_frame, max_size=4))
@hypothesis_settings(max_examples=30)
def test_frames_are_read_byte_by_byte(frames, made):
    raw, said = written(made)
    fed = reader(frames)
    for at in range(len(raw)):
        fed.send(0, raw[at : at + 1])
    assert joined(fed.events) == said


@given(made=any_frame)
def test_the_size_of_every_frame_is_known_from_its_header(frames, made):
    raw = made.serialize()
    assert frames.frame_size(b"xx" + raw[:9], 2, LARGEST, False) == len(raw)
    strict = frames.frame_size(raw[:9], 0, LARGEST, True)
    assert strict == (len(raw) if is_usual(made, raw) else 0)


def is_usual(made, raw):
    """Whether a sender would write that frame: of a known type, and not empty, unless to end a stream."""
    if isinstance(made, hyper.ExtensionFrame):
        return False
    empty_data = raw[3] == 0 and len(raw) == 9 and raw[4] != 1
    return not empty_data and not (raw[3] == 1 and len(raw) == 9)


@given(raw=st.binary(max_size=200), places=st.lists(st.integers(0, 200), max_size=5), in_step=st.booleans())
def test_any_bytes_are_read_without_an_exception(frames, raw, places, in_step):
    fed = reader(frames, in_step)
    for part in cut(raw, places):
        fed.send(0, part)
    fed.end()
    assert sum(len(event.data) for event in of(Data, fed.events)) <= len(raw)


# --- what can be a frame ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "flags", "stream", "length"),
    [
        (DATA, 0, 0, 5),
        (HEADERS, 0, 0, 5),
        (PRIORITY, 0, 1, 4),
        (PRIORITY, 0, 1, 6),
        (PRIORITY, 0, 0, 5),
        (RST_STREAM, 0, 1, 3),
        (RST_STREAM, 0, 1, 5),
        (RST_STREAM, 0, 0, 4),
        (SETTINGS, 0, 1, 6),
        (SETTINGS, 0, 0, 7),
        (SETTINGS, 0, 0, 6 * 257),
        (PING, 0, 0, 7),
        (PING, 0, 3, 8),
        (GOAWAY, 0, 0, 7),
        (GOAWAY, 0, 1, 8),
        (WINDOW_UPDATE, 0, 0, 5),
        (CONTINUATION, 0, 0, 5),
        (DATA, 0, 1, 101),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_a_header_that_no_frame_can_have_is_refused(frames, kind, flags, stream, length, strict):
    header = length.to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big")
    longest = 100 if kind == DATA else LARGEST
    assert frames.frame_size(header, 0, longest, strict) == 0


@pytest.mark.parametrize(("kind", "flags"), [(DATA, 0x02), (RST_STREAM, 0x01), (0x0B, 0), (0x77, 0)])
def test_what_receivers_ignore_is_refused_only_where_frames_are_guessed(frames, kind, flags):
    header = frame(kind, flags, 1, bytes(4))
    assert frames.frame_size(header, 0, 100, False) == 13
    assert frames.frame_size(header, 0, 100, True) == 0


# --- DATA ---------------------------------------------------------------------------------------------------------


def test_data_is_handed_on_as_it_arrives(frames):
    fed = reader(frames)
    raw = data(3, b"abcdef", end=True)
    assert fed.send(0, raw[:11]) == [Data(0, 3, b"ab", 0, True, False, 9, 1, 1_000_000)]
    assert fed.send(0, raw[11:12]) == [Data(0, 3, b"c", 0, False, False, 11, 2, 2_000_000)]
    assert fed.send(0, raw[12:]) == [Data(0, 3, b"def", 0, False, True, 12, 3, 3_000_000)]


def test_an_empty_data_frame_can_end_the_stream(frames):
    assert joined(reader(frames).send(0, data(3, end=True) + PING_FRAME))[0] == [3, b"", True, 9]


def test_the_direction_is_that_of_the_chunk(frames):
    assert reader(frames).send(1, data(3, b"x"))[0].direction == 1


@pytest.mark.parametrize("padding", [0, 1, 255])
def test_padding_is_taken_off(frames, padding):
    raw = frame(DATA, PADDED | END_STREAM, 3, bytes((padding,)) + b"body" + bytes(padding))
    assert joined(reader(frames).send(0, raw)) == [[3, b"body", True, 10]]


@pytest.mark.parametrize("payload", [b"", b"\1", b"\5abcd", b"\xffabc"])
def test_padding_longer_than_its_frame_costs_that_frame(frames, payload):
    found = reader(frames).send(0, frame(DATA, PADDED, 3, payload) + data(5, b"next"))
    assert codes(problems(found)) == ["http2_padding"]
    assert joined(found[1:]) == [[5, b"next", False, 9 + len(payload) + 9]]


def test_a_long_frame_in_single_bytes_is_read(frames):
    fed = reader(frames, largest=LARGEST)
    size = 50_000
    fed.send(0, size.to_bytes(3, "big") + bytes((HEADERS, END_HEADERS, 0, 0, 0, 1)))
    for _ in range(size - 1):
        assert fed.send(0, b"x") == []
    assert [len(event.payload) for event in fed.send(0, b"x")] == [size]


# --- frame sizes --------------------------------------------------------------------------------------------------


def test_a_frame_of_the_default_size_is_read_and_a_longer_one_is_not(frames):
    assert joined(reader(frames).send(0, data(1, bytes(16_384))))[0][1] == bytes(16_384)
    assert codes(problems(reader(frames).send(0, data(1, bytes(16_385))))) == ["http2_frame"]


@pytest.mark.parametrize("size", [16_385, 4 << 20, LARGEST])
def test_a_size_that_the_peer_allows_is_read(frames, size):
    found = reader(frames, largest=size).send(0, data(1, bytes(size)) + PING_FRAME)
    assert [len(found[0].data), type(found[1])] == [size, Frame]


def test_a_smaller_size_announced_later_changes_nothing(frames):
    fed = reader(frames, largest=50_000)
    fed.target.allow(16_384)
    assert problems(fed.send(0, data(1, bytes(50_000)))) == []


def test_no_setting_allows_more_than_a_length_can_say(frames):
    fed = reader(frames, largest=2**32 - 1)
    assert fed.send(0, b"\xff\xff\xff" + bytes((DATA, 0, 0, 0, 0, 1)) + b"x")[0].data == b"x"


def test_a_frame_that_is_too_large_is_passed_over_and_the_next_ones_are_read(frames):
    fed = reader(frames)
    found = fed.send(0, frame(DATA, 0, 1, b"\xaa" * 20_000) + BLOCK + data(5, b"a") + PING_FRAME)
    assert codes(problems(found)) == ["http2_frame"]
    assert problems(found)[0].offset == 0
    assert [type(event) for event in found[1:]] == [Lost, Frame, Data, Frame]
    assert found[2].offset == 20_009


# --- gaps ---------------------------------------------------------------------------------------------------------


def test_a_gap_within_a_data_frame_costs_only_its_bytes(frames):
    fed = reader(frames)
    raw = data(3, b"0123456789", end=True) + PING_FRAME
    fed.send(0, raw[:12])
    assert fed.lose(0, 4) == []
    rest = fed.send(0, raw[16:])
    assert rest[0] == Data(0, 3, b"789", 4, False, True, 16, 3, 3_000_000)
    assert isinstance(rest[1], Frame)


def test_several_gaps_within_a_data_frame_are_told_apart(frames):
    fed = reader(frames)
    raw = data(3, b"0123456789")
    fed.send(0, raw[:10])
    fed.lose(0, 2)
    fed.send(0, raw[12:13])
    fed.lose(0, 3)
    fed.send(0, raw[16:])
    assert [(event.data, event.missing) for event in fed.events] == [(b"0", 0), (b"3", 2), (b"789", 3)]


def test_two_gaps_without_bytes_between_them_add_up(frames):
    fed = reader(frames)
    fed.send(0, data(3, b"0123456789")[:10])
    fed.lose(0, 2)
    fed.lose(0, 3)
    assert [(event.data, event.missing) for event in fed.send(0, b"6789")] == [(b"6789", 5)]


def test_a_gap_that_takes_the_end_of_a_data_frame_ends_it(frames):
    fed = reader(frames)
    fed.send(0, data(3, b"0123456789", end=True)[:12])
    assert fed.lose(0, 7) == [Data(0, 3, b"", 7, False, True, 12, 2, None)]
    assert joined(fed.send(0, data(5, b"x"))) == [[5, b"x", False, 28]]


@pytest.mark.parametrize("held", [0, 3, 9, 12])
def test_a_gap_elsewhere_loses_the_place_until_frames_follow_one_another(frames, held):
    fed = reader(frames)
    fed.send(0, (PING_FRAME + PING_FRAME)[: 17 + held])
    found = fed.lose(0, 40)
    assert found == [Lost(2)]
    assert not fed.target.in_step
    found = fed.send(0, b"tail of a frame" + BLOCK + data(5, b"a") + PING_FRAME)
    assert fed.target.in_step
    assert [type(event) for event in found] == [Frame, Data, Frame]
    assert found[0].offset == 17 + held + 40 + 15


def test_a_gap_that_reaches_beyond_its_data_frame_loses_the_place(frames):
    fed = reader(frames)
    fed.send(0, data(3, b"0123456789")[:12])
    assert fed.lose(0, 8) == [Lost(2)]


def test_after_a_gap_a_preface_begins_a_connection(frames):
    fed = reader(frames)
    fed.send(0, PING_FRAME)
    fed.lose(0, 100)
    raw = b"end of the old one" + PREFACE + settings()
    assert fed.send(0, raw[:30]) == []
    found = fed.send(0, raw[30:])
    assert found[0] == Restarted(4)
    assert found[1][:4] == (SETTINGS, 0, 0, b"")


def test_the_place_can_be_lost_several_times_in_one_chunk(frames):
    junk = b"\xfe" * 50
    fed = reader(frames)
    triple = BLOCK + data(5, b"a") + PING_FRAME
    found = fed.send(0, triple + junk + triple + junk + triple)
    assert [type(event) for event in found].count(Lost) == 2
    assert len(of(Frame, found)) == 6
    assert len(of(Data, found)) == 3


# --- beginning anywhere -------------------------------------------------------------------------------------------


def typical(seed=7):
    """Frames of one direction as they occur, the long ones with bytes that look like nothing."""
    source = random.Random(seed)
    made = [
        hyper.SettingsFrame(settings={3: 100, 4: 65_535}),
        hyper.HeadersFrame(1, source.randbytes(60), flags=["END_HEADERS"]),
        hyper.DataFrame(1, source.randbytes(200)),
        hyper.WindowUpdateFrame(0, window_increment=100),
        hyper.DataFrame(1, source.randbytes(90), flags=["END_STREAM"]),
        hyper.HeadersFrame(3, source.randbytes(30), flags=["END_HEADERS"]),
        hyper.DataFrame(3, source.randbytes(150), flags=["END_STREAM"]),
        hyper.PingFrame(opaque_data=b"abcdefgh"),
        hyper.RstStreamFrame(3, error_code=8),
    ]
    return written(made)


def test_a_reader_that_begins_with_any_frame_or_within_one_is_exact_from_there(frames):
    raw, said = typical()
    starts = [one[4] if isinstance(one, tuple) else one[3] - 9 for one in said]
    bodies = {at for start in starts for at in range(start + 9, start + 30)}
    for start in sorted({*starts, *bodies} & set(range(starts[-3]))):
        fed = reader(frames, in_step=False)
        fed.offsets[0] = start
        fed.send(0, raw[start:])
        fed.end()
        assert joined(fed.events) == said[next(n for n, at in enumerate(starts) if at >= start) :], start


@pytest.mark.parametrize("size", range(1, len(PREFACE) + 1))
def test_a_preface_is_found_in_pieces(frames, size):
    fed = reader(frames, in_step=False)
    for part in cut(b"?" * 20 + PREFACE + settings(), range(20 % size, 1000, size)):
        fed.send(0, part)
    assert [type(event) for event in fed.events] == [Restarted, Frame]


def test_a_single_header_followed_by_less_than_its_frame_is_not_believed_yet(frames):
    fed = reader(frames, in_step=False)
    assert fed.send(0, BLOCK[:10]) == []
    assert not fed.target.in_step


def test_at_the_end_a_frame_that_is_not_whole_is_taken_where_the_bytes_begin_with_it(frames):
    fed = reader(frames, in_step=False)
    fed.send(0, data(1, b"0123456789")[:14])
    assert joined(fed.end()) == [[1, b"01234", False, 9]]


def test_random_bytes_hold_no_frames(frames):
    source = random.Random(1)
    fed = reader(frames, in_step=False)
    for _ in range(40):
        fed.send(0, source.randbytes(1460))
    fed.end()
    assert fed.events == []


def test_a_finder_lets_go_of_what_does_not_fit_its_window(frames):
    finder = frames.FrameFinder(1000)
    feeder = Feeder(frames.FrameReader(False))
    assert all(finder.feed(Chunk(1, 0, at * 100, b"\xff" * 100, 1, None)) is None for at in range(30))
    found = finder.feed(Chunk(1, 0, 3000, BLOCK + PING_FRAME, 2, None))
    assert [(chunk.offset, chunk.data) for chunk in found] == [(3000, BLOCK + PING_FRAME)]
    assert feeder.events == []


def test_a_finder_hands_back_the_chunks_from_the_first_frame_on(frames):
    finder = frames.FrameFinder(DETECT_BYTES)
    raw = b"\xfe" * 7 + BLOCK + PING_FRAME + data(1, b"abc")
    first, second = Chunk(1, 0, 50, raw[:11], 4, 40), Chunk(1, 0, 61, raw[11:], 5, 50)
    assert finder.feed(first) is None
    assert finder.feed(second) == [first._replace(offset=57, data=raw[7:11]), second]
    assert not finder.restarts


def test_a_finder_that_saw_nothing_likely_ends_with_nothing(frames):
    finder = frames.FrameFinder(DETECT_BYTES)
    finder.feed(Chunk(1, 0, 0, b"nothing here looks like frames" * 9, 1, None))
    assert finder.close() == []


def test_frames_over_the_default_size_are_believed_where_settings_were_not_seen(frames):
    big = data(1, b"\xee" * 100_000)
    fed = reader(frames, in_step=False)
    found = fed.send(0, BLOCK + big + PING_FRAME + GOODBYE)
    assert [type(event) for event in found] == [Frame, Data, Frame, Frame]
    assert len(big) < RESYNC_FRAME_SIZE


GOODBYE = frame(GOAWAY, 0, 0, bytes(8))
