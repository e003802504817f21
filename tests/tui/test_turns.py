"""Keys go before what works beside the screen."""

from __future__ import annotations

import pytest

from inspector.tui.browse import turns


class Clock:
    """A clock that goes on only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(turns, "time", found)
    return found


def test_work_goes_on_at_once_while_no_key_is_pressed(clock):
    turn = turns.Turns()
    turn.give_way()
    assert clock.now == 1000.0
    assert not turn.is_busy


def test_work_rests_while_a_key_is_answered_and_a_little_until_no_more_come(clock):
    turn = turns.Turns()
    turn.key_pressed()
    turn.give_way()
    assert clock.now == pytest.approx(1000 + turns.QUIET)
    turn.give_way()
    assert clock.now == pytest.approx(1000 + turns.QUIET + turns.REST)
    assert turn.is_busy
    clock.now = 1000 + turns.BUSY + 0.001
    before = clock.now
    turn.give_way()
    assert clock.now == before


def test_work_goes_on_between_keys_that_are_held(clock):
    turn = turns.Turns()
    steps = 0
    for key in range(30):
        clock.now = 1000 + key / 30
        turn.key_pressed()
        while clock.now < 1000 + (key + 1) / 30:
            turn.give_way()
            steps += 1
    assert steps >= 90
