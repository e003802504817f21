"""`inspector show`: one call, whole."""

from __future__ import annotations

import click

from inspector.cli import output
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.opening import open_session, require_calls
from inspector.cli.options import (
    input_argument,
    json_options,
    kind_option,
    schema_options,
    secrets_option,
)
from inspector.cli.output import note
from inspector.errors import InspectorError
from inspector.model.call import Call, Message
from inspector.session import JsonOptions, Session
from inspector.views.conversation import call_lines
from inspector.views.copy_as import FORMS, Request, request_of


@click.command(no_args_is_help=True)
@input_argument
@click.argument("number", metavar="CALL", type=click.IntRange(1))
@kind_option
@schema_options
@json_options
@secrets_option
@click.option(
    "--as",
    "form",
    type=click.Choice(("inspector", "grpcurl", "curl", "python", "json")),
    help="Print a command, a program or a record that makes the call again. Credentials become variables of the "
    "environment, unless --show-secrets.",
)
def show(
    input_: str, number: int, kind: str | None, schemas: tuple[str, ...], import_paths: tuple[str, ...],
    emit_defaults: bool, proto_names: bool, enum_numbers: bool, keep_unknown: bool, show_secrets: bool,
    form: str | None,
) -> int:  # fmt: skip
    """Show one call of a capture, whole, for a reader: status, timing, headers, messages, trailers, error details.

    CALL is its number, as `inspector calls` lists it.
    """
    options = JsonOptions(emit_defaults, proto_names, enum_numbers, keep_unknown)
    session = open_session(input_, schemas, import_paths, kind, options=options)
    require_calls(session)
    call, messages = _find(session, number)
    decoded = [session.decode(message) for message in messages]
    if form is not None:
        request = request_of(call, decoded, schemas, import_paths, schema=session.schema, show_secrets=show_secrets)
        return _copy(request, form)
    with output.opened(None) as out:
        lines = call_lines(call, decoded, session.decode_details, show_secrets=show_secrets)
        output.write_lines(lines, out, colour=output.has_colour())
    damaged = any(problem.is_damage for problem in call.problems) or any(each.problem for each in decoded)
    return DAMAGED if damaged else 0


def _copy(request: Request, form: str) -> int:
    """Prints what makes a call again."""
    if request.left_out:
        note(f"{request.left_out} of its header fields cannot be sent again, and are left out")
    with output.opened(None) as out:
        out.write(f"{FORMS[form](request)}\n".encode("utf-8", "backslashreplace"))
    return 0


def _find(session: Session, number: int) -> tuple[Call, list[Message]]:
    """The call and its messages; the input is read no further than to the end of the call. Raises InspectorError."""
    messages = []
    count = 0
    for event in session.events():
        if isinstance(event, Message) and event.call == number:
            messages.append(event)
        elif isinstance(event, Call):
            if event.number == number:
                return event, messages
            count += 1
    hint = "`inspector calls` lists them" if count else session.passed_over
    raise InspectorError(f"there is no call {number}: the input has {count}", where=session.path, hint=hint)
