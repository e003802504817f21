"""The bytes of a message in all forms: in its frame, as they were compressed, as a message, and those within a field.

A gRPC frame is made anew out of the payload that the capture has: a flag and the length of what follows are all that
stands before it (PROTOCOL-HTTP2, "Length-Prefixed-Message"), so nothing need be kept for it. Where the payload is not
whole its length is not known, and there is no frame.

Invariant: each byte of a source of which `start` is known is the one that stands `start` further in the message.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from inspector.model.call import Message
from inspector.model.span import Span
from inspector.net.grpc_cy import COMPRESSED as FLAG
from inspector.net.grpc_cy import PREFIX_SIZE
from inspector.transcode.tree import FieldNode, FieldTree
from inspector.views.byte_rows import Part, parts_of
from inspector.wire.scan import LEN

WIRE, COMPRESSED, BODY, NESTED = "frame", "compressed", "message", "nested"
NAMES = (WIRE, COMPRESSED, BODY, NESTED)
"""In the order in which they come out of one another."""

_NOT_WHOLE = frozenset({"message_truncated", "message_gap", "message_limit"})
"""Codes of problems with which bytes of the payload are missing."""

_PREFIX = (Part(Span(0, 1), "flag"), Part(Span(1, PREFIX_SIZE), "length"))


class ByteSource(NamedTuple):
    """`start` is the place of its first byte in the message (-5 in a frame that has it as it is), None where its bytes
    are not those of the message. `prefix` are parts that it always has, `within` the fields that are told apart."""

    name: str
    data: bytes
    start: int | None = 0
    prefix: tuple[Part, ...] = ()
    within: Sequence[FieldNode] = ()

    def parts_of(self, node: FieldNode | None) -> tuple[Part, ...]:
        """The parts of a field, as far as they are here."""
        if node is None or self.start is None:
            return ()
        end = self.start + len(self.data)
        found = (
            Part(Span(span.start - self.start, span.end - self.start), role)
            for span, role in parts_of(node)
            if self.start <= span.start and span.end <= end
        )
        return tuple(part for part in found if self.name != NESTED or part.span.size < len(self.data))

    def parts_between(self, first: int, last: int) -> Iterator[Part]:
        """What else is told apart in a run of bytes."""
        yield from self.prefix
        at = bisect_right(self.within, first + (self.start or 0), key=_start_of) - 1
        for place in range(max(0, at), len(self.within) if self.within else 0):
            node = self.within[place]
            if node.span.start - (self.start or 0) >= last:
                return
            yield from (part for part in self.parts_of(node) if part.role != "value")

    def in_message(self, offset: int, size: int) -> int | None:
        """Where in a message of so many bytes the byte at an offset stands; None where in none."""
        place = -1 if self.start is None else offset + self.start
        return place if 0 <= place < size else None


def source_of(name: str, message: Message | None, tree: FieldTree | None, node: FieldNode | None) -> ByteSource:
    """One of those that `names_of` tells; else, and where there is no message, the message itself."""
    if message is None or tree is None:
        return ByteSource(BODY, b"")
    is_apart = message.data is not None and _is_compressed(message)
    if name == WIRE:
        return ByteSource(WIRE, _prefix(message) + message.wire, None if is_apart else -PREFIX_SIZE, _PREFIX)
    if name == COMPRESSED:
        return ByteSource(COMPRESSED, message.wire, None if is_apart else 0)
    holder = holder_of(node)
    if name == NESTED and holder is not None:
        fields = holder.children if holder.has_children else ()
        return ByteSource(NESTED, holder.content, holder.value_span.start, (), fields)
    return ByteSource(BODY, tree.data)


def names_of(message: Message | None, node: FieldNode | None, *, has_frames: bool) -> list[str]:
    """The sources of a message; `node` is the field of which the nested bytes are, `has_frames` where the input has
    messages in gRPC frames. A message that could not be decompressed is what it was on the wire, fields and all."""
    if message is None:
        return [BODY]
    is_compressed = _is_compressed(message)
    found = {
        WIRE: has_frames and (message.problem is None or message.problem.code not in _NOT_WHOLE),
        COMPRESSED: is_compressed,
        BODY: message.data is not None or not is_compressed,
        NESTED: holder_of(node) is not None,
    }
    return [name for name in NAMES if found[name]]


def _prefix(message: Message) -> bytes:
    return bytes((FLAG if _is_compressed(message) else 0,)) + len(message.wire).to_bytes(PREFIX_SIZE - 1, "big")


def _is_compressed(message: Message) -> bool:
    """Whether its frame says so."""
    is_unknown = message.problem is not None and message.problem.code == "compression_unknown"
    return message.encoding != "identity" or is_unknown


def holder_of(node: FieldNode | None) -> FieldNode | None:
    """The innermost field around one (or itself) that has a length, and so bytes of its own."""
    while node is not None and (node.is_element or node.wire_type != LEN or node.length is None):
        node = node.parent
    return node


def _start_of(node: FieldNode) -> int:
    return node.span.start
