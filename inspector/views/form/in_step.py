"""A message as a form and as text at the same time.

Invariant: form and text say the same, or `problem` says why they do not; what was typed is never changed by itself.
"""

from __future__ import annotations

from typing import NamedTuple

from inspector.errors import DecodeError, EncodeError, InspectorError
from inspector.formats import registry as formats
from inspector.formats.base import Conversion
from inspector.transcode.json_text import dumps
from inspector.transcode.refusal import path_text
from inspector.transcode.resolver import Resolver
from inspector.transcode.tree import FieldTree
from inspector.views.form.model import Form
from inspector.views.form.texts import PLAIN, Manner
from inspector.views.safe_text import safe, safe_json

TEXTS = ("json", "yaml", "text", "protoscope")
"""Formats that a message is edited in."""

MOST_EDITED = 1_000_000
"""Bytes of a message that is edited; larger ones are sent as they are."""


class Problem(NamedTuple):
    """What is wrong with a text, and where."""

    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}" if self.line else self.message


class InStep:
    """One message. Raises SchemaError for a type that the schema lacks."""

    def __init__(self, resolver: Resolver, type_name: str, data: bytes = b"", *, manner: Manner = PLAIN) -> None:
        self.resolver = resolver
        self.type_name = type_name
        self.problem: Problem | None = None
        """Why the text that was typed last is no message, or no message of the type."""
        self.is_raw = False
        """Whether what is sent does not follow its type, so that the form cannot show it."""
        self._raw = b""
        self._typed: tuple[str, str] | None = None
        self._written: dict[str, str] = {}
        self._joins = False
        try:
            if len(data) > MOST_EDITED:
                raise DecodeError(f"over {MOST_EDITED:,} bytes: sent as it is")
            self.form = Form(resolver, type_name, data, manner=manner)
        except DecodeError as error:
            self.form = Form(resolver, type_name, manner=manner)
            self._send_raw(data, error)

    @property
    def data(self) -> bytes | None:
        """What is sent; None while text or form are no message."""
        if self.is_raw:
            return self._raw
        return None if self.problem is not None else self.form.data

    @property
    def errors(self) -> int:
        """How many places have to be mended before it can be sent."""
        return int(self.problem is not None and not self.is_raw) or (0 if self.is_raw else len(self.form.errors))

    @property
    def reason(self) -> str:
        """The first of what is wrong, with its place; empty where nothing is. It is safe to show."""
        if self.problem is not None:
            return str(self.problem)
        path, message = next(iter(self.form.errors.items()), ((), ""))
        return safe(": ".join(filter(None, (path_text(path), message))))

    def takes(self, name: str) -> bool:
        """Whether the message can be edited in a format, or as a `form`: what does not follow its type only byte by
        byte, what is very large not at all."""
        return not self.is_raw or (name == "protoscope" and len(self._raw) <= MOST_EDITED)

    @property
    def tree(self) -> FieldTree:
        """The fields of what is sent."""
        return FieldTree(self.data or b"", resolver=self.resolver, type_name=self.type_name)

    def form_changed(self) -> None:
        """The form is what counts from now on."""
        self.problem, self.is_raw, self._typed, self._joins = None, False, None, False
        self._written.clear()

    def text(self, name: str) -> str:
        """The message in a format; what was typed in it last where that is no message."""
        if self._typed is not None and self._typed[0] == name:
            return self._typed[1]
        if name not in self._written:
            self._written[name] = self._write(name)
        return self._written[name]

    def enter(self, name: str, text: str) -> None:
        """Takes a text that was typed."""
        if text == self.text(name):
            return
        self._typed = name, text
        self._written.clear()
        try:
            data = self._read(name, text)
        except EncodeError as error:
            self.problem, self.is_raw = _problem(error), False
            return
        except InspectorError as error:
            self.problem, self.is_raw = Problem(safe(str(error))), False
            return
        try:
            self.form.load(data, joins=self._joins)
        except DecodeError as error:
            self._send_raw(data, error)
            return
        self.problem, self.is_raw, self._joins = None, False, True

    def _send_raw(self, data: bytes, error: DecodeError) -> None:
        self.problem, self.is_raw, self._raw = Problem(safe(error.message)), True, data

    def _read(self, name: str, text: str) -> bytes:
        data = text.encode("utf-8", "surrogatepass")
        if not text.strip():
            return b""
        messages = list(formats.find(name).read(data, self._conversion))
        if len(messages) != 1:
            raise EncodeError(f"there are {len(messages)} messages here, and one is edited")
        return messages[0]

    def _write(self, name: str) -> str:
        if self.is_raw and len(self._raw) > MOST_EDITED:
            return f"{len(self._raw):,} bytes: too many to be edited here"
        if not self.is_raw and name == "json":  # which is there before all that is required is
            return safe_json(dumps(self.form.value, 2)).decode()
        data = self.data
        if data is None:
            data = self.form.last_good
        try:
            written = formats.find(name).write(data, self._conversion).decode()
        except InspectorError as error:
            return f"# {safe(str(error))}"
        return "\n".join(map(_shown, written.removesuffix("\n").split("\n")))

    @property
    def _conversion(self) -> Conversion:
        return Conversion(self.resolver, self.type_name, indent=2, keep_unknown=True)


def _problem(error: EncodeError) -> Problem:
    told = ": ".join(filter(None, (error.path, error.message)))
    return Problem(safe(f"{told} ({error.hint})" if error.hint else told), error.line, error.column)


def _shown(line: str) -> str:
    """A line that is safe to show. (All formats write what is not as escapes; what is left stands in comments.)"""
    return line if line.isascii() and line.isprintable() else safe(line.replace("\t", "    "))
