"""The terminal UI: from a key to the frame that shows what it did, the whole program in a pseudo terminal.

A key is pressed whether or not the last one was answered, as by a hand; one that is held comes 30 times a second.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles

import corpus
import inputs
import paths
from report import Figure, seconds
from terminal import Answer, Frame, Shows, Terminal

from jobs.captures import BYTES_A_CALL, GIGABYTE, LABELS_OF_8_KB
from jobs.effort import Effort
from jobs.index import CALLS, LABELS
from jobs.screens import large_messages

SIZES = ((160, 48), (80, 24))
HELD = 1 / 30
"""Seconds from one key to the next while it is held."""

MEDIAN_MS, P95_MS, MOST_MS, MEMORY_MB = 30, 60, 50, 300
FIRST_ROWS_SECONDS, FILTER_SECONDS, LARGE_SECONDS, CANCEL_MS = 1.0, 1.0, 0.5, 100
LARGE = 64_000_000
"""Bytes of a message."""

ON_CALLS = "status.code == 0 && duration > 0.0005"
ON_MESSAGES = "response.labels.exists(l, l.score > 2.0)"
PAGE_DOWN, PAGE_UP, ESCAPE, CLEAR = b"\x1b[6~", b"\x1b[5~", b"\x1b", b"\x15"

Answers = dict[str, list[Answer]]


def measure(effort: Effort) -> Iterator[Figure]:
    """A capture of many calls while it is read and after that, filters, large messages, a large capture."""
    capture = inputs.capture(round(CALLS * effort.scale), labels=LABELS)
    for size in SIZES:
        yield from _browsed(capture, size)
    yield from _large_messages(round(LARGE * effort.scale))
    yield from _large_capture(inputs.capture(round(GIGABYTE * effort.scale / BYTES_A_CALL), labels=LABELS_OF_8_KB))


def _started(capture: Path, size: tuple[int, int], cache: str, *schema: str) -> Terminal:
    return Terminal("tui", str(capture), *(schema or ("-s", str(paths.SCHEMA))), size=size, cache=Path(cache))


def _browsed(capture: Path, size: tuple[int, int]) -> Iterator[Figure]:
    at = f"{size[0]}x{size[1]}"
    with tempfile.TemporaryDirectory(dir=paths.DATA) as cache, _started(capture, size, cache) as terminal:
        taken = terminal.wait(lambda frame: frame.cursor == 1).time - terminal.began
        yield _most(f"{at}: first rows, from the start", taken, FIRST_ROWS_SECONDS)
        yield from _keys(f"{at}, while it loads", _pressed(terminal, 1), is_loading=True)
        terminal.wait(lambda frame: not _is_loading(frame))
        terminal.rest()
        yield from _keys(f"{at}, when it is loaded", _pressed(terminal, 3), is_loading=False)
        yield from _sorted(at, terminal)
        yield from _filtered(at, terminal)
        yield Figure(f"{at}: peak memory", "", "", "", terminal.peak_memory / 1e6, MEMORY_MB, " MB", at_most=True)


# --- keys ----------------------------------------------------------------------------------------------------------


def _pressed(terminal: Terminal, rounds: int) -> Answers:
    """Keys by turns, the list of calls having the focus and its first call the cursor."""
    found: Answers = {}

    def press(name: str, key: bytes, shows: Shows, count: int = 1, pause: float = 0.2) -> None:
        found.setdefault(name, []).extend(terminal.press(key, shows, count, pause))

    for _ in range(rounds):
        press("j held", b"j", lambda number, _, frame: frame.cursor >= number + 2, 30, HELD)
        press("k held", b"k", lambda number, _, frame: 1 <= frame.cursor <= 30 - number, 30, HELD)
        press("page down and up", PAGE_DOWN, _moved, 6)
        press("page down and up", PAGE_UP, _moved, 6)
        for _ in range(3):
            press("G and gg", b"G", _moved)
            press("G and gg", b"g", _moved)
            press("]", b"]", lambda _number, _before, frame: "vision.v1.PredictResponse" in frame.text)
            press("]", b"[", lambda _number, _before, frame: "vision.v1.PredictRequest" in frame.text)
    return found


def _moved(_: int, before: Frame, frame: Frame) -> bool:
    return frame.cursor not in (0, before.cursor)


def _keys(job: str, found: Answers, *, is_loading: bool) -> Iterator[Figure]:
    """Each kind of key, then all together, which the aims are for."""
    kept = {
        name: [each.seconds * 1000 for each in answers if _is_loading(each.before) == is_loading]
        for name, answers in found.items()
    }
    for name, taken in kept.items():
        if len(taken) > 1:
            shown = f"{len(taken)} times, slowest {max(taken):.0f} ms"
            yield Figure(f"{job}: {name}", "", shown, "", _p95(taken), None, " ms (p95)", at_most=True)
    every = [taken for each in kept.values() for taken in each]
    shown = f"{len(every)} keys, slowest {max(every):.0f} ms"
    yield Figure(f"{job}: median", "", shown, "", median(every), MEDIAN_MS, " ms", at_most=True)
    yield Figure(f"{job}: p95", "", shown, "", _p95(every), P95_MS, " ms", at_most=True)


def _p95(taken: Sequence[float]) -> float:
    return quantiles(taken, n=20, method="inclusive")[-1]


def _is_loading(frame: Frame) -> bool:
    return "  reading " in frame.lines[0]


def _most(job: str, taken: float, aim: float | None, note: str = "") -> Figure:
    return Figure(job, "", note or seconds(taken), "", taken, aim, " s", at_most=True)


# --- order and filters ---------------------------------------------------------------------------------------------


def _sorted(at: str, terminal: Terminal) -> Iterator[Figure]:
    """By number the other way round, and back: the calls around the cursor are others then."""

    def others(_: int, before: Frame, frame: Frame) -> bool:
        return len(frame.calls) == len(before.calls) and frame.calls != before.calls

    terminal.press(b"G", _moved)
    terminal.press(b"k", _moved, 3)
    taken = [answer.seconds for _ in range(2) for answer in terminal.press(b"S", others)]
    yield _most(f"{at}: sorted the other way round", max(taken), None)
    terminal.press(b"g", _moved)


def _filtered(at: str, terminal: Terminal) -> Iterator[Figure]:
    def is_open(_number: int, _before: Frame, frame: Frame) -> bool:
        return "✓ Tab:" in frame.text or "all calls" in frame.text

    def is_done(frame: Frame) -> bool:
        return "shown" in frame.lines[0] and "filtering" not in frame.lines[0]

    terminal.press(b"/", is_open)
    terminal.send(ON_CALLS[:-1].encode())
    terminal.rest(2)
    before = _shown(terminal.last)
    (answer,) = terminal.press(
        ON_CALLS[-1:].encode(), lambda _number, _before, frame: is_done(frame) and _shown(frame) != before
    )
    yield _most(f"{at}: filter: {ON_CALLS}", answer.seconds, FILTER_SECONDS, f"{_shown(answer.after)} found")
    terminal.send(CLEAR)
    terminal.rest(1)
    terminal.send(ON_MESSAGES.encode())
    terminal.rest(2)
    (begun,) = terminal.press(b"\r", lambda _number, _before, frame: _share(frame) is not None)
    yield _most(f"{at}: filter: {ON_MESSAGES}: progress is shown", begun.seconds, None)
    terminal.rest(4)
    if _share(terminal.last) is not None:
        (ended,) = terminal.press(ESCAPE, lambda _number, _before, frame: "filter stopped" in frame.lines[0])
        milliseconds = ended.seconds * 1000
        yield Figure(f"{at}: ... Esc stops it", "", "", "", milliseconds, CANCEL_MS, " ms", at_most=True)


def _shown(frame: Frame) -> str:
    found = re.search(r"([\d,]+) shown", frame.lines[0])
    return found[1] if found else ""


def _share(frame: Frame) -> str | None:
    found = re.search(r"filtering \S+ (\d+) %", frame.lines[0])
    return found[1] if found else None


# --- what is large -------------------------------------------------------------------------------------------------


def _large_messages(size: int) -> Iterator[Figure]:
    """Each in a call of its own, behind one that is small, from the key that selects it."""
    shapes = [(name, data, type_name) for name, data, type_name in large_messages(size)]
    service = _service([type_name for _, _, type_name in shapes])
    requests = [("/large.Shapes/M", b""), *((f"/large.Shapes/M{at}", data) for at, (_, data, _) in enumerate(shapes))]
    capture = inputs.large_requests(lambda: requests, f"large-{size // 1_000_000}")
    imports = [part for folder in (*corpus.PROTOS, service.parent) for part in ("-I", str(folder))]
    for title, schema in (("with schema", ("-s", str(service), *imports)), ("without schema", ("--theme", "nord"))):
        with (
            tempfile.TemporaryDirectory(dir=paths.DATA) as cache,
            _started(capture, SIZES[0], cache, *schema) as terminal,
        ):
            terminal.wait(lambda frame: frame.cursor == 1 and not _is_loading(frame))
            terminal.rest(1)
            for name, _, type_name in shapes:
                expected = type_name if title == "with schema" else "guessed"
                (answer,) = terminal.press(
                    b"j", lambda _n, before, frame, e=expected: _is_open(e, before, frame), pause=1
                )
                yield _most(f"message of {size / 1e6:.0f} MB: {name}, {title}", answer.seconds, LARGE_SECONDS)


def _is_open(expected: str, before: Frame, frame: Frame) -> bool:
    """Whether the fields and bytes of another call are shown."""
    if not _moved(0, before, frame):
        return False
    fields = next((line for line in frame.lines if "2 Fields" in line), "")
    return expected in fields and "0000" in frame.text


def _service(types: Sequence[str]) -> Path:
    """A .proto file of a service with a method for each type."""

    def write(path: Path) -> None:
        files = sorted({corpus.schema().message(name).file.name for name in types})
        methods = [f"  rpc M{at}({name}) returns (Nothing);" for at, name in enumerate(types)]
        imports = [f'import "{name}";' for name in files]
        body = ["service Shapes {", "  rpc M(Nothing) returns (Nothing);", *methods, "}", "message Nothing {}"]
        path.write_text("\n".join(('syntax = "proto3";', "package large;", *imports, *body, "")))

    return inputs.made("large_shapes.proto", write)


def _large_capture(capture: Path) -> Iterator[Figure]:
    """Keys while a capture of 1 GB is read."""
    with tempfile.TemporaryDirectory(dir=paths.DATA) as cache, _started(capture, SIZES[0], cache) as terminal:
        terminal.wait(lambda frame: frame.cursor == 1)
        answers = [each for each in terminal.press(b"j", _moved, 40, 0.1) if _is_loading(each.before)]
        taken = [each.seconds * 1000 for each in answers]
        job = f"a key while {capture.stat().st_size / 1e6:,.0f} MB load"
        shown = f"{len(taken)} keys, slowest {max(taken):.0f} ms"
        yield Figure(f"{job}: p95", "", shown, "", _p95(taken), MOST_MS, " ms", at_most=True)
        yield Figure(f"{job}: peak memory", "", "", "", terminal.peak_memory / 1e6, MEMORY_MB, " MB", at_most=True)
