"""The selected message or call as a file: for tests, and for all that reads captures."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path, PurePath
from typing import NamedTuple

from textual import work

from inspector.errors import InspectorError
from inspector.model.call import Call, Message
from inspector.session import DecodedMessage
from inspector.tui import kept_files
from inspector.tui.browse.copying import Copying
from inspector.tui.menu import Entry, Menu
from inspector.tui.prompts import AskText, Confirm
from inspector.views import file_forms
from inspector.views.file_forms import FileForm
from inspector.views.safe_text import safe
from inspector.views.times import size


class Saving(Copying):
    """Asks for the form, then for the name. Nothing is overwritten unasked."""

    shows_secrets: bool

    def action_save(self) -> None:
        number, message = self.selected.call, self.message
        call = self.document.call(number) if number else None
        forms = [*self._of_message(), *(self._of_call(call) if call is not None else ())]
        if not forms:
            self.notify("there is nothing to save yet", markup=False)
            return
        entries = []
        for is_of_call, group in groupby(forms, key=lambda form: form.is_of_call):
            title = f"Call {number}{self._told_credentials(call)}" if is_of_call else "Its message"
            entries += [Entry("", title), *(Entry(form.letter, form.title, form.suffix) for form in group)]

        def chosen(letter: str | None) -> None:
            found = next((form for form in forms if form.letter == letter), None)
            if found is not None:
                self._ask_name(_Wanted(found, call, message, self.shows_secrets))

        self.app.push_screen(Menu("Save", entries), chosen)

    def _of_message(self) -> list[FileForm]:
        content = self._content()
        return file_forms.of_message(content) if content is not None else []

    def _of_call(self, call: Call) -> list[FileForm]:
        document, session = self.document, self.document.session.for_thread()

        def messages() -> list[DecodedMessage]:
            places = range(document.message_count(call.number))
            found = (document.message(call.number, place) for place in places)
            return [session.decode(message) for message in found if message is not None]

        return file_forms.of_call(call, messages, session.decode_details, show_secrets=self.shows_secrets)

    def _told_credentials(self, call: Call | None) -> str:
        if call is None or not file_forms.has_credentials(call):
            return ""
        return ": with its credentials" if self.shows_secrets else ": credentials in headers are masked"

    def _ask_name(self, wanted: _Wanted) -> None:
        form, call = wanted.form, wanted.call
        method = call.method if call is not None else None
        suggestion = file_forms.suggested(
            method or PurePath(self.document.name).stem,
            call.number if call is not None else None,
            None if form.is_of_call else wanted.message,
            form.suffix,
        )

        def named(text: str | None) -> None:
            if text is not None:
                self._ask_to_replace(wanted, kept_files.checked(text))

        self.app.push_screen(AskText(f"Save {form.title} as", kept_files.checked, suggestion), named)

    def _ask_to_replace(self, wanted: _Wanted, path: Path) -> None:
        def answered(is_sure: bool | None) -> None:
            if is_sure:
                self._save(wanted, path, replaces=True)

        if path.exists():
            self.app.push_screen(Confirm(f"{safe(str(path))} is there already. Overwrite it?"), answered)
        else:
            self._save(wanted, path, replaces=False)

    @work(thread=True, group="save", exit_on_error=False)
    def _save(self, wanted: _Wanted, path: Path, *, replaces: bool) -> None:
        try:
            data = wanted.form.make()
            kept_files.write(path, data, is_private=wanted.is_private, replaces=replaces)
        except InspectorError as error:
            self.app.call_from_thread(self.complain, error)
            return
        said = f"saved {path}, {size(len(data))}{wanted.note}"
        self.app.call_from_thread(self.notify, safe(said), timeout=10, markup=False)


class _Wanted(NamedTuple):
    """What is to be saved."""

    form: FileForm
    call: Call | None
    message: Message | None
    shows_secrets: bool

    @property
    def has_credentials(self) -> bool:
        return self.form.with_headers and self.call is not None and file_forms.has_credentials(self.call)

    @property
    def is_private(self) -> bool:
        """Whether nobody else may read it."""
        return self.has_credentials and self.shows_secrets

    @property
    def note(self) -> str:
        """What is to be said of it."""
        if self.is_private:
            return "; credentials are in it, and only you can read it"
        if self.has_credentials:
            return "; credentials in its headers are masked"
        problem = self.message.problem if self.message is not None and not self.form.is_of_call else None
        return f"; not whole: {problem.message}" if problem is not None else ""
