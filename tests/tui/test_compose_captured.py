"""Requests made of captured calls."""

from __future__ import annotations

import asyncio

import pytest
from sample_server import serving
from tui.composing import SCHEMA, Composer
from tui.terminal import WIDE, sample

from inspector.tui.app import InspectorApp
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.picker import Picker
from inspector.tui.compose.screen import ComposeScreen
from inspector.tui.intents import ComposeAsked


def drive(steps, kind="plain", name="predict.pcapng", **options):
    """Runs the steps in a browser of a sample, with a server of its service as the target."""

    async def main(target):
        document = sample(name, **options)
        app = InspectorApp([document])
        app.draft = Draft(target=f"grpc://{target}")
        app.animation_level = "none"
        try:
            async with app.run_test(size=WIDE) as pilot:
                terminal = Composer(app, pilot)
                await pilot.pause()
                await terminal.settle()
                await steps(terminal)
        finally:
            document.close()

    with serving(kind) as target:
        asyncio.run(main(target))


async def predict(terminal: Composer):
    """Goes to the first call of Predict; the call, and the bytes of its request."""
    await terminal.press("j")
    document, number = terminal.app.documents[0], terminal.app.screen.selected.call
    return document.call(number), document.message(number, 0).data


async def opened(terminal: Composer, *keys: str) -> None:
    await terminal.press(*keys)
    await terminal.until(lambda: isinstance(terminal.app.screen, ComposeScreen) and terminal.screen.edited)


async def ended(terminal: Composer) -> None:
    await terminal.until(lambda: terminal.screen.exchange and terminal.screen.exchange.state == "ended")
    await terminal.pilot.pause()


def test_a_captured_request_is_edited_and_sent():
    async def steps(terminal: Composer) -> None:
        call, captured = await predict(terminal)
        await opened(terminal, "e")
        screen = terminal.screen
        assert screen.method.name == call.method.removeprefix("/")
        assert screen.draft.messages == (captured,)
        assert not [row for row in screen.draft.metadata if row.name == "authorization"]
        await terminal.field("model")
        await terminal.over("another")
        await terminal.send()
        assert screen.exchange.call.status.code == 0
        assert screen.exchange.messages[0].data != captured
        await terminal.press("escape")
        await opened(terminal, "e")
        assert terminal.screen.edited.form.value["model"] == "another"
        await terminal.press("escape")
        await opened(terminal, "D")
        assert terminal.screen.draft.messages == (captured,)

    drive(steps)


@pytest.mark.parametrize(("kind", "told"), [("plain", "as captured"), ("changed", "difference")])
def test_a_captured_request_is_replayed_as_it_is_and_its_answer_compared(kind, told):
    async def steps(terminal: Composer) -> None:
        _, captured = await predict(terminal)
        await opened(terminal, "r")
        await ended(terminal)
        assert terminal.screen.exchange.messages[0].data == captured
        assert told in terminal.text()

    drive(steps, kind)


def test_without_a_schema_fields_are_edited_by_their_numbers():
    async def steps(terminal: Composer) -> None:
        _, captured = await predict(terminal)
        await opened(terminal, "e")
        assert "no schema" in terminal.text()
        assert "unknown fields" in terminal.text()
        await terminal.send()
        assert terminal.screen.exchange.messages[0].data == captured
        assert terminal.screen.exchange.call.status.code == 0

    drive(steps, schema=False)


def test_a_schema_that_is_there_later_tells_the_fields_of_what_was_edited_without():
    async def steps(terminal: Composer) -> None:
        _, captured = await predict(terminal)
        await opened(terminal, "e")
        terminal.screen.schema = SCHEMA
        await terminal.press("ctrl+o", *"service/predict", "enter")
        assert "model" in terminal.screen.edited.form.value
        assert terminal.screen.draft.messages == (captured,)

    drive(steps, schema=False)


def test_a_request_is_edited_and_its_answer_compared_with_the_captured_one():
    async def steps(terminal: Composer) -> None:
        await predict(terminal)
        await opened(terminal, "R")
        await terminal.field("model")
        await terminal.over("another")
        await terminal.send()
        await terminal.until(lambda: "to the capture" in terminal.text())
        assert "response[0].model" in terminal.text()

    drive(steps)


def test_a_payload_becomes_the_request_of_a_method_that_is_chosen():
    async def steps(terminal: Composer) -> None:
        data = terminal.app.documents[0].message(0, 0).data
        await terminal.press("e")
        await terminal.until(lambda: isinstance(terminal.app.screen, Picker))
        await terminal.press(*"service/predict", "enter")
        assert terminal.screen.method.name == "vision.v1.PredictionService/Predict"
        await terminal.send()
        assert terminal.screen.exchange.messages[0].data == data

    drive(steps, name="payloads/predict_request.binpb", type_name="vision.v1.PredictRequest")


def test_a_call_that_cannot_be_sent_again_is_told():
    async def steps(terminal: Composer) -> None:
        document = terminal.app.documents[0]
        terminal.app.on_compose_asked(ComposeAsked(document, 99, 0, is_new=True))
        await terminal.until(lambda: "the call has not ended" in terminal.told())

    drive(steps)


def test_what_is_no_value_and_what_can_be_undone_are_there_again():
    async def steps(terminal: Composer) -> None:
        _, captured = await predict(terminal)
        await opened(terminal, "e")
        await terminal.field("model")
        await terminal.over("another")
        before = terminal.screen
        place = next(at for at, row in enumerate(before.edited.form.rows) if row.item and row.item.kind == "integer")
        before.query_one("#form").move_to(place)
        await terminal.over("many")
        assert "! many is not an integer" in terminal.text()
        await terminal.press("escape")
        await opened(terminal, "e")
        assert terminal.screen is not before
        assert "! many is not an integer" in terminal.text()
        await terminal.press("u", "u")
        assert terminal.screen.draft.messages == (captured,)

    drive(steps)
