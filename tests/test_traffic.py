"""The captures that benchmarks generate: sound, and the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import benchmark_modules
import pytest

import inspector
from inspector.schema import Schema

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def traffic():
    return benchmark_modules.load("traffic")


@pytest.mark.parametrize("kind", ["indexed", "grpc-core"])
def test_every_call_of_a_capture_is_whole_and_decodes(traffic, tmp_path, kind):
    path = tmp_path / "made.pcapng"
    traffic.write_capture(path, 240, connections=2, kind=kind)
    session = inspector.open(path, schema=Schema.from_files(ROOT / "samples" / "vision.binpb"))
    calls = list(session.calls())
    assert len(calls) == 240
    assert all(call.complete and not call.problems and call.status.code == 0 for call in calls)
    assert len({dict(call.request_headers)["x-request-id"] for call in calls}) == 120
    decoded = [session.decode(message) for message in session.messages()]
    assert len(decoded) == 480
    assert {(each.decoded_by, each.unknown_bytes, each.problem) for each in decoded} == {("schema", 0, None)}


def test_long_messages_are_cut_into_frames_and_packets(traffic, tmp_path):
    path = tmp_path / "made.pcapng"
    traffic.write_capture(path, 3, connections=1, labels=2_000, kind="grpc-core")
    sizes = [call.response_bytes for call in inspector.open(path).calls()]
    assert len(sizes) == 3
    assert min(sizes) > 4 * traffic.MAX_FRAME // 2


@pytest.mark.parametrize("kind", ["indexed", "grpc-core"])
def test_a_capture_has_the_same_bytes_each_time(traffic, tmp_path, kind):
    paths = (tmp_path / "first.pcapng", tmp_path / "second.pcapng")
    for path in paths:
        traffic.write_capture(path, 50, kind=kind)
    assert paths[0].read_bytes() == paths[1].read_bytes()
