"""What the program keeps of requests, and opens again: files, the history, commands that are pasted."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from functools import partial
from pathlib import Path

from textual import work
from textual.app import App

from inspector.client.channel import Channel
from inspector.client.reflection import reflect
from inspector.errors import InspectorError
from inspector.schema import Schema
from inspector.tui.collections import folder as folders
from inspector.tui.collections import history
from inspector.tui.collections.drafts import draft_of_written, file_of, hidden
from inspector.tui.collections.library import AskName, SavedRequests, SentRequests
from inspector.tui.compose.connection import reached
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.large_editor import LargeEditor
from inspector.tui.compose.screen import CallEnded, ComposeScreen
from inspector.tui.intents import CommandPasted
from inspector.tui.prompts import Confirm
from inspector.views import command_line, request_file
from inspector.views.safe_text import safe
from inspector.views.written_request import WrittenRequest


class Keeping(App[None]):
    """The part of the program that does so. Files are read in threads."""

    schema: Schema | None
    draft: Draft

    @abstractmethod
    def compose_request(self, draft: Draft, schema: Schema | None = None) -> ComposeScreen:
        """Opens the composer with a draft."""

    def complain(self, error: InspectorError) -> None:
        """Says what went wrong."""
        self.notify(safe(str(error)), severity="error", timeout=10, markup=False)

    # --- saving --------------------------------------------------------------------------------------------------

    def on_save_asked(self) -> None:
        screen = self.screen
        if not isinstance(screen, ComposeScreen):
            return
        if not screen.draft.method:
            self.notify("there is no request yet: choose a method", severity="warning")
            return
        folder = folders.default_folder()
        name = screen.saved_as or screen.draft.method.rpartition("/")[2]
        question = f"a name for the request, in {folder}"
        asked = AskName(question, name, partial(folders.path_for, folder))
        self.push_screen(asked, lambda name: self._save(screen, folder, name) if name else None)

    def _save(self, screen: ComposeScreen, folder: Path, name: str) -> None:
        path = folders.path_for(folder, name)
        known = folders.name_of(folder, path)

        def save(is_meant: bool | None) -> None:
            if is_meant:
                self._write(screen, path, known)

        if path.exists() and known != screen.saved_as:
            self.push_screen(Confirm(f"There is a request {safe(known)}. Write over it?"), save)
        else:
            save(True)

    def _write(self, screen: ComposeScreen, path: Path, name: str) -> None:
        draft = screen.draft
        try:
            folders.save(path, file_of(draft, screen.schema, path.parent))
        except InspectorError as error:
            self.complain(error)
            return
        screen.was_saved(name, draft)
        left = hidden(draft)
        note = f"; of {', '.join(left)} it has no value, but a variable of the environment" if left else ""
        self.notify(safe(f"saved as {path}{note}"), timeout=10, markup=False)

    # --- opening -------------------------------------------------------------------------------------------------

    def action_open_request(self) -> None:
        self._list_saved(folders.default_folder())

    @work(thread=True, exclusive=True, group="collections")
    def _list_saved(self, folder: Path) -> None:
        found = folders.saved_in(folder)
        self.call_from_thread(self._show_saved, folder, found)

    def _show_saved(self, folder: Path, found: list[folders.Saved]) -> None:
        if not found:
            self.notify(safe(f"no request is saved in {folder}: ctrl+s in the composer does"), markup=False)
            return

        def chosen(path: Path | None) -> None:
            if path is not None:
                self._open_file(path, folders.name_of(folder, path))

        self.push_screen(SavedRequests(folder, found), chosen)

    @work(thread=True, exclusive=True, group="collections")
    def _open_file(self, path: Path, name: str) -> None:
        try:
            request = request_file.read_file(path)
        except InspectorError as error:
            self.call_from_thread(self.complain, error)
            return
        self.call_from_thread(self.open_written, request, name)

    @work(exclusive=True, group="collections")
    async def open_written(self, request: WrittenRequest, name: str | None = None, command: str = "") -> None:
        """Opens the composer with a request that was written; the schema of its messages is asked for first. Where it
        is of a `command`, that can be mended."""
        draft = draft_of_written(request, self.draft.target)
        try:
            schema, problem = await self._schema_for(draft), None
        except InspectorError as error:
            schema, problem = None, error
        try:
            messages = await asyncio.to_thread(request.messages, schema)
        except InspectorError as error:
            if command:
                self._ask_command(command, str(problem or error))
                return
            if problem is None:
                self.complain(error)
                return
            # Without a schema messages by name say nothing: the file is not written over by what is left.
            messages, name = (), None
            draft = draft._replace(notes=(*draft.notes, "its messages are left out, as there is no schema for them"))
        if problem is not None:
            self.complain(problem)
        self.compose_request(draft._replace(messages=messages), schema).saved_as = name

    async def _schema_for(self, draft: Draft) -> Schema:
        """The schema that has the method. Raises InspectorError where there is none."""
        if not draft.sources and self.schema is not None and self.schema.find_method(draft.method) is not None:
            return self.schema
        wanted = reached(draft)
        if wanted.sources:
            schema = await asyncio.to_thread(Schema.from_sources, wanted.sources, wanted.import_paths)
        else:
            self.notify(safe(f"asking {wanted.target} for its schema"), markup=False)
            async with await Channel.open(wanted.target, wanted.connect) as channel:
                schema = Schema((await reflect(channel, metadata=wanted.reflect_metadata),))
        schema.method(draft.method)
        return schema

    # --- history -------------------------------------------------------------------------------------------------

    def on_call_ended(self, event: CallEnded) -> None:
        self._keep(event)

    @work(thread=True, group="history")
    def _keep(self, event: CallEnded) -> None:
        history.keep(event.draft, event.exchange)

    @work(thread=True, exclusive=True, group="collections")
    def action_show_history(self) -> None:
        found = history.entries()
        self.call_from_thread(self._show_history, found)

    def _show_history(self, found: list[history.Entry]) -> None:
        if not found:
            self.notify("nothing was sent yet, or it is not remembered")
            return

        def chosen(entry: history.Entry | None) -> None:
            if entry is not None:
                self.open_written(entry.request)

        self.push_screen(SentRequests(found), chosen)

    # --- commands ------------------------------------------------------------------------------------------------

    def action_paste_command(self) -> None:
        self._ask_command("")

    def _ask_command(self, text: str, error: str = "") -> None:
        """Asks for a command; one that will not do stands there to be mended, with what is wrong."""

        def check(text: str) -> str | None:
            try:
                command_line.parse(text)
            except InspectorError as error:
                return safe(str(error))
            return None

        def taken(text: str | None) -> None:
            if text:
                self.open_command(text)

        title = "Paste a command: grpcurl, inspector call, buf curl"
        self.push_screen(LargeEditor(title, text, check, safe(error)), taken)

    def on_command_pasted(self, event: CommandPasted) -> None:
        self.open_command(event.text)

    @work(thread=True, exclusive=True, group="collections")
    def open_command(self, text: str) -> None:
        """Opens the composer with the request of a command."""
        try:
            request = command_line.parse(text)
        except InspectorError as error:
            self.call_from_thread(self._ask_command, text, str(error))
            return
        self.call_from_thread(self.open_written, request, None, text)
