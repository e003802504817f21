"""Edits of a message: its bytes, its guessed value, and that value edited, to the bytes of the edited message.

What is equal in both values keeps its very bytes and its place: the order of fields, varints longer than needed, what
lies behind damage. The values of a field that comes several times are matched from both ends of the list; those
between take each other's place in order, and what is left over is added or removed there.

Invariant: no edit, no change, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeGuard

from inspector.wire.content import Source
from inspector.wire.encode import varint
from inspector.wire.json_value import BYTES, JsonValue
from inspector.wire.kinds import NUMBERS
from inspector.wire.scan import LEN, Field, read_tag
from inspector.wire.shape import FieldShape, Shape
from inspector.wire.value_writer import Object, Path, ValueWriter, is_packed

_Item = tuple[JsonValue, Path]


class _Edit(NamedTuple):
    """What becomes of a field: its value before, the one in its place if any, and those put ahead of it and behind."""

    before: JsonValue
    after: _Item | None
    ahead: Sequence[_Item]
    behind: Sequence[_Item]


class Editor:
    """Applies edits to a message."""

    def __init__(self, source: Source, writer: ValueWriter) -> None:
        self._source = source
        self._writer = writer

    def message(self, shape: Shape, span: tuple[int, int], before: Object, after: Object, path: Path) -> bytes:
        """The message in `span` of the source, of which `before` is the value, as `after` has it."""
        data, (start, end) = self._source.data, span
        if before == after:
            return data[start:end]
        fields = self._source.scan(start, end).fields
        edits = {number: self._edits(number, same, before, after, path) for number, same in _by_number(fields).items()}
        pieces = [self._field(shape, field, next(edits[field.number])) for field in fields]
        new = {key: value for key, value in after.items() if key not in before}
        tail = data[fields[-1].end if fields else start : end]
        return b"".join([*pieces, self._writer.message(new, path), tail])

    def _edits(self, number: int, same: list[Field], before: Object, after: Object, path: Path) -> Iterator[_Edit]:
        key = str(number)
        was = before[key]
        old = was if len(same) > 1 and isinstance(was, list) else [was]
        items = self._writer.split(after[key], path.field(number)) if key in after else []
        return _match(old, items)

    def _field(self, shape: Shape, field: Field, edit: _Edit) -> bytes:
        known = shape.field(field.number, field.wire_type)
        pieces = [self._write(known, item) for item in edit.ahead]
        if edit.after is not None:
            pieces.append(self._rewrite(known, field, edit.before, edit.after))
        pieces += [self._write(known, item) for item in edit.behind]
        return b"".join(pieces)

    def _rewrite(self, known: FieldShape, field: Field, before: JsonValue, item: _Item) -> bytes:
        value, path = item
        data, inner = self._source.data, known.message
        if value == before:
            return data[field.tag_start : field.end]
        if inner is None or not _is_message(before) or not _is_message(value):
            return self._write(known, item)
        content = self.message(inner, (field.value_start, field.value_end), before, value, path)
        if field.wire_type == LEN:
            after_tag = read_tag(data, field.tag_start, field.end)[1]
            return data[field.tag_start : after_tag] + varint(len(content)) + content
        return data[field.tag_start : field.value_start] + content + data[field.value_end : field.end]

    def _write(self, known: FieldShape, item: _Item) -> bytes:
        """A new value in the place of a field, or beside it: of its kind, where it is one that JSON does not tell."""
        value, path = item
        kind = known.kind
        is_number = kind in NUMBERS and not isinstance(value, list | dict)
        is_list = is_packed(kind) and isinstance(value, list)
        is_group = kind == "group" and isinstance(value, dict)
        return self._writer.field(known.number, value, path, kind if is_number or is_list or is_group else None)


def _by_number(fields: list[Field]) -> dict[int, list[Field]]:
    grouped: dict[int, list[Field]] = {}
    for field in fields:
        grouped.setdefault(field.number, []).append(field)
    return grouped


def _is_message(value: JsonValue) -> TypeGuard[Object]:
    return isinstance(value, dict) and BYTES not in value


def _match(old: Sequence[JsonValue], items: Sequence[_Item]) -> Iterator[_Edit]:
    """What becomes of each of the old values."""
    shorter = min(len(old), len(items))
    head = _common(old, [value for value, _ in items], shorter)
    tail = _common(old[::-1], [value for value, _ in items[::-1]], shorter - head)
    room = len(old) - head - tail
    between = items[head : len(items) - tail]
    matched: list[_Item | None] = [*items[:head], *between[:room], *[None] * (room - len(between))]
    matched += items[len(items) - tail :]
    left_over = between[room:]
    last = head + room - 1  # what is left over goes behind the last one that was matched, or ahead of all
    for index, value in enumerate(old):
        yield _Edit(
            value,
            matched[index],
            left_over if last < 0 and index == 0 else (),
            left_over if index == last else (),
        )


def _common(first: Sequence[JsonValue], second: Sequence[JsonValue], most: int) -> int:
    """How many the two have in common at the beginning."""
    pairs = zip(first[:most], second[:most], strict=True)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), most)
