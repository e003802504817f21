"""Requests as a person gives them: text in a file, on the command line, or bit by bit on standard input.

Invariant: a message is handed on as soon as its text is whole, and no more is read than is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from inspector.errors import InspectorError
from inspector.formats.base import Conversion
from inspector.formats.message_stream import message_stream
from inspector.sources.payloads import messages_of

_STEP = 65_536


async def messages(pieces: AsyncIterator[bytes], form: str, conversion: Conversion) -> AsyncIterator[bytes]:
    """The messages, as they are on the wire, of text that comes in pieces. Raises InspectorError for one that cannot be
    read, with its number where it is not the first."""
    stream = message_stream(form)
    async for piece in pieces:
        for text in stream.feed(piece):
            for message in messages_of(text, form, conversion):
                yield message
    for text in stream.close():
        for message in messages_of(text, form, conversion):
            yield message


async def forgiving(
    pieces: AsyncIterator[bytes], form: str, conversion: Conversion, tell: Callable[[str], None]
) -> AsyncIterator[bytes]:
    """The same for a person who types: text that cannot be read is told of, and the next is waited for."""
    stream = message_stream(form)
    async for piece in pieces:
        for text in stream.feed(piece):
            for message in _readable(text, form, conversion, tell):
                yield message
    for text in stream.close():
        for message in _readable(text, form, conversion, tell):
            yield message


def _readable(text: bytes, form: str, conversion: Conversion, tell: Callable[[str], None]) -> Iterator[bytes]:
    try:
        yield from messages_of(text, form, conversion)
    except InspectorError as error:
        tell(str(error))


async def given(data: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Text that is there."""
    for piece in data:
        yield piece


async def read(descriptor: int) -> AsyncIterator[bytes]:
    """What a file, a pipe or a terminal gives, as it comes. A thread waits for it: not all of these can be polled, and
    none of them may keep the program from ending."""
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
        raise data
