"""Filtering the calls of a capture, by keys."""

from __future__ import annotations

import threading

import pytest
from tui.terminal import NARROW, WIDE, Terminal, drive, sample

from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.field_list import FieldList
from inspector.tui.browse.filter_bar import FilterBar
from inspector.tui.document import Document
from inspector.views import call_order


async def type_filter(terminal: Terminal, text: str, *, enter: bool = True) -> None:
    await terminal.press("slash")
    terminal.browser.query_one(FilterBar).box.value = ""
    await terminal.press(*text)
    if enter:
        await terminal.press("enter")


def numbers(terminal: Terminal) -> list[int]:
    calls = terminal.browser.query_one(CallList)
    return [calls.call_in(place).number for place in range(calls.count())]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_an_expression_over_call_fields_filters_as_it_is_typed(size):
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, "status.code != 0", enter=False)
        shown = numbers(terminal)
        assert shown
        assert all(terminal.app.documents[0].call(number).status.code != 0 for number in shown)
        assert len(shown) == 14
        assert "15 calls, 14 shown" in terminal.text()
        assert "✓ expression" in terminal.text()
        assert terminal.browser.selected.call in shown
        await terminal.press("enter")
        assert terminal.browser.query_one(CallList).has_focus

    drive([sample("errors.pcapng")], steps, size)


def test_what_is_no_expression_is_told_while_it_is_typed_and_filters_nothing():
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, "statsu.code == 1")
        assert "there is no field 'statsu' (did you mean status?)" in terminal.text()
        assert "shown" not in terminal.text()
        assert terminal.browser.query_one(FilterBar).box.has_focus

    drive([sample("predict.pcapng")], steps)


def test_an_expression_over_messages_filters_on_enter():
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, "response.labels.exists(l, l.score > 0.9)", enter=False)
        assert len(numbers(terminal)) == 10
        await terminal.press("enter")
        assert 0 < len(numbers(terminal)) < 10

    drive([sample("predict.pcapng")], steps)


def test_words_are_looked_for_in_methods_headers_and_messages():
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, "en-gb")
        assert 0 < len(numbers(terminal)) < 10
        await type_filter(terminal, "service/watch grpc-status")
        assert {terminal.app.documents[0].call(number).method for number in numbers(terminal)} == {
            "/vision.v1.PredictionService/WatchVideo"
        }

    drive([sample("predict.pcapng")], steps)


def test_words_are_looked_for_in_the_status():
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, "invalid_argument")
        found = [terminal.app.documents[0].call(number).status.name for number in numbers(terminal)]
        assert found == ["INVALID_ARGUMENT"]

    drive([sample("errors.pcapng")], steps)


def test_the_filter_keeps_its_text_and_an_empty_one_shows_all():
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, "call > 8")
        assert numbers(terminal) == [9, 10]
        await terminal.press("slash")
        assert terminal.browser.query_one(FilterBar).box.value == "call > 8"
        await terminal.press("x", "escape")
        assert numbers(terminal) == [9, 10]
        assert terminal.browser.query_one(FilterBar).box.value == "call > 8"
        await type_filter(terminal, "")
        assert len(numbers(terminal)) == 10
        assert not terminal.browser.query_one(FilterBar).has_class("-shown")

    drive([sample("predict.pcapng")], steps)


def test_earlier_filters_come_back_with_the_arrow_keys():
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, "call > 8")
        await type_filter(terminal, "call < 3")
        await terminal.press("slash", "up", "up")
        assert terminal.browser.query_one(FilterBar).box.value == "call > 8"
        await terminal.press("enter")
        assert numbers(terminal) == [9, 10]

    drive([sample("predict.pcapng")], steps)


def test_names_of_fields_are_offered_from_records_and_schema():
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, "dur", enter=False)
        assert "duration" in terminal.text()
        await terminal.press("tab")
        box = terminal.browser.query_one(FilterBar).box
        assert box.value == "duration"
        await type_filter(terminal, "response.labels.exists(l, l.sc", enter=False)
        await terminal.press("tab")
        assert box.value == "response.labels.exists(l, l.score"

    drive([sample("predict.pcapng")], steps)


def test_a_field_under_the_cursor_becomes_a_filter():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("j", "2", "j", "j")
        node = terminal.browser.query_one(FieldList).selected
        assert node is not None
        assert node.path == "context.locale"
        await terminal.press("asterisk")
        assert terminal.browser.query_one(FilterBar).box.value == 'request.context.locale == "en-GB"'
        assert terminal.browser.selected.call in numbers(terminal)
        assert len(numbers(terminal)) < 10

    drive([sample("predict.pcapng")], steps)


def test_the_method_of_a_call_becomes_a_filter():
    async def steps(terminal: Terminal) -> None:
        await terminal.press("asterisk")
        calls = terminal.browser.query_one(CallList)
        assert {calls.call_in(place).method for place in range(calls.count())} == {calls.selected.method}

    drive([sample("predict.pcapng")], steps)


def test_sorting_keeps_the_filter_and_the_selected_call():
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, "call > 4")
        await terminal.press("j", "S")
        assert terminal.browser.selected.call == 6
        assert numbers(terminal) == [10, 9, 8, 7, 6, 5]
        assert terminal.browser.query_one(CallList).selected.number == 6

    drive([sample("predict.pcapng")], steps)


@pytest.fixture
def gate(monkeypatch):
    """Filters find the first call, and then nothing until it is opened."""
    opened = threading.Event()

    def find(first, last, is_cancelled):
        yield [first], first + 1
        opened.wait()
        if not is_cancelled():
            yield range(first + 1, last), last

    monkeypatch.setattr(call_order, "BETWEEN_STEPS", 0)
    monkeypatch.setattr(Document, "finder", lambda self, where: find)
    yield opened
    opened.set()


async def begin(terminal: Terminal) -> None:
    """Types a filter, and waits until it found something."""
    await terminal.press("slash")
    terminal.browser.query_one(FilterBar).box.value = "words"
    await terminal.pilot.press("enter")
    while len(terminal.app.documents[0].order) != 1:
        await terminal.pilot.pause()


def test_what_is_found_is_shown_while_a_filter_is_under_way(gate):
    async def steps(terminal: Terminal) -> None:
        await begin(terminal)
        assert numbers(terminal) == [1]
        assert "10 calls, 1 shown, filtering ╸─────── 10 % (Esc stops)" in terminal.text()
        await terminal.pilot.press("2", "j", "1")
        assert terminal.browser.query_one(CallList).has_focus
        gate.set()
        await terminal.settle()
        assert len(numbers(terminal)) == 10
        assert "10 calls, 10 shown" in terminal.text()

    drive([sample("predict.pcapng")], steps)


def test_a_filter_that_is_under_way_can_be_stopped(gate):
    async def steps(terminal: Terminal) -> None:
        await begin(terminal)
        await terminal.pilot.press("escape")
        gate.set()
        await terminal.settle()
        assert numbers(terminal) == [1]
        assert "filter stopped at 10 %" in terminal.text()
        await type_filter(terminal, "")
        assert len(numbers(terminal)) == 10

    drive([sample("predict.pcapng")], steps)


def test_sorting_goes_on_with_a_filter_that_is_under_way(gate):
    async def steps(terminal: Terminal) -> None:
        await begin(terminal)
        await terminal.pilot.press("S")
        gate.set()
        await terminal.settle()
        assert numbers(terminal) == list(range(10, 0, -1))

    drive([sample("predict.pcapng")], steps)


def test_a_filter_that_was_stopped_does_not_go_on_when_calls_are_sorted(gate):
    async def steps(terminal: Terminal) -> None:
        await begin(terminal)
        await terminal.pilot.press("escape")
        gate.set()
        await terminal.settle()
        assert "filter stopped at 10 %" in terminal.text()
        await terminal.press("S")
        assert "filter stopped at 10 %" in terminal.text()
        assert numbers(terminal) == [1]

    drive([sample("predict.pcapng")], steps)


def test_a_field_that_no_message_has_is_told():
    async def steps(terminal: Terminal) -> None:
        await type_filter(terminal, 'request.context.request_id=="x"')
        assert numbers(terminal) == []
        assert "not there: request_id; did you mean requestId?" in terminal.notices()[-1]
        await type_filter(terminal, "status.code==")
        assert "✗ the expression is not CEL: column 14: mismatched input" in terminal.text()

    drive([sample("errors.pcapng")], steps, NARROW)
