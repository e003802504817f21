"""The program: its screens, its look, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from textual import work

from inspector.errors import InputError, InspectorError
from inspector.schema import Schema
from inspector.schema.names import near
from inspector.tui import crash, escape, export, keymap, standard_input, state, web
from inspector.tui.actions import bindings
from inspector.tui.available import available
from inspector.tui.collections.keeping import Keeping
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.from_capture import draft_from
from inspector.tui.compose.kept import EditedCalls, Kept
from inspector.tui.compose.screen import ComposeScreen
from inspector.tui.document import Document
from inspector.tui.help import Help
from inspector.tui.intents import ComposeAsked
from inspector.tui.jump import Jump, go
from inspector.tui.keymap import Keymap
from inspector.tui.open_files import OpenFiles
from inspector.tui.opening import Options, is_pipe, opened
from inspector.tui.palette import ActionCommands
from inspector.tui.prompts import Confirm
from inspector.views.safe_text import safe

DEFAULT_THEME = "textual-dark"

NO_KEYS = Keymap({}, [])

MOST_PROBLEMS = 5
"""Mistakes in the user's keys that are told at once."""


class InspectorApp(OpenFiles, Keeping, crash.CrashSafeApp):
    """Browses inputs; without one it composes a request. `draft` is what requests that are made anew begin with."""

    TITLE = "inspector"
    BINDINGS = bindings("app")
    COMMANDS = {ActionCommands}  # noqa: RUF012  # Textual declares it so

    def __init__(
        self,
        documents: list[Document],
        *,
        theme: str | None = None,
        keys: Keymap = NO_KEYS,
        schema: Schema | None = None,
        target: str = "",
    ) -> None:
        """Raises InputError for a theme that is none."""
        super().__init__()
        self.documents = documents
        self.schema = schema
        self.draft = Draft(target=target)
        self._allowed: set[str] = set()
        """Servers of captures to which requests are sent again."""
        self._edited = EditedCalls()  # by document and place
        self.user_keys = keys
        if theme is not None and theme not in self.available_themes:
            known = ", ".join(near(theme, self.available_themes) or sorted(self.available_themes))
            raise InputError(f"there is no theme {theme}", hint=f"there is {known}")
        self.theme = self._readable(theme or state.load_theme())

    def _readable(self, theme: str | None) -> str:
        """Without colours only a theme of fixed ones is readable: those of the terminal turn black on black."""
        is_readable = theme in self.available_themes and not (self.no_color and "ansi" in theme)
        return theme if theme is not None and is_readable else DEFAULT_THEME

    async def on_mount(self) -> None:
        self.set_keymap(self.user_keys.keys)
        self.theme_changed_signal.subscribe(self, lambda theme: state.save_theme(theme.name))
        if self.documents:
            await self.show_document(self.documents[0])
        else:
            self.compose_request(self.draft)
        for each in self.user_keys.problems[:MOST_PROBLEMS]:
            self.notify(each, severity="warning", timeout=15, markup=False)

    def action_jump(self) -> None:
        self.push_screen(Jump(self.screen), go)

    def action_export(self) -> None:
        try:
            self.notify(f"the screen is in {export.save(self)}", timeout=10, markup=False)
        except InputError as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)

    def action_help(self) -> None:
        if not isinstance(self.screen, Help):
            self.push_screen(Help(available(self.screen)))

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
            kept = kept or Kept(draft_from(event.document, event.call, event.place, self.draft))
        except InspectorError as error:
            text = safe(str(error))
            self.call_from_thread(self.notify, text, severity="error", markup=False)
            return
        self.call_from_thread(self._compose_call, key, kept, event)

    def _compose_call(self, key: tuple[str, int, int], kept: Kept, event: ComposeAsked) -> None:
        """Where it sends at once to the server of the capture, which nobody named, that is asked once for each."""
        target = kept.draft.target

        def answered(sure: bool | None) -> None:
            if sure:
                self._allowed.add(target)
                self._show_composer(key, kept, event)

        if event.sends and target != self.draft.target and target not in self._allowed:
            question = f"Send the request to {safe(target)}, where it went in the capture? (R edits it first)"
            self.push_screen(Confirm(question), answered)
        else:
            self._show_composer(key, kept, event)

    def _show_composer(self, key: tuple[str, int, int], kept: Kept, event: ComposeAsked) -> None:
        schema = event.document.schema or self.schema or kept.schema
        screen = ComposeScreen(kept.draft, schema=schema, sends=event.sends, compares=event.compares, kept=kept)

        def keep(left: Draft | None) -> None:
            if left is not None:
                self._edited.keep(key, Kept(left, screen.schema, tuple(screen.messages), screen.place))

        self.push_screen(screen, keep)


def run(
    paths: Sequence[str],
    *,
    schema: Schema | None,
    kind: str | None,
    type_name: str | None,
    hints: Mapping[str, str],
    theme: str | None,
    sources: Sequence[str] = (),
    import_paths: Sequence[str] = (),
    remembers: bool = True,
    target: str | None = None,
) -> int:
    """Runs the program in the terminal; its exit code. Raises InputError where an input cannot be opened."""
    piped = standard_input.take() if "-" in paths else -1
    if not (web.is_served() or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise InputError("the terminal UI needs a terminal", hint="`inspector decode` and `calls` print to a pipe")
    options = Options(schema, kind, type_name, hints, sources, import_paths)
    documents: list[Document] = []
    if not remembers:
        os.environ[state.FOLDER.variable] = "off"
    escape.answer_soon()
    try:
        for path in paths:
            documents.append(_opened(path, options, piped))
        app = InspectorApp(documents, theme=theme, keys=keymap.load(), schema=schema, target=target or "")
        return crash.run(app)
    finally:
        for document in documents:
            document.close()


def _opened(path: str, options: Options, piped: int) -> Document:
    if path == "-":
        return standard_input.opened(piped, options)
    if is_pipe(path):
        try:
            return standard_input.opened(os.open(path, os.O_RDONLY), options, os.path.basename(path))
        except OSError as error:
            raise InputError(f"it cannot be read: {error.strerror}", where=path) from None
    return opened(path, options)
