"""The terminal UI as its user has it: in a pseudo terminal, by keys, and when each frame was there.

What comes is only noted while it is measured, and read afterwards by a terminal emulator, which would otherwise keep
the program waiting and share its processors. A frame has an end, as this terminal says that it knows of synchronized
output.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyte
from tui.real_terminal import RealTerminal

_ASKS, _ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_END = b"\x1b[?2026l"

PATIENCE = 120.0
"""Seconds after which what does not come will not."""

NUMBER = slice(1, 9)
"""Columns of the number of a call; the border is left of them."""

ANSWERED = 0.2
"""Seconds after the last key before what came is read: what comes meanwhile has to wait."""

PAGE = os.sysconf("SC_PAGE_SIZE")
LOOK_AT_MEMORY = 0.05
"""Seconds from one look to the next."""


class Frame(NamedTuple):
    """What was on the screen from a time on. `cursor` is the number of the call that is told from all others by its
    colour, 0 where there is none."""

    time: float
    lines: Sequence[str]
    cursor: int

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def calls(self) -> list[str]:
        """The numbers of the calls that are listed."""
        return [line[NUMBER].strip() for line in self.lines if line[NUMBER].strip().isdigit()]


class Answer(NamedTuple):
    """How long a key took, in seconds, and what was on the screen before and after that."""

    seconds: float
    before: Frame
    after: Frame


Shows = Callable[[int, Frame, Frame], bool]
"""Whether a frame shows what a key did: which key it was (from 0), the frame before it, and this one."""


class Terminal(RealTerminal):
    """The program with these arguments, in a terminal of that size."""

    def __init__(self, *arguments: str, size: tuple[int, int], cache: Path) -> None:
        columns, lines = size
        self.began = time.perf_counter()
        super().__init__(*arguments, columns=columns, lines=lines, INSPECTOR_CACHE=str(cache), INSPECTOR_STATE="off")
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._chunks: list[tuple[float, bytes]] = []
        self._pending = b""
        self._asked = False
        self.last = Frame(self.began, (), 0)
        self.peak_memory = 0
        """The most resident memory that the program and its processes had at once, in bytes."""
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch_memory)
        self._watcher.start()

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self._watcher.join()
        super().__exit__(*exception)

    def _watch_memory(self) -> None:
        while not self._is_over.wait(LOOK_AT_MEMORY):
            self.peak_memory = max(self.peak_memory, memory_of(self.process.pid))

    # --- what comes ----------------------------------------------------------------------------------------------

    def collect(self, until: float) -> None:
        """Notes what comes until a time."""
        while select.select([self._ours], [], [], max(0.0, until - time.perf_counter()))[0]:
            data = os.read(self._ours, 1 << 16)
            self._chunks.append((time.perf_counter(), data))
            if not self._asked and _ASKS in data:
                self._asked = True
                self.send(_ANSWER)
            if time.perf_counter() >= until:
                return

    def frames(self) -> Iterator[Frame]:
        """The frames that came since the last call."""
        chunks, self._chunks = self._chunks, []
        for at, data in chunks:
            *whole, self._pending = (self._pending + data).split(_END)
            for part in whole:
                self._stream.feed(part)
                lines = self._screen.display
                self.last = Frame(at, lines, self._cursor(lines))
                yield self.last

    def _cursor(self, lines: Sequence[str]) -> int:
        rows = [row for row, line in enumerate(lines) if line[NUMBER].strip().isdigit()]
        colours = [self._screen.buffer[row][NUMBER.start + 1].bg for row in rows]
        single = [row for row, colour in zip(rows, colours, strict=True) if colours.count(colour) == 1]
        return int(lines[single[0]][NUMBER]) if len(single) == 1 else 0

    # --- what is done --------------------------------------------------------------------------------------------

    def wait(self, shows: Callable[[Frame], bool]) -> Frame:
        """The first frame that shows something."""
        deadline = time.perf_counter() + PATIENCE
        while time.perf_counter() < deadline:
            self.collect(time.perf_counter() + 0.02)
            for frame in self.frames():
                if shows(frame):
                    return frame
        raise SystemExit(f"that did not come:\n{self.last.text}")

    def rest(self, seconds: float = 0.3) -> Frame:
        """What is on the screen some time later."""
        self.collect(time.perf_counter() + seconds)
        return [self.last, *self.frames()][-1]

    def press(self, key: bytes, shows: Shows, count: int = 1, pause: float = 0.2) -> list[Answer]:
        """Presses a key again and again, each time after a pause, whether or not it was answered."""
        self.rest(0)
        pressed: list[float] = []
        for number in range(count):
            if number:
                self.collect(pressed[0] + number * pause)
            pressed.append(time.perf_counter())
            self.send(key)
        return self._answers(pressed, shows, pause)

    def _answers(self, pressed: list[float], shows: Shows, pause: float) -> list[Answer]:
        """When each was answered: keys are in the order in which they were pressed."""
        answers: list[Answer] = []
        before: list[Frame] = []
        until = pressed[-1] + max(pause, ANSWERED)
        while len(answers) < len(pressed):
            if time.perf_counter() > pressed[-1] + PATIENCE:
                raise SystemExit(f"a key was not answered:\n{self.last.text}")
            self.collect(until)
            until = time.perf_counter() + 0.05
            last = self.last
            for frame in self.frames():
                while len(before) < len(pressed) and pressed[len(before)] < frame.time:
                    before.append(last)
                while len(answers) < len(before) and shows(len(answers), before[len(answers)], frame):
                    at = len(answers)
                    answers.append(Answer(frame.time - pressed[at], before[at], frame))
                last = frame
        return answers


def memory_of(process: int) -> int:
    """Resident memory of a process and of those that it started, in bytes."""
    try:
        own = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
        children = [
            int(child)
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (OSError, IndexError):
        return 0
    return own + sum(map(memory_of, children))
