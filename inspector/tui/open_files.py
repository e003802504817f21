"""The files that are open, each with a stack of screens of its own: its browser, and what was opened from there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import count

from textual import work
from textual.app import App
from textual.screen import Screen

from inspector.schema import Schema
from inspector.tui.browse.file_tabs import FileTabs
from inspector.tui.browse.screen import BrowseScreen
from inspector.tui.compose.screen import ComposeScreen
from inspector.tui.diff.screen import Goal
from inspector.tui.document import Document
from inspector.tui.intents import PlaceAsked, TextPasted
from inspector.tui.opening import AskPath, AskPayload, Options
from inspector.tui.prompts import Confirm


class OpenFiles(App[None]):
    """The part of the program that opens, shows and closes files.

    A file is a mode of Textual. What is not shown was read as far as it had come, or is not read before it is shown.
    """

    documents: list[Document]
    schema: Schema | None

    def __init__(self) -> None:
        super().__init__()
        self._tabs: dict[Document, str] = {}
        self._numbers = count(1)

    @property
    def shown(self) -> Document | None:
        """The document of the tab that is seen."""
        return next((each for each, mode in self._tabs.items() if mode == self.current_mode), None)

    async def show_document(self, document: Document) -> None:
        """Goes to the tab of a document; makes one where there is none."""
        if document not in self._tabs:
            mode = self._tabs[document] = f"file-{next(self._numbers)}"
            self.add_mode(mode, partial(BrowseScreen, document))
        if document not in self.documents:
            self.documents.append(document)
        await self.switch_mode(self._tabs[document])
        self.show_tabs()

    def show_tabs(self) -> None:
        """Names the files at the top of the browser that is seen."""
        names = [each.name for each in self.documents]
        for browser in self.screen_stack:
            if isinstance(browser, BrowseScreen) and browser.is_mounted:
                browser.query_one(FileTabs).show(names, self.documents.index(browser.document))

    async def action_step_file(self, step: int) -> None:
        if self.shown is not None and len(self.documents) > 1:
            place = self.documents.index(self.shown) + step
            await self.show_document(self.documents[place % len(self.documents)])

    async def on_file_tabs_asked(self, event: FileTabs.Asked) -> None:
        if event.place < len(self.documents):
            await self.show_document(self.documents[event.place])

    # --- opening -------------------------------------------------------------------------------------------------

    def _options(self) -> Options:
        shown = self.shown
        if shown is None:
            return Options(self.schema)
        return Options(shown.schema, sources=shown.sources, import_paths=shown.import_paths)

    def action_open_file(self) -> None:
        self.push_screen(AskPath(self._options()), self._opened)

    def action_open_text(self) -> None:
        self._ask_payload("")

    def on_text_pasted(self, event: TextPasted) -> None:
        self._ask_payload(event.text)

    def _ask_payload(self, text: str) -> None:
        name = f"pasted-{next(self._numbers)}"
        self.push_screen(AskPayload(text, name, self._options()), self._opened)

    def _opened(self, document: Document | None) -> None:
        if document is not None:
            self._show(document)

    @work(group="tabs")
    async def _show(self, document: Document) -> None:
        await self.show_document(document)

    # --- closing -------------------------------------------------------------------------------------------------

    async def action_close_file(self) -> None:
        """Closes the file that is seen; asks before, where something is lost with it."""
        document = self.shown
        if document is None:
            return
        edited = _told(self.screen_stack, "is not saved")
        if len(self.documents) == 1:
            question = f"{edited}This is the only file. Quit?"
            self.push_screen(Confirm(question), lambda sure: self.exit() if sure else None)
        elif edited:
            self.push_screen(Confirm(f"{edited}Close the file?"), lambda sure: self._drop(document, sure))
        else:
            await self._leave(document)

    async def action_quit(self) -> None:
        """Ends the program; asks before, where a request was typed that is in no file and was never sent."""
        screens = (screen for stack in self._screen_stacks.values() for screen in stack)
        unsent = (each for each in screens if isinstance(each, ComposeScreen) and each.exchange is None)
        edited = _told(unsent, "is neither sent nor saved")
        if edited:
            self.push_screen(Confirm(f"{edited}Quit?"), lambda sure: self.exit() if sure else None)
        else:
            self.exit()

    def _drop(self, document: Document, is_meant: bool | None) -> None:
        if is_meant:
            self._leave_by_itself(document)

    @work(group="tabs")
    async def _leave_by_itself(self, document: Document) -> None:
        """Not by a screen that goes with the document, which would wait for its own end."""
        await self._leave(document)

    async def _leave(self, document: Document) -> None:
        """Goes to the next file, and closes this."""
        place = self.documents.index(document)
        self.documents.remove(document)
        mode = self._tabs.pop(document)
        await self.show_document(self.documents[min(place, len(self.documents) - 1)])
        await self.remove_mode(mode)
        self._close(document)

    @work(thread=True, group="tabs")
    def _close(self, document: Document) -> None:
        with document.reading, document.order.lock:
            document.close()

    # --- places --------------------------------------------------------------------------------------------------

    async def on_place_asked(self, event: PlaceAsked) -> None:
        """Shows a place in the browser of its document."""
        await self._go_to(event.goal)

    async def _go_to(self, goal: Goal) -> None:
        document = goal.side.document
        if document not in self._tabs:
            self.notify("its file was closed", severity="warning")
            return
        await self.show_document(document)
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        browser: Screen[object] = self.screen
        if isinstance(browser, BrowseScreen):
            browser.show_goal(goal)


def _told(screens: Iterable[object], state: str) -> str:
    """Which of the requests on these screens would be lost."""
    return "".join(dict.fromkeys(each.told_edited(state) for each in screens if isinstance(each, ComposeScreen)))
