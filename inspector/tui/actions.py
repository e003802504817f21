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
    "filter": "While a filter is typed",
    "search": "While one types what to look for",
    "list": "In every list",
    "calls": "Calls",
    "messages": "Messages",
    "fields": "Fields",
    "bytes": "Bytes",
    "details": "Details",
    "diff": "What differs",
    "dialog": "In a box above the others",
    "compose": "Composing",
    "form": "Form",
    "settings": "Settings",
    "metadata": "Metadata",
    "editor": "Editing a row",
    "large_editor": "Editing in a window",
    "picker": "Choosing",
    "saved": "Saved requests",
    "history": "What was sent",
}
"""What contexts are called, in the order of the docs."""

ACTIONS = (
    Action("app", "help", "question_mark,f1", "help", "Keys of what has the focus", "help"),
    Action("app", "palette", "ctrl+p", "command_palette", "Find a command by its name", "commands"),
    Action("app", "jump", "comma", "jump", "Jump to a pane, tab or control by its letter", "jump"),
    Action("app", "open_request", "ctrl+l", "open_request", "Open a request that was saved"),
    Action("app", "history", "f10", "show_history", "What was sent: search it, send it again"),
    Action("app", "paste_command", "P", "paste_command", "Paste a command of grpcurl, inspector call or buf curl"),
    Action("app", "open_file", "ctrl+t", "open_file", "Open another file in a tab"),
    Action(
        "app", "open_text", "ctrl+v", "open_text", "Open a payload that is pasted: hexadecimal, base64, a dump, JSON"
    ),
    Action("app", "next_file", "right_parenthesis,ctrl+pagedown", "step_file(1)", "Next file"),
    Action("app", "previous_file", "left_parenthesis,ctrl+pageup", "step_file(-1)", "File before"),
    Action("app", "close_file", "ctrl+w", "close_file", "Close the file of this tab"),
    Action("app", "theme", "", "change_theme", "Choose colours"),
    Action("app", "export", "", "export", "Save the screen as a picture (SVG)"),
    Action("app", "suspend", "ctrl+z", "suspend_process", "Back to the shell (fg returns)"),
    Action("app", "quit", "q,ctrl+q", "quit", "Quit", "quit"),
    Action("browse", "calls", "1", "focus_pane('calls')", "Go to the calls"),
    Action("browse", "fields", "2", "focus_pane('fields')", "Go to the fields"),
    Action("browse", "bytes", "3", "focus_pane('bytes')", "Go to the bytes"),
    Action("browse", "details", "4", "focus_pane('details')", "Go to headers, trailers, JSON, problems"),
    Action("browse", "next_pane", "tab", "app.focus_next", "Next pane"),
    Action("browse", "previous_pane", "shift+tab", "app.focus_previous", "Previous pane"),
    Action("browse", "maximise", "backslash", "toggle_maximised", "One pane only, or all"),
    Action("browse", "smaller", "less_than_sign", "resize(-1)", "Make the pane smaller"),
    Action("browse", "larger", "greater_than_sign", "resize(1)", "Make the pane larger"),
    Action("browse", "flip", "vertical_line", "flip", "Fields and bytes beside or above one another"),
    Action("browse", "go_to", "colon", "go_to", "Go to a call, an offset or a field"),
    Action("browse", "mark", "m", "mark", "Mark this place with a letter"),
    Action("browse", "go_to_mark", "apostrophe", "go_to_mark", "Go to a mark"),
    Action("browse", "filter", "slash", "focus_filter", "Filter calls", "filter"),
    Action("browse", "next_message", "right_square_bracket", "step_message(1)", "Next message of the call", "message"),
    Action("browse", "previous_message", "left_square_bracket", "step_message(-1)", "Previous message of the call"),
    Action("browse", "next_source", "right_curly_bracket", "step_source(1)", "Next bytes: frame, message, nested ..."),
    Action("browse", "previous_source", "left_curly_bracket", "step_source(-1)", "Bytes before these"),
    Action("browse", "pause_reading", "p", "pause_reading", "Stop reading the file here, or go on"),
    Action("browse", "follow", "f", "toggle_follow", "Follow a growing capture: the newest call stays selected"),
    Action(
        "browse", "copy", "c", "copy", "Copy a value, a path, a message, a command that makes the call again", "copy"
    ),
    Action("browse", "editor", "o", "open_editor('json')", "Open the message in $EDITOR, as JSON"),
    Action("browse", "editor_yaml", "", "open_editor('yaml')", "Open the message in $EDITOR, as YAML"),
    Action("browse", "editor_text", "", "open_editor('text')", "Open the message in $EDITOR, as protobuf text"),
    Action("browse", "pager", "O", "open_pager", "Show the call in $PAGER"),
    Action("browse", "secrets", "", "toggle_secrets", "Show credentials in headers, or mask them again"),
    Action("browse", "add_schema", "a", "add_schema", "Add a schema: a path, a server or a profile"),
    Action("browse", "filter_by", "asterisk", "filter_by_this", "Filter calls by the field or call under the cursor"),
    Action("browse", "stop", "escape", "stop", "Stop a filter or search that is under way"),
    Action("filter", "leave", "escape", "leave", "Back to the calls"),
    Action("filter", "complete", "tab", "complete", "Complete the name of a field"),
    Action("filter", "earlier", "up", "recall(1)", "The filter before"),
    Action("filter", "later", "down", "recall(-1)", "The filter after"),
    Action("search", "leave", "escape", "leave", "Back to the list"),
    Action("browse", "diff", "d", "diff", "What differs: picks the left side, then compares it with another"),
    Action(
        "browse", "diff_mark", "equals_sign", "diff_mark", "What differs between a mark and this; the last one again"
    ),
    Action("browse", "save", "w", "save", "Save the message or the call as a file"),
    Action("browse", "edit", "e", "edit_call", "Edit the request, and send it", "edit"),
    Action("browse", "duplicate", "D", "duplicate_call", "A new request like this one"),
    Action("browse", "replay", "r", "replay_call", "Send the request again as it is, and compare the answer", "replay"),
    Action("browse", "edit_replay", "R", "edit_and_replay", "Edit the request, send it, and compare the answer"),
    Action("list", "down", "j,down", "move(1)", "One row down"),
    Action("list", "up", "k,up", "move(-1)", "One row up"),
    Action("list", "page_down", "pagedown,ctrl+d", "move_page(1)", "A page down"),
    Action("list", "page_up", "pageup,ctrl+u", "move_page(-1)", "A page up"),
    Action("list", "first", "g,home", "move_to_end(False)", "First row"),
    Action("list", "last", "G,end", "move_to_end(True)", "Last row"),
    Action("list", "search", "ctrl+f", "search", "Look for text, /an expression/ or bytes (x:0a05) in this list"),
    Action("list", "next_match", "n", "next_match(True)", "Next match"),
    Action("list", "previous_match", "N", "next_match(False)", "Match before"),
    Action("list", "choose", "enter", "choose", "Look into it"),
    Action("calls", "sort", "s", "sort_next", "Sort by the next column", "sort"),
    Action("calls", "reverse", "S", "reverse", "Sort the other way round"),
    Action("calls", "columns", "C", "choose_columns", "Choose the columns of the list"),
    Action("fields", "open", "l,right", "open", "Open, or go to the first field within"),
    Action("fields", "close", "h,left", "close", "Close, or go to the field around"),
    Action("fields", "toggle", "space", "toggle_open", "Open or close", "open"),
    Action("fields", "open_all", "E", "open_all", "Open all within"),
    Action("fields", "read_as", "t", "screen.read_as", "Read a guessed field as something else"),
    Action("bytes", "left", "h,left", "move_byte(-1)", "One byte back"),
    Action("bytes", "right", "l,right", "move_byte(1)", "One byte on"),
    Action("details", "next_tab", "l,right", "step_tab(1)", "Next tab"),
    Action("details", "previous_tab", "h,left", "step_tab(-1)", "Previous tab"),
    Action("diff", "next", "n", "next_difference(True)", "Next difference", "next"),
    Action("diff", "previous", "N", "next_difference(False)", "Difference before"),
    Action("diff", "left", "h,left", "go(False)", "Show the field on the left in the browser", "left"),
    Action("diff", "right", "l,right", "go(True)", "Show the field on the right in the browser", "right"),
    Action("diff", "equal", "e", "toggle_equal", "Show all that is equal, or fold it", "equal"),
    Action("diff", "leave", "escape", "screen.leave", "Back to the browser", "back"),
    Action("diff", "copy", "c", "screen.copy_diff", "Copy the differences, or a value", "copy"),
    Action("diff", "swap", "x", "screen.swap", "Left becomes right", "swap"),
    Action("diff", "fold", "space", "toggle_fold", "Open or close what is equal here", "open"),
    Action("diff", "layout", "v", "toggle_layout", "Both sides beside or above one another"),
    Action("dialog", "leave", "escape,q", "leave", "Close it", "close"),
    Action("compose", "send", "f5", "send", "Send", "send"),
    Action("compose", "method", "ctrl+o", "choose_method", "Choose a method", "method"),
    Action("compose", "form", "f2", "show_tab('form')", "The request as a form"),
    Action(
        "compose",
        "text",
        "f3",
        "next_text",
        "The request as text: JSON, YAML, text format, protoscope by turns",
        "text",
    ),
    Action("compose", "metadata", "f4", "show_tab('metadata')", "Metadata of the request", "metadata"),
    Action("compose", "settings", "f6", "show_tab('settings')", "Where it goes, and how", "settings"),
    Action("compose", "save", "ctrl+s", "save", "Save the request as a file"),
    Action("compose", "cancel", "f7", "cancel_call", "Give the call up"),
    Action("compose", "end", "f8", "end_requests", "No more requests: the end of a stream"),
    Action("compose", "send_all", "f9", "send_all", "Send all messages of the request, and end it"),
    Action("compose", "next_request", "right_curly_bracket", "step_request(1)", "Next message of the request"),
    Action("compose", "previous_request", "left_curly_bracket", "step_request(-1)", "Message of the request before"),
    Action("compose", "add_request", "plus", "add_request", "Add a message to the request, like this one"),
    Action("compose", "remove_request", "minus", "remove_request", "Remove this message from the request"),
    Action("compose", "next_message", "right_square_bracket", "step_message(1)", "Next message that came or went"),
    Action("compose", "previous_message", "left_square_bracket", "step_message(-1)", "Previous message"),
    Action("compose", "request", "1", "focus_pane('request')", "Go to the request"),
    Action("compose", "answer", "2", "focus_pane('fields')", "Go to the answer"),
    Action("compose", "bytes", "3", "focus_pane('bytes')", "Go to the bytes"),
    Action("compose", "details", "4", "focus_pane('details')", "Go to headers, trailers, JSON, problems"),
    Action("compose", "next_pane", "tab", "app.focus_next", "Next pane"),
    Action("compose", "previous_pane", "shift+tab", "app.focus_previous", "Previous pane"),
    Action("compose", "leave", "escape", "leave", "Back to the capture"),
    Action("form", "open", "l,right", "open", "Open, or go to the first field within"),
    Action("form", "close", "h,left", "close", "Close, or go to the field around"),
    Action("form", "toggle", "space", "toggle_open", "Open or close; true or false"),
    Action("form", "add", "a", "add", "Add an element, or an entry under a key", "add"),
    Action("form", "clear", "x,delete", "clear", "Unset, or remove the element", "unset"),
    Action("form", "move_down", "J,shift+down", "shift(1)", "Move the element down"),
    Action("form", "move_up", "K,shift+up", "shift(-1)", "Move the element up"),
    Action("form", "rename", "N", "rename", "Give the entry another key"),
    Action("form", "large", "E", "edit_large", "Edit the value in a window of its own"),
    Action("form", "now", "t", "set_now", "Set a time to now"),
    Action("form", "zone", "z", "toggle_zone", "Times in the local zone, or in UTC"),
    Action("form", "bytes", "b", "next_bytes", "Bytes as text, hexadecimal, base64 by turns"),
    Action("form", "undo", "u,ctrl+z", "undo", "Undo", "undo"),
    Action("form", "redo", "ctrl+r,ctrl+y", "redo", "Redo"),
    Action("form", "find", "slash", "find", "Find a field by its name", "find"),
    Action("form", "next_error", "n", "next_error", "Next place that is wrong"),
    Action("settings", "clear", "x,delete", "clear", "Take the setting away", "clear"),
    Action("metadata", "toggle", "space", "toggle_enabled", "Send the field, or not", "send or not"),
    Action("metadata", "add", "a", "add", "Add a field", "add"),
    Action("metadata", "clear", "x,delete", "clear", "Remove the field", "remove"),
    Action("editor", "leave", "escape", "leave", "Leave it as it was"),
    Action("editor", "go_on", "tab", "go_on", "Take it, and edit the next row"),
    Action("large_editor", "take", "ctrl+s", "take", "Take it", "take it"),
    Action("large_editor", "leave", "escape", "leave", "Leave it as it was", "leave it"),
    Action("picker", "down", "down,ctrl+n", "move(1)", "One row down"),
    Action("picker", "up", "up", "move(-1)", "One row up"),
    Action("picker", "page_down", "pagedown", "move_page(1)", "A page down"),
    Action("picker", "page_up", "pageup", "move_page(-1)", "A page up"),
    Action("picker", "leave", "escape", "leave", "Choose nothing"),
    Action("saved", "rename", "f2", "rename", "Give the request another name"),
    Action("saved", "remove", "f8", "remove", "Remove the request"),
    Action("history", "remove", "f8", "remove", "Remove the request"),
    Action("history", "remove_all", "f9", "remove_all", "Remove all requests"),
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
