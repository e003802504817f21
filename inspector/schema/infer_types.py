"""Which types the messages of a sample are of, nested ones too, where no schema is known.

Messages that come at one place (the requests of a method, the contents of a field) are of one type. What is nested is
judged over all that one type has at a field (`inspector.wire.shape`), and taken for a type that is there already where
the two are alike: so a tree has one type and not one for each level.

Invariant: each message of the sample is taken once into one type, and a number has one reading in a type.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from inspector.limits import MAX_DEPTH, MAX_INFERRED_TYPES
from inspector.wire.evidence import Candidate
from inspector.wire.kinds import NUMBERS, PACKED, WIRE_TYPES
from inspector.wire.scan import LEN, SGROUP, Field, GroupEnds, scan, scan_prefix
from inspector.wire.shape import FieldShape, Shape

Outline = dict[int, list[FieldShape]]
"""The fields of a shape by number; one number may come with several wire types."""


class Span(NamedTuple):
    """A message, `data[start:end]`, and how many others it lies in. `group_ends` are those of all `data`, as far as
    they are known: without them groups in groups would be walked again at each level."""

    data: bytes
    start: int
    end: int
    depth: int
    group_ends: GroupEnds

    @classmethod
    def of(cls, data: bytes) -> Span:
        """A whole message."""
        return cls(data, 0, len(data), 0, {})

    def within(self, field: Field) -> Span:
        """What one of its fields holds."""
        return Span(self.data, field.value_start, field.value_end, self.depth + 1, self.group_ends)

    def scan(self) -> list[Field]:
        """Its fields. Raises DecodeError."""
        return scan(self.data, self.start, self.end, self.group_ends)

    def scan_prefix(self) -> list[Field]:
        """Its fields before the first that is damaged."""
        return scan_prefix(self.data, self.start, self.end, self.group_ends)[0]


CONTAINERS = ("message", "group")

_LEAST_COMMON = 2
"""Fields that two types must have in common to be taken for one."""

_LEAST_SHARE = 0.6
"""And the share of all their fields which that must be."""


_LEVELS = 3
"""And how far down what is nested in them must agree."""


class Place(NamedTuple):
    """A path of field numbers, empty for whole messages, from the root of that number."""

    root: int
    path: str

    def within(self, number: int) -> Place:
        """The place of what a field there holds."""
        return Place(self.root, f"{self.path}.{number}" if self.path else str(number))


class InferredField:
    """A field of an inferred type. `kind` is one of `inspector.wire.kinds`; `type` is set for messages and groups."""

    def __init__(self, number: int, kind: str, candidates: tuple[Candidate, ...]) -> None:
        self.number = number
        self.kind = kind
        self.candidates = candidates
        self.type: InferredType | None = None


class InferredType:
    """A message type. `place` is where its first messages were, `outline` the fields that those have; `merged` has the
    places of others that were taken for it."""

    def __init__(self, place: Place, outline: Outline) -> None:
        self.place = place
        self.merged: set[Place] = set()
        self.outline = outline
        self.fields: dict[int, InferredField] = {}
        self.add_fields(outline)

    def add_fields(self, outline: Outline) -> None:
        """Takes in the fields that more messages have."""
        for number, shapes in outline.items():
            if number not in self.fields:
                main = _main_shape(shapes)
                self.fields[number] = InferredField(number, _kind(main, shapes), main.candidates)


class TypeFinder:
    """Sorts messages into types. `hints` are those of `inspector.wire.guess`, by paths from a root; at the places
    `separate` is a type of its own."""

    def __init__(self, hints: Mapping[str, str], separate: Collection[Place] = ()) -> None:
        self._hints = hints
        self._separate = separate
        self._types: list[InferredType] = []
        self._arrived: dict[InferredType, list[Span]] = {}

    def add_root(self, messages: Iterable[bytes]) -> InferredType:
        """The type of whole messages, which are all of one."""
        spans = [Span.of(data) for data in messages]
        place = Place(len(self._types), "")
        root = self._add_type(place, self._outline(spans, place))
        self._arrive(root, spans)
        return root

    def run(self) -> None:
        """Follows all that is nested. The levels are walked one after the other, so that the types of outer ones are
        known when they come again further in."""
        while self._arrived:
            message = next(iter(self._arrived))
            spans = self._arrived.pop(message)
            message.add_fields(self._outline(spans, message.place))
            for number, contents in _contents(spans, message).items():
                self._descend(message, message.fields[number], contents)

    def _outline(self, spans: Iterable[Span], place: Place) -> Outline:
        return _outline(Shape.of_spans([span[:3] for span in spans], self._hints, place.path))

    def _add_type(self, place: Place, outline: Outline) -> InferredType:
        self._types.append(InferredType(place, outline))
        return self._types[-1]

    def _arrive(self, message: InferredType, spans: list[Span]) -> None:
        self._arrived.setdefault(message, []).extend(spans)

    def _descend(self, outer: InferredType, field: InferredField, contents: list[Span]) -> None:
        if field.type is None:
            place = outer.place.within(field.number)
            outline = self._outline(contents, place)
            field.type = self._like(outline, outer, field.number) if place not in self._separate else None
            if field.type is not None:
                field.type.merged.add(place)
            elif len(self._types) < MAX_INFERRED_TYPES:
                field.type = self._add_type(place, outline)
        if field.type is None:
            field.kind = "bytes"
        else:
            self._arrive(field.type, contents)

    def _like(self, outline: Outline, outer: InferredType, number: int) -> InferredType | None:
        """The type that what the field `number` of `outer` holds may be taken for."""
        if outline.keys() == outer.outline.keys() and number in outline and _agree(outline, outer.outline, _LEVELS):
            return outer
        return next((each for each in self._types if _is_alike(outline, each.outline)), None)


def _outline(shape: Shape) -> Outline:
    found: Outline = {}
    for field in shape:
        found.setdefault(field.number, []).append(field)
    return found


def _is_alike(first: Outline, second: Outline) -> bool:
    """Whether messages of the two may be taken for one type."""
    common = len(first.keys() & second.keys())
    if common < max(_LEAST_COMMON, _LEAST_SHARE * (len(first) + len(second) - common)):
        return False
    return _agree(first, second, _LEVELS)


def _agree(first: Outline, second: Outline, levels: int) -> bool:
    """Whether the two contradict each other nowhere, to some levels down."""
    for number in first.keys() & second.keys():
        here, there = _main_shape(first[number]), _main_shape(second[number])
        if _family(here.kind) != _family(there.kind):
            return False
        inner, other = here.message if levels else None, there.message if levels else None
        if inner is not None and other is not None and not _agree(_outline(inner), _outline(other), levels - 1):
            return False
    return True


def _family(kind: str) -> str:
    """Kinds that may be readings of one field: integers of all sorts."""
    plain = kind.removeprefix(PACKED)
    if plain not in NUMBERS:
        return kind
    family = "floating" if plain in ("float", "double") else "integer"
    return f"{NUMBERS[plain].wire_type} {family} {'packed' if plain != kind else ''}"


def _main_shape(shapes: list[FieldShape]) -> FieldShape:
    """Of the wire types that one number came with, that which decides: of numbers alone and packed ones the former,
    of others that which was seen most."""
    numbers = [each for each in shapes if each.wire_type not in (LEN, SGROUP)]
    if len(numbers) == 1 and len(shapes) == 2 and all(each.wire_type != SGROUP for each in shapes):
        return numbers[0]
    return max(shapes, key=lambda each: each.occurrences)


def _kind(main: FieldShape, shapes: list[FieldShape]) -> str:
    mixed = len(shapes) > 1 and main.kind in NUMBERS and any(each.wire_type == LEN for each in shapes)
    return PACKED + main.kind if mixed else main.kind


def _contents(spans: Iterable[Span], message: InferredType) -> dict[int, list[Span]]:
    """What the fields hold that are messages or groups, by number; not what lies deeper than any decoder goes."""
    wanted = {(number, WIRE_TYPES[field.kind]) for number, field in message.fields.items() if field.kind in CONTAINERS}
    found: dict[int, list[Span]] = {}
    for span in spans if wanted else ():
        for field in span.scan_prefix() if span.depth < MAX_DEPTH else ():
            if (field.number, field.wire_type) in wanted:
                found.setdefault(field.number, []).append(span.within(field))
    return found
