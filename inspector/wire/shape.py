"""What messages of one type have in common: their fields by number and wire type, and the kind of each.

Invariant: nothing is scanned or judged before it is asked for, and everything only once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from inspector.limits import (
    FIRST_GUESS_OCCURRENCES,
    MAX_DEPTH,
    MAX_GUESS_LARGE,
    MAX_JUDGED_BYTES,
    MAX_SAMPLED_FIELDS,
    MIN_SAMPLED_FIELDS,
)
from inspector.wire.content import Evidence, Scanned, Source
from inspector.wire.evidence import (
    Candidate,
    Scores,
    are_clear,
    best_of,
    kind_of_all,
    kind_of_fixed,
    rank,
    score_contents,
    score_fixed,
    score_varints,
    spread,
    stride,
)
from inspector.wire.hints import NO_HINTS, Hints
from inspector.wire.scan import LEN, SGROUP, VARINT, WIRE_TYPE_NAMES, Field
from inspector.wire.tag_likeness import Tag

Span = tuple[Source, int, int]

_MOST_JUDGED = MAX_GUESS_LARGE * MAX_JUDGED_BYTES
"""Bytes of the contents of a field that are looked at together."""

_TOO_FEW = 5
_HUGE = 1 << 63
"""Varints so few and small are int64 (see `score_varints`)."""


class Place:
    """Where messages lie: `depth` messages deep, at `path`; the hints for all below; whether a source keeps what is
    scanned for one more scan; and how many fields are looked at here, where that is bounded (half as many below). It
    knows what is above it alone, so that nothing refers to itself."""

    __slots__ = ("_above", "_number", "depth", "hints", "keep", "most")

    def __init__(
        self, hints: Hints, above: Place | str = "", number: int = 0, keep: bool = False, most: int | None = None
    ) -> None:
        self.hints = hints
        self.keep = keep
        self.most = most
        self._above = above
        self._number = number
        self.depth: int = above.count(".") + bool(above) if isinstance(above, str) else above.depth + 1

    @property
    def path(self) -> str:
        """Field numbers with dots between them, empty for whole messages."""
        numbers: list[str] = []
        place: Place | str = self
        while isinstance(place, Place):
            if place._number:
                numbers.append(str(place._number))
            place = place._above
        return ".".join(filter(None, (place, *reversed(numbers))))

    def inner(self, number: int) -> Place:
        """The place of what lies in a field."""
        most = None if self.most is None else max(MIN_SAMPLED_FIELDS, self.most // 2)
        return Place(self.hints, self, number, self.keep, most)


class Shape:
    """What messages have in common. Made by `of` or `of_spans`; iterating gives its fields.

    Messages that damage cuts short count up to there, but not at all where they are only guessed to be messages.
    """

    __slots__ = ("_fields", "_is_guessed", "_kinds", "_place", "_spans")

    def __init__(self, spans: Sequence[Span], place: Place, is_guessed: bool = False) -> None:
        self._spans = spans
        self._place = place
        self._is_guessed = is_guessed
        self._fields: dict[Tag, FieldShape] | None = None
        self._kinds: dict[str, str] | None = None

    @classmethod
    def of(cls, messages: Iterable[bytes], hints: Mapping[str, str] | Hints = NO_HINTS) -> Shape:
        """The shape of whole messages. `hints` maps paths of field numbers to kinds. Raises InputError for hints."""
        return cls([(Source(data), 0, len(data)) for data in messages], Place(_read(hints)))

    @classmethod
    def of_source(cls, source: Source, hints: Mapping[str, str] | Hints = NO_HINTS) -> Shape:
        """The shape of one message; the source keeps what is scanned until it is scanned again."""
        return cls([(source, 0, len(source.data))], Place(_read(hints), keep=True))

    @classmethod
    def of_spans(
        cls, spans: Iterable[tuple[bytes, int, int]], hints: Mapping[str, str] | Hints = NO_HINTS, path: str = ""
    ) -> Shape:
        """The shape of messages that lie in larger bytes, `data[start:end]` each, at `path` of a message."""
        return cls(_located(spans), Place(_read(hints), path))

    @classmethod
    def sampled(
        cls, spans: Iterable[tuple[bytes, int, int]], hints: Mapping[str, str] | Hints = NO_HINTS, path: str = ""
    ) -> Shape:
        """The same by a sample of MAX_SAMPLED_FIELDS fields, and of half as many at each level further in, out of the
        sample around it, down to MIN_SAMPLED_FIELDS. Counts are those of the sample."""
        return cls(_located(spans), Place(_read(hints), path, most=MAX_SAMPLED_FIELDS))

    def beside(self, source: Source, fields: list[Field]) -> Shape:
        """The shape of one more message at the same place by itself: of its fields, none of which may be missing."""
        return Shape([(source, fields[0].tag_start, fields[-1].end)], self._place)

    @property
    def path(self) -> str:
        """Field numbers with dots between them, empty for whole messages."""
        return self._place.path

    @property
    def messages(self) -> int:
        """How many messages there are."""
        return len(self._spans)

    @property
    def fields(self) -> tuple[FieldShape, ...]:
        """The fields in order of first appearance."""
        return tuple(self.by_tag().values())

    def __iter__(self) -> Iterator[FieldShape]:
        return iter(self.by_tag().values())

    def wire_types(self) -> dict[str, str]:
        """The names of the wire types that come under each path: `LEN`, `VARINT and LEN`."""
        found: dict[str, list[str]] = {}
        waiting: list[Shape] = [self]
        while waiting:
            for field in waiting.pop():
                found.setdefault(field.path, []).append(WIRE_TYPE_NAMES[field.wire_type])
                if field.message is not None:
                    waiting.append(field.message)
        return {path: " and ".join(sorted(names)) for path, names in found.items()}

    def kinds(self) -> dict[str, str]:
        """The kinds of all fields by path, of numbers that come with one wire type. Worked out once."""
        if self._kinds is None:
            self._kinds = self._find_kinds()
        return self._kinds

    def _find_kinds(self) -> dict[str, str]:
        found: dict[str, str] = {}
        waiting: list[Shape] = [self]
        while waiting:
            shape = waiting.pop()
            counts = Counter(field.number for field in shape)
            for field in shape:
                if counts[field.number] == 1:
                    found[field.path] = field.kind
                    if field.message is not None:
                        waiting.append(field.message)
        return found

    def field(self, number: int, wire_type: int) -> FieldShape:
        """A field; one that no message has comes without occurrences, as the usual kind of its wire type."""
        tag = number, wire_type
        return self.by_tag().get(tag) or FieldShape(tag, self._place, [])

    def by_tag(self) -> dict[Tag, FieldShape]:
        """The fields by number and wire type, in order of first appearance."""
        if self._fields is None:
            self._fields = {}
            for source, scanned in self._scan_all() if self._place.most is None else self._scan_some(self._place.most):
                if scanned.error is None or not self._is_guessed:
                    self._take(self._fields, source, scanned.fields)
        return self._fields

    def _scan_all(self) -> Iterator[tuple[Source, Scanned]]:
        return ((source, source.scan(start, end, keep=self._place.keep)) for source, start, end in self._spans)

    def _scan_some(self, room: int) -> Iterator[tuple[Source, Scanned]]:
        """As many messages, spread over all, as hold so many fields; of one that holds more, the first of them."""
        found: dict[int, tuple[Source, Scanned]] = {}
        for index in spread(len(self._spans)):
            source, start, end = self._spans[index]
            scanned = source.scan_first(start, end, room)
            found[index] = source, scanned
            room -= 1 + len(scanned.fields)  # an empty one is looked at, too
            if room <= 0:
                break
        return (found[index] for index in sorted(found))

    def _take(self, known: dict[Tag, FieldShape], source: Source, fields: list[Field]) -> None:
        grouped: dict[Tag, list[Field]] = {}
        for field in fields:
            tag = field[:2]
            if tag in grouped:
                grouped[tag].append(field)
            else:
                grouped[tag] = [field]
        for tag, same in grouped.items():
            if tag in known:
                known[tag].runs.append((source, same))
            else:
                known[tag] = FieldShape(tag, self._place, [(source, same)])


def _located(spans: Iterable[tuple[bytes, int, int]]) -> list[Span]:
    sources: dict[int, Source] = {}
    found = []
    for data, start, end in spans:
        source = sources.get(id(data))
        if source is None:
            source = sources[id(data)] = Source(data)  # the source keeps `data`, and so its id
        found.append((source, start, end))
    return found


def _read(hints: Mapping[str, str] | Hints) -> Hints:
    if isinstance(hints, Hints):
        return hints
    return Hints(hints) if hints else NO_HINTS


class FieldShape:
    """What is known of the fields of one number and wire type: how often they come, what they hold, their kind.

    `runs` has them by message, with the source that they lie in.
    """

    __slots__ = ("_candidates", "_kind", "_message", "_place", "number", "runs", "wire_type")

    def __init__(self, tag: Tag, place: Place, runs: list[tuple[Source, list[Field]]]) -> None:
        self.number, self.wire_type = tag
        self.runs = runs
        self._place = place
        self._kind: str | None = None
        self._candidates: tuple[Candidate, ...] | None = None
        self._message: Shape | None = None

    @property
    def occurrences(self) -> int:
        """How many there are."""
        return sum(len(fields) for _, fields in self.runs)

    @property
    def messages_with(self) -> int:
        """How many messages have one."""
        return len(self.runs)

    @property
    def most_in_one(self) -> int:
        """How many there are in the message that has most of them."""
        return max((len(fields) for _, fields in self.runs), default=0)

    @property
    def path(self) -> str:
        """Field numbers with dots between them, outermost first."""
        above = self._place.path
        return f"{above}.{self.number}" if above else str(self.number)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The kinds that it may be, likeliest first; their confidences add up to 1 at most. (Hints do not count.)"""
        if self._candidates is None:
            self._candidates = rank(self._scores())
        return self._candidates

    @property
    def kind(self) -> str:
        """The likeliest kind, or what a hint says."""
        if self._kind is None:
            hints = self._place.hints
            hint = hints.kind(self.path, self.wire_type) if hints else None
            self._kind = hint or self._best_kind()
        return self._kind

    @property
    def message(self) -> Shape | None:
        """The shape of all contents, where they are messages or groups."""
        if self._message is not None:
            return self._message
        if self.kind not in ("message", "group") or self._place.depth >= MAX_DEPTH:
            return None
        spans = [(source, field.value_start, field.value_end) for source, fields in self.runs for field in fields]
        shape = Shape(spans, self._place.inner(self.number), is_guessed=True)
        if len(spans) > 1 or not self._place.keep:
            self._message = shape  # else it is asked for but once: it goes when that has been shown
        return shape

    @property
    def values(self) -> Iterator[int]:
        """The numbers of varint and fixed fields, unsigned, in order of appearance."""
        return (field.value for _, field in self.located())

    def located(self) -> list[tuple[Source, Field]]:
        """All occurrences, each with what it lies in."""
        if len(self.runs) == 1:
            source, fields = self.runs[0]
            return [(source, field) for field in fields]
        return [(source, field) for source, fields in self.runs for field in fields]

    def _best_kind(self) -> str:
        """What the scores would say; mostly it shows sooner."""
        if self.wire_type == LEN:
            return kind_of_all(self._evidence()) if self._place.depth < MAX_DEPTH else "bytes"
        if self.wire_type == SGROUP:
            return "group"
        fields = self.runs[0][1] if len(self.runs) == 1 else []
        if self.wire_type == VARINT and 0 < len(fields) < _TOO_FEW and all(field.value < _HUGE for field in fields):
            return "int64"
        if self.wire_type != VARINT and len(fields) == 1:
            return kind_of_fixed(fields[0].value, self.wire_type)
        return best_of(self._scores())

    def _scores(self) -> Scores:
        if self.wire_type == SGROUP:
            return {"group": 0.0}
        if self.wire_type == VARINT:
            return score_varints([field.value for _, field in self._spread()])
        if self.wire_type == LEN:
            return score_contents(self._evidence()) if self._place.depth < MAX_DEPTH else {"bytes": 0.0}
        return score_fixed([field.value for _, field in self._spread()], self.wire_type)

    def _evidence(self) -> list[Evidence]:
        room = MAX_DEPTH - self._place.depth
        found = self._spread()
        judged = sum(min(field.value, MAX_JUDGED_BYTES) for _, field in found)
        if judged > _MOST_JUDGED:
            found = found[:: stride(len(found), max(MAX_GUESS_LARGE, len(found) * _MOST_JUDGED // judged))]
        step = stride(len(found), FIRST_GUESS_OCCURRENCES)
        first = [source.evidence(field.value_start, field.end, room) for source, field in found[::step]]
        if step == 1 or are_clear(first):
            return first
        return [source.evidence(field.value_start, field.end, room) for source, field in found]

    def _spread(self) -> list[tuple[Source, Field]]:
        """At most MAX_GUESS_OCCURRENCES of all, evenly."""
        step = stride(self.occurrences)
        found: list[tuple[Source, Field]] = []
        first = 0  # of those that come next
        for source, fields in self.runs:
            found += [(source, field) for field in fields[first::step]]
            first = (first - len(fields)) % step
        return found
