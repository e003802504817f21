"""The wire format itself: nothing to convert."""

from __future__ import annotations

from collections.abc import Iterator

from inspector.formats.base import Conversion, Format


def _read(data: bytes, _: Conversion) -> Iterator[bytes]:
    yield data


def _write(data: bytes, _: Conversion) -> bytes:
    return data


BINARY = Format("binary", _read, _write, (".binpb", ".pb", ".bin", ".protobin", ".message"), is_text=False)
