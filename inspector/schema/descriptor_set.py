"""Descriptor sets (`google.protobuf.FileDescriptorSet`, and buf images, which are one with an extra field per file).

Only the heads of the files are kept: the rest stays bytes until a symbol of the file is asked for. The outer level is
walked by hand, so that each file keeps the span of its bytes: parsing 20 MB as one message takes longer and holds
ten times the memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError

from inspector.errors import SchemaError
from inspector.schema.conflicts import Definition, definitions, difference
from inspector.schema.file_spans import NOT_A_SET, SET_HINT, damage, file_spans
from inspector.schema.known_packages import KNOWN_PACKAGES
from inspector.schema.wording import one_line, text

_EXTENDEE_TAG = b"\x12"
"""FieldDescriptorProto.extendee: field 2, length-delimited."""


@dataclass(frozen=True, slots=True, eq=False)
class FileEntry:
    """One file of a schema source: its head, and its bytes. Two entries are the same only if they are one object."""

    origin: str
    name: str
    package: str
    imports: tuple[str, ...]
    content: memoryview

    def proto(self) -> FileDescriptorProto:
        """The whole file, parsed anew."""
        return FileDescriptorProto.FromString(self.content)  # type: ignore[arg-type]  # the runtime takes any buffer

    def definition(self, name: str) -> Definition:
        """The top-level definition with the full name `name`, which must be there."""
        return next(found for found in definitions(self.proto()) if found.name == name)


def all_messages(proto: FileDescriptorProto) -> Iterator[tuple[str, DescriptorProto]]:
    """Every message of a file with its full name, nested ones too, outer ones first."""
    prefix = f"{text(proto.package)}." if proto.package else ""
    waiting = [(prefix + text(message.name), message) for message in reversed(proto.message_type)]
    while waiting:
        name, message = waiting.pop()
        yield name, message
        waiting += [(f"{name}.{text(nested.name)}", nested) for nested in reversed(message.nested_type)]


def file_entry(origin: str, content: memoryview) -> FileEntry:
    """Reads the head of a serialized FileDescriptorProto. Raises DecodeError, or UnicodeDecodeError for bad names."""
    head = FileDescriptorProto.FromString(content)  # type: ignore[arg-type]
    return FileEntry(origin, head.name, head.package, tuple(head.dependency), content)


class DescriptorSet:
    """The files of one source, by name and by package.

    `notes` are what its user should know of it, in sentences. One that `gives_way` defines nothing that another source
    defines in another way.
    """

    def __init__(
        self,
        label: str,
        data: bytes,
        entries: Sequence[FileEntry],
        starts: Sequence[int],
        *,
        notes: tuple[str, ...] = (),
        gives_way: bool = False,
    ) -> None:
        self.label = label
        self.notes = notes
        self.gives_way = gives_way
        self._data = data
        self._entries = entries
        self._starts = starts

    def names(self) -> list[str]:
        return list(self._by_name)

    def packages(self) -> list[str]:
        return list(self._by_package)

    def file(self, name: str) -> FileEntry | None:
        return self._by_name.get(name)

    def in_package(self, package: str) -> Sequence[FileEntry]:
        return self._by_package.get(package, ())

    def extending(self, message: str) -> Iterator[FileEntry]:
        """The files that hold an extension of the message with this full name. Some may only seem to."""
        extendee = b"." + message.encode()
        needle = _EXTENDEE_TAG + _varint(len(extendee)) + extendee
        at = self._data.find(needle)
        while at >= 0:
            number = bisect_right(self._starts, at) - 1
            yield self._entries[number]
            after = self._starts[number] + len(self._entries[number].content)
            at = self._data.find(needle, max(after, at + 1))

    @cached_property
    def _by_name(self) -> dict[str, FileEntry]:
        return {entry.name: entry for entry in reversed(self._entries)}

    @cached_property
    def _by_package(self) -> dict[str, list[FileEntry]]:
        packages: dict[str, list[FileEntry]] = defaultdict(list)
        for entry in self._by_name.values():
            packages[entry.package].append(entry)
        for entries in packages.values():
            entries.reverse()
        return dict(packages)


def parse_descriptor_set(
    data: bytes, label: str, *, notes: tuple[str, ...] = (), gives_way: bool = False
) -> DescriptorSet:
    """Opens the bytes of a FileDescriptorSet; `label` is what error messages call the source. For the rest see there.

    Raises SchemaError with the offset where the bytes are damaged, and where two files have one name but differ.
    """
    view, entries, starts = memoryview(data), list[FileEntry](), list[int]()
    for start, end in file_spans(data, label):
        entries.append(_read_entry(view[start:end], start, label))
        starts.append(start)
    if not entries:
        raise SchemaError(NOT_A_SET, where=label, hint=SET_HINT)
    _refuse_unequal_twins(entries)
    return DescriptorSet(label, data, entries, starts, notes=notes, gives_way=gives_way)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*encoded, value))


def _read_entry(content: memoryview, start: int, label: str) -> FileEntry:
    try:
        entry = file_entry(label, content)
    except (DecodeError, ValueError) as error:
        raise damage("the file that begins here cannot be parsed", start, label) from error
    if not all(isinstance(each, str) for each in (entry.name, entry.package, *entry.imports)):
        raise damage("the file that begins here has a name that is not UTF-8", start, label)
    if not entry.name:
        raise damage("the file that begins here has no name", start, label)
    return entry


def _refuse_unequal_twins(entries: Sequence[FileEntry]) -> None:
    seen: dict[str, FileEntry] = {}
    for entry in entries:
        first = seen.setdefault(entry.name, entry)
        if first.content != entry.content and entry.package not in KNOWN_PACKAGES:
            _refuse_unequal(first, entry)


def _refuse_unequal(first: FileEntry, second: FileEntry) -> None:
    ours = {each.name: each for each in definitions(first.proto())}
    theirs = {each.name: each for each in definitions(second.proto())}
    differing = next((name for name in ours | theirs if _differ(ours.get(name), theirs.get(name))), None)
    if first.package != second.package or differing is not None:
        what = f" ({one_line(differing)})" if differing else ""
        message = f"{one_line(first.name)} is in the set twice, and the two differ{what}"
        raise SchemaError(message, where=first.origin, hint="make the set from one version of the files")


def _differ(first: Definition | None, second: Definition | None) -> bool:
    return first is None or second is None or difference(first, second) is not None
