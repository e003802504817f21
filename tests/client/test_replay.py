"""Captured calls made again, at real servers."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from concurrent import futures

import grpc
import grpc_peers as peers
import http2_traffic as http2
import made_capture
import pytest
import sample_server
from command import SAMPLES, SCHEMA
from recording import recording

import inspector
from inspector import limits
from inspector.client.replay import Clock, Replay, ReplaySettings
from inspector.client.replay_compare import Ignored, Rules
from inspector.client.replay_headers import HeaderEdits
from inspector.client.replay_plan import Planner
from inspector.client.settings import ConnectSettings
from inspector.errors import ConnectError
from inspector.schema import Schema
from inspector.views.secrets import is_secret

PLAINTEXT = ConnectSettings(plaintext=True, connect_timeout=30)
PATIENCE = 30


class Serving(grpc.GenericRpcHandler):
    """Methods of raw messages, all of streams both ways: name -> function(requests, context). Keeps the metadata."""

    def __init__(self, **methods):
        self.methods = methods
        self.metadata = []

    def service(self, details):
        method = self.methods.get(details.method.rpartition("/")[2])
        if method is None:
            return None
        self.metadata.append(dict(details.invocation_metadata))
        return grpc.stream_stream_rpc_method_handler(method)


@contextlib.contextmanager
def serving(address="127.0.0.1:0", **methods):
    """A server; where it listens, its handler, itself."""
    handler = Serving(**methods)
    server = grpc.server(futures.ThreadPoolExecutor(16), handlers=(handler,), options=peers.OPTIONS)
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield f"127.0.0.1:{port}", handler, server
    finally:
        server.stop(None).wait()


def echo(requests, _):
    yield from requests


@pytest.fixture(scope="module")
def plain():
    with sample_server.serving() as address:
        yield address


@pytest.fixture(scope="module")
def changed():
    with sample_server.serving("changed") as address:
        yield address


@pytest.fixture(scope="module")
def schema():
    return Schema.from_source(str(SCHEMA))


@pytest.fixture
def log(tmp_path):
    return tmp_path / "calls.binlog"


def record(log, address, *calls):
    """Makes calls (method, requests, metadata) through a proxy that records them."""
    with recording(f"grpc://{address}", log) as proxy, peers.channel(proxy.address) as channel:
        for method, requests, metadata in calls:
            peers.call(channel, method, requests, metadata)


def replay(path, address, *, schema=None, report=lambda _: None, clock=None, **options):
    """The outcomes by call, in the order in which they came."""
    rules = Rules(schema or Schema.empty(), **{name: options.pop(name) for name in Rules._fields if name in options})
    edits = options.pop("edits", HeaderEdits(is_secret))
    planning = {name: options.pop(name) for name in ("max_time", "no_deadline") if name in options}
    replaying = Replay(address, PLAINTEXT, ReplaySettings(**options), rules, clock=clock)
    outcomes = {}

    def note(outcome):
        outcomes[outcome.call.number] = outcome
        report(outcome)

    with inspector.open(path).index(keep=False) as index:
        index.build()
        calls = (index.call(number) for number in sorted(index.column("number")))
        asyncio.run(replaying.run(calls, Planner(index, edits, **planning).plan, note))
    outcomes["stopped"] = replaying.stopped
    return outcomes


def results(outcomes):
    return [outcome.result for number, outcome in outcomes.items() if number != "stopped"]


def differences(outcome):
    return [(each.path, each.change, each.before, each.after) for each in outcome.differences]


# --- what comes back is what was captured --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count"), [("predict", 10), ("concurrent", 36), ("gzip", 8), ("ipv6", 3), ("large", 5), ("hpack", 51)]
)
def test_a_sample_at_the_server_it_came_from_is_the_same(plain, schema, name, count):
    found = results(replay(SAMPLES / f"{name}.pcapng", plain, schema=schema))
    assert found == ["same"] * count


def test_calls_that_failed_were_given_up_or_ran_out_of_time_do_so_again(schema):
    with sample_server.serving("failing") as address:
        outcomes = replay(SAMPLES / "errors.pcapng", address, schema=schema, strict=True, concurrency=4)
    assert len(outcomes) == 16
    assert set(results(outcomes)) == {"same"}
    assert [outcomes[number].status.name for number in (1, 11, 12, 13, 14, 15)] == [
        "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "CANCELLED", "CANCELLED", "OK",
    ]  # fmt: skip


def test_all_kinds_of_calls_that_were_recorded_are_the_same(log):
    calls = [
        ("Unary", [b"\x08\x05"], ()),
        ("ServerStream", [b"ab"], (("x-gzip", "1"),)),
        ("ClientStream", [b"a", b"", b"bc"], ()),
        ("ClientStream", [], ()),
        ("Bidi", [b"12", b"34", b"5"], (("x-bytes-bin", b"\0\xff"),)),
        ("Fail", [b""], ()),
        ("Nope", [b""], ()),
    ]
    with peers.serving() as (address, _):
        record(log, address, *calls)
        outcomes = replay(log, address, headers=("x-*",), strict=True)
    assert results(outcomes) == ["same"] * len(calls)


def test_a_call_is_compressed_as_it_was(plain, schema, log):
    with recording(f"grpc://{plain}", log) as proxy:
        replay(SAMPLES / "gzip.pcapng", proxy.address, schema=schema)
        seen = proxy.recorder.traffic.from_clients
        replay(SAMPLES / "gzip.pcapng", proxy.address, schema=schema)
    plainly = sum(call.request_bytes for call in inspector.open(SAMPLES / "gzip.pcapng").calls())
    assert seen < plainly


# --- what differs --------------------------------------------------------------------------------------------------


def test_what_differs_is_named_by_its_field(changed, schema):
    outcomes = replay(SAMPLES / "predict.pcapng", changed, schema=schema, headers=("x-compute-*",))
    assert results(outcomes) == ["same", *["different"] * 3, "same", "same", "same", "different", "different", "same"]
    assert differences(outcomes[2]) == [
        ("response[0].labels[0].score", "changed", 0.9375, 1.0),
        ("response[0].finishedAt", "changed", "2026-03-14T06:00:01.375Z", "2026-03-14T06:01:01.375Z"),
        ("trailers.x-compute-ms", "changed", "375", "376"),
    ]
    assert [each[:2] for each in differences(outcomes[4])] == [("response[3]", "removed")]
    assert outcomes[4].differences[0].before["frame"]["number"] == "3"
    assert [each[:2] for each in differences(outcomes[9])] == [("response[0]", "removed"), ("status.code", "changed")]
    assert differences(outcomes[9])[1][2:] == ("OK", "NOT_FOUND")
    assert outcomes[9].notes == ("status.message: '' -> 'gone'",)


def test_without_a_schema_it_is_named_by_field_numbers(changed):
    outcomes = replay(SAMPLES / "predict.pcapng", changed)
    assert outcomes[2].is_guessed
    assert ("response[0].3[0].2", "changed", 0.9375, 1.0) in differences(outcomes[2])


def test_what_is_ignored_or_within_the_tolerance_is_no_difference(changed, schema):
    ignored = Ignored(("finished_at", "response[3]", "status.code"))
    outcomes = replay(SAMPLES / "predict.pcapng", changed, schema=schema, ignored=ignored, tolerance=0.1)
    assert [number for number, outcome in outcomes.items() if number != "stopped" and outcome.differences] == [9]
    assert [each[0] for each in differences(outcomes[9])] == ["response[0]"]


def test_the_text_of_a_status_counts_only_if_asked_for(log):
    def fail(text):
        def method(requests, context):
            context.abort(grpc.StatusCode.ABORTED, text)
            yield b""

        return method

    with serving(Fail=fail("a")) as (address, *_):
        record(log, address, ("Fail", [b""], ()))
    with serving(Fail=fail("b")) as (address, *_):
        assert results(replay(log, address)) == ["same"]
        assert differences(replay(log, address, strict=True)[1]) == [("status.message", "changed", "a", "b")]


def test_responses_beyond_those_of_the_capture_are_told(log, monkeypatch):
    def endless(requests, context):
        while context.is_active():
            yield b"\x08\x01"

    with serving(Count=lambda requests, _: iter([b"\x08\x01"])) as (address, *_):
        record(log, address, ("Count", [b""], ()))
    with serving(Count=lambda requests, _: iter([b"\x08\x01", b"\x08\x02"])) as (address, *_):
        assert differences(replay(log, address)[1]) == [("response[1]", "added", None, {"1": 2})]
    monkeypatch.setattr(limits, "MAX_REPLAY_DIFFERENCES", 5)
    with serving(Count=endless) as (address, *_):
        outcome = replay(log, address)[1]
    assert (outcome.result, len(outcome.differences), outcome.more > 0) == ("different", 5, True)
    assert "do not end" in outcome.notes[0]


# --- what is sent --------------------------------------------------------------------------------------------------


METADATA = (("authorization", "Bearer s3cret"), ("x-api-key", "k"), ("x-plain", "a"), ("x-tag-bin", b"\0\1"))


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        (HeaderEdits(is_secret), {"x-plain": "a", "x-tag-bin": b"\0\1"}),
        (HeaderEdits(is_secret, keep_credentials=True), dict(METADATA)),
        (HeaderEdits(is_secret, drop=("X-*",)), {}),
        (HeaderEdits(is_secret, set=(("x-plain", "b"), ("authorization", "Bearer new"))),
         {"x-plain": "b", "x-tag-bin": b"\0\1", "authorization": "Bearer new"}),
    ],
)  # fmt: skip
def test_metadata_is_sent_but_for_credentials_and_as_edited(log, edits, expected):
    with serving(Echo=echo) as (address, handler, _):
        record(log, address, ("Echo", [b"1"], METADATA))
        handler.metadata.clear()
        assert results(replay(log, address, edits=edits)) == ["same"]
    (metadata,) = handler.metadata
    names = {name for name, _ in METADATA}
    assert {name: value for name, value in metadata.items() if name in names} == expected


def test_header_edits_say_what_they_left_out_and_why():
    fields = ((":path", "/a/B"), ("grpc-timeout", "1S"), ("cookie", "c"), ("x-a", "ü"), (None, None), ("x-b", "1"))
    metadata, left = HeaderEdits(is_secret, drop=("x-b",)).apply(fields)
    assert metadata == ()
    assert left == [
        ("transport", ":path"), ("transport", "grpc-timeout"), ("credential", "cookie"), ("unsendable", "x-a"),
        ("unsendable", "(not in the capture)"), ("dropped", "x-b"),
    ]  # fmt: skip


def test_deadlines_are_those_of_the_capture_or_as_told(log):
    left = []

    def remaining(requests, context):
        left.append(context.time_remaining())
        yield from requests

    with serving(Echo=remaining) as (address, *_):
        with recording(f"grpc://{address}", log) as proxy, peers.channel(proxy.address) as channel:
            peers.call(channel, "Echo", [b"1"], timeout=300)
        for options in ({}, {"max_time": 1000}, {"no_deadline": True}):
            assert results(replay(log, address, **options)) == ["same"]
    assert left[1] < 301 < left[2] < 1001  # a server's clocks may be coarse
    assert left[3] is None or left[3] > 1e6


# --- order and time ------------------------------------------------------------------------------------------------


def _converse(channel, turns):
    """Says one thing after the other, each when the last one was answered."""
    said = queue.SimpleQueue()
    said.put(turns[0])
    answers = channel.stream_stream(f"/{peers.SERVICE}/Talk")(iter(said.get, None))
    for turn, _ in zip([*turns[1:], None], answers, strict=False):
        said.put(turn)
    assert answers.code() is grpc.StatusCode.OK


class Impatient:
    """Does not take a request before it has answered the last one."""

    def __init__(self):
        self.hurried = 0

    def __call__(self, requests, context):
        came = queue.SimpleQueue()
        open_ = threading.Semaphore(0)

        def drain():
            for request in requests:
                came.put(request)
                open_.release()
            came.put(None)

        threading.Thread(target=drain, daemon=True).start()
        while (request := came.get()) is not None:
            open_.acquire()
            if open_.acquire(timeout=0.02):
                self.hurried += 1
                open_.release()
            yield request


def test_a_request_waits_for_the_responses_that_came_before_it(log):
    impatient = Impatient()
    with serving(Talk=impatient) as (address, *_):
        with recording(f"grpc://{address}", log) as proxy, peers.channel(proxy.address) as channel:
            _converse(channel, [b"1", b"2", b"3"])
        assert results(replay(log, address)) == ["same"]
    assert impatient.hurried == 0


def test_a_request_does_not_wait_for_ever(log):
    def collect(requests, _):
        yield from list(requests)

    with (
        serving(Talk=echo) as (address, *_),
        recording(f"grpc://{address}", log) as proxy,
        peers.channel(proxy.address) as channel,
    ):
        _converse(channel, [b"1", b"2", b"3"])
    with serving(Talk=collect) as (address, *_):
        outcome = replay(log, address, turn_time=0.02)[1]
    assert outcome.result == "same"
    assert outcome.notes == ("request 1 was sent without 1 responses that had come before it",)


class FakeClock(Clock):
    """Time passes only while somebody sleeps."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds


@pytest.mark.parametrize("speed", [0, 1, 4])
def test_calls_and_messages_are_as_far_apart_as_captured(plain, schema, speed):
    events = list(inspector.open(SAMPLES / "predict.pcapng").events())
    times = [each.time for each in events if getattr(each, "direction", None) == "request"]
    first = min(each.started for each in events if hasattr(each, "started"))
    clock = FakeClock()
    assert set(results(replay(SAMPLES / "predict.pcapng", plain, schema=schema, speed=speed, clock=clock))) == {"same"}
    expected = (max(times) - first) / 1e9 / speed if speed else 0
    assert clock.time == pytest.approx(expected, abs=1e-6)


def test_a_call_is_given_up_when_it_was_captured_to_be(log):
    def talk(requests, context):
        yield from requests
        open_.wait(PATIENCE)
        yield b"beyond what was captured"
        open_.wait(PATIENCE)

    class Opening(FakeClock):
        """Lets the server go on when the client of the capture was still waiting."""

        async def sleep(self, seconds):
            open_.set()
            await super().sleep(seconds)

    open_ = threading.Event()
    with serving(Talk=talk) as (address, *_):
        with recording(f"grpc://{address}", log) as proxy, peers.channel(proxy.address) as channel:
            made = channel.unary_stream(f"/{peers.SERVICE}/Talk")(b"1")
            assert next(made) == b"1"
            made.cancel()
            proxy.wait_until(lambda: not proxy.log.counts.open_calls)
        (captured,) = inspector.open(log).calls()
        for speed in (0, 2):
            clock = Opening()
            assert results(replay(log, address, speed=speed, clock=clock)) == ["same"]
            assert clock.time == pytest.approx(captured.duration / 1e9 / speed if speed else 0)


def test_fields_of_the_transport_are_compared_only_where_they_are_named(log):
    with serving(Echo=echo) as (address, *_):
        record(log, address, ("Echo", [b"1"], ()))
        assert results(replay(log, address, headers=("*", "?*", "[:a-z]*"))) == ["same"]
        assert differences(replay(log, address, headers=("*", "Grpc-Stat*"))[1]) == [
            ("trailers.grpc-status", "added", None, "0")
        ]


def test_calls_are_made_at_one_time_as_far_as_allowed(log):
    together = threading.Barrier(2)

    def meet(requests, _):
        together.wait(PATIENCE)
        yield from requests

    with serving(Meet=echo) as (address, *_):
        record(log, address, *[("Meet", [bytes([number])], ()) for number in range(6)])
    with serving(Meet=meet) as (address, *_):
        assert results(replay(log, address, concurrency=2)) == ["same"] * 6


def test_calls_at_one_time_hold_no_more_than_is_allowed(log, monkeypatch):
    now, most = [], []

    def count(requests, _):
        now.append(1)
        most.append(len(now))
        yield from requests
        now.pop()

    with serving(Echo=count) as (address, *_):
        record(log, address, *[("Echo", [bytes(1000)], ()) for _ in range(6)])
        most.clear()
        monkeypatch.setattr(limits, "MAX_REPLAYED_CALL", 4_000)
        assert results(replay(log, address, concurrency=6)) == ["same"] * 6
        monkeypatch.setattr(limits, "MAX_REPLAYED_CALL", 2_000)
        skipped = replay(log, address)
    assert max(most) == 1
    assert {skipped[number].reason for number in range(1, 7)} == {"its messages take over 2000 bytes"}


@pytest.mark.parametrize(("code", "is_told"), [(8, False), (11, True), (0, True), (2, True)])
def test_a_call_that_its_client_reset_is_given_up_whatever_the_code(tmp_path, code, is_told):
    """ENHANCE_YOUR_CALM (11): an answer was over the limit of a client of gRPC core."""
    path = tmp_path / "reset.pcap"
    path.write_bytes(made_capture.given_up(http2.with_fields(http2.REQUEST, p_path="/pkg.Svc/Echo"), b"one", code))

    def endless(requests, _):
        yield b"one"
        for _ in requests:  # ends as the client gives up
            pass

    with serving(Echo=endless) as (address, *_):
        (outcome,) = [each for number, each in replay(path, address).items() if number != "stopped"]
    assert (outcome.result, outcome.differences) == ("same", ())
    assert any("in the capture the client reset the stream" in note for note in outcome.notes) is is_told


# --- what cannot be done -------------------------------------------------------------------------------------------


def test_calls_that_are_not_whole_are_skipped_with_the_reason(plain, schema):
    outcomes = replay(SAMPLES / "midstream.pcapng", plain, schema=schema)
    assert results(outcomes) == ["skipped"] * 3 + ["same", "same", "skipped", "same"]
    assert outcomes[1].reason == "its method is not in the capture"
    assert "that of the capture is not known" in outcomes[4].notes[0]
    assert "its end is not in the capture" in replay(SAMPLES / "truncated.pcapng", plain)[10].reason


def test_a_call_of_which_only_a_part_of_a_request_was_logged_is_skipped(log):
    with serving(Echo=echo) as (address, *_):
        cut = recording(f"grpc://{address}", log, log={"max_message_bytes": 10})
        with cut as proxy, peers.channel(proxy.address) as channel:
            peers.call(channel, "Echo", [b"short"])
            peers.call(channel, "Echo", [b"longer than ten"])
        outcomes = replay(log, address)
    assert results(outcomes) == ["same", "skipped"]
    assert outcomes[2].reason.startswith("request 0 ")


def test_a_server_that_is_not_there_is_an_error():
    with serving(Echo=echo) as (address, *_):
        pass
    with pytest.raises(ConnectError, match="refused"):
        replay(SAMPLES / "predict.pcapng", address)


def test_a_server_that_goes_away_fails_calls_and_then_ends_the_replay(log):
    with serving(Echo=echo) as (address, _, server):
        record(log, address, *[("Echo", [bytes([number])], ()) for number in range(10)])

        def leave(outcome):
            if outcome.call.number == 2:
                server.stop(None).wait()

        outcomes = replay(log, address, report=leave)
    assert results(outcomes) == ["same", "same", *["failed"] * limits.MAX_REPLAY_FAILURES]
    assert "did not reach the server" in outcomes["stopped"]


def test_a_connection_that_ended_is_followed_by_another(log):
    with contextlib.ExitStack() as stack:
        address, _, server = stack.enter_context(serving(Echo=echo))
        record(log, address, *[("Echo", [bytes([number])], ()) for number in range(4)])

        def restart(outcome):
            if outcome.call.number == 1:
                server.stop(None).wait()
                stack.enter_context(serving(address, Echo=echo))

        outcomes = replay(log, address, report=restart)
    # The second call may be on its way when the connection ends.
    assert [outcomes[number].result for number in (1, 3, 4)] == ["same"] * 3
    assert outcomes["stopped"] is None


def test_a_call_that_does_not_end_fails(log):
    over = threading.Event()

    def wait(requests, context):
        context.add_callback(over.set)
        over.wait(PATIENCE)
        yield b""

    with serving(Echo=echo) as (address, *_):
        record(log, address, ("Echo", [b"1"], ()))
    with serving(Echo=wait) as (address, *_):
        outcome = replay(log, address, call_time=0.05)[1]
        assert over.wait(PATIENCE)
    assert (outcome.result, outcome.differences) == ("failed", ())
    assert "did not end within" in outcome.reason


def test_an_answer_over_the_limit_fails(log):
    with serving(Echo=echo) as (address, *_):
        record(log, address, ("Echo", [bytes(2000)], ()))
        outcome = replay(log, address, max_message=1000)[1]
    assert outcome.result == "failed"
    assert "2000 bytes" in outcome.reason


# --- paths that are ignored ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("usage", "usage", True),
        ("usage", "usage.costs.credits", True),
        ("usage", "usages", False),
        ("usage", "inner.usage", False),
        ("**.usage", "inner.usage", True),
        ("labels[*].score", "labels[12].score", True),
        ("labels[*].score", "labels[12].inner.score", False),
        ("labels[*]", "labels[0].score", True),
        ("labels", "labels[0].score", True),
        ("finished_at", "finishedAt", True),
        ("*.finished_at", "last.finishedAt", True),
        ("response[1].name", "name", False),
        ("response[0].name", "name", True),
        ("response", "name", True),
    ],
)
def test_a_path_stands_for_all_below_it(glob, path, expected):
    assert Ignored((glob,)).takes("response[0]", path) is expected


def test_elements_are_not_told_apart_by_what_is_ignored():
    ignored = Ignored(("items[*].id",))
    values = [{"items": [{"id": number}, {"id": number + 1, "name": "a"}]} for number in (1, 5)]
    first, second = (ignored.pruned("response[0]", value) for value in values)
    assert first == second == {"items": [{}, {"name": "a"}]}
