import base64
import json

import pytest

from inspector.model.call import Call, Message, Status
from inspector.model.problem import Problem
from inspector.session import DecodedMessage
from inspector.views.rows import bare_row, message_row, status_row, to_line


def message(**changes):
    made = Message(3, 1, "response", "/pkg.Svc/Do", 1_500_000_000, "gzip", b"\x08\x05", b"zipped", None, ())
    return made._replace(**changes)


def decoded(one, json_text=b'{"code":5}', unknown=0, problem=None):
    return DecodedMessage(one, "google.rpc.Status", json_text, "schema", unknown, problem)


def line(row):
    return json.loads(to_line(row))


def test_a_message_has_the_record_of_the_contract():
    assert to_line(message_row(decoded(message()))) == (
        b'{"call":3,"index":1,"direction":"response","method":"/pkg.Svc/Do","type":"google.rpc.Status",'
        b'"time":"1970-01-01T00:00:01.500000000Z","size":2,"encoding":"gzip","decoded_by":"schema",'
        b'"message":{"code":5}}'
    )


def test_unknown_bytes_are_said_where_there_are_some():
    assert "unknown_bytes" not in message_row(decoded(message()))
    assert message_row(decoded(message(), unknown=7))["unknown_bytes"] == 7


def test_raw_bytes_are_those_after_decompression():
    assert line(message_row(decoded(message()), raw=True))["raw"] == base64.b64encode(b"\x08\x05").decode()


def test_what_could_not_be_decompressed_has_the_bytes_of_the_wire():
    problem = Problem("compression_damaged", "gzip data is damaged", 4, None)
    row = line(message_row(decoded(message(data=None), b"null", problem=problem)))
    assert row["raw"] == base64.b64encode(b"zipped").decode()
    assert row["size"] == len(b"zipped")
    assert row["message"] is None
    assert row["error"] == {"code": "compression_damaged", "message": "gzip data is damaged", "offset": None}


def test_a_bare_message_is_its_json_unless_there_is_more_to_say():
    bare = message(call=0, direction=None, method=None, time=None)
    assert to_line(bare_row(decoded(bare))) == b'{"code":5}'
    assert line(bare_row(decoded(bare), raw=True))["raw"]
    assert line(bare_row(decoded(bare, b"null", problem=Problem("wire", "no"))))["error"]["code"] == "wire"


def test_a_message_of_no_call_has_null_for_it():
    assert line(message_row(decoded(message(call=0))))["call"] is None


def details(data):
    return [{"@type": "x"}] if data == b"good" else None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, None),
        (Status(0, "OK", ""), {"code": 0, "name": "OK", "message": "", "details": []}),
        (
            Status(5, "NOT_FOUND", "m", b"good"),
            {"code": 5, "name": "NOT_FOUND", "message": "m", "details": [{"@type": "x"}]},
        ),
        (
            Status(5, "NOT_FOUND", "m", b"bad"),
            {"code": 5, "name": "NOT_FOUND", "message": "m", "details": [], "details_raw": "YmFk"},
        ),
        (
            Status(14, "UNAVAILABLE", "m", None, "http"),
            {"code": 14, "name": "UNAVAILABLE", "message": "m", "details": [], "source": "http"},
        ),
    ],
    ids=lambda each: each.name + str(each.details or "") if isinstance(each, Status) else "",
)
def test_a_status_has_its_details_or_their_bytes(status, expected):
    assert status_row(status, details) == expected


def test_calls_are_made_of_what_the_records_have():
    # The record of a call lists its fields in the order of `Call`, but for the times and headers that are made text.
    assert Call._fields[:7] == ("number", "method", "protocol", "client", "server", "connection", "stream")
    assert Call._fields[-6:] == ("requests", "responses", "request_bytes", "response_bytes", "complete", "problems")
