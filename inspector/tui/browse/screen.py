"""The browser: what is selected, and the panes that show it."""

from __future__ import annotations

import time

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as TextualMessage
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Input, Static
from textual.worker import get_current_worker

from inspector.model.call import Message
from inspector.transcode.tree import FieldTree
from inspector.tui.actions import bindings
from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.details import Details
from inspector.tui.browse.field_list import FieldList
from inspector.tui.browse.loading import Progress, read_to_end
from inspector.tui.browse.message_list import MessageList
from inspector.tui.document import STANDALONE, Document
from inspector.tui.intents import ComposeAsked
from inspector.tui.selection import Chosen, Selection
from inspector.views import call_facts
from inspector.views.conversation import message_lines
from inspector.views.safe_text import safe
from inspector.views.spans import Line

BUSY = 0.3
"""Seconds after a key in which reading gives way to the next one."""

LONGEST_JSON = 1_000_000
"""Bytes of a message that is shown as JSON at once."""


class Loaded(TextualMessage):
    """Reading came further."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        super().__init__()


class BrowseScreen(Screen[None]):
    """One input."""

    BINDINGS = bindings("browse")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]  # noqa: RUF012

    DEFAULT_CSS = """
    BrowseScreen {
        & #title { height: 1; padding: 0 1; background: $panel; }
        & #filter { display: none; height: 1; border: none; padding: 0 1; }
        & #filter.-shown { display: block; }
        & .pane { border: round $foreground 30%; }
        & .pane:focus, & .pane:focus-within { border: round $border; }
        & #calls { height: 2fr; }
        & #lower { height: 3fr; }
        & #messages { height: 1; }
        & #fields { height: 1fr; }
        & #bytes { height: 5; }
        & #details-pane { display: none; height: 1fr; }
        & #detail-tabs { height: 2; }
        &.-details #lower { display: none; }
        &.-details #details-pane { display: block; }
        &.-payload #calls { display: none; }
        &.-wide {
            & #calls { height: 1fr; }
            & #lower { height: 1fr; layout: horizontal; }
            & #messages { width: 22; height: 1fr; border: round $foreground 30%; }
            & #messages:focus { border: round $border; }
            & #panes { layout: horizontal; width: 1fr; }
            & #fields { width: 1fr; }
            & #bytes { width: 76; height: 1fr; }
        }
        &.-tall #lower { display: block; }
        &.-tall #details-pane { display: block; height: 12; }
        &.-maximised {
            & .pane { display: none; }
            & #messages { display: none; }
            & .pane.-maximum { display: block; height: 1fr; width: 1fr; }
            &.-calls #lower, &.-details-pane #lower { display: none; }
        }
    }
    """

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.selected = Selection()
        self.message_tree: FieldTree | None = None
        self.message: Message | None = None
        self.progress = Progress(0, 0, False)
        self.follows = False
        self._last_key = 0.0

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Input(id="filter", placeholder="words, or an expression: status.code != 0", compact=True)
        yield CallList(self.document)
        with Vertical(id="lower"):
            yield MessageList(self.document)
            with Vertical(id="panes"):
                yield FieldList()
                yield ByteView()
        yield Details(self._details)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        for pane in self.query("#calls, #fields, #bytes, #details-pane"):
            pane.add_class("pane")
        if not self.document.has_calls:
            self.add_class("-payload")
            self.selected = Selection(STANDALONE)
        self.query_one("#calls" if self.document.has_calls else "#fields").focus()
        self.load()

    # --- reading -------------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="load", exit_on_error=False)
    def load(self) -> None:
        """Reads the input to its end, in a thread."""
        worker = get_current_worker()
        read_to_end(
            self.document.index,
            lambda progress: self.post_message(Loaded(progress)),
            lambda: worker.is_cancelled,
            lambda: time.monotonic() - self._last_key < BUSY,
        )

    def on_loaded(self, event: Loaded) -> None:
        self.progress = event.progress
        if event.progress.error is not None:
            self.notify(safe(str(event.progress.error)), severity="error", timeout=15)
        calls = self.query_one(CallList)
        added = self.document.order.extend()
        if added:
            calls.rearrange(self.selected.call)
        if self.selected.call is None and calls.count():
            self._select(Selection(calls.call_in(0).number), "")
        elif self.selected.call is not None and (not self.document.has_calls or self._is_open()):
            self._show_call()
        if self.follows and added:
            calls.move_to(calls.count() - 1)
        self.show_title()

    def _is_open(self) -> bool:
        """Whether the selected call may get more messages."""
        return self.document.message_count(self.selected.call or 0) != self.query_one(MessageList).count()

    def show_title(self) -> None:
        """What is open, how much of it was read, how many calls there are."""
        document = self.document
        parts = [f"[b]{_plain(document.name)}[/b]"]
        if document.has_calls:
            shown, total = len(document.order), len(document.index)
            parts.append(f"{total:,} calls" + (f", {shown:,} shown" if shown != total else ""))
        if not self.progress.is_complete:
            parts.append(f"reading: {self.progress.bytes_read / 1e6:,.0f} MB")
        if self.follows:
            parts.append("FOLLOW")
        if document.schema is None:
            parts.append("no schema: fields are guessed")
        self.query_one("#title", Static).update("  ".join(parts))

    # --- one selection for all panes -----------------------------------------------------------------------------

    def on_chosen(self, event: Chosen) -> None:
        event.stop()
        self._last_key = time.monotonic()
        chosen, now = event.selection, self.selected
        if event.origin in ("fields", "bytes"):
            chosen = now._replace(path=chosen.path or now.path, offset=chosen.offset)
        self._select(chosen, event.origin)

    def _select(self, selection: Selection, origin: str) -> None:
        before, self.selected = self.selected, selection
        if origin != "calls":
            self.query_one(CallList).show(selection)
        if selection.call != before.call:
            self._show_call()
        elif selection.message != before.message:
            if origin != "messages":
                self.query_one(MessageList).show(selection)
            self._show_message()
        else:
            self._show_field(origin)

    def _show_call(self) -> None:
        messages = self.query_one(MessageList)
        messages.show_call(self.selected.call)
        messages.show(self.selected)
        self._show_message()

    def _show_message(self) -> None:
        message = self.message = self.query_one(MessageList).selected
        self.message_tree = None if message is None else self.document.tree(message)
        self.query_one(ByteView).show_data(self.message_tree.data if self.message_tree is not None else b"")
        fields = self.query_one(FieldList)
        fields.show_tree(self.message_tree)
        fields.border_title = f"2 Fields  {self._type()}"
        self.query_one(ByteView).show_field(fields.selected)
        self.query_one(Details).update()

    def _show_field(self, origin: str) -> None:
        fields = self.query_one(FieldList)
        if origin == "bytes":
            fields.show(self.selected)
        node = fields.selected
        self.query_one(ByteView).show_field(node)
        fields.border_subtitle = f"{_plain(node.path)}  @0x{node.span.start:x}" if node is not None else ""

    def _type(self) -> str:
        name = self.message_tree.type_name if self.message_tree is not None else None
        return _plain(name) if name else "guessed" if self.message_tree is not None else ""

    # --- details -------------------------------------------------------------------------------------------------

    def _details(self, tab: str) -> list[Line]:
        number = self.selected.call
        call = self.document.call(number) if number else None
        if tab == "json":
            return self._json()
        if tab == "log":
            return [[("", line)] for line in (self.document.index.passed_over or "").splitlines()]
        if call is None:
            return [[("dim", "this call has not ended" if number else "there is no call")]]
        if tab == "headers":
            return call_facts.headers(call)
        if tab == "trailers":
            return call_facts.trailers(call, self.document.session.decode_details)
        return call_facts.problems(call) if tab == "problems" else call_facts.summary(call)

    def _json(self) -> list[Line]:
        if self.message is None:
            return []
        if len(self.message.data or b"") > LONGEST_JSON:
            return [[("dim", f"over {LONGEST_JSON:,} bytes: inspector convert --to json shows it")]]
        return message_lines(self.document.decode(self.message), bare=True)

    # --- actions -------------------------------------------------------------------------------------------------

    def action_focus_pane(self, name: str) -> None:
        self.set_class(name == "details" and not self.has_class("-tall"), "-details")
        self.remove_class("-maximised")
        self.query_one(f"#{name}").focus()

    def action_toggle_maximised(self) -> None:
        pane = self._focused_pane()
        if pane is None:
            return
        for each in self.query(".pane"):
            each.set_class(each is pane, "-maximum")
            self.set_class(each is pane, f"-{each.id}")
        self.toggle_class("-maximised")

    def _focused_pane(self) -> Widget | None:
        around = self.focused.ancestors_with_self if self.focused is not None else []
        return next((each for each in around if isinstance(each, Widget) and each.has_class("pane")), None)

    def action_focus_filter(self) -> None:
        box = self.query_one("#filter", Input)
        box.add_class("-shown")
        box.focus()

    def action_step_message(self, step: int) -> None:
        self.query_one(MessageList).action_move(step)

    def action_edit_call(self) -> None:
        self._ask_to_compose(is_new=False)

    def action_duplicate_call(self) -> None:
        self._ask_to_compose(is_new=True)

    def action_replay_call(self) -> None:
        self._ask_to_compose(is_new=True, sends=True, compares=True)

    def action_edit_and_replay(self) -> None:
        self._ask_to_compose(is_new=True, compares=True)

    def _ask_to_compose(self, *, is_new: bool, sends: bool = False, compares: bool = False) -> None:
        """Has the selected call made into a request."""
        if self.selected.call is not None:
            number, place = self.selected.call, self.selected.message
            asked = ComposeAsked(self.document, number, place, is_new=is_new, sends=sends, compares=compares)
            self.post_message(asked)

    def action_toggle_follow(self) -> None:
        self.follows = not self.follows
        self.show_title()

    def on_key(self) -> None:
        self._last_key = time.monotonic()


def _plain(text: str) -> str:
    """Text that no markup is read in."""
    return safe(text).replace("[", "\\[")
