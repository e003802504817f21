"""How long the content of a field may be: what upb, the protobuf runtime, accepts."""

from __future__ import annotations

from inspector.errors import DecodeError
from inspector.wire.scan import read_length

_LONGEST = (1 << 31) - 1
"""No field may be longer (encoding guide, "Size of encoded messages")."""

_MAX_LENGTH_BYTES = 5


def read_content_length(data: bytes, start: int, end: int) -> tuple[int, int]:
    """The length of a LEN field as the runtime takes it, and the offset of its content. Raises DecodeError."""
    length, after = read_length(data, start, end)
    if length > _LONGEST or after - start > _MAX_LENGTH_BYTES:
        raise DecodeError("length over 2^31-1", code="wire", offset=start)
    return length, after
