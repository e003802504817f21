"""The whole sample held against the types that were found in it.

What kind a field has was judged by likelihood; here each value is looked at, so that the schema decodes them all: a
string must be UTF-8 throughout, a message must parse, a bool be 0 or 1. A kind that a value contradicts gives way to
one that none does, and the sample is walked again. What is seen on the last walk is the evidence for the comments.

Invariant: after `settle` every field of the sample is read by its type without an error; what no type reads, as a
number of whole messages has two wire types, is counted as stray.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from inspector.errors import DecodeError
from inspector.limits import MAX_DEPTH
from inspector.schema.infer_types import CONTAINERS, InferredField, InferredType, Span
from inspector.wire.kinds import NUMBERS, PACKED, WIRE_TYPES
from inspector.wire.scan import I32, I64, LEN, Field, read_uint64

MAX_SAMPLES = 3
"""Distinct values of a field that are kept to be shown."""

SAMPLE_SIZE = 100
"""Bytes that are kept of a content: 25 characters at least."""

MAX_URLS = 100
"""Distinct texts of a field that are kept to see whether they are the type URLs of Any."""

_DEEPEST = MAX_DEPTH - 1
"""Decoders refuse what is nested deeper; one level is kept in hand."""

_SIZES = {I32: 4, I64: 8}


class FieldSurvey:
    """What was seen of a field. `numbers` and `lengths` are the least and the most, `strays` the values that its type
    does not read."""

    def __init__(self) -> None:
        self.occurrences = self.messages_with = self.most_in_one = self.strays = 0
        self.numbers: tuple[int, int] | None = None
        self.lengths: tuple[int, int] | None = None
        self.samples: dict[bytes | int, None] = {}
        self.texts: set[bytes] = set()

    def count(self, values: int) -> None:
        """Takes in how many values one message had."""
        self.messages_with += 1
        self.occurrences += values
        self.most_in_one = max(self.most_in_one, values)

    def add_number(self, value: int) -> None:
        self.numbers = _widened(self.numbers, value)
        self._add_sample(value)

    def add_content(self, content: bytes) -> None:
        self.lengths = _widened(self.lengths, len(content))
        self._add_sample(content[:SAMPLE_SIZE])
        if len(self.texts) < MAX_URLS:
            self.texts.add(content[:256])

    def _add_sample(self, value: bytes | int) -> None:
        if len(self.samples) < MAX_SAMPLES:
            self.samples[value] = None


class TypeSurvey(NamedTuple):
    """What was seen of a type: how many messages, and its fields by number."""

    messages: list[Span]
    fields: dict[int, FieldSurvey]


Survey = Mapping[InferredType, TypeSurvey]


class Settled(NamedTuple):
    """What was seen of each type, and the types in which values contradicted each other: they are perhaps two."""

    survey: Survey
    contested: set[InferredType]


def settle(roots: Mapping[InferredType, Iterable[bytes]]) -> Settled:
    """Walks the sample until no value contradicts the kind of its field, and mends the kinds. The messages of the
    roots must parse."""
    contested: set[InferredType] = set()
    while True:
        walk = _Walk()
        for root, messages in roots.items():
            walk.run(root, map(Span.of, messages))
        contested |= walk.contested
        refuted = walk.refuted or _holders_of_strays(walk, roots)
        if not refuted:
            return Settled(walk.seen, contested)
        for field, kind in refuted.items():
            field.kind = kind
            if kind not in CONTAINERS:
                field.type = None


def _holders_of_strays(walk: _Walk, roots: Mapping[InferredType, object]) -> dict[InferredField, str]:
    """The fields of which the contents are of no one type, as bytes."""
    mixed = {
        message
        for message, survey in walk.seen.items()
        if message not in roots and any(field.strays for field in survey.fields.values())
    }
    fields = (field for message in walk.seen for field in message.fields.values())
    return {field: "bytes" for field in fields if field.type in mixed}


class _Visit(NamedTuple):
    """A message that is to be looked at, and its fields."""

    type: InferredType
    span: Span
    fields: list[Field]


class _Walk:
    """One walk over the sample. `refuted` has the fields whose kind a value contradicts, and what they become."""

    def __init__(self) -> None:
        self.contested: set[InferredType] = set()
        self.seen: dict[InferredType, TypeSurvey] = {}
        self.refuted: dict[InferredField, str] = {}

    def run(self, root: InferredType, spans: Iterable[Span]) -> None:
        self.seen.setdefault(root, TypeSurvey([], {}))
        for span in spans:
            waiting = [_Visit(root, span, span.scan())]
            while waiting:
                waiting += self._message(waiting.pop())

    def _message(self, visit: _Visit) -> list[_Visit]:
        survey = self.seen.setdefault(visit.type, TypeSurvey([], {}))
        survey.messages.append(visit.span)
        counts: dict[int, int] = {}
        inner: list[_Visit] = []
        for field in visit.fields:
            known = visit.type.fields[field.number]
            seen = survey.fields.setdefault(field.number, FieldSurvey())
            count = 1
            if known.type is not None and field.wire_type == WIRE_TYPES[known.kind]:
                inner += self._container(visit, known, field)
            else:
                count = self._value(visit, known, seen, field)
            counts[field.number] = counts.get(field.number, 0) + count
        for number, count in counts.items():
            survey.fields[number].count(count)
        return inner

    def _container(self, visit: _Visit, known: InferredField, field: Field) -> list[_Visit]:
        inner = visit.span.within(field)
        try:
            fields = inner.scan()
        except DecodeError:
            fields = None
        if fields is None or inner.depth > _DEEPEST:
            self._refute(visit, known, "bytes")
        if known.type is None or fields is None or known in self.refuted:
            return []
        return [_Visit(known.type, inner, fields)]

    def _value(self, visit: _Visit, known: InferredField, seen: FieldSurvey, field: Field) -> int:
        """Takes what is no message; returns how many values it holds."""
        plain = known.kind.removeprefix(PACKED)
        if plain in NUMBERS and field.wire_type == NUMBERS[plain].wire_type:
            self._numbers(known, seen, [field.value])
            return 1
        content = visit.span.data[field.value_start : field.value_end]
        if plain in NUMBERS and field.wire_type == LEN:
            return self._packed(visit, known, seen, content)
        if field.wire_type != WIRE_TYPES[known.kind]:
            seen.strays += 1
            self.contested.add(visit.type)
            return 0
        seen.add_content(content)
        if known.kind == "string" and not _is_utf8(content):
            self.refuted[known] = "bytes"
        return 1

    def _packed(self, visit: _Visit, known: InferredField, seen: FieldSurvey, content: bytes) -> int:
        plain = known.kind.removeprefix(PACKED)
        elements = unpacked(content, NUMBERS[plain].wire_type)
        if elements is None:
            self._refute(visit, known, "bytes")
            return 1
        if plain == known.kind:
            self._refute(visit, known, PACKED + plain)
        self._numbers(known, seen, elements)
        return len(elements)

    def _refute(self, visit: _Visit, field: InferredField, kind: str) -> None:
        self.refuted[field] = kind
        self.contested.add(visit.type)

    def _numbers(self, known: InferredField, seen: FieldSurvey, values: list[int]) -> None:
        prefix, plain = (PACKED if known.kind.startswith(PACKED) else ""), known.kind.removeprefix(PACKED)
        for value in values:
            seen.add_number(value)
            if known in self.refuted:
                continue
            if (plain == "bool" and value > 1) or (plain in ("enum", "int32") and not _is_int32(value)):
                self.refuted[known] = f"{prefix}int64"
            elif plain in ("uint32", "sint32") and value >> 32:
                self.refuted[known] = f"{prefix}{plain[:-2]}64"


def unpacked(content: bytes, wire_type: int) -> list[int] | None:
    """The elements of a packed field, as the wire has them; None where the bytes are no such field."""
    size = _SIZES.get(wire_type)
    if size is not None:
        whole = len(content) % size == 0
        steps = range(0, len(content), size)
        return [int.from_bytes(content[at : at + size], "little") for at in steps] if whole else None
    found, at = list[int](), 0
    try:
        while at < len(content):
            value, at = read_uint64(content, at, len(content))
            found.append(value)
    except DecodeError:
        return None
    return found


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_int32(value: int) -> bool:
    return value < 1 << 31 or value >= (1 << 64) - (1 << 31)


def _widened(bounds: tuple[int, int] | None, value: int) -> tuple[int, int]:
    return (value, value) if bounds is None else (min(bounds[0], value), max(bounds[1], value))
