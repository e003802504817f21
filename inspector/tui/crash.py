"""How the program ends where it should not: an error that nobody expected, a signal, a terminal that is gone.

The terminal is given back in each case. Textual does so where it comes to its end in good order; a watchdog does it
where it does not, as when a thread goes on, or the terminal takes nothing. An error is kept in a log for a report, and
told in one line: a traceback on the terminal would show what was in the payloads.
"""

from __future__ import annotations

import contextlib
import os
import platform
import select
import signal
import termios
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from rich.console import Console
from rich.traceback import Traceback
from textual.app import App
from textual.worker import WorkerFailed

from inspector import __version__
from inspector.compiled import is_compiled
from inspector.errors import InputError, InspectorError
from inspector.limits import MAX_CRASH_LOGS, MAX_CRASH_SIZE
from inspector.tui import private_files, state
from inspector.views.safe_text import safe

FOLDER = state.FOLDER._replace(suffix=".log")

_KIND = "crashes"

_PATIENCE = 3.0
"""Seconds in which the program has to come to its end before it is ended."""

_MOST_TOLD = 200
"""Characters of an error that are told in a line."""

_SIGNALLED = 128
"""Added to the number of a signal makes the exit code, as shells tell it."""

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)

_LEAVES = (
    "\x1b[?2004l\x1b[?7h\x1b[?2048l"  # pasting in brackets; wrapped lines; sizes in the input
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # the mouse
    "\x1b[<u\x1b[?1049l"  # the keyboard of kitty, before the screen to which it belongs
    "\x1b[?25h\x1b[?1004l"  # the cursor; being told of focus
)


class CrashError(InspectorError):
    """The program failed, by a mistake of ours."""


class Failure(NamedTuple):
    """An error nobody expected: what it is, and where it came from."""

    told: str
    traceback: str


def _failure(error: BaseException) -> Failure:
    return Failure(traceback.format_exception_only(error)[-1], "".join(traceback.format_exception(error)))


class CrashSafeApp(App[None]):
    """An app that keeps the first error that nobody expected as `failure`, prints nothing of it, and ends."""

    failure: Failure | None = None
    on_failure: Callable[[], None] | None = None
    """Called once, in the thread of the app."""

    def _handle_exception(self, error: Exception) -> None:
        self._keep_error(_failure(error.error if isinstance(error, WorkerFailed) else error))
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:
        """Ends. Textual gives what it would print, such as the traceback of the thread that reads keys."""
        console = Console(color_system=None, width=120)
        with console.capture() as captured:
            console.print(*renderables)
        text = captured.get()
        errors = [each.trace.stacks[0] for each in renderables if isinstance(each, Traceback)]
        told = f"{errors[0].exc_type}: {errors[0].exc_value}" if errors else text
        self._keep_error(Failure(told, text))
        self._close_messages_no_wait()

    def _keep_error(self, failure: Failure) -> None:
        if self.failure is None:
            self.failure = failure
            if self.on_failure is not None:
                self.on_failure()


def run(app: CrashSafeApp) -> int:
    """Runs the app in the terminal; its exit code. Raises CrashError, when the terminal is as it was."""
    return _Guard(app).run()


class _Guard:
    def __init__(self, app: CrashSafeApp) -> None:
        self._app = app
        self._settings = _settings()
        self._number = 0  # of the signal by which it ends
        self._watchdog: threading.Timer | None = None
        self._is_over = False
        app.on_failure = self._start_watchdog

    def run(self) -> int:
        try:
            with self._signals():
                self._app.run()
        except KeyboardInterrupt:
            self._number = signal.SIGINT
        except Exception as error:
            self._app.failure = self._app.failure or _failure(error)
            self._give_terminal_back()
        finally:
            self._is_over = True
            if self._watchdog is not None:
                self._watchdog.cancel()
        if self._settings != _settings():
            self._give_terminal_back()
        if self._number:  # what fails as the terminal is gone is no mistake
            return _SIGNALLED + self._number
        if self._app.failure is not None:
            raise crash_error(self._app.failure)
        return self._app.return_code or 0

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals are told by a pipe, as their handlers wait for the thread of the app, which may be busy."""
        before = {each: signal.getsignal(each) for each in (*_SIGNALS, signal.SIGINT)}
        theirs, ours = os.pipe()
        os.set_blocking(ours, False)
        told_before = signal.set_wakeup_fd(ours, warn_on_full_buffer=False)
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # as nohup wants it
                signal.signal(number, self._on_signal)
        threading.Thread(target=self._listen, args=(theirs,), name="signals", daemon=True).start()
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(told_before)
            os.close(ours)

    def _listen(self, signals: int) -> None:
        """Ends the app when a signal says so, or nobody is left to press keys: not all are told, and some ignore it."""
        poller = select.poll()
        poller.register(0, 0)
        poller.register(signals, select.POLLIN)
        while not self._is_over:
            for descriptor, what in poller.poll():
                if descriptor == 0:
                    poller.unregister(0)
                    numbers = _forget_terminal() if what & select.POLLHUP else []
                elif not (numbers := [*os.read(signals, 1024)]):
                    return os.close(signals)
                for number in numbers:
                    if number in _SIGNALS:
                        self._leave(number)
        os.close(signals)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        """In the thread of the app. Ctrl-C is a key, and the signal may be for a program that has the terminal, which
        takes this handler away. That of a hang-up may come here only, as the driver of the page listens instead."""
        if number != signal.SIGTERM:
            self._leave(number)

    def _leave(self, number: int) -> None:
        """Has the app end: in good order if it can, and at once if asked again. From any thread."""
        if self._number == number != signal.SIGHUP:  # who hangs up may tell it twice
            self._end()
        self._number = number
        self._start_watchdog()
        with contextlib.suppress(RuntimeError):  # its loop is closed
            if self._app._loop is not None:
                self._app._loop.call_soon_threadsafe(self._app.exit)

    def _start_watchdog(self) -> None:
        if self._watchdog is None:
            self._watchdog = threading.Timer(_PATIENCE, self._end)
            self._watchdog.daemon = True
            self._watchdog.start()

    def _end(self) -> NoReturn:
        """Ends the process as it is."""
        line, code = "", _SIGNALLED + self._number if self._number else 1
        try:
            if not self._number:
                failure = self._app.failure or Failure("it does not end", "")
                line = f"inspector: {safe(str(crash_error(failure)))}\n"
            self._give_terminal_back(line)
        finally:
            os._exit(code)

    def _give_terminal_back(self, line: str = "") -> None:
        """Not by Textual, of which nothing is known, and without waiting for a terminal that takes nothing."""
        with contextlib.suppress(OSError, ValueError, termios.error):
            if self._settings is not None:
                termios.tcsetattr(0, termios.TCSANOW, self._settings)
                line = _LEAVES + line
            if select.select([], [2], [], 1)[1]:
                os.write(2, line.encode("utf-8", "backslashreplace"))


def _forget_terminal() -> list[int]:
    """What is still written goes nowhere, rather than fail; the signal that ends the program then."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        for each in (0, 1, 2):
            os.dup2(nowhere, each)
        os.close(nowhere)
    return [signal.SIGHUP]


def _settings() -> list[Any] | None:
    """Those of the terminal; None where there is none."""
    try:
        return termios.tcgetattr(0)
    except (OSError, termios.error):
        return None


# --- the log ---------------------------------------------------------------------------------------------------------


def crash_error(failure: Failure) -> CrashError:
    """Keeps the log of a failure, and says where it is."""
    place = _keep_log(_log(failure))
    hint = "no log could be written" if place is None else f"the log is {place}: please report it"
    return CrashError(f"the terminal UI failed: {failure.told.strip()[:_MOST_TOLD]}", hint=hint)


def _log(failure: Failure) -> bytes:
    """The error and what it ran with, as lines that are safe to print. What the command was given is not told."""
    text = failure.traceback
    if len(text) > MAX_CRASH_SIZE // 4:  # as UTF-8, a character takes at most four bytes, and an escape ten
        text = text[: MAX_CRASH_SIZE // 20] + "\n...\n" + text[-MAX_CRASH_SIZE // 20 :]
    lines = [
        f"inspector {__version__} (kernels: {'compiled' if is_compiled() else 'pure Python'})",
        f"Python {platform.python_version()}, Textual {version('textual')}, {platform.platform()}",
        f"TERM={os.environ.get('TERM')} TERM_PROGRAM={os.environ.get('TERM_PROGRAM')}",
        time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        failure.told.strip()[:_MOST_TOLD],
        *text.splitlines(),
    ]
    return "".join(safe(line) + "\n" for line in lines).encode("utf-8", "backslashreplace")[:MAX_CRASH_SIZE]


def _keep_log(log: bytes) -> Path | None:
    """Where it is: in the state folder, or in a temporary one where nothing is to be remembered."""
    key = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.getpid()}"
    FOLDER.write(_KIND, key, (log,), most_entries=MAX_CRASH_LOGS, most_bytes=MAX_CRASH_LOGS * MAX_CRASH_SIZE)
    place = FOLDER.path(_KIND, key)
    if place is None:
        with contextlib.suppress(InputError):
            place = private_files.keep(log, "crash.log")
    return place
