"""`inspector decode`: the main job."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import click

from inspector.cli import output
from inspector.cli.completion import complete_symbols
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.message_printer import CallOf, Form, MessagePrinter, Part, Printed, batches, full, plain, report
from inspector.cli.opening import open_session, require_calls
from inspector.cli.options import (
    hint_option,
    input_argument,
    json_options,
    kind_option,
    load_where,
    out_option,
    schema_options,
    where_option,
)
from inspector.cli.schema_use import SchemaUse
from inspector.errors import InspectorError
from inspector.model.call import Call, Message
from inspector.model.problem import Problem
from inspector.parallel import OrderedWork, Text, is_possible, processors
from inspector.session import JsonOptions, Session
from inspector.views.selection import Selection

if TYPE_CHECKING:
    from inspector.views.where import Where


KEPT_CALLS = 1_024
"""Calls that are at hand while their messages are looked at."""

LARGE_INPUT = 16 * 1024 * 1024
"""Bytes of a file from which on several processes decode."""

MOST_JOBS = 8
"""Processes taken unasked: one that reads the capture keeps no more of them busy."""


@click.command(no_args_is_help=True)
@input_argument
@kind_option
@schema_options
@click.option(
    "-t", "--type", "type_name", metavar="TYPE", shell_complete=complete_symbols("message"),
    help="Message type, where no method tells.",
)  # fmt: skip
@hint_option
@click.option("--call", "call", type=click.IntRange(1), metavar="N", help="Only the messages of call N.")
@click.option("--method", metavar="GLOB", help="Only methods that match, as in '*.Predict*' or 'pkg.Svc/*'.")
@where_option("messages")
@click.option("--raw", is_flag=True, help="Add the bytes of each message, in base64.")
@click.option("--envelope", is_flag=True, help="Print the whole record for bare payloads too.")
@json_options
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Processes that decode a file. Default: many if it is large."
)
@out_option
def decode(
    input_: str, kind: str | None, schemas: tuple[str, ...], import_paths: tuple[str, ...], type_name: str | None,
    hints: dict[str, str], call: int | None, method: str | None, where: str | None, raw: bool, envelope: bool,
    emit_defaults: bool, proto_names: bool, enum_numbers: bool, keep_unknown: bool, jobs: int | None, path: str | None,
) -> int:  # fmt: skip
    """Decode a capture or a payload to JSON, one message a line.

    INPUT is a capture (pcap, pcapng, perhaps gzip-compressed), a binary log of gRPC, HTTP/2 bytes, gRPC frames,
    length-delimited messages or one message; - is standard input. Without a schema, messages are decoded by field
    number.
    """
    options = JsonOptions(emit_defaults, proto_names, enum_numbers, keep_unknown)
    session = open_session(input_, schemas, import_paths, kind, type_name, options, hints)
    if call is not None or method is not None:
        require_calls(session)
    selection = Selection(call, method)
    condition = load_where(where)
    form = Form(path is None and output.is_terminal(), envelope, raw)
    printer = MessagePrinter(session, form, condition, _calls(session, input_, kind, condition))
    warnings = output.Warnings()
    schema_use = SchemaUse(session)
    matching, last_error = 0, None
    with output.opened(path, input_) as out:
        for printed in _printed(session, printer, selection, _jobs(input_, jobs)):
            out.write(printed.text)
            out.flush()
            report(printed, warnings, schema_use)
            session.damaged |= printed.damaged
            matching += printed.matching
            last_error = printed.last_error or last_error
        if condition is not None and selection.taken and not matching:
            raise InspectorError(f"no message matches {condition.expression}", hint=last_error)
        _finish(session, selection)
    warnings.close()
    schema_use.report()
    return DAMAGED if session.damaged else 0


def _printed(session: Session, printer: MessagePrinter, selection: Selection, jobs: int) -> Iterator[Printed]:
    """What is to be written, in the order of the input."""
    if jobs == 1 or not is_possible():
        for batch in _batches(session, selection):
            yield printer.print(*batch)
        return

    def work(part: tuple[Any, Any]) -> tuple[Text, Any]:
        text, *rest = printer.print(*part)
        return text, rest

    with OrderedWork(work, jobs, plain) as spread:
        for part in full(_batches(session, selection)):
            for text, values in spread.feed(part):
                yield Printed(text, *values)
        for text, values in spread.rest():
            yield Printed(text, *values)


def _batches(session: Session, selection: Selection) -> Iterator[Part]:
    """The wanted messages, of each read by themselves, so that of a pipe they are printed as they come; then what is
    wrong with what was read, as plain values."""
    for events in session.batches():
        found = [event for event in events if type(event) is Message and selection.takes(event.call, event.method)]
        for messages in batches(found):
            yield messages, []
        problems = [tuple(event) for event in events if type(event) is Problem]
        if problems:
            yield [], problems


def _calls(session: Session, path: str, kind: str | None, condition: Where | None) -> CallOf | None:
    """The calls by number, where the condition asks for what is known only when they have ended: the input is read for
    them first."""
    if condition is None or not condition.asks_calls or not session.source.is_capture:
        return None
    if not os.path.isfile(path):
        fields = "fields of calls, which are known when a call has ended"
        raise InspectorError(f"--where asks for {fields}", where=path, hint="name a file, which can be read twice")
    from inspector.index.capture_index import CaptureIndex  # noqa: PLC0415  # not needed to read from end to end

    index = CaptureIndex(path, kind).build()

    @lru_cache(KEPT_CALLS)
    def call_of(number: int) -> Call | None:
        return index.call(number) if number else None

    return call_of


def _jobs(path: str, wanted: int | None) -> int:
    """As many processes as are wanted, or pay: to make them takes a few milliseconds, and most inputs not much longer.

    A pipe takes one: its messages are printed as they come, and guesses are judged by those that came before.
    """
    if not os.path.isfile(path):
        return 1
    return wanted or (min(processors(), MOST_JOBS) if os.path.getsize(path) >= LARGE_INPUT else 1)


def _finish(session: Session, selection: Selection) -> None:
    if session.passed_over and output.is_terminal():
        output.note(session.passed_over)
    if not selection.taken:
        what = selection.describe()
        if what:
            raise InspectorError(f"no message of {what} is in the input", hint="`inspector calls` lists the calls")
        output.note(f"no messages were found ({session.passed_over or session.source.name})")
