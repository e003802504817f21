"""What lies side by side in the field tree: the fields of a message, the elements of a packed field.

Both are found in one pass that keeps no more than where each begins, so that a message of many million fields can be
walked in little memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from functools import cached_property

from inspector.errors import DecodeError
from inspector.limits import MAX_DEPTH, MAX_SAMPLED_FIELDS
from inspector.model.problem import Problem
from inspector.model.span import Span
from inspector.transcode.fields import ELEMENT_SIZE
from inspector.transcode.tree_nodes import FieldNode, Input, Nodes
from inspector.transcode.tree_types import DAMAGE, MessageType, Reading
from inspector.transcode.tree_wire import WireField, count_elements, read_damage, read_field
from inspector.wire.guess import Shape
from inspector.wire.kinds import NUMBERS, PACKED
from inspector.wire.scan import LEN, SGROUP, read_varint

_RUN = 100
"""Fields of a sample that lie side by side."""


class Fields(Nodes):
    """The fields of a message."""

    def __init__(
        self, input_: Input, parent: FieldNode | None, type_: MessageType | None = None, shape: Shape | None = None
    ) -> None:
        super().__init__(input_, parent)
        self._start, self._end = Span(0, len(input_.data)) if parent is None else parent.value_span
        self.type = type_
        self._given_shape = shape
        self._starts: array[int] = array("Q")
        self._ordinals: array[int] = array("Q")
        self._counts: dict[int, int] = {}  # values of a field; fields that the type does not have are negative
        self._guesses: dict[tuple[int, int], Reading] = {}
        self._shapes: dict[tuple[int, int], Shape] = {}
        is_group = parent is not None and parent.wire_type == SGROUP
        self._around = input_.groups.error(self._start) if is_group else None
        self._scan()

    def _scan(self) -> None:
        data, groups = self.input.data, self.input.groups
        at = self._start
        try:
            while at < self._end:
                parts = read_field(data, at, self._end, groups, self._around)
                self._starts.append(at)
                self._ordinals.append(self._count(parts))
                at = parts.end
        except DecodeError as error:
            self.damage = self._damage(at, error)

    def _count(self, parts: WireField) -> int:
        """Counts the values of a field, and returns how many came before."""
        reading = self.type and self.type.reading(parts.number, parts.wire_type)
        key = parts.number if reading else -parts.number
        before = self._counts.get(key, 0)
        more = 1
        if reading and reading.kind.startswith(PACKED):
            wire_type = NUMBERS[reading.kind.removeprefix(PACKED)].wire_type
            more = count_elements(self.input.data, parts.value_start, parts.value_end, wire_type)
        self._counts[key] = before + more
        return before

    def _damage(self, start: int, error: DecodeError) -> FieldNode:
        """The rest of the message; named after the field that it begins with, where its tag can be read."""
        parts = read_damage(self.input.data, start, self._end)
        reading = Reading(DAMAGE, problem=Problem(error.code, error.message, offset=error.offset))
        known = self.known(parts)
        if known is not None:
            reading = reading._replace(name=known.name, field=known.field, is_repeated=known.is_repeated)
        return FieldNode(self, parts, self._counts.get(parts.number if known else -parts.number, 0), reading)

    def _make(self, index: int) -> FieldNode:
        return FieldNode(self, self._parts(index), self._ordinals[index])

    def _parts(self, index: int) -> WireField:
        return read_field(self.input.data, self._starts[index], self._end, self.input.groups, self._around)

    def is_repeated(self, parts: WireField) -> bool:
        return self._counts.get(-parts.number, 0) > 1

    def comes_again(self, parts: WireField, ordinal: int) -> bool:
        return self._counts.get(parts.number, 0) > ordinal + 1

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
            if not shape.runs and parts.wire_type == LEN:  # none of its number is in the sample
                shape = self._shape_of([(self.input.data, parts.start, parts.end)], self.number_path).field(*key)
            guess = Reading(shape.kind, is_guess=True, candidates=shape.candidates, shape=shape.message)
            self._guesses[key] = guess
        return guess

    @cached_property
    def _told(self) -> Reading | None:
        """How the field is read that another one tells of; the last one counts, wherever it stands."""
        assert self.type is not None
        for index in reversed(range(len(self._starts))):
            parts = self._parts(index)
            if (parts.number, parts.wire_type) == self.type.teller:
                return self.type.tell(self.input.data[parts.value_start : parts.value_end])
        return None

    @cached_property
    def _shape(self) -> Shape:
        """What the message has in common with others in its place."""
        if self._around is not None and self.parent is not None:
            return self._shape_of([(self.input.data, self._start, self._sound_end())], self.number_path)
        if self._given_shape is not None:
            return self._given_shape
        if self.parent is None:
            return self._shape_of(self._sample(), "")
        siblings = self.parent.siblings
        assert isinstance(siblings, Fields)
        return siblings.shape_inside(self.parent)

    def _shape_of(self, spans: Iterable[tuple[bytes, int, int]], path: str) -> Shape:
        return Shape.of_spans(spans, self.input.hint_kinds, path)

    def _sample(self) -> list[tuple[bytes, int, int]]:
        """The message; of one with very many fields some runs of them, spread over all."""
        count, runs = len(self._starts), MAX_SAMPLED_FIELDS // _RUN
        if count <= MAX_SAMPLED_FIELDS:
            return [(self.input.data, self._start, self._end)]
        starts = [run * (count - _RUN - 1) // (runs - 1) for run in range(runs)]
        return [(self.input.data, self._starts[start], self._starts[start + _RUN]) for start in starts]

    def _sound_end(self) -> int:
        """Where the first field begins that is not whole. (A group without an end is not looked into at each level.)"""
        if self.damage is not None:
            return self.damage.span.start
        last = self._parts(len(self._starts) - 1)
        return last.start if self.input.groups.error(last.value_start) else self._end

    def shape_inside(self, node: FieldNode) -> Shape:
        """What the content of a node has in common with those of the fields of the same number beside it."""
        key = node.parts.number, node.parts.wire_type
        shape = self._shapes.get(key)
        if shape is None:
            count = len(self._starts)
            places = map(self._parts, range(0, count, 1 + count // MAX_SAMPLED_FIELDS))
            spans = ((self.input.data, parts.value_start, parts.value_end) for parts in places if parts[:2] == key)
            shape = self._shapes[key] = self._shape_of(spans, node.number_path)
        return shape

    def inside_damage(self, node: FieldNode) -> Sequence[FieldNode]:
        if node.length is None or self.depth >= MAX_DEPTH:
            return ()
        reading = self.reading(node.parts)
        return Fields(self.input, node, reading.type, reading.shape) if reading.kind == "message" else ()

    def inside(self, node: FieldNode, kind: str) -> Nodes:
        if kind.startswith(PACKED):
            return Elements(node)
        return Fields(self.input, node, node.reading.type, node.reading.shape)


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
        self._stop = self._end  # where the last element ends
        size = ELEMENT_SIZE.get(self._wire_type)
        if size:
            self._split_fixed(size)
        else:
            self._split_varints()

    def _split_fixed(self, size: int) -> None:
        whole = self._end - (self._end - self._start) % size
        self._starts = range(self._start, whole, size)
        if whole < self._end:
            self._set_damage(whole, "wire", f"{self._end - whole} of the {size} bytes of a value")

    def _split_varints(self) -> None:
        starts = self._starts = array("Q")
        at = self._start
        try:
            while at < self._end:
                after = read_varint(self.input.data, at, self._end)[1]
                starts.append(at)
                at = after
        except DecodeError as error:
            self._set_damage(at, error.code, error.message)

    def _set_damage(self, start: int, code: str, message: str) -> None:
        self._stop = start
        reading = Reading(DAMAGE, problem=Problem(code, message, offset=start))
        self.damage = FieldNode(self, self._parts(start, self._end, 0), 0, reading)

    def _parts(self, start: int, end: int, number: int) -> WireField:
        return WireField(number, self._wire_type, start, start, start, end, end)

    def _make(self, index: int) -> FieldNode:
        assert self.parent is not None
        start = self._starts[index]
        end = self._starts[index + 1] if index + 1 < len(self._starts) else self._stop
        return FieldNode(self, self._parts(start, end, self.parent.number or 0), self._first + index, self._reading)

    def reading(self, parts: WireField) -> Reading:
        return self._reading
