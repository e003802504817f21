"""The types that have a JSON form of their own."""

from __future__ import annotations

from random import Random
from typing import Any

from google.protobuf.json_format import ParseDict

from corpus.predictions import WORDS

FIRST, LAST = -62_135_596_800, 253_402_300_799
"""Seconds of the years 1 and 9999: the range of a Timestamp."""

LONGEST = 315_576_000_000
"""Seconds: the range of a Duration."""

VALUES = (None, True, 0.5, "text", [1, "a"], {"a": None})
"""What a Value may be."""


def fill(message: Any, source: Random, room: int = 2) -> None:
    """A corpus.v1.WellKnown of some 3 kB."""
    _times(message, source)
    message.mask.paths.extend(("model", "labels.title", "finished_at.seconds", "context.request_id"))
    ParseDict(_settings(source, 2), message.settings)
    any_value: Any = source.choice(VALUES)
    ParseDict(any_value, message.value)
    items: Any = [source.choice(WORDS), source.randrange(100), {"deep": [[], {}]}]
    ParseDict(items, message.list)
    message.nothing.SetInParent()
    _wrappers(message, source)
    for _ in range(3 if room else 0):
        fill(message.children.add(), source, room - 1)
    detail = source.choice((message.settings, message.took, message.nothing, message.mask))
    message.detail.Pack(detail, deterministic=True)


def _times(message: Any, source: Random) -> None:
    message.at.seconds, message.at.nanos = source.randrange(FIRST, LAST), _nanos(source)
    sign = source.choice((1, -1))
    message.took.seconds = sign * (source.randrange(LONGEST) >> source.randrange(40))
    message.took.nanos = sign * _nanos(source)
    for _ in range(5):
        message.history.add(seconds=1_790_000_000 + source.randrange(10**6), nanos=_nanos(source))


def _nanos(source: Random) -> int:
    return source.choice((0, 500_000_000, 123_000_000, 1_000, source.randrange(10**9)))


def _settings(source: Random, room: int) -> dict[str, object]:
    values: tuple[object, ...] = (None, True, False, 1, -2.5, 1e300, "", "text", [1, 2, "three"], [])
    found = {f"{source.choice(WORDS)}_{number}": source.choice(values) for number in range(6)}
    return found | {"inner": _settings(source, room - 1)} if room else found


def _wrappers(message: Any, source: Random) -> None:
    message.double_value.value, message.float_value.value = source.random(), source.random()
    message.int64_value.value, message.uint64_value.value = -source.getrandbits(60), source.getrandbits(64)
    message.int32_value.value, message.uint32_value.value = -source.getrandbits(30), source.getrandbits(32)
    message.bool_value.value = source.random() < 0.5
    message.string_value.value, message.bytes_value.value = source.choice(WORDS), source.randbytes(9)
