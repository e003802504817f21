"""Requests as a person gives them: text in a file, on the command line, or bit by bit on standard input.

Invariant: a message is handed on as soon as its text is whole, and no more is read than is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from inspector.errors import InputError, InspectorError
from inspector.formats.base import Conversion
from inspector.formats.message_stream import message_stream
from inspector.sources.payloads import messages_of

_STEP = 65_536


async def messages(
    pieces: AsyncIterator[bytes], form: str, conversion: Conversion, name: str = ""
) -> AsyncIterator[bytes]:
    """The messages, as they are on the wire, of text that comes in pieces. Raises InspectorError for one that cannot be
    read, with its number where it is not the first, and the `name` of what it is from."""
    stream, reader = message_stream(form), _Reader(form, conversion, name)
    async for piece in pieces:
        for text in stream.feed(piece):
            for message in reader.read(text):
                yield message
    for text in stream.close():
        for message in reader.read(text):
            yield message


async def forgiving(
    pieces: AsyncIterator[bytes], form: str, conversion: Conversion, tell: Callable[[str], None]
) -> AsyncIterator[bytes]:
    """The same for a person who types: text that cannot be read is told of, and the next is waited for. An empty line
    ends a message, in any form."""
    stream, reader = _TypedStream(form), _Reader(form, conversion)
    async for piece in pieces:
        for text in stream.feed(piece):
            for message in reader.forgive(text, tell):
                yield message
    for text in stream.close():
        for message in reader.forgive(text, tell):
            yield message


class _Reader:
    """Reads texts of a message each, and counts them."""

    def __init__(self, form: str, conversion: Conversion, name: str = "") -> None:
        self._form = form
        self._conversion = conversion
        self._name = name
        self._count = 0

    def read(self, text: bytes) -> Iterator[bytes]:
        """Its messages: an array of JSON holds several."""
        try:
            for message in messages_of(text, self._form, self._conversion):
                self._count += 1
                yield message
        except InspectorError as error:
            number = f"request {self._count + 1}" if self._count else ""
            error.where = ", ".join(filter(None, (self._name, number, error.where))) or None
            raise

    def forgive(self, text: bytes, tell: Callable[[str], None]) -> Iterator[bytes]:
        """The same, and what cannot be read is told."""
        try:
            yield from messages_of(text, self._form, self._conversion)
        except InspectorError as error:
            tell(str(error))


class _TypedStream:
    """A stream of messages in which an empty line ends one, whole or not: who made a mistake in a bracket, or would
    have to type U+001E, gets on with it."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._stream = message_stream(form)
        self._is_line_empty = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The pieces that are whole now. Raises InputError for one that is too long."""
        for line in data.splitlines(keepends=True):
            is_end = self._is_line_empty and line in (b"\n", b"\r\n")
            yield from self.close() if is_end else self._stream.feed(line)
            self._is_line_empty = line.endswith(b"\n")

    def close(self) -> list[bytes]:
        """What is left, which is at its end."""
        found, self._stream = self._stream.close(), message_stream(self._form)
        return found


async def given(data: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Text that is there."""
    for piece in data:
        yield piece


async def read(descriptor: int, name: str = "standard input") -> AsyncIterator[bytes]:
    """What a file, a pipe or a terminal gives, as it comes. A thread waits for it: not all of these can be polled, and
    none of them may keep the program from ending. Raises InputError, with the `name`."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[bytes | OSError] = asyncio.Queue(maxsize=1)

    def forward() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants it any more
            while True:
                try:
                    data: bytes | OSError = os.read(descriptor, _STEP)
                except OSError as error:
                    data = error
                asyncio.run_coroutine_threadsafe(waiting.put(data), loop).result()
                if not data or isinstance(data, OSError):
                    return

    threading.Thread(target=forward, daemon=True).start()
    while (data := await waiting.get()) and not isinstance(data, OSError):
        yield data
    if isinstance(data, OSError):
        raise InputError(f"it cannot be read: {data.strerror}", where=name)
