"""Browsing captures and payloads, by keys."""

from __future__ import annotations

import pytest
from tui.terminal import NARROW, SAMPLES, WIDE, Terminal, drive, sample

from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.field_list import FieldList
from inspector.tui.document import Document


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_capture_opens_with_its_first_call(size):
    async def steps(terminal: Terminal) -> None:
        text = terminal.text()
        assert "10 calls" in text
        assert "Service/Predict" in text
        assert "2 Fields" in text
        assert "3 Bytes" in text
        assert terminal.browser.query_one(CallList).has_focus

    drive([sample("predict.pcapng")], steps, size)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_field_is_selected_and_its_bytes_are_told_apart(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "j", "j")
        node = terminal.browser.query_one(FieldList).selected
        assert node is not None
        assert (node.path, node.value) == ("context.locale", "en-GB")
        parts = terminal.browser.query_one(ByteView).parts
        assert [(part.role, part.span.size) for part in parts] == [("tag", 1), ("length", 1), ("value", 5)]
        assert "⟨12‹05[65 6e" in terminal.text().replace("⟨12⟩", "⟨12")
        assert "context.locale" in terminal.text()

    drive([sample("predict.pcapng")], steps, size)


def test_a_byte_that_is_chosen_selects_its_field():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "3", *"lllllllllllllll")
        node = terminal.browser.query_one(FieldList).selected
        assert node is not None
        assert node.path == "context.locale"
        assert node.span.start <= terminal.browser.query_one(ByteView).at < node.span.end

    drive([sample("predict.pcapng")], steps)


def test_the_field_stays_selected_in_the_next_message_of_its_type():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "j", "j", "right_square_bracket", "2", "j")
        before = terminal.browser.query_one(FieldList).selected
        await terminal.press("right_square_bracket")
        after = terminal.browser.query_one(FieldList).selected
        assert before is not None
        assert after is not None
        assert after.path == before.path
        assert after.input is not before.input

    drive([sample("predict.pcapng")], steps)


def test_without_a_schema_fields_are_guessed_and_told_so():
    async def steps(terminal: Terminal) -> None:
        assert "no schema: fields are guessed" in terminal.text()
        node = terminal.browser.query_one(FieldList).selected
        assert node is not None
        assert node.is_guess

    drive([sample("predict.pcapng", schema=False)], steps)


def test_a_payload_opens_without_a_list_of_calls():
    async def steps(terminal: Terminal) -> None:
        assert "1 Calls" not in terminal.text()
        node = terminal.browser.query_one(FieldList).selected
        assert node is not None
        assert node.path == "context"

    drive([sample("payloads/predict_request.binpb", type_name="vision.v1.PredictRequest")], steps)


@pytest.mark.parametrize(("kept", "told"), [(3000, "1 Calls"), (0, "! ")])
def test_a_file_that_is_cut_while_it_is_open_ends_nothing(tmp_path, kept, told):
    path = tmp_path / "predict.pcapng"
    path.write_bytes((SAMPLES / "predict.pcapng").read_bytes())

    async def steps(terminal: Terminal) -> None:
        path.write_bytes(path.read_bytes()[:kept])
        await terminal.press("j", "j", "j", "2", "j", "1", "G")
        assert terminal.browser.query_one(CallList).has_focus
        assert told in terminal.text()

    drive([Document(str(path))], steps)
