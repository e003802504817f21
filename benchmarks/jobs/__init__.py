"""What is measured, by groups. A new group is a module with `measure(effort) -> Iterator[Figure]`, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from report import Figure

from jobs import captures, filter, index, messages, one_message, recording, scaling, screens, start_up, tui
from jobs.effort import Effort


class Job(NamedTuple):
    """A group of figures: its name for `--only`, and what stands above its table."""

    name: str
    title: str
    measure: Callable[[Effort], Iterator[Figure]]


JOBS = (
    Job("decode", "Bytes to JSON, within a process", messages.decoding),
    Job("encode", "JSON to bytes, within a process", messages.encoding),
    Job("large", "One large message, whole processes", one_message.large),
    Job("start", "One small message, whole processes", start_up.measure),
    Job("captures", "Captures, whole processes", captures.against_tshark),
    Job("memory", "A capture of 1 GB", captures.large),
    Job("scaling", "Twice the input", scaling.measure),
    Job("index", "The index of 1,000,000 calls", index.measure),
    Job("filter", "Filters over 1,000,000 calls", filter.measure),
    Job("tui", "The terminal UI: from a key to its frame", tui.measure),
    Job("record", "Calls through the recording proxy", recording.measure),
    Job("screens", "The first screen of a message of 100 MB", screens.measure),
)
