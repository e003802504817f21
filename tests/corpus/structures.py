"""Messages within messages: deep ones, maps, oneofs as Go writes them, and fields that the reader does not know."""

from __future__ import annotations

from random import Random
from typing import Any

from google.protobuf.descriptor import Descriptor

from corpus.predictions import WORDS
from corpus.texts import SCRIPTS
from inspector.wire.encode import length_delimited
from inspector.wire.scan import LEN, scan

DEEPEST = 90
"""Levels of nesting. Readers of protobuf stop at 100."""


def fill_nested(message: Any, source: Random) -> None:
    """A corpus.v1.Nested of some 2 kB, 45 to 90 levels deep, with something beside the way down on each."""
    for level in range(source.randrange(DEEPEST // 2, DEEPEST)):
        message.level, message.name = level, source.choice(WORDS)
        for _ in range(source.randrange(1, 3)):
            message.siblings.add(level=-level, name=source.choice(WORDS))
        message = message.inner
    message.SetInParent()


def fill_maps(message: Any, source: Random) -> None:
    """A corpus.v1.Maps of some 5 kB; keys and values that are zero or empty are among them."""
    keys = [f"{source.choice(WORDS)}-{number}" for number in range(20)] + ["", *SCRIPTS[0]]
    for key in keys:
        message.labels[key] = source.choice(WORDS)
        message.counts[key] = source.choice((0, source.getrandbits(60), -source.randrange(1000)))
        _entry(message.by_name[key], source)
    for number in (0, *(source.randrange(1, 1 << 31) for _ in range(20))):
        message.weights[number - (1 << 30)] = source.random()
        message.names[-number * 1000] = source.choice(WORDS)
        message.weekdays[number] = source.choice((0, 1, -1, 99))
        _entry(message.entries[number << 20], source)
    message.flags[True], message.flags[False] = source.randbytes(9), b""


def _entry(entry: Any, source: Random) -> None:
    entry.title = source.choice(WORDS)
    entry.values.extend(source.randrange(-5, 500) for _ in range(source.randrange(6)))
    entry.scores[source.choice(WORDS)] = round(source.random(), 4)


def fill_choices(message: Any, source: Random, room: int = 3) -> None:
    """A corpus.v1.Choices of some 2 kB."""
    message.id = f"{source.choice(WORDS)}-{source.randrange(10_000)}"
    member = source.choice(("text", "number", "choice", "data") if room else ("text", "number", "data"))
    if member == "choice":
        fill_choices(message.choice, source, room - 1)
    else:
        values = {"text": source.choice(WORDS), "number": source.getrandbits(40), "data": source.randbytes(12)}
        setattr(message, member, values[member])
    message.priority, message.done = source.randrange(-3, 4), source.random() < 0.5
    setattr(message, *source.choice((("count", source.randrange(100)), ("share", source.random()))))
    for _ in range(4 if room else 0):
        fill_choices(message.parts.add(), source, room - 1)


def oneofs_last(descriptor: Descriptor, data: bytes) -> bytes:
    """The message as Go writes it: on every level members of oneofs after all other fields."""
    plain: list[bytes] = []
    members: list[bytes] = []
    for field in scan(data):
        known = descriptor.fields_by_number[field.number]
        written = data[field.tag_start : field.end]
        if known.message_type is not None and field.wire_type == LEN:
            inner = oneofs_last(known.message_type, data[field.value_start : field.end])
            written = length_delimited(field.number, inner)
        (members if known.containing_oneof else plain).append(written)
    return b"".join(plain + members)


def fill_grown(message: Any, source: Random) -> None:
    """A corpus.v1.Grown of some 3 kB: about half of it a reader of corpus.v1.Known does not know."""
    message.name, message.owner = source.choice(WORDS), source.choice(WORDS)
    message.revision, message.checksum = source.randrange(1, 1000), source.getrandbits(64)
    for number in range(60):
        part = message.parts.add(id=number, weight=source.random(), title=source.choice(WORDS), version=number)
        part.origin.name = source.choice(WORDS)
        part.origin.parts.add(id=number, title=source.choice(WORDS))
