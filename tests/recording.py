"""The recording proxy in a thread of its own, and what it wrote."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import inspector
from inspector.client.binlog_writer import BinlogFile
from inspector.client.call_log import CallLog
from inspector.client.record import Listen, Recorder
from inspector.client.settings import ConnectSettings
from inspector.client.target import Target
from inspector.model.call import Call, Message

PATIENCE = 30


class Proxy:
    """`address` is where clients connect, `lines` what was told."""

    def __init__(self, recorder, log, loop, where, lines):
        self.recorder = recorder
        self.log = log
        self.loop = loop
        self.address = str(where)
        self.lines = lines

    def run(self, function):
        """Calls it where the proxy runs."""

        async def made():
            return function()

        return asyncio.run_coroutine_threadsafe(made(), self.loop).result(PATIENCE)

    def wait_until(self, condition):
        """Waits until what the proxy knows fits."""

        async def waited():
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    await asyncio.sleep(0.002)

        asyncio.run_coroutine_threadsafe(waited(), self.loop).result(PATIENCE + 1)


@contextlib.contextmanager
def recording(target, path, listen="127.0.0.1:0", settings=None, sink=None, log=None, **options):
    """Records what goes to `target` into `path`, or what `sink` makes of it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    lines = []
    file = sink or BinlogFile(str(path))

    async def start():
        recorder = Recorder(
            Listen.parse(listen), Target.parse(target), settings or ConnectSettings(), tell=lines.append, **options
        )
        where = recorder.bind()
        await recorder.start(made)
        return recorder, where

    try:
        made = CallLog(file, **(log or {}))
        recorder, where = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE)
        proxy = Proxy(recorder, made, loop, where, lines)
        try:
            yield proxy
        finally:
            asyncio.run_coroutine_threadsafe(recorder.close(), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
        if sink is None:
            file.close()


def calls_of(path):
    """The calls of a log, in the order in which they began, each with its messages by direction."""
    events = list(inspector.open(path).events())
    calls = sorted((event for event in events if isinstance(event, Call)), key=lambda call: call.number)
    messages = {(call.number, way): [] for call in calls for way in ("request", "response")}
    for event in events:
        if isinstance(event, Message):
            messages[event.call, event.direction].append(event.data)
    assert len(events) == len(calls) + sum(map(len, messages.values()))
    return [(call, messages[call.number, "request"], messages[call.number, "response"]) for call in calls]
