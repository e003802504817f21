"""Text that messages are read from: its characters, and places in it as editors count them."""

from __future__ import annotations

from inspector.errors import EncodeError
from inspector.transcode.refusal import Place


def decode_utf8(data: bytes) -> str:
    """The text of bytes, without a byte order mark. Raises EncodeError with the place of what is not UTF-8."""
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode().removeprefix("\ufeff")
        line, column = place_of(before, len(before))
        raise EncodeError("invalid UTF-8", line=line, column=column, hint="save the text as UTF-8") from None


def place_of(text: str, offset: int) -> Place:
    """The line and column of an offset, all in characters."""
    return Place(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
