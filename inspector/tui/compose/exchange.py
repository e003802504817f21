"""A call while it goes on, and after: its messages as they come, then the call as a record. No toolkit in it.

What it shows is asked for as of a document, so that the panes of the browser show it. Invariant: it ends, with a call
or with an error; what it holds is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from inspector.client.call import ClientCall
from inspector.client.channel import Channel
from inspector.client.decoding import LiveDecoder
from inspector.client.dial import Step
from inspector.client.events import ResponseHeaders, ResponseMessage
from inspector.client.replay_compare import Comparison
from inspector.client.transcript import Transcript, as_headers
from inspector.errors import InspectorError
from inspector.limits import MIB
from inspector.model.call import Call, Message
from inspector.schema import Schema
from inspector.session import DecodedMessage
from inspector.transcode.tree import FieldTree
from inspector.tui.compose.connection import Reached
from inspector.tui.compose.methods import Method

MOST_MESSAGES = 100_000
"""Messages of a call that are kept; it is given up then."""

MOST_BYTES = 256 * MIB
"""Bytes of them."""

NUMBER = 1
"""What the call is called where calls have numbers."""

CONNECTING, OPEN, SENT, ENDED = "connecting", "open", "sent", "ended"


class Exchange:
    """`method` is `pkg.Svc/Method`, `types` those of its requests and responses; `changed` is called whenever something
    came."""

    def __init__(self, schema: Schema | None, method: Method, reached: Reached, changed: Callable[[], object]) -> None:
        self.method = method.name
        self._gives_one = method.response is not None and not method.gives_stream
        self.schema = schema
        self.messages: list[Message] = []
        self.call: Call | None = None
        self.error: InspectorError | None = None
        self.steps: tuple[Step, ...] = ()
        self.state = CONNECTING
        self.note = ""
        self.compared: Comparison | None = None
        """The answers beside those of another call, once they were compared."""
        self._types = {"request": method.request, "response": method.response}
        self._decoder = LiveDecoder(schema or Schema.empty(), method.request, method.response)
        self._reached = reached
        self._changed = changed
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._running: ClientCall | None = None
        self._transcript: Transcript | None = None
        self._held = 0
        self._is_over = False

    # --- making it -----------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Sends a message, as soon as the server has room for it."""
        self._waiting.put_nowait(data)

    def end(self) -> None:
        """No more requests."""
        if self.takes_more:
            self._is_over = True
            self._waiting.put_nowait(None)
            self._changed()

    @property
    def takes_more(self) -> bool:
        """Whether another message may be sent."""
        return self.state in (CONNECTING, OPEN) and not self._is_over

    def cancel(self) -> None:
        """Gives the call up."""
        if self._running is not None:
            self._running.cancel()

    async def run(self, channel: Callable[[], Awaitable[Channel]]) -> None:
        """Makes the call, to its end."""
        sending: asyncio.Task[None] | None = None
        try:
            opened = await channel()
            self.steps = opened.steps
            call = self._start(opened)
            self.state = OPEN
            self._changed()
            sending = asyncio.create_task(self._send(call))
            await self._receive(call)
        except InspectorError as error:
            self.error = error
        finally:
            if self._running is not None:
                self._running.cancel()
            if sending is not None:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await sending
            self.state = ENDED
            self._changed()

    def _start(self, channel: Channel) -> ClientCall:
        chosen = self._reached.call
        path = f"/{self.method}"
        call = channel.start(
            path, metadata=chosen.metadata, timeout=chosen.max_time, compress=chosen.compress,
            max_message=chosen.max_message,
        )  # fmt: skip
        self._running = call
        self._transcript = Transcript(
            path, client="", server=channel.peer, authority=self._reached.connect.authority_of(self._reached.target),
            headers=as_headers(chosen.metadata),
            deadline=None if chosen.max_time is None else round(chosen.max_time * 1e9), gives_one=self._gives_one,
        )  # fmt: skip
        return call

    async def _send(self, call: ClientCall) -> None:
        assert self._transcript is not None
        while (data := await self._waiting.get()) is not None:
            if not await call.send(data):
                return
            self._keep(self._transcript.sent(data, call.encoding))
        await call.end()
        self.state = SENT if self.state == OPEN else self.state
        self._changed()

    async def _receive(self, call: ClientCall) -> None:
        assert self._transcript is not None
        async for event in call:
            if isinstance(event, ResponseHeaders):
                self._transcript.headers(event)
            elif isinstance(event, ResponseMessage):
                self._keep(self._transcript.received(event))
            else:
                self.call = self._transcript.ended(event)
            self._changed()
            await asyncio.sleep(0)  # a server that never stops must not keep the keys waiting

    def _keep(self, message: Message) -> None:
        self._held += len(message.data or b"")
        if len(self.messages) >= MOST_MESSAGES or self._held > MOST_BYTES:
            self.note = f"given up: more than {MOST_MESSAGES:,} messages, or {MOST_BYTES // MIB} MiB"
            self.cancel()
            return
        self.messages.append(message)
        self._changed()

    # --- what there is -------------------------------------------------------------------------------------------

    @property
    def so_far(self) -> Call | None:
        """The call, whole or as far as it has come; None before it began."""
        return self.call or (self._transcript.so_far() if self._transcript is not None else None)

    def message_count(self, number: int) -> int:
        return len(self.messages)

    def message(self, number: int, place: int) -> Message | None:
        return self.messages[place] if 0 <= place < len(self.messages) else None

    def decode(self, message: Message) -> DecodedMessage:
        return self._decoder.decode(message)

    def decode_details(self, details: bytes) -> list[object] | None:
        return self._decoder.decode_details(details)

    def tree(self, message: Message) -> FieldTree:
        type_name = self._types[message.direction or "response"]
        return FieldTree(message.data or b"", resolver=self.schema, type_name=type_name)

    @property
    def answers(self) -> Sequence[Message]:
        return [each for each in self.messages if each.direction == "response"]
