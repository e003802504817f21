"""`inspector calls`: one line per call."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import BinaryIO

import click

from inspector.cli import output
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.options import input_argument, kind_option, open_session, secrets_option
from inspector.errors import InspectorError
from inspector.model.call import Call
from inspector.model.problem import Problem
from inspector.session import Session
from inspector.views import call_table
from inspector.views.rows import call_line
from inspector.views.selection import matches

FORMS = ("table", "ndjson")


@click.command(no_args_is_help=True)
@input_argument
@kind_option
@click.option("--method", metavar="GLOB", help="Only methods that match, as in '*.Predict*' or 'pkg.Svc/*'.")
@click.option("--output", "form", type=click.Choice(FORMS), help="Default: a table on a terminal, else NDJSON.")
@secrets_option
def calls(input_: str, kind: str | None, method: str | None, form: str | None, show_secrets: bool) -> int:
    """List the calls of a capture: method, status, timing, sizes, deadline, problems.

    Calls of a file are listed in the order in which they began, those of a pipe as they end.
    """
    session = open_session(input_, kind=kind)
    if not session.source.is_capture:
        raise InspectorError(f"this is of the kind {session.source.name}: it holds messages, not calls",
                             where=input_, hint="inspector decode shows them")  # fmt: skip
    printer = _Printer(session, form or ("table" if output.is_terminal() else "ndjson"), show_secrets)
    in_order = call_table.InOrder(window=0 if input_ == "-" else call_table.CALL_ORDER_WINDOW)
    warnings = output.Warnings()
    with output.opened(None) as out:
        for batch in session.batches():
            ended = (event for event in batch if isinstance(event, Call))
            printer.write(_matching(in_order.feed(ended), method), out)
            for event in batch:
                if isinstance(event, Problem):
                    warnings.add(event)
            out.flush()
        printer.write(_matching(in_order.close(), method), out)
    warnings.close()
    if session.passed_over and (output.is_terminal() or not printer.count):
        output.note(session.passed_over)
    return DAMAGED if session.damaged else 0


def _matching(found: Iterable[Call], method: str | None) -> Iterable[Call]:
    glob = method.removeprefix("/") if method is not None else None
    return (call for call in found if glob is None or matches(glob, call.method))


class _Printer:
    def __init__(self, session: Session, form: str, show_secrets: bool) -> None:
        self.count = 0
        self._session = session
        self._form = form
        self._show_secrets = show_secrets
        self._width = _terminal_width()

    def write(self, found: Iterable[Call], out: BinaryIO) -> None:
        for call in found:
            if self._form == "ndjson":
                line = call_line(call, self._session.decode_details, show_secrets=self._show_secrets)
                out.write(line + b"\n")
            else:
                lines = [] if self.count else [call_table.heading(self._width)]
                lines.append(call_table.row(call, self._width))
                output.write_lines(lines, out, colour=output.has_colour())
            self.count += 1


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(1).columns or 120
    except OSError:
        return 120
