"""The program: its screens, its look, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from textual import work
from textual.app import App

from inspector.errors import InputError, InspectorError
from inspector.schema import Schema
from inspector.tui.actions import bindings
from inspector.tui.browse.screen import BrowseScreen
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.from_capture import draft_from
from inspector.tui.compose.screen import ComposeScreen
from inspector.tui.document import Document
from inspector.tui.intents import ComposeAsked
from inspector.views.safe_text import safe

MOST_EDITED = 100
"""Edited calls that are remembered."""

DEFAULT_THEME = "textual-dark"


class InspectorApp(App[None]):
    """Browses inputs; without one it composes a request. `draft` is what requests that are made anew begin with."""

    TITLE = "inspector"
    BINDINGS = bindings("app")

    def __init__(
        self,
        documents: list[Document],
        *,
        theme: str | None = None,
        schema: Schema | None = None,
        target: str = "",
    ) -> None:
        super().__init__()
        self.documents = documents
        self.schema = schema
        self._edited: dict[tuple[str, int, int], Draft] = {}  # what became of calls, by document and place
        self.draft = Draft(target=target)
        # Without colours only a theme of fixed ones is readable: those of the terminal turn black on black.
        self.theme = DEFAULT_THEME if theme is None or "NO_COLOR" in os.environ else theme

    def on_mount(self) -> None:
        if self.documents:
            self.push_screen(BrowseScreen(self.documents[0]))
        else:
            self.compose_request(self.draft)

    def compose_request(
        self, draft: Draft, schema: Schema | None = None, *, sends: bool = False, compares: bool = False
    ) -> ComposeScreen:
        """Opens the composer with a draft; `sends` it at once, `compares` what comes back with what was captured."""
        screen = ComposeScreen(draft, schema=schema or self.schema, sends=sends, compares=compares)
        self.push_screen(screen)
        return screen

    @work(thread=True, group="compose")
    def on_compose_asked(self, event: ComposeAsked) -> None:
        """Makes a request of a call: what was made of it last, or (in a thread, as it is read) as it was captured."""
        key = (event.document.path, event.call, event.place)
        try:
            kept = None if event.is_new else self._edited.get(key)
            draft = kept or draft_from(event.document, event.call, event.place, self.draft)
        except InspectorError as error:
            text = safe(str(error))
            self.call_from_thread(self.notify, text, severity="error", markup=False)
            return
        self.call_from_thread(self._compose_call, key, draft, event)

    def _compose_call(self, key: tuple[str, int, int], draft: Draft, event: ComposeAsked) -> None:
        screen = ComposeScreen(
            draft, schema=event.document.schema or self.schema, sends=event.sends, compares=event.compares
        )

        def keep(left: Draft | None) -> None:
            if left is not None:
                self._edited[key] = left
                for oldest in list(self._edited)[:-MOST_EDITED]:
                    del self._edited[oldest]

        self.push_screen(screen, keep)


def run(
    paths: Sequence[str],
    *,
    schema: Schema | None,
    kind: str | None,
    type_name: str | None,
    hints: Mapping[str, str],
    theme: str | None,
    target: str | None = None,
) -> int:
    """Runs the program in the terminal; its exit code. Raises InputError where an input cannot be opened."""
    paths = [_take_standard_input() if path == "-" else path for path in paths]
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the terminal UI needs a terminal", hint="`inspector decode` and `calls` print to a pipe")
    documents = [Document(path, schema=schema, kind=kind, type_name=type_name, hints=hints) for path in paths]
    try:
        app = InspectorApp(documents, theme=theme, schema=schema, target=target or "")
        app.run()
        return app.return_code or 0
    finally:
        for document in documents:
            document.close()


def _take_standard_input() -> str:
    """Makes what is piped in a file by a name, and gives standard input back to the keyboard."""
    if sys.stdin.isatty():
        raise InputError("standard input is the terminal", hint="pipe a capture into it: ... | inspector tui -")
    piped = os.dup(0)
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise InputError("there is no terminal to take keys from") from error
    os.dup2(terminal, 0)
    os.close(terminal)
    return f"/dev/fd/{piped}"
