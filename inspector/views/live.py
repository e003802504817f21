"""What `-v` tells of a live call: `*` how it came about, `>` what was sent, `<` what came back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from inspector.client.dial import Step
from inspector.model.call import Call, Header, Message
from inspector.views.conversation import status_line
from inspector.views.rows import DecodeDetails
from inspector.views.safe_text import safe, safe_json
from inspector.views.secrets import masked
from inspector.views.spans import Line, json_lines
from inspector.views.times import duration, size


def note(text: str) -> Line:
    """How the call came about."""
    return [("dim", f"* {safe(text)}")]


def kind(is_stream: bool) -> str:
    """What stands before the type of a stream in a .proto file."""
    return "stream " if is_stream else ""


def header_lines(mark: str, fields: tuple[Header, ...], *, show_secrets: bool) -> Iterator[Line]:
    """Header fields, sent (`>`) or received (`<`)."""
    for name, value in masked(fields, show_secrets=show_secrets):
        yield [("dim", f"{mark} "), ("key", safe(name or "")), ("", f": {safe(value or '')}")]


def size_line(message: Message, wire_size: int) -> Line:
    """How large a message is, and as what it was carried."""
    mark = ">" if message.direction == "request" else "<"
    count = len(message.data or b"")
    carried = "" if message.encoding == "identity" else f" ({message.encoding}, {size(wire_size)} on the wire)"
    return [("dim", f"{mark} {message.direction} {message.index}: {size(count)}{safe(carried)}")]


class Timing(NamedTuple):
    """What something took, in nanoseconds, and what its parts did."""

    name: str
    took: int
    note: str = ""
    parts: tuple[Timing, ...] = ()


def connect_timing(steps: Iterable[Step]) -> Timing:
    """What connecting took."""
    parts = tuple(Timing(step.name, step.ended - step.started, step.note) for step in steps)
    return Timing("connect", sum(each.took for each in parts), "", parts)


def call_timing(started: int, last_sent: int | None, first_byte: int | None, ended: int | None) -> Timing:
    """What a call took, and how far it was when; by times in nanoseconds, None for what has not happened."""
    parts = (("to last request", last_sent), ("to first byte", first_byte))
    known = tuple(Timing(name, time - started) for name, time in parts if time is not None)
    return Timing("call", (ended or started) - started, "", known)


def timing_lines(timing: Timing, depth: int = 0) -> Iterator[Line]:
    """A tree of times, indented by what is part of what."""
    indent = "  " * depth
    yield note(f"{indent}{timing.name:<{20 - len(indent)}} {duration(timing.took):>9}  {timing.note}".rstrip())
    for part in timing.parts:
        yield from timing_lines(part, depth + 1)


def ended_line(call: Call) -> Line:
    """How the call ended, and how long it took."""
    return [*note(f"{duration(call.duration)}: "), *status_line(call)]


def failure_lines(call: Call, decode_details: DecodeDetails) -> Iterator[Line]:
    """A call that failed: its status, with what the details say."""
    yield [("method", safe((call.method or "").removeprefix("/"))), ("", ": "), *status_line(call)]
    if call.status is None or call.status.details is None:
        return
    details = decode_details(call.status.details)
    if details is None:
        yield [("bad", "its details are damaged")]
    elif details:
        text = safe_json(orjson.dumps(details, option=orjson.OPT_INDENT_2)).decode("utf-8")
        yield from json_lines(text)
