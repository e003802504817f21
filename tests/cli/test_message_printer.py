"""Batches of messages, printed here or from the plain values that go to another process."""

from __future__ import annotations

import marshal

import pytest
from capture_files import CAPTURES
from command import SAMPLES, SCHEMA

import inspector
from inspector.cli import message_printer
from inspector.cli.message_printer import Form, MessagePrinter, batches, full, plain
from inspector.model.call import Message
from inspector.model.problem import Problem
from inspector.schema import Schema

FORMS = [Form(pretty=False, envelope=False, raw=raw) for raw in (False, True)]


def opened(name="predict.pcapng", **options):
    return inspector.open(SAMPLES / name, schema=Schema.from_files(SCHEMA), **options)


@pytest.mark.parametrize("form", FORMS, ids=["", "raw"])
@pytest.mark.parametrize("name", CAPTURES)
def test_plain_values_print_as_messages_do(name, form):
    session = opened(name)
    messages = list(session.messages())
    problems = [tuple(Problem("capture_truncated", "it ends here", 9, 99))]
    values = marshal.loads(marshal.dumps(plain((messages, problems))))
    printed = MessagePrinter(session, form, None).print(messages, problems)
    assert MessagePrinter(session, form, None).print(*values) == printed
    assert printed.text.count(b"\n") == len(messages)
    assert marshal.loads(marshal.dumps(tuple(printed))) == tuple(printed)


def test_a_problem_of_the_input_is_told_behind_those_of_the_messages():
    session = opened("truncated.pcapng")
    broken = [message for message in session.messages() if message.problem is not None]
    problem = Problem("capture_truncated", "it ends here", 9, 99)
    printed = MessagePrinter(session, FORMS[0], None).print(broken, [tuple(problem)])
    assert len(printed.warnings) == len(broken) + 1
    assert printed.warnings[-1] == (tuple(problem), "")


def test_a_message_that_is_not_of_its_type_is_damage():
    message = Message(0, 0, None, None, None, "identity", b"\x0a\x7f", b"\x0a\x7f", None, ())
    with opened(type_name="google.protobuf.FileDescriptorSet") as session:
        printed = MessagePrinter(session, FORMS[0], None).print([message])
    assert printed.damaged
    assert [place for _, place in printed.warnings] == ["message 0"]


def test_batches_hold_all_messages_in_order(monkeypatch):
    messages = list(opened().messages())
    monkeypatch.setattr(message_printer, "LARGEST_BATCH", 1_000)
    parts = list(batches(messages))
    assert [message for part in parts for message in part] == messages
    assert len(parts) > 1
    assert all(sum(len(message.data) for message in part[:-1]) < 1_000 for part in parts)
    assert list(batches([])) == []


def test_small_parts_are_put_together(monkeypatch):
    messages = list(opened().messages())
    monkeypatch.setattr(message_printer, "LARGEST_BATCH", 1_000)
    parts = list(full(([message], []) for message in messages))
    assert [message for part, _ in parts for message in part] == messages
    assert len(parts) < len(messages)
    assert all(sum(len(message.data) for message in part[:-1]) < 1_000 for part, _ in parts)
    assert list(full([])) == []


def test_problems_stay_behind_the_messages_that_they_came_behind():
    one, two, three = list(opened().messages())[:3]
    parts = [([one], []), ([two], []), ([], [("first",)]), ([three], []), ([], [("second",)]), ([], [("third",)])]
    assert list(full(parts)) == [([one, two], [("first",)]), ([three], [("second",)]), ([], [("third",)])]
