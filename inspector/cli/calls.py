"""`inspector calls`: one line per call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from inspector.cli import output
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.opening import open_session, require_calls
from inspector.cli.options import input_argument, kind_option, load_where, schema_options, secrets_option, where_option
from inspector.cli.schema_sources import load_schema
from inspector.errors import InspectorError
from inspector.limits import CALL_ORDER_WINDOW
from inspector.model.call import Call
from inspector.model.problem import Problem
from inspector.session import Session
from inspector.sources.base import SourceEvent
from inspector.views import call_table
from inspector.views.call_lines_cy import call_lines
from inspector.views.selection import matches

if TYPE_CHECKING:
    from inspector.index.capture_index import CaptureIndex
    from inspector.views.where import Messages, Where

FORMS = ("table", "ndjson")


@click.command(no_args_is_help=True)
@input_argument
@kind_option
@schema_options
@click.option("--method", metavar="GLOB", help="Only methods that match, as in '*.Predict*' or 'pkg.Svc/*'.")
@where_option("calls")
@click.option("--output", "form", type=click.Choice(FORMS), help="Default: a table on a terminal, else NDJSON.")
@secrets_option
def calls(
    input_: str, kind: str | None, schemas: tuple[str, ...], import_paths: tuple[str, ...], method: str | None,
    where: str | None, form: str | None, show_secrets: bool,
) -> int:  # fmt: skip
    """List the calls of a capture: method, status, timing, sizes, deadline, problems.

    Calls of a file are listed in the order in which they began, those of a pipe as they end. A schema is needed only
    where the details of a status are of types of your own, or where --where asks for what messages say.
    """
    condition = load_where(where)
    session = open_session(input_, kind=kind)
    require_calls(session)
    if schemas:
        session.schema = load_schema(schemas, import_paths)
    printer = _Printer(session, form or ("table" if output.is_terminal() else "ndjson"), show_secrets)
    in_order = call_table.InOrder(window=0 if input_ == "-" else CALL_ORDER_WINDOW)
    warnings = output.Warnings()
    wanted = _Wanted(session, method, condition)
    with output.opened(None) as out:
        for batch in wanted.batches():
            only_calls = {*map(type, batch)} <= {Call}
            ended = cast(list[Call], batch) if only_calls else [event for event in batch if type(event) is Call]
            printer.write(wanted.of(in_order.feed(ended)), out)
            if not only_calls:
                for problem in [event for event in batch if type(event) is Problem]:
                    warnings.add(problem)
            out.flush()
        printer.write(wanted.of(in_order.close()), out)
    warnings.close()
    if condition is not None and wanted.count and not printer.count:
        raise InspectorError(f"no call matches {condition.expression}", hint=condition.last_error)
    if session.passed_over and (output.is_terminal() or (method is None and not printer.count)):
        output.note(session.passed_over)
    if printer.marked:
        output.note(f"! marks {printer.marked} calls of which something is missing: `inspector show` tells what")
    if method is not None and not printer.count:
        raise InspectorError(f"no call of a method like {method} is in the input", hint="try it without --method")
    return DAMAGED if session.damaged else 0


class _Wanted:
    """The calls that are asked for. Those that are to be judged by their messages come from an index."""

    def __init__(self, session: Session, method: str | None, where: Where | None) -> None:
        self.count = 0
        """Of that method."""
        self._session = session
        self._glob = method.removeprefix("/") if method is not None else None
        self._where = where
        self._index: CaptureIndex | None = None

    def batches(self) -> Iterator[list[SourceEvent]]:
        if self._where is None or not self._where.asks_messages:
            yield from self._session.batches(with_messages=False)
            return
        if not self._session.schema:
            self._session.schema = load_schema((), ())
        with self._session.index() as self._index:
            self._index.build()
            for number in sorted(set(self._index.column("number"))):
                yield [self._index.call(number)]
            self._session.damaged |= self._index.damaged
            yield [*self._index.problems]

    def of(self, found: Iterable[Call]) -> Iterable[Call]:
        return found if self._glob is None and self._where is None else filter(self._takes, found)

    def _takes(self, call: Call) -> bool:
        if self._glob is not None and not matches(self._glob, call.method):
            return False
        self.count += 1
        return self._where is None or self._where.takes_call(
            call, self._messages(call.number), self._session.decode_details
        )

    def _messages(self, number: int) -> Messages:
        from inspector.views.where import messages_of  # noqa: PLC0415  # as in load_where

        return (lambda _: ()) if self._index is None else messages_of(self._session, self._index, number)


class _Printer:
    def __init__(self, session: Session, form: str, show_secrets: bool) -> None:
        self.count = 0
        self.marked = 0
        self._session = session
        self._form = form
        self._show_secrets = show_secrets
        self._schema_is_loaded = session.schema is not None
        self._width = _terminal_width()

    def write(self, found: Iterable[Call], out: BinaryIO) -> None:
        if self._form == "ndjson":
            found = [*found]
            self.count += len(found)
            out.write(call_lines(found, self._decode_details, self._show_secrets))
            return
        for call in found:
            rows = [] if self.count else [call_table.heading(self._width)]
            rows.append(call_table.row(call, self._width))
            self.marked += bool(call.problems)
            output.write_lines(rows, out, colour=output.has_colour())
            self.count += 1

    def _decode_details(self, details: bytes) -> list[object] | None:
        """Loads the schema that INSPECTOR_SCHEMA names only now: most captures need none to list their calls."""
        if not self._schema_is_loaded:
            self._schema_is_loaded = True
            self._session.schema = load_schema((), ())
        return self._session.decode_details(details)


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(1).columns or 120
    except OSError:
        return 120
