"""Lists of requests to choose from: those that were saved, and those that were sent."""

from __future__ import annotations

import time
from abc import abstractmethod
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from inspector.errors import InspectorError
from inspector.tui.actions import bindings
from inspector.tui.collections import folder as folders
from inspector.tui.collections import history
from inspector.tui.compose.picker import Choice, Picker
from inspector.tui.prompts import AskText, Confirm
from inspector.views.safe_text import safe
from inspector.views.spans import Line

MOST_LINES = 2_000
"""Lines of a preview."""

MOST_PREVIEWED = 100_000
"""Bytes of it."""


class AskName(AskText):
    """A name, over the one that there is."""

    DEFAULT_CSS = """
    AskName > #question { width: 100%; height: 1; padding: 0 1; background: $surface; text-style: bold; }
    """

    def __init__(self, question: str, name: str, check: folders.Check) -> None:
        super().__init__(question, check)
        self._preset, self._question = name, question

    def compose(self) -> ComposeResult:
        yield Static(safe(self._question), id="question", markup=False)
        for each in super().compose():
            if isinstance(each, Input):
                each.value = self._preset
            yield each


class Library(Picker):
    """A list out of which things can be removed."""

    keys_told = ""

    @abstractmethod
    def choices(self) -> list[Choice]:
        """What there is now."""

    def renew(self) -> None:
        """Shows what there is now."""
        self._all = self.choices()
        wanted = self.query_one("#wanted", Input).value
        place = self.chosen_place
        self._show(wanted)
        self.go_to(place)

    def _show(self, wanted: str) -> None:
        super()._show(wanted)
        box = self.query_one(Vertical)
        box.border_subtitle = f"{box.border_subtitle}   {self.keys_told}"

    def complain(self, error: InspectorError) -> None:
        self.notify(safe(str(error)), severity="error", timeout=10, markup=False)


class SavedRequests(Library):
    """Ends with the path of a file."""

    BINDINGS = bindings("saved")
    keys_told = "f2 renames, f8 removes"

    def __init__(self, folder: Path, found: list[folders.Saved]) -> None:
        self._folder = folder
        super().__init__(safe(f"Requests in {folder}"), _choices(found), preview=_file_lines)

    def choices(self) -> list[Choice]:
        return _choices(folders.saved_in(self._folder))

    def search_text(self, choice: Choice) -> str:
        return f"{choice.label} {choice.detail}"

    def action_rename(self) -> None:
        path: Path | None = self.chosen_value
        if path is None:
            return

        def check(name: str) -> object:
            folders.rename(path, folders.path_for(self._folder, name))
            return None

        name = folders.name_of(self._folder, path)
        self.app.push_screen(AskName("another name", name, check), lambda done: self.renew() if done else None)

    def action_remove(self) -> None:
        path: Path | None = self.chosen_value
        if path is None:
            return

        def answered(is_meant: bool | None) -> None:
            if is_meant:
                try:
                    folders.remove(path)
                except InspectorError as error:
                    self.complain(error)
                self.renew()

        self.app.push_screen(Confirm(f"Remove {safe(folders.name_of(self._folder, path))}?"), answered)


def _choices(found: list[folders.Saved]) -> list[Choice]:
    return [Choice(safe(each.name), safe(_said(each)), each.path) for each in found]


def _said(saved: folders.Saved) -> str:
    return f"! {saved.problem}" if saved.problem else f"{saved.method}  {saved.target}"


def _file_lines(path: Path) -> list[Line]:
    try:
        with path.open("rb") as file:
            text = file.read(MOST_PREVIEWED).decode(errors="replace")
    except OSError as error:
        return [[("bad", safe(str(error.strerror)))]]
    return text_lines(text)


def text_lines(text: str) -> list[Line]:
    return [[("", safe(line))] for line in text.splitlines()[:MOST_LINES]]


class SentRequests(Library):
    """Ends with an entry of the history."""

    BINDINGS = bindings("history")
    keys_told = "f8 removes, f9 removes all"

    def __init__(self, found: list[history.Entry]) -> None:
        super().__init__("What was sent", _sent(found), preview=_entry_lines)

    def choices(self) -> list[Choice]:
        return _sent(history.entries())

    def search_text(self, choice: Choice) -> str:
        return f"{choice.label} {choice.detail} {choice.value.text}"

    def action_remove(self) -> None:
        entry: history.Entry | None = self.chosen_value
        if entry is not None:
            history.forget(entry.key)
            self.renew()

    def action_remove_all(self) -> None:
        def answered(is_meant: bool | None) -> None:
            if is_meant:
                history.forget_all()
                self.renew()

        self.app.push_screen(Confirm(f"Remove all {len(self._all)} requests of the history?"), answered)


def _sent(found: list[history.Entry]) -> list[Choice]:
    return [Choice(_label(each), safe(each.request.target), each) for each in found]


def _label(entry: history.Entry) -> str:
    at = time.localtime(entry.time)
    is_today = at[:3] == time.localtime()[:3]
    shown = time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d", at)
    return f"{shown}  {safe(entry.status)}  {safe(entry.request.method)}"


def _entry_lines(entry: history.Entry) -> list[Line]:
    took = "" if entry.seconds is None else f" in {entry.seconds * 1e3:,.1f} ms"
    request = entry.request
    lines: list[Line] = [
        [("title", safe(request.method))],
        [("dim", safe(f"to {request.target}: {entry.status}{took}"))],
        *([("key", safe(each.name)), ("", safe(f": {each.value}"))] for each in request.metadata),
    ]
    if not entry.is_whole:
        lines.append([("bad", "its messages were too large to be kept")])
    return lines + text_lines(entry.text)
