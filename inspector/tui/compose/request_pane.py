"""The request: its message as form and text, its metadata, and where it goes."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as TextualMessage
from textual.widget import Widget
from textual.widgets import Static, Tab, Tabs, TextArea

from inspector.schema import Schema
from inspector.transcode.tree import FieldNode
from inspector.tui.compose.call_lists import HoldsDraft, MetadataList, SettingsList
from inspector.tui.compose.edit_list import EditPane
from inspector.tui.compose.form_list import FormList
from inspector.views.form.bytes_of import node_at
from inspector.views.form.in_step import TEXTS, InStep
from inspector.views.form.model import Form

TABS = ("form", *TEXTS, "metadata", "settings")

_NAMES = {"json": "JSON", "yaml": "YAML"}

MOST_LINKED = 1_000_000
"""Bytes of a request in which the field under the cursor is shown."""

AT_ONCE = 20_000
"""Characters of a text that is read at each key; a longer one is when the keys rest."""

REST = 0.4
"""Seconds without a key."""


class RequestChanged(TextualMessage):
    """The message is another one, or the cursor on another field of it."""


class RequestPane(Vertical):
    """One message at a time, in the tab that is open."""

    DEFAULT_CSS = """
    RequestPane {
        & > Tabs { height: 1; }
        & > Tabs Underline { display: none; }
        & > Tabs .-active { text-style: reverse; }
        & > Vertical { display: none; height: 1fr; }
        & > .-shown { display: block; }
        & #text { border: none; padding: 0; height: 1fr; }
        & #problem { height: 1; padding: 0 1; color: $foreground-muted; }
        & #problem.-bad { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, holder: HoldsDraft) -> None:
        super().__init__(id="request", classes="pane")
        self.edited: InStep | None = None
        self.schema: Schema | None = None
        self.shown_tab = "form"
        self.border_title = "1 Request"
        self._holder = holder

    def compose(self) -> ComposeResult:
        tabs = Tabs(*(Tab(_NAMES.get(name, name.capitalize()), id=name) for name in TABS), id="request-tabs")
        tabs.can_focus = False
        yield tabs
        yield EditPane(FormList(), "form-pane")
        with Vertical(id="text-pane"):
            yield TextArea(id="text", show_line_numbers=True)
            yield Static(id="problem", markup=False)
        yield EditPane(MetadataList(self._holder), "metadata-pane")
        yield EditPane(SettingsList(self._holder), "settings-pane")

    def show(self, edited: InStep, schema: Schema | None) -> None:
        """Shows a message."""
        self.edited, self.schema = edited, schema
        self.update()

    def update(self) -> None:
        """Shows what there is now in the tab that is open."""
        for name in ("form", "text", "metadata", "settings"):
            self.query_one(f"#{name}-pane").set_class(name == self._widget, "-shown")
        if self.edited is not None and self.shown_tab in TEXTS:
            area = self.query_one("#text", TextArea)
            text = self.edited.text(self.shown_tab)
            if area.text != text:
                area.load_text(text)
            area.read_only = not self.edited.takes(self.shown_tab)
        elif self.edited is not None and self.shown_tab == "form":
            pane = self.query_one("#form-pane", EditPane)
            self.query_one(FormList).show_form(self.edited.form if self.edited.takes("form") else None, self.schema)
            pane.show_note() if self.edited.takes("form") else pane.tell(str(self.edited.problem), True)
        elif self.shown_tab != "form" and self.shown_tab not in TEXTS:
            self.query_one(f"#{self.shown_tab}-pane", EditPane).show_note()
        self._tell()

    def _tell(self) -> None:
        """Says how large the message is, or what is wrong with it."""
        if self.edited is None:
            return
        data, errors = self.edited.data, self.edited.errors
        wrong = f"not whole: {errors} place{'' if errors == 1 else 's'} wrong"
        self.border_subtitle = f"{len(data):,} B" if data is not None else wrong
        problem = self.edited.problem
        line = self.query_one("#problem", Static)
        line.set_class(problem is not None, "-bad")
        line.update(f"! {problem}" if problem is not None else "", layout=False)
        self.screen.post_message(RequestChanged())

    # --- tabs ----------------------------------------------------------------------------------------------------

    @property
    def _widget(self) -> str:
        return "text" if self.shown_tab in TEXTS else self.shown_tab

    def show_tab(self, name: str) -> None:
        """Opens a tab, unless what is typed in a row of this one will not do."""
        if self.read_text() is None:
            self.shown_tab = name
        self.query_one("#request-tabs", Tabs).active = self.shown_tab
        self.update()
        self.focus_content()

    def focus_content(self) -> None:
        self.query_one(f"#{self._widget}", Widget).focus()

    def next_text(self) -> None:
        """The next of the text forms."""
        place = TEXTS.index(self.shown_tab) + 1 if self.shown_tab in TEXTS else 0
        self.show_tab(TEXTS[place % len(TEXTS)])

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        event.stop()
        if event.tab.id is not None and event.tab.id != self.shown_tab:
            self.show_tab(event.tab.id)

    # --- changes -------------------------------------------------------------------------------------------------

    def form_changed(self, form: Form | None) -> None:
        """The user changed a value in a form, which may not be seen any more when that is told."""
        if self.edited is not None and self.edited.form is form:
            self.edited.form_changed()
            self._tell()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if len(event.text_area.text) <= AT_ONCE:
            self.read_text()
        else:
            self._typed += 1
            typed = self._typed
            self.set_timer(REST, lambda: self.read_text() if typed == self._typed else None)

    _typed = 0

    def read_text(self) -> str | None:
        """Takes what was typed as it is now: in a row that is edited, and the text. What is wrong, where it will not do
        in its row."""
        for pane in self.query(EditPane):
            is_typed_in, error = pane.is_typed_in, pane.settle()
            if error is not None:
                pane.mend()
                return error
            if is_typed_in and pane.id == "form-pane" and self.edited is not None:
                self.form_changed(self.edited.form)
        if self.edited is not None and self.shown_tab in TEXTS and self.edited.takes(self.shown_tab):
            self.edited.enter(self.shown_tab, self.query_one("#text", TextArea).text)
            self._tell()
        return None

    def show_next_error(self) -> None:
        """Goes to a place that is wrong, where it is one of the form."""
        if self.edited is not None and self.edited.problem is None:
            self.show_tab("form")
            self.query_one(FormList).action_next_error()

    @property
    def chosen_node(self) -> FieldNode | None:
        """The field under the cursor, among the bytes of the message."""
        edited = self.edited
        if edited is None or self.shown_tab != "form" or edited.is_raw:
            return None
        row, data = self.query_one(FormList).selected, edited.data
        if row is None or not row.is_set or data is None or len(data) > MOST_LINKED:
            return None
        return node_at(edited.tree, row.path)
