"""Where something in a text is, as editors count, and how a message shows it.

Invariant: lines and columns count from 1, columns in characters; a mark of the encoding in front is not counted.
"""

from __future__ import annotations

from inspector.errors import EncodeError

BOM = b"\xef\xbb\xbf"
"""The mark that some editors put in front of text in UTF-8. It is no part of it."""

_SHOWN = 40
"""Bytes of a text that a message shows."""

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
"""Bytes that text never holds."""


def is_binary(text: bytes) -> bool:
    """Whether what should be text is something else altogether."""
    return len(text.translate(None, _CONTROLS)) < len(text)


def position(text: bytes, offset: int) -> tuple[int, int]:
    """Line and column of the byte at an offset of a text in UTF-8."""
    start = text.rfind(b"\n", 0, offset) + 1 or (len(BOM) if text.startswith(BOM) else 0)
    return text.count(b"\n", 0, offset) + 1, len(text[start:offset].decode(errors="replace")) + 1


def error_at(text: bytes, offset: int, message: str, hint: str | None = None) -> EncodeError:
    """The error that something at an offset of a text is."""
    line, column = position(text, offset)
    return EncodeError(message, line=line, column=column, hint=hint)


def quoted(found: bytes) -> str:
    """A piece of a text as a message can show it: short, and with nothing in it that a terminal would obey."""
    text = repr(found[:_SHOWN].decode(errors="replace"))
    return f"{text}..." if len(found) > _SHOWN else text


def character_at(text: bytes, offset: int) -> str:
    """The character that begins at an offset, all its bytes, as a message can show it."""
    return quoted(text[offset : offset + 4].decode(errors="replace")[:1].encode())
