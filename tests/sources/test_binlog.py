"""Binary logs, as other implementations of gRPC write them, become the calls and messages that captures give."""

import base64
import random

import command
import pytest
from binlogs import (
    CANCEL,
    CLIENT_HEADER,
    CLIENT_MESSAGE,
    HALF_CLOSE,
    MILLISECOND,
    SERVER,
    SERVER_HEADER,
    SERVER_MESSAGE,
    START,
    TRAILER,
    body,
    entry,
    fixed,
    header,
    metadata,
    unary,
    varint,
)
from capture_files import SAMPLES
from hypothesis import given
from hypothesis import strategies as st

import inspector
from inspector.model.call import Call, Message
from inspector.model.problem import Problem
from inspector.sources.binlog import BinlogParser, calls_parser
from inspector.sources.registry import detect

FRAMINGS = pytest.mark.parametrize("framing", [fixed, varint])


def read(log, size=None, parser=None):
    parser = parser or BinlogParser()
    size = size or max(1, len(log))
    events = [event for at in range(0, len(log), size) for event in parser.feed(log[at : at + size])]
    return events + parser.close()


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def bodies(events, number=1):
    return [(event.direction, event.index, event.data) for event in of(Message, events) if event.call == number]


def codes(problems):
    return [problem.code for problem in problems]


@FRAMINGS
def test_a_call_is_read(framing):
    entries = unary()
    entries[0].peer.type, entries[0].peer.address, entries[0].peer.ip_port = 1, "127.0.0.1", 4000
    entries[3].peer.type, entries[3].peer.address, entries[3].peer.ip_port = 2, "::1", 50051
    events = read(framing(entries))
    assert bodies(events) == [("request", 0, b"\x08\x05"), ("response", 0, b"\x08\x06")]
    assert [message.time for message in of(Message, events)] == [START + 2 * MILLISECOND, START + 5 * MILLISECOND]
    (call,) = of(Call, events)
    assert (call.number, call.method, call.protocol, call.authority) == (1, "/pkg.Svc/Do", "grpc", "example.com")
    assert (call.client, call.server) == ("127.0.0.1:4000", "[::1]:50051")
    assert (call.started, call.duration) == (START + MILLISECOND, 5 * MILLISECOND)
    assert (call.status.code, call.status.name, call.status.source) == (0, "OK", "trailers")
    assert (call.requests, call.responses, call.request_bytes, call.response_bytes) == (1, 1, 2, 2)
    assert call.complete
    assert call.problems == ()
    assert len(events) == 3


def test_metadata_deadline_status_and_details_are_read():
    details = b"\x08\x05\x12\x02no"
    log = fixed(
        [
            entry(
                CLIENT_HEADER,
                1,
                1,
                **header("/pkg.Svc/Do", ("x-id", b"7"), ("trace-bin", b"\0\xff"), timeout={"seconds": 2, "nanos": 5}),
            ),
            entry(SERVER_HEADER, 1, 2, server_header={"metadata": metadata(("x-server", "ä".encode()))}),
            entry(
                TRAILER,
                1,
                3,
                trailer={
                    "status_code": 5,
                    "status_message": "no such thing ä",
                    "status_details": details,
                    "metadata": metadata(("x-t", b"\xff")),
                },
            ),
        ]
    )
    (call,) = read(log)
    assert call.request_headers == (("x-id", "7"), ("trace-bin", base64.b64encode(b"\0\xff").decode()))
    assert call.response_headers == (("x-server", "ä"),)
    assert call.trailers == (("x-t", "ÿ"),)
    assert call.deadline == 2_000_000_005
    assert (call.status.name, call.status.message, call.status.details) == ("NOT_FOUND", "no such thing ä", details)


def test_a_path_of_a_socket_and_a_method_without_slash_are_read():
    log = fixed([entry(CLIENT_HEADER, 1, 1, **header("pkg.Svc/Do", peer={"type": 3, "address": "/run/s"}))])
    (call,) = read(log)
    assert (call.client, call.server, call.method) == ("unix:/run/s", "", "/pkg.Svc/Do")


@FRAMINGS
@pytest.mark.parametrize("size", [1, 7])
def test_the_same_comes_of_it_in_pieces(framing, size):
    log = framing([*unary(1), *unary(2, request=b"\x0a\x40" + bytes(64))])
    assert read(log, size) == read(log)


def test_calls_that_are_interleaved_are_told_apart_and_numbered_as_they_begin():
    first, second = unary(7, b"\x08\x01", b"\x08\x02"), unary(3, b"\x08\x03", b"\x08\x04", "/pkg.Svc/Other")
    entries = [first[0], second[0], second[1], first[1], *second[2:], *first[2:]]
    events = read(fixed(entries))
    assert bodies(events, 1) == [("request", 0, b"\x08\x01"), ("response", 0, b"\x08\x02")]
    assert bodies(events, 2) == [("request", 0, b"\x08\x03"), ("response", 0, b"\x08\x04")]
    assert [(call.number, call.method) for call in of(Call, events)] == [(2, "/pkg.Svc/Other"), (1, "/pkg.Svc/Do")]


def test_client_and_server_that_log_to_one_file_are_kept_apart():
    mixed = [each for pair in zip(unary(1), unary(1, logger=SERVER), strict=True) for each in pair]
    events = read(fixed(mixed))
    assert bodies(events, 1) == bodies(events, 2) == [("request", 0, b"\x08\x05"), ("response", 0, b"\x08\x06")]
    assert [call.complete for call in of(Call, events)] == [True, True]


@given(st.randoms(use_true_random=False))
def test_entries_in_any_order_within_a_call_give_the_same(source):
    entries = [*unary(1), *unary(2)]
    source.shuffle(entries)
    events = read(fixed(entries))
    assert sorted(bodies(events, number) for number in (1, 2)) == [bodies(read(fixed(unary())))] * 2
    assert all(call.complete and not call.problems for call in of(Call, events))


def test_a_message_of_which_only_a_part_was_logged_says_so():
    log = fixed(
        [
            entry(CLIENT_HEADER, 1, 1, **header()),
            entry(CLIENT_MESSAGE, 1, 2, **body(b"\x0a\x05ab", 7, payload_truncated=True)),
            entry(SERVER_MESSAGE, 1, 3, **body(b"", 1000)),
            entry(TRAILER, 1, 4, trailer={"status_code": 0}),
        ]
    )
    first, second, call = read(log)
    assert (first.data, first.wire, first.problem.code) == (None, b"\x0a\x05ab", "payload_truncated")
    assert first.problem.message == "the log has only 4 of the 7 bytes of this message"
    assert (second.data, second.problem.code) == (None, "payload_truncated")
    assert (call.request_bytes, call.response_bytes, call.complete) == (7, 1000, False)
    assert codes(call.problems) == ["payload_truncated"] * 2
    assert not any(problem.is_damage for problem in call.problems)


def test_a_cancelled_call_ends_with_its_trailer_where_one_follows():
    log = [entry(CLIENT_HEADER, 1, 1, **header()), entry(CANCEL, 1, 2, 5)]
    (alone,) = read(fixed(log))
    assert (alone.status.name, alone.status.source, alone.duration) == ("CANCELLED", "reset", 5 * MILLISECOND)
    (ended,) = read(fixed([*log, entry(TRAILER, 1, 3, 6, trailer={"status_code": 1, "status_message": "mine"})]))
    assert (ended.status.name, ended.status.message, ended.status.source) == ("CANCELLED", "mine", "trailers")


def test_a_call_cancelled_at_its_deadline_says_so():
    log = [entry(CLIENT_HEADER, 1, 1, **header(timeout={"nanos": 50 * MILLISECOND})), entry(CANCEL, 1, 2, 51)]
    (call,) = read(fixed(log))
    assert (call.status.name, call.status.source) == ("DEADLINE_EXCEEDED", "deadline")


def test_a_cancelled_call_does_not_wait_for_the_end_of_the_log():
    log = [entry(CLIENT_HEADER, 9, 1, **header()), entry(CANCEL, 9, 2)]
    log += [each for number in range(10, 200) for each in unary(number)]
    parser = BinlogParser()
    events = parser.feed(fixed(log))
    assert 1 in [call.number for call in of(Call, events)]


def test_a_cancellation_behind_the_end_is_not_told_but_other_entries_are():
    call = unary()
    events = read(fixed([*call, entry(CANCEL, 1, 7), entry(SERVER_MESSAGE, 1, 8, **body(b""))]))
    assert codes(of(Problem, events)) == ["entry_late"]
    assert len(of(Call, events)) == 1


def test_a_call_without_end_is_there_when_the_log_ends():
    (message, call) = read(fixed(unary()[:2]))
    assert message.data == b"\x08\x05"
    assert (call.status, call.duration, call.complete, call.problems) == (None, None, False, ())


def test_entries_that_are_missing_are_told_and_cost_no_others():
    entries = unary()
    del entries[2:4]
    events = read(fixed([*entries, *unary(2)]))
    assert bodies(events) == [("request", 0, b"\x08\x05"), ("response", 0, b"\x08\x06")]
    call = next(call for call in of(Call, events) if call.number == 1)
    assert [problem.message for problem in call.problems] == ["entries 3 to 4 of this call are not in the log"]
    assert not call.complete


def test_a_log_that_begins_within_a_call_says_so():
    events = read(fixed(unary()[4:]))
    assert bodies(events) == [("response", 0, b"\x08\x06")]
    assert codes(of(Call, events)[0].problems) == ["started_late"]


def test_what_waits_for_missing_entries_does_not_wait_long():
    late = unary(1)[1:]
    parser = BinlogParser()
    log = fixed([*late, *(each for number in range(2, 400) for each in unary(number))])
    assert bodies(parser.feed(log)) == [("request", 0, b"\x08\x05"), ("response", 0, b"\x08\x06")]


def test_a_process_that_counts_anew_begins_new_calls():
    events = read(fixed([*unary(1)[:2], *unary(1, time=100), *unary(2, time=200)]))
    assert [(call.number, call.status is not None) for call in of(Call, events)] == [(1, False), (2, True), (3, True)]


def test_a_header_that_is_repeated_in_the_next_file_of_a_log_is_no_new_call():
    entries = unary()
    events = read(fixed([*entries[:3], entries[0], *entries[3:]]))
    assert [call.complete for call in of(Call, events)] == [True]


def test_calls_without_sequence_numbers_go_by_the_order_of_the_log():
    entries = [*unary()]
    for each in entries[1:]:
        each.sequence_id_within_call = 0
    events = read(fixed(entries))
    assert [call.complete for call in of(Call, events)] == [True]


@FRAMINGS
@pytest.mark.parametrize("size", [1, 50, 1_000_000])
@pytest.mark.parametrize("lacking", ["timestamp", "call_id", "sequence_id_within_call"])
def test_a_log_whose_entries_lack_a_field_is_known_by_its_first_header(framing, size, lacking):
    entries = unary(request=b"x" * 3_000)
    for each in entries:
        each.ClearField(lacking)
    log = framing(entries)
    assert detect(log, whole=True).name == "binlog"
    events = read(log, size)
    assert [message.data for message in of(Message, events)] == [b"x" * 3_000, b"\x08\x06"]
    assert [(call.method, call.complete) for call in of(Call, events)] == [("/pkg.Svc/Do", True)]
    assert not of(Problem, events)


# --- damage ------------------------------------------------------------------------------------------------------


@FRAMINGS
def test_each_beginning_of_a_log_gives_what_is_whole_in_it(framing):
    calls = [unary(number) for number in (1, 2)]
    log = framing([each for call in calls for each in call])
    ends = [len(framing([*calls[0], *calls[1]][:count])) for count in range(13)]
    for size in range(1, len(log)):
        events = read(log[:size])
        whole = sum(end <= size for end in ends) - 1
        ended = [call for call in of(Call, events) if call.status is not None]
        assert len(ended) == whole // 6
        assert len(of(Message, events)) == sum(place <= whole for place in (2, 5, 8, 11))
        assert bool(of(Problem, events)) == (size not in ends)


@FRAMINGS
@pytest.mark.parametrize("seed", range(20))
def test_damage_costs_only_the_entries_it_hits(framing, seed):
    """Bytes of one call in the middle are overwritten."""
    source = random.Random(seed)
    calls = [unary(number) for number in range(1, 8)]
    parts = [framing(call) for call in calls]
    damaged = bytearray(parts[3])
    for _ in range(source.choice((1, 5, 40))):
        damaged[source.randrange(len(damaged))] = source.randrange(256)
    log = b"".join((*parts[:3], bytes(damaged), *parts[4:]))
    events = read(log, source.choice((None, 11)))
    good = [call for call in of(Call, events) if call.complete and call.authority == "example.com"]
    assert len(good) >= 6


@FRAMINGS
@pytest.mark.parametrize("rubbish", [b"\0" * 50, b"\xff" * 50, b"\x0a\x0c\x08" * 30, b"\x0a"])
def test_what_is_no_entry_is_passed_over_and_told(framing, rubbish):
    log = framing(unary(1)) + rubbish + framing(unary(2))
    events = read(log)
    assert [call.complete for call in of(Call, events)] == [True, True]
    (problem,) = of(Problem, events)
    assert (problem.code, problem.offset) == ("log_damaged", len(framing(unary(1))))
    assert problem.message == f"{len(rubbish)} bytes are no log entries"


@FRAMINGS
def test_a_log_whose_beginning_is_damaged_is_read_from_the_first_entry_on(framing):
    events = read(b"\xff\xfe\x01" + framing(unary(1)))
    assert [call.complete for call in of(Call, events)] == [True]
    assert codes(of(Problem, events)) == ["log_damaged"]


def test_an_entry_of_another_kind_is_told():
    events = read(fixed([unary()[0], entry(99, 1, 2), *unary(2)]))
    assert codes(of(Call, events)[-1].problems) == ["entry_unknown"]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_failing(data):
    events = read(data) + read(fixed(unary()) + data)
    assert len(of(Call, events)) >= 1


@given(st.binary(max_size=60), st.integers(0, 200))
def test_bytes_anywhere_in_a_log_do_not_fail(data, at):
    log = fixed([*unary(1), *unary(2)])
    events = read(log[:at] + data + log[at:])
    assert of(Call, events)


# --- how it is told and used -------------------------------------------------------------------------------------


@FRAMINGS
def test_a_log_is_known_by_its_first_entry(framing):
    log = framing(unary())
    assert detect(log, whole=True).name == "binlog"
    assert detect(log[:70], whole=False).name == "binlog"


@FRAMINGS
def test_a_log_that_begins_with_a_large_message_is_known(framing):
    log = framing([entry(CLIENT_MESSAGE, 5, 9, **body(b"\x0a\xf0\xa2\x04" + bytes(70_000)))])
    assert detect(log[:65_536], whole=False).name == "binlog"


@pytest.mark.parametrize("name", ["payloads/stream.grpc", "payloads/responses.delimited", "vision.binpb"])
def test_other_inputs_are_not_taken_for_logs(name):
    data = (SAMPLES / name).read_bytes()
    assert detect(data, whole=True).name != "binlog"
    assert detect(data[: len(data) // 2], whole=False).name != "binlog"


def test_a_delimited_message_that_is_nearly_an_entry_is_not_taken_for_one():
    near = entry(CLIENT_HEADER, 1, 1, None, **header("no path"))
    assert detect(varint([near]), whole=True).name != "binlog"


def test_a_parser_for_calls_makes_no_messages():
    log = fixed([*unary(1), *unary(2)])
    assert read(log, parser=calls_parser()) == of(Call, read(log))


@FRAMINGS
def test_an_index_gives_what_reading_gives(framing, tmp_path):
    path = tmp_path / "calls.binlog"
    entries = [*unary(1), *unary(2, bytes(5000)), entry(CLIENT_HEADER, 3, 1, **header())]
    entries += [entry(CLIENT_MESSAGE, 3, 2, **body(b"\x08", 9)), entry(HALF_CLOSE, 3, 3)]
    path.write_bytes(framing(entries))
    with inspector.open(path).index(keep=False).build() as index:
        events = list(inspector.open(path).events())
        for call in of(Call, events):
            assert index.call(call.number) == call
            messages = [event for event in of(Message, events) if event.call == call.number]
            assert index.messages_of(call.number) == messages
        assert index.damaged is True  # a message is not all there


def test_an_index_follows_a_log_that_grows(tmp_path):
    path = tmp_path / "calls.binlog"
    log = fixed([*unary(1), *unary(2)])
    half = len(fixed(unary(1))) + 10
    path.write_bytes(log[:half])
    with inspector.open(path).index(keep=False).build() as index:
        assert len(index) == 1
        with path.open("ab") as file:
            file.write(log[half:])
        index.build()
        assert (len(index), index.call(2).complete, list(index.problems)) == (2, True, [])


def test_a_log_is_decoded_by_its_methods(tmp_path):
    path = tmp_path / "calls.binlog"
    path.write_bytes(fixed(unary(method="/vision.v1.PredictionService/Predict", request=b"\x0a\x01m")))
    schema = inspector.Schema.from_files(SAMPLES / "vision.binpb")
    with inspector.open(path, schema=schema) as session:
        decoded = [session.decode(message) for message in session.messages()]
    assert decoded[0].type_name == "vision.v1.PredictRequest"


def test_addresses_of_a_log_move_nothing_on_a_terminal(tmp_path):
    path = tmp_path / "calls.binlog"
    peer = {"type": 3, "address": "/run/\x1b[2J"}
    path.write_bytes(fixed([entry(CLIENT_HEADER, 1, 1, **header(peer=peer)), *unary()[1:]]))
    shown = command.run("show", path, 1)
    assert shown.code == 0
    assert b"\x1b" not in shown.out
    assert "  client  unix:/run/" in shown.out.decode()
    assert "→ unknown\n" in shown.out.decode()
