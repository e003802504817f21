"""One protobuf message, by itself."""

from __future__ import annotations

from inspector import limits
from inspector.errors import DecodeError, InputError
from inspector.sources.base import SourceEvent, bare_message


class MessageParser:
    """The bytes of one message. Raises InputError when they are more than the limit."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[SourceEvent]:
        self._parts.append(data)
        self._size += len(data)
        if self._size > limits.MAX_SINGLE_MESSAGE:
            raise InputError(f"a message of over {limits.MAX_SINGLE_MESSAGE} bytes is not read")
        return []

    def close(self) -> list[SourceEvent]:
        data = b"".join(self._parts)
        return [bare_message(0, "identity", data, data, None)]

    def describe(self) -> str | None:
        return None


def detect(head: bytes, whole: bool) -> bool:
    """The bytes read as fields to the end. Where only a part is known, its damage must be that it is cut."""
    from inspector.wire.scan import scan  # noqa: PLC0415  # not needed for captures, which are tried first

    try:
        scan(head)
    except DecodeError as error:
        return not whole and error.code == "truncated"
    return True
