"""How soon the first screen of a large message is there, once its bytes are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import corpus
import measure as measuring
from report import Figure, seconds

from inspector.payload import explain
from inspector.wire.encode import length_delimited, tag, varint
from inspector.wire.scan import LEN
from jobs.effort import Effort

ROWS = 50
WANTED_MS = 50
MOST_SECONDS, MOST_MEMORY = 10, 4 << 30
"""What a first screen may take before it is given up."""


def measure(effort: Effort) -> Iterator[Figure]:
    """The first rows of `explain`, for messages that are large in different ways."""
    size = round(100 * effort.scale * corpus.MEGABYTE)
    for job, path, type_name in _messages(size):
        taken = _median(path, _first_screen(type_name), min(3, effort.samples))
        shown = f"over {MOST_SECONDS} s or {MOST_MEMORY / 2**30:g} GiB" if taken is None else seconds(taken)
        milliseconds = 1000 * (MOST_SECONDS if taken is None else taken)
        yield Figure(job, "", shown, "", milliseconds, WANTED_MS, " ms", at_most=True)


def _median(path: Path, body: Callable[[bytes], object], samples: int) -> float | None:
    """Each in a new process, which reads the file and then is timed; None if any is given up."""
    taken: list[float] = []
    for _ in range(samples):
        seconds_taken = measuring.within(path, body, MOST_SECONDS, MOST_MEMORY)
        if seconds_taken is None:
            return None
        taken.append(seconds_taken)
    return median(taken)


def _messages(size: int) -> Iterator[tuple[str, Path, str | None]]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "message")
        for name, data, type_name in large_messages(size):
            path.write_bytes(data)
            yield f"{name}, with schema", path, type_name
            yield f"{name}, without schema", path, None


def large_messages(size: int) -> Iterator[tuple[str, bytes, str]]:
    """Messages of about so many bytes, each large in another way."""
    predictions = corpus.large(size)
    yield "predictions", predictions.messages[0], predictions.type_name
    yield "fields of two bytes", b"\x68\x07" * (size // 2), "corpus.v1.Integers"
    yield "one packed field", length_delimited(1, b"\x07" * size), "corpus.v1.Integers"
    yield "one field of bytes", length_delimited(1, bytes(range(256)) * (size // 256)), "corpus.v1.Blobs"
    yield "one field of text", length_delimited(1, b"evening " * (size // 8)), "corpus.v1.Texts"
    entry = length_delimited(1, length_delimited(1, b"key") + length_delimited(2, bytes(90)))
    yield "a map", entry * (size // len(entry)), "corpus.v1.Maps"
    yield "all at the bottom, 90 deep", _nested(length_delimited(4, b"evening " * (size // 8))), "corpus.v1.Nested"


def _nested(bottom: bytes) -> bytes:
    """The content within 90 messages of the type Nested, each the field 2 of the one around it."""
    heads: list[bytes] = []
    length = len(bottom)
    for _ in range(90):
        heads.append(tag(2, LEN) + varint(length))
        length += len(heads[-1])
    return b"".join((*reversed(heads), bottom))


def _first_screen(type_name: str | None) -> Callable[[bytes], object]:
    schema = None if type_name is None else corpus.schema()
    list(explain(b"", type_name, schema=schema).rows())  # modules are imported and types built before
    return lambda data: list(islice(explain(data, type_name, schema=schema).rows(), ROWS))
