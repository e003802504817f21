"""Measures how often fields are read as what their schema says, without the schema, on real payloads.

    python benchmarks/guess.py [--write] [-v]

Each LEN field is judged alone (a message with nothing else in it), within its message, and with all messages of its
type together. Some payloads were kept back while the judgement was tuned, and have a table of their own. `--write`
puts the tables into docs/guessing.md, `-v` prints what went wrong. Needs the dependency group `bench`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import blackboxprotobuf
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from labelled import ROOT, Payloads, payloads

from inspector.errors import DecodeError
from inspector.wire.encode import length_delimited, tag
from inspector.wire.guess import FieldShape, Shape
from inspector.wire.kinds import PACKED, WIRE_TYPES
from inspector.wire.scan import LEN, SGROUP, Field, scan

REPORT = ROOT / "docs" / "guessing.md"
MARK = "<!-- figures -->"
MOST_OF_A_FIELD = 200
"""Distinct contents taken of one field from one source, so that no field drowns the others."""

VARINT_KINDS = ("int32", "int64", "uint32", "uint64", "bool", "enum")


class Occurrence(NamedTuple):
    """A field of a payload: where it lies, what its schema says, and how it was judged."""

    source: str
    name: str
    number: int
    label: str
    content: bytes
    alone: str
    in_message: str
    in_all: str
    is_kept_back: bool


def label(field: FieldDescriptor, wire_type: int) -> str:
    """The kind of a field by its schema."""
    name = next(
        name.removeprefix("TYPE_").lower()
        for name, value in vars(FieldDescriptor).items()
        if name.startswith("TYPE_") and value == field.type
    )
    return PACKED + name if wire_type == LEN and WIRE_TYPES[name] != LEN else name


def family(kind: str) -> str:
    """Kinds whose values look the same are one: all varints that are not zigzag, signed and unsigned fixed ones."""
    plain = kind.removeprefix(PACKED)
    prefix = PACKED if kind.startswith(PACKED) else ""
    if plain in VARINT_KINDS:
        return prefix + "varint"
    return prefix + {"sfixed32": "fixed32", "sfixed64": "fixed64", "sint32": "sint64"}.get(plain, plain)


class Judge:
    """Walks the messages of a type, the schema on one side, three guesses on the other."""

    def __init__(self, given: Payloads) -> None:
        self._given = given
        self._together = Shape.of(given.messages)

    def occurrences(self) -> Iterator[Occurrence]:
        for data in self._given.messages:
            yield from self._walk(data, scan(data), self._given.descriptor, Shape.of([data]), self._together)

    def _walk(
        self, data: bytes, fields: list[Field], descriptor: Descriptor, one: Shape | None, all_of_them: Shape | None
    ) -> Iterator[Occurrence]:
        for field in fields:
            known = descriptor.fields_by_number.get(field.number)
            if known is None:
                continue
            kind = label(known, field.wire_type)
            within, together = _shape(one, field), _shape(all_of_them, field)
            content = data[field.value_start : field.value_end]
            yield Occurrence(
                self._given.source, known.full_name, field.number, kind, content,
                _alone(field, data), _kind(within), _kind(together), self._given.is_kept_back,
            )  # fmt: skip
            if kind in ("message", "group"):
                inner = scan(data, field.value_start, field.value_end)
                yield from self._walk(
                    data, inner, known.message_type, within and within.message, together and together.message
                )


def _shape(shape: Shape | None, field: Field) -> FieldShape | None:
    return shape and shape.field(field.number, field.wire_type)


def _kind(shape: FieldShape | None) -> str:
    return family(shape.kind) if shape else "inside what was no message"


def _alone(field: Field, data: bytes) -> str:
    if field.wire_type == LEN:
        message = length_delimited(field.number, data[field.value_start : field.end])
    elif field.wire_type == SGROUP:
        return "group"
    else:
        message = tag(field.number, field.wire_type) + data[field.value_start : field.end]
    return family(Shape.of([message]).field(field.number, field.wire_type).kind)


def distinct(found: Iterable[Occurrence]) -> list[Occurrence]:
    """Each content once for a label, empty ones not at all, and no more of a field of a source than MOST_OF_A_FIELD."""
    of_a_field: Counter[tuple[str, str]] = Counter()
    taken: dict[tuple[str, bytes], Occurrence] = {}
    for one in found:
        key, field = (one.label, one.content), (one.source, one.name)
        if one.content and key not in taken and of_a_field[field] < MOST_OF_A_FIELD:
            of_a_field[field] += 1
            taken[key] = one
    return list(taken.values())


def group(one: Occurrence) -> str:
    """The row of a field. Bytes that hold text or a message cannot be told from those, and reading them so is right."""
    kind = family(one.label)
    if kind != "bytes":
        return kind
    if one.name == "google.protobuf.Any.value":
        return BYTES_WITH_MESSAGE
    return BYTES_WITH_TEXT if _is_text(one.content) else kind


BYTES_WITH_TEXT, BYTES_WITH_MESSAGE = "bytes, text in truth", "bytes, a message in truth"
EXPECTED = {BYTES_WITH_TEXT: ("string", "bytes"), BYTES_WITH_MESSAGE: ("message", "bytes")}


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return "".join(text.split()).isprintable()


def is_right(one: Occurrence, judged: str) -> bool:
    return judged in EXPECTED.get(group(one), (family(one.label),))


class Column(NamedTuple):
    """A way to judge, and what it says of a field."""

    title: str
    judge: Callable[[Occurrence], str]


OURS = (
    Column("alone", lambda one: one.alone),
    Column("within its message", lambda one: one.in_message),
    Column("all messages together", lambda one: one.in_all),
)


def by_bbpb(one: Occurrence) -> str:
    """What blackboxprotobuf (the package bbpb) takes a field for that stands alone."""
    try:
        _, types = blackboxprotobuf.decode_message(length_delimited(one.number, one.content))
    except (blackboxprotobuf.BlackboxProtobufException, RecursionError):
        return "failed"
    return str(types[str(one.number)]["type"])


def by_parsing(one: Occurrence) -> str:
    """The rule of `protoc --decode_raw`: what parses is a message. (It shows all else as text with escapes.)"""
    try:
        scan(one.content)
    except DecodeError:
        return "string" if _is_text(one.content) else "bytes"
    return "message"


PEERS = (Column("bbpb, alone", by_bbpb), Column("what parses is a message, alone", by_parsing))


def table(found: list[Occurrence], title: str, columns: Sequence[Column] = OURS) -> list[str]:
    """Per cent right, by kind."""
    by_group: dict[str, list[Occurrence]] = {}
    for one in found:
        by_group.setdefault(group(one), []).append(one)
    lines = [
        f"| {title} | fields | " + " | ".join(column.title for column in columns) + " |",
        "| --- | --: |" + " --: |" * len(columns),
    ]
    for name, members in sorted(by_group.items(), key=lambda item: -len(item[1])):
        right = [sum(is_right(one, column.judge(one)) for one in members) for column in columns]
        shares = " | ".join(f"{1000 * count // len(members) / 10}" for count in right)  # 100 is all of them
        lines.append(f"| {name} | {len(members):,} | {shares} |")
    return lines


def mistakes(found: list[Occurrence]) -> Iterator[str]:
    for one in found:
        judged = {column.title: column.judge(one) for column in OURS}
        wrong = {title: kind for title, kind in judged.items() if not is_right(one, kind)}
        if wrong:
            yield f"{one.source}: {one.name} ({one.label}) {wrong}: {one.content[:60]!r} [{len(one.content)}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    everything = [one for given in payloads() for one in Judge(given).occurrences()]
    fields = distinct(everything)
    contents = [one for one in fields if WIRE_TYPES[one.label] == LEN]
    numbers = [one for one in fields if WIRE_TYPES[one.label] not in (LEN, SGROUP)]
    kept_back = [one for one in contents if one.is_kept_back]
    sources = Counter(one.source for one in contents)
    lines = [
        f"{len(contents):,} distinct fields: "
        + ", ".join(f"{count:,} {name}" for name, count in sources.items())
        + ".",
        "",
        *table(contents, "length-delimited", (*OURS, *PEERS)),
        "",
        *table(kept_back, "of these, kept back", (*OURS, *PEERS)),
        "",
        *table(numbers, "numbers"),
    ]
    print("\n".join(lines))
    if options.verbose:
        print("\n".join(mistakes(fields)), file=sys.stderr)
    if options.write:
        before, _, after = REPORT.read_text(encoding="utf-8").split(MARK)
        REPORT.write_text("\n".join([before + MARK, *lines, MARK + after]), encoding="utf-8")


if __name__ == "__main__":
    main()
