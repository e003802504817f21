"""How messages stand one behind the other in a stream: the writing half of the sources `grpc`, `grpc-web`, `delimited`.

A gRPC frame is a flag (1: compressed), the length in four bytes and the message (PROTOCOL-HTTP2, "Requests"); gRPC-Web
has the same in the body of a request (PROTOCOL-WEB). A delimited message stands behind its length as a varint.
"""

from __future__ import annotations

from inspector.errors import InputError
from inspector.net.compression import compress
from inspector.wire.encode import varint

FRAMINGS = ("none", "grpc", "grpc-web", "delimited")

_MAX_LENGTH = (1 << 32) - 1


def frame(framing: str, message: bytes, encoding: str = "identity") -> bytes:
    """A message in its frame. Raises InputError for an unknown encoding, or where the frame has no place for one."""
    if framing in ("grpc", "grpc-web"):
        payload = compress(encoding, message)
        if len(payload) > _MAX_LENGTH:
            raise InputError(f"a frame holds {_MAX_LENGTH} bytes at most, the message has {len(payload)}")
        return b"".join(((encoding != "identity").to_bytes(1), len(payload).to_bytes(4, "big"), payload))
    if encoding != "identity":
        raise InputError(
            f"frames of the kind {framing} cannot tell that a message is compressed",
            hint="use --frame grpc or --frame grpc-web",
        )
    return varint(len(message)) + message if framing == "delimited" else message
