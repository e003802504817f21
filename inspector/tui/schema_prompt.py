"""Asking for a schema: a path, a server or a profile, which is read in a thread before the prompt ends."""

from __future__ import annotations

import os
import shlex
from typing import NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from inspector.client import profiles
from inspector.client.reflection import open_reflection
from inspector.errors import InputError, InspectorError
from inspector.schema import Schema
from inspector.schema.descriptor_set import DescriptorSet
from inspector.schema.sources import HOST_PORT
from inspector.tui.compose.connection import reached
from inspector.tui.compose.draft import Draft
from inspector.tui.dialog import Dialog
from inspector.tui.document import Document
from inspector.tui.suggesting import SourceSuggester
from inspector.views.safe_text import safe

MOST_METHODS = 1_000
"""Methods of a capture that a schema is asked for, to say how many it knows."""

PLACEHOLDER = "protos/, api.proto, set.binpb, grpc://host:port, @profile  (-I FOLDER for imports; → completes)"


class Added(NamedTuple):
    """`schema` is the one that was there with what was added; of `methods` of the capture it has `known`."""

    schema: Schema
    sources: tuple[str, ...]
    import_paths: tuple[str, ...]
    known: int = 0
    methods: int = 0


def load(text: str, document: Document) -> Added:
    """Reads the sources that a text names, as -s and -I do. Raises InspectorError."""
    sources, paths = _parsed(text)
    expanded, own_paths = profiles.schema_sources(sources)
    for each in expanded:
        if HOST_PORT.fullmatch(each) and not os.path.exists(each):
            raise InputError(f"{each} does not say whether with TLS", hint=f"grpc://{each}, or grpcs:// with TLS")
    added = Schema.from_sources(expanded, (*paths, *own_paths), _ask)
    schema = added if document.schema is None else document.schema.merge(added)
    if document.type_name is not None:
        schema.message(document.type_name)
    methods = list(dict.fromkeys(kind[0] for kind in document.index.kinds if kind and kind[0]))[:MOST_METHODS]
    known = sum(schema.find_method(method) is not None for method in methods)
    return Added(schema, sources, paths, known, len(methods))


def _parsed(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sources and import paths."""
    if os.path.exists(os.path.expanduser(text.strip())):  # a name with blanks in it, too
        return (os.path.expanduser(text.strip()),), ()
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise InputError(f"quotes do not match: {error}") from None
    sources, paths = [], []
    for word in words:
        if word.startswith("-I"):
            paths.append(os.path.expanduser(word[2:] or next(words, "")))
        else:
            sources.append(os.path.expanduser(word))
    if not sources:
        raise InputError("there is no source", hint="a path, grpc://host:port or @profile")
    return tuple(sources), tuple(paths)


def _ask(address: str) -> DescriptorSet:
    """Asks a server for its schema, in the way that a profile says."""
    way = reached(Draft(target=address))
    return open_reflection(str(way.target), settings=way.connect, metadata=way.reflect_metadata)


class AskSchema(Dialog[Added]):
    """Ends with what was read; what is wrong with it is said below the line in which it is typed."""

    DEFAULT_CSS = """
    AskSchema {
        align: center bottom;
        & > Input { width: 100%; height: 1; border: none; padding: 0 1; }
        & > #wrong { width: 100%; height: auto; max-height: 50%; padding: 0 1; background: $surface; }
        & > #wrong.-wrong { color: $text-error; }
    }
    """

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document

    def compose(self) -> ComposeResult:
        yield Static("Add a schema", id="wrong", markup=False)
        yield Input(placeholder=PLACEHOLDER, compact=True, suggester=SourceSuggester())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._say("it is being read …", is_wrong=False)
            self._load(event.value)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _load(self, text: str) -> None:
        worker = get_current_worker()
        try:
            added = load(text, self._document)
        except InspectorError as error:
            if not worker.is_cancelled:
                self.app.call_from_thread(self._say, str(error), is_wrong=True)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._end, added)

    def _end(self, added: Added) -> None:
        if self.is_current:
            self.dismiss(added)

    def _say(self, text: str, *, is_wrong: bool) -> None:
        if self.is_attached:
            note = self.query_one("#wrong", Static)
            note.set_class(is_wrong, "-wrong")
            note.update(safe(text))
