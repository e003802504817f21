"""The library: `inspector.open` and the session it gives."""

from __future__ import annotations

import json
from pathlib import Path

import capture_files
import pytest
from capture_files import SAMPLES
from http2_traffic import REQUEST as REQUEST_FIELDS
from http2_traffic import with_fields
from made_capture import capture

import inspector
from inspector.errors import InputError, SchemaError
from inspector.model.call import Call, Message
from inspector.model.problem import Problem
from inspector.session import JsonOptions

PREDICT = SAMPLES / "predict.pcapng"
REQUEST = SAMPLES / "payloads" / "predict_request.binpb"


@pytest.fixture(scope="module")
def schema():
    return inspector.Schema.from_sources((str(SAMPLES / "vision.binpb"),), ())


@pytest.mark.parametrize("path", [PREDICT, str(PREDICT)], ids=["Path", "str"])
def test_a_capture_gives_calls_and_messages(path):
    events = list(inspector.open(path).events())
    assert {type(event) for event in events} == {Call, Message}
    assert sum(isinstance(event, Call) for event in events) == 10


def test_messages_come_before_the_call_that_they_are_of_ends():
    ended = set()
    for event in inspector.open(PREDICT).events():
        if isinstance(event, Call):
            ended.add(event.number)
        else:
            assert event.call not in ended
    assert ended == set(range(1, 11))


def test_a_session_can_be_read_again():
    session = inspector.open(PREDICT)
    first = list(session.events())
    assert list(session.events()) == first
    assert list(session.calls()) == [event for event in first if isinstance(event, Call)]
    assert list(session.messages()) == [event for event in first if isinstance(event, Message)]
    assert list(session.problems()) == []


def test_what_was_read_is_told_at_the_end():
    session = inspector.open(PREDICT)
    assert session.passed_over is None
    assert list(session.events())
    assert session.passed_over == "84 packets, 1 HTTP/2 connection, 10 calls"


CUT_BLOCK = b"\x06\0\0\0\0\x01\0\0" + bytes(40)


def test_opening_does_not_read_the_capture(tmp_path):
    path = tmp_path / "large.pcapng"
    path.write_bytes((SAMPLES / "large.pcapng").read_bytes() + CUT_BLOCK)
    session = inspector.open(path)
    assert not session.damaged
    next(session.messages())
    assert not session.damaged
    assert [problem.code for problem in session.problems()] == ["capture_truncated"]
    assert session.damaged


def test_messages_are_decoded_by_the_method(schema):
    session = inspector.open(PREDICT, schema=schema)
    message = next(session.messages())
    decoded = session.decode(message)
    assert decoded.type_name == "models.v1.GetModelRequest"
    assert json.loads(decoded.json) == {"name": "models/wildlife/versions/7"}
    assert (decoded.message, decoded.decoded_by, decoded.unknown_bytes, decoded.problem) == (message, "schema", 0, None)


def test_the_type_is_for_messages_whose_method_says_nothing(schema):
    session = inspector.open(PREDICT, schema=schema, type_name="google.protobuf.Empty")
    known, unknown = [message._replace(method=method) for message in [next(session.messages())] for method in NAMES]
    assert session.decode(known).type_name == "models.v1.GetModelRequest"
    assert session.decode(unknown).type_name == "google.protobuf.Empty"
    assert session.decode(unknown).unknown_bytes == 28


NAMES = ("/models.v1.ModelService/GetModel", None)


def test_options_change_the_json(schema):
    options = JsonOptions(proto_names=True, enum_numbers=True)
    session = inspector.open(REQUEST, schema=schema, type_name="vision.v1.PredictRequest", options=options)
    value = json.loads(session.decode(next(session.messages())).json)
    assert value["context"]["request_id"] == "req-0001"
    assert isinstance(value["image"]["format"], int)


def test_damage_in_a_message_damages_the_session(schema):
    session = inspector.open(REQUEST, schema=schema, type_name="vision.v1.PredictResponse")
    [message] = session.messages()
    assert not session.damaged
    decoded = session.decode(message)
    assert decoded.json == b"null"
    assert decoded.problem == Problem("utf8", "name: invalid UTF-8", None, 22)
    assert session.damaged


def test_a_message_that_has_no_data_keeps_its_problem(schema):
    session = inspector.open(SAMPLES / "truncated.pcapng", schema=schema)
    [broken] = [message for message in session.messages() if message.problem]
    decoded = session.decode(broken)
    assert (decoded.json, decoded.problem) == (b"null", broken.problem)
    assert decoded.type_name == "vision.v1.ConverseResponse"


def test_details_that_are_damaged_are_none(schema):
    with inspector.open(PREDICT, schema=schema) as session:
        assert session.decode_details(b"\x08\x05") == []
        assert session.decode_details(b"\x1a\x7f") is None


def test_a_call_of_another_service_is_no_error(schema, tmp_path):
    path = tmp_path / "other.pcap"
    path.write_bytes(capture(with_fields(REQUEST_FIELDS, p_path="/not.a.Service/Method"), sent=b"\x08\x05"))
    session = inspector.open(path, schema=schema)
    first, second = [session.decode(message) for message in session.messages()]
    assert (first.decoded_by, json.loads(first.json)) == ("guess", {"1": 5})
    assert second.json == b"{}"


def test_a_type_that_the_schema_lacks_is_refused_at_once(schema):
    with pytest.raises(SchemaError, match=r"no message type no\.Such in the schema"):
        inspector.open(REQUEST, schema=schema, type_name="no.Such")


@pytest.mark.parametrize("path", ["/nowhere", Path(__file__), SAMPLES])
def test_what_cannot_be_opened_is_refused_at_once(path):
    with pytest.raises(InputError) as caught:
        inspector.open(path)
    assert caught.value.where == str(path)


def test_reading_may_stop_anywhere():
    session = inspector.open(SAMPLES / "large.pcapng")
    events = session.events()
    next(events)
    events.close()
    assert len(list(session.calls())) == 5


def test_a_capture_with_only_its_header_holds_nothing(tmp_path):
    path = tmp_path / "nothing.pcap"
    path.write_bytes(capture_files.split(capture_files.read("predict.pcap"))[0].data)
    session = inspector.open(path)
    assert list(session.events()) == []
    assert not session.damaged


def test_hints_of_a_method_hold_for_its_messages_alone_and_can_be_taken_back():
    session = inspector.open(PREDICT)
    messages = list(session.messages())
    first = next(each for each in messages if each.method.endswith("/Predict") and each.direction == "request")
    other = next(each for each in messages if each.method.endswith("/WatchVideo") and each.direction == "request")
    assert session.decode(first).value["1"]["2"] == session.decode(other).value["1"]["2"] == "en-GB"
    session.give_hints(first, {"1.2": "bytes"})
    assert session.decode(first).value["1"]["2"] == {"$bytes": "ZW4tR0I="}
    assert session.for_thread().decode(first).value["1"]["2"] == {"$bytes": "ZW4tR0I="}
    assert session.decode(other).value["1"]["2"] == "en-GB"
    session.give_hints(first, {})
    assert session.decode(first).value["1"]["2"] == "en-GB"
    with pytest.raises(InputError, match="no kind"):
        session.give_hints(first, {"1.2": "text"})


def test_an_input_is_read_by_another_schema(schema):
    guessed = inspector.open(PREDICT)
    message = next(guessed.messages())
    told = guessed.using(schema)
    assert (guessed.type_of(message), told.type_of(message)) == (None, "models.v1.GetModelRequest")
    with pytest.raises(SchemaError, match=r"no\.Such"):
        guessed.using(schema, "no.Such")
