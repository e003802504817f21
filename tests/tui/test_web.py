"""`inspector tui --web`: the program in a browser, for its user alone."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from tui.chromium import READS_THE_TERMINAL, page

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 30


@contextmanager
def served(*arguments: str, folder: Path):
    """A server, and the address it tells."""
    process = subprocess.Popen(
        [sys.executable, "-m", "inspector", "tui", "--web", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True,
        env={**os.environ, "INSPECTOR_STATE": str(folder / "state"), "XDG_CONFIG_HOME": "/nowhere"},
    )  # fmt: skip
    try:
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children(number: int) -> list[int]:
    """Processes that a process started, and that have not ended."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = each.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == number and state != "Z":
                found.append(int(each.parent.name))
    return found


def listening_on(port: int) -> set[str]:
    """Addresses, as the system writes them."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    return {local for _, local, _, state, *_ in lines if state == "0A" and local.endswith(f":{port:04X}")}


def test_a_browser_shows_a_decoded_field_and_its_keys_arrive(tmp_path):
    capture = tmp_path / 'it\'s a "capture" $(touch broken).pcapng'
    shutil.copy(ROOT / "samples" / "predict.pcapng", capture)

    async def look(address: str, process: subprocess.Popen[str]) -> None:
        async with page() as opened:
            await opened.do("Page.navigate", url=address)
            text = await opened.wait_for(READS_THE_TERMINAL, 'name string "models/wildlife')
            assert "GetModel" in text
            assert len(children(process.pid)) == 1
            await opened.press("q")
            await opened.wait_for("document.body.className", "-closed")
            await opened.wait_for("document.body.innerText", "It has ended.")
            hosts = {urlsplit(each).netloc for each in opened.requests if not each.startswith("data:")}
            assert hosts == {urlsplit(address).netloc}
            assert any(each.startswith("ws://") for each in opened.requests)

    with served(str(capture), "-s", "protos", folder=tmp_path) as (process, address):
        asyncio.run(look(address, process))
        assert children(process.pid) == []
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert not (ROOT / "broken").exists()


async def _status(address: str, **headers: str) -> int:
    async with (
        aiohttp.ClientSession() as client,
        client.get(address, headers=headers, allow_redirects=False) as answer,
    ):
        await answer.read()
        return answer.status


async def _answer(port: int, request: str) -> int:
    """The status of the answer to a request as it is written."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


def test_only_who_knows_the_address_is_answered(tmp_path):
    with served("samples/predict.pcapng", folder=tmp_path) as (process, address):
        parts = urlsplit(address)
        assert parts.hostname == "127.0.0.1"
        token = parts.path.strip("/")
        assert len(token) >= 32
        root, host = f"http://{parts.netloc}", parts.netloc
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}  # fmt: skip

        async def ask() -> None:
            assert await _status(address) == 200
            assert await _status(address + "static/js/textual.js") == 200
            assert await _status(address + "static/fonts/RobotoMono-VariableFont_wght.ttf") == 200
            wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
            for prefix in ("", wrong + "/", f"x/{token}/", f"%2e%2e/{wrong}/", "caf%C3%A9/"):
                for path in ("", "ws", "static/js/textual.js", "download/1", "nothing"):
                    assert await _status(f"{root}/{prefix}{path}") == 403, prefix + path
                    assert await _status(f"{root}/{prefix}{path}", **upgrade, Origin=root) == 403, prefix + path
            for name in (
                f"localhost:{parts.port}",
                "evil.example",
                f"evil.example:{parts.port}",
                "127.0.0.1",
                f"127.0.0.1:{parts.port}.evil.example",
            ):
                assert await _status(address, Host=name) == 403, name
                assert await _status(address + "ws", **upgrade, Host=name, Origin=f"http://{name}") == 403, name
            for origin in (
                "http://evil.example",
                "null",
                f"https://{host}",
                "http://127.0.0.1",
                f"{root}.evil.example",
            ):
                assert await _status(address, Origin=origin) == 403, origin
                assert await _status(address + "ws", **upgrade, Origin=origin) == 403, origin
            assert await _status(address + "ws", **upgrade) == 403
            assert await _answer(parts.port, f"GET {parts.path} HTTP/1.1\r\nHost: {host}\r\nHost: x\r\n\r\n") == 400
            assert await _answer(parts.port, "OPTIONS * HTTP/1.1\r\nHost: x;y\r\n\r\n") == 403

        asyncio.run(ask())
        assert children(process.pid) == []
        assert listening_on(parts.port) == {f"0100007F:{parts.port:04X}"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read().count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_it_started_ends_with_it(tmp_path, number):
    async def look(address: str, process: subprocess.Popen[str]) -> None:
        parts = urlsplit(address)
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{address}ws?width=100&height=30", origin=f"http://{parts.netloc}") as socket,
        ):
            shown = b""
            async with asyncio.timeout(PATIENCE):
                while b"GetModel" not in shown:
                    shown += (await socket.receive()).data
            (child,) = children(process.pid)
            ends = os.pidfd_open(child)
            process.send_signal(number)
            process.wait(PATIENCE)
            assert select.select([ends], [], [], PATIENCE)[0]
            os.close(ends)

    with served("samples/predict.pcapng", "--port", "0", folder=tmp_path) as (process, address):
        asyncio.run(look(address, process))
        assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 0)
        told = process.stderr.read()
    assert "Traceback" not in told
    assert not (tmp_path / "state" / "crashes").exists()


def test_a_process_that_fails_is_told_and_its_page_ends(tmp_path):
    async def look(address: str) -> None:
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{address}ws", origin=address[: address.index("/", 7)]) as socket,
        ):
            async with asyncio.timeout(PATIENCE):
                assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE

    (tmp_path / "capture").mkdir()
    with served(str(tmp_path / "capture"), folder=tmp_path) as (process, address):
        asyncio.run(look(address))
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        told = process.stderr.read()
    assert "this is a directory" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--web", "nowhere.pcapng"], "nowhere.pcapng: No such file or directory"),
        (["--web", "-"], "a page cannot be served from a pipe"),
        (["--port", "1"], "--port is for --web"),
    ],
)
def test_what_cannot_be_served_is_told(arguments, told):
    result = subprocess.run(
        [sys.executable, "-m", "inspector", "tui", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    assert result.returncode in (1, 2)
    assert result.stderr.count("\n") == 1
    assert told in result.stderr


def test_without_the_extra_the_command_that_installs_it_is_told():
    script = "import sys; sys.modules['textual_serve'] = None; from inspector.cli.start import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", script, "tui", "--web"], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    assert result.returncode == 1
    assert "pip install 'payload-inspector[web]'" in result.stderr
    assert result.stderr.count("\n") == 1
