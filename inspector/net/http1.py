"""Just enough of HTTP/1.1 (RFC 9112) to follow an upgrade to HTTP/2 (h2c, RFC 7540 section 3.2)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

MAX_HEAD = 16_384
_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (\S{1,8000}) HTTP/1\.[01]\r\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3}[ \r]")
_REQUEST_PREFIX = re.compile(rb"[A-Z]{1,20}( |$)")


class Head(NamedTuple):
    """A request or response head: its first line's words, header fields in lower case, where the body begins."""

    words: tuple[str, str, str]
    fields: tuple[tuple[str, str], ...]
    end: int

    def field(self, name: str) -> str:
        return ", ".join(value for key, value in self.fields if key == name)


def looks_like_request(data: bytes | bytearray) -> bool:
    """Whether `data` begins a request, as far as it goes."""
    return bool(_REQUEST_LINE.match(data)) or (b"\r\n" not in data and bool(_REQUEST_PREFIX.match(data)))


def begins(data: bytes) -> bool:
    """Whether `data` begins with the whole first line of a request or a response."""
    return bool(_REQUEST_LINE.match(data) or _STATUS_LINE.match(data))


def parse_head(data: bytes | bytearray) -> Head | None:
    """The head that `data` begins with; None where it is not whole."""
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD)
    if end < 0:
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    words = [*first.split(" ", 2), "", ""]
    fields = []
    for line in lines:
        name, _, value = line.partition(":")
        fields.append((name.strip().lower(), value.strip()))
    return Head((words[0], words[1], words[2]), tuple(fields), end + 4)


def asks_for_http2(head: Head) -> bool:
    """Whether a request head offers the upgrade."""
    return "h2c" in [token.strip().lower() for token in head.field("upgrade").split(",")]


def upgrade_settings(head: Head) -> bytes:
    """The SETTINGS payload in HTTP2-Settings (base64url without padding); empty where it is damaged."""
    text = head.field("http2-settings")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def content_length(head: Head) -> int:
    """Length of the body that a head announces; 0 where it announces none that can be used."""
    text = head.field("content-length")
    return int(text) if text.isdecimal() and len(text) < 10 else 0
