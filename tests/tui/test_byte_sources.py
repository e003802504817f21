"""The bytes of a message as a frame, compressed, as a message, and those within a field."""

from __future__ import annotations

import gzip

import pytest
from tui.terminal import NARROW, SAMPLES, WIDE, Terminal, drive, sample

from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.field_list import FieldList
from inspector.tui.document import Document

NEXT, BEFORE = "right_curly_bracket", "left_curly_bracket"


def shown(terminal: Terminal) -> tuple[str, bytes, int]:
    """The title, the bytes and the place of the cursor."""
    view = terminal.browser.query_one(ByteView)
    return str(view.border_title).replace("\\[", "["), view.data, view.at


def path(terminal: Terminal) -> str:
    node = terminal.browser.query_one(FieldList).selected
    assert node is not None
    return node.path


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_frame_has_the_message_behind_flag_and_length(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "j", "j")
        message = terminal.browser.message
        assert message is not None
        assert shown(terminal)[:2] == ("3 Bytes  frame [message] nested", message.data)
        start = shown(terminal)[2]
        await terminal.press(BEFORE)
        title, data, at = shown(terminal)
        assert title == "3 Bytes  [frame] message nested"
        assert data == b"\0" + len(message.wire).to_bytes(4, "big") + message.wire
        assert at == start + 5
        assert "3 Bytes  [frame] message nested" in terminal.text()
        assert path(terminal) == "context.locale"

    drive([sample("predict.pcapng")], steps, size)


def test_a_byte_of_the_frame_selects_its_field_and_the_prefix_none():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "j", "j", "3")
        start = shown(terminal)[2]
        await terminal.press(BEFORE, "l")
        assert shown(terminal)[2] == start + 6
        assert path(terminal) == "context.locale"
        await terminal.press(*"h" * (start + 4))
        assert shown(terminal)[2] == 2
        await terminal.press("h")
        assert path(terminal) == "context"
        assert terminal.browser.selected.offset is None

    drive([sample("predict.pcapng")], steps)


def test_what_was_compressed_is_shown_as_it_was_carried():
    async def steps(terminal: Terminal) -> None:
        message = terminal.browser.message
        assert message is not None
        assert message.encoding == "gzip"
        assert shown(terminal)[:2] == ("3 Bytes  frame gzip [message] nested", message.data)
        await terminal.press(BEFORE)
        title, data, _ = shown(terminal)
        assert title == "3 Bytes  frame [gzip] message nested"
        assert gzip.decompress(data) == message.data
        await terminal.press("2", "j", BEFORE)
        title, data, _ = shown(terminal)
        assert title == "3 Bytes  [frame] gzip message nested"
        assert data[:5] == b"\1" + len(message.wire).to_bytes(4, "big")
        assert terminal.browser.query_one(ByteView).parts == ()
        assert "flag 1 B · length 4 B" in terminal.text()

    drive([sample("gzip.pcapng")], steps)


def test_nested_bytes_begin_at_nought_and_stay_while_one_goes_through_them():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", NEXT)
        node = terminal.browser.query_one(FieldList).selected
        assert node is not None
        assert (node.path, node.kind) == ("context", "message")
        title, data, at = shown(terminal)
        assert (title, data, at) == ("3 Bytes  frame message [nested]", node.content, 0)
        inner = node.children[1]
        away = inner.span.start - node.value_span.start
        await terminal.press("3", *"l" * away)
        assert path(terminal) == inner.path
        assert shown(terminal)[1:] == (node.content, away)
        await terminal.press("2", "k", "j")
        assert shown(terminal)[1] == inner.content

    drive([sample("predict.pcapng")], steps)


def test_the_source_stays_from_message_to_message_and_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("INSPECTOR_STATE", str(tmp_path / "state"))
    capture = tmp_path / "predict.pcapng"
    capture.write_bytes((SAMPLES / "predict.pcapng").read_bytes())

    async def leave(terminal: Terminal) -> None:
        await terminal.press("j", BEFORE, "right_square_bracket", "1", "j", "j")
        assert shown(terminal)[0].startswith("3 Bytes  [frame]")

    async def come(terminal: Terminal) -> None:
        assert shown(terminal)[0].startswith("3 Bytes  [frame]")

    drive([Document(str(capture))], leave)
    drive([Document(str(capture))], come)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("payloads/predict_request.binpb", "3 Bytes  [message] nested"),
        ("payloads/responses.delimited", "3 Bytes  [message] nested"),
        ("payloads/stream.grpc", "3 Bytes  frame [message] nested"),
    ],
)
def test_a_payload_has_a_frame_only_where_it_came_in_one(name, title):
    async def steps(terminal: Terminal) -> None:
        assert shown(terminal)[0] == title

    drive([sample(name, schema=False)], steps)


def test_a_damaged_capture_shows_what_there_is_of_a_message():
    async def steps(terminal: Terminal) -> None:
        browser = terminal.browser
        await terminal.press("colon", "1", "0", "enter", *["right_square_bracket"] * 6)
        message = browser.message
        assert message is not None
        assert message.problem is not None
        assert message.problem.code == "message_gap"
        assert shown(terminal)[:2] == ("3 Bytes  [message]", message.wire)

    drive([sample("truncated.pcapng", schema=False)], steps)
