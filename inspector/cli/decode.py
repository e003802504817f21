"""`inspector decode`: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from inspector.cli import output
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.opening import open_session, require_calls
from inspector.cli.options import (
    hint_option,
    input_argument,
    json_options,
    kind_option,
    out_option,
    schema_options,
)
from inspector.errors import InspectorError
from inspector.model.call import Message
from inspector.model.problem import Problem
from inspector.session import DecodedMessage, JsonOptions, Session
from inspector.views.conversation import message_lines
from inspector.views.rows import bare_row, message_row, to_line
from inspector.views.selection import Selection

if TYPE_CHECKING:
    from inspector.views.where import Where


MOST_METHODS = 1_000
"""Methods that are counted as missing from the schema."""


@click.command(no_args_is_help=True)
@input_argument
@kind_option
@schema_options
@click.option("-t", "--type", "type_name", metavar="TYPE", help="Message type, where no method tells.")
@hint_option
@click.option("--call", "call", type=click.IntRange(1), metavar="N", help="Only the messages of call N.")
@click.option("--method", metavar="GLOB", help="Only methods that match, as in '*.Predict*' or 'pkg.Svc/*'.")
@click.option("--where", metavar="EXPR", help="Only messages whose record fits this CEL expression.")
@click.option("--raw", is_flag=True, help="Add the bytes of each message, in base64.")
@click.option("--envelope", is_flag=True, help="Print the whole record for bare payloads too.")
@json_options
@out_option
def decode(
    input_: str, kind: str | None, schemas: tuple[str, ...], import_paths: tuple[str, ...], type_name: str | None,
    hints: dict[str, str], call: int | None, method: str | None, where: str | None, raw: bool, envelope: bool,
    emit_defaults: bool, proto_names: bool, enum_numbers: bool, keep_unknown: bool, path: str | None,
) -> int:  # fmt: skip
    """Decode a capture or a payload to JSON, one message a line.

    INPUT is a capture (pcap, pcapng, perhaps gzip-compressed), HTTP/2 bytes, gRPC frames, length-delimited messages
    or one message; - is standard input. Without a schema, messages are decoded by field number.
    """
    options = JsonOptions(emit_defaults, proto_names, enum_numbers, keep_unknown)
    session = open_session(input_, schemas, import_paths, kind, type_name, options, hints)
    if call is not None or method is not None:
        require_calls(session)
    selection = Selection(call, method)
    condition = _condition(where)
    pretty = path is None and output.is_terminal()
    warnings = output.Warnings()
    schema_use = _SchemaUse(session)
    with output.opened(path, input_) as out:
        for batch in session.batches():
            for event in batch:
                if isinstance(event, Message) and selection.takes(event.call, event.method):
                    decoded = session.decode(event)
                    schema_use.note(decoded)
                    if condition is not None and not condition.takes(decoded):
                        continue
                    _print(session, decoded, out, pretty=pretty, envelope=envelope, raw=raw, warnings=warnings)
                elif isinstance(event, Problem):
                    warnings.add(event)
            out.flush()
        _finish(session, selection, condition)
    warnings.close()
    schema_use.report()
    return DAMAGED if session.damaged else 0


def _print(
    session: Session, decoded: DecodedMessage, out: BinaryIO, *, pretty: bool, envelope: bool, raw: bool,
    warnings: output.Warnings,
) -> None:  # fmt: skip
    if decoded.problem is not None:
        warnings.add(decoded.problem, _place(decoded))
    bare = not session.source.is_capture and not envelope
    if bare and decoded.unknown_bytes and not session.options.keep_unknown:
        text = f"{decoded.unknown_bytes} bytes are of fields that {decoded.type_name} does not have (--keep-unknown)"
        warnings.add(Problem("unknown_fields", text), _place(decoded))
    if pretty and not raw and not envelope:
        output.write_lines(message_lines(decoded, bare=bare), out, colour=output.has_colour())
    else:
        row = bare_row(decoded, raw=raw) if bare else message_row(decoded, raw=raw)
        out.write(to_line(row) + b"\n")


def _place(decoded: DecodedMessage) -> str:
    message = decoded.message
    return f"call {message.call}, {message.direction} {message.index}" if message.call else f"message {message.index}"


class _SchemaUse:
    """How well the schema fits what was decoded: a wrong one is not an error, but should not go unnoticed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._messages = 0
        self._by_type = 0
        self._lacking: dict[str, int] = {}  # method -> its messages
        self._nameless = 0
        self._unknown_bytes = 0
        self._with_unknown = 0

    def note(self, decoded: DecodedMessage) -> None:
        self._messages += 1
        self._by_type += decoded.type_name is not None and self._is_by_type(decoded)
        if decoded.unknown_bytes:
            self._with_unknown += 1
            self._unknown_bytes += decoded.unknown_bytes
        if decoded.type_name is None:
            method = decoded.message.method
            if method is None:
                self._nameless += 1
            elif method in self._lacking or len(self._lacking) < MOST_METHODS:
                self._lacking[method] = self._lacking.get(method, 0) + 1

    def _is_by_type(self, decoded: DecodedMessage) -> bool:
        """Whether the type is the one of -t, as the method told none."""
        schema, method = self._session.schema, decoded.message.method
        return self._session.type_name is not None and (
            schema is None or method is None or schema.find_method(method) is None
        )

    def report(self) -> None:
        """Says on standard error what does not fit."""
        session = self._session
        if self._by_type and session.source.is_capture:
            output.note(
                f"{self._by_type} messages, requests and responses alike, were decoded as {session.type_name} (-t)"
            )
        if session.schema is None:
            return
        if self._lacking:
            first = next(iter(self._lacking))
            more = f" and {len(self._lacking) - 1} more" if len(self._lacking) > 1 else ""
            count = sum(self._lacking.values())
            output.note(f"the schema lacks the method {first}{more}: {count} messages were decoded by field number")
        if self._nameless and session.source.is_capture:
            output.note(f"{self._nameless} messages are of methods that the capture does not tell, as their calls or "
                        "connections began before it; they were decoded by field number")  # fmt: skip
        elif self._nameless:
            output.note("a schema is given, but no type (-t): messages were decoded by field number")
        if session.source.is_capture and self._unknown_bytes:
            share = f"{self._with_unknown} of {self._messages} messages"
            output.note(f"{self._unknown_bytes} bytes in {share} are of fields that the schema lacks")


def _condition(where: str | None) -> Where | None:
    if where is None:
        return None
    from inspector.views.where import Where  # noqa: PLC0415  # its library is an extra, and not needed otherwise

    return Where(where)


def _finish(session: Session, selection: Selection, condition: Where | None) -> None:
    if session.passed_over and output.is_terminal():
        output.note(session.passed_over)
    if condition is not None and selection.taken and not condition.taken:
        raise InspectorError(f"no message matches {condition.expression}", hint=condition.last_error)
    if not selection.taken:
        what = selection.describe()
        if what:
            raise InspectorError(f"no message of {what} is in the input", hint="`inspector calls` lists the calls")
        output.note(f"no messages were found ({session.passed_over or session.source.name})")
