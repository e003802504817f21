"""What lies side by side in the field tree: the fields of a message, the elements of a packed field.

Both are found in one pass that keeps where every thousandth begins and how many there are of each tag, so that a
message of many million fields can be shown, from any place on, at once and in little memory. The fields of a message
are gone through only when something depends on all of them; who reads the first ones, and has a schema, need not wait.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from inspector.errors import DecodeError
from inspector.limits import MAX_DEPTH, MAX_SAMPLED_CONTENTS, MAX_SAMPLED_FIELDS
from inspector.model.problem import Problem
from inspector.model.span import Span
from inspector.transcode.fields import ELEMENT_SIZE
from inspector.transcode.tree_nodes import FieldNode, Input, Nodes
from inspector.transcode.tree_types import DAMAGE, MessageType, Reading
from inspector.transcode.tree_wire import WireField, count_elements, read_damage, read_field
from inspector.wire.guess import Shape
from inspector.wire.kinds import NUMBERS, PACKED
from inspector.wire.scan import I32, I64, LEN, SGROUP, VARINT, read_varint
from inspector.wire.scan_cy import MARK_EVERY, FieldIndex, count_tagged, index_varints, skip_fields, skip_varints

_RUN = 50
"""Fields of a sample that lie side by side."""

_WIRE_TYPES = (VARINT, I64, LEN, SGROUP, I32)

_MOST_SUMS = 64
"""Tags of which it is kept how many fields come before each mark."""


class Fields(Nodes):
    """The fields of a message."""

    def __init__(
        self, input_: Input, parent: FieldNode | None, type_: MessageType | None = None, shape: Shape | None = None
    ) -> None:
        super().__init__(input_, parent)
        self._start, self._end = Span(0, len(input_.data)) if parent is None else parent.value_span
        self.type = type_
        self._given_shape = shape
        self._guesses: dict[tuple[int, int], Reading] = {}
        self._shapes: dict[tuple[int, int], Shape] = {}
        self._totals: dict[tuple[int, bool], int] = {}
        self._sums: dict[int, array[int]] = {}
        is_group = parent is not None and parent.wire_type == SGROUP
        self._around = input_.groups.error(self._start) if is_group else None

    @cached_property
    def _scanned(self) -> tuple[FieldIndex, DecodeError | None]:
        """All fields, and what cuts them short."""
        index = FieldIndex(self.input.data, self._start, self._end)
        try:
            while not index.run():
                parts = self._read(index.at)
                index.add(_tag(parts), parts.end)
        except DecodeError as error:
            return index, error
        return index, None

    @property
    def _index(self) -> FieldIndex:
        return self._scanned[0]

    @property
    def _count(self) -> int:
        return self._index.count

    @cached_property
    def damage(self) -> FieldNode | None:
        index, error = self._scanned
        return None if error is None else self._damage(index.at, error)

    def _read(self, at: int) -> WireField:
        return read_field(self.input.data, at, self._end, self.input.groups, self._around)

    def _damage(self, start: int, error: DecodeError) -> FieldNode:
        """The rest of the message; named after the field that it begins with, where its tag can be read."""
        parts = read_damage(self.input.data, start, self._end)
        reading = Reading(DAMAGE, problem=Problem(error.code, error.message, offset=error.offset))
        known = self.known(parts)
        if known is not None:
            reading = reading._replace(name=known.name, field=known.field, is_repeated=known.is_repeated)
        return FieldNode(self, parts, self._ordinal(self._count, parts) if parts.number else 0, reading)

    def _make(self, index: int) -> FieldNode:
        parts = self._read(self._offset(index))
        return FieldNode(self, parts, self._ordinal(index, parts))

    def _walk(self) -> Iterator[FieldNode]:
        counts: dict[tuple[int, bool], int] = {}
        at = self._start
        while at < self._end:
            try:
                parts = self._read(at)
            except DecodeError:  # which `damage` tells of
                return
            known = self._reads(parts.number, parts.wire_type)
            key = parts.number, known is not None
            ordinal = counts.get(key, 0)
            yield FieldNode(self, parts, ordinal)
            counts[key] = ordinal + (self._elements(parts, known) if known and known.kind.startswith(PACKED) else 1)
            at = parts.end

    # --- places --------------------------------------------------------------------------------------------------

    def _offset(self, index: int) -> int:
        """Where a field begins."""
        return self._skip(self._index.marks[index // MARK_EVERY], index % MARK_EVERY)

    def _skip(self, at: int, fields: int) -> int:
        """Where the field begins that is so many further."""
        while True:
            at, count = skip_fields(self.input.data, at, self._end, fields, self.input.groups.ends)
            fields -= count
            if not fields:
                return at
            at, fields = self._read(at).end, fields - 1

    def _tagged(self, at: int, fields: int, tag: int) -> Iterator[WireField]:
        """Those with one tag of the next so many fields."""
        for _ in range(fields if self._values(at, fields, tag, None) else 0):
            parts = self._read(at)
            if _tag(parts) == tag:
                yield parts
            at = parts.end

    # --- how many come before ------------------------------------------------------------------------------------

    def _reads(self, number: int, wire_type: int) -> Reading | None:
        """What the type says of a tag. Values of one number are counted apart where it has no such field."""
        return self.type.reading(number, wire_type) if self.type else None

    def _alike(self, number: int, is_known: bool) -> Iterator[tuple[int, Reading | None]]:
        """The tags that are counted together, and how they are read."""
        for wire_type in _WIRE_TYPES:
            reading = self._reads(number, wire_type)
            if (reading is not None) == is_known and self._index.total(number << 3 | wire_type):
                yield number << 3 | wire_type, reading

    def _fields(self, number: int, is_known: bool) -> int:
        """How many fields are counted together."""
        key = number, is_known
        total = self._totals.get(key)
        if total is None:
            total = self._totals[key] = sum(self._index.total(tag) for tag, _ in self._alike(number, is_known))
        return total

    def is_repeated(self, parts: WireField) -> bool:
        return self._fields(parts.number, False) > 1

    def comes_again(self, parts: WireField, ordinal: int) -> bool:
        return self._fields(parts.number, True) > ordinal + 1

    def _ordinal(self, index: int, parts: WireField) -> int:
        """How many values of a field come before the one at that place."""
        is_known = self._reads(parts.number, parts.wire_type) is not None
        if self._fields(parts.number, is_known) == (index < self._count):
            return 0
        return sum(self._before(index, tag, reading) for tag, reading in self._alike(parts.number, is_known))

    def _before(self, index: int, tag: int, reading: Reading | None) -> int:
        """How many values there are in the fields with a tag before a place."""
        sums = self._sums.get(tag)
        if sums is None:
            if len(self._sums) >= _MOST_SUMS:
                self._sums.clear()
            sums = self._sums[tag] = array("Q", accumulate(self._values_by_mark(tag, reading), initial=0))
        mark = index // MARK_EVERY
        rest = index % MARK_EVERY
        return sums[mark] + (self._values(self._index.marks[mark], rest, tag, reading) if rest else 0)

    def _values_by_mark(self, tag: int, reading: Reading | None) -> Iterator[int]:
        for mark, at in zip(range(0, self._count, MARK_EVERY), self._index.marks, strict=False):
            yield self._values(at, min(MARK_EVERY, self._count - mark), tag, reading)

    def _values(self, at: int, fields: int, tag: int, reading: Reading | None) -> int:
        """How many values there are in those of the next so many fields that have a tag."""
        if reading is not None and reading.kind.startswith(PACKED):
            return sum(self._elements(parts, reading) for parts in self._tagged(at, fields, tag))
        total = 0
        while True:
            at, count, tagged = count_tagged(self.input.data, at, self._end, fields, self.input.groups.ends, tag)
            total, fields = total + tagged, fields - count
            if not fields:
                return total
            parts = self._read(at)
            total, fields, at = total + (_tag(parts) == tag), fields - 1, parts.end

    def _elements(self, parts: WireField, reading: Reading) -> int:
        wire_type = NUMBERS[reading.kind.removeprefix(PACKED)].wire_type
        return count_elements(self.input.data, parts.value_start, parts.value_end, wire_type)

    # --- how they are read ---------------------------------------------------------------------------------------

    def known(self, parts: WireField) -> Reading | None:
        if self.type is None:
            return None
        told = self._told if parts.number == self.type.told and parts.wire_type == LEN else None
        return told or self.type.reading(parts.number, parts.wire_type)

    def reading(self, parts: WireField) -> Reading:
        known = self.known(parts)
        if known is not None and known.kind:
            return known
        guess = self._guess(parts)
        if known is not None:
            return guess._replace(name=known.name, note=known.note)
        problem = self.type and self.type.misfit(parts.number, parts.wire_type, parts.start)
        return guess._replace(problem=problem) if problem else guess

    def _guess(self, parts: WireField) -> Reading:
        key = parts[:2]
        guess = self._guesses.get(key)
        if guess is None:
            shape = self._shape.field(*key)
            if not shape.runs:  # none of its number is in the sample
                shape = self._shape_of([(self.input.data, parts.start, parts.end)], self.number_path).field(*key)
            guess = self._guesses[key] = Reading(shape.kind, guess=shape, is_guess=True)
        return guess

    @cached_property
    def _told(self) -> Reading | None:
        """How the field is read that another one tells of; the last one counts, wherever it stands."""
        assert self.type is not None
        number, wire_type = self.type.teller
        tag = number << 3 | wire_type
        for mark in reversed(range(0, self._count, MARK_EVERY) if self._index.total(tag) else ()):
            fields = min(MARK_EVERY, self._count - mark)
            found = list(self._tagged(self._index.marks[mark // MARK_EVERY], fields, tag))
            if found:
                return self.type.tell(self.input.data[found[-1].value_start : found[-1].value_end])
        return None

    @cached_property
    def _shape(self) -> Shape:
        """What the message has in common with others in its place."""
        if self._around is not None and self.parent is not None:
            return self._shape_of([(self.input.data, self._start, self._sound_end())], self.number_path)
        if self.parent is None or self._count > MAX_SAMPLED_FIELDS:  # so many say enough of themselves
            return self._shape_of(self._sample(), self.number_path)
        if self._given_shape is not None:
            return self._given_shape
        siblings = self.parent.siblings
        assert isinstance(siblings, Fields)
        return siblings.shape_inside(self.parent)

    def _shape_of(self, spans: Iterable[tuple[bytes, int, int]], path: str) -> Shape:
        return Shape.sampled(spans, self.input.hint_kinds, path)

    def _sample(self) -> list[tuple[bytes, int, int]]:
        """The message; of one with very many fields some runs of them, spread over all."""
        count, runs = self._count, MAX_SAMPLED_FIELDS // _RUN
        if count <= MAX_SAMPLED_FIELDS:
            return [(self.input.data, self._start, self._end)]
        starts = [run * (count - _RUN - 1) // (runs - 1) for run in range(runs)]
        offsets = map(self._offset, starts)
        return [(self.input.data, offset, self._skip(offset, _RUN)) for offset in offsets]

    def _sound_end(self) -> int:
        """Where the first field begins that is not whole. (A group without an end is not looked into at each level.)"""
        if self.damage is not None:
            return self.damage.span.start
        last = self._read(self._offset(self._count - 1))
        return last.start if self.input.groups.error(last.value_start) else self._end

    def shape_inside(self, node: FieldNode) -> Shape:
        """What the content of a node has in common with those of the fields of the same number beside it."""
        key = node.parts.number, node.parts.wire_type
        shape = self._shapes.get(key)
        if shape is None:
            places = self._every(1 + self._count // MAX_SAMPLED_CONTENTS)
            spans = ((self.input.data, parts.value_start, parts.value_end) for parts in places if parts[:2] == key)
            shape = self._shapes[key] = self._shape_of(spans, node.number_path)
        return shape

    def _every(self, step: int) -> Iterator[WireField]:
        """The first field, and from each one on that which comes so many further."""
        at = self._start
        for index in range(0, self._count, step):
            yield self._read(at)
            at = self._skip(at, min(step, self._count - index))

    def inside_damage(self, node: FieldNode) -> Sequence[FieldNode]:
        if node.length is None or self.depth >= MAX_DEPTH:
            return ()
        reading = self.reading(node.parts)
        return Fields(self.input, node, reading.type, reading.shape) if reading.kind == "message" else ()

    def inside(self, node: FieldNode, kind: str) -> Nodes:
        if kind.startswith(PACKED):
            return Elements(node)
        return Fields(self.input, node, node.reading.type, node.reading.shape)


def _tag(parts: WireField) -> int:
    return parts.number << 3 | parts.wire_type


class Elements(Nodes):
    """The elements of a packed field."""

    are_elements = True

    def __init__(self, parent: FieldNode) -> None:
        super().__init__(parent.input, parent)
        reading = parent.reading
        kind = reading.kind.removeprefix(PACKED)
        self._wire_type = NUMBERS[kind].wire_type
        self._first = parent.ordinal if reading.is_repeated else 0
        self._reading = Reading(kind, field=reading.field, is_repeated=True, is_guess=reading.is_guess)
        self._start, self._end = parent.value_span
        self._marks: Sequence[int] = ()
        self._damaged: FieldNode | None = None
        self._stop = self._end  # where the last element ends
        self._size = ELEMENT_SIZE.get(self._wire_type, 0)
        if self._size:
            self._split_fixed(self._size)
        else:
            self._split_varints()

    @property
    def _count(self) -> int:
        return self._whole

    @property
    def damage(self) -> FieldNode | None:
        return self._damaged

    def _split_fixed(self, size: int) -> None:
        self._whole, rest = divmod(self._end - self._start, size)
        if rest:
            self._set_damage(self._end - rest, "wire", f"{rest} of the {size} bytes of a value")

    def _split_varints(self) -> None:
        self._whole, stop, self._marks = index_varints(self.input.data, self._start, self._end)
        try:
            if stop < self._end:
                read_varint(self.input.data, stop, self._end)
        except DecodeError as error:
            self._set_damage(stop, error.code, error.message)

    def _set_damage(self, start: int, code: str, message: str) -> None:
        self._stop = start
        reading = Reading(DAMAGE, problem=Problem(code, message, offset=start))
        self._damaged = FieldNode(self, self._parts(start, self._end, 0), 0, reading)

    def _parts(self, start: int, end: int, number: int) -> WireField:
        return WireField(number, self._wire_type, start, start, start, end, end)

    def _make(self, index: int) -> FieldNode:
        if self._size:
            return self._element(index, self._start + index * self._size)
        return self._element(index, self._skip(self._marks[index // MARK_EVERY], index % MARK_EVERY))

    def _walk(self) -> Iterator[FieldNode]:
        at = self._start
        for index in range(self._count):
            node = self._element(index, at)
            yield node
            at = node.parts.end

    def _element(self, index: int, start: int) -> FieldNode:
        assert self.parent is not None
        end = start + self._size if self._size else self._skip(start, 1)
        return FieldNode(self, self._parts(start, end, self.parent.number or 0), self._first + index, self._reading)

    def _skip(self, at: int, elements: int) -> int:
        return skip_varints(self.input.data, at, self._stop, elements)

    def reading(self, parts: WireField) -> Reading:
        return self._reading
