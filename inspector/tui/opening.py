"""Opening inputs: by a path, or as text that was pasted."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from inspector.errors import InputError, InspectorError
from inspector.formats.base import Conversion
from inspector.limits import MAX_PASTED
from inspector.schema import Schema
from inspector.session import NO_HINTS
from inspector.tui import private_files
from inspector.tui.actions import bindings
from inspector.tui.dialog import Dialog
from inspector.tui.document import Document
from inspector.tui.key_bar import KeyBar
from inspector.tui.suggesting import PathSuggester
from inspector.views.pasted import Pasted, recognised
from inspector.views.safe_text import safe

LONGEST_WATCHED = 100_000
"""Characters of a text that is looked at whenever it changes: hexadecimal of that length takes some milliseconds."""

HEAD = 4096
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
"""Bytes that no text has."""


class Options(NamedTuple):
    """How inputs are read."""

    schema: Schema | None = None
    kind: str | None = None
    type_name: str | None = None
    hints: Mapping[str, str] = NO_HINTS
    sources: Sequence[str] = ()
    import_paths: Sequence[str] = ()


def opened(path: str, options: Options) -> Document:
    """The document of a path; a text in it may stand for what is to be read. Raises InspectorError."""
    if is_pipe(path):
        raise InputError("it is a pipe", where=path, hint="inspector tui PIPE shows what comes through one")
    text = _short_text(path) if options.kind is None else None
    if text is None:
        return Document(path, **options._asdict())
    try:
        return of_text(text, os.path.basename(path), options)
    except InspectorError as error:
        with suppress(InspectorError):  # what is wrong with it as a text tells more
            return Document(path, **options._asdict())
        error.where = ", ".join(filter(None, (path, error.where)))
        raise


def is_pipe(path: str) -> bool:
    """Whether it is a named pipe: who opens one waits for its writer."""
    return os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode)


def _short_text(path: str) -> bytes | None:
    """What a file holds, where that may be a payload as text."""
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            text = file.read(HEAD)
            if not is_text(text):
                return None
            text += file.read(MAX_PASTED + 1 - len(text))
    except OSError:
        return None
    return text if len(text) <= MAX_PASTED and is_text(text) else None


def is_text(data: bytes) -> bool:
    """Whether bytes may be text."""
    return _NO_TEXT.search(data) is None


def of_text(text: bytes, name: str, options: Options) -> Document:
    """A document of what a text stands for. Raises InspectorError."""
    found = recognised(text, conversion(options))
    path = private_files.keep(found.data, name)
    try:
        document = Document(str(path), **options._replace(kind=found.kind)._asdict())
    except InspectorError:
        private_files.remove(path)
        raise
    document.private_file = path
    document.journal.add(found.told)
    return document


def conversion(options: Options) -> Conversion:
    """By which type the fields of a text have names. Raises SchemaError where the schema lacks it."""
    if options.schema is None or options.type_name is None:
        return Conversion()
    return Conversion(options.schema, options.schema.message(options.type_name).full_name)


class AskPath(Dialog[Document]):
    """Ends with a document; what is wrong with it is said above the line in which its path is typed."""

    DEFAULT_CSS = """
    AskPath {
        align: center bottom;
        & > Input { width: 100%; height: 1; border: none; padding: 0 1; }
        & > #wrong { width: 100%; height: auto; max-height: 50%; padding: 0 1; background: $surface; }
        & > #wrong.-wrong { color: $text-error; }
    }
    """

    def __init__(self, options: Options) -> None:
        super().__init__()
        self._options = options

    def compose(self) -> ComposeResult:
        yield Static("Open a file", id="wrong", markup=False)
        yield Input(placeholder="a capture, a binary log, a payload  (→ completes)", compact=True,
                    suggester=PathSuggester())  # fmt: skip

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._open(os.path.expanduser(event.value.strip()))

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _open(self, path: str) -> None:
        try:
            document = opened(path, self._options)
        except InspectorError as error:
            self.app.call_from_thread(self._say, str(error))
            return
        self.app.call_from_thread(self._end, document)

    def _end(self, document: Document) -> None:
        if self.is_current:
            self.dismiss(document)
        else:
            document.close()

    def _say(self, text: str) -> None:
        if self.is_attached:
            note = self.query_one("#wrong", Static)
            note.add_class("-wrong")
            note.update(safe(text))


class AskPayload(ModalScreen[Document | None]):
    """Ends with a document of what is pasted. What it is taken for is said while it changes."""

    BINDINGS = bindings("large_editor")
    DEFAULT_CSS = """
    AskPayload {
        align: center middle;
        background: $background;
        & > Vertical { width: 94%; height: 90%; border: round $border; background: $surface; }
        & TextArea, & TextArea:focus { border: none; height: 1fr; }
        & Input { height: 1; border: none; padding: 0 1; }
        & Static { height: auto; max-height: 3; padding: 0 1; text-style: bold; }
        & Static.-wrong { color: $text-error; }
    }
    """

    def __init__(self, text: str, name: str, options: Options) -> None:
        super().__init__()
        self._pasted, self._called, self._options = text, name, options

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "A payload: hexadecimal, base64, a hex dump, JSON, protoscope"
            box.border_subtitle = "ctrl+s opens it, escape leaves it"
            yield TextArea(self._pasted)
            if self._options.schema is not None:
                yield Input(self._options.type_name or "", placeholder="its type: package.Message, if you know it",
                            compact=True)  # fmt: skip
            yield Static(markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(TextArea).focus()
        self.tell()

    def on_text_area_changed(self) -> None:
        self.tell()

    def on_input_changed(self) -> None:
        self.tell()

    def tell(self) -> None:
        """Says what the text is taken for."""
        if len(self._written) > LONGEST_WATCHED:
            self._say(f"{len(self._written):,} characters", is_wrong=False)
            return
        try:
            self._say(self._recognised().told, is_wrong=False)
        except InspectorError as error:
            self._say(str(error), is_wrong=bool(self._written.strip()))

    @property
    def _written(self) -> str:
        return self.query_one(TextArea).text

    def _chosen(self) -> Options:
        typed = self.query_one(Input).value.strip() if self._options.schema is not None else ""
        return self._options._replace(kind=None, type_name=typed or None)

    def _recognised(self) -> Pasted:
        return recognised(self._written.encode(), conversion(self._chosen()))

    def _say(self, text: str, *, is_wrong: bool) -> None:
        note = self.query_one(Static)
        note.set_class(is_wrong, "-wrong")
        note.update(safe(text))

    def action_take(self) -> None:
        try:
            document = of_text(self._written.encode(), self._called, self._chosen())
        except InspectorError as error:
            self._say(str(error), is_wrong=True)
        else:
            self.dismiss(document)

    def action_leave(self) -> None:
        self.dismiss(None)
