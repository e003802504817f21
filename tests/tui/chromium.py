"""A browser without a window, driven by its DevTools protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import tempfile
from contextlib import asynccontextmanager

import aiohttp

PATIENCE = 40
"""Seconds after which what does not come will not."""

KEEPS_THE_TERMINAL = """
Object.defineProperty(Object.prototype, "terminal", {configurable: true, set(value) {
    window.shown = value;
    Object.defineProperty(this, "terminal", {value, writable: true});
}});
"""
"""The page keeps xterm.js for itself: this has the test see it, by whoever sets such an attribute."""

READS_THE_TERMINAL = """
(() => { const lines = window.shown?.buffer.active;
    if (!lines) return "";
    return Array.from({length: lines.length}, (_, at) => lines.getLine(at).translateToString(true)).join("\\n");
})()
"""

WAITS = """
new Promise(tell => {{
    const end = Date.now() + {patience};
    const look = () => {{
        const read = String({expression});
        if (read.includes({text}) || Date.now() > end) tell(read); else setTimeout(look, 20);
    }};
    look();
}})
"""


class Page:
    """A page, and which addresses it asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.requests: list[str] = []

    async def do(self, method: str, **parameters: object) -> dict:
        """Sends a command, and waits for what it gives."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json()
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(answer["params"]["request"]["url"])
            if answer.get("method") == "Network.webSocketCreated":
                self.requests.append(answer["params"]["url"])
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    async def wait_for(self, expression: str, text: str) -> str:
        """Waits until a text is in what the expression gives; what it was then."""
        script = WAITS.format(expression=expression.strip(), text=json.dumps(text), patience=PATIENCE * 1000)
        read = (await self.do("Runtime.evaluate", expression=script, awaitPromise=True))["result"]["value"]
        assert text in read, f"{text!r} did not come, but {read}"
        return read

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            await self.do("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")


@asynccontextmanager
async def page():
    """An empty page of a browser of its own. Without its sandbox, as tests may run as root; and it goes nowhere."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "there is no chromium: make test installs it"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--proxy-server=direct://",
            "--remote-debugging-port=0", f"--user-data-dir={folder}", "--window-size=1200,700", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "HOME": folder}, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                port = await _port(process.stderr)
            async with aiohttp.ClientSession() as client:
                async with client.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    (target,) = [each for each in await answer.json() if each["type"] == "page"]
                async with client.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    opened = Page(socket)
                    for domain in ("Page", "Runtime", "Network"):
                        await opened.do(f"{domain}.enable")
                    await opened.do("Page.addScriptToEvaluateOnNewDocument", source=KEEPS_THE_TERMINAL)
                    yield opened
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def _port(told: asyncio.StreamReader) -> int:
    """Where it listens, as it tells on standard error."""
    async for line in told:
        if found := re.search(rb"DevTools listening on ws://127\.0\.0\.1:(\d+)/", line):
            return int(found[1])
    raise AssertionError("the browser does not start")
