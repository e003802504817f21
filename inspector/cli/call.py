"""`inspector call`: a request made by hand."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from inspector.cli import output, request_option
from inspector.cli.answer_printer import AnswerPrinter, Style
from inspector.cli.completion import complete_data, complete_files, complete_symbols, complete_targets, complete_words
from inspector.cli.connect_options import Connection, ConnectOptions, as_source, connect_options, connection
from inspector.cli.exit_codes import CANCELLED, DAMAGED
from inspector.cli.live_call import Ending, Outcome, Wanted, make
from inspector.cli.options import (
    POSITIVE,
    json_options,
    out_option,
    schema_options,
    secrets_option,
)
from inspector.cli.payload_options import check_form, check_format, ignore_unknown_option, refuse_terminal
from inspector.cli.schema_sources import load_schema, reflected_schema, told
from inspector.client import requests
from inspector.client.decoding import LiveDecoder
from inspector.client.protocols.base import PROTOCOLS, Kind
from inspector.client.settings import DEFAULT_MAX_MESSAGE, HTTP_VERSIONS, CallSettings
from inspector.errors import ConnectError, InputError, InspectorError, SchemaError
from inspector.formats import registry as formats
from inspector.formats.base import Conversion, Format
from inspector.net.compression import ENCODINGS
from inspector.session import JsonOptions
from inspector.sources.payloads import forms
from inspector.views.live import Timing

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

    from inspector.schema import Schema
    from inspector.views.written_request import WrittenRequest

STATUS_BASE = 64
"""A call that ends with a status other than OK exits with this and its code."""


@click.command(no_args_is_help=True)
@click.argument("target", metavar="TARGET", required=False, shell_complete=complete_targets)
@click.argument("method", metavar="METHOD", required=False, shell_complete=complete_symbols("method"))
@click.option(
    "--request", "request_path", metavar="FILE", shell_complete=complete_files,
    help="A saved request (docs/requests.md); TARGET, METHOD and options override what it says.",
)  # fmt: skip
@click.option(
    "-d", "--data", metavar="DATA", shell_complete=complete_data,
    help="The request; @FILE reads it from a file, @ or @- from standard input.",
)  # fmt: skip
@click.option(
    "--from",
    "form",
    metavar="FORMAT",
    callback=check_form,
    shell_complete=complete_words(*forms()),
    help=f"The form of requests: {', '.join(forms())}. Default: what the name of @FILE tells, else JSON.",
)
@click.option(
    "--to", "to", metavar="FORMAT", callback=check_format, shell_complete=complete_words(*formats.names()),
    help=f"The form of answers: {', '.join(formats.names())}. Default: what the name of FILE (-o) tells, else JSON.",
)  # fmt: skip
@click.option("--format", "both", type=click.Choice(["json", "text"]), help="Short for --from and --to.")
@schema_options
@connect_options
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    metavar="NAME",
    help=f"How calls are made: {', '.join(PROTOCOLS)}. Default: grpc.",
)
@click.option(
    "--http", type=click.Choice(HTTP_VERSIONS), metavar="VERSION",
    help="HTTP 1.1 or 2, for grpc-web and connect. Default: 1.1 without TLS, with it what the server prefers.",
)  # fmt: skip
@click.option("--max-time", type=POSITIVE, metavar="SECONDS", help="The deadline of the call.")
@click.option("--max-msg-sz", type=click.IntRange(1), metavar="BYTES", help="Largest answer taken. Default: 4 MiB.")
@click.option("--compress", type=click.Choice(ENCODINGS), help="How requests are compressed.")
@click.option("--stop-after", type=click.IntRange(1), metavar="N", help="End the call after N answers, as done.")
@click.option("--interactive", is_flag=True, help="Requests line by line from the keyboard; Ctrl-D ends them.")
@click.option("--envelope", is_flag=True, help="Print records of messages, both ways, and of the call.")
@ignore_unknown_option
@json_options
@secrets_option
@click.option(
    "-v", "verbosity", count=True, help="Tell about headers, trailers, status; -vv about sizes and times too."
)
@out_option
def call(
    target: str | None, method: str | None, request_path: str | None, connect: ConnectOptions, **given: Any
) -> int:
    """Call a METHOD of the server at TARGET, with a request made by hand; all kinds of streaming.

    TARGET is host:port, grpc://host:port (plaintext), grpcs://host:port, unix:PATH, or @NAME of a profile; with
    --protocol grpc-web or connect it may also be a URL with a path. METHOD is pkg.Svc/Method. The schema comes from -s,
    or from the server itself by reflection. Requests are JSON documents, one after the other, or what --from says; no
    data is one empty message. They are sent as they come, and answers printed as they come.

    \b
    inspector call localhost:50051 shop.v1.Orders/Get -d '{"id": 7}' --plaintext
    inspector call @staging shop.v1.Orders/Watch -d @request.json --stop-after 3
    inspector call https://example.com/api shop.v1.Orders/Get --protocol connect -s protos
    """
    both = given.pop("both")
    given |= {name: given[name] or both for name in ("form", "to")}
    _refuse_contradictions(given)
    request = request_option.read(request_path, target, method) if request_path is not None else None
    if request is not None:
        target, method = request.target, request.method
        connect = request_option.over(request, connect, given)
    if not target or not method:
        raise click.UsageError("Missing argument 'METHOD'." if target else "Missing argument 'TARGET'.")
    try:
        return _Asked(connection(target, connect), method, given, request).run()
    except KeyboardInterrupt:  # before the call itself
        output.note("the call was cancelled")
        return CANCELLED


def _refuse_contradictions(given: dict[str, Any]) -> None:
    if given["interactive"] and given["data"] not in (None, "@", "@-"):
        raise click.UsageError("--interactive takes requests from the keyboard: leave -d out")
    if given["envelope"] and given["to"] not in (None, "json", "text"):
        raise click.UsageError("--envelope prints records of JSON: leave --to out")
    if given["to"] == "binary":
        refuse_terminal(given["path"])


class _Asked:
    """What the command line asks for. `given` are its options by name."""

    def __init__(
        self, reached: Connection, method: str, given: dict[str, Any], request: WrittenRequest | None = None
    ) -> None:
        self._request = request
        self._began = time.perf_counter_ns()
        self._reached = _within(reached, given["max_time"])
        self._given = given
        self._schema, self._method = self._resolve(method)
        self._learned = time.perf_counter_ns() - self._began
        self._form, self._pieces, self._name = self._data()
        self._conversion = self._conversion_to(self._method.input_type.full_name)
        self._format = self._answer_format()

    def run(self) -> int:
        with output.opened(self._given["path"]) as out:
            printer = self._printer(out)
            printer.resolved(self._method)
            made = self._make(printer)
            if isinstance(made, Outcome):
                self._tell(made, printer)
        if isinstance(made, InspectorError):
            raise made
        return _exit_code(made, is_damaged=printer.damaged)

    def _printer(self, out: BinaryIO) -> AnswerPrinter:
        given = self._given
        decoder = LiveDecoder(
            self._schema,
            self._method.input_type.full_name,
            self._method.output_type.full_name,
            JsonOptions(*(given[name] for name in JsonOptions._fields)),
        )
        conversion = self._conversion_to(self._method.output_type.full_name)
        style = Style(
            self._format, conversion, given["envelope"], given["verbosity"], given["show_secrets"], self._is_seen
        )
        return AnswerPrinter(decoder, out, style)

    @property
    def _is_seen(self) -> bool:
        return self._given["path"] is None and output.is_terminal()

    def _make(self, printer: AnswerPrinter) -> Outcome | InspectorError:
        """The call; or what went wrong in it after answers had come, which are kept."""
        try:
            return asyncio.run(make(self._wanted(), self._messages(), printer))
        except InspectorError as error:
            if not printer.count:
                raise
            return error

    def _tell(self, outcome: Outcome, printer: AnswerPrinter) -> None:
        printer.ended(outcome.call, is_done=outcome.ending is not Ending.ENDED)
        parts = (Timing("schema", self._learned), *outcome.timings)
        printer.took(Timing("total", time.perf_counter_ns() - self._began, "", parts))
        if outcome.ending is Ending.CANCELLED:
            output.note("the call was cancelled")

    def _messages(self) -> AsyncIterator[bytes]:
        if self._given["interactive"]:
            if output.is_typed():
                name = self._method.input_type.full_name
                output.note(f"requests ({name}, as {self._form}) end with an empty line; Ctrl-D ends them all")
            return requests.forgiving(self._pieces, self._form, self._conversion, output.note)
        if self._request is not None and self._given["data"] is None:
            return requests.given(self._request.messages(self._schema))
        if not self._given["data"] and not self._method.client_streaming:
            return requests.given([])
        return requests.messages(self._pieces, self._form, self._conversion, self._name)

    def _resolve(self, method: str) -> tuple[Schema, MethodDescriptor]:
        """The schema of the options, of the profile, or else of the server itself; and the method in it."""
        reached = self._reached
        sources = self._given["schemas"] or reached.sources
        import_paths = (*self._given["import_paths"], *reached.import_paths)
        schema = load_schema(sources, import_paths, partial(as_source, reached))
        if schema is None:
            schema = told(self._reflected(method))
        return schema, schema.method(method)

    def _reflected(self, method: str) -> Schema:
        schema = reflected_schema(self._reached, (method,))
        if (named := schema.find_method(method)) is not None and _may_hold_any_type(named):
            with contextlib.suppress(SchemaError, ConnectError):  # then what there is has to do
                schema = reflected_schema(self._reached)
        return schema

    def _conversion_to(self, type_name: str) -> Conversion:
        given = self._given
        return Conversion(
            self._schema,
            type_name,
            given["emit_defaults"],
            given["proto_names"],
            given["enum_numbers"],
            2 if self._is_seen else None,
            given["ignore_unknown"],
            given["keep_unknown"],
        )

    def _data(self) -> tuple[str, AsyncIterator[bytes], str]:
        """The form of the requests, their text as it comes, and what it is called where something is wrong with it."""
        data, form = self._given["data"], self._given["form"]
        if data in ("@", "@-") or (data is None and self._given["interactive"]):
            return form or "json", requests.read(0), ""
        if data is None:
            return form or "json", requests.given([]), ""
        if not data.startswith("@"):
            return form or "json", requests.given([data.encode("utf-8", "surrogateescape")]), ""
        path = data[1:]
        return form or _form_of(path), requests.read(_opened(path), path), path

    def _answer_format(self) -> Format:
        """The form of the answers. Raises InputError for one that has no room for several."""
        to, path = self._given["to"], self._given["path"]
        found = formats.find(to) if to else (formats.by_suffix(path) if path else None) or formats.JSON
        is_one = not self._method.server_streaming or self._given["stop_after"] == 1
        if not found.is_text and not is_one and not self._given["envelope"]:
            text = f"{found.name} holds one message, and answers come as a stream"
            raise InputError(text, hint="--to base64 has a line for each")
        return found

    def _wanted(self) -> Wanted:
        given, others = self._given, self._reached.others
        settings = CallSettings(
            self._reached.metadata,
            given["max_time"] or others.get("max-time"),
            given["max_msg_sz"] or others.get("max-msg-sz") or DEFAULT_MAX_MESSAGE,
            given["compress"] or others.get("compress") or "identity",
        )
        method = self._method
        return Wanted(
            self._reached.target,
            self._reached.settings,
            settings,
            f"/{method.containing_service.full_name}/{method.name}",
            Kind(method.client_streaming, method.server_streaming),
            given["stop_after"],
        )


def _may_hold_any_type(method: MethodDescriptor) -> bool:
    """Whether a google.protobuf.Any is in a request or an answer, somewhere."""
    waiting = [method.input_type, method.output_type]
    seen = set()
    while waiting:
        each = waiting.pop()
        if each.full_name == "google.protobuf.Any":
            return True
        if each.full_name not in seen:
            seen.add(each.full_name)
            waiting += [field.message_type for field in each.fields if field.message_type is not None]
    return False


def _within(reached: Connection, max_time: float | None) -> Connection:
    """Connecting takes no longer than the call may."""
    longest = min(max_time or reached.others.get("max-time") or math.inf, reached.settings.connect_timeout)
    return reached._replace(settings=reached.settings._replace(connect_timeout=longest))


def _exit_code(outcome: Outcome, *, is_damaged: bool) -> int:
    status = outcome.call.status
    if outcome.ending is Ending.CANCELLED:
        return CANCELLED
    if outcome.ending is Ending.ENDED and status is not None and status.code != 0:
        return STATUS_BASE + status.code
    return DAMAGED if is_damaged else 0


def _form_of(path: str) -> str:
    found = formats.by_suffix(path)
    return found.name if found else "json"


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}", where=path, hint="-d takes @FILE, or the text"
        ) from None
