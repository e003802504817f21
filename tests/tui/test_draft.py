"""Requests as records: of captured calls, and what they come to."""

from __future__ import annotations

import pytest
from tui.terminal import sample

from inspector.client.settings import ConnectSettings
from inspector.errors import InputError, InspectorError
from inspector.tui.compose.connection import reached
from inspector.tui.compose.draft import Draft, MetadataRow, draft_of
from inspector.tui.compose.from_capture import draft_from


@pytest.fixture(scope="module")
def document():
    opened = sample("predict.pcapng")
    while opened.index.advance(1 << 20):
        pass
    yield opened
    opened.close()


@pytest.fixture
def call(document):
    return document.call(3)


def test_a_captured_call_is_a_draft_with_all_that_can_be_sent_again(document, call):
    messages = document.index.messages_of(call.number)
    draft = draft_of(call, messages)
    assert f"/{draft.method}" == call.method
    assert draft.messages == tuple(each.data for each in messages if each.direction == "request")
    assert draft.target == f"grpc://{call.server}"
    assert draft.deadline == (None if call.deadline is None else call.deadline / 1e9)
    assert len(draft.origin.answers) == call.responses
    names = [row.name for row in draft.metadata]
    assert not [name for name in names if name.startswith((":", "grpc-")) or name in ("te", "user-agent")]


def test_credentials_of_a_capture_are_not_taken_over(document, call):
    headers = (*call.request_headers, ("authorization", "Bearer abc"), ("x-api-key", "k"), ("x-plain", "p"))
    draft = draft_of(call._replace(request_headers=headers), document.index.messages_of(call.number))
    assert MetadataRow("x-plain", "p") in draft.metadata
    assert "abc" not in str(draft.metadata)
    assert "credentials are not taken over: authorization, x-api-key" in draft.notes[0]


def test_another_target_stands_for_that_of_the_capture(document):
    start = Draft(target="@staging", connect=ConnectSettings(insecure=True))
    draft = draft_from(document, 1, 0, start)
    assert (draft.target, draft.connect.insecure) == ("@staging", True)


def test_a_call_without_its_method_or_a_request_is_refused(document, call):
    messages = document.index.messages_of(call.number)
    with pytest.raises(InspectorError, match="the method of call 3 is not in the capture"):
        draft_of(call._replace(method=None), messages)
    with pytest.raises(InspectorError, match="request 0 of call 3 cannot be read"):
        draft_of(call, [messages[0]._replace(data=None)])
    assert "1 requests are not in the capture" in draft_of(call._replace(requests=2), messages).notes[-1]


def test_a_message_without_a_call_waits_for_its_method():
    document = sample("payloads/predict_request.binpb", type_name="vision.v1.PredictRequest")
    while document.index.advance(1 << 20):
        pass
    draft = draft_from(document, 0, 0, Draft(target="h:1"))
    assert (draft.method, draft.target) == ("", "h:1")
    assert draft.messages == (document.message(0, 0).data,)
    document.close()


@pytest.fixture
def profile(tmp_path, monkeypatch):
    (tmp_path / "inspector.toml").write_text(
        """
[targets.staging]
address = "grpcs://staging.example:443"
headers = ["authorization: Bearer ${TOKEN}", "x-team: a"]
reflect-headers = ["x-reflect: 1"]
schema = ["protos"]
max-time = 7
compress = "gzip"
cacert = "ca.pem"
"""
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKEN", "t0p")
    return tmp_path


def test_a_profile_gives_what_the_draft_does_not(profile):
    metadata = (MetadataRow("x-team", "b"), MetadataRow("x-off", "1", False), MetadataRow("x-env", "${TOKEN}"))
    found = reached(Draft(target="@staging", metadata=metadata, deadline=2.0))
    assert str(found.target) == "grpcs://staging.example:443"
    assert found.connect.cacert == str(profile / "ca.pem")
    assert found.call.metadata == (("authorization", "Bearer t0p"), ("x-team", "b"), ("x-env", "t0p"))
    assert (found.call.max_time, found.call.compress) == (2.0, "gzip")
    assert found.sources == (str(profile / "protos"),)
    assert ("x-reflect", "1") in found.reflect_metadata


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        (Draft(), "there is no target"),
        (Draft(target="@nowhere"), "there is no target @nowhere"),
        (Draft(target="h:99999"), "a port is a number"),
        (Draft(target="grpcs://h:1", connect=ConnectSettings(plaintext=True)), "plaintext is asked for"),
        (Draft(target="h:1", metadata=(MetadataRow("x y", ""),)), "cannot be the name of a header"),
        (Draft(target="h:1", metadata=(MetadataRow("x-bin", "?"),)), "is not base64"),
        (Draft(target="h:1", metadata=(MetadataRow("x", "${NO_SUCH_VARIABLE}"),)), "has no variable"),
    ],
)
def test_what_cannot_be_sent_is_told(draft, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=told):
        reached(draft)
