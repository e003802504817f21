"""What is decoded from each sample equals what its server and client logged when it was recorded."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from capture_files import CAPTURES, SAMPLES

import inspector
from inspector.model.call import Call, Message

LOGS = {path.name.removesuffix(".log.json"): json.loads(path.read_text()) for path in SAMPLES.glob("*.log.json")}
LOG_OF = {capture: log for log in LOGS.values() for capture in log["captures"]}

LONGEST = 16_384
"""Longer strings are given as their hash in the logs."""


@pytest.fixture(scope="module")
def schema():
    return inspector.Schema.from_sources((str(SAMPLES / "vision.binpb"),), ())


class Decoded:
    """A sample, decoded, with its log beside it."""

    def __init__(self, capture, schema):
        self.session = inspector.open(SAMPLES / capture, schema=schema)
        events = list(self.session.events())
        self.calls = [event for event in events if isinstance(event, Call)]
        self._messages = [event for event in events if isinstance(event, Message)]
        logged = {call["id"]: call for call in LOG_OF[capture]["calls"]}
        of_call = {call.number: logged.pop(_id(call), None) for call in self.calls}
        # The one whose id was said before the capture began is the one that is left over.
        assert sum(log is None for log in of_call.values()) == len(logged) <= 1
        self.pairs = [(call, of_call[call.number] or next(iter(logged.values()))) for call in self.calls]

    def messages(self, call, direction):
        return [each for each in self._messages if each.call == call.number and each.direction == direction]


@pytest.fixture(scope="module", params=CAPTURES)
def sample(request, schema):
    return Decoded(request.param, schema)


def _id(call):
    return dict(call.request_headers).get("x-request-id")


def own(headers):
    """The headers of the application: without those of HTTP/2 and gRPC, and those that are not in the capture."""
    mine = ("te", "content-type", "user-agent", "accept-encoding")
    return [
        [name, padded(value) if name.endswith("-bin") else value]
        for name, value in headers
        if name and not name.startswith((":", "grpc-")) and name not in mine
    ]


def padded(value):
    """Base64 as Python writes it; many clients send it without padding."""
    return value + "=" * (-len(value) % 4)


def shortened(value):
    if isinstance(value, dict):
        return {key: shortened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value]
    if isinstance(value, str) and len(value) > LONGEST:
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value


def test_every_sample_has_its_log():
    assert sorted(LOG_OF) == CAPTURES


def test_all_calls_are_found(sample):
    assert len(sample.pairs) == len(sample.calls) > 0


def test_every_message_equals_the_logged_one(sample):
    for call, log in sample.pairs:
        for direction in ("request", "response"):
            messages = [each for each in sample.messages(call, direction) if each.data is not None]
            # The method is given where only a header table from before the capture names it.
            decoded = [sample.session.decode(each._replace(method=log["method"])) for each in messages]
            assert [shortened(json.loads(each.json)) for each in decoded] == log[f"{direction}s"], log["id"]
            assert [len(each.data) for each in messages] == log[f"{direction}_sizes"], log["id"]
            assert not any(each.problem or each.unknown_bytes for each in decoded), log["id"]


def test_every_message_is_of_the_logged_type(sample, schema):
    for call, log in sample.pairs:
        for direction in ("request", "response"):
            is_known = log["path_in_capture"] and schema.find_method(log["method"]) is not None
            types = {sample.session.decode(each).type_name for each in sample.messages(call, direction)}
            assert types <= {log[f"{direction}_type"] if is_known else None}, log["id"]


def test_messages_are_numbered_within_call_and_direction(sample):
    for call, _ in sample.pairs:
        for direction, count in (("request", call.requests), ("response", call.responses)):
            assert [each.index for each in sample.messages(call, direction)] == list(range(count))


def test_every_status_equals_what_the_client_got(sample):
    for call, log in sample.pairs:
        if log["status"] is None or not log["status_in_capture"]:
            assert call.status is None, log["id"]
        elif log["ended_by"] == "client_reset":  # the client made the message up
            assert (call.status.code, call.status.name) == (log["status"]["code"], log["status"]["name"]), log["id"]
            assert call.status.source in ("reset", "deadline")
        else:
            assert call.status._asdict().items() >= log["status"].items(), log["id"]
            assert call.status.source == "trailers"


def test_every_status_detail_is_decoded(sample):
    for call, log in sample.pairs:
        details = call.status.details if call.status else None
        assert (sample.session.decode_details(details) if details else []) == log["details"], log["id"]


def test_methods_are_those_called_or_unknown(sample):
    for call, log in sample.pairs:
        assert call.method == (log["method"] if log["path_in_capture"] else None), log["id"]


def test_deadlines_are_the_logged_ones_rounded_up(sample):
    for call, log in sample.pairs:
        if call.deadline is None:  # not set, or said by reference to a header table from before the capture
            assert log["deadline"] is None or (None, None) in call.request_headers, log["id"]
        else:
            assert 1 <= call.deadline / 1e9 / log["deadline"] <= 1.02, log["id"]


def test_metadata_equals_what_was_sent(sample):
    for call, log in sample.pairs:
        assert own(call.trailers) == log["trailing_metadata"], log["id"]
        if log["started_in_capture"]:
            assert own(call.request_headers) == log["request_metadata"], log["id"]
            assert own(call.response_headers) == log["initial_metadata"], log["id"]


def test_encodings_are_those_announced(sample):
    for call, log in sample.pairs:
        for direction, headers in (("request", call.request_headers), ("response", call.response_headers)):
            announced = log[f"{direction}_encoding"]
            assert dict(headers).get("grpc-encoding", "identity") in (announced, None), log["id"]
            used = {each.encoding for each in sample.messages(call, direction)}
            assert used <= {announced, "identity"}, log["id"]


def test_calls_count_their_messages_and_bytes(sample):
    for call, log in sample.pairs:
        if log["complete"]:
            assert (call.requests, call.responses) == (len(log["requests"]), len(log["responses"])), log["id"]
            sizes = sum(log["request_sizes"]), sum(log["response_sizes"])
            assert (call.request_bytes, call.response_bytes) == sizes, log["id"]


def test_calls_are_complete_where_the_capture_holds_all_of_them(sample):
    for call, log in sample.pairs:
        is_whole = log["started_in_capture"] and log["status_in_capture"] and log["complete"]
        assert call.complete == is_whole, log["id"]
        assert not any(problem.is_damage for problem in call.problems) or not log["complete"], log["id"]


def test_trailers_only_responses_have_no_headers(sample):
    for call, log in sample.pairs:
        if log["started_in_capture"]:
            assert bool(call.response_headers) == (log["ended_by"] not in ("trailers_only", "client_reset")) or (
                log["ended_by"] == "client_reset" and bool(call.response_headers) == bool(log["responses"])
            ), log["id"]


def test_every_call_went_to_the_server(sample):
    for call, _ in sample.pairs:
        address, _, port = call.server.rpartition(":")
        assert port == "50051"
        assert address in ("127.0.0.1", "[::1]")
        assert call.client.startswith(address)


@pytest.mark.parametrize("capture", CAPTURES)
def test_only_the_truncated_sample_is_damaged(capture, schema):
    session = inspector.open(SAMPLES / capture, schema=schema)
    for event in session.events():
        if isinstance(event, Message):
            session.decode(event)
    assert session.damaged == (capture == "truncated.pcapng")


@pytest.mark.parametrize("capture", CAPTURES)
def test_every_sample_decodes_without_a_schema(capture):
    session = inspector.open(SAMPLES / capture)
    decoded = [session.decode(message) for message in session.messages()]
    assert decoded
    assert {each.decoded_by for each in decoded} == {"guess"}
    assert sum(each.problem is not None for each in decoded) == (capture == "truncated.pcapng")


@pytest.mark.parametrize("capture", ["predict.pcap", "predict.pcap.gz"])
def test_all_forms_of_a_capture_hold_the_same(capture):
    def content(name):
        events = list(inspector.open(SAMPLES / name).events())
        return [event._replace(**dict.fromkeys(set(event._fields) & TIMES)) for event in events]

    assert content(capture) == content("predict.pcapng")


TIMES = {"time", "started", "duration"}
"""Fields that differ where the times of packets are cut to microseconds."""


def test_the_gzip_sample_has_messages_of_each_encoding(schema):
    messages = list(inspector.open(SAMPLES / "gzip.pcapng", schema=schema).messages())
    assert {message.encoding for message in messages} == {"identity", "gzip", "deflate"}
    assert all(len(each.wire) < len(each.data) for each in messages if each.encoding != "identity")


# --- payloads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "type_name", "encodings"),
    [
        ("predict_request.binpb", "message", "vision.v1.PredictRequest", ["identity"]),
        ("responses.delimited", "delimited", "vision.v1.PredictResponse", ["identity"] * 4),
        ("stream.grpc", "grpc", "vision.v1.PredictResponse", ["identity", "gzip", "identity", "identity"]),
    ],
)
def test_payloads_decode_to_the_json_beside_them(schema, name, kind, type_name, encodings):
    path = SAMPLES / "payloads" / name
    expected = json.loads(path.with_suffix(".json").read_text())
    session = inspector.open(path, schema=schema, type_name=type_name)
    decoded = [session.decode(message) for message in session.messages()]
    assert session.source.name == kind
    assert [json.loads(each.json) for each in decoded] == (expected if isinstance(expected, list) else [expected])
    assert [each.message.encoding for each in decoded] == encodings
    assert {each.type_name for each in decoded} == {type_name}
    assert not session.damaged


def test_binary_metadata_is_base64(schema):
    calls = inspector.open(SAMPLES / "hpack.pcapng", schema=schema).calls()
    values = [value for call in calls for name, value in call.request_headers if name and name.endswith("-bin")]
    assert len(values) > 1
    assert all(
        base64.b64encode(base64.b64decode(padded(value), validate=True)).decode() == padded(value) for value in values
    )
