"""Requests by Connect and gRPC-Web out of the composer, to a server of @connectrpc/connect-node."""

from __future__ import annotations

import node_peer
import pytest
from command import SCHEMA
from tui.composing import Composer, compose

from inspector.client.settings import ConnectSettings
from inspector.tui.compose.draft import Draft

PREDICT = "vision.v1.PredictionService/Predict"


@pytest.fixture(scope="module")
def address():
    with node_peer.serving_web(SCHEMA) as (http1, _):
        yield http1


@pytest.mark.parametrize("protocol", ["connect", "grpc-web"])
def test_a_request_goes_by_the_protocol_of_the_settings(protocol, address):
    async def steps(terminal: Composer) -> None:
        screen = terminal.screen
        screen.change_draft(screen.call_draft._replace(target=f"http://{address}"))
        await terminal.send()
        assert screen.exchange.call.status.name == "OK", screen.exchange.error
        assert ("x-cost", "7") in screen.exchange.call.trailers

    compose(steps, PREDICT, draft=Draft(connect=ConnectSettings(protocol=protocol)))
