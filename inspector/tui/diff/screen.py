"""What differs, on a screen of its own, above the browser."""

from __future__ import annotations

import time
from typing import NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.message import Message as TextualMessage
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from inspector.errors import InputError, InspectorError
from inspector.tui.copier import Copier
from inspector.tui.diff.diff_list import DiffList
from inspector.tui.diff.sides import Side, compared, names_of
from inspector.tui.key_bar import KeyBar
from inspector.tui.menu import Entry, Menu
from inspector.tui.progress_bar import progress_bar
from inspector.views import diff_rows
from inspector.views.comparison import Section
from inspector.views.copies import Form
from inspector.views.diff_rows import Row
from inspector.views.safe_text import safe
from inspector.views.widths import clip

FIRST_REPORT, REPORTS_GROW = 0.1, 1.5
"""Seconds until what was found is shown, and how much longer it takes each time: all rows are made anew for it."""


class Goal(NamedTuple):
    """A place that is to be shown in the browser: `message` None is the call, of which `tab` tells; `path` is a path of
    JSON names, empty for the message itself."""

    side: Side
    message: int | None
    path: str
    tab: str


class Came(TextualMessage):
    """Sections that were found, how far the comparison is (1 at its end), and what it ended for."""

    def __init__(self, sections: list[Section], share: float, error: InspectorError | None = None) -> None:
        self.sections = sections
        self.share = share
        self.error = error
        super().__init__()


class _StoppedError(Exception):
    """The user does not wait for it."""


class DiffScreen(Screen[Goal], Copier):
    """Compares in a thread, and shows what was found so far. Ends with the place that is to be shown."""

    DEFAULT_CSS = """
    DiffScreen {
        & #title { height: 1; padding: 0 1; background: $panel; }
    }
    """

    def __init__(self, left: Side, right: Side, *, show_secrets: bool = False, place: int = 0) -> None:
        """`place` is the row that the cursor is to be on."""
        super().__init__()
        self.left, self.right = left, right
        self.place = place
        """The row that it is on, or was when the screen was left."""
        self._show_secrets = show_secrets
        self._share = 0.0
        self._is_whole = True
        self._found: list[Section] = []

    def compose(self) -> ComposeResult:
        yield Static(id="title", markup=False)
        yield DiffList()
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(DiffList).focus()
        self._begin()

    def on_unmount(self) -> None:
        self._found = []  # who keeps the screen to show it again needs the sides only

    def _begin(self) -> None:
        self._share, self._found = 0.0, []
        rows = self.query_one(DiffList)
        rows.names = names_of(self.left, self.right)
        rows.clear()
        self._compare(self.left, self.right)

    # --- comparing -----------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="diff", exit_on_error=False)
    def _compare(self, left: Side, right: Side) -> None:
        worker = get_current_worker()
        told, pause = time.monotonic(), FIRST_REPORT
        waiting: list[Section] = []

        def look() -> None:
            if worker.is_cancelled:
                raise _StoppedError

        def tell(done: float) -> None:
            nonlocal told, pause, waiting
            if time.monotonic() - told >= pause:
                told, pause = time.monotonic(), pause * REPORTS_GROW
                self.post_message(Came(waiting, min(done, 0.99)))
                waiting = []

        error: InspectorError | None = None
        try:
            for section in compared(left, right, look, tell, show_secrets=self._show_secrets):
                look()
                waiting.append(section)
        except _StoppedError:
            return
        except InspectorError as found:
            error = found
        except (OSError, ValueError) as found:  # its file was closed meanwhile
            error = InputError(f"cannot be read any more: {found}")
        self.post_message(Came(waiting, 1.0, error))

    def on_came(self, event: Came) -> None:
        self._share = event.share
        self._found = [*self._found, *event.sections]
        rows = self.query_one(DiffList)
        rows.show_sections(self._found)
        self._is_whole = self._is_whole and event.error is None
        if event.error is not None:
            self.complain(event.error)
        if event.share >= 1 and rows.cursor == 0:
            self.call_after_refresh(rows.move_to, self.place)
        self.show_title()

    def on_diff_list_moved(self) -> None:
        if self._share >= 1:
            self.place = self.query_one(DiffList).cursor
        self.show_title()

    def show_title(self) -> None:
        """Both sides, how many differences there are, and which one the cursor is on."""
        rows = self.query_one(DiffList)
        at, count = rows.position
        parts = [f"comparing {progress_bar(self._share)} (Esc stops)"] if self._share < 1 else []
        if not self._is_whole:
            parts.append("! not compared to the end")
        if self._share >= 1 and not count and self._is_whole:
            parts.append("no difference")
        elif count:
            parts.append(f"difference {at}/{count:,}" if at else f"{count:,} difference{'' if count == 1 else 's'}")
        left, right = rows.names
        state = "  ".join(parts)
        room = max(8, (self.size.width - len(state) - 12) // 2)
        text = f"- {clip(safe(left), room)}   + {clip(safe(right), room)}   {state}"
        self.query_one("#title", Static).update(text)

    # --- the user ------------------------------------------------------------------------------------------------

    def on_diff_list_sought(self, event: DiffList.Sought) -> None:
        row = event.row
        section = self._found[row.section]
        side, message = (self.right, section.right) if event.on_right else (self.left, section.left)
        if message is None and not section.tab:
            self.notify("that message is only on the other side", markup=False)
            return
        path = (row.to if event.on_right else row.path) if message is not None else ""
        self.dismiss(Goal(side, message, path, section.tab))

    def action_swap(self) -> None:
        self.left, self.right = self.right, self.left
        self._begin()

    def action_leave(self) -> None:
        """Back; but first ends what is looked for."""
        if not self.query_one(DiffList).stop_search():
            self.workers.cancel_group(self, "diff")
            self.dismiss(None)

    def action_copy_diff(self) -> None:
        forms = {form.letter: form for form in self._forms()}

        def chosen(letter: str | None) -> None:
            if letter is not None:
                self.copy(forms[letter].title, forms[letter].make)

        self.app.push_screen(Menu("Copy", [Entry(each.letter, each.title) for each in forms.values()]), chosen)

    def _forms(self) -> list[Form]:
        names = names_of(self.left, self.right)
        found, row = self._found, self.query_one(DiffList).selected
        forms = [
            Form("d", "differences as text", lambda: diff_rows.as_text(found, *names)),
            Form("r", "differences as records (NDJSON)", lambda: diff_rows.as_records(found)),
        ]
        return forms if row is None or row.kind in ("title", "note", "fold") else [*forms, *_forms_of(row)]


def _forms_of(row: Row) -> list[Form]:
    forms = [Form("p", f"path  {clip(safe(row.path or row.to), 44)}", lambda: row.path or row.to)]
    if row.has_left:
        forms.append(Form("h", "value on the left", lambda: diff_rows.value_text(row.before)))
    if row.has_right:
        forms.append(Form("l", "value on the right", lambda: diff_rows.value_text(row.after)))
    return forms
