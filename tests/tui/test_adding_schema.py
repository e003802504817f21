"""A schema that is added while a capture is open."""

from __future__ import annotations

import pytest
from command import SCHEMA
from textual.widgets import Input, Static
from tui.terminal import NARROW, ROOT, WIDE, Terminal, drive, sample
from typed_server import serving

from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.field_list import FieldList
from inspector.tui.schema_prompt import AskSchema

TYPED = {"/": "slash", ".": "full_stop", ":": "colon", "-": "minus", " ": "space", "@": "at", "_": "underscore"}


async def type_in(terminal: Terminal, text: str) -> None:
    await terminal.press(*[TYPED.get(each, each) for each in text])


async def add(terminal: Terminal, text: str) -> None:
    await terminal.press("a")
    await type_in(terminal, text)
    await terminal.press("enter")


def path(terminal: Terminal) -> str:
    node = terminal.browser.query_one(FieldList).selected
    assert node is not None
    return node.path


@pytest.fixture(autouse=True)
def _folder(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_all_messages_are_read_by_it_and_the_selection_stays(size):
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "j", "right_square_bracket", "2", *"jj")
        before = terminal.browser.selected
        fields = terminal.browser.query_one(FieldList)
        number = fields.selected.number_path
        assert path(terminal) == number
        await add(terminal, "protos")
        assert terminal.browser.selected[:3] == before[:3]
        assert fields.selected.number_path == number
        assert not fields.selected.is_guess
        title = terminal.lines()[0]
        assert "schema: protos" in title
        assert "no schema" not in title
        assert "it knows 8 of 8 methods" in terminal.notices()[-1]
        await terminal.press("left_square_bracket")
        assert terminal.browser.message_tree.type_name == "vision.v1.PredictRequest"
        assert terminal.browser.document.sources == ("protos",)

    drive([sample("predict.pcapng", schema=False)], steps, size)


def test_the_cursor_stays_deep_in_a_message():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "colon", *["1", "full_stop", "2"], "enter", "2")
        row = terminal.browser.query_one(FieldList).cursor
        await add(terminal, "protos")
        assert path(terminal) == "context.locale"
        assert terminal.browser.query_one(FieldList).cursor == row
        assert terminal.browser.query_one(FieldList).has_focus

    drive([sample("predict.pcapng", schema=False)], steps)


def test_what_is_wrong_is_said_in_the_prompt_and_it_can_be_mended():
    async def steps(terminal: Terminal) -> None:
        await add(terminal, "no/such")
        prompt = terminal.app.screen
        assert isinstance(prompt, AskSchema)
        assert "no/such: there is no such file or folder" in str(prompt.query_one("#wrong", Static).render())
        prompt.query_one(Input).value = "localhost:1"
        await terminal.press("enter")
        assert "grpc://localhost:1" in terminal.text()
        prompt.query_one(Input).value = "protos 'half"
        await terminal.press("enter")
        assert "quotes do not match" in terminal.text()
        prompt.query_one(Input).value = "vision/v1/prediction.proto -I"
        await terminal.press("enter")
        assert isinstance(terminal.app.screen, AskSchema)
        prompt.query_one(Input).value = "protos/vision/v1/prediction.proto -I protos"
        await terminal.press("enter")
        assert terminal.browser.document.schema is not None
        assert terminal.browser.document.import_paths == ("protos",)

    drive([sample("predict.pcapng", schema=False)], steps)


def test_paths_and_profiles_are_completed(tmp_path, monkeypatch):
    (tmp_path / "inspector.toml").write_text('[targets.staging]\naddress = "localhost:1"\nschema = ["api"]\n')
    (tmp_path / "api").symlink_to(ROOT / "protos")
    monkeypatch.chdir(tmp_path)

    async def steps(terminal: Terminal) -> None:
        await terminal.press("a")
        box = terminal.app.screen.query_one(Input)
        await type_in(terminal, "ap")
        await terminal.until(lambda: "api/" in terminal.text())
        await terminal.press("right")
        assert box.value == "api/"
        box.value = ""
        await type_in(terminal, "@st")
        await terminal.until(lambda: "@staging" in terminal.text())
        await terminal.press("right", "enter")
        assert terminal.browser.document.sources == ("@staging",)
        assert terminal.browser.document.schema.find_method("vision.v1.PredictionService/Predict") is not None

    drive([sample("predict.pcapng", schema=False)], steps)


def test_a_server_is_asked_for_it():
    async def steps(terminal: Terminal) -> None:
        await add(terminal, f"grpc://{address}")
        assert terminal.browser.document.schema is not None
        assert f"schema: grpc://{address}" in terminal.lines()[0]

    with serving(SCHEMA) as (address, _):
        drive([sample("predict.pcapng", schema=False)], steps)


def test_it_joins_the_schema_that_is_there_and_a_filter_looks_again(tmp_path):
    (tmp_path / "more.proto").write_text('syntax = "proto3"; package more; message More { string name = 1; }')

    async def steps(terminal: Terminal) -> None:
        await add(terminal, str(tmp_path / "more.proto"))
        document = terminal.browser.document
        assert document.schema.find_message("more.More") is not None
        assert document.schema.find_message("vision.v1.PredictRequest") is not None

    drive([sample("predict.pcapng")], steps)

    async def filtered(terminal: Terminal) -> None:
        await terminal.press("slash")
        await type_in(terminal, 'request.context.locale == "en-GB"')
        await terminal.press("enter")
        assert len(terminal.browser.document.order) == 0
        await add(terminal, "protos")
        assert len(terminal.browser.document.order) > 0
        assert terminal.browser.query_one(CallList).selected is not None

    TYPED.update({"=": "equals_sign", '"': "quotation_mark"})
    drive([sample("predict.pcapng", schema=False)], filtered)


def test_one_that_says_otherwise_is_refused(tmp_path):
    (tmp_path / "other.proto").write_text(
        'syntax = "proto3"; package vision.v1; message PredictRequest { int32 a = 1; }'
    )

    async def steps(terminal: Terminal) -> None:
        before = terminal.browser.document.schema
        await add(terminal, str(tmp_path / "other.proto"))
        assert isinstance(terminal.app.screen, AskSchema)
        assert "vision.v1.PredictRequest" in str(terminal.app.screen.query_one("#wrong", Static).render())
        await terminal.press("escape")
        assert terminal.browser.document.schema is before

    drive([sample("predict.pcapng")], steps)


def test_of_a_payload_the_type_is_asked_for_too():
    async def steps(terminal: Terminal) -> None:
        await add(terminal, "protos")
        await type_in(terminal, "PredictRequest")
        await terminal.press("enter")
        assert terminal.browser.message_tree.type_name == "vision.v1.PredictRequest"
        assert path(terminal) == "context"

    drive([sample("payloads/predict_request.binpb", schema=False)], steps)


def test_a_damaged_capture_tells_what_is_wrong_after_it_too():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("colon", "1", "0", "enter", *["right_square_bracket"] * 6)
        before = terminal.browser.selected
        await add(terminal, "protos")
        browser = terminal.browser
        assert browser.selected[:2] == before[:2]
        assert browser.message.problem.code == "message_gap"
        assert browser.message_tree.type_name == "vision.v1.ConverseResponse"

    drive([sample("truncated.pcapng", schema=False)], steps)
