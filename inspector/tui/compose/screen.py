"""The composer: a request as form and text, where it goes, and what comes back."""

from __future__ import annotations

from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as TextualMessage
from textual.screen import Screen
from textual.widgets import Footer, Static, Tab, Tabs, TextArea

from inspector.client.client import AsyncClient
from inspector.errors import InspectorError
from inspector.model.call import Call, Message
from inspector.schema import Schema
from inspector.transcode.tree import FieldTree
from inspector.tui.actions import bindings
from inspector.tui.browse.byte_view import ByteView
from inspector.tui.browse.details import Details
from inspector.tui.browse.field_list import FieldList
from inspector.tui.browse.message_list import MessageList
from inspector.tui.compose.connection import Reached, reached
from inspector.tui.compose.draft import Draft
from inspector.tui.compose.exchange import CONNECTING, ENDED, NUMBER, OPEN, SENT, Exchange
from inspector.tui.compose.methods import UNTYPED, Method, method_of, methods_of
from inspector.tui.compose.picker import Choice, Picker
from inspector.tui.selection import Chosen, Selection
from inspector.views import call_facts, conversation, live
from inspector.views.conversation import message_lines
from inspector.views.form.in_step import TEXTS, InStep
from inspector.views.safe_text import safe
from inspector.views.spans import Line
from inspector.views.times import duration

TABS = (*TEXTS,)
LONGEST_JSON = 1_000_000
"""Bytes of an answer that is shown as JSON at once."""


class CallEnded(TextualMessage):
    """A call that was sent has ended: what was sent, and what became of it."""

    def __init__(self, draft: Draft, exchange: Exchange) -> None:
        self.draft = draft
        self.exchange = exchange
        super().__init__()


class ComposeScreen(Screen[None]):
    """One request. `schema` tells the types; without one the server is asked when it is needed."""

    BINDINGS = bindings("compose")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # Textual declares it so

    DEFAULT_CSS = """
    ComposeScreen {
        & #title { height: 1; padding: 0 1; background: $panel; }
        & .pane { border: round $foreground 30%; }
        & .pane:focus, & .pane:focus-within { border: round $border; }
        & #request { height: 3fr; }
        & #request-tabs { height: 2; }
        & #text { border: none; padding: 0; height: 1fr; display: none; }
        & .-shown { display: block; }
        & #note { height: 1; padding: 0 1; color: $foreground-muted; }
        & #note.-bad { color: $text-error; text-style: bold; }
        & #bytes { height: 4; }
        & #answer { height: 2fr; }
        & #messages { height: 1; }
        & #fields { height: 1fr; border: none; }
        & #details-pane { display: none; height: 12; }
        &.-details #details-pane { display: block; }
    }
    """

    def __init__(self, draft: Draft = Draft(), *, schema: Schema | None = None) -> None:  # noqa: B008
        super().__init__()
        self.draft = draft
        self.schema = schema
        self.method = Method("")
        self.edited: InStep | None = None
        self.exchange: Exchange | None = None
        self.selected = Selection(NUMBER)
        self.message_tree: FieldTree | None = None
        self._client: tuple[Reached, AsyncClient] | None = None
        self._tab = "json"
        self._shown: Message | None = None
        self._follows = True

    # --- what others ask of it -----------------------------------------------------------------------------------

    def message_count(self, number: int) -> int:
        return self.exchange.message_count(number) if self.exchange is not None else 0

    def message(self, number: int, place: int) -> Message | None:
        return self.exchange.message(number, place) if self.exchange is not None else None

    # --- composing the screen ------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        with Vertical(id="request", classes="pane"):
            tabs = Tabs(*(Tab(_tab_name(name), id=name) for name in TABS), id="request-tabs")
            tabs.can_focus = False
            yield tabs
            yield TextArea(id="text", show_line_numbers=True, classes="-shown")
            yield Static(id="note", markup=False)
        yield ByteView()
        with Vertical(id="answer", classes="pane"):
            yield MessageList(self)
            yield FieldList()
        yield Details(self._details)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#request").border_title = "1 Request"
        self.query_one("#answer").border_title = "2 Answer"
        self.query_one("#bytes").add_class("pane")
        if self.draft.method:
            self.use_method(self.draft.method, self.draft.messages)
        else:
            self.choose_method()
        self.show_title()

    def show_title(self) -> None:
        """The method, where it goes, and how the call is."""
        method = self.method.name
        parts = [f"[b]{_plain(method) or 'no method'}[/b]", self.method.kind if method else ""]
        parts.append(_plain(self.draft.target) or "no target")
        self.query_one("#title", Static).update("  ".join(filter(None, parts)))

    # --- the method ----------------------------------------------------------------------------------------------

    def use_method(self, name: str, messages: tuple[bytes, ...] = ()) -> None:
        """Makes the request one of this method."""
        self.method = method_of(self.schema, name)
        data = messages[0] if messages else b""
        schema = self.schema or Schema.empty()
        try:
            self.edited = InStep(schema, self.method.request or UNTYPED, data)
        except InspectorError as error:
            self.tell(error)
            return
        self.draft = self.draft._replace(method=self.method.name)
        self.show_request()
        self.show_title()
        self.query_one("#text").focus()

    @work(exclusive=True, group="choose", exit_on_error=False)
    async def choose_method(self) -> None:
        """Lets the user choose among the methods of the schema, or of the server."""
        if self.schema is None and not await self._learn():
            return
        assert self.schema is not None
        choices = [Choice(each.label, f"{each.detail}  {each.kind}", each.name) for each in methods_of(self.schema)]
        if not choices:
            self.notify("the schema has no services", severity="warning")
            return
        self.app.push_screen(Picker("Method", choices, current=self.method.name), self._method_chosen)

    async def _learn(self) -> bool:
        """Asks the server for its schema; whether there is one now."""
        try:
            client = await self._connect(reached(self.draft))
            self.schema = await client.schema()
        except InspectorError as error:
            self.tell(error)
            return False
        return True

    def _method_chosen(self, name: Any) -> None:
        if name is not None and (name != self.method.name or self.edited is None):
            self.use_method(name)

    def action_choose_method(self) -> None:
        self.choose_method()

    # --- the request ---------------------------------------------------------------------------------------------

    def show_request(self) -> None:
        """Shows the request in the tab that is open, its bytes, and what is wrong."""
        if self.edited is None:
            return
        area = self.query_one("#text", TextArea)
        text = self.edited.text(self._tab)
        if area.text != text:
            area.load_text(text)
        self.show_state()

    def show_state(self) -> None:
        """Shows bytes, size and errors of the request."""
        if self.edited is None:
            return
        data = self.edited.data
        view = self.query_one(ByteView)
        view.show_data(data or b"")
        view.border_title = "3 Bytes of the request"
        size = f"{len(data):,} B" if data is not None else "not whole"
        self.query_one("#request").border_subtitle = size
        note = self.query_one("#note", Static)
        problem = self.edited.problem
        note.set_class(problem is not None, "-bad")
        note.update(str(problem) if problem is not None else "")

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if self.edited is not None and event.text_area.id == "text":
            self.edited.enter(self._tab, event.text_area.text)
            self.show_state()

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        if event.tabs.id == "request-tabs" and event.tab.id is not None:
            self._tab = event.tab.id
            self.show_request()

    # --- sending -------------------------------------------------------------------------------------------------

    def action_send(self) -> None:
        if self.edited is None:
            self.choose_method()
            return
        if self.is_under_way:
            self.notify("the call is under way: F7 cancels it", severity="warning")
            return
        data = self.edited.data
        if data is None:
            self.notify(f"it cannot be sent: {self.edited.errors} places are wrong", severity="error")
            return
        self._begin(data)

    def _begin(self, data: bytes) -> None:
        try:
            wanted = reached(self.draft)
            types = self.method.request, self.method.response
            exchange = Exchange(self.schema, self.method.name, types, wanted, self._came)
        except InspectorError as error:
            self.tell(error)
            return
        self.exchange, self._shown, self._follows = exchange, None, True
        self.selected = Selection(NUMBER)
        exchange.send(data)
        exchange.end()
        self.make_call(exchange, wanted)

    @work(group="call", exit_on_error=False)
    async def make_call(self, exchange: Exchange, wanted: Reached) -> None:
        """Makes a call, to its end."""
        client = await self._connect(wanted)
        await exchange.run(client.channel)
        self.post_message(CallEnded(self.draft, exchange))

    @property
    def is_under_way(self) -> bool:
        return self.exchange is not None and self.exchange.state != ENDED

    async def _connect(self, wanted: Reached) -> AsyncClient:
        """The client for a target and settings: the last one where they are the same."""
        if self._client is not None and self._client[0][:2] == wanted[:2]:
            return self._client[1]
        await self._disconnect()
        settings = wanted.connect
        client = AsyncClient(
            wanted.target, plaintext=settings.plaintext, insecure=settings.insecure, cacert=settings.cacert,
            cert=settings.cert, key=settings.key, authority=settings.authority, servername=settings.servername,
            connect_timeout=settings.connect_timeout, keepalive_time=settings.keepalive_time,
            user_agent=settings.user_agent, schema=self.schema,
        )  # fmt: skip
        self._client = wanted, client
        return client

    async def _disconnect(self) -> None:
        if self._client is not None:
            (_, client), self._client = self._client, None
            await client.close()

    async def on_unmount(self) -> None:
        await self._disconnect()

    # --- what comes back -----------------------------------------------------------------------------------------

    def _came(self) -> None:
        """Something came: it is shown once the loop has time."""
        self.call_later(self.show_answer)

    def show_answer(self) -> None:
        """Shows what came so far."""
        exchange = self.exchange
        if exchange is None or not self.is_attached:
            return
        rows = self.query_one(MessageList)
        count = exchange.message_count(NUMBER)
        place = count - 1 if self._follows else min(self.selected.message, count - 1)
        self.selected = self.selected._replace(message=max(0, place))
        rows.show_call(NUMBER)
        rows.show(self.selected)
        self._show_message()
        self.query_one("#answer").border_subtitle = _plain(self._state())
        self.query_one(Details).update()

    def _state(self) -> str:
        exchange = self.exchange
        if exchange is None:
            return ""
        if exchange.error is not None:
            return safe(str(exchange.error))
        call = exchange.call
        if call is None:
            return {CONNECTING: "connecting", OPEN: "open", SENT: "waiting for the answer"}.get(exchange.state, "")
        status = "".join(text for _, text in conversation.status_line(call))
        return f"{status}  {duration(call.duration)}"

    def _show_message(self) -> None:
        exchange = self.exchange
        message = exchange.message(NUMBER, self.selected.message) if exchange is not None else None
        if exchange is None or message is self._shown:
            return
        self._shown = message
        self.message_tree = None if message is None else exchange.tree(message)
        self.query_one(FieldList).show_tree(self.message_tree)

    def on_chosen(self, event: Chosen) -> None:
        event.stop()
        if event.origin == "messages":
            self.selected = event.selection
            self._follows = self.selected.message == self.message_count(NUMBER) - 1
            self._show_message()
            self.query_one(Details).update()

    def _details(self, tab: str) -> list[Line]:
        exchange = self.exchange
        call = exchange.so_far if exchange is not None else None
        if exchange is None or call is None:
            return [[("dim", "nothing was sent yet")]] if exchange is None else self._failure(exchange)
        if tab == "json":
            message = exchange.message(NUMBER, self.selected.message)
            return [] if message is None else self._json(exchange, message)
        if tab == "headers":
            return call_facts.headers(call)
        if tab == "trailers":
            return call_facts.trailers(call, exchange.decode_details)
        if tab == "problems":
            return self._failure(exchange)
        return self._timing(exchange, call)

    def _json(self, exchange: Exchange, message: Message) -> list[Line]:
        if len(message.data or b"") > LONGEST_JSON:
            return [[("dim", f"over {LONGEST_JSON:,} bytes")]]
        return message_lines(exchange.decode(message), bare=True)

    def _failure(self, exchange: Exchange) -> list[Line]:
        if exchange.error is None:
            return [[("", safe(exchange.note))]] if exchange.note else [[("dim", "none")]]
        return [[("bad", safe(str(exchange.error)))]]

    def _timing(self, exchange: Exchange, call: Call) -> list[Line]:
        return [*call_facts.summary(call), *live.step_lines(exchange.steps)]

    def tell(self, error: InspectorError) -> None:
        """Says what is wrong."""
        self.notify(safe(str(error)), severity="error", timeout=10, markup=False)


def _tab_name(name: str) -> str:
    return {"json": "JSON", "yaml": "YAML"}.get(name, name.capitalize())


def _plain(text: str) -> str:
    """Text that no markup is read in."""
    return safe(text).replace("[", "\\[")
