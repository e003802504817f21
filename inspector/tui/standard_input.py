"""What is piped in: a capture that may go on for long, or a payload as text."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

from inspector.errors import InputError, InspectorError
from inspector.limits import MAX_PASTED
from inspector.tui.document import Document
from inspector.tui.opening import HEAD, Options, is_text, of_text

NAME = "standard input"


def take() -> int:
    """Takes what is piped in, and gives standard input back to the keyboard; a descriptor. Raises InputError."""
    if sys.stdin.isatty():
        raise InputError("standard input is the terminal", hint="pipe a capture into it: ... | inspector tui -")
    piped = os.dup(0)
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise InputError("there is no terminal to take keys from") from error
    os.dup2(terminal, 0)
    os.close(terminal)
    return piped


def opened(piped: int, options: Options) -> Document:
    """The document of it. Raises InspectorError."""
    head = os.read(piped, HEAD) if options.kind is None else b""
    wrong: InspectorError | None = None
    if head and is_text(head):
        head += _read_on(piped, MAX_PASTED + 1 - len(head))
        if len(head) <= MAX_PASTED and is_text(head):
            try:
                return of_text(head, NAME, options)
            except InspectorError as error:
                wrong = error
                wrong.where = ", ".join(filter(None, (NAME, wrong.where)))
    path = f"/dev/fd/{_behind(head, piped) if head else piped}"
    try:
        document = Document(path, **options._asdict())
    except InspectorError as error:
        error.where = (error.where or NAME).replace(path, NAME)
        raise wrong or error from None  # what is wrong with it as a text tells more
    document.name = NAME
    return document


def _read_on(piped: int, most: int) -> bytes:
    """What comes, to its end or to so many bytes."""
    parts: list[bytes] = []
    while most > 0 and (part := os.read(piped, min(most, 1 << 16))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _behind(head: bytes, piped: int) -> int:
    """A descriptor of what was read already and all that comes."""
    again, into = os.pipe()

    def pump() -> None:
        with suppress(OSError), open(into, "wb", buffering=0) as pipe:  # whoever reads it may be gone
            part = head
            while part:
                pipe.write(part)
                part = os.read(piped, 1 << 16)

    threading.Thread(target=pump, daemon=True).start()
    return again
