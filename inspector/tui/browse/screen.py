"""The browser: what is selected, and the panes that show it."""

from __future__ import annotations

import json

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as TextualMessage
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from inspector.limits import MAX_SHOWN_JSON
from inspector.model.call import Message
from inspector.transcode.tree import FieldNode, FieldTree
from inspector.tui.actions import bindings
from inspector.tui.browse.byte_sources import ByteSources
from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.call_list import CallList
from inspector.tui.browse.comparing import Comparing
from inspector.tui.browse.detail_tabs import DetailTabs
from inspector.tui.browse.details import Details
from inspector.tui.browse.field_list import FieldList
from inspector.tui.browse.file_tabs import FileTabs
from inspector.tui.browse.filter_bar import FilterBar
from inspector.tui.browse.following import LOOK_AGAIN, Following
from inspector.tui.browse.guess_menu import GuessMenu
from inspector.tui.browse.loading import Progress, read_to_end
from inspector.tui.browse.message_list import MessageList
from inspector.tui.browse.remembering import Remembering
from inspector.tui.browse.saving import Saving
from inspector.tui.browse.schema_adding import SchemaAdding
from inspector.tui.browse.turns import Turns
from inspector.tui.document import STANDALONE, Document
from inspector.tui.intents import CommandPasted, ComposeAsked, TextPasted
from inspector.tui.key_bar import KeyBar
from inspector.tui.progress_bar import progress_bar
from inspector.tui.prompts import Confirm
from inspector.tui.selection import Chosen, Selection
from inspector.tui.virtual_list import VirtualList
from inspector.views.command_line import is_command
from inspector.views.field_condition import condition_of
from inspector.views.safe_text import safe
from inspector.views.times import size
from inspector.views.where import Where


class Loaded(TextualMessage):
    """Reading came further."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        super().__init__()


class BrowseScreen(Comparing, Remembering, Following, Saving, GuessMenu, ByteSources, DetailTabs, SchemaAdding):
    """One input."""

    BINDINGS = bindings("browse")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]  # noqa: RUF012

    DEFAULT_CSS = """
    BrowseScreen {
        & #title { height: 1; padding: 0 1; background: $panel; }
        & .pane, & #messages {
            border-title-color: $foreground 80%; border-subtitle-color: $foreground 60%;
        }
        & .pane { border: round $foreground 30%; }
        & .pane:focus, & .pane:focus-within { border: heavy $border; }
        & #calls { height: 2fr; }
        & #lower { height: 3fr; }
        & #messages { height: 1; }
        & #fields { height: 1fr; }
        & #bytes { height: 5; }
        & #details-pane { display: none; height: 3fr; }
        & #detail-tabs { height: 2; }
        &.-details #lower { display: none; }
        &.-details #details-pane { display: block; }
        &.-payload #calls { display: none; }
        &.-wide {
            & #calls { height: 1fr; }
            & #lower { height: 1fr; layout: horizontal; }
            & #messages { width: 22; height: 1fr; border: round $foreground 30%; }
            & #messages:focus { border: heavy $border; }
            & #panes { layout: horizontal; width: 1fr; }
            & #fields { width: 1fr; }
            & #bytes { width: 76; height: 1fr; }
        }
        &.-flipped {
            & #panes { layout: horizontal; }
            & #fields { width: 1fr; height: 1fr; }
            & #bytes { width: 42; height: 1fr; }
        }
        &.-flipped.-wide {
            & #panes { layout: vertical; }
            & #bytes { width: 1fr; height: 8; }
        }
        &.-tall #lower { display: block; }
        &.-tall #details-pane { display: block; height: 12; }
        &.-maximised {
            & #calls, & #fields, & #bytes, & #messages, & #details-pane { display: none; }
            & #calls.-maximum, & #fields.-maximum, & #bytes.-maximum, & #details-pane.-maximum {
                display: block; height: 1fr; width: 1fr;
            }
            & #messages.-maximum { display: block; height: 1fr; width: 1fr; border: heavy $border; }
            &.-messages #panes { display: none; }
            &.-calls #lower, &.-details-pane #lower { display: none; }
            &.-fields #lower, &.-bytes #lower, &.-messages #lower { display: block; height: 1fr; }
        }
    }
    """

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.selected = Selection()
        self.message_tree: FieldTree | None = None
        self.message: Message | None = None
        self.turns = Turns()
        self.is_reading_paused = False
        self._where: Where | None = None
        self._told_missing: str | None = None

    def compose(self) -> ComposeResult:
        yield FileTabs()
        yield Static(id="title")
        yield FilterBar(self.document)
        yield CallList(self.document)
        with Vertical(id="lower"):
            yield MessageList(self.document)
            with Vertical(id="panes"):
                yield FieldList()
                yield ByteView()
        yield Details(self.details_of)
        yield KeyBar()

    def on_mount(self) -> None:
        for pane in self.query("#calls, #fields, #bytes, #details-pane"):
            pane.add_class("pane")
        if not self.document.has_calls:
            self.add_class("-payload")
            self.selected = Selection(STANDALONE)
        self.query_one(CallList).turns = self.turns
        self.query_one("#calls" if self.document.has_calls else "#fields").focus()
        self.load()
        if self.document.index.bytes_in_all is None:
            self.set_interval(LOOK_AGAIN, self._look_at_pipe)

    # --- reading -------------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="load", exit_on_error=False)
    def load(self) -> None:
        """Reads the input to its end, in a thread."""
        worker = get_current_worker()
        with self.document.reading:
            read_to_end(
                self.document.index,
                lambda progress: self.post_message(Loaded(progress)),
                lambda: worker.is_cancelled,
                self.turns,
                self.document.order.lock,
            )

    def action_pause_reading(self) -> None:
        """Leaves the rest of the file for later: what was read can be used. Or goes on with it."""
        if self.progress.is_complete:
            self.notify("it was read to its end")
            return
        self.is_reading_paused = not self.is_reading_paused
        if self.is_reading_paused:
            self.workers.cancel_group(self, "load")
        else:
            self.load()
        self.show_title()

    def on_unmount(self) -> None:
        if self.document.stop_input is not None:
            self.document.stop_input()

    def _look_at_pipe(self) -> None:
        """Lists what came last from a pipe: its reader tells of it only when more comes, which may take long."""
        index, known = self.document.index, self.progress
        if not known.is_complete and index.bytes_read != known.bytes_read:
            self.post_message(Loaded(known._replace(calls=len(index), bytes_read=index.bytes_read)))

    def on_loaded(self, event: Loaded) -> None:
        self.progress = event.progress
        self.is_reading_paused = self.is_reading_paused and not event.progress.is_complete
        if event.progress.error is not None:
            self.notify(safe(str(event.progress.error)), severity="error", timeout=15, markup=False)
        self.query_one(CallList).take_in()
        if self.selected.call is not None and self._is_open():
            self._show_more_messages()
        if not self.document.has_calls:
            self.go_where_the_user_was(is_last=event.progress.is_complete)
        if event.progress.is_complete:
            self.document.journal.add(f"read to its end: {event.progress.bytes_read:,} bytes", topic="read")
        self.show_title()

    def on_call_list_changed(self, event: CallList.Changed) -> None:
        """Other calls are listed: the one under the cursor is selected where the one that was is not among them."""
        calls = self.query_one(CallList)
        if event.error is not None:
            self.notify(safe(str(event.error)), severity="error", markup=False)
        self._tell_what_was_missing()
        self.go_where_the_user_was(is_last=self.progress.is_complete)
        self.go_to_newest()
        found = calls.selected
        if found is not None and found.number != self.selected.call:
            self._select(Selection(found.number), "calls")
        self.show_title()

    # --- filtering -----------------------------------------------------------------------------------------------

    def on_filter_bar_applied(self, event: FilterBar.Applied) -> None:
        self.filter_text = self.query_one(FilterBar).applied
        told, topic = (f"filter: {self.filter_text}", "filter") if self.filter_text else ("no filter", "no filter")
        self.document.journal.add(told, topic=topic)
        self.expect_moves()
        self._where, self._told_missing = event.where, None
        self.query_one(CallList).filter_by(self.document.finder(event.where) if event.where is not None else None)
        self.show_title()

    def _tell_what_was_missing(self) -> None:
        """Where a filter takes no call at all: it may ask for what no message has."""
        order = self.document.order
        if self._where is None or len(order) or order.seen < len(self.document.index):
            return
        missing = self._where.last_error
        if missing and missing != self._told_missing:
            self._told_missing = missing
            self.notify(safe(f"no call matches: {missing}"), severity="warning", timeout=10, markup=False)

    def on_filter_bar_left(self) -> None:
        self.query_one(CallList).focus()

    def action_stop(self) -> None:
        """Ends the search of the list that has the focus, or else a filter; or shows matches no more."""
        focused = self.focused if isinstance(self.focused, VirtualList) else None
        is_searching = focused is not None and focused.search_progress is not None
        if not is_searching and self.query_one(CallList).stop():
            self.document.journal.add("the filter was stopped")
            self.show_title()
        elif focused is not None:
            focused.stop_search()

    def _is_open(self) -> bool:
        """Whether the selected call may get more messages."""
        return self.document.message_count(self.selected.call or 0) != self.query_one(MessageList).count()

    def show_title(self) -> None:
        """What is open, how much of it was read, how many calls there are."""
        document = self.document
        parts = [f"[b]{_plain(document.name)}[/b]"]
        if document.has_calls:
            parts.append(self._counts())
        if not self.progress.is_complete:
            parts.append(_told_reading(self.progress, is_paused=self.is_reading_paused))
        if self.follows:
            parts.append(self.told_following)
        if self.shows_secrets:
            parts.append("CREDENTIALS SHOWN")
        if picked := self.told_pick():
            parts.append(f"[b]{_plain(picked)}[/b]")
        if document.schema is None:
            parts.append("no schema: fields are guessed")
        if document.added:
            parts.append(f"schema: {_plain(' '.join(document.added))}")
        if document.problem is not None:
            parts.insert(1, f"[b]! {_plain(document.problem)}[/b]")
        self.query_one("#title", Static).update("  ".join(parts), layout=False)

    def _counts(self) -> str:
        """How many calls there are, and of a filter how many it takes, and how far it is."""
        order, total = self.document.order, len(self.document.index)
        if not order.is_filtered:
            return f"{total:,} calls"
        text = f"{total:,} calls, {len(order):,} shown"
        if order.seen >= total:
            return text
        share = order.seen / total
        if self.query_one(CallList).is_stopped:
            return f"{text}, filter stopped at {int(100 * share)} %"
        return f"{text}, filtering {progress_bar(share)} (Esc stops)"

    # --- one selection for all panes -----------------------------------------------------------------------------

    def on_chosen(self, event: Chosen) -> None:
        event.stop()
        self.turns.key_pressed()
        self.forget_where_the_user_was()
        chosen, now = event.selection, self.selected
        if event.origin in ("fields", "bytes"):
            chosen = now._replace(path=chosen.path or now.path, offset=chosen.offset)
        self._select(chosen, event.origin)

    def select(self, selection: Selection) -> None:
        self._select(selection, "")
        if selection.offset is not None and self.message_tree is not None:
            self.query_one(ByteView).show_offset(selection.offset)
            self._show_field("bytes")

    def _select(self, selection: Selection, origin: str) -> None:
        before = self.selected
        self.selected = selection._replace(source=before.source) if origin else selection
        if origin != "calls":
            self.query_one(CallList).show(selection)
        self.note_move()
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

    def _show_more_messages(self) -> None:
        """The call has others too now; the one that is shown stays as it is, with what is open of it."""
        messages, before = self.query_one(MessageList), self.message
        messages.show_call(self.selected.call)
        messages.show(self.selected)
        if before is None or messages.selected != before:
            self._show_message()

    def _show_message(self) -> None:
        message = self.message = self.query_one(MessageList).selected
        self.message_tree = None if message is None else self.document.tree(message)
        self._note_damage()
        fields = self.query_one(FieldList)
        fields.show_tree(self.message_tree)
        fields.border_title = f"2 Fields  {self._type()}"
        self._show_field("")
        self.query_one(Details).update()
        if self.document.problem is not None:
            self.show_title()

    def _note_damage(self) -> None:
        """Keeps in the log what of a message that is looked at cannot be read."""
        tree, message = self.message_tree, self.message
        problem = (message and message.problem) or (tree and tree.problem)
        if problem and message:
            where = " ".join(filter(None, (f"call {message.call}" if message.call else "", message.direction)))
            text = f"{where} message {message.index}: {problem.message}"
            self.document.journal.add_once((message.call, message.direction, message.index), text.strip())

    def read_again(self, *, opens: bool = False) -> None:
        fields = self.query_one(FieldList)
        self.message_tree = None if self.message is None else self.document.tree(self.message)
        fields.show_again(self.message_tree, opens=opens)
        fields.border_title = f"2 Fields  {self._type()}"
        self._show_field("")
        self.query_one(Details).update()

    def _show_field(self, origin: str) -> None:
        fields = self.query_one(FieldList)
        if origin == "bytes":
            fields.show(self.selected)
        node = fields.selected
        self.show_bytes(origin)
        self.show_field_in_details()
        fields.border_subtitle = f"{_plain(node.path)}  @0x{node.span.start:x}" if node is not None else ""

    def _type(self) -> str:
        name = self.message_tree.type_name if self.message_tree is not None else None
        return _plain(name) if name else "guessed" if self.message_tree is not None else ""

    # --- actions -------------------------------------------------------------------------------------------------

    def action_focus_pane(self, name: str) -> None:
        self.set_class(name == "details" and not self.has_class("-tall"), "-details")
        self.remove_class("-maximised")
        self.apply_sizes()
        self.query_one(f"#{name}").focus()

    def action_focus_filter(self) -> None:
        if self.document.has_calls:
            self.query_one(FilterBar).open()

    def action_filter_by_this(self) -> None:
        """By the field under the cursor, or by the method of the call where the calls have the focus."""
        if not self.document.has_calls:
            return
        node = None if self.query_one(CallList).has_focus else self.query_one(FieldList).selected
        text = self._method_condition() if node is None else self._field_condition(node)
        if text is None:
            self.notify("there is no expression for this field", severity="warning")
        else:
            self.query_one(FilterBar).use(text)

    def _method_condition(self) -> str | None:
        call = self.query_one(CallList).selected
        return None if call is None or call.method is None else f"method == {json.dumps(call.method)}"

    def _field_condition(self, node: FieldNode) -> str | None:
        message = self.message
        if message is None or message.direction is None or len(message.data or b"") > MAX_SHOWN_JSON:
            return None
        return condition_of(node, message.direction, self.document.decode(message).value)

    def use_filter(self, text: str) -> None:
        self.query_one(FilterBar).use(text)

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

    def action_toggle_secrets(self) -> None:
        if self.shows_secrets:
            self._show_secrets(False)
        else:
            question = "Show credentials (authorization, cookies, tokens) in headers and trailers?"
            self.app.push_screen(Confirm(question), self._show_secrets)

    def _show_secrets(self, are_shown: bool | None) -> None:
        self.shows_secrets = bool(are_shown)
        self.query_one(Details).update()
        self.show_title()

    def on_paste(self, event: events.Paste) -> None:
        """A text that is pasted where none is typed is a command that makes a call, or a payload."""
        if not isinstance(self.focused, Input):
            event.stop()
            text = event.text
            self.post_message(CommandPasted(text) if is_command(text) else TextPasted(text))

    def on_key(self) -> None:
        self.turns.key_pressed()


def _told_reading(progress: Progress, *, is_paused: bool) -> str:
    text = size(progress.bytes_read)
    if progress.bytes_in_all:
        bar = progress_bar(progress.bytes_read / progress.bytes_in_all)
        text = bar if is_paused else f"{bar}, {text}"
    return f"read {text} (p goes on)" if is_paused else f"reading {text}"


def _plain(text: str) -> str:
    """Text that no markup is read in."""
    return safe(text).replace("[", "\\[")
