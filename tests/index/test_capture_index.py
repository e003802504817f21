"""The index of a capture: what it answers is what reading from end to end gives, whatever the capture is like."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import subprocess
import sys
import threading

import benchmark_modules
import capture_files
import pytest
from capture_files import CAPTURES, SAMPLES
from made_capture import capture

import inspector
from inspector import limits
from inspector.errors import InputError
from inspector.index import layout
from inspector.index.capture_index import COLUMNS
from inspector.model.call import Call, Message

PREDICT = SAMPLES / "predict.pcapng"


@pytest.fixture(autouse=True)
def keep_small_ones(monkeypatch, tmp_path):
    """Indexes of small captures are kept too, for each test in a folder of its own."""
    monkeypatch.setattr(limits, "MIN_INDEX_CACHED", 0)
    monkeypatch.setenv("INSPECTOR_CACHE", str(tmp_path / "cache"))


def read(path):
    """The calls, messages and problems of a capture, and what else is told of it, read from end to end."""
    session = inspector.open(path)
    events = list(session.events())
    calls = [event for event in events if type(event) is Call]
    messages = [event for event in events if type(event) is Message]
    rest = [event for event in events if type(event) not in (Call, Message)]
    return calls, messages, (rest, session.damaged, session.passed_over)


def assert_answers(index, path):
    """That an index that is complete says all that reading says."""
    calls, messages, rest = read(path)
    assert index.complete
    assert [index.call_at(row) for row in range(len(index))] == calls
    for row, call in enumerate(calls):
        assert index.call(call.number) == call
        assert index.row_of(call.number) == row
    of_calls = {}
    for message in messages:
        assert index.message(message.call, message.direction, message.index) == message
        of_calls.setdefault(message.call, []).append(message)
    for number, expected in of_calls.items():
        assert index.messages_of(number) == expected
        assert [*index.each_message(number)] == expected
        for direction in ("request", "response") if number else ():
            assert [*index.each_message(number, direction)] == [m for m in expected if m.direction == direction]
    assert (list(index.problems), index.damaged, index.passed_over) == rest


def check(path):
    """The same of a new index, and of that index when it is found in the cache folder."""
    with inspector.open(path).index() as index:
        assert_answers(index.build(), path)
    with inspector.open(path).index() as index:
        assert index.complete
        assert_answers(index, path)


@pytest.mark.parametrize("name", CAPTURES)
def test_an_index_answers_what_reading_gives(name):
    check(SAMPLES / name)


@pytest.mark.parametrize("budget", [1, 5_000, 100_000])
def test_the_calls_so_far_are_there_while_it_is_built(budget, monkeypatch):
    monkeypatch.setattr(limits, "READ_SIZE", 2_048)
    calls, messages, _ = read(SAMPLES / "concurrent.pcapng")
    with inspector.open(SAMPLES / "concurrent.pcapng").index(keep=False) as index:
        assert (len(index), index.complete, index.bytes_read) == (0, False, 0)
        seen = set()
        while index.advance(budget):
            seen.add(len(index))
            if index:
                assert index.call_at(len(index) - 1) == calls[len(index) - 1]
        assert len(seen) > 1 or budget == 100_000
        assert [index.message(each.call, each.direction, each.index) for each in messages] == messages


def test_messages_of_a_call_that_has_not_ended_are_there(tmp_path):
    path = cut_copy(PREDICT, tmp_path, 0.7)
    _, messages, _ = read(path)
    last = messages[-1]
    with inspector.open(path).index(keep=False) as index:
        while not index.complete:
            index.advance(1)
            if index.complete:
                break
        assert index.message(last.call, last.direction, last.index) == last


# --- captures that are not as they should be --------------------------------------------------------------------


def cut_copy(source, folder, part):
    path = folder / f"cut-{source.name}"
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    return path


@pytest.mark.parametrize("part", [0.2, 0.51, 0.83, 0.999])
@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_that_is_cut(name, part, tmp_path):
    check(cut_copy(SAMPLES / name, tmp_path, part))


def moved(records, chance):
    """Packets put out of order within eight of them, so that segments wait for others."""
    places = [index for index, record in enumerate(records) if record.is_packet]
    made = list(records)
    for start in range(0, len(places), 8):
        group = places[start : start + 8]
        for place, source in zip(group, chance.sample(group, len(group)), strict=True):
            made[place] = records[source]
    return made


def dropped(records, chance):
    return [record for record in records if not record.is_packet or chance.random() > 0.05]


def doubled(records, chance):
    return [each for record in records for each in [record] * (1 + (record.is_packet and chance.random() < 0.3))]


@pytest.mark.parametrize("change", [moved, dropped, doubled])
@pytest.mark.parametrize("name", [name for name in CAPTURES if name not in ("truncated.pcapng", "predict.pcap.gz")])
def test_packets_that_are_moved_lost_or_there_twice(name, change, tmp_path):
    path = tmp_path / "changed"
    records = capture_files.split(capture_files.read(name))
    path.write_bytes(capture_files.join(change(records, random.Random(name))))
    check(path)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "name", ["predict.pcapng", "predict.pcap", "errors.pcapng", "gzip.pcapng", "concurrent.pcapng"]
)
def test_changed_bytes(name, seed, tmp_path):
    chance = random.Random(seed)
    file = bytearray((SAMPLES / name).read_bytes())
    for _ in range(chance.choice((1, 10, 100))):
        file[chance.randrange(4, len(file))] = chance.randrange(256)
    path = tmp_path / name
    path.write_bytes(file)
    check(path)


def test_small_messages_that_look_like_what_is_before_them(tmp_path):
    path = tmp_path / "zeros.pcap"
    path.write_bytes(capture(sent=bytes(300), answered=b"\0" * 40))
    check(path)


# --- inputs that are no capture file ----------------------------------------------------------------------------


def test_a_pipe_is_copied_as_it_is_read():
    calls, messages, _ = read(PREDICT)
    program = (
        "import inspector\n"
        "index = inspector.open('-').index().build()\n"
        "print(len(index), hash(index.call(3)), sum(len(m.data or b'') for n in range(11) for m in found(index, n)))\n"
    )
    helper = "def found(index, n):\n    return index.messages_of(n) if n else []\n"
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, "-c", helper + program], input=PREDICT.read_bytes(), capture_output=True, env=environment,
        check=True,
    )  # fmt: skip
    count, _, size = map(int, done.stdout.split())
    assert (count, size) == (len(calls), sum(len(message.data or b"") for message in messages))


@pytest.mark.parametrize("name", ["request.http2", "frames.grpc", "many.delimited", "one.binpb"])
def test_inputs_without_packets(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(PAYLOADS[name])
    check(path)


def http2_stream():
    """The client's bytes of the first connection of a sample."""
    file = capture_files.read("predict.pcapng")
    flows = {}
    for record in capture_files.split(file):
        if record.is_packet:
            part = capture_files.segment(file, record)
            flows[part.flow] = flows.get(part.flow, b"") + part.data
    return next(data for data in flows.values() if data.startswith(b"PRI"))


MESSAGE = (SAMPLES / "payloads" / "predict_request.binpb").read_bytes()
PAYLOADS = {
    "request.http2": http2_stream(),
    "frames.grpc": b"".join(b"\0" + len(data).to_bytes(4, "big") + data for data in (MESSAGE, b"", MESSAGE)),
    "many.delimited": b"\x05\x0a\x03abc" * 20,
    "one.binpb": MESSAGE,
}


def test_messages_that_stand_by_themselves_are_of_call_0(tmp_path):
    path = tmp_path / "many.delimited"
    path.write_bytes(PAYLOADS[path.name])
    with inspector.open(path).index().build() as index:
        assert len(index) == 0
        assert index.message(0, None, 7).data == b"\x0a\x03abc"
        assert len(index.messages_of(0)) == 20


# --- a file that grows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CAPTURES if not name.endswith(".gz")])
def test_a_file_that_grows_is_read_on(name, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "READ_SIZE", 4_096)
    data = (SAMPLES / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[:2_000])
    with inspector.open(path).index() as index:
        read_so_far = 0
        for end in range(2_000, len(data) + len(data) // 7, len(data) // 7):
            with open(path, "ab") as file:
                file.write(data[path.stat().st_size : end])
            while index.advance(1):
                assert index.bytes_read >= read_so_far
                read_so_far = index.bytes_read
            assert_answers(index, path)
        assert index.bytes_read == len(data)


def test_an_index_that_was_kept_of_a_file_that_grew_since_is_not_taken(tmp_path):
    path = cut_copy(PREDICT, tmp_path, 0.5)
    check(path)
    shutil.copyfile(PREDICT, path)
    with inspector.open(path).index() as index:
        assert not index.complete
        assert_answers(index.build(), path)


def test_a_file_that_grows_after_its_index_was_found_is_read_anew(tmp_path):
    path = cut_copy(PREDICT, tmp_path, 0.5)
    check(path)
    with inspector.open(path).index() as index:
        assert index.complete
        assert not index.advance()
        shutil.copyfile(PREDICT, path)
        assert_answers(index.build(), path)


@pytest.mark.parametrize("name", ["predict.pcapng", "predict.pcap.gz"])
def test_an_index_is_found_only_for_the_same_file(name, tmp_path):
    path = tmp_path / name
    shutil.copyfile(SAMPLES / name, path)
    check(path)
    with inspector.open(SAMPLES / name).index() as index:
        assert not index.complete  # another path
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
    with inspector.open(path).index() as index:
        assert not index.complete  # another time
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    with inspector.open(path).index() as index:
        assert not index.complete  # other content


def test_a_file_that_shrank_is_read_anew(tmp_path):
    path = tmp_path / "predict.pcapng"
    shutil.copyfile(PREDICT, path)
    with inspector.open(path).index(keep=False).build() as index:
        os.truncate(path, 9_000)
        assert_answers(index.build(), path)


def test_a_message_whose_bytes_are_gone_is_an_input_error(tmp_path):
    path = tmp_path / "predict.pcapng"
    shutil.copyfile(PREDICT, path)
    with inspector.open(path).index(keep=False) as index:
        index.advance(1)
        path.write_bytes(b"")
        with pytest.raises(InputError, match="has changed since it was read"):
            index.message(1, "request", 0)


# --- questions that have no answer ------------------------------------------------------------------------------


def test_what_is_not_there_is_an_index_error():
    with inspector.open(PREDICT).index().build() as index:
        for ask in (
            lambda: index.call(0),
            lambda: index.call(11),
            lambda: index.call(-1),
            lambda: index.call_at(10),
            lambda: index.call_at(-1),
            lambda: index.message(1, "request", 99),
            lambda: index.message(1, "request", -1),
            lambda: index.message(77, "request", 0),
            lambda: index.messages_of(77),
        ):
            with pytest.raises(IndexError):
                ask()


# --- columns ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_kept", [False, True])
def test_columns_are_for_sorting_and_filtering(is_kept):
    calls, _, _ = read(SAMPLES / "errors.pcapng")
    if is_kept:
        inspector.open(SAMPLES / "errors.pcapng").index().build().close()
    with inspector.open(SAMPLES / "errors.pcapng").index().build() as index:

        def column(name, first=0):
            return [None if value == layout.NONE else value for value in index.column(name, first)]

        for name in ("number", "started", "duration", "connection", "stream", "requests", "responses", "complete"):
            assert column(name) == [getattr(call, name) for call in calls], name
        assert column("request_bytes") == [call.request_bytes for call in calls]
        assert column("response_bytes", 3) == [call.response_bytes for call in calls[3:]]
        assert column("status") == [call.status and call.status.code for call in calls]
        assert column("has_problems") == [bool(call.problems) for call in calls]
        kinds = [index.kinds[kind] for kind in column("kind")]
        assert kinds == [(call.method, call.protocol, call.authority) for call in calls]
        assert all(len(index.column(name, 5)) == len(calls) - 5 for name in COLUMNS)


# --- sizes ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    path = tmp_path_factory.mktemp("traffic") / "calls.pcapng"
    benchmark_modules.load("traffic").write_capture(path, 10_000)
    return path


def test_a_call_takes_at_most_200_bytes(traffic, tmp_path):
    with inspector.open(traffic).index().build() as index:
        assert len(index) == 10_000
        assert index.memory < 80 * len(index)
    [kept] = (tmp_path / "cache" / "index").iterdir()
    assert kept.stat().st_size <= 200 * 10_000


def test_any_of_many_calls_is_as_it_was_read(traffic):
    calls, messages, _ = read(traffic)
    inspector.open(traffic).index().build().close()
    with inspector.open(traffic).index() as index:
        for call in random.Random(1).sample(calls, 500):
            assert index.call(call.number) == call
        for message in random.Random(2).sample(messages, 500):
            assert index.message(message.call, message.direction, message.index) == message


def test_calls_are_asked_for_while_another_thread_builds(traffic):
    with inspector.open(traffic).index(keep=False) as index:
        index.advance(1)
        builder = threading.Thread(target=index.build)
        builder.start()
        asked = 0
        while builder.is_alive() or not asked:
            number = random.randrange(1, len(index) + 1)
            assert index.call(number).number == number
            assert index.message(number, "response", 0).call == number
            asked += 1
        builder.join()
        assert index.complete


def test_copies_of_compressed_captures_are_kept(traffic, tmp_path):
    path = tmp_path / "calls.pcapng.gz"
    path.write_bytes(gzip.compress(traffic.read_bytes(), 1))
    with inspector.open(path).index().build() as index:
        expected = index.call(5_000), index.messages_of(5_000)
    with inspector.open(path).index() as index:
        assert index.complete
        assert (index.call(5_000), index.messages_of(5_000)) == expected
        assert index.advance() is False
