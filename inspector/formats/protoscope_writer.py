"""Bytes to protoscope text, readable as far as they mean something.

The field tree tells what there is (`transcode.tree`): fields by the schema, or as they are guessed, damage as what it
is. A line is a field; its name in the schema is a comment.

Invariant: the text stands for the very bytes that it was made from. Each literal is made from the bytes themselves,
never from a value that a type has cut or rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inspector.errors import DecodeError
from inspector.formats.base import Conversion
from inspector.formats.protoscope_literals import (
    bytes_literals,
    fixed_literal,
    hex_literals,
    long_form,
    string_literals,
    varint_literal,
)
from inspector.limits import MAX_DEPTH
from inspector.schema.wording import one_line
from inspector.schema.wording import text as text_of
from inspector.transcode.fields import ELEMENT_SIZE
from inspector.transcode.tree import FieldTree
from inspector.transcode.tree_nodes import FieldNode
from inspector.transcode.tree_types import DAMAGE
from inspector.wire.kinds import NUMBERS, PACKED
from inspector.wire.scan import EGROUP, I32, LEN, SGROUP, VARINT, WIRE_TYPE_NAMES, read_tag, read_varint

DEFAULT_INDENT = 2

_MOST_INDENT = 64
"""Columns: deeper messages are not indented further, so that the text stays linear in the bytes."""

_LINE_WIDTH = 100
"""Columns of packed numbers."""


def write(data: bytes, conversion: Conversion) -> bytes:
    """A message of the wire, or any other bytes, as text. Raises SchemaError where the schema lacks the type."""
    text = "".join(f"{line}\n" for line in _Writer(conversion).lines(data))
    return text.encode()


class _Level(NamedTuple):
    """A message that is open: its fields that are still to come, what closes it, and the input that it is in.

    The input is the whole one, or what a cut message has left of it; that begins at `base` of the whole one."""

    nodes: Iterator[FieldNode]
    closing: str
    data: bytes
    base: int
    type_name: str | None


class _Writer:
    """Prints one message."""

    def __init__(self, conversion: Conversion) -> None:
        self._conversion = conversion
        indent = DEFAULT_INDENT if conversion.indent is None else conversion.indent
        self._margins = [" " * min(indent * depth, _MOST_INDENT) for depth in range(MAX_DEPTH + 3)]
        self._levels: list[_Level] = []

    def lines(self, data: bytes) -> Iterator[str]:
        """The lines, from a walk that holds its place in each message that is open."""
        levels = self._levels
        levels.append(self._tree(data, 0, self._conversion.type_name))
        while levels:
            node = next(levels[-1].nodes, None)
            if node is not None:
                yield from self._field(node)
                continue
            closing = levels.pop().closing
            if closing:
                yield self._margins[len(levels) - 1] + closing

    def _tree(self, data: bytes, base: int, type_name: str | None) -> _Level:
        hints = {} if base else dict(self._conversion.hints)
        tree = FieldTree(data, resolver=self._conversion.resolver, type_name=type_name, hints=hints)
        return _Level(iter(tree.fields), "", data, base, type_name)

    def _field(self, node: FieldNode) -> Iterator[str]:
        """The lines of a field, of a message only that which opens it."""
        kind = node.kind
        margin = self._margins[len(self._levels) - 1]
        if kind == DAMAGE:
            yield from self._damage(node)
        elif kind in ("message", "group") and node.value_span.size:
            opening, closing = self._braces(node)
            yield f"{margin}{opening}{self._comment(node, kind)}"
            self._levels.append(self._levels[-1]._replace(nodes=iter(node.children), closing=closing))
        elif node.wire_type == SGROUP:
            yield from self._group(node)
        elif node.wire_type == LEN:
            head = f"{self._head(node)}{self._long_length(node)}{{"
            yield from self._block(head, self._content(node, kind), "}", self._comment(node, kind))
        else:
            yield f"{margin}{self._number(node, kind)}{self._comment(node, kind)}"

    def _block(self, head: str, literals: list[str], closing: str, comment: str) -> Iterator[str]:
        """Literals in one line where there is one of them, else in lines of their own."""
        margin = self._margins[len(self._levels) - 1]
        if len(literals) <= 1:
            yield f"{margin}{head}{''.join(literals)}{closing}".rstrip(" ") + comment
            return
        yield f"{margin}{head}".rstrip(" ") + comment
        inner = self._margins[len(self._levels)] if head else margin
        yield from (inner + literal for literal in literals)
        if closing:
            yield margin + closing

    # --- fields --------------------------------------------------------------------------------------------------

    def _head(self, node: FieldNode, wire_type: str = "") -> str:
        """The tag, and the space behind it."""
        tag, number = node.tag, node.number or 0
        size = tag.size if tag else 0
        return f"{long_form(size, number << 3 | (node.wire_type or 0))}{number}:{wire_type} "

    def _long_length(self, node: FieldNode) -> str:
        return long_form(node.length.size, node.value_span.size) if node.length else ""

    def _braces(self, node: FieldNode) -> tuple[str, str]:
        """What opens a message or group, and what closes it."""
        if node.wire_type == LEN:
            return f"{self._head(node)}{self._long_length(node)}{{", "}"
        if node.end_tag is None:
            return self._head(node, "SGROUP").rstrip(), ""
        return f"{self._head(node)}!{{", f"{self._end_long_form(node)}}}"

    def _end_long_form(self, node: FieldNode) -> str:
        return long_form(node.end_tag.size, (node.number or 0) << 3 | EGROUP) if node.end_tag else ""

    def _group(self, node: FieldNode) -> Iterator[str]:
        """A group without fields, or one that is too deep to look into."""
        start, end = node.value_span
        comment = self._comment(node, "group")
        if start == end and node.end_tag:
            yield from self._block(f"{self._head(node)}!{{{self._end_long_form(node)}", [], "}", comment)
        else:
            rest = hex_literals(self._levels[-1].data[start : node.span.end])
            yield from self._block(self._head(node, "SGROUP"), list(rest), "", comment)

    def _number(self, node: FieldNode, kind: str) -> str:
        """A field of a number, with its tag."""
        start, end = node.value_span
        data = self._levels[-1].data
        if node.wire_type != VARINT:
            value = int.from_bytes(data[start:end], "little")
            return self._head(node) + fixed_literal(value, kind, node.wire_type or I32)
        value, _ = read_varint(data, start, end)
        if value >> 64:
            return self._head(node, "VARINT") + "".join(hex_literals(data[start:end]))
        return self._head(node) + varint_literal(value, kind, end - start)

    def _content(self, node: FieldNode, kind: str) -> list[str]:
        """The content of a LEN field that is no message."""
        start, end = node.value_span
        content = self._levels[-1].data[start:end]
        if kind.startswith(PACKED):
            return _wrapped(_elements(content, kind.removeprefix(PACKED)))
        return list(string_literals(content) if kind == "string" else bytes_literals(content))

    # --- damage --------------------------------------------------------------------------------------------------

    def _damage(self, node: FieldNode) -> Iterator[str]:
        """What cannot be read: tag and length, where these can, and the bytes behind them."""
        data = self._levels[-1].data
        start, end = node.span
        head = ""
        comment = self._comment(node, DAMAGE)
        if node.number is not None:
            tag, start = read_tag(data, start, end)
            wire_type = WIRE_TYPE_NAMES[tag & 7] if tag & 7 < len(WIRE_TYPE_NAMES) else str(tag & 7)
            head = f"{long_form(start - node.span.start, tag)}{tag >> 3}:{wire_type} "
            if tag & 7 == LEN:
                length, start = _length(data, start, end)
                head += length
                cut = self._cut_message(node, data[start:end], start) if length else None
                if cut is not None:
                    yield f"{self._margins[len(self._levels) - 1]}{head.rstrip()}{comment}"
                    self._levels.append(cut)
                    return
        yield from self._block(head, list(bytes_literals(data[start:end])), "", comment)

    def _cut_message(self, node: FieldNode, rest: bytes, start: int) -> _Level | None:
        """What there is of a message that announces more; None where the field is none."""
        field = node.reading.field
        if field is None or field.message_type is None or not rest or len(self._levels) >= MAX_DEPTH:
            return None
        return self._tree(rest, self._levels[-1].base + start, field.message_type.full_name)

    # --- comments ------------------------------------------------------------------------------------------------

    def _comment(self, node: FieldNode, kind: str) -> str:
        reading, problem = node.reading, node.problem
        if reading.name is None and problem is None and self._levels[-1].type_name is None:
            return ""
        enum_name = node.enum_name if kind == "enum" else None
        parts = [text for text in (reading.name, enum_name, self._unknown(node), reading.note) if text]
        if problem is not None:
            offset = "" if problem.offset is None else f"offset {problem.offset + self._levels[-1].base}: "
            parts.append(f"{offset}{problem.message}")
        # Names are those of the schema, which nobody vouches for: none may end the comment and begin a line.
        return f"  # {one_line('; '.join(map(text_of, parts)))}" if parts else ""

    def _unknown(self, node: FieldNode) -> str | None:
        """That the type around does not have the field."""
        if not node.is_guess or node.name is not None or node.problem is not None:
            return None
        around = node.parent.type_name if node.parent else self._levels[-1].type_name
        return f"not in {around}" if around else None


def _elements(content: bytes, kind: str) -> Iterator[str]:
    """Packed numbers; bytes from where there are none."""
    wire_type = NUMBERS[kind].wire_type
    size = ELEMENT_SIZE.get(wire_type, 0)
    start, end = 0, len(content)
    while start < end:
        try:
            value, after = _element(content, start, end, size)
        except DecodeError:
            yield from hex_literals(content[start:])
            return
        if value >> 64:
            yield from hex_literals(content[start:after])
        elif size:
            yield fixed_literal(value, kind, wire_type)
        else:
            yield varint_literal(value, kind, after - start)
        start = after


def _element(content: bytes, start: int, end: int, size: int) -> tuple[int, int]:
    if not size:
        return read_varint(content, start, end)
    if end - start < size:
        raise DecodeError("the bytes end within a number", code="truncated", offset=start)
    return int.from_bytes(content[start : start + size], "little"), start + size


def _length(data: bytes, start: int, end: int) -> tuple[str, int]:
    """A length that may be wrong, as text, and the offset behind it; nothing where it is no length at all."""
    try:
        length, after = read_varint(data, start, end)
    except DecodeError:
        return "", start
    return ("", start) if length >> 64 else (f"{varint_literal(length, 'uint64', after - start)} ", after)


def _wrapped(tokens: Iterator[str]) -> list[str]:
    """Tokens in lines of a bounded width."""
    lines: list[str] = []
    line: list[str] = []
    width = 0
    for token in tokens:
        if line and width + len(token) > _LINE_WIDTH:
            lines.append(" ".join(line))
            line, width = [], 0
        line.append(token)
        width += len(token) + 1
    return [*lines, " ".join(line)] if line else lines
