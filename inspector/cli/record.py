"""`inspector record`: a proxy that records the calls that go through it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

import click

from inspector.cli import output
from inspector.cli.completion import complete_targets
from inspector.cli.connect_options import ConnectOptions, way_to
from inspector.cli.exit_codes import FAILED
from inspector.cli.options import POSITIVE
from inspector.client.binlog_writer import BinlogFile, FileLimits, Mode
from inspector.client.call_log import CallLog
from inspector.client.record import Listen, Recorder, listening_tls
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


@click.command(no_args_is_help=True)
@click.option("--listen", metavar="ADDR", required=True, callback=_parse_listen,
              help="Where clients connect: host:port (port 0: any), :port on loopback, or unix:PATH.")  # fmt: skip
@click.option("--target", metavar="TARGET", required=True, shell_complete=complete_targets,
              help="The server: host:port, grpc://, grpcs:// or unix:PATH, or @NAME of a profile.")  # fmt: skip
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
@click.option("--connect-timeout", type=POSITIVE, metavar="SECONDS",
              help="Give up connecting to the target after this long. Default: 10.")  # fmt: skip
def record(listen: Listen, target: str, path: str, **given: Any) -> int:
    """Record the calls that go through a proxy, into a binary log of gRPC, which all other commands read.

    Clients connect to --listen instead of the server. All goes through unchanged, in both directions: any method and
    kind of call, metadata, deadlines, cancellation, compression, trailers. Ctrl-C ends it.
    """
    _check(listen, path, given)
    progress = _Progress()
    recorder = _recorder(listen, target, given, progress)
    _allow_files()
    return 0 if asyncio.run(_run(recorder, path, given, progress)) else FAILED


def _check(listen: Listen, path: str, given: dict[str, Any]) -> None:
    """Raises UsageError for options that do not go together."""
    if not listen.is_local and not given["allow_remote"]:
        raise click.UsageError(
            f"--listen {listen} lets other machines in: say so with --allow-remote, or use 127.0.0.1"
        )
    if given["append"] and given["force"]:
        raise click.UsageError("--append adds to the file, --force overwrites it: use one of them")
    if (given["listen_cert"] is None) != (given["listen_key"] is None):
        raise click.UsageError("--listen-cert and --listen-key go together")
    if given["max_files"] is not None and given["max_file_size"] is None:
        raise click.UsageError("--max-files needs --max-file-size")
    if path == "-" and output.is_terminal():
        raise click.UsageError("the log is binary: -o FILE, or a pipe behind -o -")
    if path == "-" and (given["append"] or given["force"] or given["max_file_size"] is not None):
        raise click.UsageError("standard output is no file: --append, --force and --max-file-size need one")


def _recorder(listen: Listen, target: str, given: dict[str, Any], progress: _Progress) -> Recorder:
    """Raises InputError for settings that cannot be used, BadParameter for what is no target."""
    named: dict[str, Any] = {
        name: given[name] or None for name in ("plaintext", "insecure", "cacert", "cert", "key", "servername")
    }
    try:
        server, settings = way_to(target, ConnectOptions(connect_timeout=given["connect_timeout"], **named))
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="'--target'") from None
    files = given["listen_cert"], given["listen_key"]
    return Recorder(listen, server, settings.for_grpc(), listen_tls=listening_tls(*files) if all(files) else None,
                    tell=progress.tell)  # fmt: skip


async def _run(recorder: Recorder, path: str, given: dict[str, Any], progress: _Progress) -> bool:
    """Records until a signal says to end; whether all of it could be logged."""
    mode: Mode = "append" if given["append"] else "force" if given["force"] else "new"
    where = recorder.bind()  # what can fail comes first, so that no file is made or replaced in vain
    try:
        sizes = FileLimits(given["max_file_size"], given["max_files"])
        file = BinlogFile(path, mode, sizes, lambda: log.headers())
        log = CallLog(file, max_message_bytes=given["max_message_bytes"])
        with contextlib.closing(file):
            await recorder.start(log)
            stop = _signals(recorder)
            progress.tell(f"listening on {where}, recording what goes to {recorder.target}")
            await _show(recorder, stop, lambda: _line(recorder, log, file), progress)
            return recorder.log is not None
    finally:
        await recorder.close()


def _allow_files() -> None:
    """Each connection takes two, and the usual limit is low for the sake of programs that do without many."""
    with contextlib.suppress(OSError, ValueError):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _signals(recorder: Recorder) -> asyncio.Event:
    """What is set when a signal says to end. What asyncio has to complain about is told as a line."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda _, context: recorder.complain(str(context.get("exception") or context["message"]))
    )
    stop = asyncio.Event()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    return stop


async def _show(recorder: Recorder, stop: asyncio.Event, line: Callable[[], str], progress: _Progress) -> None:
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
        _counted(counts.calls, "call") + (f" ({counts.open_calls:,} open)" if counts.open_calls else ""),
        _counted(counts.messages, "message"),
        _counted(traffic.connections, "connection"),
        f"{size(traffic.from_clients)} sent, {size(traffic.from_target)} received",
        f"{size(file.written)} logged",
        f"{_counted(counts.left_out, 'message')} logged without bytes" if counts.left_out else "",
    )
    return ", ".join(filter(None, parts))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


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
            # A line that goes on in the next row could not be taken back.
            sys.stderr.write(safe(text)[: _width() - 1])
            sys.stderr.flush()
            self._is_begun = True

    def _clear(self) -> None:
        if self._is_begun:
            sys.stderr.write("\r\x1b[K")
            self._is_begun = False


def _width() -> int:
    """Of the terminal that standard error is."""
    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80
