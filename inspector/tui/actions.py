"""All that a key does, in one place: keys, palette, footer, help and the table in docs/tui.md are made of this.

An action belongs to a context, which is a screen, a pane or the whole program. The keys of a pane hold where it has the
focus, those of its screen and of the program everywhere in them. Ids are stable: a keymap names them.
"""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType


class Action(NamedTuple):
    """`call` is what Textual runs, `keys` are those that run it (Textual's names), `title` is its line in palette and
    help, `footer` its word in the footer, if it stands there."""

    context: str
    name: str
    keys: str
    call: str
    title: str
    footer: str = ""

    @property
    def id(self) -> str:
        return f"{self.context}.{self.name}"


CONTEXTS = {
    "app": "Everywhere",
    "browse": "Browsing",
    "list": "In every list",
    "calls": "Calls",
    "messages": "Messages",
    "fields": "Fields",
    "bytes": "Bytes",
    "details": "Details",
    "compose": "Composing",
    "picker": "Choosing",
}
"""What contexts are called, in the order of the docs."""

ACTIONS = (
    Action("app", "help", "question_mark,f1", "help", "Keys of what has the focus", "help"),
    Action("app", "palette", "ctrl+p", "command_palette", "Find a command by its name", "commands"),
    Action("app", "theme", "", "change_theme", "Choose colours"),
    Action("app", "quit", "q,ctrl+q", "quit", "Quit", ""),
    Action("browse", "calls", "1", "focus_pane('calls')", "Go to the calls"),
    Action("browse", "fields", "2", "focus_pane('fields')", "Go to the fields"),
    Action("browse", "bytes", "3", "focus_pane('bytes')", "Go to the bytes"),
    Action("browse", "details", "4", "focus_pane('details')", "Go to headers, trailers, JSON, problems"),
    Action("browse", "next_pane", "tab", "app.focus_next", "Next pane"),
    Action("browse", "previous_pane", "shift+tab", "app.focus_previous", "Previous pane"),
    Action("browse", "maximise", "backslash", "toggle_maximised", "One pane only, or all"),
    Action("browse", "filter", "slash", "focus_filter", "Filter calls", "filter"),
    Action("browse", "next_message", "right_square_bracket", "step_message(1)", "Next message of the call", "message"),
    Action("browse", "previous_message", "left_square_bracket", "step_message(-1)", "Previous message of the call"),
    Action("browse", "follow", "f", "toggle_follow", "Follow a growing capture: the newest call stays selected"),
    Action("list", "down", "j,down", "move(1)", "One row down"),
    Action("list", "up", "k,up", "move(-1)", "One row up"),
    Action("list", "page_down", "pagedown,ctrl+d", "move_page(1)", "A page down"),
    Action("list", "page_up", "pageup,ctrl+u", "move_page(-1)", "A page up"),
    Action("list", "first", "g,home", "move_to_end(False)", "First row"),
    Action("list", "last", "G,end", "move_to_end(True)", "Last row"),
    Action("list", "choose", "enter", "choose", "Look into it"),
    Action("calls", "sort", "s", "sort_next", "Sort by the next column", "sort"),
    Action("calls", "reverse", "S", "reverse", "Sort the other way round"),
    Action("fields", "open", "l,right", "open", "Open, or go to the first field within"),
    Action("fields", "close", "h,left", "close", "Close, or go to the field around"),
    Action("fields", "toggle", "space", "toggle_open", "Open or close", "open"),
    Action("fields", "open_all", "E", "open_all", "Open all within"),
    Action("bytes", "left", "h,left", "move_byte(-1)", "One byte back"),
    Action("bytes", "right", "l,right", "move_byte(1)", "One byte on"),
    Action("details", "next_tab", "l,right", "step_tab(1)", "Next tab"),
    Action("details", "previous_tab", "h,left", "step_tab(-1)", "Previous tab"),
    Action("compose", "send", "f5", "send", "Send", "send"),
    Action("compose", "method", "ctrl+o", "choose_method", "Choose a method", "method"),
    Action("picker", "down", "down,ctrl+n", "move(1)", "One row down"),
    Action("picker", "up", "up", "move(-1)", "One row up"),
    Action("picker", "page_down", "pagedown", "move_page(1)", "A page down"),
    Action("picker", "page_up", "pageup", "move_page(-1)", "A page up"),
    Action("picker", "leave", "escape", "leave", "Choose nothing"),
)


def bindings(context: str) -> list[BindingType]:
    """The keys of a context, for a widget, a screen or the program."""
    return [
        Binding(
            each.keys, each.call, each.title if not each.footer else each.footer, show=bool(each.footer),
            tooltip=each.title, id=each.id,
        )
        for each in ACTIONS
        if each.context == context and each.keys
    ]  # fmt: skip
