"""What a live call prints: answers on standard output, what is said about them on standard error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

import click
from google.protobuf.descriptor import MethodDescriptor

from inspector.cli import output
from inspector.client.channel import Channel
from inspector.client.decoding import LiveDecoder
from inspector.client.events import ResponseHeaders
from inspector.errors import DecodeError
from inspector.formats.base import Conversion, Format
from inspector.formats.registry import BASE64, HEX, JSON, YAML
from inspector.model.call import Call, Header, Message
from inspector.views import conversation, live
from inspector.views.call_lines_cy import call_lines
from inspector.views.message_lines_cy import message_lines
from inspector.views.spans import Line


class Style(NamedTuple):
    """How answers are printed. `verbosity` is the number of `-v`; with `envelope`, messages of both directions and the
    call are printed as records; `is_seen` where they go to a terminal."""

    format: Format
    conversion: Conversion
    envelope: bool
    verbosity: int
    show_secrets: bool
    is_seen: bool


class AnswerPrinter:
    """Prints answers as they come."""

    def __init__(self, decoder: LiveDecoder, out: BinaryIO, style: Style) -> None:
        self._decoder = decoder
        self._out = out
        self._style = style
        self.count = 0
        self.damaged = False

    def told(self, lines: Iterable[Line], at: int = 1) -> None:
        """Lines for standard error, from so many `-v` on."""
        if self._style.verbosity >= at:
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
        version = "" if channel.settings.protocol == "grpc" else f", HTTP/{channel.http}"
        self.told([live.note(f"connected to {channel.peer} ({how}{version})")])

    def calling(self, fields: tuple[Header, ...]) -> None:
        """The call begins."""
        self.told(live.header_lines(">", fields, show_secrets=self._style.show_secrets))

    def headers(self, event: ResponseHeaders) -> None:
        """The headers of the response."""
        self.told(live.header_lines("<", event.fields, show_secrets=self._style.show_secrets))

    def sent(self, message: Message, wire_size: int) -> None:
        """A request is on its way."""
        self.told([live.size_line(message, wire_size)], 2)
        if self._style.envelope:
            self._out.write(message_lines([self._decoder.decode(message)]))
            self._out.flush()

    def received(self, message: Message, wire_size: int) -> None:
        """An answer."""
        self.told([live.size_line(message, wire_size)], 2)
        if self._style.envelope or self._style.format == JSON:
            self._write_json(message)
        else:
            self._write_text(message)
        self.count += 1
        self._out.flush()

    def _write_json(self, message: Message) -> None:
        decoded = self._decoder.decode(message)
        if decoded.problem is not None:
            self.damaged = True
            output.note(f"answer {message.index} cannot be decoded: {decoded.problem.message}; its bytes are under raw")
        if self._style.is_seen and not self._style.envelope and decoded.problem is None:
            lines = conversation.message_lines(decoded, bare=True)
            output.write_lines(lines, self._out, colour=output.has_colour())
        else:
            self._out.write(message_lines([decoded], bare=not self._style.envelope))
        if not self._style.envelope:
            self._note_unknown(message, decoded.unknown_bytes)

    def _write_text(self, message: Message) -> None:
        """The answer in a form other than JSON; where it does not follow its type, by field number."""
        style, data = self._style, message.data or b""
        try:
            text = style.format.write(data, style.conversion)
        except DecodeError as error:
            self.damaged = True
            output.note(f"answer {message.index} cannot be decoded: {error}; it is shown by field number")
            text = style.format.write(data, style.conversion._replace(type_name=None))
        if self.count:
            self._out.write(self._separator())
        self._out.write(text)
        if style.format == YAML:
            self._note_unknown(message, self._decoder.decode(message).unknown_bytes)

    def _separator(self) -> bytes:
        """What stands between two answers; U+001E is nothing to look at."""
        form = self._style.format
        if form.separator is not None:
            return form.separator
        if form == BASE64 or (form == HEX and not self._style.is_seen):  # an answer is a line
            return b""
        return b"\n" if self._style.is_seen else b"\x1e\n"

    def _note_unknown(self, message: Message, count: int) -> None:
        if count and not self._style.conversion.keep_unknown:
            name = self._style.conversion.type_name
            output.note(f"answer {message.index} has {count} bytes of fields that {name} lacks (--keep-unknown)")

    def ended(self, call: Call, *, is_done: bool) -> None:
        """The call is over; `is_done` where its status does not matter, as it was ended here."""
        self.told(live.header_lines("<", call.trailers, show_secrets=self._style.show_secrets))
        self.told([live.ended_line(call)])
        for problem in call.problems:
            self.damaged = True
            output.note(problem.message)
        if self._style.envelope:
            self._out.write(call_lines([call], self._decoder.decode_details, self._style.show_secrets))
        elif call.status is not None and call.status.code and not is_done:
            for line in live.failure_lines(call, self._decoder.decode_details):
                click.echo(output.paint(line, colour=output.has_error_colour()), err=True)

    def took(self, timing: live.Timing) -> None:
        """All that took time."""
        self.told(live.timing_lines(timing), 2)
