"""Bytes as rows of hexadecimal digits and text, the parts of one field told apart.

Invariant: each byte stands once, in the row of its offset; all texts are safe to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from inspector.model.span import Span
from inspector.transcode.tree import FieldNode
from inspector.views.spans import Line

GROUP = 8
"""Bytes between two wider gaps."""

_MARKS = {"tag": ("⟨", "⟩"), "length": ("‹", "›"), "value": ("[", "]"), "end_tag": ("⟨", "⟩"), "match": ("{", "}"),
          "flag": ("⟨", "⟩")}  # fmt: skip
"""What stands around a part, so that it is told by more than its colour."""


class Part(NamedTuple):
    """A run of bytes with one meaning: `tag`, `length`, `value`, `end_tag`, `match` (the styles of the same names), or
    `flag`, the first byte of a gRPC frame, which looks like a tag."""

    span: Span
    role: str


def parts_of(node: FieldNode) -> tuple[Part, ...]:
    """The parts of a field that have bytes, in order."""
    spans = ((node.tag, "tag"), (node.length, "length"), (node.value_span, "value"), (node.end_tag, "end_tag"))
    return tuple(Part(span, role) for span, role in spans if span is not None and span.size)


def bytes_per_row(width: int, size: int) -> int:
    """How many bytes fit a row: 32, 16 or 8, or 4 where there is hardly room."""
    for count in (32, 16, 8):
        if row_width(count, size) <= width:
            return count
    return 4


def row_width(count: int, size: int) -> int:
    """Cells of a row with so many bytes."""
    return offset_width(size) + 1 + 3 * count + (count - 1) // GROUP + 2 + count


def offset_width(size: int) -> int:
    """Digits of an offset."""
    return max(4, len(f"{max(0, size - 1):x}"))


def byte_line(data: bytes, row: int, count: int, parts: Sequence[Part], cursor: int | None) -> Line:
    """One row: its offset, its bytes, and the same as text. `cursor` is the offset of the byte that is looked at."""
    start = row * count
    content = data[start : start + count]
    roles = _roles(start, len(content), parts, cursor)
    line: Line = [("dim", f"{start:0{offset_width(len(data))}x}")]
    line += _digits(content, start, count, roles, parts)
    line.append(("", " "))
    at = 0
    for role, run in groupby(roles):
        length = len([*run])
        line.append((role, "".join(map(_character, content[at : at + length]))))
        at += length
    return line


def byte_at(x: int, count: int, size: int) -> int:
    """Which byte of a row is at a cell, in hexadecimal digits or as text; the nearest where none is."""
    digits = offset_width(size) + 1
    text = digits + 3 * count + (count - 1) // GROUP + 1
    if x >= text:
        return min(count - 1, x - text)
    starts = [digits + 3 * place + place // GROUP for place in range(count)]
    return max(0, sum(start <= x for start in starts) - 1)


def _roles(start: int, length: int, parts: Sequence[Part], cursor: int | None) -> list[str]:
    roles = [""] * length
    for span, role in parts:
        first, last = max(0, span.start - start), min(length, span.end - start)
        if first < last:
            roles[first:last] = ["tag" if role == "flag" else role] * (last - first)
    if cursor is not None and start <= cursor < start + length:
        roles[cursor - start] = "cursor"
    return roles


def _digits(content: bytes, start: int, count: int, roles: list[str], parts: Sequence[Part]) -> Line:
    """The bytes, each behind one cell, in which a mark stands where a part begins or ends."""
    begins = {span.start: _MARKS[role][0] for span, role in parts}
    ends = {span.end: _MARKS[role][1] for span, role in parts}
    line: Line = []
    for index in range(count + 1):
        offset = start + index
        gap = " " if index < count or not index else ""
        mark = begins.get(offset) or ends.get(offset) if index < len(content) or offset in ends else None
        if index == count:
            line.append(("mark", mark) if mark and mark in _CLOSING else ("", " "))
            break
        wide = " " if index and index % GROUP == 0 else ""
        line.append(("", wide))
        line.append(("mark", mark) if mark else ("", gap))
        line.append((roles[index], f"{content[index]:02x}") if index < len(content) else ("", "  "))
    return line


_CLOSING = frozenset(close for _, close in _MARKS.values())


def _character(byte: int) -> str:
    return chr(byte) if 0x20 <= byte < 0x7F else "·"
