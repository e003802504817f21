"""Captured calls made again, and what comes back compared with what was captured.

Requests of a stream go out in the order that the capture has between them and the responses: a server that answers
each request before it reads the next one gets no other chance to. The invariant: each call that is handed in ends as
one Outcome, or is not made at all because the replay was stopped; the messages held at one time are bounded
(limits.MAX_REPLAYED_CALL, but for one call).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Literal, NamedTuple

from inspector import limits
from inspector.client.call import ClientCall
from inspector.client.channel import Channel
from inspector.client.events import Ended, ResponseHeaders, ResponseMessage
from inspector.client.replay_compare import Comparison, Rules
from inspector.client.replay_plan import Planned, Unfit
from inspector.client.settings import ConnectSettings
from inspector.client.target import Target
from inspector.errors import ConnectError, InputError
from inspector.model.call import Call, Status
from inspector.transcode.compare import Difference

Result = Literal["same", "different", "failed", "skipped"]
"""`failed` is a call that got no answer to compare, `skipped` one that was not made."""

Plan = Callable[[Call], Planned | Unfit]
Report = Callable[["Outcome"], None]


class Outcome(NamedTuple):
    """What became of a call. `reason` says why it failed or was skipped; `duration` is in nanoseconds; `more` counts
    differences beyond limits.MAX_REPLAY_DIFFERENCES; `notes` tell what does not count as one; `is_guessed` where no
    schema told the type of the responses."""

    call: Call
    result: Result
    differences: tuple[Difference, ...] = ()
    more: int = 0
    notes: tuple[str, ...] = ()
    status: Status | None = None
    duration: int | None = None
    reason: str | None = None
    is_guessed: bool = False


class ReplaySettings(NamedTuple):
    """How calls are made. `speed` is that of the capture times so much, 0 as fast as can be. Times are in seconds.

    `turn_time` is how long a request waits for the responses that came before it in the capture, beyond the time that
    the call took then; `call_time` how long a call without a deadline may take beyond ten times that (None: any).
    """

    speed: float = 0.0
    concurrency: int = 1
    max_message: int = limits.MAX_MESSAGE
    turn_time: float = 10.0
    call_time: float | None = 60.0


class Clock:
    """The time as the event loop has it."""

    def now(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    async def sleep_until(self, time: float) -> None:
        """Waits until then, if that is to come."""
        left = time - self.now()
        if left > 0:
            await self.sleep(left)


class Replay:
    """Makes calls at a target. `stopped` says why it gave up, where it did."""

    def __init__(
        self,
        target: Target | str,
        connect: ConnectSettings,
        settings: ReplaySettings,
        rules: Rules,
        *,
        clock: Clock | None = None,
    ) -> None:
        self.stopped: str | None = None
        self._settings = settings
        self._rules = rules
        self._clock = clock or Clock()
        self._line = _Line(target, connect)
        self._room = _Room(settings.concurrency)
        self._failures = 0

    async def run(self, calls: Iterable[Call], plan: Plan, report: Report) -> None:
        """Makes the calls, in their order; outcomes are reported as calls end. Where the server cannot be reached at
        all, raises ConnectError."""
        running: set[asyncio.Task[None]] = set()
        try:
            async with contextlib.aclosing(self._line):
                await self._start(calls, plan, report, running)
                while running:
                    await self._finished(running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _start(self, calls: Iterable[Call], plan: Plan, report: Report, running: set[asyncio.Task[None]]) -> None:
        pace = _Pace(self._clock, self._settings.speed)
        for call in calls:
            await asyncio.sleep(0)  # so that calls that are skipped hold up nothing
            _take_done(running)
            while not self._room.has_place:
                await self._finished(running)
            if self.stopped is not None:
                return
            planned = plan(call)
            if isinstance(planned, Unfit):
                report(Outcome(call, "skipped", reason=planned.reason))
                continue
            while not self._room.has_bytes(planned.cost):
                await self._finished(running)
            if not self._line.was_open:
                await self._line.open()
            await pace.wait_for(call)
            self._room.enter(planned.cost)
            running.add(asyncio.create_task(self._make(planned, report)))

    async def _finished(self, running: set[asyncio.Task[None]]) -> None:
        """Waits for a call. Raises what went wrong in it that should not."""
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        _take_done(running)

    async def _make(self, planned: Planned, report: Report) -> None:
        try:
            outcome = await self._outcome(planned)
        finally:
            self._room.leave(planned.cost)
        report(outcome)

    async def _outcome(self, planned: Planned) -> Outcome:
        if self.stopped is not None:
            return Outcome(planned.call, "skipped", reason=self.stopped)
        try:
            async with self._line.use() as channel:
                outcome = await _Making(channel, planned, self._settings, self._rules, self._clock).run()
        except (ConnectError, InputError) as error:
            outcome = Outcome(planned.call, "failed", reason=str(error))
        is_lost = outcome.result == "failed" and (outcome.status is None or outcome.status.source == "connection")
        self._failures = self._failures + 1 if is_lost else 0
        if self._failures >= limits.MAX_REPLAY_FAILURES:
            self.stopped = self.stopped or f"stopped as {self._failures} calls in a row did not reach the server"
        return outcome


def _take_done(running: set[asyncio.Task[None]]) -> None:
    """Takes out the tasks that are done; raises what went wrong in them."""
    done = {task for task in running if task.done()}
    running -= done
    for task in done:
        task.result()


class _Pace:
    """When calls begin: as far from the first one as in the capture, or at once."""

    def __init__(self, clock: Clock, speed: float) -> None:
        self._clock = clock
        self._speed = speed
        self._first: tuple[float, int] | None = None

    async def wait_for(self, call: Call) -> None:
        if not self._speed or call.started is None:
            return
        if self._first is None:
            self._first = self._clock.now(), call.started
        began, started = self._first
        await self._clock.sleep_until(began + (call.started - started) / 1e9 / self._speed)


class _Room:
    """How many calls, and bytes of them, there are at one time."""

    def __init__(self, calls: int) -> None:
        self._most = calls
        self._calls = 0
        self._bytes = 0

    @property
    def has_place(self) -> bool:
        return self._calls < self._most

    def has_bytes(self, cost: int) -> bool:
        return not self._calls or self._bytes + cost <= limits.MAX_REPLAYED_CALL

    def enter(self, cost: int) -> None:
        self._calls += 1
        self._bytes += cost

    def leave(self, cost: int) -> None:
        self._calls -= 1
        self._bytes -= cost


class _Line:
    """The connection to the target: one that takes no more calls is followed by another, and closed when its calls have
    ended."""

    def __init__(self, target: Target | str, connect: ConnectSettings) -> None:
        self._target = target
        self._connect = connect
        self._channel: Channel | None = None
        self._users: dict[Channel, int] = {}
        self._opening = asyncio.Lock()

    @property
    def was_open(self) -> bool:
        return self._channel is not None

    async def open(self) -> Channel:
        """The channel that stands. Raises ConnectError, InputError."""
        async with self._opening:
            if self._channel is None or self._channel.failure is not None:
                last, self._channel = self._channel, await Channel.open(self._target, self._connect)
                self._users[self._channel] = 0
                if last is not None:
                    await self._close_unused(last)
            return self._channel

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Channel]:
        """The channel that stands, which stays open meanwhile. Raises ConnectError, InputError."""
        channel = await self.open()
        self._users[channel] += 1
        try:
            yield channel
        finally:
            self._users[channel] -= 1
            if channel is not self._channel:
                await self._close_unused(channel)

    async def aclose(self) -> None:
        channels = [*self._users]
        self._users.clear()
        for channel in channels:
            await channel.close()

    async def _close_unused(self, channel: Channel) -> None:
        if self._users.get(channel) == 0:
            del self._users[channel]
            await channel.close()


class _Making:
    """One call while it is made."""

    def __init__(
        self, channel: Channel, planned: Planned, settings: ReplaySettings, rules: Rules, clock: Clock
    ) -> None:
        self._planned = planned
        self._settings = settings
        self._clock = clock
        self._began = clock.now()
        self._comparison = Comparison(planned.call, planned.answers, rules)
        self._progress = asyncio.Event()
        self._has_sent = False
        self._given_up: str | None = None
        self._was_cancelled = False
        self._call: ClientCall = channel.start(
            planned.call.method or "",
            metadata=planned.metadata,
            timeout=planned.deadline,
            compress=planned.encoding,
            max_message=settings.max_message,
        )

    async def run(self) -> Outcome:
        """Makes it."""
        sending = asyncio.create_task(self._send())
        try:
            async with asyncio.timeout(self._patience()):
                return await self._receive()
        except TimeoutError:
            reason = f"it has no deadline, and did not end within {self._patience():.3g} s"
            return self._outcome("failed", None, reason)
        finally:
            self._call.cancel()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def _patience(self) -> float | None:
        """Seconds for the call; None where its deadline ends it, or nothing shall."""
        settings = self._settings
        if self._planned.deadline is not None or settings.call_time is None:
            return None
        return settings.call_time + 10 * self._captured_time()

    def _captured_time(self) -> float:
        return (self._planned.call.duration or 0) / 1e9 / min(self._settings.speed or 1.0, 1.0)

    # --- out -------------------------------------------------------------------------------------------------------

    async def _send(self) -> None:
        requests, is_whole = self._planned.requests, self._planned.cancel_after is None
        for number, request in enumerate(requests, 1):
            await self._turn_of(number - 1)
            self._call.encoding = request.encoding if request.encoding == self._planned.encoding else "identity"
            if not await self._call.send(request.data, last=is_whole and number == len(requests)):
                return
        if not requests and is_whole:
            await self._call.end()
        self._has_sent = True
        if self._planned.cancel_after is not None and self._settings.speed:
            await self._received(self._planned.cancel_after)
            taken = (self._planned.call.duration or 0) / 1e9 / self._settings.speed
            await self._clock.sleep_until(self._began + taken)
            self._cancel()
        elif self._is_over:
            self._cancel()

    async def _turn_of(self, number: int) -> None:
        """Waits until a request is due."""
        request = self._planned.requests[number]
        if self._comparison.received < request.after and self._given_up is None:
            try:
                async with asyncio.timeout(self._settings.turn_time + self._captured_time()):
                    await self._received(request.after)
            except TimeoutError:
                missing = request.after - self._comparison.received
                self._given_up = f"request {number} was sent without {missing} responses that had come before it"
        if self._settings.speed:
            await self._clock.sleep_until(self._began + request.offset / 1e9 / self._settings.speed)

    async def _received(self, count: int) -> None:
        while self._comparison.received < count:
            self._progress.clear()
            await self._progress.wait()

    # --- back ------------------------------------------------------------------------------------------------------

    async def _receive(self) -> Outcome:
        headers: ResponseHeaders | None = None
        async for event in self._call:
            if isinstance(event, ResponseHeaders):
                headers = event
            elif isinstance(event, ResponseMessage):
                self._take(event)
            else:
                return self._ended(headers, event)
        raise AssertionError("a call ends with Ended")

    def _take(self, event: ResponseMessage) -> None:
        if self._is_over:
            return
        self._comparison.response(event.data)
        self._progress.set()
        if self._is_over and not self._settings.speed:
            self._cancel()
        elif self._comparison.extra > limits.MAX_REPLAY_DIFFERENCES:
            self._comparison.notes.append("it was given up, as the responses beyond those of the capture do not end")
            self._cancel()

    @property
    def _is_over(self) -> bool:
        """Whether all has happened after which the client of the capture gave the call up."""
        after = self._planned.cancel_after
        return after is not None and self._has_sent and self._comparison.received >= after

    def _cancel(self) -> None:
        self._was_cancelled = True
        self._call.cancel()

    def _ended(self, headers: ResponseHeaders | None, end: Ended) -> Outcome:
        status = end.status
        comparison, call = self._comparison, self._planned.call
        if status.source in ("connection", "client") and not self._was_cancelled:
            return self._outcome("failed", status, status.message)
        comparison.rest()
        comparison.headers("headers", call.response_headers, headers.fields if headers is not None else ())
        comparison.headers("trailers", call.trailers, end.trailers)
        if not self._was_cancelled or self._planned.cancel_after is not None:
            comparison.status(status)
        return self._outcome("different" if comparison.differences else "same", status, None)

    def _outcome(self, result: Result, status: Status | None, reason: str | None) -> Outcome:
        comparison = self._comparison
        notes = tuple(filter(None, (*comparison.notes, self._given_up)))
        ended, started = self._call.ended, self._call.started
        duration = None if ended is None else ended - started
        differences = tuple(comparison.differences)
        return Outcome(
            self._planned.call, result, differences, comparison.more, notes[: limits.MAX_PROBLEMS], status, duration,
            reason, comparison.is_guessed,
        )  # fmt: skip
