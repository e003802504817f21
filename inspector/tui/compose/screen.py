"""The composer: a request as form and text, where it goes, and what comes back."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.message import Message as TextualMessage
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static, Tabs, TextArea

from inspector.client.reflection import reflect
from inspector.errors import InspectorError
from inspector.schema import Schema
from inspector.tui.actions import bindings
from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.details import Details
from inspector.tui.compose.answer_facts import lines_of, schema_of
from inspector.tui.compose.answer_pane import AnswerPane
from inspector.tui.compose.clients import Clients
from inspector.tui.compose.connection import Reached, reached
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.exchange import ENDED, Exchange
from inspector.tui.compose.form_list import FormChanged
from inspector.tui.compose.kept import Kept
from inspector.tui.compose.methods import UNTYPED, Method, method_of, methods_of
from inspector.tui.compose.picker import Choice, Picker
from inspector.tui.compose.request_pane import RequestPane
from inspector.tui.intents import CommandPasted, SaveAsked
from inspector.tui.key_bar import KeyBar
from inspector.tui.prompts import Confirm
from inspector.tui.selection import Chosen
from inspector.views.command_line import is_command
from inspector.views.form.in_step import InStep
from inspector.views.safe_text import safe
from inspector.views.schema_lines import source_lines
from inspector.views.spans import Line

NEW = Draft()


class CallEnded(TextualMessage):
    """A call that was sent has ended: what was sent, and what became of it."""

    def __init__(self, draft: Draft, exchange: Exchange) -> None:
        self.draft = draft
        self.exchange = exchange
        super().__init__()


class ComposeScreen(Screen[Draft]):
    """One request. `schema` tells the types; without one the server is asked when it is needed.

    `sends` it at once; `compares` the answer with that of the call which the draft was made of. What was `kept` of it
    goes on where it was left. Ends with the draft.
    """

    BINDINGS = bindings("compose")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # Textual declares it so

    DEFAULT_CSS = """
    ComposeScreen {
        & #title { height: 1; padding: 0 1; background: $panel; }
        & .pane { border: round $foreground 30%; }
        & .pane:focus, & .pane:focus-within { border: round $border; }
        & #panes { height: 1fr; layout: vertical; }
        & #left { height: 1fr; }
        & #request { height: 1fr; }
        & #bytes { height: 3; }
        & #bytes:focus { height: 6; }
        & #right { height: 6; }
        & #right:focus-within { height: 12; }
        & #answer { height: 1fr; }
        & #details-pane { display: none; height: 1fr; }
        &.-details #details-pane { display: block; }
        &.-details #answer { display: none; }
        &.-wide {
            & #panes { layout: horizontal; }
            & #left { width: 1fr; height: 1fr; }
            & #right, & #right:focus-within { width: 1fr; height: 1fr; }
            & #bytes, & #bytes:focus { height: 10; }
            & #messages { height: 6; border-bottom: solid $foreground 30%; }
            & #details-pane { display: block; height: 16; }
            & #answer { display: block; }
        }
    }
    """

    def __init__(
        self,
        draft: Draft = NEW,
        *,
        schema: Schema | None = None,
        sends: bool = False,
        compares: bool = False,
        kept: Kept | None = None,
    ) -> None:
        super().__init__()
        self.schema = schema
        self.method = Method("")
        self.messages: list[InStep] = []
        self.place = 0
        self.exchange: Exchange | None = None
        self._draft = draft
        self._held = draft  # elsewhere too: as it came in, or was saved last
        self._sends = sends
        self._compares = compares
        self._is_kept = kept is not None  # who gives what was kept keeps what it ends with
        self._kept = kept if kept is not None and kept.schema is schema else None
        self._clients = Clients()
        self.saved_as: str | None = None
        """The name under which the request was saved last."""
        self._is_answer = False
        self._learned_of: str | None = None  # the target that told the schema

    # --- the draft -----------------------------------------------------------------------------------------------

    @property
    def draft(self) -> Draft:
        """The request as it is now; of a message that is not whole, what it was when it last was."""
        if not self.messages:
            return self._draft
        return self._draft._replace(messages=tuple(map(_last_whole, self.messages)))

    @property
    def call_draft(self) -> Draft:
        """The same without its messages."""
        return self._draft

    @property
    def is_edited(self) -> bool:
        """Whether something was changed that is nowhere else: since it came in, or was saved."""
        is_unread = any(not each.is_raw and (each.problem or each.form.faults) for each in self.messages)
        return is_unread or _filled_in(self.draft) != _filled_in(self._held)

    def told_edited(self, state: str) -> str:
        """A sentence that says what would be lost, and its state; empty where nothing would."""
        return f"{safe(self.method.name or 'a request')} was edited, and {state}. " if self.is_edited else ""

    def was_saved(self, name: str, draft: Draft) -> None:
        """Notes that the request is in a file."""
        self.saved_as, self._held = name, draft

    def change_draft(self, draft: Draft) -> None:
        """Takes metadata and settings from another draft."""
        before, self._draft = self._draft, draft
        self.show_title()
        if not self.messages and draft.target != before.target:
            self.choose_method()

    @property
    def edited(self) -> InStep | None:
        """The message that is edited."""
        return self.messages[self.place] if self.messages else None

    # --- composing the screen ------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        with Container(id="panes"):
            with Vertical(id="left"):
                yield RequestPane(self)
                yield ByteView()
            with Vertical(id="right"):
                yield AnswerPane()
                yield Details(self._details)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#bytes").add_class("pane")
        self.query_one("#details-pane").add_class("pane")
        self.show_title()
        if self._draft.notes:
            self.notify("\n".join(map(safe, self._draft.notes)), timeout=10, markup=False)
        if self._draft.method:
            self.use_method(self._draft.method, self._draft.messages)
            if self._sends:
                self.action_send_all()
        elif self.schema is None and not self._draft.target:
            self.action_show_tab("settings")
            self.notify("where does it go? A target here, or P pastes a grpcurl command")
        else:
            self.choose_method()

    def show_title(self) -> None:
        """The method, what kind it is, and where it goes."""
        name = self.method.name
        parts = [f"[b]{_plain(name)}[/b]" if name else "no method: ctrl+o", self.method.kind if name else ""]
        parts.append(_plain(self._draft.target) or "no target: F6")
        self.query_one("#title", Static).update("  ".join(filter(None, parts)), layout=False)

    # --- the method ----------------------------------------------------------------------------------------------

    def use_method(self, name: str, messages: tuple[bytes, ...] = ()) -> None:
        """Makes the request one of this method."""
        self.method = method_of(self.schema, name)
        schema, type_name = self.schema or Schema.empty(), self.method.request or UNTYPED
        try:
            self.messages = [InStep(schema, type_name, data) for data in messages or (b"",)]
        except InspectorError as error:
            self.tell(error)
            return
        self.place = 0
        if self._kept is not None and self._kept.models:
            self.messages, self.place = [*self._kept.models], self._kept.place
        self._kept = None
        self._draft = self._draft._replace(method=self.method.name)
        self._show_request()
        self.show_title()
        self.query_one(RequestPane).show_tab("form")

    @work(exclusive=True, group="choose")
    async def choose_method(self) -> None:
        """Lets the user choose among the methods of the schema, or of the server."""
        is_of_another = self._learned_of is not None and self._learned_of != self._draft.target
        if (self.schema is None or is_of_another) and not await self._learn():
            return
        assert self.schema is not None
        choices = [Choice(each.label, f"{each.detail}  {each.kind}", each.name) for each in methods_of(self.schema)]
        if not choices:
            self.notify("the schema has no services", severity="warning")
            return
        schema = self.schema
        picker = Picker("Method", choices, current=self.method.name, preview=lambda name: source_lines(schema, name))
        self.app.push_screen(picker, self._method_chosen)

    async def _learn(self) -> bool:
        """Asks for the schema where the target says that it is; whether there is one now."""
        try:
            wanted = reached(self._draft)
            if wanted.sources:
                self.schema = await asyncio.to_thread(Schema.from_sources, wanted.sources, wanted.import_paths)
            else:
                self.notify(f"asking {safe(str(wanted.target))} for its schema", markup=False)
                found = await reflect(await self._clients.channel(wanted), metadata=wanted.reflect_metadata)
                self.schema = Schema((found,))
            self._learned_of = self._draft.target
        except InspectorError as error:
            self.tell(error)
            if not self.messages:
                self.query_one(RequestPane).show_tab("settings")
            return False
        return True

    def _method_chosen(self, name: Any) -> None:
        if name is None or (name == self.method.name and self.method.request is not None):
            return
        if not self.messages:
            self.use_method(name, self._draft.messages)
            return
        # What is there stays where the method takes it: of the same type, or of one that was not known.
        is_kept = self.method.request in (None, method_of(self.schema, name).request)
        self.use_method(name, self.draft.messages if is_kept else ())

    def action_choose_method(self) -> None:
        if self._is_taken():
            self.choose_method()

    # --- the request ---------------------------------------------------------------------------------------------

    def _show_request(self) -> None:
        pane = self.query_one(RequestPane)
        if self.edited is not None:
            pane.show(self.edited, self.schema)
            if not self.edited.form.is_exact:
                text = "a form cannot hold all of this message: to edit it changes more than what you edit"
                self.notify(text, severity="warning")
        count = len(self.messages)
        pane.border_title = "1 Request" + (f"  message {self.place + 1} of {count}" if count > 1 else "")

    def on_form_changed(self, event: FormChanged) -> None:
        self.query_one(RequestPane).form_changed(event.form)

    def on_field_chosen(self) -> None:
        self._show_bytes()

    def on_request_changed(self) -> None:
        self._show_bytes()

    def action_show_tab(self, name: str) -> None:
        self.query_one(RequestPane).show_tab(name)

    def action_next_text(self) -> None:
        self.query_one(RequestPane).next_text()

    def action_step_request(self, step: int) -> None:
        """The next message of the request, or the one before."""
        if self.messages and self._is_taken():
            self.place = max(0, min(self.place + step, len(self.messages) - 1))
            self._show_request()

    def action_add_request(self) -> None:
        """Adds a message behind the one that is edited, like it: where it is not whole, like it when it last was."""
        if self.edited is None or not self._is_taken():
            return
        if not self.method.takes_stream and self.method.request is not None:
            self.notify("the method takes one message", severity="warning")
            return
        added = InStep(self.schema or Schema.empty(), self.method.request or UNTYPED, _last_whole(self.edited))
        self.messages.insert(self.place + 1, added)
        self.action_step_request(1)

    def action_remove_request(self) -> None:
        if len(self.messages) > 1 and self._is_taken():
            del self.messages[self.place]
            self.action_step_request(0)

    # --- sending -------------------------------------------------------------------------------------------------

    def action_send(self) -> None:
        """Sends the message that is edited: in the stream that is open, or in a new call."""
        if not self._is_taken("sent"):
            return
        if self.edited is None:
            self.choose_method()
            return
        data = self._whole(self.place, "sent")
        if data is None:
            return
        exchange = self.exchange
        if exchange is not None and exchange.takes_more:
            exchange.send(data)
        elif self._may_begin():
            exchange = self._begin()
            if exchange is None:
                return
            exchange.send(data)
            if not self.method.takes_stream:
                exchange.end()
        else:
            return
        if self.place + 1 < len(self.messages):
            self.action_step_request(1)

    def action_send_all(self) -> None:
        """Sends all messages of the request, and ends it."""
        if not self._is_taken("sent"):
            return
        found = [self._whole(place, "sent") for place in range(len(self.messages))]
        data = [each for each in found if each is not None]
        if len(data) != len(found) or not self.messages or not self._may_begin():
            return
        exchange = self._begin()
        if exchange is not None:
            for each in data:
                exchange.send(each)
            exchange.end()

    def _is_taken(self, what: str = "") -> bool:
        """Takes what stands in rows and texts that are edited, so that it is what is seen that is `sent`, or `saved`.
        False where it will not do."""
        error = self.query_one(RequestPane).read_text()
        if error is not None and what:
            self.notify(f"it cannot be {what}: {error}", severity="error", markup=False)
        return error is None

    def _whole(self, place: int, what: str) -> bytes | None:
        """The bytes of a message that is to be `sent`, or `saved`; where it has none, the user is told why."""
        data = self.messages[place].data
        if data is None:
            self.place = place
            self._show_request()
            self.notify(f"it cannot be {what}: {self.messages[place].reason}", severity="error", markup=False)
            self.query_one(RequestPane).show_next_error()
        return data

    def _may_begin(self) -> bool:
        if self.is_under_way:
            self.notify("a call is under way: F7 cancels it", severity="warning")
        return not self.is_under_way

    def _begin(self) -> Exchange | None:
        """Begins a call."""
        try:
            wanted = reached(self._draft)
        except InspectorError as error:
            self.tell(error)
            self.action_show_tab("settings" if not self._draft.target else self.query_one(RequestPane).shown_tab)
            return None
        exchange = self.exchange = Exchange(self.schema, self.method, wanted, self._came)
        self.query_one(AnswerPane).show(exchange, self._draft.origin)
        self.make_call(exchange, wanted, self.draft)
        return exchange

    @work(group="call")
    async def make_call(self, exchange: Exchange, wanted: Reached, draft: Draft) -> None:
        """Makes a call, to its end."""
        await exchange.run(lambda: self._clients.channel(wanted))
        self.query_one(AnswerPane).update()
        if self._compares and draft.origin is not None:
            self.query_one(Details).query_one(Tabs).active = "problems"
            self.add_class("-details")
        self.post_message(CallEnded(draft, exchange))

    @property
    def is_under_way(self) -> bool:
        """Whether a call has begun and not ended."""
        return self.exchange is not None and self.exchange.state != ENDED

    def action_cancel_call(self) -> None:
        if self.exchange is not None and self.is_under_way:
            self.exchange.cancel()
        else:
            self.notify("no call is under way")

    def action_end_requests(self) -> None:
        if self.exchange is not None and self.exchange.takes_more:
            self.exchange.end()
        elif self.method.takes_stream and self._may_begin() and self._is_taken("sent"):
            exchange = self._begin()
            if exchange is not None:
                exchange.end()

    async def on_unmount(self) -> None:
        await self._clients.close()

    def action_save(self) -> None:
        """Saves the request as a file. One that is not whole is not: it would be opened as another than was seen."""
        if self._is_taken("saved") and None not in (self._whole(at, "saved") for at in range(len(self.messages))):
            self.post_message(SaveAsked())

    def on_paste(self, event: events.Paste) -> None:
        """A command that is pasted where no text is typed is a request."""
        if is_command(event.text) and not isinstance(self.focused, Input | TextArea):
            event.stop()
            self.post_message(CommandPasted(event.text))

    def action_leave(self) -> None:
        """Back to where the request came from; asks before, where what was typed is nowhere else then. (Without a file
        the first screen is Textual's own, and empty.)"""
        if not any(type(each) is not Screen for each in self.app.screen_stack[:-1]) or not self._is_taken():
            return
        is_elsewhere = self._is_kept or self.exchange is not None
        told = "" if is_elsewhere else self.told_edited("is neither sent nor saved")
        if told:
            self.app.push_screen(Confirm(f"{told}Leave it?"), self._leave)
        else:
            self.dismiss(self.draft)

    def _leave(self, sure: bool | None) -> None:
        if sure:
            self.dismiss(self.draft)

    # --- what comes back -----------------------------------------------------------------------------------------

    def _came(self) -> None:
        """Something came: it is shown once the loop has time."""
        if not self._is_pending:
            self._is_pending = True
            self.call_later(self._show_answer)

    _is_pending = False

    def _show_answer(self) -> None:
        self._is_pending = False
        if self.is_attached:
            self.query_one(AnswerPane).update()

    def on_answer_changed(self) -> None:
        self.query_one(Details).update()
        self._show_bytes()

    def on_chosen(self, event: Chosen) -> None:
        event.stop()
        if event.origin == "bytes" and self._is_answer:
            self.query_one(AnswerPane).choose(event.selection, "bytes")

    def action_step_message(self, step: int) -> None:
        self.query_one(AnswerPane).step_message(step)

    def _details(self, tab: str) -> list[Line]:
        if tab == "schema":
            return schema_of(self.schema, self.method)
        pane = self.query_one(AnswerPane)
        return lines_of(tab, pane.exchange, pane.chosen_message, self._draft.origin)

    # --- bytes of what is looked at ------------------------------------------------------------------------------

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        around = [each.id for each in event.widget.ancestors_with_self if isinstance(each, Widget)]
        if "request" in around or "answer" in around:
            self._is_answer = "answer" in around
            self._show_bytes()

    def _show_bytes(self) -> None:
        """Shows the bytes of the message in which the focus is, the field under its cursor told apart."""
        view = self.query_one(ByteView)
        if self._is_answer:
            answer = self.query_one(AnswerPane)
            tree = answer.message_tree
            data, node, name = tree.data if tree is not None else b"", answer.chosen_node, "message"
        else:
            request = self.query_one(RequestPane)
            data = (self.edited.data or b"") if self.edited is not None else b""
            node, name = request.chosen_node, "request"
        if view.data != data:
            view.show_data(data)
        view.show_field(node)
        view.border_title = f"3 Bytes of the {name}"

    def action_focus_pane(self, name: str) -> None:
        self.set_class(name == "details", "-details")
        if name == "request":
            self.query_one(RequestPane).focus_content()
        else:
            self.query_one(f"#{name}").focus()

    def tell(self, error: InspectorError) -> None:
        """Says what is wrong."""
        self.notify(safe(str(error)), severity="error", timeout=10, markup=False)


def _last_whole(message: InStep) -> bytes:
    """The bytes of a message, or what they were when it last was whole."""
    return message.form.last_good if message.data is None else message.data


def _filled_in(draft: Draft) -> Draft:
    """What there was to fill in: a method that is chosen is none of it, nor the empty message that it begins with."""
    return draft._replace(method="", messages=draft.messages or (b"",))


def _plain(text: str) -> str:
    """Text that no markup is read in."""
    return safe(text).replace("[", "\\[")
