"""Text from payloads made safe to show: nothing in it may move the cursor, change colours or reorder what is read."""

from __future__ import annotations

import re

# C0 and C1 controls, DEL, line and paragraph separators, and the marks and overrides of the bidirectional algorithm
# (Unicode TR 9), which can make text read differently from what it is. Surrogates cannot be written at all.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# The same in UTF-8, without C0, which JSON text never holds.
_UNSAFE_JSON = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]")

# What is not seen at all, but for the joiners, which scripts and emoji need.
_UNSEEN = re.compile("[\xad\u200b\u2060-\u206f\u3164\ufeff\U000e0000-\U000e007f]")

_UNSAFE_LEADS = (b"\x7f", b"\xc2", b"\xd8\x9c", b"\xe2\x80", b"\xe2\x81")
"""How those begin: to look for them is many times as fast as the expression."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def safe(text: str) -> str:
    """`text` in one line, each unsafe character as an escape (`\\x1b`, `\\u202e`)."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text)


def safe_name(name: str) -> str:
    """The same of a name, which two that look alike must not have: what is not seen is an escape too."""
    return _UNSEEN.sub(_escape, safe(name))


def safe_json(text: bytes) -> bytes:
    """JSON text with every unsafe character as a `\\u` escape, which means the same to a reader of JSON."""
    if (text.isascii() and b"\x7f" not in text) or not any(lead in text for lead in _UNSAFE_LEADS):
        return text
    return _UNSAFE_JSON.sub(lambda match: b"\\u%04x" % ord(match[0].decode("utf-8")), text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
