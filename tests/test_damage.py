"""Damaged captures: what is whole in them is decoded, nothing is decoded wrongly, and nothing raises."""

from __future__ import annotations

import random
import shutil
import zlib

import capture_files
import pytest
from capture_files import CAPTURES, SAMPLES
from command import run

import inspector
from inspector.model.call import Call, Message
from inspector.model.problem import Problem
from inspector.net.calls_cy import format_endpoint
from inspector.sources import registry

LARGE = ("large.pcapng", "midmessage.pcapng")
"""Samples of over 300 kB, of which most is one message."""

INTACT = [name for name in CAPTURES if name not in ("truncated.pcapng", "predict.pcap.gz")]
"""Those whose packets can be dropped or moved (the compressed one has the same as predict.pcap)."""


def decode(file, sizes=None):
    """All events of a capture, fed in pieces of these sizes, in turn; or whole."""
    parser = registry.detect(file, whole=True).parser()
    events = []
    at, turn = 0, 0
    while at < len(file):
        size = sizes[turn % len(sizes)] if sizes else len(file)
        events += parser.feed(file[at : at + size])
        at += size
        turn += 1
    return events + parser.close()


@pytest.fixture(scope="module")
def whole():
    """The undamaged decode of each sample, made once."""
    made = {}

    def events_of(name):
        if name not in made:
            made[name] = decode(capture_files.read(name))
        return made[name]

    return events_of


def messages(events):
    return [event for event in events if isinstance(event, Message)]


def good(events):
    return [message for message in messages(events) if message.problem is None]


# --- cut off -----------------------------------------------------------------------------------------------------


def cuts(name):
    """Lengths to cut a sample to, from long to short: every 97th byte.

    In the large ones most of these cuts fall into the same few packets and cost milliseconds each, so there it is
    every 16th or 64th of them.
    """
    size = (SAMPLES / name).stat().st_size
    step = 97 * {"large.pcapng": 64, "midmessage.pcapng": 16}.get(name, 1)
    return range(size - size % step, 0, -step)


def whole_bytes(name, size):
    """How much of the capture file the first `size` bytes of a sample hold."""
    if not name.endswith(".gz"):
        return size
    return len(zlib.decompressobj(wbits=31).decompress((SAMPLES / name).read_bytes()[:size]))


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_that_is_cut_decodes_up_to_the_cut(name, whole, tmp_path):
    file = capture_files.read(name)
    ends = {record.end for record in capture_files.split(file)}
    path = shutil.copyfile(SAMPLES / name, tmp_path / name)
    for size in cuts(name):
        with open(path, "r+b") as cut:
            cut.truncate(size)
        try:
            session = inspector.open(path)
        except inspector.InspectorError:
            assert size < capture_files.HEAD, size  # of a compressed file, not even the first bytes are there
            continue
        events = list(session.events())
        held = whole_bytes(name, size)
        there = capture_files.whole_packets(file, held)
        expected = [each for each in good(whole(name)) if all(piece.packet <= there for piece in each.pieces)]
        found = good(events)
        assert len(found) >= len(expected), size  # a packet that is cut off may hold a whole message
        assert found == good(whole(name))[: len(found)], size
        unfinished = len(messages(events)) > len(found)
        is_between = held in ends and not name.endswith(".gz")
        assert session.damaged == (unfinished or not is_between), size


@pytest.mark.parametrize("name", ["predict.pcapng", "predict.pcap", "errors.pcapng"])
def test_a_capture_that_ends_between_two_packets_is_damaged_only_within_a_message(name, tmp_path):
    file = capture_files.read(name)
    records = capture_files.split(file)
    for count in range(1, len(records)):
        path = tmp_path / "cut"
        path.write_bytes(capture_files.join(records[:count]))
        session = inspector.open(path)
        found = messages(session.events())
        assert session.damaged == any(message.problem for message in found), count


@pytest.mark.parametrize("name", CAPTURES)
def test_decoding_a_capture_that_is_cut_exits_with_3(name, tmp_path):
    size = (SAMPLES / name).stat().st_size // 97 // 2 * 97 + 50
    path = tmp_path / name
    path.write_bytes((SAMPLES / name).read_bytes()[:size])
    result = run("decode", path)
    assert result.code == 3
    assert result.rows or name == "midmessage.pcapng"  # of that the first half is one message
    assert all(row.keys() >= {"call", "index", "message"} for row in result.rows)
    assert "Traceback" not in result.err
    assert result.err.startswith("inspector: ")


# --- in pieces ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CAPTURES if name != "predict.pcap.gz"])
def test_a_capture_fed_byte_by_byte_equals_it_whole(name, whole):
    assert decode(capture_files.read(name), [1]) == whole(name)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", [name for name in CAPTURES if name != "predict.pcap.gz"])
def test_a_capture_fed_in_random_pieces_equals_it_whole(name, seed, whole):
    chance = random.Random(seed)
    sizes = [chance.choice((1, 3, 30, 300, 3_000, 30_000)) * chance.randint(1, 4) for _ in range(50)]
    assert decode(capture_files.read(name), sizes) == whole(name)


# --- packets out of order, twice, missing ------------------------------------------------------------------------


class Content:
    """What a decode says, whatever packets it took and whatever the numbers of its calls: by connection and stream."""

    def __init__(self, events):
        self.problems = [event for event in events if isinstance(event, Problem)]
        self.calls = {}
        streams = {}
        for event in events:
            if isinstance(event, Call):
                streams[event.number] = key = (event.client, event.server, event.stream)
                assert key not in self.calls
                self.calls[key] = event
        self.messages = {key: [] for key in self.calls}
        for message in good(events):
            # A message of a call that is no gRPC call is of no stream that is known.
            self.messages[streams[message.call]].append((message.direction, message.encoding, message.data))

    def of(self, key):
        """All that is said about a call."""
        return self.described(key), [self.ordered(key, direction) for direction in ("request", "response")]

    def described(self, key):
        call = self.calls[key]
        return (
            call.method, call.authority, call.deadline, call.request_headers, call.response_headers, call.trailers,
            call.status, call.requests, call.responses, call.request_bytes, call.response_bytes, call.complete,
        )  # fmt: skip

    def ordered(self, key, direction):
        return [data for way, _, data in self.messages[key] if way == direction]


def assert_same(damaged, undamaged, what):
    assert damaged.calls.keys() == undamaged.calls.keys(), what
    for key in undamaged.calls:
        assert damaged.of(key) == undamaged.of(key), (what, key)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("window", [4, 16])
@pytest.mark.parametrize("name", INTACT)
def test_packets_out_of_order_decode_to_the_same(name, window, seed, whole):
    records = capture_files.split(capture_files.read(name))
    places = [index for index, record in enumerate(records) if record.is_packet]
    chance = random.Random(seed)
    shuffled = list(records)
    for start in range(0, len(places), window):
        group = places[start : start + window]
        for place, source in zip(group, chance.sample(group, len(group)), strict=True):
            shuffled[place] = records[source]
    assert_same(Content(decode(capture_files.join(shuffled))), Content(whole(name)), seed)


@pytest.mark.parametrize("later", [0, 1, 5])
@pytest.mark.parametrize("name", INTACT)
def test_packets_that_are_there_twice_decode_to_the_same(name, later, whole):
    records = capture_files.split(capture_files.read(name))
    doubled = []
    for index, record in enumerate(records):
        doubled.append(record)
        if index >= later and records[index - later].is_packet:
            doubled.append(records[index - later])
    assert_same(Content(decode(capture_files.join(doubled))), Content(whole(name)), later)


def may_be(known, header):
    """Whether a header that was decoded is one of those sent, as far as it is known."""
    return any(all(part in (None, sent) for part, sent in zip(header, field, strict=True)) for field in known)


def assert_never_wrong(damaged, undamaged, what):
    """What is decoded of a call that lost packets is what was said, or a part of it."""
    for key, call in damaged.calls.items():
        assert key in undamaged.calls, (what, key)
        truth = undamaged.calls[key]
        assert call.method in (None, truth.method), (what, key)
        assert call.authority in (None, truth.authority), (what, key)
        assert call.deadline in (None, truth.deadline), (what, key)
        if call.status is not None and call.status.source == "trailers":
            assert call.status == truth.status, (what, key)
        sent = [*truth.request_headers, *truth.response_headers, *truth.trailers]
        for header in (*call.request_headers, *call.response_headers, *call.trailers):
            assert may_be(sent, header), (what, key, header)
        for message in damaged.messages[key]:
            assert message in undamaged.messages[key], (what, key)


@pytest.mark.parametrize("name", INTACT)
def test_a_dropped_packet_costs_only_the_calls_that_it_is_of(name, whole):
    file = capture_files.read(name)
    records = capture_files.split(file)
    undamaged = Content(whole(name))
    touched = streams_of_packets(file) if name != "midmessage.pcapng" else None
    for number, place in enumerate((index for index, record in enumerate(records) if record.is_packet), start=1):
        damaged = Content(decode(capture_files.join([*records[:place], *records[place + 1 :]])))
        assert_never_wrong(damaged, undamaged, number)
        if touched is None:  # it begins in the middle of a frame: which bytes are of which call is not known here
            continue
        for key in undamaged.calls.keys() - touched.get(number, set()):
            assert key in damaged.calls, (number, key)
            for direction in ("request", "response"):
                assert damaged.ordered(key, direction) == undamaged.ordered(key, direction), (number, key)
        if number not in touched:
            assert_same(damaged, undamaged, number)


def streams_of_packets(file):
    """The calls that each packet with HTTP/2 frames holds a part of, as keys of `Content`; by its number."""

    def name(end):
        return format_endpoint((end[:-2], int.from_bytes(end[-2:], "big")))

    touched = {}
    for (source, target), frames in capture_files.frames(file).items():
        ends = (source, target) if int.from_bytes(target[-2:], "big") == 50051 else (target, source)
        for frame in frames:
            for packet in frame.packets:
                touched.setdefault(packet, set()).add((*map(name, ends), frame.stream))
    return touched


@pytest.mark.parametrize("name", ["predict.pcapng", "errors.pcapng", "hpack.pcapng"])
def test_a_status_is_the_true_one_or_not_known(name, whole):
    records = capture_files.split(capture_files.read(name))
    statuses = {key: call.status for key, call in Content(whole(name)).calls.items()}
    for number, place in enumerate((index for index, record in enumerate(records) if record.is_packet), start=1):
        damaged = Content(decode(capture_files.join([*records[:place], *records[place + 1 :]])))
        for key, call in damaged.calls.items():
            assert call.status is None or call.status.code == statuses[key].code, (number, key)


@pytest.mark.parametrize("name", ["predict.pcapng", "hpack.pcapng"])
def test_calls_before_a_dropped_packet_keep_all_they_have(name, whole):
    file = capture_files.read(name)
    records = capture_files.split(file)
    undamaged = Content(whole(name))
    last = {}
    for packet, keys in streams_of_packets(file).items():
        for key in keys:
            last[key] = max(packet, last.get(key, 0))
    for number, place in enumerate((index for index, record in enumerate(records) if record.is_packet), start=1):
        damaged = Content(decode(capture_files.join([*records[:place], *records[place + 1 :]])))
        for key in undamaged.calls:
            if last[key] < number:
                assert damaged.of(key) == undamaged.of(key), (number, key)


# --- damaged bytes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("name", [name for name in CAPTURES if name not in LARGE])
def test_changed_bytes_never_raise(name, seed, tmp_path):
    chance = random.Random(seed)
    file = bytearray((SAMPLES / name).read_bytes())
    for _ in range(chance.choice((1, 10, 100))):
        file[chance.randrange(4, len(file))] = chance.randrange(256)
    path = tmp_path / name
    path.write_bytes(file)
    try:
        session = inspector.open(path)
    except inspector.InspectorError:
        assert name.endswith(".gz")  # damage to the first bytes can hide what it is
        return
    for event in session.events():
        if isinstance(event, Message):
            assert session.decode(event).json
    assert session.passed_over
