"""The wire format itself: nothing to convert."""

from __future__ import annotations

from collections.abc import Iterator

from inspector.formats.base import Conversion


def read(data: bytes, _: Conversion) -> Iterator[bytes]:
    yield data


def write(data: bytes, _: Conversion) -> bytes:
    return data
