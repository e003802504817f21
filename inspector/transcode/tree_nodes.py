"""Fields as nodes: each knows its bytes, what they mean, and what is wrong with them.

Nothing is read before it is asked for: the fields of a message when one looks at its children, what a field means when
one asks for its kind. The nodes of a message are a sequence that makes them when they are asked for.

Invariant: the nodes of a message cover its bytes without a gap, in order. What cannot be read is a node too, the last.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

from inspector.limits import MAX_DEPTH
from inspector.model.problem import Problem
from inspector.model.span import Span
from inspector.transcode.scalars import verifies_utf8
from inspector.transcode.tree_notes import TOO_DEEP, notes, spare_bytes
from inspector.transcode.tree_types import DAMAGE, MessageType, Reading
from inspector.transcode.tree_wire import (
    Groups,
    WireField,
    read_unsigned,
)
from inspector.wire.guess import Candidate
from inspector.wire.hints import Hints
from inspector.wire.kinds import NUMBERS, PACKED
from inspector.wire.utf8 import find_invalid_utf8

Value = bool | int | float | str | bytes | None

_UINT64 = (1 << 64) - 1
_UINT32 = (1 << 32) - 1

_PLAIN = frozenset({"string", "bytes", *NUMBERS})
"""Kinds that hold nothing else."""

_SHORT = 1_000
"""Bytes of a text up to which it is kept; a longer one is decoded when it is asked for."""


class Input:
    """What all nodes of a tree share."""

    def __init__(self, data: bytes, hints: Mapping[str, str]) -> None:
        self.data = data
        self.hints = Hints(hints)
        self.hint_kinds = hints
        self.groups = Groups()


class FieldNode:
    """A field, an element of a packed field, or (`kind` is `damage`) bytes that cannot be read.

    Offsets are those of the input. `parts` is where its parts lie; `siblings` are all fields of the message that it is
    in; `ordinal` counts the values of the same field before this one there.
    """

    __slots__ = ("_children", "_reading", "_settled", "ordinal", "parts", "siblings")

    def __init__(self, siblings: Nodes, parts: WireField, ordinal: int, reading: Reading | None = None) -> None:
        self.siblings = siblings
        self.parts = parts
        self._reading = reading
        self._settled: tuple[str, Value, Problem | None] | None = None
        self._children: Sequence[FieldNode] | None = None
        self.ordinal = ordinal

    def __repr__(self) -> str:
        return f"<{self.kind} {self.path or '?'} at {self.span.start}:{self.span.end}>"

    @property
    def input(self) -> Input:
        """What the tree reads."""
        return self.siblings.input

    # --- where it is ---------------------------------------------------------------------------------------------

    @property
    def span(self) -> Span:
        """All bytes of the field."""
        return Span(self.parts.start, self.parts.end)

    @property
    def tag(self) -> Span | None:
        """The tag; None for elements of packed fields, and for damage in which no tag of a field can be read."""
        _, _, start, tag_end, _, _, _ = self.parts
        return Span(start, tag_end) if tag_end > start else None

    @property
    def length(self) -> Span | None:
        """The length prefix of a LEN field; that of damage tells more bytes than there are."""
        start, end = self.parts.tag_end, self.parts.value_start
        return Span(start, end) if end > start else None

    @property
    def value_span(self) -> Span:
        """The value proper: the content of a message, the bytes of a number."""
        return Span(self.parts.value_start, self.parts.value_end)

    @property
    def end_tag(self) -> Span | None:
        """The end tag of a group; None for other fields, and for a group without an end."""
        start, end = self.parts.value_end, self.parts.end
        return Span(start, end) if end > start else None

    @property
    def parent(self) -> FieldNode | None:
        """The field around; None at the top."""
        return self.siblings.parent

    @property
    def depth(self) -> int:
        """How many fields are around it."""
        return self.siblings.depth

    @property
    def path(self) -> str:
        """`inputs[2].data.url`; fields that the schema does not have are told by number: `3.1[0]`."""
        return _joined(self.siblings.path, self.label)

    @property
    def label(self) -> str:
        """The last part of the path."""
        index = self.index
        name = self.name or str(self.number or "")
        if self.is_element:
            name = self.siblings.label
        return name if index is None else f"{name}[{index}]"

    @property
    def index(self) -> int | None:
        """The number in brackets of a field that is repeated; None for a packed field, whose elements have it."""
        known = self._known
        if known is not None and known.is_repeated:
            return None if known.kind.startswith(PACKED) else self.ordinal
        is_nameless = known is None or known.name is None
        return self.ordinal if is_nameless and self.siblings.is_repeated(self.parts) else None

    @property
    def number_path(self) -> str:
        """The path in field numbers alone, as hints name it: `3.1`."""
        number = "" if self.is_element else str(self.number or "")
        return _joined(self.siblings.number_path, number)

    # --- what it is ----------------------------------------------------------------------------------------------

    @property
    def number(self) -> int | None:
        """The field number; None for damage in which no tag can be read."""
        return self.parts.number or None

    @property
    def wire_type(self) -> int | None:
        """The wire type; None for damage in which no tag can be read."""
        return self.parts.wire_type if self.parts.number else None

    @property
    def name(self) -> str | None:
        """The name in the schema, that of an extension in brackets; None for elements, and where there is none."""
        known = self._known
        return known.name if known else None

    @property
    def kind(self) -> str:
        """How the value is read: a name of `inspector.wire.kinds`, or `damage`."""
        return (self._settled or self._settle())[0]

    @property
    def type_name(self) -> str | None:
        """The full name of the message or enum type."""
        reading = self.reading
        if reading.type is not None:
            return reading.type.name
        enum = reading.field and reading.field.enum_type
        return enum.full_name if enum else None

    @property
    def value(self) -> Value:
        """The value of a number, string or bytes field; the bytes of damage; None where there are children."""
        kind, value, _ = self._settle()
        if value is None and kind == "string":
            return self.content.decode()
        return self.content if value is None and self._is_plain(kind) else value

    def head(self, most: int) -> Value:
        """The same, but of a text or bytes no more than the first `most` characters or bytes."""
        kind, value, _ = self._settle()
        start, end = self.parts.value_start, self.parts.value_end
        if value is None and kind == "string":  # a character has four bytes at most
            return self.input.data[start : min(end, start + 4 * most)].decode(errors="ignore")[:most]
        if value is None and self._is_plain(kind):
            return self.input.data[start : min(end, start + most)]
        return value[:most] if isinstance(value, str | bytes) else value

    def _is_plain(self, kind: str) -> bool:
        """Whether the value is bytes."""
        return kind == "bytes" or (kind == DAMAGE and not self.children)

    @property
    def enum_name(self) -> str | None:
        """The name of the value of an enum."""
        field, value = self.reading.field, self.value
        if self.kind != "enum" or field is None or not isinstance(value, int):
            return None
        known = field.enum_type.values_by_number.get(value) if field.enum_type else None
        return known.name if known else None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Where the kind is a guess: the readings that come into question, likeliest first."""
        return self.reading.candidates

    @property
    def is_guess(self) -> bool:
        """Whether the kind is not from the schema."""
        return self.reading.is_guess

    @property
    def is_element(self) -> bool:
        """Whether this is an element of a packed field."""
        return self.siblings.are_elements and self.parts.number > 0

    @property
    def is_map_entry(self) -> bool:
        """Whether this is a key of a map with its value."""
        return self.reading.type is not None and self.reading.type.is_map_entry

    @property
    def problem(self) -> Problem | None:
        """Why this is damage, or what contradicts the schema."""
        return (self._settled or self._settle())[2]

    @property
    def is_damaged(self) -> bool:
        """Whether the runtime would refuse the message for this field, or bytes of it cannot be read."""
        return self.problem is not None and self.problem.is_damage

    @property
    def has_children(self) -> bool:
        """Whether there are any."""
        kind = self.kind
        return kind not in _PLAIN and bool(self.children)

    @property
    def children(self) -> Sequence[FieldNode]:
        """The fields of a message, or the elements of a packed field: a sequence that makes each when asked for.

        Damage has children where it is the beginning of a message.
        """
        if self._children is None:
            self._children = self._make_children()
        return self._children

    @property
    def is_minimal(self) -> bool:
        """Whether tag, length and varint take the fewest bytes that they could."""
        return not any(spare_bytes(self))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual without being wrong."""
        return notes(self)

    @property
    def _known(self) -> Reading | None:
        """What is known without a guess."""
        return self._reading or self.siblings.known(self.parts)

    @property
    def reading(self) -> Reading:
        """What the schema, or a guess, says of the field, before its bytes are looked at."""
        if self._reading is None:
            self._reading = self.siblings.reading(self.parts)
        return self._reading

    # --- what its bytes make of that -----------------------------------------------------------------------------

    @property
    def content(self) -> bytes:
        """The bytes of the value proper."""
        return self.input.data[self.parts.value_start : self.parts.value_end]

    def _settle(self) -> tuple[str, Value, Problem | None]:
        """Kind, value where it is known by now, problem."""
        if self._settled is None:
            self._settled = self._read()
        return self._settled

    def _read(self) -> tuple[str, Value, Problem | None]:
        reading = self.reading
        kind, problem = reading.kind, reading.problem
        if kind in NUMBERS:
            return self._read_number(kind, problem)
        if kind == "string":
            return self._string(problem)
        if kind in ("message", "group"):
            return self._message(kind, problem)
        if reading.is_guess and kind.startswith(PACKED) and not self._is_whole():
            kind = "bytes"
        return kind, None, problem

    def _read_number(self, kind: str, problem: Problem | None) -> tuple[str, Value, Problem | None]:
        raw = read_unsigned(self.input.data, self.parts)
        if kind == "bool" and raw > 1 and self.reading.is_guess:
            kind = "uint64"  # others of its number, by which it was guessed, were 0 and 1
        # The runtime drops what is above 64 bits, and for zigzag numbers of 32 bits what is above these.
        return kind, NUMBERS[kind].read(raw & (_UINT32 if kind == "sint32" else _UINT64)), problem

    def _string(self, problem: Problem | None) -> tuple[str, Value, Problem | None]:
        start, end = self.parts.value_start, self.parts.value_end
        invalid = find_invalid_utf8(self.input.data, start, end)
        if invalid is None:
            return "string", self.content.decode() if end - start <= _SHORT else None, problem
        field = self.reading.field
        if field is None:
            return "bytes", None, problem
        code = "utf8" if verifies_utf8(field) else "utf8_unverified"
        return "bytes", None, Problem(code, "invalid UTF-8", offset=invalid)

    def _message(self, kind: str, problem: Problem | None) -> tuple[str, Value, Problem | None]:
        start = self.parts.value_start
        error = self.input.groups.error(start) if kind == "group" else None
        if self.depth >= MAX_DEPTH:
            is_harmless = self.reading.is_guess and kind == "message"  # the runtime does not look into it either
            return "bytes", None, problem if is_harmless else Problem("depth", TOO_DEEP, offset=start)
        if error is not None:
            return kind, None, Problem(error.code, f"group {self.number} has no end", offset=self.parts.start)
        if self.reading.is_guess and kind == "message" and not self._is_whole():
            return "bytes", None, problem
        return kind, None, problem

    def _is_whole(self) -> bool:
        """Whether the bytes can be read as what they were guessed to be; what the user told stands in any case."""
        hints = self.input.hints
        if hints and hints.kind(self.number_path, self.parts.wire_type) is not None:
            return True
        children = self.siblings.inside(self, self.reading.kind)
        if children.damage is None:
            self._children = children
        return children.damage is None

    def _make_children(self) -> Sequence[FieldNode]:
        kind = self.kind
        if kind == DAMAGE:
            return self.siblings.inside_damage(self)
        has_children = kind in ("message", "group") or kind.startswith(PACKED)
        return self.siblings.inside(self, kind) if has_children else ()


def _joined(outer: str, last: str) -> str:
    return f"{outer}.{last}" if outer and last else outer or last


class Nodes(Sequence[FieldNode]):
    """Nodes that lie side by side. Those asked for by index are kept, those of a walk over all are not.

    `type` is that of the message, where it is known. `are_elements` where this is a packed field.
    """

    type: MessageType | None = None
    are_elements = False

    def __init__(self, input_: Input, parent: FieldNode | None) -> None:
        self.input = input_
        self.parent = parent
        self.depth = 0 if parent is None else parent.depth + 1
        self._kept: dict[int, FieldNode] = {}

    @property
    @abstractmethod
    def _count(self) -> int:
        """How many there are, but for the damage."""

    @property
    @abstractmethod
    def damage(self) -> FieldNode | None:
        """The last one, where the bytes cannot all be read."""

    @cached_property
    def path(self) -> str:
        """The path of the message that they are in: elements are in that which has their packed field."""
        if self.parent is None:
            return ""
        return self.parent.siblings.path if self.are_elements else self.parent.path

    @cached_property
    def label(self) -> str:
        """The last part of the path of the field around."""
        return "" if self.parent is None else self.parent.label

    @cached_property
    def number_path(self) -> str:
        """The same in numbers; that of elements is the path of their field."""
        return "" if self.parent is None else self.parent.number_path

    def __len__(self) -> int:
        return self._count + (self.damage is not None)

    @overload
    def __getitem__(self, index: int) -> FieldNode: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[FieldNode, ...]: ...

    def __getitem__(self, index: int | slice) -> FieldNode | tuple[FieldNode, ...]:
        if isinstance(index, slice):
            return tuple(map(self._keep, range(len(self))[index]))
        return self._keep(range(len(self))[index])

    def __iter__(self) -> Iterator[FieldNode]:
        for index, node in enumerate(self._walk()):
            yield self._kept.get(index, node) if self._kept else node
        if self.damage is not None:
            yield self.damage

    def _keep(self, index: int) -> FieldNode:
        node = self._kept.get(index)
        if node is None and index == self._count:
            node = self.damage
        node = self._kept[index] = self._make(index) if node is None else node
        return node

    @abstractmethod
    def _make(self, index: int) -> FieldNode:
        """The node at a place, new; not that of the damage."""

    @abstractmethod
    def _walk(self) -> Iterator[FieldNode]:
        """All of these, in order."""

    def known(self, parts: WireField) -> Reading | None:
        """What the schema says of a field; where another field should tell the kind, and does not, that is empty."""
        return None

    @abstractmethod
    def reading(self, parts: WireField) -> Reading:
        """How a field is read, by a guess where the schema does not know."""

    def inside_damage(self, node: FieldNode) -> Sequence[FieldNode]:
        """The same for damage, as far as it is the beginning of a message."""
        return ()

    def inside(self, node: FieldNode, kind: str) -> Nodes:
        """What is in one of these nodes, read as that kind. (Elements of packed fields, which are numbers, are never
        asked.)"""
        raise NotImplementedError

    def is_repeated(self, parts: WireField) -> bool:
        """Whether a field that the schema does not have comes more than once."""
        return False

    def comes_again(self, parts: WireField, ordinal: int) -> bool:
        """Whether another one of the same field follows."""
        return False
