"""A captured call written as a binary log is the same call when it is read again."""

from __future__ import annotations

import pytest
from capture_files import SAMPLES

from inspector import session
from inspector.client.logged_call import entries
from inspector.model.call import Call, Message, Status
from inspector.sources.binlog import BinlogParser

NAMES = ("concurrent", "errors", "gzip", "hpack", "ipv6", "large", "predict")


def captured(name: str) -> tuple[list[Call], list[Message]]:
    events = list(session.open(SAMPLES / f"{name}.pcapng").events())
    return [each for each in events if isinstance(each, Call)], [each for each in events if isinstance(each, Message)]


def again(call: Call, messages: list[Message]) -> tuple[Call, list[Message]]:
    """What a reader makes of the log."""
    parser = BinlogParser()
    log = b"".join(part for parts in entries(call, messages) for part in parts)
    events = [*parser.feed(log), *parser.close()]
    (found,) = [each for each in events if isinstance(each, Call)]
    assert len(events) == 1 + len(messages)
    return found, [each for each in events if isinstance(each, Message)]


def of_application(fields):
    """What a log has of header fields; base64 may be padded or not."""
    left_out = ("te", "content-type", "user-agent", "content-encoding")
    return [
        (name, value.rstrip("=") if name.endswith("-bin") else value)
        for name, value in fields
        if not name.startswith((":", "grpc-")) and name not in left_out
    ]


@pytest.mark.parametrize("name", NAMES)
def test_calls_of_a_capture_come_again(name):
    calls, messages = captured(name)
    for call in calls:
        own = [each for each in messages if each.call == call.number]
        found, read = again(call, own)
        assert [(each.direction, each.index, each.data, each.time) for each in read] == [
            (each.direction, each.index, each.data, each.time) for each in own
        ]
        same = ("method", "client", "authority", "deadline", "started", "duration", "requests", "responses", "complete")
        assert [getattr(found, each) for each in same] == [getattr(call, each) for each in same]
        assert found.status[:4] == call.status[:4]
        for each in ("request_headers", "response_headers", "trailers"):
            assert of_application(getattr(found, each)) == of_application(getattr(call, each))
        if found.status.source == "trailers":
            assert found.server == call.server


def test_what_a_capture_lacks_is_missing_in_the_log_too():
    (call, *_), messages = captured("predict")
    own = [each for each in messages if each.call == call.number]
    assert again(call._replace(method=None), own)[0].problems[0].code == "started_late"
    assert again(call._replace(status=None), own)[0].status is None
    assert again(call._replace(client="a host", server=""), own)[0].client == ""
    gone = own[0]._replace(data=None)
    found, read = again(call, [gone, *own[1:]])
    assert read[0].data is None
    assert found.problems[0].code == "payload_truncated"


def test_texts_and_bytes_of_headers_stay_as_they_are():
    (call, *_), messages = captured("predict")
    own = [each for each in messages if each.call == call.number]
    fields = (("x-name", "grüße"), ("x-bin", "AAEC"), ("x-none", None), (None, "value"))
    status = Status(5, "NOT_FOUND", "kein Käse", b"\x08\x05")
    found, _ = again(call._replace(request_headers=fields, status=status), own)
    assert found.request_headers == (("x-name", "grüße"), ("x-bin", "AAEC"))
    assert found.status == status


def test_a_call_over_a_socket_keeps_its_path():
    (call, *_), messages = captured("predict")
    own = [each for each in messages if each.call == call.number]
    found, _ = again(call._replace(client="unix:/run/a", server="unix:/run/b"), own)
    assert (found.client, found.server) == ("unix:/run/a", "unix:/run/b")
