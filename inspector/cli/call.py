"""`inspector call`: a request made by hand."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click

from inspector.cli import output
from inspector.cli.answer_printer import AnswerPrinter
from inspector.cli.completion import complete_data, complete_symbols, complete_targets
from inspector.cli.connect_options import SECONDS, ConnectOptions, connect_options, connection
from inspector.cli.exit_codes import DAMAGED
from inspector.cli.live_call import Outcome, Wanted, make
from inspector.cli.options import (
    json_options,
    load_schema,
    out_option,
    reflected_schema,
    schema_options,
    secrets_option,
)
from inspector.cli.payload_options import form_option, ignore_unknown_option, to_option
from inspector.client import requests
from inspector.client.decoding import LiveDecoder
from inspector.client.settings import DEFAULT_MAX_MESSAGE, CallSettings
from inspector.errors import InputError
from inspector.formats import registry as formats
from inspector.formats.base import Conversion
from inspector.net.compression import ENCODINGS
from inspector.session import JsonOptions

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

    from inspector.schema import Schema

STATUS_BASE = 64
"""A call that ends with a status other than OK exits with this and its code."""


@click.command(no_args_is_help=True)
@click.argument("target", metavar="TARGET", shell_complete=complete_targets)
@click.argument("method", metavar="METHOD", shell_complete=complete_symbols("method"))
@click.option(
    "-d", "--data", metavar="DATA", shell_complete=complete_data,
    help="The request; @FILE reads it from a file, @ or @- from standard input.",
)  # fmt: skip
@form_option
@to_option
@click.option("--format", "both", type=click.Choice(["json", "text"]), help="Short for --from and --to.")
@schema_options
@connect_options
@click.option("--max-time", type=SECONDS, metavar="SECONDS", help="The deadline of the call.")
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
def call(target: str, method: str, connect: ConnectOptions, **given: Any) -> int:
    """Call a METHOD of the server at TARGET, with a request made by hand; all kinds of streaming.

    TARGET is host:port, grpc://host:port (plaintext), grpcs://host:port, unix:PATH, or @NAME of a profile. METHOD is
    pkg.Svc/Method. The schema comes from -s, or from the server itself by reflection. Requests are JSON documents, one
    after the other, or what --from says; no data is one empty message. They are sent as they come, and answers
    printed as they come.

    \b
    inspector call localhost:50051 shop.v1.Orders/Get -d '{"id": 7}' --plaintext
    inspector call @staging shop.v1.Orders/Watch -d @request.json --stop-after 3
    """
    both = given.pop("both")
    given |= {name: given[name] or both for name in ("form", "to")}
    return _Asked(target, connect, method, given).run()


class _Asked:
    """What the command line asks for. `given` are its options by name."""

    def __init__(self, target: str, connect: ConnectOptions, method: str, given: dict[str, Any]) -> None:
        self._target = target
        self._connect = connect
        self._reached = connection(target, connect)
        self._given = given
        self._schema, self._method = self._resolve(method)
        self._form, self._pieces = self._data()
        self._conversion = self._conversion_to(self._method.input_type.full_name)

    def run(self) -> int:
        given = self._given
        decoder = LiveDecoder(
            self._schema,
            self._method.input_type.full_name,
            self._method.output_type.full_name,
            JsonOptions(*(given[name] for name in JsonOptions._fields)),
        )
        with output.opened(given["path"]) as out:
            printer = AnswerPrinter(
                decoder,
                out,
                format_=formats.find(given["to"] or "json"),
                conversion=self._conversion_to(self._method.output_type.full_name),
                envelope=given["envelope"],
                verbosity=given["verbosity"],
                show_secrets=given["show_secrets"],
            )
            printer.resolved(self._method)
            outcome = asyncio.run(self._make(printer))
            printer.ended(outcome.call, is_enough=outcome.is_enough)
        status = outcome.call.status
        if outcome.is_enough or status is None or status.code == 0:
            return DAMAGED if printer.damaged else 0
        return STATUS_BASE + status.code

    async def _make(self, printer: AnswerPrinter) -> Outcome:
        messages = self._messages()
        try:
            return await make(self._wanted(), messages, printer)
        except asyncio.CancelledError:
            output.note("the call was cancelled")
            raise

    def _messages(self) -> AsyncIterator[bytes]:
        if self._given["interactive"]:
            return requests.forgiving(self._pieces, self._form, self._conversion, output.note)
        if not self._given["data"] and not self._method.client_streaming:
            return requests.given([])
        return requests.messages(self._pieces, self._form, self._conversion)

    def _resolve(self, method: str) -> tuple[Schema, MethodDescriptor]:
        """The schema of the options, of the profile, or else of the server itself; and the method in it."""
        reached = self._reached
        sources = self._given["schemas"] or reached.sources
        import_paths = (*self._given["import_paths"], *reached.import_paths)
        schema = load_schema(sources, import_paths, self._connect)
        if schema is None:
            schema = reflected_schema(self._target, self._connect, (method,))
        return schema, schema.method(method)

    def _conversion_to(self, type_name: str) -> Conversion:
        given = self._given
        return Conversion(
            self._schema,
            type_name,
            given["emit_defaults"],
            given["proto_names"],
            given["enum_numbers"],
            2 if output.is_terminal() else None,
            given["ignore_unknown"],
            given["keep_unknown"],
        )

    def _data(self) -> tuple[str, AsyncIterator[bytes]]:
        """The form of the requests, and their text as it comes."""
        data, form = self._given["data"], self._given["form"]
        if data in ("@", "@-") or (data is None and self._given["interactive"]):
            return form or "json", requests.read(0)
        if data is None:
            return form or "json", requests.given([])
        if not data.startswith("@"):
            return form or "json", requests.given([data.encode("utf-8", "surrogateescape")])
        return form or _form_of(data[1:]), requests.read(_opened(data[1:]))

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
            not method.client_streaming,
            given["stop_after"],
        )


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
