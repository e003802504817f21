"""Where results go: standard output or a file, and how they look there."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import click

from inspector.errors import InspectorError
from inspector.model.problem import Problem
from inspector.views.safe_text import safe
from inspector.views.spans import Line

MOST_WARNINGS = 20
"""Warnings printed one by one; the rest is counted."""

_STYLES = {
    "key": {"fg": "blue"},
    "string": {"fg": "green"},
    "number": {"fg": "cyan"},
    "word": {"fg": "magenta"},
    "title": {"bold": True},
    "method": {"bold": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "dim": {"dim": True},
}


class ReaderGone(Exception):
    """Nobody reads the output any more, for example `head` has what it wants. (Click takes the built-in error for its
    own, and makes it a failure.)"""


def is_terminal() -> bool:
    """Whether results are for a person's eyes."""
    return sys.stdout is not None and sys.stdout.isatty()


def is_typed() -> bool:
    """Whether standard input is a person at a keyboard."""
    return sys.stdin is not None and sys.stdin.isatty()


def has_colour() -> bool:
    """Whether they may be coloured (no-color.org)."""
    return is_terminal() and _is_colourful()


def has_error_colour() -> bool:
    """The same for what is said about them, on standard error."""
    return sys.stderr is not None and sys.stderr.isatty() and _is_colourful()


def _is_colourful() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def opened(path: str | None, *reading: str) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears under its name when it is whole. Raises InspectorError, also where it
    is one of those that are read."""
    if path is None or path == "-":
        if sys.stdout is None:
            raise InspectorError("standard output is closed", hint="-o writes to a file")
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise ReaderGone from None
        return
    is_special = os.path.exists(path) and not os.path.isfile(path)
    if not is_special:  # what /dev/stdout leads to may be a pipe, which has no path
        path = os.path.realpath(path)  # the file that a link names is replaced, not the link
    if any(_is_same(path, each) for each in reading):
        raise InspectorError("this is the input itself", where=path, hint="write to another file")
    if os.path.isdir(path):
        raise InspectorError("this is a directory", where=path, hint="name a file in it")
    try:
        with open(path, "wb") if is_special else _replacing(path) as file:
            yield file
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:
        raise InspectorError(f"cannot be written: {error.strerror}", where=path) from None


def _is_same(path: str, other: str) -> bool:
    """Whether two names are of one file that has content."""
    return os.path.isfile(path) and os.path.exists(other) and os.path.samefile(path, other)


@contextlib.contextmanager
def _replacing(path: str) -> Iterator[BinaryIO]:
    """A file beside the one of that name, which takes its place when it is whole. Raises OSError."""
    import tempfile  # noqa: PLC0415  # takes as long to load as click, and results mostly go to standard output

    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".inspector-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def paint(line: Line, *, colour: bool) -> str:
    """A line of styled spans as text for the terminal."""
    if not colour:
        return "".join(text for _, text in line)
    return "".join(click.style(text, **_STYLES[style]) if style in _STYLES else text for style, text in line)  # type: ignore[arg-type]


def write_lines(lines: Iterable[Line], out: BinaryIO, *, colour: bool) -> None:
    for line in lines:
        out.write(paint(line, colour=colour).rstrip().encode("utf-8", "replace") + b"\n")


class Warnings:
    """Problems of the input, on standard error: the first few, then a count."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, problem: Problem, where: str = "") -> None:
        self._count += 1
        if self._count <= MOST_WARNINGS:
            place = [
                where,
                f"packet {problem.packet}" if problem.packet else "",
                f"offset {problem.offset}" if problem.offset is not None else "",
            ]
            prefix = ", ".join(filter(None, place))
            note(f"{prefix}: {problem.message}" if prefix else problem.message)

    def close(self) -> None:
        if self._count > MOST_WARNINGS:
            note(f"... and {self._count - MOST_WARNINGS} more")


def note(text: str) -> None:
    """A line on standard error."""
    click.echo(f"inspector: {safe(text)}", err=True)
