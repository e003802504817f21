"""What a live call prints: answers on standard output, what is said about them on standard error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import click
from google.protobuf.descriptor import MethodDescriptor

from inspector.cli import output
from inspector.client.channel import Channel
from inspector.client.decoding import LiveDecoder
from inspector.client.events import ResponseHeaders
from inspector.formats.base import Conversion, Format
from inspector.model.call import Call, Header, Message
from inspector.views import conversation, live
from inspector.views.call_lines_cy import call_lines
from inspector.views.message_lines_cy import message_lines
from inspector.views.spans import Line


class AnswerPrinter:
    """Prints answers as they come. `verbosity` is the number of `-v`; with `envelope`, messages of both directions and
    the call are printed as records."""

    def __init__(
        self, decoder: LiveDecoder, out: BinaryIO, *,
        format_: Format, conversion: Conversion, envelope: bool, verbosity: int, show_secrets: bool,
    ) -> None:  # fmt: skip
        self._decoder = decoder
        self._out = out
        self._format = format_
        self._conversion = conversion
        self._envelope = envelope
        self._verbosity = verbosity
        self._show_secrets = show_secrets
        self._pretty = output.is_terminal() and not envelope
        self._count = 0
        self.damaged = False

    def told(self, lines: Iterable[Line], at: int = 1) -> None:
        """Lines for standard error, from so many `-v` on."""
        if self._verbosity >= at:
            for line in lines:
                click.echo(output.paint(line, colour=output.has_error_colour()), err=True)

    def resolved(self, method: MethodDescriptor) -> None:
        """The schema has the method."""
        kinds = [live.kind(each) for each in (method.client_streaming, method.server_streaming)]
        types = method.input_type.full_name, method.output_type.full_name
        name = f"{method.containing_service.full_name}/{method.name}"
        self.told([live.note(f"rpc {name} ({kinds[0]}{types[0]}) returns ({kinds[1]}{types[1]})")])

    def connected(self, channel: Channel) -> None:
        """The connection stands."""
        how = f"TLS: {channel.tls.version}" if channel.tls else "plaintext"
        self.told([live.note(f"connected to {channel.peer} ({how})")])
        self.told(live.step_lines(channel.steps), 2)

    def calling(self, fields: tuple[Header, ...]) -> None:
        """The call begins."""
        self.told(live.header_lines(">", fields, show_secrets=self._show_secrets))

    def headers(self, event: ResponseHeaders) -> None:
        """The headers of the response."""
        self.told(live.header_lines("<", event.fields, show_secrets=self._show_secrets))

    def sent(self, message: Message, wire_size: int) -> None:
        """A request is on its way."""
        self.told([live.size_line(message, wire_size)], 2)
        if self._envelope:
            self._out.write(message_lines([self._decoder.decode(message)]))

    def received(self, message: Message, wire_size: int) -> None:
        """An answer."""
        self.told([live.size_line(message, wire_size)], 2)
        if self._envelope or self._format.name == "json":
            self._write_json(message)
        else:
            self._write_text(message)
        self._out.flush()

    def _write_json(self, message: Message) -> None:
        decoded = self._decoder.decode(message)
        if decoded.problem is not None:
            self.damaged = True
            output.note(f"answer {message.index} cannot be decoded: {decoded.problem.message}; its bytes are under raw")
        if self._pretty:
            lines = conversation.message_lines(decoded, bare=True)
            output.write_lines(lines, self._out, colour=output.has_colour())
        else:
            self._out.write(message_lines([decoded], bare=not self._envelope))
        if decoded.unknown_bytes:
            text = f"answer {message.index} has {decoded.unknown_bytes} bytes of fields that {decoded.type_name} lacks"
            output.note(f"{text} (--keep-unknown)")

    def _write_text(self, message: Message) -> None:
        separator = self._format.separator or (b"\x1e\n" if self._format.is_text else b"")
        if self._count:
            self._out.write(separator)
        self._count += 1
        self._out.write(self._format.write(message.data or b"", self._conversion))

    def ended(self, call: Call, *, is_enough: bool) -> None:
        """The call is over."""
        self.told(live.header_lines("<", call.trailers, show_secrets=self._show_secrets))
        self.told([live.ended_line(call)])
        if self._envelope:
            self._out.write(call_lines([call], self._decoder.decode_details, self._show_secrets))
        elif call.status is not None and call.status.code and not is_enough:
            for line in live.failure_lines(call, self._decoder.decode_details):
                click.echo(output.paint(line, colour=output.has_error_colour()), err=True)
