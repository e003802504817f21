"""Base64 (RFC 4648), of either alphabet, as it is met in logs, JSON, headers and data URLs.

Invariant: what is read is base64 throughout; a character that is not is an error with its place, never passed over.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator

from inspector.errors import InputError
from inspector.formats.base import Conversion
from inspector.formats.position import BOM, character_at, error_at, is_binary

_DATA_URL = re.compile(rb"data:[^,]*;base64,", re.IGNORECASE)
_FOREIGN = re.compile(rb"[^A-Za-z0-9+/\-_=\s]")
_BEHIND_PADDING = re.compile(rb"=\s*([^=\s])")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def read(text: bytes, _: Conversion) -> Iterator[bytes]:
    """The one message that the text is. Raises EncodeError, and InputError for what is no text."""
    if is_binary(text):
        raise InputError("the input is not base64")
    yield _decode(text)


def _decode(text: bytes) -> bytes:
    start, end = _extent(text)
    foreign = _FOREIGN.search(text, start, end)
    if foreign:
        hint = "expected are letters, digits, + and / (or - and _), and = at the end"
        raise error_at(text, foreign.start(), f"{character_at(text, foreign.start())} is not base64", hint)
    behind = _BEHIND_PADDING.search(text, start, end)
    if behind:
        raise error_at(text, behind.start(1), "base64 goes on behind its padding", "decode the parts one by one")
    digits = b"".join(text[start:end].split()).rstrip(b"=").translate(_URL_SAFE)
    if len(digits) % 4 == 1:
        message = f"{len(digits)} digits of base64 are no whole bytes"
        raise error_at(text, end, message, "something is missing: was it cut off?")
    return b64decode(digits + b"=" * (-len(digits) % 4))


def _extent(text: bytes) -> tuple[int, int]:
    """Where the digits begin and end: within quotes, behind what a data URL says of itself."""
    inner = text.removeprefix(BOM).lstrip()
    start, end = len(text) - len(inner), len(text.rstrip())
    if inner[:1] in (b'"', b"'") and end - start > 1 and inner[:1] == text[end - 1 : end]:
        start, end = start + 1, end - 1
    url = _DATA_URL.match(text, start, end)
    return (url.end() if url else start), end


def write(data: bytes, _: Conversion) -> bytes:
    """One line of the standard alphabet, padded."""
    return b64encode(data) + b"\n"
