"""What comes back: messages as they come, the fields of one, and how the call ended."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as TextualMessage
from textual.widgets import Static

from inspector.model.call import Message
from inspector.transcode.tree import FieldNode, FieldTree
from inspector.tui.browse.field_list import FieldList
from inspector.tui.browse.message_list import MessageList
from inspector.tui.compose.answer_facts import failure_text, state_text
from inspector.tui.compose.draft import Captured
from inspector.tui.compose.exchange import NUMBER, Exchange
from inspector.tui.selection import Chosen, Selection


class AnswerChanged(TextualMessage):
    """Another message or field is looked at, or more came."""


class AnswerPane(Vertical):
    """The messages of a call, both ways. The newest is looked at until the user chooses another one."""

    DEFAULT_CSS = """
    AnswerPane {
        & #failure { display: none; height: auto; max-height: 4; color: $text-error; text-style: bold; }
        & #failure.-shown { display: block; }
        & #messages { height: 1; }
        & #fields { height: 1fr; border: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="answer", classes="pane")
        self.exchange: Exchange | None = None
        self.origin: Captured | None = None
        self.selected = Selection(NUMBER)
        self.message_tree: FieldTree | None = None
        self.border_title = "2 Answer"
        self.border_subtitle = "F5 sends"
        self._shown: Message | None = None
        self._follows = True
        self._told = ""

    def message_count(self, number: int) -> int:
        return self.exchange.message_count(number) if self.exchange is not None else 0

    def message(self, number: int, place: int) -> Message | None:
        return self.exchange.message(number, place) if self.exchange is not None else None

    def compose(self) -> ComposeResult:
        yield Static(id="failure", markup=False)
        yield MessageList(self)
        yield FieldList()

    def show(self, exchange: Exchange, origin: Captured | None = None) -> None:
        """Shows another call from now on; `origin` is the one that it repeats."""
        self.exchange, self.origin, self._shown, self._follows = exchange, origin, None, True
        self.selected = Selection(NUMBER)
        self.update()

    def update(self) -> None:
        """Shows what came so far."""
        if self.exchange is None or not self.is_attached:
            return
        rows = self.query_one(MessageList)
        count = self.message_count(NUMBER)
        place = count - 1 if self._follows else min(self.selected.message, count - 1)
        self.selected = self.selected._replace(message=max(0, place))
        rows.show_call(NUMBER)
        rows.show(self.selected)
        self._show_message()
        self.border_subtitle = state_text(self.exchange, self.origin).replace("[", "\\[")
        told = failure_text(self.exchange)
        line = self.query_one("#failure", Static)
        if told != self._told:
            self._told = told
            line.update(told)
            line.set_class(bool(told), "-shown")
        self.screen.post_message(AnswerChanged())

    def _show_message(self) -> None:
        message = self.chosen_message
        if self.exchange is None or (message is self._shown and message is not None):
            return
        self._shown = message
        self.message_tree = None if message is None else self.exchange.tree(message)
        self.query_one(FieldList).show_tree(self.message_tree)

    @property
    def chosen_message(self) -> Message | None:
        """The message that is looked at."""
        return self.message(NUMBER, self.selected.message)

    @property
    def chosen_node(self) -> FieldNode | None:
        """The field of it that is."""
        return self.query_one(FieldList).selected

    def choose(self, selection: Selection, origin: str) -> None:
        """Takes what the user chose in a pane."""
        if origin == "messages":
            self.selected = selection
            self._follows = selection.message == self.message_count(NUMBER) - 1
            self._show_message()
        elif origin == "bytes":
            self.query_one(FieldList).show(selection)
        self.screen.post_message(AnswerChanged())

    def on_chosen(self, event: Chosen) -> None:
        event.stop()
        self.choose(event.selection, event.origin)

    def step_message(self, step: int) -> None:
        """The next message, or the one before."""
        self.query_one(MessageList).action_move(step)
