"""A call while it goes on: requests are sent as they come, answers printed as they come.

Invariant: the call ends when the server has ended it, enough answers came, a request cannot be read, or the user gives
up; whichever comes first, nothing is waited for any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import Enum
from typing import NamedTuple

from inspector.cli.answer_printer import AnswerPrinter
from inspector.client.call import ClientCall
from inspector.client.channel import Channel
from inspector.client.events import Ended, ResponseHeaders, ResponseMessage
from inspector.client.protocols.base import Kind
from inspector.client.settings import CallSettings, ConnectSettings
from inspector.client.target import Target
from inspector.client.transcript import Transcript
from inspector.errors import InputError
from inspector.model.call import Call
from inspector.views import live


class Wanted(NamedTuple):
    """A call to make. `path` is `/pkg.Svc/Method`, of this kind.

    `stop_after` answers are enough.
    """

    target: Target
    connect: ConnectSettings
    settings: CallSettings
    path: str
    kind: Kind
    stop_after: int | None = None


class Ending(Enum):
    """How a call came to its end: by itself, as enough answers had come, or as the user gave it up."""

    ENDED = "ended"
    ENOUGH = "enough"
    CANCELLED = "cancelled"


class Outcome(NamedTuple):
    """The call, whole, how it came to its end, and what took which time."""

    call: Call
    ending: Ending
    timings: tuple[live.Timing, ...]


async def make(wanted: Wanted, messages: AsyncIterator[bytes], printer: AnswerPrinter) -> Outcome:
    """Makes the call. Raises InspectorError where it cannot be made, or a request cannot be read."""
    first = [await _only(messages)] if not wanted.kind.takes_stream else []
    async with await Channel.open(wanted.target, wanted.connect) as channel:
        printer.connected(channel)
        return await _Running(wanted, channel, printer).run(first, messages)


async def _only(messages: AsyncIterator[bytes]) -> bytes:
    """The one message that there has to be; an empty one where nothing is given."""
    found = [message async for message in messages]
    if len(found) > 1:
        raise InputError(f"the method takes one request, and {len(found)} are given", hint="call it once for each")
    return found[0] if found else b""


class _Running:
    def __init__(self, wanted: Wanted, channel: Channel, printer: AnswerPrinter) -> None:
        settings = wanted.settings
        self._wanted = wanted
        self._printer = printer
        self._steps = channel.steps
        self._call: ClientCall = channel.start(
            wanted.path,
            metadata=settings.metadata,
            timeout=settings.max_time,
            compress=settings.compress,
            max_message=settings.max_message,
            kind=wanted.kind,
        )
        printer.calling(self._call.fields)
        deadline = None if settings.max_time is None else round(settings.max_time * 1e9)
        self._transcript = Transcript(
            wanted.path, client=channel.local, server=channel.peer,
            authority=wanted.connect.authority_of(wanted.target), headers=self._call.fields, deadline=deadline,
            protocol=wanted.connect.protocol, gives_one=not wanted.kind.returns_stream,
        )  # fmt: skip
        self._ending = Ending.ENDED

    async def run(self, first: list[bytes], messages: AsyncIterator[bytes]) -> Outcome:
        sending = asyncio.create_task(self._send(first, messages))
        try:
            call = await self._receive()
        except asyncio.CancelledError:
            call = await self._given_up()
        finally:
            sending.cancel()
        if sending.done() and not sending.cancelled() and (error := sending.exception()):
            raise error
        return Outcome(call, self._ending, (live.connect_timing(self._steps), self._timing()))

    async def _send(self, first: list[bytes], messages: AsyncIterator[bytes]) -> None:
        try:
            for message in first:
                await self._send_one(message, last=True)
            if not first:
                async for message in messages:
                    await self._send_one(message)
                await self._call.end()
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._call.cancel()
            raise

    async def _send_one(self, message: bytes, *, last: bool = False) -> None:
        before = self._call.wire_sent
        if await self._call.send(message, last=last):
            self._printer.sent(self._transcript.sent(message, self._call.encoding), self._call.wire_sent - before)

    async def _receive(self) -> Call:
        answers = 0
        async for event in self._call:
            if isinstance(event, ResponseHeaders):
                self._transcript.headers(event)
                self._printer.headers(event)
            elif isinstance(event, ResponseMessage):
                if self._ending is Ending.ENOUGH:
                    continue
                self._printer.received(self._transcript.received(event), event.wire_size)
                answers += 1
                if answers == self._wanted.stop_after:
                    self._ending = Ending.ENOUGH
                    self._call.cancel()
            else:
                return self._transcript.ended(event)
        raise AssertionError("a call ends with Ended")

    async def _given_up(self) -> Call:
        """Cancels the call, and passes over what nobody wants to see any more."""
        self._ending = Ending.CANCELLED
        self._call.cancel()
        (end,) = [event async for event in self._call if isinstance(event, Ended)]
        return self._transcript.ended(end)

    def _timing(self) -> live.Timing:
        call = self._call
        return live.call_timing(call.started, call.last_sent, call.first_byte, call.ended)
