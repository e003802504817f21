"""`inspector record`: a proxy that records the calls that go through it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import Callable

import click

from inspector.cli import output
from inspector.cli.connect_options import SECONDS
from inspector.cli.exit_codes import FAILED
from inspector.client.binlog_writer import BinlogFile, FileLimits, Mode
from inspector.client.call_log import CallLog
from inspector.client.record import Listen, Recorder, listening_tls
from inspector.client.settings import ConnectSettings
from inspector.client.target import Target
from inspector.errors import InputError
from inspector.views.safe_text import safe
from inspector.views.times import size

PROGRESS_SECONDS = 0.25

_SIZE = re.compile(r"([0-9]{1,15})([KMGT]?)(i?)B?", re.IGNORECASE)
_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def _parse_size(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """A number of bytes: 4096, 500K, 10M, 1GiB."""
    if value is None:
        return None
    match = _SIZE.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"{value[:40]!r} is no size: 4096, 500K, 10M, 1G")
    base = 1024 if match[3] else 1000
    return int(match[1]) * int(base ** _UNITS[match[2].upper()])


def _parse_listen(_: click.Context, __: click.Parameter, value: str) -> Listen:
    try:
        return Listen.parse(value)
    except InputError as error:
        raise click.BadParameter(str(error)) from None


def _parse_target(_: click.Context, __: click.Parameter, value: str) -> Target:
    try:
        return Target.parse(value)
    except InputError as error:
        raise click.BadParameter(str(error)) from None


@click.command(no_args_is_help=True)
@click.option("--listen", metavar="ADDR", required=True, callback=_parse_listen,
              help="Where clients connect: host:port (port 0: any), :port on loopback, or unix:PATH.")  # fmt: skip
@click.option("--target", metavar="TARGET", required=True, callback=_parse_target,
              help="The server: host:port, grpc://, grpcs:// or unix:PATH.")  # fmt: skip
@click.option("-o", "--out", "path", metavar="FILE", required=True, help="The log; - is standard output.")
@click.option("--append", is_flag=True, help="Add to FILE where it is there.")
@click.option("--force", is_flag=True, help="Overwrite FILE where it is there.")
@click.option("--max-message-bytes", metavar="SIZE", callback=_parse_size, help="Log only so much of each message.")
@click.option(
    "--max-file-size",
    metavar="SIZE",
    callback=_parse_size,
    help="Go on in FILE.1, FILE.2, ... where a file would be larger.",
)
@click.option("--max-files", type=click.IntRange(1), metavar="N", help="Keep the last N of these files.")
@click.option("--allow-remote", is_flag=True, help="Let other machines connect, where --listen says so.")
@click.option("--listen-cert", metavar="FILE", help="Speak TLS to clients, with this certificate (PEM).")
@click.option("--listen-key", metavar="FILE", help="Its key (PEM).")
@click.option(
    "--plaintext", is_flag=True, help="No TLS to the target. Default: TLS, unless grpc:// or unix: says otherwise."
)
@click.option("--insecure", is_flag=True, help="TLS to the target without checking its certificate.")
@click.option("--cacert", metavar="FILE", help="CAs that the target's certificate may be from (PEM).")
@click.option("--cert", metavar="FILE", help="A client certificate for the target (PEM).")
@click.option("--key", metavar="FILE", help="Its key (PEM).")
@click.option("--servername", metavar="NAME", help="The name that the target's certificate must have.")
@click.option("--connect-timeout", type=SECONDS, default=10.0, metavar="SECONDS",
              help="Give up connecting to the target after this long. Default: 10.")  # fmt: skip
def record(
    listen: Listen, target: Target, path: str, append: bool, force: bool, max_message_bytes: int | None,
    max_file_size: int | None, max_files: int | None, allow_remote: bool, listen_cert: str | None,
    listen_key: str | None, plaintext: bool, insecure: bool, cacert: str | None, cert: str | None, key: str | None,
    servername: str | None, connect_timeout: float,
) -> int:  # fmt: skip
    """Record the calls that go through a proxy, into a binary log of gRPC, which all other commands read.

    Clients connect to --listen instead of the server. All goes through unchanged, in both directions: any method and
    kind of call, metadata, deadlines, cancellation, compression, trailers. Ctrl-C ends it.
    """
    if not listen.is_local and not allow_remote:
        raise click.UsageError(
            f"--listen {listen} lets other machines in: say so with --allow-remote, or use 127.0.0.1"
        )
    if append and force:
        raise click.UsageError("--append adds to the file, --force overwrites it: use one of them")
    if (listen_cert is None) != (listen_key is None):
        raise click.UsageError("--listen-cert and --listen-key go together")
    if max_files is not None and max_file_size is None:
        raise click.UsageError("--max-files needs --max-file-size")
    if path == "-" and output.is_terminal():
        raise click.UsageError("the log is binary: -o FILE, or a pipe behind -o -")
    settings = ConnectSettings(
        plaintext=plaintext or None, insecure=insecure, cacert=cacert, cert=cert, key=key, servername=servername,
        connect_timeout=connect_timeout,
    )  # fmt: skip
    tls = listening_tls(listen_cert, listen_key) if listen_cert and listen_key else None
    mode: Mode = "append" if append else "force" if force else "new"
    progress = _Progress()

    async def run() -> bool:
        recorder = Recorder(listen, target, settings, listen_tls=tls, tell=progress.tell)
        where = recorder.bind()  # what can fail comes first, so that no file is made or replaced in vain
        file = BinlogFile(path, mode, FileLimits(max_file_size, max_files), lambda: log.headers())
        log = CallLog(file, max_message_bytes=max_message_bytes)
        with contextlib.closing(file):
            await recorder.start(log)
            stop = _signals(progress)
            progress.tell(f"listening on {where}, recording what goes to {target}")
            await _record(recorder, stop, lambda: _line(recorder, log, file), progress)
            return recorder.log is not None

    return 0 if asyncio.run(run()) else FAILED


def _signals(progress: _Progress) -> asyncio.Event:
    """What is set when a signal says to end. What asyncio has to complain about is told as a line."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: progress.tell(str(context.get("exception") or context["message"])))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _record(recorder: Recorder, stop: asyncio.Event, line: Callable[[], str], progress: _Progress) -> None:
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PROGRESS_SECONDS if progress.is_shown else None):
                await stop.wait()
        progress.show(line())
    await recorder.close()
    progress.tell(line())


def _line(recorder: Recorder, log: CallLog, file: BinlogFile) -> str:
    """What was recorded so far."""
    traffic, counts = recorder.traffic, log.counts
    parts = (
        f"{counts.calls:,} call{'' if counts.calls == 1 else 's'}",
        f"{counts.messages:,} message{'' if counts.messages == 1 else 's'}",
        f"{traffic.connections:,} connection{'' if traffic.connections == 1 else 's'}",
        f"{size(traffic.from_clients)} sent, {size(traffic.from_target)} received",
        f"{size(file.written)} logged",
        f"{counts.open_calls:,} calls open" if counts.open_calls else "",
        f"{counts.left_out:,} messages logged without their bytes" if counts.left_out else "",
    )
    return ", ".join(filter(None, parts))


class _Progress:
    """Standard error: lines that stay, and on a terminal one that changes."""

    def __init__(self) -> None:
        self.is_shown = sys.stderr is not None and sys.stderr.isatty()
        self._is_begun = False

    def tell(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        output.note(text)

    def show(self, text: str) -> None:
        """The line that changes."""
        if self.is_shown:
            self._clear()
            sys.stderr.write(safe(text))
            sys.stderr.flush()
            self._is_begun = True

    def _clear(self) -> None:
        if self._is_begun:
            sys.stderr.write("\r\x1b[K")
            self._is_begun = False
