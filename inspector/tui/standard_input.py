"""What comes through a pipe: a capture that may go on for long, or a payload as text."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from functools import partial

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


def opened(piped: int, options: Options, name: str = NAME) -> Document:
    """The document of what comes through a pipe. Raises InspectorError."""
    head = os.read(piped, HEAD) if options.kind is None else b""
    wrong: InspectorError | None = None
    if head and is_text(head):
        head += _read_on(piped, MAX_PASTED + 1 - len(head))
        if len(head) <= MAX_PASTED and is_text(head):
            try:
                return of_text(head, name, options)
            except InspectorError as error:
                wrong = error
                wrong.where = ", ".join(filter(None, (name, wrong.where)))
    come, into = os.pipe()
    _pass_on(head, piped, into)
    path = f"/dev/fd/{come}"
    try:
        document = Document(path, **options._asdict())
    except InspectorError as error:
        error.where = (error.where or name).replace(path, name)
        raise wrong or error from None  # what is wrong with it as a text tells more
    document.name = name
    document.stop_input = partial(_end, into)
    return document


def _read_on(piped: int, most: int) -> bytes:
    """What comes, to its end or to so many bytes."""
    parts: list[bytes] = []
    while most > 0 and (part := os.read(piped, min(most, 1 << 16))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _pass_on(head: bytes, piped: int, into: int) -> None:
    """Writes what was read already and all that comes into another pipe, which can be ended here: a thread that reads
    from a pipe waits for its writer, and the program could not be left before that."""

    def pump() -> None:
        with suppress(OSError), open(into, "wb", buffering=0, closefd=False) as pipe:  # whoever reads it may be gone
            part = head or os.read(piped, 1 << 16)
            while part:
                pipe.write(part)
                part = os.read(piped, 1 << 16)
        _end(into)

    threading.Thread(target=pump, daemon=True).start()


def _end(into: int) -> None:
    """Ends what is read from the pipe. The descriptor stays taken: the other thread may be about to write to it."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, into)
    os.close(nothing)
