"""`inspector replay`: captured calls made again, and what differs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from inspector.cli import output
from inspector.cli.completion import complete_targets
from inspector.cli.connect_options import Connection, ConnectOptions, as_source, connect_options, connection
from inspector.cli.exit_codes import DAMAGED, DIFFERENT, FAILED
from inspector.cli.opening import open_session, require_calls
from inspector.cli.options import (
    NUMBER,
    POSITIVE,
    input_argument,
    kind_option,
    load_where,
    out_option,
    schema_options,
    secrets_option,
    where_option,
)
from inspector.errors import InputError, InspectorError
from inspector.index.capture_index import CaptureIndex
from inspector.model.call import Call
from inspector.session import Session
from inspector.views.rows import Row, to_line
from inspector.views.secrets import is_secret
from inspector.views.selection import matches
from inspector.views.spans import Line

if TYPE_CHECKING:
    from inspector.client.replay import Outcome, Replay
    from inspector.client.replay_compare import Rules
    from inspector.client.replay_headers import HeaderEdits
    from inspector.views.where import Where

MOST_AT_ONCE = 100
"""Calls at one time where the pace of the capture is asked for, and no number."""


class _Speed(click.ParamType[float]):
    """`max`, or how many times as fast as captured."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if value == "max":
            return 0.0
        return NUMBER.convert(value, param, ctx)


@click.command(no_args_is_help=True)
@input_argument
@click.option("--target", metavar="TARGET", required=True, shell_complete=complete_targets,
              help="Where calls are sent: host:port, grpc://, ..., @NAME.")  # fmt: skip
@kind_option
@schema_options
@click.option("--call", "calls", type=click.IntRange(1), metavar="N", multiple=True, help="Only call N. Repeatable.")
@click.option("--method", metavar="GLOB", help="Only methods that match, as in '*.Predict*' or 'pkg.Svc/*'.")
@where_option("calls")
@click.option("--set-header", "set_headers", metavar="'NAME: VALUE'", multiple=True,
              help="Send this header field, in place of captured ones of that name. Repeatable.")  # fmt: skip
@click.option("--drop-header", "drop_headers", metavar="GLOB", multiple=True,
              help="Send no captured header field of such a name. Repeatable.")  # fmt: skip
@click.option("--keep-credentials", is_flag=True, help="Send the credentials that the capture has in header fields.")
@click.option("--max-time", type=POSITIVE, metavar="SECONDS",
              help="The deadline of each call, instead of the captured one.")  # fmt: skip
@click.option("--no-deadline", is_flag=True, help="Calls have no deadline, and may take any time.")
@click.option("--max-msg-sz", type=click.IntRange(1), metavar="BYTES", help="Largest answer taken. Default: 64 MiB.")
@click.option("--speed", type=_Speed(), default="max", metavar="X",
              help="1: at the pace of the capture, 2: twice as fast. Default: max, as fast as can be.")  # fmt: skip
@click.option("--concurrency", type=click.IntRange(1, 10_000), metavar="N",
              help="Calls at one time. Default: 1, one after the other; with --speed 100.")  # fmt: skip
@click.option("--ignore", "ignored", metavar="PATH", multiple=True,
              help="Do not compare this field and what is in it: usage, labels[*].score. Repeatable.")  # fmt: skip
@click.option("--tolerance", type=NUMBER, default=0.0, metavar="X",
              help="Numbers with a fraction are the same up to this, absolutely or as a share.")  # fmt: skip
@click.option("--compare-headers", "compared_headers", metavar="GLOB", multiple=True,
              help="Compare header fields and trailers of such names too. Repeatable.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Compare the text of the status too.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
@click.option(
    "--output", "style", type=click.Choice(["text", "ndjson"]), help="Default: text on a terminal, else ndjson."
)
@connect_options
@secrets_option
@out_option
def replay(input_: str, target: str, connect: ConnectOptions, **given: Any) -> int:
    """Send the calls of a capture again, and compare what comes back with what was captured.

    INPUT is a capture or a binary log of gRPC; all its calls are sent to TARGET, one after the other, with their
    requests, deadlines, compression and metadata, but without credentials. Calls whose requests are not whole in the
    capture are skipped. Exits with 0 if all is the same, with 1 if anything differs or fails, else with 3 if calls were
    skipped.

    \b
    inspector replay calls.binlog --target localhost:50051 --plaintext
    inspector replay calls.pcapng --target @staging --method 'Orders/*' --ignore '**.updatedAt' --tolerance 1e-6
    """
    if given["max_time"] is not None and given["no_deadline"]:
        raise click.UsageError("--max-time is a deadline, --no-deadline says that there is none: use one of them")
    reached = connection(target, connect)
    if reached.settings.protocol != "grpc":
        text = f"replay makes calls by gRPC only, and the profile says {reached.settings.protocol}"
        raise InputError(text, where=target, hint="name the address instead")
    return _Asked(input_, reached, given).run()


class _Asked:
    """What the command line asks for. `given` are its options by name."""

    def __init__(self, input_: str, reached: Connection, given: dict[str, Any]) -> None:
        self._input = input_
        self._reached = reached
        self._given = given
        self._edits = self._header_edits()
        self._where = load_where(given["where"])
        sources = given["schemas"] or reached.sources
        import_paths = (*given["import_paths"], *reached.import_paths)
        way = partial(as_source, reached)
        self._session = open_session(input_, sources, import_paths, given["kind"], way=way)
        require_calls(self._session)

    def run(self) -> int:
        from inspector.client.replay_plan import Planner  # noqa: PLC0415  # with h2

        given = self._given
        others = self._reached.others
        with self._session.index() as index, output.opened(given["path"], self._input) as out:
            index.build()
            max_time = given["max_time"] or others.get("max-time")
            planner = Planner(index, self._edits, max_time=max_time, no_deadline=given["no_deadline"])
            printer = _Printer(self._session, out, self._is_text(), show_secrets=given["show_secrets"])
            try:
                if given["dry_run"]:
                    printer.planned(planner.plan(call) for call in self._calls(index))
                else:
                    asyncio.run(self._made(index, planner, printer))
            finally:
                printer.close(planner)
            self._check_selection(printer.count, index)
            return printer.code()

    async def _made(self, index: CaptureIndex, planner: Any, printer: _Printer) -> None:
        replaying = self._replay()
        try:
            await replaying.run(self._calls(index), planner.plan, printer.outcome)
        except asyncio.CancelledError:
            output.note("interrupted: calls that were open are cancelled")
            raise
        if replaying.stopped is not None:
            printer.stopped = True
            output.note(f"{replaying.stopped}; the rest was not sent")

    def _replay(self) -> Replay:
        from inspector import limits  # noqa: PLC0415  # beside the next
        from inspector.client.replay import Replay, ReplaySettings  # noqa: PLC0415  # with h2

        given, others = self._given, self._reached.others
        settings = ReplaySettings(
            given["speed"],
            given["concurrency"] or (MOST_AT_ONCE if given["speed"] else 1),
            given["max_msg_sz"] or others.get("max-msg-sz") or limits.MAX_MESSAGE,
            call_time=None if given["no_deadline"] else 60.0,
        )
        return Replay(self._reached.target, self._reached.settings, settings, self._rules())

    def _rules(self) -> Rules:
        from inspector.client.replay_compare import Ignored, Rules  # noqa: PLC0415  # with protobuf
        from inspector.schema import Schema  # noqa: PLC0415  # with protobuf

        given = self._given
        return Rules(
            self._session.schema or Schema.empty(),
            Ignored(given["ignored"]),
            given["tolerance"],
            given["compared_headers"],
            given["strict"],
        )

    def _header_edits(self) -> HeaderEdits:
        from inspector.client import metadata  # noqa: PLC0415  # with h2
        from inspector.client.replay_headers import HeaderEdits  # noqa: PLC0415

        given = self._given
        own = metadata.parse(given["set_headers"])
        names = {name for name, _ in own}
        fields = (*(field for field in self._reached.metadata if field[0] not in names), *own)
        return HeaderEdits(is_secret, fields, given["drop_headers"], given["keep_credentials"])

    def _calls(self, index: CaptureIndex) -> Iterator[Call]:
        """The calls that are wanted, in the order in which they began."""
        wanted = self._given["calls"]
        glob = self._given["method"]
        glob = None if glob is None else glob.removeprefix("/")
        for number in sorted(set(index.column("number"))):
            if wanted and number not in wanted:
                continue
            call = index.call(number)
            if glob is not None and not matches(glob, call.method):
                continue
            if self._where is None or self._fits(index, call, self._where):
                yield call

    def _fits(self, index: CaptureIndex, call: Call, where: Where) -> bool:
        from inspector.views.where import messages_of  # noqa: PLC0415  # as in load_where

        session = self._session
        return where.takes_call(call, messages_of(session, index, call.number), session.decode_details)

    def _is_text(self) -> bool:
        style = self._given["style"]
        return bool(style == "text" or (style is None and self._given["path"] is None and output.is_terminal()))

    def _check_selection(self, count: int, index: CaptureIndex) -> None:
        if count:
            return
        given = self._given
        missing = self._where.last_error if self._where is not None else None
        if given["calls"] or given["method"] is not None or self._where is not None:
            raise InspectorError("no call in the input is one that was asked for",
                                 hint=missing or "`inspector calls` lists the calls")  # fmt: skip
        output.note(f"no calls were found ({index.passed_over or self._session.source.name})")


class _Printer:
    """Prints outcomes as they come, and what became of all at the end."""

    def __init__(self, session: Session, out: BinaryIO, is_text: bool, *, show_secrets: bool) -> None:
        self.stopped = False
        self._session = session
        self._out = out
        self._is_text = is_text
        self._show_secrets = show_secrets
        self._counts: Counter[str] = Counter()
        self._guessed = 0
        self._captured = 0
        self._taken = 0

    @property
    def count(self) -> int:
        """Calls that were told of."""
        return self._counts.total()

    def code(self) -> int:
        """What the command exits with."""
        if self._counts["different"]:
            return DIFFERENT
        if self._counts["failed"] or self.stopped:
            return FAILED
        return DAMAGED if self._counts["skipped"] else 0

    def outcome(self, outcome: Outcome) -> None:
        from inspector.views import replayed  # noqa: PLC0415  # with h2

        self._counts[outcome.result] += 1
        self._guessed += outcome.is_guessed and outcome.result == "different"
        if outcome.duration is not None:
            self._captured += outcome.call.duration or 0
            self._taken += outcome.duration
        if self._is_text:
            self._write_lines(replayed.outcome_lines(outcome, show_secrets=self._show_secrets))
        else:
            details = self._session.decode_details
            self._write_row(replayed.outcome_row(outcome, details, show_secrets=self._show_secrets))

    def planned(self, plans: Iterable[Any]) -> None:
        """What would be made."""
        from inspector.views import replayed  # noqa: PLC0415  # with h2

        for planned in plans:
            row = replayed.planned_row(planned, show_secrets=self._show_secrets)
            self._counts[str(row["outcome"])] += 1
            if self._is_text:
                self._write_lines(replayed.planned_lines(planned, show_secrets=self._show_secrets))
            else:
                self._write_row(row)

    def close(self, planner: Any) -> None:
        """Tells the sums."""
        from inspector.views import replayed  # noqa: PLC0415  # with h2

        for line in replayed.left_out(planner.left_out):
            output.note(line)
        if self._counts["planned"]:
            planned, skipped = self._counts["planned"], self._counts["skipped"]
            output.note(f"dry run, nothing was sent: {planned} planned, {skipped} skipped")
        elif self._counts:
            if self._guessed:
                text = f"{self._guessed} calls that differ were compared by field number, where a map is a list"
                output.note(f"{text}, and its order counts: -s names a schema")
            output.note(replayed.totals(self._counts, self._captured, self._taken))

    def _write_lines(self, lines: Iterable[Line]) -> None:
        output.write_lines(lines, self._out, colour=output.has_colour())
        self._out.flush()

    def _write_row(self, row: Row) -> None:
        self._out.write(to_line(row) + b"\n")
        self._out.flush()
