"""How soon the first screen of a large message is there, once its bytes are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import corpus
import measure as measuring
from report import Figure, seconds

from inspector.payload import explain
from inspector.wire.encode import length_delimited
from jobs.effort import Effort

ROWS = 50
WANTED_MS = 50


def measure(effort: Effort) -> Iterator[Figure]:
    """The first rows of `explain`, for messages that are large in different ways."""
    size = round(100 * effort.scale * corpus.MEGABYTE)
    for name, data, type_name in _messages(size):
        taken = measuring.function(_first_screen(data, type_name), min(3, effort.samples))
        yield Figure(name, "", seconds(taken), "", taken * 1000, WANTED_MS, " ms", at_most=True)


def _messages(size: int) -> Iterator[tuple[str, bytes, str | None]]:
    large = corpus.large(size)
    data = large.messages[0]
    yield "predictions, with schema", data, large.type_name
    yield "predictions, without schema", data, None
    yield "small fields, with schema", b"\x20\x07" * (size // 2), "corpus.v1.Integers"
    yield "small fields, without schema", b"\x20\x07" * (size // 2), None
    yield "one field of bytes, without schema", length_delimited(1, bytes(range(256)) * (size // 256)), None
    yield "one field of text, with schema", length_delimited(1, b"evening " * (size // 8)), "corpus.v1.Texts"


def _first_screen(data: bytes, type_name: str | None) -> Callable[[], object]:
    schema = corpus.schema()
    if type_name is None:
        return lambda: list(islice(explain(data).rows(), ROWS))
    return lambda: list(islice(explain(data, type_name, schema=schema).rows(), ROWS))
