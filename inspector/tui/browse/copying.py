"""What is taken out of the browser: copies, and what an editor or a pager shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual import work

from inspector.errors import InspectorError
from inspector.tui import external, private_files
from inspector.tui.browse.browser import Browser
from inspector.tui.browse.field_list import FieldList
from inspector.tui.copier import Copier
from inspector.tui.menu import Entry, Menu
from inspector.views import copies
from inspector.views.conversation import call_lines
from inspector.views.copy_as import Request, request_of
from inspector.views.safe_text import safe

SUFFIXES = {"json": ".json", "yaml": ".yaml", "text": ".txtpb"}


class Copying(Browser, Copier):
    """What is taken away of the field, the message and the call that are selected."""

    def action_copy(self) -> None:
        groups = self._forms()
        if not groups:
            self.notify("there is nothing to copy yet", markup=False)
            return
        forms = {form.letter: form for group in groups.values() for form in group}
        entries = []
        for title, group in groups.items():
            entries += [Entry("", title), *(Entry(form.letter, form.title) for form in group)]

        def chosen(letter: str | None) -> None:
            if letter is not None:
                self.copy(forms[letter].title, forms[letter].make)

        self.app.push_screen(Menu("Copy", entries), chosen)

    def _forms(self) -> dict[str, list[copies.Form]]:
        """What can be copied, by what it is of."""
        groups: dict[str, list[copies.Form]] = {}
        node = self.query_one(FieldList).selected
        if node is not None:
            groups[f"The field {safe(node.path)}"] = copies.of_field(node, self.document.schema)
        content = self._content()
        if content is not None:
            groups["Its message"] = copies.of_message(content)
        if self.selected.call:
            groups[f"Call {self.selected.call}"] = copies.of_call(self._request)
        return groups

    def _content(self) -> copies.Content | None:
        tree = self.message_tree
        if tree is None or self.message is None:
            return None
        return copies.Content(tree.data, tree.type_name, self.document.schema, self.document.hints_of(self.message))

    def _request(self) -> Request:
        document, number = self.document, self.selected.call or 0
        call = document.call(number)
        if call is None:
            raise InspectorError(f"call {number} has not ended", hint="wait for it, or choose another one")
        messages = document.decode_all(number)
        return request_of(call, messages, document.sources, document.import_paths, schema=document.schema)

    # --- other programs ------------------------------------------------------------------------------------------

    def action_open_editor(self, form: str) -> None:
        content = self._content()
        if content is not None:
            name = f"message{SUFFIXES[form]}"
            self._show(lambda: content.as_text(form) + "\n", name, external.editor)

    def action_open_pager(self) -> None:
        if self.selected.call:
            self._show(self._call_text, "call.txt", external.pager)
        elif (content := self._content()) is not None:
            self._show(lambda: content.as_text("json") + "\n", "message.json", external.pager)

    def _call_text(self) -> str:
        """The call as `inspector show` prints it."""
        document, number = self.document, self.selected.call or 0
        call = document.call(number)
        if call is None:
            raise InspectorError(f"call {number} has not ended", hint="wait for it, or choose another one")
        lines = call_lines(call, document.decode_all(number), document.session.decode_details)
        return "".join("".join(text for _, text in line) + "\n" for line in lines)

    @work(thread=True, exclusive=True, group="copy", exit_on_error=False)
    def _show(self, make: Callable[[], str], name: str, command: Callable[[], list[str]]) -> None:
        try:
            words = command()
            path = private_files.keep(make().encode("utf-8", "backslashreplace"), name)
            path.chmod(0o400)
        except InspectorError as error:
            self.app.call_from_thread(self.complain, error)
            return
        self.app.call_from_thread(self._run, words, path)

    def _run(self, command: list[str], path: Path) -> None:
        try:
            external.run(self.app, command, path)
        except InspectorError as error:
            self.complain(error)
        finally:
            private_files.remove(path)
