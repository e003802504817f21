"""Calls through `inspector record` against the same calls without it: a grpcio server and client, each in a process of
its own, on loopback.

Times are those of the clock on the wall: latency is what a proxy costs. Server, proxy and client share the processors,
so with few of them calls at once say more of those than of the proxy; its own processor time is told besides.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import paths
import peers
from grpc_peers import OPTIONS
from report import Figure

import inspector
from jobs.effort import Effort

CALLS = 10_000
AT_ONCE = 50
MESSAGES = 100
MESSAGE_SIZE = 1_000_000
_UNARY, _MANY = "/pkg.Echo/Unary", "/pkg.Echo/Many"
_REQUEST = bytes(range(100))

_SERVE = """
import sys, grpc_peers
with grpc_peers.serving() as (address, _):
    print(address, flush=True)
    sys.stdin.read()
"""


class Proxy(NamedTuple):
    """The proxy, and where it listens."""

    process: subprocess.Popen[str]
    address: str

    @property
    def peak_memory(self) -> int:
        """In bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    @property
    def processor_seconds(self) -> float:
        times = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def measure(effort: Effort) -> Iterator[Figure]:
    """Unary calls one after the other and many at once, and one stream of large messages."""
    calls, messages = round(CALLS * effort.scale), max(5, round(MESSAGES * effort.scale))
    with tempfile.TemporaryDirectory(dir=_folder()) as folder, _server() as server:
        for at_once in (1, AT_ONCE):
            log = Path(folder) / f"{at_once}.binlog"
            with _proxy(server, log) as proxy:
                direct, through = _by_turns(server, proxy.address, calls, at_once, effort)
                runs = min(effort.runs, 3)
                spent = proxy.processor_seconds / (runs * calls + at_once)
                job = f"{calls:,} unary calls, {at_once} at once"
                yield Figure(
                    job, "without it", f"{calls / through:,.0f} calls/s", f"{calls / direct:,.0f} calls/s",
                    direct / through,
                )  # fmt: skip
                yield Figure(f"{job}: processor time of the proxy", "", "", "", 1e6 * spent, None, " µs a call")
                yield Figure(f"{job}: peak memory", "", "", "", proxy.peak_memory / 1e6, 200, " MB", at_most=True)
            _check(log, runs * calls + at_once)
        yield from _stream(server, Path(folder) / "stream.binlog", messages, min(effort.runs, 3))


def _stream(server: str, log: Path, messages: int, runs: int) -> Iterator[Figure]:
    size = messages * MESSAGE_SIZE / 1e6
    with _proxy(server, log) as proxy:
        times = [
            (asyncio.run(_streamed(server, messages)), asyncio.run(_streamed(proxy.address, messages)))
            for _ in range(runs)
        ]
        direct, through = map(min, zip(*times, strict=True))
        job = f"a stream of {size:.0f} MB"
        yield Figure(
            job, "without it", f"{size / through:,.0f} MB/s", f"{size / direct:,.0f} MB/s", direct / through
        )  # fmt: skip
        yield Figure(f"{job}: peak memory", "", "", "", proxy.peak_memory / 1e6, 200, " MB", at_most=True)
    _check(log, runs)


def _by_turns(server: str, proxy: str, calls: int, at_once: int, effort: Effort) -> tuple[float, float]:
    """The shortest times of both: what else runs only makes them longer."""
    asyncio.run(_called(proxy, at_once, at_once))
    direct, through = [], []
    for _ in range(min(effort.runs, 3)):
        direct.append(asyncio.run(_called(server, calls, at_once)))
        through.append(asyncio.run(_called(proxy, calls, at_once)))
    return min(direct), min(through)


async def _called(address: str, calls: int, at_once: int) -> float:
    """Seconds of so many unary calls."""
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        method = channel.unary_unary(_UNARY)

        async def work(count: int) -> None:
            for _ in range(count):
                if await method(_REQUEST) != _REQUEST:
                    raise SystemExit("an answer is not what was sent")

        start = time.perf_counter()
        await asyncio.gather(*(work(calls // at_once) for _ in range(at_once)))
        return time.perf_counter() - start


async def _streamed(address: str, messages: int) -> float:
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        start = time.perf_counter()
        count = 0
        async for _ in channel.unary_stream(_MANY)(b"%d %d" % (messages, MESSAGE_SIZE)):
            count += 1
        if count != messages:
            raise SystemExit("messages were lost")
        return time.perf_counter() - start


def _check(log: Path, calls: int) -> None:
    """Whether all of it was logged."""
    found = [call.complete for call in inspector.open(log).calls()]
    if len(found) != calls or not all(found):
        raise SystemExit(f"{calls} calls were made, {sum(found)} are whole in the log")


@contextlib.contextmanager
def _server() -> Iterator[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(paths.ROOT), str(paths.ROOT / "tests")))}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", _SERVE], stdin=pipe, stdout=pipe, text=True, env=environment) as made:
        assert made.stdout is not None
        yield made.stdout.readline().strip()
        made.communicate("")


@contextlib.contextmanager
def _proxy(server: str, log: Path) -> Iterator[Proxy]:
    words = [*peers.INSPECTOR, "record", "--listen", "127.0.0.1:0", "--target", f"grpc://{server}", "-o", str(log)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as made:
        assert made.stderr is not None
        line = made.stderr.readline()
        yield Proxy(made, line.split("listening on ")[1].split(",")[0])
        made.terminate()


def _folder() -> Path:
    paths.DATA.mkdir(exist_ok=True)
    return paths.DATA
